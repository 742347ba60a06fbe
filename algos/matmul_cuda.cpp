// Matrix products on the GPU through cuBLASLt, which is opened at run time: only training needs that large library.
#include <cublasLt.h>
#include <cuda_runtime.h>
#include <dlfcn.h>

#include <map>
#include <tuple>
#include <vector>

#include "algos/grid.hpp"
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
  X(cublasLtMatmulAlgoCheck)              \
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

// A column-major matrix whose columns lie `leading` apart, or `batch` of them that lie `distance` elements apart.
struct Matrix {
  const float* data;
  int64_t rows, columns, leading, distance;
};

struct Layout {
  cublasLtMatrixLayout_t value = nullptr;
  Layout(const Matrix& m, int32_t batch) {
    THRONG_LT(cublasLtMatrixLayoutCreate(&value, CUDA_R_32F, m.rows, m.columns, m.leading));
    THRONG_LT(cublasLtMatrixLayoutSetAttribute(value, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &batch, sizeof(batch)));
    THRONG_LT(cublasLtMatrixLayoutSetAttribute(value, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &m.distance,
                                               sizeof(m.distance)));
  }
  ~Layout() { lt().cublasLtMatrixLayoutDestroy(value); }
  Layout(const Layout&) = delete;
};

// C = op(A) op(B) (+ C); the bias of a row is added to all of its columns. The biases of a batch lie apart as its A do.
struct Product {
  enum Kind { kForward, kBackwardInput, kBackwardWeight } kind;
  cublasOperation_t op_a, op_b;
  Matrix a, b, c;
  int32_t batch = 1;
  bool add = false;
  const float* bias = nullptr;
  bool relu = false;
};

struct Operation {
  cublasLtMatmulDesc_t value = nullptr;
  Operation(const Product& p, cublasComputeType_t compute) {
    THRONG_LT(cublasLtMatmulDescCreate(&value, compute, CUDA_R_32F));
    set(CUBLASLT_MATMUL_DESC_TRANSA, p.op_a);
    set(CUBLASLT_MATMUL_DESC_TRANSB, p.op_b);
    if (p.bias == nullptr) return;
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, p.relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS);
    set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias);
    if (p.a.distance != 0) set(CUBLASLT_MATMUL_DESC_BIAS_BATCH_STRIDE, p.a.distance);  // both lie in a group's block
  }
  ~Operation() { lt().cublasLtMatmulDescDestroy(value); }
  Operation(const Operation&) = delete;

 private:
  template <class T>
  void set(cublasLtMatmulDescAttributes_t attribute, const T& to) {
    THRONG_LT(cublasLtMatmulDescSetAttribute(value, attribute, &to, sizeof(to)));
  }
};

// cuBLASLt thinks in columns: a row-major matrix [r, c] is its column-major [c, r], so C = A B is asked for as C' = B' A'.
class CudaMatmul final : public Matmul {
 public:
  CudaMatmul(std::shared_ptr<Device> device, Precision precision)
      : device_(std::move(device)),
        precision_(precision),
        compute_(precision == kBf16   ? CUBLAS_COMPUTE_32F_FAST_16BF
                 : precision == kTf32 ? CUBLAS_COMPUTE_32F_FAST_TF32
                                      : CUBLAS_COMPUTE_32F) {
    THRONG_LT(cublasLtCreate(&handle_));
    workspace_ = device_->allocate(kWorkspace);
  }
  ~CudaMatmul() override {
    device_->release(workspace_);
    lt().cublasLtDestroy(handle_);
  }

  std::string name() const override { return "cuBLASLt " + std::to_string(lt().cublasLtGetVersion()); }
  Precision precision() const override { return precision_; }
  size_t workspace() const override { return kWorkspace; }

