// The recurrent part of a GRU in one launch for all steps: a block owns a few sequences and keeps the weights in registers.
#pragma once

#include <cstdint>

#include "algos/matmul.hpp"
#include "core/launch.hpp"

namespace throng::cuda {

// What both kernels work on; see Gru for the layouts. Block (x, y) works in group y.
struct GruSequences {
  Groups groups;
  int steps;
  int64_t sequences;
  const float* recurrent;  // [size, 3, size]
  const uint8_t* resets;   // [steps, sequences]
  OutRows rows;            // [steps, sequences, 4, size]
  float* gates = nullptr;  // those of the group

  __device__ void enter(int group) {
    recurrent += group * groups.apart;
    resets += group * steps * sequences;
    gates = rows.at(group, 0);
  }
};

__device__ inline float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

template <int kCount>
__device__ float dot(const float* x, const float (&w)[kCount]) {
  float sum = 0;
#pragma unroll
  for (int k = 0; k < kCount; k += 4) {
    const float4 four = *reinterpret_cast<const float4*>(x + k);
    sum = __fmaf_rn(four.x, w[k], sum);
    sum = __fmaf_rn(four.y, w[k + 1], sum);
    sum = __fmaf_rn(four.z, w[k + 2], sum);
    sum = __fmaf_rn(four.w, w[k + 3], sum);
  }
  return sum;
}

// Thread j holds column j of the recurrent weights and multiplies it with the states of all kSequences sequences; then each
// thread finishes some of the block's (sequence, unit) pairs, whose inputs it has asked for before the product. The order of a
// sum does not depend on kSequences, so acting and learning get the same bits.
template <int kSize, int kSequences>
__global__ void __launch_bounds__(3 * kSize, 1)
    gru_forward_kernel(GruSequences g, const float* bias, Rows from, OutRows to) {
  constexpr int kThreads = 3 * kSize, kPairs = kSequences * kSize, kOwn = (kPairs + kThreads - 1) / kThreads;
  __shared__ __align__(16) float h[kSequences][kSize];
  __shared__ float product[kSequences][kThreads];
  g.enter(blockIdx.y);
  bias += blockIdx.y * g.groups.apart;
  const float* before = from.at(blockIdx.y, 0);
  float* after = to.at(blockIdx.y, 0);
  const int j = threadIdx.x;
  const int64_t first = int64_t(blockIdx.x) * kSequences;
  float w[kSize];
#pragma unroll
  for (int k = 0; k < kSize; ++k) w[k] = g.recurrent[k * kThreads + j];
  for (int i = j; i < kPairs; i += kThreads) {
    const int64_t s = first + i / kSize;
    h[i / kSize][i % kSize] = s < g.sequences && !g.resets[s] ? before[s * kSize + i % kSize] : 0.0f;
  }
  __syncthreads();
  for (int t = 0; t < g.steps; ++t) {
    float x[kOwn][3];
#pragma unroll
    for (int e = 0; e < kOwn; ++e) {
      const int i = j + e * kThreads, k = i % kSize;
      const int64_t s = first + i / kSize;
      if (i >= kPairs || s >= g.sequences) continue;
      const float* gate = g.gates + (t * g.sequences + s) * 4 * kSize + k;
      for (int n = 0; n < 3; ++n) x[e][n] = gate[(n + 1) * kSize];
    }
#pragma unroll
    for (int s = 0; s < kSequences; ++s) product[s][j] = dot<kSize>(h[s], w);
    __syncthreads();
#pragma unroll
    for (int e = 0; e < kOwn; ++e) {
      const int i = j + e * kThreads, k = i % kSize, own = i / kSize;
      const int64_t s = first + own;
      if (i >= kPairs || s >= g.sequences) continue;
      float* gate = g.gates + (t * g.sequences + s) * 4 * kSize + k;
      const float hn = product[own][k] + bias[k];
      const float r = sigmoid(x[e][0] + product[own][kSize + k]), z = sigmoid(x[e][1] + product[own][2 * kSize + k]);
      const float n = tanhf(x[e][2] + r * hn);
      const float next = (1.0f - z) * n + z * h[own][k];
      gate[0] = hn;
      gate[kSize] = r;
      gate[2 * kSize] = z;
      gate[3 * kSize] = n;
      after[(t * g.sequences + s) * kSize + k] = next;
      h[own][k] = t + 1 < g.steps && g.resets[(t + 1) * g.sequences + s] ? 0.0f : next;
    }
    __syncthreads();
  }
}

// Backwards in time: each thread takes its (sequence, unit) pairs through the gates; then thread (third, unit) multiplies a third
// of that unit's row of the weights with the gradients before the gates, which gives the gradient of the state before.
template <int kSize, int kSequences>
__global__ void __launch_bounds__(3 * kSize, 1) gru_backward_kernel(GruSequences g, Rows d_after, OutRows before_each) {
  constexpr int kThreads = 3 * kSize, kPairs = kSequences * kSize, kOwn = (kPairs + kThreads - 1) / kThreads;
  __shared__ __align__(16) float d_gates[kSequences][kThreads];
  __shared__ float through[3][kSequences][kSize];
  g.enter(blockIdx.y);
  const float* d_out = d_after.at(blockIdx.y, 0);
  float* states = before_each.at(blockIdx.y, 0);
  const int j = threadIdx.x, third = j / kSize, unit = j % kSize;
  const int64_t first = int64_t(blockIdx.x) * kSequences;
  float w[kSize], straight[kOwn], loaded[kOwn][6];
#pragma unroll
  for (int k = 0; k < kSize; ++k) w[k] = g.recurrent[unit * kThreads + third * kSize + k];
  auto load = [&](int t) {  // the gates, the state before, and the gradient from outside
#pragma unroll
    for (int e = 0; e < kOwn; ++e) {
      const int i = j + e * kThreads, k = i % kSize;
      const int64_t s = first + i / kSize, row = t * g.sequences + s;
      if (i >= kPairs || s >= g.sequences) continue;
      for (int n = 0; n < 4; ++n) loaded[e][n] = g.gates[row * 4 * kSize + n * kSize + k];
      loaded[e][4] = g.resets[row] ? 0.0f : states[row * kSize + k];
      loaded[e][5] = d_out[row * kSize + k];
    }
  };
  load(g.steps - 1);
  for (int t = g.steps - 1; t >= 0; --t) {
#pragma unroll
    for (int e = 0; e < kOwn; ++e) {
      const int i = j + e * kThreads, k = i % kSize, own = i / kSize;
      const int64_t s = first + own, row = t * g.sequences + s;
      if (i >= kPairs || s >= g.sequences) continue;
      float d = loaded[e][5];
      if (t + 1 < g.steps && !g.resets[row + g.sequences])
        d += straight[e] + through[0][own][k] + through[1][own][k] + through[2][own][k];
      const float hn = loaded[e][0], r = loaded[e][1], z = loaded[e][2], n = loaded[e][3], before = loaded[e][4];
      const float d_n = d * (1.0f - z) * (1.0f - n * n), d_z = d * (before - n) * z * (1.0f - z);
      const float d_hn = d_n * r, d_r = d_n * hn * r * (1.0f - r);
      straight[e] = d * z;
      float* gate = g.gates + row * 4 * kSize + k;
      gate[0] = d_gates[own][k] = d_hn;
      gate[kSize] = d_gates[own][kSize + k] = d_r;
      gate[2 * kSize] = d_gates[own][2 * kSize + k] = d_z;
      gate[3 * kSize] = d_n;
      if (g.resets[row]) states[row * kSize + k] = 0;
    }
    if (t == 0) return;
    __syncthreads();
    load(t - 1);
#pragma unroll
    for (int s = 0; s < kSequences; ++s) through[third][s][unit] = dot<kSize>(&d_gates[s][third * kSize], w);
    __syncthreads();
  }
}

// Few sequences of a block keep all multiprocessors busy; many share the weights, which are loaded once a block.
inline int sequences_of_block(const GruSequences& g, int most) {
  constexpr int kMultiprocessors = 132;
  if (g.steps == 1) return most;
  int sequences = 1;
  while (sequences < most && (g.groups.count * g.sequences + sequences - 1) / sequences > kMultiprocessors)
    sequences *= 2;
  return sequences;
}

template <int kSize>
void gru_forward(Device& device, const GruSequences& g, const float* bias, Rows before, OutRows after) {
  const int of_block = sequences_of_block(g, 8);
  const auto blocks = static_cast<unsigned>((g.sequences + of_block - 1) / of_block);
  const auto stream = static_cast<cudaStream_t>(device.stream());
  auto* kernel = of_block == 1   ? gru_forward_kernel<kSize, 1>
                 : of_block == 2 ? gru_forward_kernel<kSize, 2>
                 : of_block == 4 ? gru_forward_kernel<kSize, 4>
                                 : gru_forward_kernel<kSize, 8>;
  kernel<<<dim3(blocks, g.groups.count), 3 * kSize, 0, stream>>>(g, bias, before, after);
  THRONG_CUDA(cudaGetLastError());
}

template <int kSize>
void gru_backward(Device& device, const GruSequences& g, Rows d_out, OutRows states) {
  const int of_block = sequences_of_block(g, 4);
  const auto blocks = static_cast<unsigned>((g.sequences + of_block - 1) / of_block);
  const auto stream = static_cast<cudaStream_t>(device.stream());
  auto* kernel = of_block == 1   ? gru_backward_kernel<kSize, 1>
                 : of_block == 2 ? gru_backward_kernel<kSize, 2>
                                 : gru_backward_kernel<kSize, 4>;
  kernel<<<dim3(blocks, g.groups.count), 3 * kSize, 0, stream>>>(g, d_out, states);
  THRONG_CUDA(cudaGetLastError());
}

}  // namespace throng::cuda
