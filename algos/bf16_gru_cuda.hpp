// A GRU on tensor cores with samples stored in bfloat16: the products of input and state, and all steps, in one launch.
#pragma once

#include <cstdint>

#include "algos/bf16_cuda.hpp"
#include "algos/gru_mma_cuda.hpp"

namespace throng::cuda {

// See Gru for the formulae and the layouts. Sums are float32, and so are states on their way from step to step.
struct HalfGruSequences {
  Groups groups;
  int steps;
  int64_t sequences;
  const float *input, *recurrent, *bias;  // [size, 3, size], [size, 3, size], [4, size]
  const uint8_t* resets;                  // [group, steps, sequences]
  HalfRows x;                             // [group, steps, sequences, size]
  OutHalfRows gates;                      // [group, steps, sequences, 4, size]
  OutHalfRows states;                     // [group, steps + 1, sequences, size]
};

// Errors below 1e-6, far below those of bfloat16.
__device__ inline float fast_sigmoid(float x) { return __fdividef(1.0f, 1.0f + __expf(-x)); }
__device__ inline float fast_tanh(float x) { return 1.0f - __fdividef(2.0f, 1.0f + __expf(2.0f * x)); }

// Two products, of input and of state, side by side in shared memory.
template <int kSize>
struct HalfGruForwardTile {
  template <int kTiles>
  struct Of {
    using Half = GruTile<Bf16, kSize, kSize, 3 * kSize, kTiles>;
    static constexpr int kThreads = Half::kThreads, kSequences = Half::kSequences;
    static constexpr size_t kBytes = 2 * Half::kBytes;
  };
};

// from [group, sequences, size]: the states before the first step; to: those after the last, may be null.
template <int kSize, int kTiles>
__global__ void __launch_bounds__(4 * kSize, 1) half_gru_forward_kernel(HalfGruSequences g, Rows from, OutRows to) {
  using Tile = typename HalfGruForwardTile<kSize>::template Of<kTiles>::Half;
  extern __shared__ uint4 shared[];
  auto* const words = reinterpret_cast<uint32_t*>(shared);
  Tile of_input(words), of_state(words + Tile::kBytes / 4);
  const int group = blockIdx.y, unit = of_state.unit;
  const float *input = g.input + group * g.groups.apart, *recurrent = g.recurrent + group * g.groups.apart;
  const float* bias = g.bias + group * g.groups.apart + unit;
  const uint8_t* resets = g.resets + group * g.steps * g.sequences;
  float2 biases[4];  // hn, r, z, n
  for (int n = 0; n < 4; ++n) biases[n] = load_two(bias + n * kSize);
  of_input.load_weights([&](int k, int column) { return input[k * 3 * kSize + column]; });
  of_state.load_weights([&](int k, int column) { return recurrent[k * 3 * kSize + column]; });

  for (int64_t first = int64_t(blockIdx.x) * Tile::kSequences; first < g.sequences;
       first += int64_t(gridDim.x) * Tile::kSequences) {
    auto fetch = [&](int t) {  // a row of x is a row of operands
      for (int i = threadIdx.x; i < Tile::kSequences * kSize / 8; i += Tile::kThreads) {
        const int row = i / (kSize / 8), k = i % (kSize / 8) * 8;
        const bool there = first + row < g.sequences;
        copy_async(of_input.operands + row * Tile::kStride + k / 2,
                   g.x.at(group, there ? t * g.sequences + first + row : 0) + k, there);
      }
      end_of_copies();
    };
    float2 h[kTiles][2];  // [tile, half], the states before the step
#pragma unroll
    for (int i = 0; i < 2 * kTiles; ++i) {
      const int64_t s = first + of_state.row(i / 2, i % 2);
      const bool there = s < g.sequences;
      h[i / 2][i % 2] = there && !resets[s] ? load_two(from.at(group, s) + unit) : float2{0, 0};
      if (there) store_two(g.states.at(group, s) + unit, h[i / 2][i % 2].x, h[i / 2][i % 2].y);
    }
    fetch(0);
    for (int t = 0; t < g.steps; ++t) {
      bool ends[kTiles][2];
#pragma unroll
      for (int i = 0; i < 2 * kTiles; ++i) {
        const int64_t s = first + of_state.row(i / 2, i % 2);
        of_state.put(i / 2, i % 2, 0, h[i / 2][i % 2]);
        ends[i / 2][i % 2] = t + 1 < g.steps && s < g.sequences && resets[(t + 1) * g.sequences + s];
      }
      wait_for_copies<0>();
      __syncthreads();
      float x_sums[kTiles][3][4], h_sums[kTiles][3][4];
      of_input.multiply(x_sums);
      of_state.multiply(h_sums);
      __syncthreads();
      if (t + 1 < g.steps) fetch(t + 1);
#pragma unroll
      for (int i = 0; i < 2 * kTiles; ++i) {
        const int64_t s = first + of_state.row(i / 2, i % 2), row = t * g.sequences + s;
        if (s >= g.sequences) continue;
        float out[5][2];  // hn, r, z, n, the state after
#pragma unroll
        for (int u = 0; u < 2; ++u) {
          auto of = [u](float2 two) { return u ? two.y : two.x; };
          const auto &xs = x_sums[i / 2], &hs = h_sums[i / 2];
          const int c = i % 2 * 2 + u;
          const float hn = hs[0][c] + of(biases[0]);
          const float r = fast_sigmoid(xs[0][c] + of(biases[1]) + hs[1][c]);
          const float z = fast_sigmoid(xs[1][c] + of(biases[2]) + hs[2][c]);
          const float n = fast_tanh(xs[2][c] + of(biases[3]) + r * hn);
          out[0][u] = hn, out[1][u] = r, out[2][u] = z, out[3][u] = n;
          out[4][u] = (1.0f - z) * n + z * of(h[i / 2][i % 2]);
        }
        Bfloat16* gate = g.gates.at(group, row) + unit;
        for (int n = 0; n < 4; ++n) store_two(gate + n * kSize, out[n][0], out[n][1]);
        store_two(g.states.at(group, row + g.sequences) + unit, out[4][0], out[4][1]);
        if (to.data && t == g.steps - 1) store_two(to.at(group, s) + unit, out[4][0], out[4][1]);
        h[i / 2][i % 2] = ends[i / 2][i % 2] ? float2{0, 0} : float2{out[4][0], out[4][1]};
      }
    }
    __syncthreads();
  }
}

// Gates become the gradients before them; states before a step that was reset become 0.
template <int kSize, int kTiles>
__global__ void __launch_bounds__(4 * kSize, 1) half_gru_backward_kernel(HalfGruSequences g, HalfRows d_out) {
  using Tile = typename GruBackwardTile<Bf16, kSize>::template Of<kTiles>;
  extern __shared__ uint4 shared[];
  Tile tile(reinterpret_cast<uint32_t*>(shared));
  const int group = blockIdx.y, unit = tile.unit;
  const float* recurrent = g.recurrent + group * g.groups.apart;
  const uint8_t* resets = g.resets + group * g.steps * g.sequences;
  tile.load_weights([&](int k, int column) { return recurrent[column * 3 * kSize + k]; });

  for (int64_t first = int64_t(blockIdx.x) * Tile::kSequences; first < g.sequences;
       first += int64_t(gridDim.x) * Tile::kSequences) {
    float straight[kTiles][2][2], through[kTiles][1][4];
    uint32_t loaded[kTiles][2][6];  // the gates, the state before, and the gradient from outside
    bool reset[kTiles][2], reset_after[kTiles][2];
    auto load = [&](int t) {
#pragma unroll
      for (int i = 0; i < 2 * kTiles; ++i) {
        const int64_t s = first + tile.row(i / 2, i % 2), row = t * g.sequences + s;
        if (s >= g.sequences) continue;
        auto two = [](const Bfloat16* from) { return *reinterpret_cast<const uint32_t*>(from); };
        auto& l = loaded[i / 2][i % 2];
        for (int n = 0; n < 4; ++n) l[n] = two(g.gates.at(group, row) + n * kSize + unit);
        l[4] = two(g.states.at(group, row) + unit);
        l[5] = two(d_out.at(group, row) + unit);
        reset[i / 2][i % 2] = resets[row];
      }
    };
    load(g.steps - 1);
    for (int t = g.steps - 1; t >= 0; --t) {
#pragma unroll
      for (int i = 0; i < 2 * kTiles; ++i) {
        const int64_t s = first + tile.row(i / 2, i % 2), row = t * g.sequences + s;
        float2 d_gates[4] = {};  // hn, r, z, n
        if (s < g.sequences) {
          const bool goes_on = t + 1 < g.steps && !reset_after[i / 2][i % 2], fresh = reset[i / 2][i % 2];
          reset_after[i / 2][i % 2] = fresh;
          const auto& l = loaded[i / 2][i % 2];
#pragma unroll
          for (int u = 0; u < 2; ++u) {
            auto of = [&](int n) { return u ? unpack_two(l[n]).y : unpack_two(l[n]).x; };
            auto set = [u](float2& two, float x) { (u ? two.y : two.x) = x; };
            float& past = straight[i / 2][i % 2][u];
            const float hn = of(0), r = of(1), z = of(2), n = of(3), h = fresh ? 0.0f : of(4);
            const float d = of(5) + (goes_on ? past + through[i / 2][0][i % 2 * 2 + u] : 0.0f);
            const float d_n = d * (1.0f - z) * (1.0f - n * n);
            set(d_gates[0], d_n * r);
            set(d_gates[1], d_n * hn * r * (1.0f - r));
            set(d_gates[2], d * (h - n) * z * (1.0f - z));
            set(d_gates[3], d_n);
            past = d * z;
          }
          Bfloat16* gate = g.gates.at(group, row) + unit;
          for (int n = 0; n < 4; ++n) store_two(gate + n * kSize, d_gates[n].x, d_gates[n].y);
          if (fresh) store_two(g.states.at(group, row) + unit, 0, 0);
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

// False if the GPU has no such products, or too little memory for them.
template <int kSize>
bool half_gru_forward(Device& device, const HalfGruSequences& g, Rows before, OutRows last) {
  return with_tiles<HalfGruForwardTile<kSize>::template Of>(device, g, [&](const GpuLimits& gpu, auto tiles) {
    launch_gru<typename HalfGruForwardTile<kSize>::template Of<tiles()>>(
        device, gpu, g, half_gru_forward_kernel<kSize, tiles()>, before, last);
  });
}

template <int kSize>
bool half_gru_backward(Device& device, const HalfGruSequences& g, HalfRows d_out) {
  return with_tiles<GruBackwardTile<Bf16, kSize>::template Of>(device, g, [&](const GpuLimits& gpu, auto tiles) {
    launch_gru<typename GruBackwardTile<Bf16, kSize>::template Of<tiles()>>(
        device, gpu, g, half_gru_backward_kernel<kSize, tiles()>, d_out);
  });
}

}  // namespace throng::cuda
