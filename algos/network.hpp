// Network: convolutions if wanted, first layer, trunk, a recurrent core if wanted, and one or more heads on top - forward, and the backward pass.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "algos/cnn.hpp"
#include "algos/dense.hpp"
#include "algos/first_layer.hpp"
#include "algos/gru.hpp"
#include "algos/train_config.hpp"

#ifdef __CUDACC__
#include "algos/half_network_cuda.hpp"
#endif

namespace throng {

// What a network ends in: `dim` numbers per row.
struct Output {
  int dim;
  float gain;  // of the last kernel
};

// States of a recurrent core as they are stored.
struct StateRows {
  Rows rows;
  RowsOf<const Bfloat16> half = {};  // if they are in bfloat16

  THRONG_HD float at(int group, int64_t row, int k) const {
    return half.data ? float(half.at(group, row)[k]) : rows.at(group, row)[k];
  }
};

// Rows are `[group, step, sequence]`; without a recurrent core a row is just a row. Layers are named and numbered as Flax does it for
// the same network: Conv_0, ..., Dense_0, ... of the trunk, ScannedRNN_0, and on with the Dense layers of one head after the other.
class Network {
 public:
  Network(const std::string& name, const View& view, const std::vector<Output>& outputs, const TrainConfig& config,
          Parameters& parameters)
      : cnn_(Cnn::of(name, view, config, kHiddenGain, parameters)),
        first_(name + ",Dense_0", cnn_ ? cnn_->features() : view, config.hidden_sizes[0], Activation(config.activation),
               kHiddenGain, parameters) {
    int dense = 1, width = first_.out();
    auto layer = [&](int out, Activation activation, float gain) {
      const int in = std::exchange(width, out);
      return Dense(name + ",Dense_" + std::to_string(dense++), in, out, activation, gain, parameters);
    };
    const auto activation = Activation(config.activation);
    for (size_t i = 1; i < config.hidden_sizes.size(); ++i)
      trunk_.push_back(layer(config.hidden_sizes[i], activation, kHiddenGain));
    const float head_gain = config.gru_size > 0 ? 2.0f : kHiddenGain;  // both as JaxMARL
    if (config.gru_size > 0) {
      gru_.emplace(name + ",ScannedRNN_0,GRUCell_0", width, config.gru_size, parameters);
      width = config.gru_size;
    }
    core_dim_ = width;
    for (const Output& output : outputs) {
      width = core_dim_;
      std::vector<Dense> head;
      for (int out : config.head_sizes) head.push_back(layer(out, activation, head_gain));
      head.push_back(layer(output.dim, kIdentity, output.gain));
      heads_.push_back(std::move(head));
    }
    outputs_.resize(heads_.size());
    d_outputs_.resize(heads_.size());
#ifdef __CUDACC__
    const bool own_first = !cnn_ && view.plain() && !view.codes();
    if (config.precision == kBf16) half_ = HalfNetwork::of(first_, own_first, trunk_, gru_, heads_);
#endif
  }

  int state_dim() const { return gru_ ? gru_->size() : 0; }
  int columns_summed() const {
    int most = std::max({first_.columns_summed(), 4 * state_dim(), widest(), cnn_ ? cnn_->columns_summed() : 0});
    for (const auto& head : heads_) most = std::max(most, head.back().out());
    return most;
  }

  // Room for `rows` = steps * sequences, of at most `sequences` sequences, in each group, and for gradients if `train`.
  void want(Arena& arena, int groups, int64_t rows, int64_t sequences, bool train) {
    const int64_t padded = groups * Matmul::padded(rows);
    for (size_t k = 0; train && k < heads_.size(); ++k) arena.want(d_outputs_[k], padded * heads_[k].back().out());
    if (cnn_) cnn_->want(arena, groups, views(rows), train);
    if (!sees_half()) first_.want(arena, groups, rows, train);
#ifdef __CUDACC__
    if (half_) {
      half_->want(arena, groups, rows, sequences, train);
      if (train && !sees_half()) arena.want(d_[0], padded * first_.out());
      return;
    }
#endif
    for (Dense& layer : trunk_) layer.want(arena, groups, rows);
    if (gru_) gru_->want(arena, groups, rows, sequences, train);
    for (auto& head : heads_) {
      for (Dense& layer : head) layer.want(arena, groups, rows);
    }
    if (!train) return;
    arena.want(d_core_, padded * core_dim_);
    for (float*& d : d_) arena.want(d, padded * widest());
  }

  // Where the states before the first step lie if `backward` is to follow, [group, sequences, state_dim].
  OutRows initial(int steps, int64_t sequences) const {
#ifdef __CUDACC__
    if (half_) return half_->initial(sequences);
#endif
    return gru_->initial(steps, sequences);
  }
  // Of the last forward: the states after each step, [group, steps, sequences, state_dim].
  const StateRows& states() const { return states_; }
  // The same in float32, if it was of one step.
  Rows new_states() const { return states_.rows; }
  // Of the last forward: output k, [group, rows, dim], and where the loss puts its gradient with respect to it: [group,
  // padded rows, dim].
  Rows output(int k) const { return outputs_[k]; }
  OutRows output_gradient(int k, int64_t rows) const {
    return Matmul::packed(d_outputs_[k], rows, heads_[k].back().out());
  }

  // True if rows of numbers are wanted in bfloat16, see Seen.
  bool sees_half() const {
#ifdef __CUDACC__
    if (half_) return half_->own_first();
#endif
    return false;
  }

