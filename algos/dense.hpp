// Dense: y = activation(W x + b) - forward, and the backward pass beside it.
#pragma once

#include <string>

#include "algos/compute.hpp"
#include "algos/parameters.hpp"

namespace throng {

class Dense {
 public:
  Dense(const std::string& path, int in, int out, Activation activation, float gain, Parameters& parameters)
      : in_(in),
        out_(out),
        activation_(activation),
        kernel_(parameters.add(path + ",kernel", {in, out}, Init::orthogonal(gain))),
        bias_(parameters.add(path + ",bias", {out}, Init::zeros())) {}

  int in() const { return in_; }
  int out() const { return out_; }

  void want(Arena& arena, int groups, int64_t rows) { arena.want(output_, groups * Matmul::padded(rows) * out_); }

  // [group, rows, out] for x [group, rows, in]; rows are those of a group, padded to whole row blocks (see Matmul).
  Rows forward(const Compute& c, int64_t rows, Rows x) {
    const OutRows y = Matmul::packed(output_, rows, out_);
    c.matmul.forward(c.groups, rows, in_, out_, x, c.parameters + kernel_, c.parameters + bias_, activation_, y);
    return y;
  }

  // Turns `d_out`, the gradient with respect to the last output, into gradients of kernel and bias, and of x in `d_x` unless
  // that is null; `add` adds to what is there. `d_out` becomes the gradient before the activation.
  void backward(const Compute& c, int64_t rows, Rows x, float* d_out, float* d_x, bool add = false) const {
    before_activation(c, rows, d_out);
    const Rows d_y = Matmul::packed(d_out, rows, out_);
    c.matmul.backward_weight(c.groups, rows, in_, out_, x, d_y, c.gradients + kernel_);
    if (d_x == nullptr) return;
    c.matmul.backward_input(c.groups, rows, in_, out_, d_y, c.parameters + kernel_, Matmul::packed(d_x, rows, in_),
                            add);
  }

  // Through the activation, and the sum over rows, which is the bias's gradient; public because nvcc wants it so.
  void before_activation(const Compute& c, int64_t rows, float* d_out) const {
    const float* y = output_;
    const int out = out_;
    const Activation activation = activation_;
    const int64_t apart = Matmul::padded(rows);
    sum_columns(c.device, c.reducer, c.groups, rows, out, c.gradients + bias_,
                [=] THRONG_BODY(int g, int64_t r, int k) {
                  const int64_t i = (g * apart + r) * out + k;
                  return d_out[i] *= slope(activation, y[i]);
                });
  }

 private:
  int in_, out_;
  Activation activation_;
  int64_t kernel_, bias_;    // offsets
  float* output_ = nullptr;  // [group, rows, out], after the activation
};

}  // namespace throng
