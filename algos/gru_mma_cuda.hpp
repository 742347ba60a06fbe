// The recurrent part of a GRU on tensor cores, all steps in one launch: operands tf32 or bf16, sums and states float32.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "algos/gru_cuda.hpp"

namespace throng::cuda {

// A word of 32 bits holds one operand or two neighbours in the direction that is summed over. Counted in words, the pieces of
// `mma` are the same for both: 8 words of 16 rows times 8 words of 8 columns.
struct Tf32 {
  static constexpr int kPerWord = 1;
  template <class At>
  __device__ static uint32_t word(int i, At at) {
    uint32_t word;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(word) : "f"(at(i)));
    return word;
  }
  __device__ static void multiply(float (&c)[4], const uint32_t (&a)[4], uint2 b) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b.x), "r"(b.y));
  }
};

struct Bf16 {
  static constexpr int kPerWord = 2;
  template <class At>
  __device__ static uint32_t word(int i, At at) {
    uint32_t word;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(at(2 * i + 1)), "f"(at(2 * i)));
    return word;
  }
  __device__ static void multiply(float (&c)[4], const uint32_t (&a)[4], uint2 b) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b.x), "r"(b.y));
  }
};

// What a block of 4 * kSize threads works with: kTiles times 16 sequences, of which it multiplies rows [kTiles * 16, kIn] of
// operands with weights [kIn, kColumns], both in shared memory. Warp w owns the units 8 w to 8 w + 7: of every kSize columns
// those 8. Of them a thread owns two neighbours in two rows of a tile, in the order [row, unit] of `mma`'s sums.
template <class Operand, int kSize, int kIn, int kColumns, int kTiles>
struct GruTile {
  static constexpr int kThreads = 4 * kSize, kSequences = 16 * kTiles, kGates = kColumns / kSize;
  static constexpr int kWords = kIn / Operand::kPerWord, kPieces = kWords / 8;
  static constexpr int kStride = kWords + 4;  // of a row: then neighbouring rows are in other banks
  static constexpr int kWeightWords = kWords * kColumns;
  static constexpr size_t kBytes = size_t(kWeightWords + kSequences * kStride) * 4;

  uint32_t* weights;   // [piece, warp, gate, lane, 2]: in the order in which lanes want them
  uint32_t* operands;  // [sequence, kStride]
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  int unit = warp * 8 + lane % 4 * 2;  // the first of our two

  __device__ explicit GruTile(uint32_t* shared) : weights(shared), operands(shared + kWeightWords) {}

  // at(k, column) gives the weight.
  template <class At>
  __device__ void load_weights(At at) {
    for (int i = threadIdx.x; i < kWeightWords; i += kThreads) {
      const int half = i % 2, lane = i / 2 % 32, gate = i / 64 % kGates, rest = i / 64 / kGates;
      const int warp = rest % (kSize / 8), piece = rest / (kSize / 8);
      const int column = gate * kSize + warp * 8 + lane / 4;
      weights[i] = Operand::word(piece * 8 + half * 4 + lane % 4, [&](int k) { return at(k, column); });
    }
  }

  __device__ int row(int tile, int half) const { return tile * 16 + half * 8 + lane / 4; }

  // Puts our two units' operands number `part` * kSize + unit into row (tile, half).
  __device__ void put(int tile, int half, int part, float2 values) {
    uint32_t* to = operands + row(tile, half) * kStride + (part * kSize + unit) / Operand::kPerWord;
    auto at = [&](int i) { return i == 0 ? values.x : values.y; };
    for (int i = 0; i < 2 / Operand::kPerWord; ++i) to[i] = Operand::word(i, at);
  }

