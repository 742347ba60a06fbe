// CodeConvolution: the convolution that meets a grid of codes. Each code stands for a one-hot vector that is never made: the
// rows of the kernel that the codes under its taps name are added up.
#pragma once

#include <cstdint>
#include <string>

#include "algos/by_code.hpp"
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
    const int places = sliding.places(), cells = sliding.cells(), blocks = Columns::count_blocks(out_);
    const int planes = planes_, num_codes = num_codes_, out = out_;
    const float *kernel = c.parameters + kernel_, *bias = c.parameters + bias_;
    const OutRows y = output(samples);
    const Activation activation = activation_;
    const int64_t apart = c.groups.apart;
    each_element(c.device, c.groups.count, samples, places * blocks,
                 [=] THRONG_BODY(int g, int64_t sample, int column) {
                   const int place = column / blocks, block = column - place * blocks;
                   const Columns columns{block, blocks, out};
                   const uint8_t* codes = x + (g * samples + sample) * planes * cells;
                   const float *rows = kernel + g * apart, *biases = bias + g * apart;
                   float sum[Columns::kMost];
                   columns.each([&](int k, int column) { sum[k] = biases[column]; });
                   sliding.each_cell(place, [&](int tap, int cell) {
                     for (int plane = 0; plane < planes; ++plane) {
                       const int code = bounded_code(codes[plane * cells + cell], num_codes);
                       const float* row = rows + (int64_t(tap * planes + plane) * num_codes + code) * out;
                       columns.each([&](int k, int column) { sum[k] += row[column]; });
                     }
                   });
                   float* to = y.at(g, sample) + place * out;
                   columns.each([&](int k, int column) { to[column] = activate(activation, sum[k]); });
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
    const int cells = sliding.cells(), planes = planes_, num_codes = num_codes_, out = out_;
    const int rows = sliding.taps() * planes;
    const int64_t size = this->size(), parts = std::min(samples, kParts);
    float* partial = partial_;
    each_element(c.device, c.groups.count, parts * rows, SumsByCode::count_blocks(out),
                 [=] THRONG_BODY(int g, int64_t i, int block) {
                   const int64_t part = i / rows;
                   const int row = static_cast<int>(i % rows), tap = row / planes, plane = row % planes;
                   float* of_row = partial + (g * parts + part) * size + int64_t(row) * num_codes * out;
                   const SumsByCode sums = SumsByCode::of(of_row, num_codes, out, block);
                   for (int64_t sample = samples * part / parts; sample < samples * (part + 1) / parts; ++sample) {
                     const uint8_t* codes = x + ((g * samples + sample) * planes + plane) * cells;
                     const float* d = d_out.at(g, sample) + block * SumsByCode::kWidth;
                     sliding.each_row(tap, [&](int line, const Sliding::Under& under) {
                       const float* of_line = d + line * sliding.out_width * out;
                       const auto code = [&](int column) {
                         const int cell = under.cell(column);
                         return cell < 0 ? -1 : int(codes[cell]);
                       };
                       sums.add(sliding.out_width, code, [&](int column) { return of_line + column * out; });
                     });
                   }
                 });
  }

 private:
  static constexpr int64_t kParts = Backend::kCuda ? 256 : 64;

  int64_t size() const { return int64_t(sliding_.taps()) * planes_ * num_codes_ * out_; }

  Sliding sliding_;
  int planes_, num_codes_, out_;
  Activation activation_;
  int64_t kernel_, bias_;     // offsets
  float* output_ = nullptr;   // [group, sample, place, out], after the activation
  float* partial_ = nullptr;  // [group, part, kernel]
};

}  // namespace throng
