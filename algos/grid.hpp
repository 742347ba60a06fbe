// Element-wise work on rows and columns, and sums over rows, for CPU and CUDA alike.
#pragma once

#include <algorithm>
#include <cstdint>

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

// body(row, column) for every element, columns innermost: neighbouring threads, or a loop that the compiler can vectorise.
template <class Body>
void each_element([[maybe_unused]] Device& device, int64_t rows, int columns, Body body) {
#ifdef __CUDACC__
  const bool few = rows * columns <= int64_t(~uint32_t(0));  // then a division is much cheaper
  Backend::each(device, rows * columns, [=] THRONG_BODY(int64_t i) {
    const int64_t row = few ? static_cast<uint32_t>(i) / static_cast<uint32_t>(columns) : i / columns;
    body(row, static_cast<int>(i - row * columns));
  });
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

// Working memory of sums: they run in double precision, in an order that depends on the number of rows alone, and on a GPU in
// one launch each. Sums that share a Reducer run one after the other.
struct Reducer {
  static constexpr int kParts = 512;  // that a sum over rows is cut into, at most
  // The same for sums of whole columns. A GPU needs many: a thread waits for each of its rows before it can fetch the next.
  static constexpr int kColumnParts = Backend::kCuda ? 512 : 64;

  double* partial = nullptr;    // [part, terms], or [part, column]
  unsigned* tickets = nullptr;  // CUDA: parts of a sum that are done; zero between sums
  int max_columns = 0;

  void want(Arena& arena, int columns) {
    constexpr int kMostTerms = 8;
    max_columns = columns;
    arena.want(partial, std::max<int64_t>(kParts * kMostTerms, int64_t(kColumnParts) * columns));
    arena.want(tickets, columns / 32 + 2);
  }
};

// out[k] = the sum over all rows of what body(row, terms) adds to terms[k].
template <int kTerms, class Body>
void sum_rows(Device& device, const Reducer& reducer, int64_t rows, double* out, Body body) {
  static_assert(kTerms <= 8);
#ifdef __CUDACC__
  cuda::sum_rows<kTerms>(device, reducer.partial, reducer.tickets, Reducer::kParts, rows, out, body);
#else
  (void)device;
  const int64_t parts = std::min<int64_t>(Reducer::kParts, (rows + 255) / 256);
  double* partial = reducer.partial;
  auto run = [=](int64_t part) {
    double terms[kTerms] = {};
    for (int64_t row = rows * part / parts; row < rows * (part + 1) / parts; ++row) body(row, terms);
    for (int k = 0; k < kTerms; ++k) partial[part * kTerms + k] = terms[k];
  };
  if (parts == 1)
    run(0);
  else
    tbb::parallel_for(int64_t(0), parts, run);
  for (int k = 0; k < kTerms; ++k) {
    out[k] = 0;
    for (int64_t part = 0; part < parts; ++part) out[k] += partial[part * kTerms + k];
  }
#endif
}

// out[c] = the sum over all rows of body(row, c), which is called once for each element and may also write to it.
template <class Body>
void sum_columns(Device& device, const Reducer& reducer, int64_t rows, int columns, float* out, Body body) {
  if (columns > reducer.max_columns) throw Error("sum_columns: more columns than the reducer has room for");
#ifdef __CUDACC__
  cuda::sum_columns(device, reducer.partial, reducer.tickets, Reducer::kColumnParts, rows, columns, out, body);
#else
  (void)device;
  const int64_t parts = std::min<int64_t>(Reducer::kColumnParts, (rows + 255) / 256);
  double* partial = reducer.partial;
  auto run = [=](int64_t part) {
    double* sums = partial + part * columns;
    std::fill(sums, sums + columns, 0.0);
    for (int64_t row = rows * part / parts; row < rows * (part + 1) / parts; ++row) {
      for (int column = 0; column < columns; ++column) sums[column] += body(row, column);
    }
  };
  if (parts == 1)
    run(0);
  else
    tbb::parallel_for(int64_t(0), parts, run);
  for (int column = 0; column < columns; ++column) {
    double sum = 0;
    for (int64_t part = 0; part < parts; ++part) sum += partial[part * columns + column];
    out[column] = static_cast<float>(sum);
  }
#endif
}

}  // namespace throng
