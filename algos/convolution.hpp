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

// Kernels are [tap * channel, filter] in memory, [side, side, channel, filter] by name, as Flax has them. Samples are those of a
// group; the output of the next group begins behind some room that products may write to.
//
// Patches are gathered for some samples of each group at a time, into `patches`, memory that all layers share.
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

  const Sliding& sliding() const { return sliding_; }
  int64_t numbers() const { return int64_t(sliding_.places()) * out_; }  // of a sample's output
  int64_t patch_numbers(int groups) const {
    return groups * Matmul::padded(samples_at_once() * sliding_.places()) * depth();
  }

  void want(Arena& arena, int groups, int64_t samples, bool train) {
    arena.want(output_, groups * apart(samples));
    if (train) arena.want(d_kernel_, groups * int64_t(depth()) * out_);
  }

  // Of the last forward, [group, sample, place and filter].
  OutRows output(int64_t samples) const { return {output_, numbers(), apart(samples)}; }

  // For x [group, sample, cell and channel]: floats, or bytes that are shares of 255.
  template <class T>
  Rows forward(const Compute& c, int64_t samples, RowsOf<const T> x, float* patches) {
    const int64_t at_once = samples_at_once();
    for (int64_t first = 0; first < samples; first += at_once) {
      const int64_t count = std::min(at_once, samples - first), rows = count * sliding_.places();
      gather_patches(c, count, x.from(first), patches);
      c.matmul.forward(c.groups, rows, depth(), out_, Matmul::packed(patches, rows, depth()), c.parameters + kernel_,
                       c.parameters + bias_, activation_, by_place(output(samples).from(first)));
    }
    return output(samples);
  }

  // Turns `d_out`, the gradient with respect to the output, into gradients of kernel and bias, and of x in `d_x` unless that is
  // null. `d_out` becomes the gradient before the activation.
  template <class T>
  void backward(const Compute& c, int64_t samples, RowsOf<const T> x, OutRows d_out, OutRows d_x,
                float* patches) const {
    before_activation(c, samples * sliding_.places(), out_, activation_, by_place(output(samples)), bias_,
                      by_place(d_out));
    const int64_t at_once = samples_at_once();
    for (int64_t first = 0; first < samples; first += at_once) {
      const int64_t count = std::min(at_once, samples - first), rows = count * sliding_.places();
      const OutRows all = Matmul::packed(patches, rows, depth());
      const Rows d = by_place(d_out.from(first));
      gather_patches(c, count, x.from(first), patches);
      if (first == 0) {
        c.matmul.backward_weight(c.groups, rows, depth(), out_, all, d, c.gradients + kernel_);
      } else {
        c.matmul.backward_weight({c.groups.count, size()}, rows, depth(), out_, all, d, d_kernel_);
        add_to_gradient(c);
      }
      if (d_x.data == nullptr) continue;
      c.matmul.backward_input(c.groups, rows, depth(), out_, d, c.parameters + kernel_, all, false);
      scatter_patches(c, count, patches, d_x.from(first));
    }
  }

  // ---- the parts; public because nvcc wants the functions around its lambdas so ----

  // patches[group, sample, place, tap, channel]: the numbers under each tap, 0 beyond the border.
  template <class T>
  void gather_patches(const Compute& c, int64_t samples, RowsOf<const T> x, float* patches) const {
    const Sliding sliding = sliding_;
    const CellLayout in = in_;
    const int places = sliding.places(), taps = sliding.taps(), channels = in.channels;
    const bool fours = sizeof(T) == sizeof(float) && moves_fours();
    const int width = channels_at_once(fours), parts = channels / width;
    const int64_t apart = Matmul::padded(samples * places);
    const float scale = sizeof(T) == 1 ? 1 / 255.0f : 1;
    each_element(
        c.device, c.groups.count, samples * places, taps * parts, [=] THRONG_BODY(int g, int64_t i, int column) {
          const auto row = static_cast<uint32_t>(i),
                     sample = row / static_cast<uint32_t>(places);  // cheaper in 32 bits
          const int place = static_cast<int>(row - sample * static_cast<uint32_t>(places));
          const int tap = column / parts, cell = sliding.cell(place, tap), channel = (column - tap * parts) * width;
          float* to = patches + ((g * apart + row) * taps + tap) * channels + channel;
          const T* from = x.at(g, sample) + int64_t(cell) * in.of_cell + int64_t(channel) * in.of_channel;
          if (fours) {
            *reinterpret_cast<Four*>(to) = cell < 0 ? Four{} : *reinterpret_cast<const Four*>(from);
            return;
          }
          for (int k = 0; k < width; ++k)
            to[k] = cell < 0 ? 0.0f : scale * static_cast<float>(from[int64_t(k) * in.of_channel]);
        });
  }

  // dx[group, sample, cell, channel] = the sum of what the taps above the cell have for it.
  void scatter_patches(const Compute& c, int64_t samples, const float* patches, OutRows dx) const {
    const Sliding sliding = sliding_;
    const int places = sliding.places(), taps = sliding.taps(), cells = sliding.cells(), channels = in_.channels;
    const bool fours = moves_fours();
    const int width = channels_at_once(fours), parts = channels / width;
    const int64_t apart = Matmul::padded(samples * places);
    each_element(c.device, c.groups.count, samples * cells, parts, [=] THRONG_BODY(int g, int64_t i, int part) {
      const auto row = static_cast<uint32_t>(i), sample = row / static_cast<uint32_t>(cells);
      const int cell = static_cast<int>(row - sample * static_cast<uint32_t>(cells));
      float* to = dx.at(g, sample) + int64_t(cell) * channels + part * width;
      const float* first = patches + (g * apart + int64_t(sample) * places) * taps * channels + part * width;
      const auto under = [=](int tap, int place) { return first + (int64_t(place) * taps + tap) * channels; };
      if (fours) {
        Four sum = {};
        sliding.each_tap(cell, [&](int tap, int place) {
          const Four add = *reinterpret_cast<const Four*>(under(tap, place));
          for (int k = 0; k < 4; ++k) sum.number[k] += add.number[k];
        });
        *reinterpret_cast<Four*>(to) = sum;
        return;
      }
      for (int k = 0; k < width; ++k) to[k] = 0;
      sliding.each_tap(cell, [&](int tap, int place) {
        const float* from = under(tap, place);
        for (int k = 0; k < width; ++k) to[k] += from[k];
      });
    });
  }

  void add_to_gradient(const Compute& c) const {
    const int64_t size = this->size(), apart = c.groups.apart;
    const float* from = d_kernel_;
    float* to = c.gradients + kernel_;
    Backend::each(c.device, c.groups.count * size,
                  [=] THRONG_BODY(int64_t i) { to[i / size * apart + i % size] += from[i]; });
  }

 private:
  // Of the channels of a cell a worker of the CPU takes all. A thread of the GPU takes four, if they lie together, or one.
  struct alignas(16) Four {
    float number[4];
  };
  bool moves_fours() const { return Backend::kCuda && in_.of_channel == 1 && in_.channels % 4 == 0; }
  int channels_at_once(bool fours) const { return !Backend::kCuda ? in_.channels : fours ? 4 : 1; }

  int depth() const { return sliding_.taps() * in_.channels; }  // numbers of a patch
  int64_t size() const { return int64_t(depth()) * out_; }      // of the kernel
  int64_t apart(int64_t samples) const { return Matmul::padded(samples) * numbers() + Matmul::kRowBlock * out_; }
  // Rows of samples as rows of places.
  template <class T>
  RowsOf<T> by_place(RowsOf<T> samples) const {
    return {samples.data, out_, samples.apart};
  }
  // Of each group; the same for any number of groups, since sums over samples are made piece by piece.
  int64_t samples_at_once() const {
    return std::max<int64_t>(1, kPatchNumbers / (int64_t(sliding_.places()) * depth()));
  }

  Sliding sliding_;
  CellLayout in_;
  int out_;
  Activation activation_;
  int64_t kernel_, bias_;      // offsets
  float* output_ = nullptr;    // [group, sample, place, out], after the activation
  float* d_kernel_ = nullptr;  // [group, tap, channel, out], of the present samples
};

}  // namespace throng