  // A batch of products with exactly kRowBlock rows each: one algorithm, chosen once, serves any number of rows. Where it
  // cannot add a bias, a kernel of ours does; tanh is always ours. Groups have weights of their own, so with several of them a
  // product is all rows of a group, by the same algorithm: it does the same with a row, whatever their number.
  void forward(Groups groups, int64_t rows, int in, int out, Rows x, const float* w, const float* bias,
               Activation activation, OutRows y) override {
    Product product{Product::kForward, CUBLAS_OP_N, CUBLAS_OP_N, {w, out, in, out, 0}, block(x, in), block(y, out)};
    product.batch = static_cast<int32_t>(padded(rows) / kRowBlock);
    product.bias = activation == kTanh ? nullptr : bias;
    product.relu = activation == kRelu;
    const Chosen& chosen = choice(product, {product.bias ? 4 + product.relu : Product::kForward, y.stride, in, out});
    if (!chosen.adds_bias) product.bias = nullptr;
    const bool finished = product.bias != nullptr || (bias == nullptr && activation == kIdentity);
    Product joint = product;
    joint.a.distance = groups.apart;
    joint.b = all(x, padded(rows), in);
    joint.c = all(y, padded(rows), out);
    joint.batch = groups.count;
    if (groups.count > 1 && fits(joint, chosen.algorithm)) {
      multiply(joint, chosen.algorithm);
    } else {
      for (int group = 0; group < groups.count; ++group) {
        Product own = product;
        own.a.data = w + group * groups.apart;
        own.b = block(x.of(group), in);
        own.c = block(y.of(group), out);
        if (own.bias) own.bias = bias + group * groups.apart;
        multiply(own, chosen.algorithm);
      }
    }
    if (!finished) finish(groups, rows, out, bias, activation, y);
  }
  void backward_input(Groups groups, int64_t rows, int in, int out, Rows dy, const float* w, OutRows dx,
                      bool add) override {
    Product product{Product::kBackwardInput, CUBLAS_OP_T,        CUBLAS_OP_N,
                    {w, out, in, out, 0},    all(dy, rows, out), all(dx, rows, in)};
    product.a.distance = groups.apart;
    product.add = add;
    multiply_groups(groups, product, {Product::kBackwardInput, rows, in, out});
  }
  void backward_weight(Groups groups, int64_t rows, int in, int out, Rows x, Rows dy, float* dw) override {
    Product product{Product::kBackwardWeight, CUBLAS_OP_N,      CUBLAS_OP_T,
                    all(dy, rows, out),       all(x, rows, in), {dw, out, in, out, 0}};
    product.c.distance = groups.apart;
    multiply_groups(groups, product, {Product::kBackwardWeight, rows, in, out});
  }

  // Public because nvcc wants the functions around its lambdas so.
  void finish(Groups groups, int64_t rows, int out, const float* bias, Activation activation, OutRows y) {
    each_element(*device_, groups.count, rows, out, [=] THRONG_BODY(int g, int64_t r, int c) {
      float* at = y.at(g, r) + c;
      *at = activate(activation, bias ? *at + bias[g * groups.apart + c] : *at);
    });
  }

 private:
  // An algorithm is chosen once and kept: for a kind of product, its rows (forward: the stride of y), in and out.
  using Shape = std::tuple<int, int64_t, int, int>;
  static constexpr size_t kWorkspace = 32 << 20;

  struct Chosen {
    cublasLtMatmulAlgo_t algorithm;
    bool adds_bias;
  };

  static Matrix all(Rows x, int64_t rows, int columns) { return {x.data, columns, rows, x.stride, x.apart}; }
  template <class T>
  static Matrix block(RowsOf<T> x, int columns) {
    return {x.data, columns, kRowBlock, x.stride, kRowBlock * x.stride};
  }

  void multiply(const Product& p, const cublasLtMatmulAlgo_t& algorithm) {
    const Operation operation(p, compute_);
    const Layout a(p.a, p.batch), b(p.b, p.batch), c(p.c, p.batch);
    const float one = 1.0f, before = p.add ? 1.0f : 0.0f;
    auto* result = const_cast<float*>(p.c.data);
    THRONG_LT(cublasLtMatmul(handle_, operation.value, &one, p.a.data, a.value, p.b.data, b.value, &before, result,
                             c.value, result, c.value, &algorithm, workspace_, kWorkspace,
                             static_cast<cudaStream_t>(device_->stream())));
  }

