// Dense: y = activation(W x + b) - forward, and the backward pass beside it.
#pragma once

#include <string>

#include "algos/compute.hpp"
#include "algos/parameters.hpp"

namespace throng {

// Of a layer whose output was y [group, rows, out]: `d_out`, the gradient with respect to it, becomes the gradient before the
// activation, and its sum over rows the gradient of the bias at that offset.
inline void before_activation(const Compute& c, int64_t rows, int out, Activation activation, Rows y, int64_t bias,
                              OutRows d_out) {
  sum_columns(c.device, c.reducer, c.groups, rows, out, c.gradients + bias, [=] THRONG_BODY(int g, int64_t r, int k) {
    return d_out.at(g, r)[k] *= slope(activation, y.at(g, r)[k]);
  });
}

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
  Activation activation() const { return activation_; }
  int64_t kernel() const { return kernel_; }
  int64_t bias() const { return bias_; }

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
    const OutRows d_y = Matmul::packed(d_out, rows, out_);
    before_activation(c, rows, out_, activation_, Matmul::packed(output_, rows, out_), bias_, d_y);
    c.matmul.backward_weight(c.groups, rows, in_, out_, x, d_y, c.gradients + kernel_);
    if (d_x == nullptr) return;
    c.matmul.backward_input(c.groups, rows, in_, out_, d_y, c.parameters + kernel_, Matmul::packed(d_x, rows, in_),
                            add);
  }

 private:
  int in_, out_;
  Activation activation_;
  int64_t kernel_, bias_;    // offsets
  float* output_ = nullptr;  // [group, rows, out], after the activation
};

}  // namespace throng
