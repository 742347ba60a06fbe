// Element-wise work on rows and columns, and sums over rows, for CPU and CUDA alike.
#pragma once

#include <algorithm>
#include <cstdint>

#include "algos/groups.hpp"
#include "core/launch.hpp"

#ifdef __CUDACC__
#include "algos/grid_cuda.hpp"
#endif

// Of lambdas that kernels run. nvcc gives a __host__ __device__ lambda a copy function, kept in a variable that every unit has for
// itself and sets where it makes the lambda. Of inline functions like those below the linker keeps one unit's, which copy by that
// unit's variable: null, if the unit has never made such a lambda. A __device__ lambda is nothing but its captures.
#ifdef __CUDACC__
#define THRONG_BODY __device__
#else
#define THRONG_BODY
#endif

namespace throng {

// body(group, row, column) for every element, columns innermost: neighbouring threads, or a loop that the compiler can vectorise.
template <class Body>
void each_element([[maybe_unused]] Device& device, int groups, int64_t rows, int columns, Body body) {
#ifdef __CUDACC__
  const int64_t all = groups * rows;
  const bool few = all * columns <= int64_t(~uint32_t(0));  // then a division is much cheaper
  Backend::each(device, all * columns, [=] THRONG_BODY(int64_t i) {
    const int64_t row = few ? static_cast<uint32_t>(i) / static_cast<uint32_t>(columns) : i / columns;
    const int group = groups == 1 ? 0 : static_cast<int>(row / rows);
    body(group, row - group * rows, static_cast<int>(i - row * columns));
  });
#else
  constexpr int64_t kElements = 1 << 14;  // of a task
  const int64_t block = std::max<int64_t>(1, kElements / std::max(columns, 1)), blocks = (rows + block - 1) / block;
  auto run = [=](int64_t task) {
    const auto group = static_cast<int>(task / blocks);
    const int64_t first = task % blocks * block, end = std::min(rows, first + block);
    for (int64_t row = first; row < end; ++row) {
      for (int column = 0; column < columns; ++column) body(group, row, column);
    }
  };
  if (groups * blocks == 1) return run(0);
  tbb::parallel_for(int64_t(0), groups * blocks, run);
#endif
}

// to[group, k] = the sum over `parts` of partial[group, part, k], k below `size`, in their order; what workers summed up apart.
inline void add_parts(Device& device, Groups groups, int64_t parts, int64_t size, const float* partial, float* to) {
  const int64_t apart = groups.apart;
  Backend::each(device, groups.count * size, [=] THRONG_BODY(int64_t i) {
    const int64_t g = i / size, k = i - g * size;
    float sum = 0;
    for (int64_t part = 0; part < parts; ++part) sum += partial[(g * parts + part) * size + k];
    to[g * apart + k] = sum;
  });
}

// Working memory of sums: they run in double precision, in an order that depends on the number of rows alone, and on a GPU in
// one launch each. Sums that share a Reducer run one after the other.
struct Reducer {
  static constexpr int kParts = 512;  // that a sum over rows is cut into, at most
  // The same for sums of whole columns. A GPU needs many: a thread waits for each of its rows before it can fetch the next.
  static constexpr int kColumnParts = Backend::kCuda ? 512 : 64;

  double* partial = nullptr;    // [group, part, terms], or [group, part, column]
  unsigned* tickets = nullptr;  // CUDA: parts of a sum that are done; zero between sums
  int max_columns = 0;

  void want(Arena& arena, int groups, int columns) {
    constexpr int kMostTerms = 8;
    max_columns = columns;
    arena.want(partial, groups * std::max<int64_t>(kParts * kMostTerms, int64_t(kColumnParts) * columns));
    arena.want(tickets, size_t(groups) * (columns / 32 + 2));
  }
};

#ifndef __CUDACC__

// run(group, part) for every part of every group.
template <class Run>
void each_part(int groups, int64_t parts, Run run) {
  if (groups * parts == 1) return run(0, 0);
  tbb::parallel_for(int64_t(0), groups * parts, [=](int64_t i) { run(i / parts, i % parts); });
}

#endif

// For every group, out[group * apart + k] = the sum over its rows of what body(group, row, terms) adds to terms[k].
template <int kTerms, class Body>
void sum_rows(Device& device, const Reducer& reducer, int groups, int64_t rows, double* out, int64_t apart, Body body) {
  static_assert(kTerms <= 8);
#ifdef __CUDACC__
  cuda::sum_rows<kTerms>(device, reducer.partial, reducer.tickets, Reducer::kParts, groups, rows, out, apart, body);
#else
  (void)device;
  const int64_t parts = std::min<int64_t>(Reducer::kParts, (rows + 255) / 256);
  double* partial = reducer.partial;
  each_part(groups, parts, [=](int64_t group, int64_t part) {
    double terms[kTerms] = {};
    for (int64_t row = rows * part / parts; row < rows * (part + 1) / parts; ++row)
      body(static_cast<int>(group), row, terms);
    for (int k = 0; k < kTerms; ++k) partial[(group * parts + part) * kTerms + k] = terms[k];
  });
  for (int group = 0; group < groups; ++group) {
    for (int k = 0; k < kTerms; ++k) {
      double sum = 0;
      for (int64_t part = 0; part < parts; ++part) sum += partial[(group * parts + part) * kTerms + k];
      out[group * apart + k] = sum;
    }
  }
#endif
}

// For every group, out[group * groups.apart + c] = the sum over its rows of body(group, row, c), which is called once for each element
// and may also write to it.
template <class Body>
void sum_columns(Device& device, const Reducer& reducer, Groups groups, int64_t rows, int columns, float* out,
                 Body body) {
  if (columns > reducer.max_columns) throw Error("sum_columns: more columns than the reducer has room for");
#ifdef __CUDACC__
  cuda::sum_columns(device, reducer.partial, reducer.tickets, Reducer::kColumnParts, groups, rows, columns, out, body);
#else
  (void)device;
  const int64_t parts = std::min<int64_t>(Reducer::kColumnParts, (rows + 255) / 256);
  double* partial = reducer.partial;
  each_part(groups.count, parts, [=](int64_t group, int64_t part) {
    double* sums = partial + (group * parts + part) * columns;
    std::fill(sums, sums + columns, 0.0);
    for (int64_t row = rows * part / parts; row < rows * (part + 1) / parts; ++row) {
      for (int column = 0; column < columns; ++column) sums[column] += body(static_cast<int>(group), row, column);
    }
  });
  for (int group = 0; group < groups.count; ++group) {
    for (int column = 0; column < columns; ++column) {
      double sum = 0;
      for (int64_t part = 0; part < parts; ++part) sum += partial[(group * parts + part) * columns + column];
      out[group * groups.apart + column] = static_cast<float>(sum);
    }
  }
#endif
}

}  // namespace throng