  // sums[tile][gate] of our rows and units. Each sum runs in an order of its own row, so no other row changes its bits.
  __device__ void multiply(float (&sums)[kTiles][kGates][4]) const {
#pragma unroll
    for (int tile = 0; tile < kTiles; ++tile) {
      for (int gate = 0; gate < kGates; ++gate) {
        for (float& sum : sums[tile][gate]) sum = 0.0f;
      }
    }
#pragma unroll 4
    for (int piece = 0; piece < kPieces; ++piece) {
      const auto* b = reinterpret_cast<const uint2*>(weights) + (piece * (kSize / 8) + warp) * kGates * 32 + lane;
      uint2 columns[kGates];
#pragma unroll
      for (int gate = 0; gate < kGates; ++gate) columns[gate] = b[gate * 32];
#pragma unroll
      for (int tile = 0; tile < kTiles; ++tile) {
        const uint32_t* a = operands + row(tile, 0) * kStride + piece * 8 + lane % 4;
        const uint32_t rows[4] = {a[0], a[8 * kStride], a[4], a[8 * kStride + 4]};
#pragma unroll
        for (int gate = 0; gate < kGates; ++gate) Operand::multiply(sums[tile][gate], rows, columns[gate]);
      }
    }
  }
};

// One state in, sums for three gates out; and backwards.
template <class Operand, int kSize>
struct GruForwardTile {
  template <int kTiles>
  using Of = GruTile<Operand, kSize, kSize, 3 * kSize, kTiles>;
};
template <class Operand, int kSize>
struct GruBackwardTile {
  template <int kTiles>
  using Of = GruTile<Operand, kSize, 3 * kSize, kSize, kTiles>;
};

__device__ inline float2 load_two(const float* from) { return *reinterpret_cast<const float2*>(from); }
__device__ inline void store_two(float* to, float x, float y) { *reinterpret_cast<float2*>(to) = {x, y}; }

template <class Operand, int kSize, int kTiles>
__global__ void __launch_bounds__(4 * kSize, 1)
    gru_forward_mma_kernel(GruSequences g, const float* bias, Rows from, OutRows to) {
  using Tile = typename GruForwardTile<Operand, kSize>::template Of<kTiles>;
  extern __shared__ uint4 shared[];
  Tile tile(reinterpret_cast<uint32_t*>(shared));
  g.enter(blockIdx.y);
  const float* before = from.at(blockIdx.y, 0);
  float* after = to.at(blockIdx.y, 0);
  const int unit = tile.unit;
  const float2 hn_bias = load_two(bias + blockIdx.y * g.groups.apart + unit);
  tile.load_weights([&](int k, int column) { return g.recurrent[k * 3 * kSize + column]; });

  for (int64_t first = int64_t(blockIdx.x) * Tile::kSequences; first < g.sequences;
       first += int64_t(gridDim.x) * Tile::kSequences) {
    float2 h[kTiles][2];  // [tile, half], the states before the step
#pragma unroll
    for (int i = 0; i < 2 * kTiles; ++i) {
      const int64_t s = first + tile.row(i / 2, i % 2);
      h[i / 2][i % 2] = s < g.sequences && !g.resets[s] ? load_two(before + s * kSize + unit) : float2{0, 0};
    }
    for (int t = 0; t < g.steps; ++t) {
      float2 x[kTiles][2][3];
#pragma unroll
      for (int i = 0; i < 2 * kTiles; ++i) {
        const int64_t s = first + tile.row(i / 2, i % 2);
        tile.put(i / 2, i % 2, 0, h[i / 2][i % 2]);
        if (s >= g.sequences) continue;
        const float* gate = g.gates + (t * g.sequences + s) * 4 * kSize + unit;
        for (int n = 0; n < 3; ++n) x[i / 2][i % 2][n] = load_two(gate + (n + 1) * kSize);
      }
      __syncthreads();
      float sums[kTiles][3][4];
      tile.multiply(sums);
#pragma unroll
      for (int i = 0; i < 2 * kTiles; ++i) {
        const int64_t s = first + tile.row(i / 2, i % 2), row = t * g.sequences + s;
        if (s >= g.sequences) continue;
        const bool ends = t + 1 < g.steps && g.resets[row + g.sequences];
        float out[5][2];  // hn, r, z, n, the state after
#pragma unroll
        for (int u = 0; u < 2; ++u) {
          const auto& of_state = sums[i / 2];
          const auto& of_input = x[i / 2][i % 2];
          const int c = i % 2 * 2 + u;
          float& state = u ? h[i / 2][i % 2].y : h[i / 2][i % 2].x;
          const float hn = of_state[0][c] + (u ? hn_bias.y : hn_bias.x);
          const float r = sigmoid((u ? of_input[0].y : of_input[0].x) + of_state[1][c]);
          const float z = sigmoid((u ? of_input[1].y : of_input[1].x) + of_state[2][c]);
          const float n = tanhf((u ? of_input[2].y : of_input[2].x) + r * hn);
          const float next = (1.0f - z) * n + z * state;
          out[0][u] = hn, out[1][u] = r, out[2][u] = z, out[3][u] = n, out[4][u] = next;
          state = ends ? 0.0f : next;
        }
        float* gate = g.gates + row * 4 * kSize + unit;
        for (int n = 0; n < 4; ++n) store_two(gate + n * kSize, out[n][0], out[n][1]);
        store_two(after + row * kSize + unit, out[4][0], out[4][1]);
      }
      __syncthreads();
    }
  }
}

