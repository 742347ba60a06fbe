// The products of dense layers on tensor cores, samples stored in bfloat16: bias, activation and its slope on the way.
#pragma once

#include <algorithm>
#include <cstdint>

#include "algos/activation.hpp"
#include "algos/bf16_cuda.hpp"
#include "core/launch.hpp"

namespace throng::cuda {

// y[row, n] = activation(sum over k of x[row, k] w[k, n] + bias[n]); and backwards, with the weights transposed,
// dx[row, n] = slope of what the layer below gave.
struct RowProduct {
  Groups groups;
  int64_t rows;
  int in, out;  // of w [in, out]; `transposed`: it lies as [out, in]
  HalfRows x;
  const float* weights;
  bool transposed = false;
  const float* bias = nullptr;
  Activation activation = kIdentity;
  OutHalfRows y = {};    // `out` is then a multiple of 8
  OutRows numbers = {};  // or float32
  bool add = false;      // to what is in y
  HalfRows below = {};   // y is multiplied by the slope of `activation` that gave these, and not put through it
};

// A block of 8 warps takes kRows rows at a time, of kColumns columns.
template <int kColumns>
struct RowTile {
  static constexpr int kThreads = 256, kRows = kColumns == 128 ? 64 : 128;
  static constexpr int kAcross = kColumns == 128 ? 4 : 1;  // warps side by side
  static constexpr int kRowPieces = kRows / (8 / kAcross) / 16, kColumnPieces = kColumns / kAcross / 8;
  static constexpr int kStride = kColumns + 8;  // of rows in shared memory: then eight neighbours are in other banks

