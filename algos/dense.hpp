// Dense: y = activation(W x + b) - forward, and the backward pass beside it.
#pragma once

#include <string>

#include "algos/compute.hpp"
#include "algos/parameters.hpp"

namespace throng {

// Of a layer whose output was y [rows, out]: `d_out`, the gradient with respect to it, becomes the gradient before the activation,
// and its sum over rows the gradient of the bias at that offset.
inline void before_activation(const Compute& c, int64_t rows, int out, Activation activation, const float* y,
                              int64_t bias, float* d_out) {
  sum_columns(c.device, c.reducer, rows, out, c.gradients + bias, [=] THRONG_BODY(int64_t r, int k) {
    const float d = d_out[r * out + k] * slope(activation, y[r * out + k]);
    d_out[r * out + k] = d;
    return d;
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

  void want(Arena& arena, int64_t rows) { arena.want(output_, Matmul::padded(rows) * out_); }

  // [rows, out] for x [rows, in]; x is padded to whole row blocks (see Matmul).
  const float* forward(const Compute& c, int64_t rows, const float* x) {
    c.matmul.forward(rows, in_, out_, {x, in_}, c.parameters + kernel_, c.parameters + bias_, activation_,
                     {output_, out_});
    return output_;
  }

  // Turns `d_out`, the gradient with respect to the last output, into gradients of kernel and bias, and of x in `d_x` unless
  // that is null; `add` adds to what is there. `d_out` becomes the gradient before the activation.
  void backward(const Compute& c, int64_t rows, const float* x, float* d_out, float* d_x, bool add = false) const {
    before_activation(c, rows, out_, activation_, output_, bias_, d_out);
    c.matmul.backward_weight(rows, in_, out_, {x, in_}, {d_out, out_}, c.gradients + kernel_);
    if (d_x) c.matmul.backward_input(rows, in_, out_, {d_out, out_}, c.parameters + kernel_, {d_x, in_}, add);
  }

 private:
  int in_, out_;
  Activation activation_;
  int64_t kernel_, bias_;    // offsets
  float* output_ = nullptr;  // [rows, out], after the activation
};

}  // namespace throng
