// Gru: a gated recurrent unit over whole sequences (Cho et al. 2014, gates as in Flax and cuDNN) - forward and backward.
#pragma once

#include <string>
#include <type_traits>

#include "algos/compute.hpp"
#include "algos/parameters.hpp"

#ifdef __CUDACC__
#include "algos/gru_mma_cuda.hpp"
#endif

namespace throng {

//   r = sigmoid(W_ir x + b_ir + W_hr h)    z = sigmoid(W_iz x + b_iz + W_hz h)
//   n = tanh(W_in x + b_in + r (W_hn h + b_hn))    h' = (1 - z) n + z h
//
// Rows of a group are `[step, sequence]`. Where `resets[group, step, sequence]` is set, h is 0 before that step. A row of `gates` holds what the
// backward pass needs, [W_hn h + b_hn | r | z | n], and then the gradients before the activations in the same places: the first
// three belong to the recurrent products, the last three to those of the input, and either is one product.
class Gru {
 public:
  Gru(const std::string& path, int in, int size, Parameters& parameters)
      : in_(in),
        size_(size),
        input_(parameters.add_beside({path + ",ir,kernel", path + ",iz,kernel", path + ",in,kernel"}, in, size,
                                     Init::lecun_normal())),
        recurrent_(parameters.add_beside({path + ",hn,kernel", path + ",hr,kernel", path + ",hz,kernel"}, size, size,
                                         Init::orthogonal(1.0f))),
        bias_(parameters.add_beside({path + ",hn,bias", path + ",ir,bias", path + ",iz,bias", path + ",in,bias"}, 0,
                                    size, Init::zeros())) {}

  int in() const { return in_; }
  int size() const { return size_; }
  int64_t input() const { return input_; }
  int64_t recurrent() const { return recurrent_; }
  int64_t bias() const { return bias_; }

  // Room for `rows` = steps * sequences of at most `sequences` sequences, in each group.
  void want(Arena& arena, int groups, int64_t rows, int64_t sequences, bool train) {
    arena.want(gates_, (groups * Matmul::padded(rows) + Matmul::kRowBlock) * 4 * size_);
    arena.want(states_, groups * (rows + 2 * Matmul::padded(sequences)) * size_);
    arena.want(products_, groups * Matmul::padded(sequences) * 3 * size_);
    if (train) arena.want(carry_, groups * sequences * size_);
  }

  // Where the states before the first step lie if `backward` is to follow, [group, sequences, size].
  OutRows initial(int steps, int64_t sequences) const { return states(0, steps, sequences); }

  // The states after each step [group, steps, sequences, size], for x [group, steps, sequences, in] and the states before the
  // first step, which may lie elsewhere; both are padded to whole row blocks.
  Rows forward(const Compute& c, int steps, int64_t sequences, Rows x, const uint8_t* resets, Rows before) {
    const int64_t rows = steps * sequences;
    c.matmul.forward(c.groups, rows, in_, 3 * size_, x, c.parameters + input_, c.parameters + bias_ + size_, kIdentity,
                     gates(1, rows));
    const Rows after = states(1, steps, sequences);
    if (forward_fused(c, steps, sequences, resets, before)) return after;
    for (int t = 0; t < steps; ++t) {
      c.matmul.forward(c.groups, sequences, size_, 3 * size_, before, c.parameters + recurrent_, nullptr, kIdentity,
                       Matmul::packed(products_, sequences, 3 * size_));
      step(c, t, steps, sequences, resets, before);
      before = states(t + 1, steps, sequences);
    }
    return after;
  }

