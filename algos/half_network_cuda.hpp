// HalfNetwork: the layers of a Network with samples stored in bfloat16, on tensor cores - behind the same two calls, for precision=bf16.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "algos/bf16_gru_cuda.hpp"
#include "algos/bf16_weights_cuda.hpp"
#include "algos/dense.hpp"
#include "algos/first_layer.hpp"
#include "algos/gru.hpp"

namespace throng {

// [group, rows, width], every row beginning at a border of 16 bytes.
template <class T>
RowsOf<T> half_rows(T* data, int64_t rows, int width) {
  return {data, half_width(width), rows * half_width(width)};
}

// Rounds rows of float32, which lie where row_of(group, row) says, and puts zeros behind them.
template <class RowOf>
void pack_rows(Device& device, int groups, int64_t rows, int width, RowOf row_of, OutHalfRows to) {
  each_element(device, groups, rows, half_width(width) / 2, [=] THRONG_BODY(int g, int64_t r, int k) {
    const float* row = row_of(g, r);
    const float x = 2 * k < width ? row[2 * k] : 0.0f, y = 2 * k + 1 < width ? row[2 * k + 1] : 0.0f;
    cuda::store_two(to.at(g, r) + 2 * k, x, y);
  });
}
inline void pack_rows(const Compute& c, int64_t rows, int width, Rows from, OutHalfRows to) {
  pack_rows(
      c.device, c.groups.count, rows, width, [=] THRONG_BODY(int g, int64_t r) { return from.at(g, r); }, to);
}

// Dense with outputs in bfloat16, or in float32 if it is the last. Gradients that layers give each other are those before the
// activation.
class HalfDense {
 public:
  template <class Layer>
  HalfDense(const Layer& layer, int in, bool last)
      : in_(in),
        out_(layer.out()),
        last_(last),
        activation_(layer.activation()),
        kernel_(layer.kernel()),
        bias_(layer.bias()) {}

  bool fits() const { return in_ <= cuda::kMostIn && out_ <= cuda::kMostIn && (last_ || out_ % 8 == 0); }
  int in() const { return in_; }
  int out() const { return out_; }
  int64_t partial_size() const { return cuda::WeightProduct::partial_size(in_, out_); }

  void want(Arena& arena, int groups, int64_t rows) {
    if (last_) return arena.want(numbers_, groups * rows * out_);
    arena.want(output_, groups * rows * out_);
  }

  void forward(const Compute& c, int64_t rows, HalfRows x) const {
    cuda::RowProduct p{c.groups, rows, in_, out_, x, c.parameters + kernel_};
    p.bias = c.parameters + bias_;
    p.activation = activation_;
    if (last_) {
      p.numbers = {numbers_, out_, rows * out_};
    } else {
      p.y = half_rows(output_, rows, out_);
    }
    cuda::row_product(c.device, p);
  }
  HalfRows output(int64_t rows) const { return half_rows(output_, rows, out_); }
  Rows numbers(int64_t rows) const { return {numbers_, out_, rows * out_}; }

  // Gradients of kernel and bias from `dy`; returned is the product that x's is made by, for the caller to say where it goes.
  cuda::RowProduct backward(const Compute& c, int64_t rows, HalfRows x, HalfRows dy, float* partial) const {
    float *dw = c.gradients + kernel_, *db = c.gradients + bias_;
    cuda::weight_product(c.device, {c.groups, rows, in_, out_, x, dy, dw, db, partial});
    cuda::RowProduct p{c.groups, rows, out_, in_, dy, c.parameters + kernel_};
    p.transposed = true;
    return p;
  }
  // Lets the gradient of this layer's output y, which `p` gives, go on through the activation.
  void slope(cuda::RowProduct& p, HalfRows y) const {
    p.activation = activation_;
    p.below = y;
  }