  static __host__ __device__ int depth(int in) { return (in + 15) / 16 * 16; }
  static __host__ __device__ int x_size(int in) { return kRows * (std::max(depth(in), kColumns) + 8); }
  static size_t bytes(int in) { return sizeof(Bfloat16) * (size_t(depth(in)) * kStride + 2 * size_t(x_size(in))); }
};

// Of eight numbers of y: what is added, and the slope.
__device__ inline uint4 finish_eight(uint4 words, const Bfloat16* old, const Bfloat16* below, Activation activation) {
  uint32_t* word = &words.x;
  const uint4 added = old ? *reinterpret_cast<const uint4*>(old) : uint4{};
  const uint4 outputs = below ? *reinterpret_cast<const uint4*>(below) : uint4{};
  for (int i = 0; i < 4; ++i) {
    float2 two = unpack_two(word[i]);
    if (old) {
      const float2 more = unpack_two((&added.x)[i]);
      two = {two.x + more.x, two.y + more.y};
    }
    if (below) {
      const float2 y = unpack_two((&outputs.x)[i]);
      two = {two.x * slope(activation, y.x), two.y * slope(activation, y.y)};
    }
    word[i] = pack_two(two.x, two.y);
  }
  return words;
}

// Block (x, y, z): every gridDim.x-th tile of rows, column tile y, group z. The weights stay in shared memory; while a tile is
// multiplied the next one is on its way. A row's sums run in the same order wherever it stands.
template <int kColumns>
__global__ void __launch_bounds__(256, 2) row_product_kernel(RowProduct p) {
  using Tile = RowTile<kColumns>;
  constexpr int kThreads = Tile::kThreads, kStride = Tile::kStride;
  extern __shared__ uint4 shared[];
  const int depth = Tile::depth(p.in), x_stride = depth + 8, chunks = depth / 8;
  const int group = blockIdx.z, first_column = blockIdx.y * kColumns;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int warp_row = warp / Tile::kAcross * Tile::kRowPieces * 16;
  const int warp_column = warp % Tile::kAcross * Tile::kColumnPieces * 8;
  auto* w = reinterpret_cast<Bfloat16*>(shared);  // [depth, kStride]
  Bfloat16* const x = w + depth * kStride;  // two buffers of [kRows, x_stride], and then of results [kRows, kStride]
  const float* weights = p.weights + group * p.groups.apart;
  const float* bias = p.bias ? p.bias + group * p.groups.apart : nullptr;

  for (int i = threadIdx.x; i < depth * kColumns; i += kThreads) {
    const int k = p.transposed ? i % depth : i / kColumns, n = p.transposed ? i / depth : i % kColumns;
    const int column = first_column + n;
    const bool there = k < p.in && column < p.out;
    const float* from = weights + (p.transposed ? int64_t(column) * p.in + k : int64_t(k) * p.out + column);
    w[k * kStride + n] = Bfloat16(there ? *from : 0.0f);
  }
  auto fetch = [&](int64_t tile, int buffer) {
    for (int i = threadIdx.x; i < Tile::kRows * chunks; i += kThreads) {
      const int r = i / chunks, k = (i - r * chunks) * 8;
      const int64_t row = tile * Tile::kRows + r;
      const bool there = row < p.rows && k < p.in;
      copy_async(x + buffer * Tile::x_size(p.in) + r * x_stride + k, p.x.at(group, there ? row : 0) + (there ? k : 0),
                 there);
    }
    end_of_copies();
  };

  const int64_t tiles = (p.rows + Tile::kRows - 1) / Tile::kRows;
  int buffer = 0;
  if (blockIdx.x < tiles) fetch(blockIdx.x, 0);
  for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x, buffer ^= 1) {
    Bfloat16* const own = x + buffer * Tile::x_size(p.in);
    wait_for_copies<0>();
    __syncthreads();
    if (tile + gridDim.x < tiles) fetch(tile + gridDim.x, buffer ^ 1);
    float sums[Tile::kRowPieces][Tile::kColumnPieces][4] = {};
#pragma unroll 4
    for (int k = 0; k < depth; k += 16) {
      uint32_t a[Tile::kRowPieces][4], b[4];
#pragma unroll
      for (int r = 0; r < Tile::kRowPieces; ++r)
        load_matrices(a[r], own + (warp_row + r * 16 + lane % 16) * x_stride + k + lane / 16 * 8);
#pragma unroll
      for (int c = 0; c < Tile::kColumnPieces; c += 2) {
        load_matrices_transposed(b, w + (k + lane % 16) * kStride + warp_column + c * 8 + lane / 16 * 8);
#pragma unroll
        for (int r = 0; r < Tile::kRowPieces; ++r) {
          multiply(sums[r][c], a[r], b[0], b[1]);
          multiply(sums[r][c + 1], a[r], b[2], b[3]);
        }
      }
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < Tile::kRowPieces * Tile::kColumnPieces * 2; ++i) {
      const int r = i / 2 / Tile::kColumnPieces, c = i / 2 % Tile::kColumnPieces, half = i % 2;
      const int row = warp_row + r * 16 + half * 8 + lane / 4, n = warp_column + c * 8 + lane % 4 * 2;
      float two[2];
      for (int j = 0; j < 2; ++j) {
        const int column = first_column + n + j;
        two[j] = sums[r][c][half * 2 + j] + (bias && column < p.out ? bias[column] : 0.0f);
        if (!p.below.data) two[j] = activate(p.activation, two[j]);
        const int64_t at = tile * Tile::kRows + row;
        if (p.numbers.data && column < p.out && at < p.rows) p.numbers.at(group, at)[column] = two[j];
      }
      if (p.y.data) store_two(own + row * kStride + n, two[0], two[1]);
    }
    if (!p.y.data) continue;
    __syncthreads();
    for (int i = threadIdx.x; i < Tile::kRows * kColumns / 8; i += kThreads) {
      const int r = i / (kColumns / 8), n = i % (kColumns / 8) * 8;
      const int64_t row = tile * Tile::kRows + r;
      if (row >= p.rows || first_column + n >= p.out) continue;
      Bfloat16* const to = p.y.at(group, row) + first_column + n;
      const Bfloat16* below = p.below.data ? p.below.at(group, row) + first_column + n : nullptr;
      *reinterpret_cast<uint4*>(to) = finish_eight(*reinterpret_cast<const uint4*>(own + r * kStride + n),
                                                   p.add ? to : nullptr, below, p.activation);
    }
  }
}

// Longest `in` for which the weights of a tile and two tiles of rows fit into shared memory.
inline constexpr int kMostIn = 384;
inline constexpr int kMultiprocessors = 132;  // only how work is cut depends on it

template <int kColumns>
void row_product(Device& device, const RowProduct& p) {
  using Tile = RowTile<kColumns>;
  const auto bytes = static_cast<int>(Tile::bytes(p.in));
  THRONG_CUDA(cudaFuncSetAttribute(row_product_kernel<kColumns>, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes));
  const int64_t tiles = (p.rows + Tile::kRows - 1) / Tile::kRows;
  const int column_tiles = (p.out + kColumns - 1) / kColumns, together = column_tiles * p.groups.count;
  const int64_t resident = kMultiprocessors * std::max(1, std::min(3, 220 * 1024 / bytes));
  const auto blocks = static_cast<unsigned>(std::min<int64_t>(tiles, std::max<int64_t>(1, resident / together)));
  row_product_kernel<kColumns><<<dim3(blocks, column_tiles, p.groups.count), Tile::kThreads, bytes,
                                 static_cast<cudaStream_t>(device.stream())>>>(p);
  THRONG_CUDA(cudaGetLastError());
}

inline void row_product(Device& device, const RowProduct& p) {
  if (p.out <= 16) return row_product<16>(device, p);
  row_product<128>(device, p);
}

}  // namespace throng::cuda
