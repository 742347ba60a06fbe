// CodeConvolution: the convolution that meets a grid of codes. Each code stands for a one-hot vector that is never made: the
// rows of the kernel that the codes under its taps name are added up.
#pragma once

#include <cstdint>
#include <string>

#include "algos/convolution.hpp"
#include "algos/first_layer.hpp"

namespace throng {

// As a Convolution over planes * num_codes channels, of which one of each plane is 1 and the others are 0.
class CodeConvolution {
 public:
  CodeConvolution(const std::string& path, const Sliding& sliding, const View& view, int out, Activation activation,
                  float gain, Parameters& parameters)
      : sliding_(sliding),
        planes_(view.grid.planes),
        num_codes_(view.num_codes),
        out_(out),
        activation_(activation),
        kernel_(parameters.add(path + ",kernel", {sliding.kernel, sliding.kernel, planes_ * num_codes_, out},
                               Init::orthogonal(gain))),
        bias_(parameters.add(path + ",bias", {out}, Init::zeros())) {}

  int64_t numbers() const { return int64_t(sliding_.places()) * out_; }  // of a sample's output

  void want(Arena& arena, int groups, int64_t samples, bool train) {
    arena.want(output_, groups * output(samples).apart);
    if (train) arena.want(partial_, groups * kParts * size());
  }

  // Of the last forward, [group, sample, place and filter].
  OutRows output(int64_t samples) const { return Matmul::packed(output_, samples, numbers()); }

  // For codes x [group, sample, plane, cell].
  Rows forward(const Compute& c, int64_t samples, const uint8_t* x) {
    const Sliding sliding = sliding_;
    const int places = sliding.places(), taps = sliding.taps(), cells = sliding.cells(), blocks = num_blocks();
    const int planes = planes_, num_codes = num_codes_, out = out_;
    const float *kernel = c.parameters + kernel_, *bias = c.parameters + bias_;
    const OutRows y = output(samples);
    const Activation activation = activation_;
    const int64_t apart = c.groups.apart;
    each_element(c.device, c.groups.count, samples, places * blocks,
                 [=] THRONG_BODY(int g, int64_t sample, int column) {
                   const int place = column / blocks, first = column % blocks * kWidth;
                   const int count = out - first < kWidth ? out - first : kWidth;
                   const uint8_t* codes = x + (g * samples + sample) * planes * cells;
                   const float* rows = kernel + g * apart + first;
                   float sum[kWidth];
                   for (int k = 0; k < count; ++k) sum[k] = bias[g * apart + first + k];
                   for (int tap = 0; tap < taps; ++tap) {
                     const int cell = sliding.cell(place, tap);
                     for (int plane = 0; cell >= 0 && plane < planes; ++plane) {
                       const int code = bounded(codes[plane * cells + cell], num_codes);
                       const float* row = rows + (int64_t(tap * planes + plane) * num_codes + code) * out;
                       for (int k = 0; k < count; ++k) sum[k] += row[k];
                     }
                   }
                   float* to = y.at(g, sample) + place * out + first;
                   for (int k = 0; k < count; ++k) to[k] = activate(activation, sum[k]);
                 });
    return y;
  }

  // Turns `d_out` into the gradients of kernel and bias; it becomes the gradient before the activation.
  void backward(const Compute& c, int64_t samples, const uint8_t* x, OutRows d_out) const {
    const auto by_place = [&](OutRows rows) { return OutRows{rows.data, out_, rows.apart}; };
    before_activation(c, samples * sliding_.places(), out_, activation_, by_place(output(samples)), bias_,
                      by_place(d_out));
    sum_by_code(c, samples, x, d_out);
    add_parts(c.device, c.groups, std::min(samples, kParts), size(), partial_, c.gradients + kernel_);
  }

  // ---- the parts; public because nvcc wants the functions around its lambdas so ----

  // The row of the kernel that belongs to a tap and a code gets the sum over the places where the tap is over that code.
  // Samples are cut into parts; one worker owns a part, a tap and a plane, and a few columns, so nothing is added by two at once.
  void sum_by_code(const Compute& c, int64_t samples, const uint8_t* x, Rows d_out) const {
    const Sliding sliding = sliding_;
    const int places = sliding.places(), cells = sliding.cells(), planes = planes_, num_codes = num_codes_, out = out_;
    const int rows = sliding.taps() * planes;
    const int64_t size = this->size(), parts = std::min(samples, kParts);
    float* partial = partial_;
    each_element(c.device, c.groups.count, parts * rows, num_blocks(), [=] THRONG_BODY(int g, int64_t i, int block) {
      const int64_t part = i / rows;
      const int row = static_cast<int>(i % rows), tap = row / planes, plane = row % planes, first = block * kWidth;
      const int count = out - first < kWidth ? out - first : kWidth;
      float* sums = partial + (g * parts + part) * size + int64_t(row) * num_codes * out + first;
      for (int code = 0; code < num_codes; ++code) {
        for (int k = 0; k < count; ++k) sums[code * out + k] = 0;
      }
      for (int64_t sample = samples * part / parts; sample < samples * (part + 1) / parts; ++sample) {
        const uint8_t* codes = x + ((g * samples + sample) * planes + plane) * cells;
        for (int place = 0; place < places; ++place) {
          const int cell = sliding.cell(place, tap);
          if (cell < 0) continue;
          const float* d = d_out.at(g, sample) + place * out + first;
          float* sum = sums + bounded(codes[cell], num_codes) * out;
          for (int k = 0; k < count; ++k) sum[k] += d[k];
        }
      }
    });
  }

 private:
  static constexpr int64_t kParts = 64;
  static constexpr int kWidth = Backend::kCuda ? 1 : 16;  // columns that one worker sums up side by side

  // A code that is too high counts as the highest, as in FirstLayer.
  THRONG_HD static int bounded(int code, int num_codes) { return code < num_codes ? code : num_codes - 1; }
  int num_blocks() const { return (out_ + kWidth - 1) / kWidth; }
  int64_t size() const { return int64_t(sliding_.taps()) * planes_ * num_codes_ * out_; }

  Sliding sliding_;
  int planes_, num_codes_, out_;
  Activation activation_;
  int64_t kernel_, bias_;     // offsets
  float* output_ = nullptr;   // [group, sample, place, out], after the activation
  float* partial_ = nullptr;  // [group, part, kernel]
};

}  // namespace throng