  // For what `view` describes, [group, rows]. `resets` [group, steps, sequences] and `before` [group, sequences,
  // state_dim] are the core's.
  void forward(const Compute& c, int steps, int64_t sequences, const Seen& seen, const uint8_t* resets, Rows before) {
    const int64_t rows = steps * sequences;
    if (forward_half(c, steps, sequences, seen, resets, before)) return;
    Rows y = forward_first(c, rows, seen);
    inputs_.clear();
    for (Dense& layer : trunk_) y = layer.forward(c, rows, noted(y));
    core_in_ = y;
    const Rows core = gru_ ? gru_->forward(c, steps, sequences, y, resets, before) : y;
    states_ = {core};
    for (size_t k = 0; k < heads_.size(); ++k) {
      y = core;
      for (Dense& layer : heads_[k]) y = layer.forward(c, rows, noted(y));
      outputs_[k] = y;
    }
  }

  // Turns the outputs' gradients into those of all parameters; seen and resets as in the last forward.
  void backward(const Compute& c, int steps, int64_t sequences, const Seen& seen, const uint8_t* resets) {
    const int64_t rows = steps * sequences;
    if (backward_half(c, steps, sequences, resets)) {
      if (!sees_half()) backward_first(c, rows, seen, d_[0]);
      return;
    }
    auto input = inputs_.rbegin();
    for (size_t k = heads_.size(); k-- > 0;) {
      float* d = d_outputs_[k];
      for (size_t layer = heads_[k].size(); layer-- > 0;) {
        float* to = layer == 0 ? d_core_ : other(d);
        heads_[k][layer].backward(c, rows, *input++, d, to, /*add=*/layer == 0 && k + 1 < heads_.size());
        d = to;
      }
    }
    float* d = d_core_;
    if (gru_) {
      d = other(d_core_);
      gru_->backward(c, steps, sequences, core_in_, resets, d_core_, d);
    }
    for (size_t layer = trunk_.size(); layer-- > 0;) {
      float* to = other(d);
      trunk_[layer].backward(c, rows, *input++, d, to);
      d = to;
    }
    backward_first(c, rows, seen, d);
  }

 private:
  static constexpr float kHiddenGain = 1.41421356f;

  Rows forward_first(const Compute& c, int64_t rows, const Seen& seen) {
    if (!cnn_) return first_.forward(c, rows, seen);
    return first_.forward(c, rows, cnn_->forward(c, views(rows), seen.rows), seen.goals);
  }
  void backward_first(const Compute& c, int64_t rows, const Seen& seen, float* d) {
    if (!cnn_) return first_.backward(c, rows, seen, d);
    first_.backward(c, rows, cnn_->output(views(rows)), seen.goals, d, cnn_->output_gradient());
    cnn_->backward(c, views(rows), seen.rows);
  }

#ifdef __CUDACC__
  // In bfloat16, if it can be.
  bool forward_half(const Compute& c, int steps, int64_t sequences, const Seen& seen, const uint8_t* resets,
                    Rows before) {
    if (!half_) return false;
    const int64_t rows = steps * sequences;
    const int dim = first_.view().dim;
    HalfRows x = half_rows(seen.half, rows, dim);
    if (!sees_half()) {
      x = half_->packed(c, rows, forward_first(c, rows, seen));
    } else if (!seen.half) {
      x = half_->packed(c, rows, {static_cast<const float*>(seen.rows), dim, rows * dim});
    }
    half_->forward(c, steps, sequences, x, resets, before);
    if (gru_) states_ = {half_->last_states(sequences), half_->states_after(steps, sequences)};
    for (size_t k = 0; k < heads_.size(); ++k) outputs_[k] = half_->output(static_cast<int>(k), rows);
    return true;
  }
  bool backward_half(const Compute& c, int steps, int64_t sequences, const uint8_t* resets) {
    if (!half_) return false;
    const int64_t rows = steps * sequences;
    std::vector<OutRows> d_outputs;
    for (size_t k = 0; k < heads_.size(); ++k) d_outputs.push_back(output_gradient(static_cast<int>(k), rows));
    half_->backward(c, steps, sequences, resets, d_outputs, Matmul::packed(d_[0], rows, first_.out()));
    return true;
  }
#else
  bool forward_half(const Compute&, int, int64_t, const Seen&, const uint8_t*, Rows) { return false; }
  bool backward_half(const Compute&, int, int64_t, const uint8_t*) { return false; }
#endif

  int64_t views(int64_t rows) const { return rows / first_.view().sharing; }
  Rows noted(Rows x) { return inputs_.emplace_back(x); }
  float* other(const float* d) const { return d == d_[0] ? d_[1] : d_[0]; }
  int widest() const {
    int most = first_.out();
    for (const Dense& layer : trunk_) most = std::max(most, layer.out());
    for (const auto& head : heads_) most = std::max(most, head.back().in());
    return most;
  }

  std::optional<Cnn> cnn_;
  FirstLayer first_;
  std::vector<Dense> trunk_;
  std::optional<Gru> gru_;
  std::vector<std::vector<Dense>> heads_;
#ifdef __CUDACC__
  std::optional<HalfNetwork> half_;  // all of it but a first layer that is not plain
#endif
  int core_dim_ = 0;  // what the heads see

  std::vector<Rows> inputs_;  // of the dense layers of the last forward, in their order
  Rows core_in_ = {};
  StateRows states_ = {};
  std::vector<Rows> outputs_;
  std::vector<float*> d_outputs_;  // [head][group, padded rows, dim]
  float* d_core_ = nullptr;        // [group, padded rows, core_dim]
  float* d_[2] = {};               // [group, padded rows, widest], in turn
};

}  // namespace throng
