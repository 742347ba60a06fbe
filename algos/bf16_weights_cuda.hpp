// Gradients of kernels and biases on tensor cores, from samples stored in bfloat16: sums over rows in parts, added in order.
#pragma once

#include <algorithm>
#include <cstdint>

#include "algos/bf16_dense_cuda.hpp"

namespace throng::cuda {

// dw[k, n] = sum over rows of x[row, k] dy[row, n], and db[n] = sum over rows of dy[row, n].
struct WeightProduct {
  Groups groups;
  int64_t rows;
  int in, out;
  HalfRows x, dy;
  float* dw;                 // [in, out]
  float* db;                 // [out]
  float* partial = nullptr;  // [group, part, in + 1, out]
  int parts = 1;

  static constexpr int kChunk = 64;        // rows that are multiplied at a time
  static constexpr int kIn = 128;          // of a tile of dw
  static constexpr int kMostBlocks = 264;  // of a group: two for each multiprocessor

  static int columns(int out) { return out <= 16 ? 16 : 128; }
  static int tiles(int in, int out) { return ((in + kIn - 1) / kIn) * ((out + columns(out) - 1) / columns(out)); }
  // Depends on sizes alone, and so does the order of sums.
  static int parts_of(int64_t rows, int in, int out) {
    const int64_t chunks = (rows + kChunk - 1) / kChunk;
    return static_cast<int>(std::min<int64_t>(chunks, std::max(1, kMostBlocks / tiles(in, out))));
  }
  static int64_t partial_size(int in, int out) {
    return int64_t(std::max(1, kMostBlocks / tiles(in, out))) * (in + 1) * out;
  }
};

template <int kColumns>
struct WeightTile {
  static constexpr int kThreads = 256, kStages = 3;
  static constexpr int kAcross = kColumns == 128 ? 2 : 1;  // warps side by side
  static constexpr int kDown = 8 / kAcross;
  static constexpr int kRowPieces = WeightProduct::kIn / kDown / 16, kColumnPieces = kColumns / kAcross / 8;
  static constexpr int kXStride = WeightProduct::kIn + 8, kStride = kColumns + 8;
  static constexpr int kStage = WeightProduct::kChunk * (kXStride + kStride);
  static constexpr int kBytes = kStages * kStage * 2;
};

// Block (x, y, z): part x of the rows, tile y of dw, group z. Chunks of rows come through kStages buffers.
template <int kColumns>
__global__ void __launch_bounds__(256, 2) weight_product_kernel(WeightProduct p) {
  using Tile = WeightTile<kColumns>;
  constexpr int kThreads = Tile::kThreads, kChunk = WeightProduct::kChunk, kIn = WeightProduct::kIn;
  constexpr int kPairs = kColumns / 2, kSharers = kThreads / kPairs;  // threads that sum up the same two columns of dy
  extern __shared__ uint4 shared[];
  auto* const stages = reinterpret_cast<Bfloat16*>(shared);
  const int column_tiles = (p.out + kColumns - 1) / kColumns, group = blockIdx.z;
  const int first_in = static_cast<int>(blockIdx.y) / column_tiles * kIn;
  const int first_column = static_cast<int>(blockIdx.y) % column_tiles * kColumns;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int warp_in = warp / Tile::kAcross * Tile::kRowPieces * 16;
  const int warp_column = warp % Tile::kAcross * Tile::kColumnPieces * 8;
  const int pair = threadIdx.x % kPairs, share = threadIdx.x / kPairs;
  const int64_t chunks = (p.rows + kChunk - 1) / kChunk;
  const int64_t begin = chunks * blockIdx.x / p.parts, end = chunks * (blockIdx.x + 1) / p.parts;

  auto fetch_half = [&](int64_t chunk, HalfRows from, int first, int width, int size, Bfloat16* to, int stride) {
    const int eights = size / 8;
    for (int i = threadIdx.x; i < kChunk * eights; i += kThreads) {
      const int r = i / eights, k = i % eights * 8;
      const int64_t row = chunk * kChunk + r;
      const bool there = row < p.rows && first + k < width;
      copy_async(to + r * stride + k, from.at(group, there ? row : 0) + (there ? first + k : 0), there);
    }
  };
  auto fetch = [&](int64_t chunk) {
    if (chunk < end) {
      Bfloat16* const to = stages + chunk % Tile::kStages * Tile::kStage;
      fetch_half(chunk, p.x, first_in, p.in, kIn, to, Tile::kXStride);
      fetch_half(chunk, p.dy, first_column, p.out, kColumns, to + kChunk * Tile::kXStride, Tile::kStride);
    }
    end_of_copies();
  };

  float sums[Tile::kRowPieces][Tile::kColumnPieces][4] = {};
  float2 bias = {0, 0};
  for (int i = 0; i < Tile::kStages - 1; ++i) fetch(begin + i);
  for (int64_t chunk = begin; chunk < end; ++chunk) {
    wait_for_copies<Tile::kStages - 2>();
    __syncthreads();
    fetch(chunk + Tile::kStages - 1);
    const Bfloat16* const x = stages + chunk % Tile::kStages * Tile::kStage;
    const Bfloat16* const dy = x + kChunk * Tile::kXStride;
#pragma unroll
    for (int row = 0; row < kChunk; row += 16) {
      uint32_t a[Tile::kRowPieces][4], b[4];
#pragma unroll
      for (int r = 0; r < Tile::kRowPieces; ++r) {
        load_matrices_transposed(
            a[r], x + (row + lane % 8 + lane / 16 * 8) * Tile::kXStride + warp_in + r * 16 + lane / 8 % 2 * 8);
      }
#pragma unroll
      for (int c = 0; c < Tile::kColumnPieces; c += 2) {
        load_matrices_transposed(b, dy + (row + lane % 16) * Tile::kStride + warp_column + c * 8 + lane / 16 * 8);
#pragma unroll
        for (int r = 0; r < Tile::kRowPieces; ++r) {
          multiply(sums[r][c], a[r], b[0], b[1]);
          multiply(sums[r][c + 1], a[r], b[2], b[3]);
        }
      }
    }
    for (int row = share; row < kChunk && first_in == 0; row += kSharers) {
      const float2 two = load_two(dy + row * Tile::kStride + 2 * pair);
      bias = {bias.x + two.x, bias.y + two.y};
    }
  }
  wait_for_copies<0>();
  __syncthreads();

  float* const partial = p.partial + (int64_t(group) * p.parts + blockIdx.x) * (p.in + 1) * p.out;
#pragma unroll
  for (int i = 0; i < Tile::kRowPieces * Tile::kColumnPieces * 4; ++i) {
    const int r = i / 4 / Tile::kColumnPieces, c = i / 4 % Tile::kColumnPieces, j = i % 4;
    const int k = first_in + warp_in + r * 16 + j / 2 * 8 + lane / 4;
    const int column = first_column + warp_column + c * 8 + lane % 4 * 2 + j % 2;
    if (k < p.in && column < p.out) partial[int64_t(k) * p.out + column] = sums[r][c][j];
  }
  if (first_in != 0) return;
  auto* const of_shares = reinterpret_cast<float2*>(shared);  // [share, pair]
  of_shares[threadIdx.x] = bias;
  __syncthreads();
  if (share != 0) return;
  for (int s = 1; s < kSharers; ++s) {
    const float2 more = of_shares[s * kPairs + pair];
    bias = {bias.x + more.x, bias.y + more.y};
  }
  float* const of_bias = partial + int64_t(p.in) * p.out + first_column;
  if (first_column + 2 * pair < p.out) of_bias[2 * pair] = bias.x;
  if (first_column + 2 * pair + 1 < p.out) of_bias[2 * pair + 1] = bias.y;
}

// Block (x, y): 32 numbers of group y; a warp adds up every eighth part, and then the first one adds up the warps.
static __global__ void __launch_bounds__(256) add_parts_kernel(WeightProduct p) {
  __shared__ float of_warp[8][32];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int64_t kernel = int64_t(p.in) * p.out, size = kernel + p.out, k = int64_t(blockIdx.x) * 32 + lane;
  const float* partial = p.partial + int64_t(blockIdx.y) * p.parts * size + k;
  float sum = 0;
  if (k < size) {
#pragma unroll 8
    for (int part = warp; part < p.parts; part += 8) sum += partial[part * size];
  }
  of_warp[warp][lane] = sum;
  __syncthreads();
  if (warp != 0 || k >= size) return;
  for (int w = 1; w < 8; ++w) sum += of_warp[w][lane];
  (k < kernel ? p.dw + k : p.db + (k - kernel))[blockIdx.y * p.groups.apart] = sum;
}

template <int kColumns>
void weight_product(Device& device, const WeightProduct& p) {
  using Tile = WeightTile<kColumns>;
  const auto stream = static_cast<cudaStream_t>(device.stream());
  THRONG_CUDA(
      cudaFuncSetAttribute(weight_product_kernel<kColumns>, cudaFuncAttributeMaxDynamicSharedMemorySize, Tile::kBytes));
  weight_product_kernel<kColumns>
      <<<dim3(p.parts, WeightProduct::tiles(p.in, p.out), p.groups.count), Tile::kThreads, Tile::kBytes, stream>>>(p);
  THRONG_CUDA(cudaGetLastError());
  const auto size = static_cast<unsigned>((p.in + 1) * p.out);
  add_parts_kernel<<<dim3((size + 31) / 32, p.groups.count), 256, 0, stream>>>(p);
  THRONG_CUDA(cudaGetLastError());
}

// With `partial` of WeightProduct::partial_size numbers for each group.
inline void weight_product(Device& device, WeightProduct p) {
  p.parts = WeightProduct::parts_of(p.rows, p.in, p.out);
  p.out <= 16 ? weight_product<16>(device, p) : weight_product<128>(device, p);
}

}  // namespace throng::cuda
