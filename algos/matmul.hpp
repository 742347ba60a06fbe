// Matrix products of float32 row-major matrices: CBLAS on the CPU, cuBLASLt on the GPU.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/device.hpp"

namespace throng {

// The three products of a dense layer. `rows` is the long side, the number of samples.
//
// A row of `forward` has the same bits whatever the number of rows and wherever in the matrix it stands: a policy that is
// evaluated on other rows when it learns than when it acted still gets the same numbers (PPO's first ratio is exactly 1).
// To that end buffers of `x` and `y` are padded to a multiple of kRowBlock rows; the padding is read and written.
class Matmul {
 public:
  static constexpr int64_t kRowBlock = 128;
  static int64_t padded(int64_t rows) { return (rows + kRowBlock - 1) / kRowBlock * kRowBlock; }

  virtual ~Matmul() = default;
  // y[rows, out] = x[rows, in] w[in, out]
  virtual void forward(int64_t rows, int in, int out, const float* x, const float* w, float* y) = 0;
  // dx[rows, in] = dy[rows, out] w[in, out]^T
  virtual void backward_input(int64_t rows, int in, int out, const float* dy, const float* w, float* dx) = 0;
  // dw[in, out] = x[rows, in]^T dy[rows, out]
  virtual void backward_weight(int64_t rows, int in, int out, const float* x, const float* dy, float* dw) = 0;

  virtual std::string name() const = 0;  // "OpenBLAS", "cuBLASLt 13.0", "plain loops"
};

// One for each back end: matmul_cpu.cpp, matmul_cuda.cpp.
std::unique_ptr<Matmul> make_matmul(const std::shared_ptr<Device>& device);

}  // namespace throng
