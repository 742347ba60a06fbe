// Matrix products of float32 row-major matrices: CBLAS on the CPU, cuBLASLt on the GPU.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>

#include "algos/activation.hpp"
#include "algos/groups.hpp"
#include "core/device.hpp"

namespace throng {

// What products make of their float32 operands; sums and results are float32 in every case. Only GPUs know the latter two.
inline constexpr const char* kPrecisions[] = {"fp32", "tf32", "bf16"};
enum Precision : int { kFp32, kTf32, kBf16 };

// Samples: row r of group g begins at data + g * apart + r * stride.
template <class T>
struct RowsOf {
  T* data;
  int64_t stride;
  int64_t apart = 0;

  RowsOf of(int group) const { return {data + group * apart, stride, apart}; }
  THRONG_HD T* at(int group, int64_t row) const { return data + group * apart + row * stride; }
  RowsOf from(int64_t row) const { return {data + row * stride, stride, apart}; }
  template <class U>
    requires(std::is_same_v<U, const T> && !std::is_same_v<U, T>)
  operator RowsOf<U>() const { return {data, stride, apart}; }
};
using Rows = RowsOf<const float>;
using OutRows = RowsOf<float>;

// The three products of a dense layer, in every group. `rows` is the long side, the number of samples of a group; weights are
// dense [in, out], those of the next group groups.apart behind, and so are biases.
//
// A row of `forward` has the same bits whatever the number of rows and wherever in the matrix it stands: a policy that is
// evaluated on other rows when it learns than when it acted still gets the same numbers (PPO's first ratio is exactly 1).
// To that end a group's rows of `x` and `y` are padded to a multiple of kRowBlock rows; the padding is read and written.
class Matmul {
 public:
  static constexpr int64_t kRowBlock = 128;
  static int64_t padded(int64_t rows) { return (rows + kRowBlock - 1) / kRowBlock * kRowBlock; }
  // Every group's rows padded, [group, padded(rows), width]: the layout of what layers give each other.
  template <class T>
  static RowsOf<T> packed(T* data, int64_t rows, int64_t width) {
    return {data, width, padded(rows) * width};
  }

  virtual ~Matmul() = default;
  // y[rows, out] = activation(x[rows, in] w + bias[out]); a null bias is zero
  virtual void forward(Groups groups, int64_t rows, int in, int out, Rows x, const float* w, const float* bias,
                       Activation activation, OutRows y) = 0;
  // dx[rows, in] = dy[rows, out] w^T, or, if `add`, that is added to dx
  virtual void backward_input(Groups groups, int64_t rows, int in, int out, Rows dy, const float* w, OutRows dx,
                              bool add) = 0;
  // dw[in, out] = x[rows, in]^T dy[rows, out]
  virtual void backward_weight(Groups groups, int64_t rows, int in, int out, Rows x, Rows dy, float* dw) = 0;

  virtual Precision precision() const = 0;
  virtual std::string name() const = 0;  // "OpenBLAS", "cuBLASLt 130000", "plain loops"
  virtual size_t workspace() const = 0;  // bytes of device memory
};

// One for each back end: matmul_cpu.cpp, matmul_cuda.cpp.
std::unique_ptr<Matmul> make_matmul(const std::shared_ptr<Device>& device, Precision precision = kFp32);

}  // namespace throng
