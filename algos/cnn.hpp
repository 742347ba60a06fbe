// Cnn: convolutions one after the other, over a grid of codes, bytes or numbers; what dense layers see is the last one's output.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "algos/code_convolution.hpp"
#include "algos/convolution.hpp"
#include "algos/train_config.hpp"

namespace throng {

// Layers are Conv_0, Conv_1, ... as in Flax. Their output is flattened as there: row, column, filter.
class Cnn {
 public:
  // If the settings ask for one and there is a grid to see.
  static std::optional<Cnn> of(const std::string& name, const View& view, const TrainConfig& config, float gain,
                               Parameters& parameters) {
    if (config.cnn.empty() || view.grid.planes == 0) return std::nullopt;
    return Cnn(name, view, config, gain, parameters);
  }

  // What the dense layers see: numbers, of as many rows.
  View features() const {
    View seen = view_;
    seen.dim = static_cast<int>(numbers(count() - 1));
    seen.num_codes = 0;
    seen.pixels = false;
    return seen;
  }
  int columns_summed() const { return widest_; }

  void want(Arena& arena, int groups, int64_t samples, bool train) {
    int64_t most = 0, patches = 0;
    if (codes_) codes_->want(arena, groups, samples, train);
    for (Convolution& layer : layers_) {
      layer.want(arena, groups, samples, train);
      patches = std::max(patches, layer.patch_numbers(groups));
    }
    for (int i = 0; i < count(); ++i) most = std::max(most, numbers(i));
    if (patches > 0) arena.want(patches_, patches);
    for (float*& d : d_) {
      if (train) arena.want(d, groups * Matmul::padded(samples) * most);
    }
  }

  // [group, samples, features] for the x that the view describes, [group, samples].
  Rows forward(const Compute& c, int64_t samples, const void* x) {
    if (codes_) codes_->forward(c, samples, static_cast<const uint8_t*>(x));
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (i > 0 || codes_) {
        layers_[i].forward(c, samples, before(i, samples), patches_);
      } else if (view_.pixels) {
        layers_[i].forward(c, samples, seen<uint8_t>(x, samples), patches_);
      } else {
        layers_[i].forward(c, samples, seen<float>(x, samples), patches_);
      }
    }
    return output(samples);
  }

  // Of the last forward; and where the gradient with respect to it is put before `backward`, which loses it: [group, samples
  // padded, features].
  Rows output(int64_t samples) const {
    return layers_.empty() ? codes_->output(samples) : layers_.back().output(samples);
  }
  float* output_gradient() const { return d_[0]; }

  // Gradients of all parameters from output_gradient(); x as in the last forward.
  void backward(const Compute& c, int64_t samples, const void* x) {
    float *d = d_[0], *next = d_[1];
    for (size_t i = layers_.size(); i-- > 0; std::swap(d, next)) {
      const OutRows d_out = Matmul::packed(d, samples, layers_[i].numbers());
      if (i > 0 || codes_) {
        const Rows input = before(i, samples);
        layers_[i].backward(c, samples, input, d_out, Matmul::packed(next, samples, input.stride), patches_);
      } else if (view_.pixels) {
        layers_[i].backward(c, samples, seen<uint8_t>(x, samples), d_out, {}, patches_);
      } else {
        layers_[i].backward(c, samples, seen<float>(x, samples), d_out, {}, patches_);
      }
    }
    if (!codes_) return;
    codes_->backward(c, samples, static_cast<const uint8_t*>(x), Matmul::packed(d, samples, codes_->numbers()));
  }

 private:
  Cnn(const std::string& name, const View& view, const TrainConfig& config, float gain, Parameters& parameters)
      : view_(view) {
    int height = view.grid.height, width = view.grid.width;
    CellLayout in = CellLayout::in_planes(view.grid.planes, view.grid.cells());
    const auto activation = Activation(config.activation);
    for (size_t i = 0; i < config.cnn.size(); ++i) {
      const std::string path = name + ",Conv_" + std::to_string(i);
      const int out = config.cnn[i], kernel = of_layer(config.cnn_kernels, i), stride = of_layer(config.cnn_strides, i);
      const Sliding sliding = Sliding::of(height, width, kernel, stride, Padding(config.cnn_padding));
      if (sliding.out_height < 1 || sliding.out_width < 1) {
        throw Error("cnn: a kernel of " + std::to_string(kernel) + " does not fit on the " + std::to_string(height) +
                    " x " + std::to_string(width) + " cells that layer " + std::to_string(i) + " sees");
      }
      if (i == 0 && view.codes()) {
        codes_.emplace(path, sliding, view, out, activation, gain, parameters);
      } else {
        layers_.emplace_back(path, sliding, in, out, activation, gain, parameters);
      }
      height = sliding.out_height, width = sliding.out_width;
      in = CellLayout::together(out);
      widest_ = std::max(widest_, out);
    }
  }

  // One number for every layer, or one for all.
  static int of_layer(const std::vector<int>& numbers, size_t layer) {
    return numbers.size() == 1 ? numbers[0] : numbers[layer];
  }
  // What layer i, which is not the first of all, sees.
  Rows before(size_t i, int64_t samples) const {
    return i > 0 ? layers_[i - 1].output(samples) : codes_->output(samples);
  }
  // What the game wrote: samples of all groups one after the other.
  template <class T>
  RowsOf<const T> seen(const void* x, int64_t samples) const {
    return {static_cast<const T*>(x), view_.dim, samples * view_.dim};
  }
  int count() const { return static_cast<int>(layers_.size()) + codes_.has_value(); }
  int64_t numbers(int layer) const {  // of a sample's output
    if (codes_) return layer == 0 ? codes_->numbers() : layers_[layer - 1].numbers();
    return layers_[layer].numbers();
  }

  View view_;
  std::optional<CodeConvolution> codes_;  // the first layer, where the grid is one of codes
  std::vector<Convolution> layers_;       // the others
  int widest_ = 0;
  float* patches_ = nullptr;  // working memory of the layers
  float* d_[2] = {};          // [group, samples, the largest layer], in turn
};

}  // namespace throng
