// Convolution: y = activation(W * x + b) over a grid, as products of gathered patches - forward, and the backward pass beside it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "algos/dense.hpp"
#include "algos/sliding.hpp"

namespace throng {

// How the numbers of a sample lie: those of a cell together, as layers write them, or plane after plane, as games do.
struct CellLayout {
  int channels;
  int of_cell, of_channel;  // strides
  static CellLayout together(int channels) { return {channels, channels, 1}; }
  static CellLayout in_planes(int planes, int cells) { return {planes, 1, cells}; }
};

// Kernels are [tap * channel, filter] in memory, [side, side, channel, filter] by name, as Flax has them.
//
// Patches are gathered for some samples at a time, into `patches`, memory that all layers share.
class Convolution {
 public:
  static constexpr int64_t kPatchNumbers = Backend::kCuda ? 1 << 23 : 1 << 19;  // what a cache holds

  Convolution(const std::string& path, const Sliding& sliding, const CellLayout& in, int out, Activation activation,
              float gain, Parameters& parameters)
      : sliding_(sliding),
        in_(in),
        out_(out),
        activation_(activation),
        kernel_(parameters.add(path + ",kernel", {sliding.kernel, sliding.kernel, in.channels, out},
                               Init::orthogonal(gain))),
        bias_(parameters.add(path + ",bias", {out}, Init::zeros())) {}

  int out() const { return out_; }
  const Sliding& sliding() const { return sliding_; }
  int64_t numbers() const { return int64_t(sliding_.places()) * out_; }  // of a sample's output
  const float* output() const { return output_; }
  int64_t patch_numbers() const { return (samples_at_once() * sliding_.places() + Matmul::kRowBlock) * depth(); }

  void want(Arena& arena, int64_t samples, bool train) {
    arena.want(output_, Matmul::padded(samples) * numbers() + Matmul::kRowBlock * out_);
    if (train) arena.want(d_kernel_, int64_t(depth()) * out_);
  }

  // [sample, place, out] for x [sample, cell and channel]: floats, or bytes that are shares of 255.
  template <class T>
  const float* forward(const Compute& c, int64_t samples, const T* x, float* patches) {
    const int places = sliding_.places();
    for (int64_t first = 0; first < samples; first += samples_at_once()) {
      const int64_t count = std::min(samples_at_once(), samples - first);
      gather_patches(c, count, x + first * sliding_.cells() * in_.channels, patches);
      c.matmul.forward(count * places, depth(), out_, {patches, depth()}, c.parameters + kernel_, c.parameters + bias_,
                       activation_, {output_ + first * numbers(), out_});
    }
    return output_;
  }

  // Turns `d_out`, the gradient with respect to the output, into gradients of kernel and bias, and of x in `d_x` unless that is
  // null. `d_out` becomes the gradient before the activation.
  template <class T>
  void backward(const Compute& c, int64_t samples, const T* x, float* d_out, float* d_x, float* patches) const {
    const int64_t places = sliding_.places(), in = int64_t(sliding_.cells()) * in_.channels;
    before_activation(c, samples * places, out_, activation_, output_, bias_, d_out);
    for (int64_t first = 0; first < samples; first += samples_at_once()) {
      const int64_t count = std::min(samples_at_once(), samples - first);
      const Rows d{d_out + first * numbers(), out_};
      gather_patches(c, count, x + first * in, patches);
      float* to = c.gradients + kernel_;
      c.matmul.backward_weight(count * places, depth(), out_, {patches, depth()}, d, first == 0 ? to : d_kernel_);
      if (first > 0) add(c, d_kernel_, to);
      if (d_x == nullptr) continue;
      c.matmul.backward_input(count * places, depth(), out_, d, c.parameters + kernel_, {patches, depth()}, false);
      scatter_patches(c, count, patches, d_x + first * in);
    }
  }

  // ---- the parts; public because nvcc wants the functions around its lambdas so ----

  // patches[sample, place, tap, channel]: the numbers under each tap, 0 beyond the border.
  template <class T>
  void gather_patches(const Compute& c, int64_t samples, const T* x, float* patches) const {
    const Sliding sliding = sliding_;
    const CellLayout in = in_;
    const int places = sliding.places(), taps = sliding.taps(), channels = in.channels;
    const int64_t sample = int64_t(sliding.cells()) * channels;
    const int width = kSideBySide ? channels : 1, parts = channels / width;
    const float scale = sizeof(T) == 1 ? 1 / 255.0f : 1;
    each_element(c.device, samples * places, taps * parts, [=] THRONG_BODY(int64_t row, int column) {
      const int tap = column / parts, cell = sliding.cell(static_cast<int>(row % places), tap);
      const int channel = column % parts * width;
      float* to = patches + (row * taps + tap) * channels + channel;
      const T* from = x + row / places * sample + int64_t(cell) * in.of_cell + channel * in.of_channel;
      for (int k = 0; k < width; ++k)
        to[k] = cell < 0 ? 0.0f : scale * static_cast<float>(from[int64_t(k) * in.of_channel]);
    });
  }

  // dx[sample, cell, channel] = the sum of what the taps above the cell have for it.
  void scatter_patches(const Compute& c, int64_t samples, const float* patches, float* dx) const {
    const Sliding sliding = sliding_;
    const int places = sliding.places(), taps = sliding.taps(), cells = sliding.cells(), channels = in_.channels;
    const int width = kSideBySide ? channels : 1, parts = channels / width;
    each_element(c.device, samples * cells, parts, [=] THRONG_BODY(int64_t row, int part) {
      float* to = dx + row * channels + part * width;
      for (int k = 0; k < width; ++k) to[k] = 0;
      for (int tap = 0; tap < taps; ++tap) {
        const int place = sliding.place(static_cast<int>(row % cells), tap);
        if (place < 0) continue;
        const float* from = patches + ((row / cells * places + place) * taps + tap) * channels + part * width;
        for (int k = 0; k < width; ++k) to[k] += from[k];
      }
    });
  }

  void add(const Compute& c, const float* from, float* to) const {
    Backend::each(c.device, int64_t(depth()) * out_, [=] THRONG_BODY(int64_t i) { to[i] += from[i]; });
  }

 private:
  static constexpr bool kSideBySide = !Backend::kCuda;  // a worker takes all channels of a cell, else one

  int depth() const { return sliding_.taps() * in_.channels; }  // numbers of a patch
  int64_t samples_at_once() const {
    return std::max<int64_t>(1, kPatchNumbers / (int64_t(sliding_.places()) * depth()));
  }

  Sliding sliding_;
  CellLayout in_;
  int out_;
  Activation activation_;
  int64_t kernel_, bias_;      // offsets
  float* output_ = nullptr;    // [sample, place, out], after the activation
  float* d_kernel_ = nullptr;  // [tap, channel, out], of the present samples
};

}  // namespace throng