 private:
  int in_, out_;
  bool last_;
  Activation activation_;
  int64_t kernel_, bias_;       // offsets
  Bfloat16* output_ = nullptr;  // [group, rows, out], after the activation
  float* numbers_ = nullptr;    // [group, rows, out]
};

// Half the bytes go to memory and back, and bias, activation and slope cost none of their own: they are done where products end.
// Outputs, their gradients, and the states that rollouts begin with stay float32, and so do all sums.
class HalfNetwork {
 public:
  // If there are kernels for such layers here. `own_first`: the first layer meets rows of numbers and nothing else, and is ours.
  static std::optional<HalfNetwork> of(const FirstLayer& first, bool own_first, const std::vector<Dense>& trunk,
                                       const std::optional<Gru>& gru, const std::vector<std::vector<Dense>>& heads) {
    HalfNetwork network;
    network.own_first_ = own_first;
    network.gru_ = gru;
    if (own_first) network.trunk_.emplace_back(first, first.view().dim, false);
    for (const Dense& layer : trunk) network.trunk_.emplace_back(layer, layer.in(), false);
    for (const auto& head : heads) {
      auto& own = network.heads_.emplace_back();
      for (const Dense& layer : head) own.emplace_back(layer, layer.in(), own.size() + 1 == head.size());
    }
    network.in_ = own_first ? first.view().dim : first.out();
    int device = 0, shared_bytes = 0;
    THRONG_CUDA(cudaGetDevice(&device));
    THRONG_CUDA(cudaDeviceGetAttribute(&shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
    bool fits = shared_bytes >= 227 * 1024 && (gru || !network.trunk_.empty());
    if (gru) fits = fits && gru->in() == gru->size() && (gru->size() == 64 || gru->size() == 128);
    network.each([&](const HalfDense& layer) { fits = fits && layer.fits(); });
    if (!fits) return std::nullopt;
    return network;
  }

  bool own_first() const { return own_first_; }
  // Of the last forward: states after each step, or before, and in float32 after the last.
  HalfRows states_after(int steps, int64_t sequences) const { return half_states(steps, sequences).from(sequences); }
  Rows last_states(int64_t sequences) const { return after_last(sequences); }
  OutRows initial(int64_t sequences) const { return {initial_, gru_->size(), sequences * gru_->size()}; }
  Rows output(int k, int64_t rows) const { return heads_[k].back().numbers(rows); }

  void want(Arena& arena, int groups, int64_t rows, int64_t sequences, bool train) {
    int64_t partial = 0;
    int widest = 16;
    each([&](HalfDense& layer) {
      layer.want(arena, groups, rows);
      partial = std::max(partial, layer.partial_size());
      widest = std::max({widest, half_width(layer.in()), half_width(layer.out())});
    });
    arena.want(packed_, groups * (own_first_ ? sequences : rows) * half_width(in_));
    if (gru_) {
      arena.want(gates_, groups * rows * 4 * gru_->size());
      arena.want(states_, groups * (rows + sequences) * gru_->size());
      arena.want(last_, groups * sequences * gru_->size());
      arena.want(initial_, groups * sequences * gru_->size());
      partial = std::max(partial, cuda::WeightProduct::partial_size(gru_->size(), 3 * gru_->size()));
    }
    if (!train) return;
    arena.want(partial_, groups * partial);
    for (Bfloat16** d : {&d_core_, &d_[0], &d_[1]}) arena.want(*d, groups * rows * widest);
  }

  // Rows for `forward` to begin with.
  HalfRows packed(const Compute& c, int64_t rows, Rows x) const {
    const OutHalfRows to = half_rows(packed_, rows, in_);
    pack_rows(c, rows, in_, x, to);
    return to;
  }

  void forward(const Compute& c, int steps, int64_t sequences, HalfRows x, const uint8_t* resets, Rows before) {
    const int64_t rows = steps * sequences;
    auto through = [&](const std::vector<HalfDense>& layers, HalfRows x) {
      for (const HalfDense& layer : layers) {
        layer.forward(c, rows, x);
        x = layer.output(rows);
      }
      return x;
    };
    seen_ = x;
    core_in_ = core_ = through(trunk_, x);
    if (gru_) {
      const cuda::HalfGruSequences g = gru_sequences(c, steps, sequences, resets);
      const OutRows last = after_last(sequences);
      gru_->size() == 64 ? cuda::half_gru_forward<64>(c.device, g, before, last)
                         : cuda::half_gru_forward<128>(c.device, g, before, last);
      core_ = states_after(steps, sequences);
    }
    for (const auto& head : heads_) through(head, core_);
  }

  // From the gradients of outputs, of each head [group, rows, dim], to those of all parameters; if the first layer is not ours, to
  // that of its output, too, in `d_first`.
  void backward(const Compute& c, int steps, int64_t sequences, const uint8_t* resets,
                const std::vector<OutRows>& d_outputs, OutRows d_first) const {
    const int64_t rows = steps * sequences;
    for (size_t k = heads_.size(); k-- > 0;) {
      const std::vector<HalfDense>& head = heads_[k];
      Bfloat16* d = d_[0];
      pack_rows(c, rows, head.back().out(), d_outputs[k], half_rows(d, rows, head.back().out()));
      for (size_t i = head.size(); i-- > 0;) {
        const HalfRows x = i > 0 ? head[i - 1].output(rows) : core_, dy = half_rows(d, rows, head[i].out());
        cuda::RowProduct p = head[i].backward(c, rows, x, dy, partial_);
        d = i > 0 ? other(d) : d_core_;
        p.add = i == 0 && k + 1 < heads_.size();
        const HalfDense* below = i > 0 ? &head[i - 1] : gru_ || k > 0 ? nullptr : &trunk_.back();
        p.y = half_rows(d, rows, head[i].in());
        if (below) below->slope(p, x);
        cuda::row_product(c.device, p);
      }
    }
    Bfloat16* d = d_core_;
    auto down = [&](cuda::RowProduct p, HalfRows x, const HalfDense* below) {
      d = other(d);
      if (below) {
        p.y = half_rows(d, rows, below->out());
        below->slope(p, x);
      } else {
        p.numbers = d_first;
      }
      cuda::row_product(c.device, p);
    };
    if (gru_) down(gru_backward(c, steps, sequences, resets), core_in_, trunk_.empty() ? nullptr : &trunk_.back());
    for (size_t i = trunk_.size(); i-- > 0;) {
      const HalfRows x = i > 0 ? trunk_[i - 1].output(rows) : seen_, dy = half_rows(d, rows, trunk_[i].out());
      const cuda::RowProduct p = trunk_[i].backward(c, rows, x, dy, partial_);
      if (i > 0 || !own_first_) down(p, x, i > 0 ? &trunk_[i - 1] : nullptr);
    }
  }

 private:
  HalfNetwork() = default;

  template <class Visit>
  void each(Visit visit) {
    for (HalfDense& layer : trunk_) visit(layer);
    for (auto& head : heads_) {
      for (HalfDense& layer : head) visit(layer);
    }
  }
  Bfloat16* other(const Bfloat16* d) const { return d == d_[0] ? d_[1] : d_[0]; }

  OutHalfRows half_states(int steps, int64_t sequences) const {
    return half_rows(states_, (steps + 1) * sequences, gru_->size());
  }
  OutRows after_last(int64_t sequences) const { return {last_, gru_->size(), sequences * gru_->size()}; }
  // Gate n and those behind it, see Gru.
  OutHalfRows gates(int n, int64_t rows) const {
    const int size = gru_->size();
    return {gates_ + n * size, 4 * size, rows * 4 * size};
  }
  cuda::HalfGruSequences gru_sequences(const Compute& c, int steps, int64_t sequences, const uint8_t* resets) const {
    const float* p = c.parameters;
    return {c.groups,         steps,  sequences, p + gru_->input(),           p + gru_->recurrent(),
            p + gru_->bias(), resets, core_in_,  gates(0, steps * sequences), half_states(steps, sequences)};
  }

  // Gradients of the recurrent core, and the product that its input's is made by.
  cuda::RowProduct gru_backward(const Compute& c, int steps, int64_t sequences, const uint8_t* resets) const {
    const int64_t rows = steps * sequences;
    const int size = gru_->size();
    const cuda::HalfGruSequences g = gru_sequences(c, steps, sequences, resets);
    const HalfRows d_after = half_rows(d_core_, rows, size), of_state = gates(0, rows), of_input = gates(1, rows);
    size == 64 ? cuda::half_gru_backward<64>(c.device, g, d_after) : cuda::half_gru_backward<128>(c.device, g, d_after);
    float *kernel = c.gradients + gru_->recurrent(), *bias = c.gradients + gru_->bias();
    cuda::weight_product(c.device, {c.groups, rows, size, 3 * size, g.states, of_state, kernel, bias, partial_});
    kernel = c.gradients + gru_->input();
    cuda::weight_product(c.device, {c.groups, rows, size, 3 * size, g.x, of_input, kernel, bias + size, partial_});
    cuda::RowProduct p{c.groups, rows, 3 * size, size, of_input, c.parameters + gru_->input()};
    p.transposed = true;
    return p;
  }

  bool own_first_ = false;
  int in_ = 0;  // of the rows that we begin with
  std::vector<HalfDense> trunk_;
  std::optional<Gru> gru_;  // its sizes, and where its parameters are
  std::vector<std::vector<HalfDense>> heads_;

  HalfRows seen_ = {}, core_in_ = {}, core_ = {};  // of the last forward
  Bfloat16* packed_ = nullptr;                     // [group, rows, in]
  Bfloat16* gates_ = nullptr;                      // [group, steps, sequences, 4, size]
  Bfloat16* states_ = nullptr;                     // [group, steps + 1, sequences, size]
  float *last_ = nullptr, *initial_ = nullptr;     // [group, sequences, size]
  float* partial_ = nullptr;                       // see WeightProduct
  Bfloat16* d_core_ = nullptr;                     // [group, rows, core_dim]
  Bfloat16* d_[2] = {};                            // [group, rows, widest], in turn
};

}  // namespace throng
