// Element-wise work on rows and columns, and sums over rows, for CPU and CUDA alike.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/launch.hpp"

namespace throng {

// body(row, column) for every element, columns innermost: neighbouring threads, or a loop that the compiler can vectorise.
template <class Body>
void each_element([[maybe_unused]] Device& device, int64_t rows, int columns, Body body) {
#ifdef __CUDACC__
  Backend::each(device, rows * columns, [=] THRONG_HD(int64_t i) { body(i / columns, static_cast<int>(i % columns)); });
#else
  constexpr int64_t kElements = 1 << 14;  // of a task
  const int64_t block = std::max<int64_t>(1, kElements / std::max(columns, 1)), blocks = (rows + block - 1) / block;
  auto run = [=](int64_t b) {
    const int64_t end = std::min(rows, (b + 1) * block);
    for (int64_t row = b * block; row < end; ++row) {
      for (int column = 0; column < columns; ++column) body(row, column);
    }
  };
  if (blocks == 1) return run(0);
  tbb::parallel_for(int64_t(0), blocks, run);
#endif
}

// How many partial sums `sum_rows` needs room for, per column.
inline constexpr int kSumParts = 512;

// out[c] = the sum over all rows of load(row, c), in double precision and in an order that depends on the number of rows
// alone. `partial` has room for kSumParts * columns.
template <class Load>
void sum_rows(Device& device, int64_t rows, int columns, double* partial, double* out, Load load) {
  const int parts = static_cast<int>(std::min<int64_t>(kSumParts, (rows + 63) / 64));
  Backend::each(device, int64_t(parts) * columns, [=] THRONG_HD(int64_t i) {
    const int column = static_cast<int>(i % columns);
    double sum = 0;
    for (int64_t row = i / columns; row < rows; row += parts) sum += load(row, column);
    partial[i] = sum;
  });
  Backend::each(device, columns, [=] THRONG_HD(int64_t column) {
    double sum = 0;
    for (int part = 0; part < parts; ++part) sum += partial[int64_t(part) * columns + column];
    out[column] = sum;
  });
}

}  // namespace throng
