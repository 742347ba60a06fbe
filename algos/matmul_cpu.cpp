// Matrix products on the CPU: one single-threaded CBLAS call per block of rows, the blocks spread over oneTBB's threads.
#include <tbb/parallel_for.h>

#include <algorithm>
#include <vector>

#include "algos/matmul.hpp"

#ifdef THRONG_CBLAS
extern "C" {
// The two symbols we use, declared here because the header lies in a different place on every system.
void cblas_sgemm(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float* a, int lda,
                 const float* b, int ldb, float beta, float* c, int ldc);
__attribute__((weak)) void openblas_set_num_threads(int threads);  // absent from other CBLAS libraries
}
#endif

namespace throng {

namespace {

enum Transpose : int { kNo = 111, kYes = 112 };

// C[m, n] = A B, or, if `add`, C += A B.
#ifdef THRONG_CBLAS

void gemm(Transpose ta, Transpose tb, int64_t m, int64_t n, int64_t k, Rows a, Rows b, OutRows c, bool add) {
  constexpr int kRowMajor = 101;
  cblas_sgemm(kRowMajor, ta, tb, static_cast<int>(m), static_cast<int>(n), static_cast<int>(k), 1.0f, a.data,
              static_cast<int>(a.stride), b.data, static_cast<int>(b.stride), add ? 1.0f : 0.0f, c.data,
              static_cast<int>(c.stride));
}

#else

void gemm(Transpose ta, Transpose tb, int64_t m, int64_t n, int64_t k, Rows a, Rows b, OutRows c, bool add) {
  for (int64_t i = 0; i < m; ++i) {
    float* row = c.data + i * c.stride;
    if (!add) std::fill(row, row + n, 0.0f);
    for (int64_t p = 0; p < k; ++p) {
      const float x = ta == kNo ? a.data[i * a.stride + p] : a.data[p * a.stride + i];
      for (int64_t j = 0; j < n; ++j) row[j] += x * (tb == kNo ? b.data[p * b.stride + j] : b.data[j * b.stride + p]);
    }
  }
}

#endif

class CpuMatmul final : public Matmul {
 public:
  CpuMatmul() {
#ifdef THRONG_CBLAS
    // Threads inside the library and outside would fight; ours are outside. This holds for the whole process.
    if (openblas_set_num_threads) openblas_set_num_threads(1);
#endif
  }

  std::string name() const override {
#ifdef THRONG_CBLAS
    return openblas_set_num_threads ? "OpenBLAS" : "CBLAS";
#else
    return "plain loops";
#endif
  }

  Precision precision() const override { return kFp32; }
  size_t workspace() const override { return 0; }

  // Every call has exactly kRowBlock rows: a library picks its kernel by shape, and another kernel could round differently.
  void forward(Groups groups, int64_t rows, int in, int out, Rows x, const float* w, const float* bias,
               Activation activation, OutRows y) override {
    for_blocks(groups, rows, kRowBlock, [=](int group, int64_t first) {
      const OutRows block = y.of(group).from(first);
      gemm(kNo, kNo, kRowBlock, out, in, x.of(group).from(first), {w + group * groups.apart, out}, block, false);
      if (bias == nullptr && activation == kIdentity) return;
      const float* own = bias ? bias + group * groups.apart : nullptr;
      for (int64_t r = 0; r < kRowBlock; ++r) finish(block.data + r * block.stride, out, own, activation);
    });
  }

  void backward_input(Groups groups, int64_t rows, int in, int out, Rows dy, const float* w, OutRows dx,
                      bool add) override {
    constexpr int64_t kRows = 4 * kRowBlock;  // every call packs the weights anew
    for_blocks(groups, rows, kRows, [=](int group, int64_t first) {
      gemm(kNo, kYes, std::min(kRows, rows - first), in, out, dy.of(group).from(first), {w + group * groups.apart, out},
           dx.of(group).from(first), add);
    });
  }

  // The sum over rows is cut into at most kParts pieces that depend on the number of rows alone, then added in order.
  void backward_weight(Groups groups, int64_t rows, int in, int out, Rows x, Rows dy, float* dw) override {
    constexpr int64_t kParts = 16, kLeast = 512;
    const int64_t part = std::max(kLeast, (rows + kParts - 1) / kParts);
    const int64_t parts = (rows + part - 1) / part, size = int64_t(in) * out;
    partial_.resize(std::max<size_t>(partial_.size(), size_t(groups.count * parts * size)));
    float* partial = partial_.data();
    auto sum_of = [=](int64_t group) {
      return parts == 1 ? dw + group * groups.apart : partial + group * parts * size;
    };
    auto run = [=](int64_t i) {
      const auto group = static_cast<int>(i / parts);
      const int64_t p = i % parts, first = p * part, count = std::min(part, rows - first);
      gemm(kYes, kNo, in, out, count, x.of(group).from(first), dy.of(group).from(first),
           {sum_of(group) + p * size, out}, false);
    };
    if (groups.count * parts == 1) return run(0);
    tbb::parallel_for(int64_t(0), groups.count * parts, run);
    for (int group = 0; group < groups.count && parts > 1; ++group) {
      const float* of_part = sum_of(group);
      float* to = std::copy(of_part, of_part + size, dw + group * groups.apart) - size;
      for (int64_t p = 1; p < parts; ++p) {
        for (int64_t i = 0; i < size; ++i) to[i] += of_part[p * size + i];
      }
    }
  }

 private:
  static void finish(float* y, int out, const float* bias, Activation activation) {
    if (bias) {
      for (int c = 0; c < out; ++c) y[c] += bias[c];
    }
    if (activation == kRelu) {
      for (int c = 0; c < out; ++c) y[c] = activate(kRelu, y[c]);
    } else if (activation == kTanh) {
      for (int c = 0; c < out; ++c) y[c] = activate(kTanh, y[c]);
    }
  }

  template <class Body>
  static void for_blocks(Groups groups, int64_t rows, int64_t of_block, Body body) {
    const int64_t blocks = (rows + of_block - 1) / of_block;
    if (groups.count * blocks == 1) return body(0, 0);
    tbb::parallel_for(int64_t(0), groups.count * blocks,
                      [=](int64_t i) { body(static_cast<int>(i / blocks), i % blocks * of_block); });
  }

  std::vector<float> partial_;
};

}  // namespace

std::unique_ptr<Matmul> make_matmul(const std::shared_ptr<Device>&, Precision) { return std::make_unique<CpuMatmul>(); }

}  // namespace throng