template <class Operand, int kSize, int kTiles>
__global__ void __launch_bounds__(4 * kSize, 1)
    gru_backward_mma_kernel(GruSequences g, Rows d_after, OutRows before_each) {
  using Tile = typename GruBackwardTile<Operand, kSize>::template Of<kTiles>;
  extern __shared__ uint4 shared[];
  Tile tile(reinterpret_cast<uint32_t*>(shared));
  g.enter(blockIdx.y);
  const float* d_out = d_after.at(blockIdx.y, 0);
  float* states = before_each.at(blockIdx.y, 0);
  const int unit = tile.unit;
  tile.load_weights([&](int k, int column) { return g.recurrent[column * 3 * kSize + k]; });

  for (int64_t first = int64_t(blockIdx.x) * Tile::kSequences; first < g.sequences;
       first += int64_t(gridDim.x) * Tile::kSequences) {
    float straight[kTiles][2][2], through[kTiles][1][4];
    float2 loaded[kTiles][2][6];  // the gates, the state before, and the gradient from outside
    auto load = [&](int t) {
#pragma unroll
      for (int i = 0; i < 2 * kTiles; ++i) {
        const int64_t s = first + tile.row(i / 2, i % 2), row = t * g.sequences + s;
        if (s >= g.sequences) continue;
        auto& l = loaded[i / 2][i % 2];
        for (int n = 0; n < 4; ++n) l[n] = load_two(g.gates + row * 4 * kSize + n * kSize + unit);
        l[4] = g.resets[row] ? float2{0, 0} : load_two(states + row * kSize + unit);
        l[5] = load_two(d_out + row * kSize + unit);
      }
    };
    load(g.steps - 1);
    for (int t = g.steps - 1; t >= 0; --t) {
#pragma unroll
      for (int i = 0; i < 2 * kTiles; ++i) {
        const int64_t s = first + tile.row(i / 2, i % 2), row = t * g.sequences + s;
        float2 d_gates[4] = {};  // hn, r, z, n
        if (s < g.sequences) {
          const bool goes_on = t + 1 < g.steps && !g.resets[row + g.sequences];
#pragma unroll
          for (int u = 0; u < 2; ++u) {
            auto of = [u](float2 two) { return u ? two.y : two.x; };
            auto set = [u](float2& two, float x) { (u ? two.y : two.x) = x; };
            const auto& l = loaded[i / 2][i % 2];
            float& past = straight[i / 2][i % 2][u];
            const float hn = of(l[0]), r = of(l[1]), z = of(l[2]), n = of(l[3]), h = of(l[4]);
            const float d = of(l[5]) + (goes_on ? past + through[i / 2][0][i % 2 * 2 + u] : 0.0f);
            const float d_n = d * (1.0f - z) * (1.0f - n * n);
            set(d_gates[0], d_n * r);
            set(d_gates[1], d_n * hn * r * (1.0f - r));
            set(d_gates[2], d * (h - n) * z * (1.0f - z));
            set(d_gates[3], d_n);
            past = d * z;
          }
          float* gate = g.gates + row * 4 * kSize + unit;
          for (int n = 0; n < 4; ++n) store_two(gate + n * kSize, d_gates[n].x, d_gates[n].y);
          if (g.resets[row]) store_two(states + row * kSize + unit, 0, 0);
        }
        for (int n = 0; n < 3; ++n) tile.put(i / 2, i % 2, n, d_gates[n]);
      }
      if (t > 0) load(t - 1);
      __syncthreads();
      if (t > 0) tile.multiply(through);
      __syncthreads();
    }
  }
}

