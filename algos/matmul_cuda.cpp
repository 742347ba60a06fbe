// Matrix products on the GPU through cuBLASLt, which is opened at run time: only training needs that large library.
#include <cublasLt.h>
#include <cuda_runtime.h>
#include <dlfcn.h>

#include <map>
#include <tuple>
#include <vector>

#include "algos/matmul.hpp"
#include "core/error.hpp"
#include "core/launch.hpp"

namespace throng {

namespace {

// The functions that we use, by their own names.
struct CublasLt {
#define THRONG_CUBLASLT(X)                \
  X(cublasLtCreate)                       \
  X(cublasLtDestroy)                      \
  X(cublasLtGetVersion)                   \
  X(cublasLtMatmul)                       \
  X(cublasLtMatmulAlgoGetHeuristic)       \
  X(cublasLtMatmulDescCreate)             \
  X(cublasLtMatmulDescSetAttribute)       \
  X(cublasLtMatmulDescDestroy)            \
  X(cublasLtMatrixLayoutCreate)           \
  X(cublasLtMatrixLayoutDestroy)          \
  X(cublasLtMatrixLayoutSetAttribute)     \
  X(cublasLtMatmulPreferenceCreate)       \
  X(cublasLtMatmulPreferenceSetAttribute) \
  X(cublasLtMatmulPreferenceDestroy)      \
  X(cublasLtGetStatusString)
#define THRONG_DECLARE(name) decltype(&::name) name = nullptr;
  THRONG_CUBLASLT(THRONG_DECLARE)
#undef THRONG_DECLARE

