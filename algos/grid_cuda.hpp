// Sums over rows on the GPU: every block sums a part, and the one that finishes last adds the parts up in their order.
#pragma once

#include <algorithm>
#include <cstdint>

#include "algos/groups.hpp"
#include "core/launch.hpp"

namespace throng::cuda {

inline constexpr int kSumThreads = 256, kSumWarps = kSumThreads / 32;

// True in all threads of the block that is the last of `blocks` to come here; what the others wrote before is visible to it.
__device__ inline bool last_to_arrive(unsigned* ticket, unsigned blocks) {
  __shared__ bool last;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) {
    last = atomicAdd(ticket, 1u) == blocks - 1;
    if (last) *ticket = 0;  // for the next sum
  }
  __syncthreads();
  if (last) __threadfence();
  return last;
}

// The sum over all threads of the block, in thread 0. A fixed tree, so the same bits every time.
template <int kTerms>
__device__ void sum_block(double (&terms)[kTerms]) {
  __shared__ double of_warp[kSumWarps][kTerms];
  __syncthreads();
  for (int k = 0; k < kTerms; ++k) {
    for (int distance = 16; distance > 0; distance /= 2) terms[k] += __shfl_down_sync(~0u, terms[k], distance);
    if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32][k] = terms[k];
  }
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int k = 0; k < kTerms; ++k) {
    for (int warp = 1; warp < kSumWarps; ++warp) terms[k] += of_warp[warp][k];
  }
}

// Block (x, y): part x of group y.
template <int kTerms, class Body>
__global__ void __launch_bounds__(kSumThreads)
    sum_rows_kernel(int64_t rows, double* partial, unsigned* tickets, double* out, int64_t apart, Body body) {
  const int group = blockIdx.y;
  partial += int64_t(group) * gridDim.x * kTerms;
  double terms[kTerms] = {};
  const int64_t stride = int64_t(gridDim.x) * kSumThreads;
  for (int64_t row = int64_t(blockIdx.x) * kSumThreads + threadIdx.x; row < rows; row += stride)
    body(group, row, terms);
  sum_block(terms);
  if (threadIdx.x == 0) {
    for (int k = 0; k < kTerms; ++k) partial[blockIdx.x * kTerms + k] = terms[k];
  }
  if (!last_to_arrive(tickets + group, gridDim.x)) return;
  for (int k = 0; k < kTerms; ++k) terms[k] = 0;
  for (unsigned part = threadIdx.x; part < gridDim.x; part += kSumThreads) {
    for (int k = 0; k < kTerms; ++k) terms[k] += __ldcg(partial + part * kTerms + k);
  }
  sum_block(terms);
  if (threadIdx.x == 0) {
    for (int k = 0; k < kTerms; ++k) out[group * apart + k] = terms[k];
  }
}

template <int kTerms, class Body>
void sum_rows(Device& device, double* partial, unsigned* tickets, int most_parts, int groups, int64_t rows, double* out,
              int64_t apart, Body body) {
  const auto parts = static_cast<unsigned>(
      std::max<int64_t>(1, std::min<int64_t>(most_parts, (rows + kSumThreads - 1) / kSumThreads)));
  sum_rows_kernel<kTerms><<<dim3(parts, groups), kSumThreads, 0, static_cast<cudaStream_t>(device.stream())>>>(
      rows, partial, tickets, out, apart, body);
  THRONG_CUDA(cudaGetLastError());
}

// Block (x, y, z): 32 columns, 8 rows at a time of part y of group z.
template <class Body>
__global__ void __launch_bounds__(kSumThreads)
    sum_columns_kernel(int64_t rows, int columns, double* partial, unsigned* tickets, float* out, int64_t apart,
                       Body body) {
  __shared__ double of_row[kSumWarps][32];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, column = blockIdx.x * 32 + lane, group = blockIdx.z;
  partial += int64_t(group) * gridDim.y * columns;
  auto add_up = [&](double sum) {  // over the warps, in warp 0
    __syncthreads();
    of_row[warp][lane] = sum;
    __syncthreads();
    if (warp == 0) {
      for (int w = 1; w < kSumWarps; ++w) sum += of_row[w][lane];
    }
    return sum;
  };
  double sum = 0;
  if (column < columns) {
    const int64_t stride = int64_t(gridDim.y) * kSumWarps;
    for (int64_t row = int64_t(blockIdx.y) * kSumWarps + warp; row < rows; row += stride)
      sum += body(group, row, column);
  }
  sum = add_up(sum);
  if (warp == 0 && column < columns) partial[int64_t(blockIdx.y) * columns + column] = sum;
  if (!last_to_arrive(tickets + group * gridDim.x + blockIdx.x, gridDim.y)) return;
  sum = 0;
  if (column < columns) {
    for (unsigned part = warp; part < gridDim.y; part += kSumWarps)
      sum += __ldcg(partial + int64_t(part) * columns + column);
  }
  sum = add_up(sum);
  if (warp == 0 && column < columns) out[group * apart + column] = static_cast<float>(sum);
}

template <class Body>
void sum_columns(Device& device, double* partial, unsigned* tickets, int most_parts, Groups groups, int64_t rows,
                 int columns, float* out, Body body) {
  const dim3 grid((columns + 31) / 32,
                  static_cast<unsigned>(std::max<int64_t>(1, std::min<int64_t>(most_parts, (rows + 63) / 64))),
                  groups.count);
  sum_columns_kernel<<<grid, kSumThreads, 0, static_cast<cudaStream_t>(device.stream())>>>(
      rows, columns, partial, tickets, out, groups.apart, body);
  THRONG_CUDA(cudaGetLastError());
}

}  // namespace throng::cuda
