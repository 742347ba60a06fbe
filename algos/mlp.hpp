// Mlp: dense layers with an activation between them - forward, and the backward pass beside it.
#pragma once

#include <string>
#include <vector>

#include "algos/grid.hpp"
#include "algos/matmul.hpp"
#include "algos/parameters.hpp"
#include "algos/train_config.hpp"

namespace throng {

inline void fill(Device& device, int64_t count, float value, float* to) {
  Backend::each(device, count, [=] THRONG_HD(int64_t i) { to[i] = value; });
}

inline void add_bias(Device& device, int64_t rows, int columns, const float* bias, float* y) {
  each_element(device, rows, columns, [=] THRONG_HD(int64_t r, int c) { y[r * columns + c] += bias[c]; });
}

inline void activate(Device& device, Activation activation, int64_t rows, int columns, float* y) {
  if (activation == kRelu) {
    each_element(device, rows, columns, [=] THRONG_HD(int64_t r, int c) {
      const float v = y[r * columns + c];
      y[r * columns + c] = v > 0 ? v : 0.0f;
    });
  } else {
    each_element(device, rows, columns,
                 [=] THRONG_HD(int64_t r, int c) { y[r * columns + c] = tanhf(y[r * columns + c]); });
  }
}

// The derivative from the activation's own output y: relu 1 where y > 0, tanh 1 - y^2.
inline void through_activation(Device& device, Activation activation, int64_t rows, int columns, const float* y,
                               float* dy) {
  if (activation == kRelu) {
    each_element(device, rows, columns, [=] THRONG_HD(int64_t r, int c) {
      dy[r * columns + c] = y[r * columns + c] > 0 ? dy[r * columns + c] : 0.0f;
    });
  } else {
    each_element(device, rows, columns, [=] THRONG_HD(int64_t r, int c) {
      dy[r * columns + c] *= 1.0f - y[r * columns + c] * y[r * columns + c];
    });
  }
}

// y = W_n act(... act(W_0 x + b_0) ...) + b_n. Parameters lie in a flat block shared with other networks; gradients in a
// block of the same layout. Activations of the last `forward` are kept for `backward`.
class Mlp {
 public:
  // `widths` = in, hidden..., out. Hidden kernels are orthogonal with gain sqrt(2), the last with `last_gain`.
  Mlp(std::string name, std::vector<int> widths, Activation activation, float last_gain, Parameters& parameters)
      : widths_(std::move(widths)), activation_(activation) {
    const float hidden_gain = 1.41421356f;
    for (int layer = 0; layer < num_layers(); ++layer) {
      const std::string path = name + ",Dense_" + std::to_string(layer) + ",";
      const bool last = layer == num_layers() - 1;
      kernel_.push_back(parameters.add(path + "kernel", {in(layer), out(layer)}, last ? last_gain : hidden_gain));
      bias_.push_back(parameters.add(path + "bias", {out(layer)}, 0));
    }
  }

  int in_dim() const { return widths_.front(); }
  int out_dim() const { return widths_.back(); }

  // Room for the activations of `rows` rows and, if `train`, for their gradients.
  void want(Arena& arena, int64_t rows, bool train) {
    const int64_t padded = Matmul::padded(rows);
    int widest = 1;
    outputs_.resize(num_layers());
    for (int layer = 0; layer < num_layers(); ++layer) {
      arena.want(outputs_[layer], padded * out(layer));
      widest = std::max(widest, out(layer));
    }
    if (!train) return;
    arena.want(gradients_[0], padded * widest);
    arena.want(gradients_[1], padded * widest);
    arena.want(ones_, padded);
  }

  // The output [rows, out_dim] for `x` [rows, in_dim]; x is padded to whole row blocks (see Matmul).
  const float* forward(Device& device, Matmul& matmul, const float* parameters, int64_t rows, const float* x) {
    for (int layer = 0; layer < num_layers(); ++layer) {
      float* y = outputs_[layer];
      matmul.forward(rows, in(layer), out(layer), x, parameters + kernel_[layer], y);
      const bool last = layer == num_layers() - 1;
      add_bias(device, rows, out(layer), parameters + bias_[layer], y);
      if (!last) activate(device, activation_, rows, out(layer), y);
      x = y;
    }
    return x;
  }

  // Where the caller puts the gradient of the loss with respect to the output of `forward`, [rows, out_dim].
  float* output_gradient() const { return gradients_[0]; }

  // Turns it into gradients of all parameters, for the `x` of the last forward.
  void backward(Device& device, Matmul& matmul, const float* parameters, float* gradients, int64_t rows,
                const float* x) {
    fill(device, rows, 1.0f, ones_);
    float *dy = gradients_[0], *dx = gradients_[1];
    for (int layer = num_layers() - 1; layer >= 0; --layer) {
      const float* input = layer == 0 ? x : outputs_[layer - 1];
      matmul.backward_weight(rows, in(layer), out(layer), input, dy, gradients + kernel_[layer]);
      matmul.backward_weight(rows, 1, out(layer), ones_, dy, gradients + bias_[layer]);  // the sum over rows
      if (layer == 0) return;
      matmul.backward_input(rows, in(layer), out(layer), dy, parameters + kernel_[layer], dx);
      through_activation(device, activation_, rows, in(layer), input, dx);
      std::swap(dy, dx);
    }
  }

 private:
  int num_layers() const { return static_cast<int>(widths_.size()) - 1; }
  int in(int layer) const { return widths_[layer]; }
  int out(int layer) const { return widths_[layer + 1]; }

  std::vector<int> widths_;
  Activation activation_;
  std::vector<int64_t> kernel_, bias_;        // offsets
  std::vector<float*> outputs_;               // [layer][rows, out], after the activation
  float* gradients_[2] = {nullptr, nullptr};  // [rows, widest]
  float* ones_ = nullptr;                     // [rows]
};

}  // namespace throng