  // Turns `d_out` [group, steps, sequences, size] into gradients of all parameters, and of x in `d_x`. `resets` as in the last forward,
  // whose outputs this spends: afterwards they are 0 where the next step was reset.
  void backward(const Compute& c, int steps, int64_t sequences, Rows x, const uint8_t* resets, const float* d_out,
                float* d_x) const {
    const int64_t rows = steps * sequences;
    const bool fused = backward_fused(c, steps, sequences, resets, d_out);
    for (int t = steps - 1; t >= 0 && !fused; --t) {
      step_backward(c, t, steps, sequences, resets, d_out);
      if (t == 0) break;
      c.matmul.backward_input(c.groups, sequences, size_, 3 * size_, gates(0, rows).from(t * sequences),
                              c.parameters + recurrent_, {carry_, size_, sequences * size_}, /*add=*/true);
    }
    const Rows of_state = gates(0, rows), of_input = gates(1, rows), before = states(0, steps, sequences);
    c.matmul.backward_weight(c.groups, rows, size_, 3 * size_, before, of_state, c.gradients + recurrent_);
    c.matmul.backward_weight(c.groups, rows, in_, 3 * size_, x, of_input, c.gradients + input_);
    bias_backward(c, rows);
    c.matmul.backward_input(c.groups, rows, in_, 3 * size_, of_input, c.parameters + input_,
                            Matmul::packed(d_x, rows, in_), /*add=*/false);
  }

  // ---- the parts; public because nvcc wants the functions around its lambdas so ----

  void step(const Compute& c, int t, int steps, int64_t sequences, const uint8_t* resets, Rows before) const {
    const int size = size_;
    const int64_t rows = steps * sequences, apart = c.groups.apart;
    const Rows products = Matmul::packed(products_, sequences, 3 * size);
    const OutRows gates = this->gates(0, rows).from(t * sequences), after = states(t + 1, steps, sequences);
    const float* bias = c.parameters + bias_;
    resets += t * sequences;
    each_element(c.device, c.groups.count, sequences, size, [=] THRONG_BODY(int g, int64_t s, int k) {
      const bool fresh = resets[g * rows + s];
      const float* of_state = products.at(g, s) + k;
      float* gate = gates.at(g, s) + k;
      const float hn = (fresh ? 0.0f : of_state[0]) + bias[g * apart + k];
      const float r = sigmoid(gate[size] + (fresh ? 0.0f : of_state[size]));
      const float z = sigmoid(gate[2 * size] + (fresh ? 0.0f : of_state[2 * size]));
      const float n = tanhf(gate[3 * size] + r * hn);
      gate[0] = hn;
      gate[size] = r;
      gate[2 * size] = z;
      gate[3 * size] = n;
      after.at(g, s)[k] = (1.0f - z) * n + z * (fresh ? 0.0f : before.at(g, s)[k]);
    });
  }

  // What reaches step t from outside, `d_out`, and from the step after it, `carry_`, goes through the gates; what goes straight
  // on to the state before is left in `carry_`, to which the product through the gates is added.
  void step_backward(const Compute& c, int t, int steps, int64_t sequences, const uint8_t* resets,
                     const float* d_out) const {
    const int size = size_;
    const bool last = t == steps - 1;
    const int64_t rows = steps * sequences;
    const OutRows gates = this->gates(0, rows).from(t * sequences), before = states(t, steps, sequences);
    const Rows d_after = Matmul::packed(d_out, rows, size).from(t * sequences);
    float* carry = carry_;
    const uint8_t *here = resets + t * sequences, *next = here + sequences;
    each_element(c.device, c.groups.count, sequences, size, [=] THRONG_BODY(int g, int64_t s, int k) {
      float *gate = gates.at(g, s) + k, *state = before.at(g, s) + k;
      const int64_t i = (g * sequences + s) * size + k;
      const float d = d_after.at(g, s)[k] + (last || next[g * rows + s] ? 0.0f : carry[i]);
      if (here[g * rows + s]) *state = 0;
      const float hn = gate[0], r = gate[size], z = gate[2 * size], n = gate[3 * size], h = *state;
      const float d_n = d * (1.0f - z) * (1.0f - n * n), d_z = d * (h - n) * z * (1.0f - z);
      gate[0] = d_n * r;
      gate[size] = d_n * hn * r * (1.0f - r);
      gate[2 * size] = d_z;
      gate[3 * size] = d_n;
      carry[i] = d * z;
    });
  }

