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

#ifdef THRONG_CBLAS

void gemm(Transpose ta, Transpose tb, int m, int n, int k, const float* a, int lda, const float* b, int ldb, float* c,
          int ldc) {
  constexpr int kRowMajor = 101;
  cblas_sgemm(kRowMajor, ta, tb, m, n, k, 1.0f, a, lda, b, ldb, 0.0f, c, ldc);
}

#else

void gemm(Transpose ta, Transpose tb, int m, int n, int k, const float* a, int lda, const float* b, int ldb, float* c,
          int ldc) {
  for (int i = 0; i < m; ++i) {
    float* row = c + int64_t(i) * ldc;
    std::fill(row, row + n, 0.0f);
    for (int p = 0; p < k; ++p) {
      const float x = ta == kNo ? a[int64_t(i) * lda + p] : a[int64_t(p) * lda + i];
      for (int j = 0; j < n; ++j) row[j] += x * (tb == kNo ? b[int64_t(p) * ldb + j] : b[int64_t(j) * ldb + p]);
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

  // Every call has exactly kRowBlock rows: a library picks its kernel by shape, and another kernel could round differently.
  void forward(int64_t rows, int in, int out, const float* x, const float* w, float* y) override {
    for_blocks(rows, [=](int64_t first) {
      gemm(kNo, kNo, kRowBlock, out, in, x + first * in, in, w, out, y + first * out, out);
    });
  }

  void backward_input(int64_t rows, int in, int out, const float* dy, const float* w, float* dx) override {
    for_blocks(rows, [=](int64_t first) {
      gemm(kNo, kYes, kRowBlock, in, out, dy + first * out, out, w, out, dx + first * in, in);
    });
  }

  // The sum over rows is cut into at most kParts pieces that depend on the number of rows alone, then added in order.
  void backward_weight(int64_t rows, int in, int out, const float* x, const float* dy, float* dw) override {
    constexpr int64_t kParts = 16, kLeast = 512;
    const int64_t part = std::max(kLeast, (rows + kParts - 1) / kParts);
    const int64_t parts = (rows + part - 1) / part, size = int64_t(in) * out;
    partial_.resize(std::max<size_t>(partial_.size(), size_t(parts * size)));
    float* partial = parts == 1 ? dw : partial_.data();
    tbb::parallel_for(int64_t(0), parts, [=](int64_t p) {
      const int64_t first = p * part, count = std::min(part, rows - first);
      gemm(kYes, kNo, in, out, static_cast<int>(count), x + first * in, in, dy + first * out, out, partial + p * size,
           out);
    });
    if (parts == 1) return;
    std::copy(partial, partial + size, dw);
    for (int64_t p = 1; p < parts; ++p) {
      for (int64_t i = 0; i < size; ++i) dw[i] += partial[p * size + i];
    }
  }

 private:
  template <class Body>
  static void for_blocks(int64_t rows, Body body) {
    const int64_t blocks = padded(rows) / kRowBlock;
    if (blocks == 1) return body(0);
    tbb::parallel_for(int64_t(0), blocks, [=](int64_t b) { body(b * kRowBlock); });
  }

  std::vector<float> partial_;
};

}  // namespace

std::unique_ptr<Matmul> make_matmul(const std::shared_ptr<Device>&) { return std::make_unique<CpuMatmul>(); }

}  // namespace throng
