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
  const float* output() const { return output_; }

  void want(Arena& arena, int64_t samples, bool train) {
    arena.want(output_, Matmul::padded(samples) * numbers() + Matmul::kRowBlock * out_);
    if (train) arena.want(partial_, kParts * size());
  }

  // [sample, place, out] for codes x [sample, plane, cell].
  const float* forward(const Compute& c, int64_t samples, const uint8_t* x) {
    const Sliding sliding = sliding_;
    const int places = sliding.places(), taps = sliding.taps(), cells = sliding.cells(), blocks = num_blocks();
    const int planes = planes_, num_codes = num_codes_, out = out_;
    const float *kernel = c.parameters + kernel_, *bias = c.parameters + bias_;
    float* y = output_;
    const Activation activation = activation_;
    each_element(c.device, samples, places * blocks, [=] THRONG_BODY(int64_t sample, int column) {
      const int place = column / blocks, first = column % blocks * kWidth;
      const int count = out - first < kWidth ? out - first : kWidth;
      const uint8_t* codes = x + sample * planes * cells;
      float sum[kWidth];
      for (int k = 0; k < count; ++k) sum[k] = bias[first + k];
      for (int tap = 0; tap < taps; ++tap) {
        const int cell = sliding.cell(place, tap);
        for (int plane = 0; cell >= 0 && plane < planes; ++plane) {
          const int code = codes[plane * cells + cell];
          const float* row =
              kernel + (int64_t(tap * planes + plane) * num_codes + bounded(code, num_codes)) * out + first;
          for (int k = 0; k < count; ++k) sum[k] += row[k];
        }
      }
      float* to = y + (sample * places + place) * out + first;
      for (int k = 0; k < count; ++k) to[k] = activate(activation, sum[k]);
    });
    return output_;
  }

  // Turns `d_out` into the gradients of kernel and bias; it becomes the gradient before the activation. The row of the kernel
  // that belongs to a tap and a code gets the sum over the places where the tap is over that code. Samples are cut into parts;
  // one worker owns a part, a tap and a plane, and a few columns, so nothing is added by two at once.
  void backward(const Compute& c, int64_t samples, const uint8_t* x, float* d_out) const {
    const Sliding sliding = sliding_;
    const int places = sliding.places(), cells = sliding.cells(), planes = planes_, num_codes = num_codes_, out = out_;
    const int rows = sliding.taps() * planes;
    const int64_t size = this->size(), parts = std::min(samples, kParts);
    float *partial = partial_, *to = c.gradients + kernel_;
    before_activation(c, samples * places, out, activation_, output_, bias_, d_out);
    each_element(c.device, parts * rows, num_blocks(), [=] THRONG_BODY(int64_t i, int block) {
      const int64_t part = i / rows;
      const int row = static_cast<int>(i % rows), tap = row / planes, plane = row % planes, first = block * kWidth;
      const int count = out - first < kWidth ? out - first : kWidth;
      float* sums = partial + part * size + int64_t(row) * num_codes * out + first;
      for (int code = 0; code < num_codes; ++code) {
        for (int k = 0; k < count; ++k) sums[code * out + k] = 0;
      }
      for (int64_t sample = samples * part / parts; sample < samples * (part + 1) / parts; ++sample) {
        const uint8_t* codes = x + (sample * planes + plane) * cells;
        for (int place = 0; place < places; ++place) {
          const int cell = sliding.cell(place, tap);
          if (cell < 0) continue;
          const float* d = d_out + (sample * places + place) * out + first;
          float* sum = sums + bounded(codes[cell], num_codes) * out;
          for (int k = 0; k < count; ++k) sum[k] += d[k];
        }
      }
    });
    Backend::each(c.device, size, [=] THRONG_BODY(int64_t i) {
      float sum = 0;
      for (int64_t part = 0; part < parts; ++part) sum += partial[part * size + i];
      to[i] = sum;
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
  float* output_ = nullptr;   // [sample, place, out], after the activation
  float* partial_ = nullptr;  // [part, kernel]
};

}  // namespace throng