  void bias_backward(const Compute& c, int64_t rows) const {
    const Rows gates = this->gates(0, rows);
    sum_columns(c.device, c.reducer, c.groups, rows, 4 * size_, c.gradients + bias_,
                [=] THRONG_BODY(int g, int64_t r, int k) { return gates.at(g, r)[k]; });
  }

  THRONG_HD static float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

 private:
  // From gate number `first` on, and from before step t on.
  OutRows gates(int first, int64_t rows) const {
    const OutRows all = Matmul::packed(gates_, rows, 4 * size_);
    return {all.data + first * size_, all.stride, all.apart};
  }
  OutRows states(int t, int steps, int64_t sequences) const {
    return {states_ + t * sequences * size_, size_, (steps + 1) * sequences * size_};
  }

  // All steps in one launch, where there is a kernel for it: on a GPU, for the usual sizes. False: there is none. The choice does
  // not depend on the number of rows.
#ifdef __CUDACC__
  // run(operand, size); an operand of float is computed with as it is.
  template <class Run>
  bool fused(const Compute& c, Run&& run) const {
    auto with_size = [&](auto operand) {
      if (size_ == 128) return run(operand, std::integral_constant<int, 128>());
      if (size_ == 64) return run(operand, std::integral_constant<int, 64>());
      return false;
    };
    const Precision precision = c.matmul.precision();
    return precision == kFp32   ? with_size(0.0f)
           : precision == kTf32 ? with_size(cuda::Tf32())
                                : with_size(cuda::Bf16());
  }
  cuda::GruSequences all(const Compute& c, int steps, int64_t sequences, const uint8_t* resets) const {
    return {c.groups, steps, sequences, c.parameters + recurrent_, resets, gates(0, steps * sequences)};
  }
  bool forward_fused(const Compute& c, int steps, int64_t sequences, const uint8_t* resets, Rows before) const {
    const cuda::GruSequences g = all(c, steps, sequences, resets);
    const float* bias = c.parameters + bias_;
    const OutRows after = states(1, steps, sequences);
    return fused(c, [&](auto operand, auto size) {
      using Operand = decltype(operand);
      if constexpr (std::is_same_v<Operand, float>)
        return cuda::gru_forward<size()>(c.device, g, bias, before, after), true;
      else
        return cuda::gru_forward_mma<Operand, size()>(c.device, g, bias, before, after);
    });
  }
  bool backward_fused(const Compute& c, int steps, int64_t sequences, const uint8_t* resets, const float* d_out) const {
    const cuda::GruSequences g = all(c, steps, sequences, resets);
    const Rows d_after = Matmul::packed(d_out, steps * sequences, size_);
    return fused(c, [&](auto operand, auto size) {
      using Operand = decltype(operand);
      if constexpr (std::is_same_v<Operand, float>)
        return cuda::gru_backward<size()>(c.device, g, d_after, states(0, steps, sequences)), true;
      else
        return cuda::gru_backward_mma<Operand, size()>(c.device, g, d_after, states(0, steps, sequences));
    });
  }
#else
  bool forward_fused(const Compute&, int, int64_t, const uint8_t*, Rows) const { return false; }
  bool backward_fused(const Compute&, int, int64_t, const uint8_t*, const float*) const { return false; }
#endif

  int in_, size_;
  int64_t input_, recurrent_, bias_;  // offsets
  float* gates_ = nullptr;            // [group, steps, sequences, 4, size]
  float* states_ = nullptr;           // [group, steps + 1, sequences, size], before each step and after the last
  float* products_ = nullptr;         // [group, sequences, 3, size], of one step
  float* carry_ = nullptr;            // [group, sequences, size], gradient of the state before a step
};

}  // namespace throng