  CublasLt() {
    void* library = nullptr;
    std::string why;
    for (const char* path : {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"}) {
      library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
      if (library) break;
      if (why.empty()) why = dlerror();
    }
    if (!library) {
      throw Error(
          "training on the GPU needs cuBLAS, which was not found (" + why +
          "): install the CUDA toolkit, or `pip install nvidia-cublas` and put its lib folder on LD_LIBRARY_PATH");
    }
#define THRONG_LOAD(name)                                         \
  name = reinterpret_cast<decltype(name)>(dlsym(library, #name)); \
  if (!name) throw Error("the cuBLAS library found here lacks " #name);
    THRONG_CUBLASLT(THRONG_LOAD)
#undef THRONG_LOAD
  }
};

const CublasLt& lt() {
  static const CublasLt library;
  return library;
}

void check_lt(cublasStatus_t status, const char* call,
              const std::source_location& place = std::source_location::current()) {
  if (status != CUBLAS_STATUS_SUCCESS) throw MachineError(call, lt().cublasLtGetStatusString(status), place);
}
#define THRONG_LT(call) check_lt(lt().call, #call)

// One matrix, or `batch` of them that lie `stride` elements apart.
struct Layout {
  cublasLtMatrixLayout_t value = nullptr;
  Layout(int64_t rows, int64_t columns, int32_t batch, int64_t stride) {
    THRONG_LT(cublasLtMatrixLayoutCreate(&value, CUDA_R_32F, rows, columns, rows));
    THRONG_LT(cublasLtMatrixLayoutSetAttribute(value, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &batch, sizeof(batch)));
    THRONG_LT(
        cublasLtMatrixLayoutSetAttribute(value, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride, sizeof(stride)));
  }
  ~Layout() { lt().cublasLtMatrixLayoutDestroy(value); }
  Layout(const Layout&) = delete;
};

// cuBLASLt thinks in columns: a row-major matrix [r, c] is its column-major [c, r], so C = A B is asked for as C' = B' A'.
class CudaMatmul final : public Matmul {
 public:
  explicit CudaMatmul(std::shared_ptr<Device> device) : device_(std::move(device)) {
    THRONG_LT(cublasLtCreate(&handle_));
    workspace_ = device_->allocate(kWorkspace);
  }
  ~CudaMatmul() override {
    device_->release(workspace_);
    lt().cublasLtDestroy(handle_);
  }

  std::string name() const override { return "cuBLASLt " + std::to_string(lt().cublasLtGetVersion()); }

  // A batch of products with exactly kRowBlock rows each: one algorithm, chosen once, serves any number of rows.
  void forward(int64_t rows, int in, int out, const float* x, const float* w, float* y) override {
    const auto blocks = static_cast<int32_t>(padded(rows) / kRowBlock);
    multiply({kForward, 0, in, out}, CUBLAS_OP_N, CUBLAS_OP_N, {w, out, in, 0}, {x, in, kRowBlock, kRowBlock * in},
             {y, out, kRowBlock, kRowBlock * out}, blocks);
  }
  void backward_input(int64_t rows, int in, int out, const float* dy, const float* w, float* dx) override {
    multiply({kBackwardInput, rows, in, out}, CUBLAS_OP_T, CUBLAS_OP_N, {w, out, in, 0}, {dy, out, rows, 0},
             {dx, in, rows, 0}, 1);
  }
  void backward_weight(int64_t rows, int in, int out, const float* x, const float* dy, float* dw) override {
    multiply({kBackwardWeight, rows, in, out}, CUBLAS_OP_N, CUBLAS_OP_T, {dy, out, rows, 0}, {x, in, rows, 0},
             {dw, out, in, 0}, 1);
  }

 private:
  enum Product { kForward, kBackwardInput, kBackwardWeight };
  using Shape = std::tuple<Product, int64_t, int, int>;  // an algorithm is chosen once per shape and kept
  static constexpr size_t kWorkspace = 32 << 20;

  struct Matrix {  // column-major
    const float* data;
    int64_t rows, columns, stride;
  };

  void multiply(const Shape& shape, cublasOperation_t op_a, cublasOperation_t op_b, const Matrix& a, const Matrix& b,
                const Matrix& c, int32_t batch) {
    cublasLtMatmulDesc_t operation;
    THRONG_LT(cublasLtMatmulDescCreate(&operation, CUBLAS_COMPUTE_32F, CUDA_R_32F));
    THRONG_LT(cublasLtMatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_TRANSA, &op_a, sizeof(op_a)));
    THRONG_LT(cublasLtMatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_TRANSB, &op_b, sizeof(op_b)));
    auto found = algorithms_.find(shape);
    if (found == algorithms_.end()) {
      constexpr int32_t kTypicalBatch = 64;  // the choice must not depend on the batch that comes first
      const int32_t typical = batch == 1 && std::get<0>(shape) != kForward ? 1 : kTypicalBatch;
      const Layout la(a.rows, a.columns, typical, a.stride), lb(b.rows, b.columns, typical, b.stride),
          lc(c.rows, c.columns, typical, c.stride);
      found = algorithms_.emplace(shape, choose(operation, la, lb, lc)).first;
    }
    const Layout la(a.rows, a.columns, batch, a.stride), lb(b.rows, b.columns, batch, b.stride),
        lc(c.rows, c.columns, batch, c.stride);
    const float one = 1.0f, zero = 0.0f;
    auto* result = const_cast<float*>(c.data);
    THRONG_LT(cublasLtMatmul(handle_, operation, &one, a.data, la.value, b.data, lb.value, &zero, result, lc.value,
                             result, lc.value, &found->second, workspace_, kWorkspace,
                             static_cast<cudaStream_t>(device_->stream())));
    lt().cublasLtMatmulDescDestroy(operation);
  }

  cublasLtMatmulAlgo_t choose(cublasLtMatmulDesc_t operation, const Layout& a, const Layout& b, const Layout& c) {
    cublasLtMatmulPreference_t preference;
    THRONG_LT(cublasLtMatmulPreferenceCreate(&preference));
    const size_t workspace = kWorkspace;
    THRONG_LT(cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace,
                                                   sizeof(workspace)));
    cublasLtMatmulHeuristicResult_t result;
    int count = 0;
    THRONG_LT(cublasLtMatmulAlgoGetHeuristic(handle_, operation, a.value, b.value, c.value, c.value, preference, 1,
                                             &result, &count));
    lt().cublasLtMatmulPreferenceDestroy(preference);
    if (count == 0) throw MachineError("cublasLtMatmulAlgoGetHeuristic", "no algorithm for this shape");
    return result.algo;
  }

  std::shared_ptr<Device> device_;
  cublasLtHandle_t handle_ = nullptr;
  void* workspace_ = nullptr;
  std::map<Shape, cublasLtMatmulAlgo_t> algorithms_;
};

}  // namespace

std::unique_ptr<Matmul> make_matmul(const std::shared_ptr<Device>& device) {
  return std::make_unique<CudaMatmul>(device);
}

}  // namespace throng