  // The algorithm of one group for all, if it can.
  void multiply_groups(Groups groups, Product p, const Shape& shape) {
    const Chosen& chosen = choice(p, shape);
    p.batch = groups.count;
    if (groups.count == 1 || fits(p, chosen.algorithm)) return multiply(p, chosen.algorithm);
    const auto [kind, rows, in, out] = shape;
    multiply(p, choice(p, {-groups.count * 8 - kind, rows, in, out}).algorithm);
  }

  bool fits(const Product& p, const cublasLtMatmulAlgo_t& algorithm) {
    const Operation operation(p, compute_);
    const Layout a(p.a, p.batch), b(p.b, p.batch), c(p.c, p.batch);
    cublasLtMatmulHeuristicResult_t result;
    const cublasStatus_t status =
        lt().cublasLtMatmulAlgoCheck(handle_, operation.value, a.value, b.value, c.value, c.value, &algorithm, &result);
    return status == CUBLAS_STATUS_SUCCESS && result.state == CUBLAS_STATUS_SUCCESS &&
           result.workspaceSize <= kWorkspace;
  }

  const Chosen& choice(Product p, const Shape& shape) {
    const auto found = algorithms_.find(shape);
    if (found != algorithms_.end()) return found->second;
    constexpr int32_t kTypicalBatch = 64;  // the choice must not depend on the batch that comes first
    if (p.kind == Product::kForward) p.batch = kTypicalBatch;
    Chosen chosen{{}, p.bias != nullptr};
    if (!choose(p, chosen.algorithm)) {
      p.bias = nullptr;
      chosen.adds_bias = false;
      if (!choose(p, chosen.algorithm)) throw MachineError("cublasLtMatmulAlgoGetHeuristic", "nothing for this shape");
    }
    return algorithms_.emplace(shape, chosen).first->second;
  }

  // False if there is no algorithm for it.
  bool choose(const Product& p, cublasLtMatmulAlgo_t& algorithm) {
    const Operation operation(p, compute_);
    const Layout a(p.a, p.batch), b(p.b, p.batch), c(p.c, p.batch);
    cublasLtMatmulPreference_t preference;
    THRONG_LT(cublasLtMatmulPreferenceCreate(&preference));
    const size_t workspace = kWorkspace;
    THRONG_LT(cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace,
                                                   sizeof(workspace)));
    const uint32_t align = 16;  // slabs and pieces of parameters begin at such borders where rows do, too
    for (const auto side : {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                            CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
      THRONG_LT(cublasLtMatmulPreferenceSetAttribute(preference, side, &align, sizeof(align)));
    }
    cublasLtMatmulHeuristicResult_t result;
    int count = 0;
    const cublasStatus_t status = lt().cublasLtMatmulAlgoGetHeuristic(handle_, operation.value, a.value, b.value,
                                                                      c.value, c.value, preference, 1, &result, &count);
    lt().cublasLtMatmulPreferenceDestroy(preference);
    if (status != CUBLAS_STATUS_SUCCESS || count == 0 || result.state != CUBLAS_STATUS_SUCCESS) return false;
    algorithm = result.algo;
    return true;
  }

  std::shared_ptr<Device> device_;
  Precision precision_;
  cublasComputeType_t compute_;
  cublasLtHandle_t handle_ = nullptr;
  void* workspace_ = nullptr;
  std::map<Shape, Chosen> algorithms_;
};

}  // namespace

std::unique_ptr<Matmul> make_matmul(const std::shared_ptr<Device>& device, Precision precision) {
  return std::make_unique<CudaMatmul>(device, precision);
}

}  // namespace throng