struct GpuLimits {
  int multiprocessors = 0, shared_bytes = 0, generation = 0;
  explicit GpuLimits(const Device& device) {
    auto ask = [&](int& value, cudaDeviceAttr what) {
      THRONG_CUDA(cudaDeviceGetAttribute(&value, what, device.index()));
    };
    ask(multiprocessors, cudaDevAttrMultiProcessorCount);
    ask(shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin);
    ask(generation, cudaDevAttrComputeCapabilityMajor);
  }
};

// Blocks take turns of kTiles * 16 sequences.
template <class Tile, class Sequences, class... Arguments>
void launch_gru(Device& device, const GpuLimits& gpu, const Sequences& g, void (*kernel)(Sequences, Arguments...),
                std::type_identity_t<Arguments>... arguments) {
  THRONG_CUDA(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(Tile::kBytes)));
  const int64_t turns = (g.sequences + Tile::kSequences - 1) / Tile::kSequences;
  const auto blocks = std::min<int64_t>(turns, std::max(1, gpu.multiprocessors / g.groups.count));
  kernel<<<dim3(static_cast<unsigned>(blocks), g.groups.count), Tile::kThreads, Tile::kBytes,
           static_cast<cudaStream_t>(device.stream())>>>(g, arguments...);
  THRONG_CUDA(cudaGetLastError());
}

// run(tiles) with the number of tiles, three at most and as far as shared memory goes, with which all multiprocessors finish
// soonest. False if the GPU has no such products, or too little memory for any.
template <template <int> class Tile, class Sequences, class Run>
bool with_tiles(Device& device, const Sequences& g, Run run) {
  const GpuLimits gpu(device);
  if (gpu.generation < 8 || size_t(gpu.shared_bytes) < Tile<1>::kBytes) return false;
  int best = 1;
  int64_t least = 0;
  auto consider = [&](auto tiles) {
    if (size_t(gpu.shared_bytes) < Tile<tiles()>::kBytes) return;
    const int64_t blocks = g.groups.count * ((g.sequences + 16 * tiles() - 1) / (16 * tiles()));
    const int64_t time = (blocks + gpu.multiprocessors - 1) / gpu.multiprocessors * (tiles() + 1);
    if (tiles() == 1 || time < least) best = tiles(), least = time;
  };
  consider(std::integral_constant<int, 1>());
  consider(std::integral_constant<int, 2>());
  consider(std::integral_constant<int, 3>());
  if (best == 1) run(gpu, std::integral_constant<int, 1>());
  if (best == 2) run(gpu, std::integral_constant<int, 2>());
  if (best == 3) run(gpu, std::integral_constant<int, 3>());
  return true;
}

template <class Operand, int kSize>
bool gru_forward_mma(Device& device, const GruSequences& g, const float* bias, Rows before, OutRows after) {
  return with_tiles<GruForwardTile<Operand, kSize>::template Of>(device, g, [&](const GpuLimits& gpu, auto tiles) {
    launch_gru<typename GruForwardTile<Operand, kSize>::template Of<tiles()>>(
        device, gpu, g, gru_forward_mma_kernel<Operand, kSize, tiles()>, bias, before, after);
  });
}

template <class Operand, int kSize>
bool gru_backward_mma(Device& device, const GruSequences& g, Rows d_out, OutRows states) {
  return with_tiles<GruBackwardTile<Operand, kSize>::template Of>(device, g, [&](const GpuLimits& gpu, auto tiles) {
    launch_gru<typename GruBackwardTile<Operand, kSize>::template Of<tiles()>>(
        device, gpu, g, gru_backward_mma_kernel<Operand, kSize, tiles()>, d_out, states);
  });
}

}  // namespace throng::cuda
