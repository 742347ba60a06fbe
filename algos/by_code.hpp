// By code: how layers add up the rows of a kernel that codes name, and the gradients of those rows.
#pragma once

#include <cstdint>

#include "core/launch.hpp"

namespace throng {

// A code that is too high counts as the highest.
THRONG_HD inline int bounded_code(int code, int num_codes) { return code < num_codes ? code : num_codes - 1; }

// The columns of a row that one worker sums up: a CPU's lie side by side, a GPU's so that neighbouring threads have neighbouring
// ones. `block` of count_blocks(out).
struct Columns {
  int block, blocks, out;

  static constexpr int kMost = Backend::kCuda ? 4 : 16;
  THRONG_HD static int count_blocks(int out) { return (out + kMost - 1) / kMost; }

  // visit(k, column), k below kMost.
  template <class Visit>
  THRONG_HD void each(const Visit& visit) const {
#ifdef __CUDACC__
    THRONG_UNROLL
    for (int k = 0; k < kMost; ++k) {
      if (block + k * blocks < out) visit(k, block + k * blocks);
    }
#else
    const int first = block * kMost, count = out - first < kMost ? out - first : kMost;
    for (int k = 0; k < count; ++k) visit(k, first + k);
#endif
  }
};

// What one worker owns of sums of rows by their code: some columns side by side, [code, out].
struct SumsByCode {
  static constexpr int kWidth = Backend::kCuda ? 1 : 16;

  float* sums;  // of the first column
  int num_codes, out, count;

  static int count_blocks(int out) { return (out + kWidth - 1) / kWidth; }
  THRONG_HD static SumsByCode of(float* all, int num_codes, int out, int block) {
    const int first = block * kWidth, left = out - first;
    SumsByCode own{all + first, num_codes, out, left < kWidth ? left : kWidth};
    for (int code = 0; code < num_codes; ++code) {
      for (int k = 0; k < own.count; ++k) own.sums[code * out + k] = 0;
    }
    return own;
  }

  // Adds row(i) to the sum that code(i) names, unless that is negative, for i below n in their order. A thread of a GPU waits for
  // what it reads, so it reads some codes and numbers before it adds any.
  template <class Code, class Row>
  THRONG_HD void add(int n, const Code& code, const Row& row) const {
#ifdef __CUDACC__
    constexpr int kAhead = 8;
    for (int first = 0; first < n; first += kAhead) {
      int codes[kAhead];
      float numbers[kAhead];
      THRONG_UNROLL
      for (int i = 0; i < kAhead; ++i) {
        codes[i] = first + i < n ? code(first + i) : -1;
        numbers[i] = codes[i] < 0 ? 0.0f : *row(first + i);
      }
      THRONG_UNROLL
      for (int i = 0; i < kAhead; ++i) {
        if (codes[i] >= 0) sums[bounded_code(codes[i], num_codes) * out] += numbers[i];
      }
    }
#else
    for (int i = 0; i < n; ++i) {
      const int named = code(i);
      if (named < 0) continue;
      const float* from = row(i);
      float* sum = sums + bounded_code(named, num_codes) * out;
      for (int k = 0; k < count; ++k) sum[k] += from[k];
    }
#endif
  }
};

}  // namespace throng
