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
#define THRONG_CUBLASLT(X)                                                                                              \
  X(cublasLtCreate)                                                                                                     \
  X(cublasLtDestroy)                                                                                                    \
  X(cublasLtGetVersion)                                                                                                 \
  X(cublasLtMatmul)                                                                                                     \
  X(cublasLtMatmulAlgoGetHeuristic)                                                                                     \
  X(cublasLtMatmulAlgoConfigGetAttribute)                                                                               \
  X(cublasLtMatmulDescCreate)                                                                                           \
  X(cublasLtMatmulDescSetAttribute)                                                                                     \
  X(cublasLtMatmulDescDestroy)                                                                                          \
  X(cublasLtMatrixLayoutCreate)                                                                                         \
  X(cublasLtMatrixLayoutDestroy)                                                                                        \
  X(cublasLtMatmulPreferenceCreate)                                                                                     \
  X(cublasLtMatmulPreferenceSetAttribute)                                                                               \
  X(cublasLtMatmulPreferenceDestroy)                                                                                    \
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
      throw Error("training on the GPU needs cuBLAS, which was not found (" + why +
                  "): install the CUDA toolkit, or `pip install nvidia-cublas` and put its lib folder on LD_LIBRARY_PATH");
    }
#define THRONG_LOAD(name)                                                                                               \
  name = reinterpret_cast<decltype(name)>(dlsym(library, #name));                                                       \
  if (!name) throw Error("the cuBLAS library found here lacks " #name);
    THRONG_CUBLASLT(THRONG_LOAD)
#undef THRONG_LOAD
  }
};

const CublasLt& lt() {
  static const CublasLt library;
  return library;
}

void check_lt(cublasStatus_t status, const char* call, const std::source_location& place = std::source_location::current()) {
  if (status != CUBLAS_STATUS_SUCCESS) throw MachineError(call, lt().cublasLtGetStatusString(status), place);
}
#define THRONG_LT(call) check_lt(lt().call, #call)

struct Layout {
  cublasLtMatrixLayout_t value = nullptr;
  Layout(int64_t rows, int64_t columns) {
    THRONG_LT(cublasLtMatrixLayoutCreate(&value, CUDA_R_32F, rows, columns, rows));
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

  void forward(int64_t rows, int in, int out, const float* x, const float* w, float* y) override {
    multiply({kForward, 0, in, out}, CUBLAS_OP_N, CUBLAS_OP_N, w, out, in, x, in, rows, y, out, rows);
  }
  void backward_input(int64_t rows, int in, int out, const float* dy, const float* w, float* dx) override {
    multiply({kBackwardInput, rows, in, out}, CUBLAS_OP_T, CUBLAS_OP_N, w, out, in, dy, out, rows, dx, in, rows);
  }
  void backward_weight(int64_t rows, int in, int out, const float* x, const float* dy, float* dw) override {
    multiply({kBackwardWeight, rows, in, out}, CUBLAS_OP_N, CUBLAS_OP_T, dy, out, rows, x, in, rows, dw, out, in);
  }

 private:
  enum Product { kForward, kBackwardInput, kBackwardWeight };
  // An algorithm is chosen once per shape and kept. For `forward` the number of rows is no part of the shape (0), so that
  // every batch goes through one kernel.
  using Shape = std::tuple<Product, int64_t, int, int>;
  static constexpr size_t kWorkspace = 32 << 20;

  void multiply(const Shape& shape, cublasOperation_t op_a, cublasOperation_t op_b, const float* a, int64_t a_rows,
                int64_t a_columns, const float* b, int64_t b_rows, int64_t b_columns, float* c, int64_t c_rows, int64_t c_columns) {
    cublasLtMatmulDesc_t operation;
    THRONG_LT(cublasLtMatmulDescCreate(&operation, CUBLAS_COMPUTE_32F, CUDA_R_32F));
    THRONG_LT(cublasLtMatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_TRANSA, &op_a, sizeof(op_a)));
    THRONG_LT(cublasLtMatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_TRANSB, &op_b, sizeof(op_b)));
    const Layout la(a_rows, a_columns), lb(b_rows, b_columns), lc(c_rows, c_columns);
    auto found = algorithms_.find(shape);
    if (found == algorithms_.end()) found = algorithms_.emplace(shape, choose(shape, operation, la, lb, lc)).first;
    const float one = 1.0f, zero = 0.0f;
    THRONG_LT(cublasLtMatmul(handle_, operation, &one, a, la.value, b, lb.value, &zero, c, lc.value, c, lc.value,
                             &found->second, workspace_, kWorkspace, static_cast<cudaStream_t>(device_->stream())));
    lt().cublasLtMatmulDescDestroy(operation);
  }

  // The library's first choice; for `forward`, its first that adds up a row in one piece.
  cublasLtMatmulAlgo_t choose(const Shape& shape, cublasLtMatmulDesc_t operation, const Layout& a, const Layout& b,
                              const Layout& c) {
    cublasLtMatmulPreference_t preference;
    THRONG_LT(cublasLtMatmulPreferenceCreate(&preference));
    const size_t workspace = kWorkspace;
    THRONG_LT(cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace,
                                                   sizeof(workspace)));
    cublasLtMatmulHeuristicResult_t results[16];
    int count = 0;
    THRONG_LT(cublasLtMatmulAlgoGetHeuristic(handle_, operation, a.value, b.value, c.value, c.value, preference, 16, results,
                                             &count));
    lt().cublasLtMatmulPreferenceDestroy(preference);
    for (int i = 0; i < count; ++i) {
      if (std::get<0>(shape) != kForward || in_one_piece(results[i].algo)) return results[i].algo;
    }
    throw MachineError("cublasLtMatmulAlgoGetHeuristic", "no algorithm for this shape");
  }

  static bool in_one_piece(const cublasLtMatmulAlgo_t& algorithm) {
    int32_t split = 1;
    size_t written = 0;
    lt().cublasLtMatmulAlgoConfigGetAttribute(&algorithm, CUBLASLT_ALGO_CONFIG_SPLITK_NUM, &split, sizeof(split), &written);
    return split <= 1;
  }

  std::shared_ptr<Device> device_;
  cublasLtHandle_t handle_ = nullptr;
  void* workspace_ = nullptr;
  std::map<Shape, cublasLtMatmulAlgo_t> algorithms_;
};

}  // namespace

std::unique_ptr<Matmul> make_matmul(const std::shared_ptr<Device>& device) { return std::make_unique<CudaMatmul>(device); }

}  // namespace throng
