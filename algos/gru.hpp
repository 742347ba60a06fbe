// Gru: a gated recurrent unit over whole sequences (Cho et al. 2014, gates as in Flax and cuDNN) - forward and backward.
#pragma once

#include <string>
#include <type_traits>

#include "algos/compute.hpp"
#include "algos/parameters.hpp"

#ifdef __CUDACC__
#include "algos/gru_cuda.hpp"
#endif

namespace throng {

//   r = sigmoid(W_ir x + b_ir + W_hr h)    z = sigmoid(W_iz x + b_iz + W_hz h)
//   n = tanh(W_in x + b_in + r (W_hn h + b_hn))    h' = (1 - z) n + z h
//
// Rows are `[step, sequence]`. Where `resets[step, sequence]` is set, h is 0 before that step. A row of `gates` holds what the
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

  // Room for `rows` = steps * sequences of at most `sequences` sequences.
  void want(Arena& arena, int64_t rows, int64_t sequences, bool train) {
    arena.want(gates_, (Matmul::padded(rows) + Matmul::kRowBlock) * 4 * size_);
    arena.want(states_, (rows + 2 * Matmul::padded(sequences)) * size_);
    arena.want(products_, Matmul::padded(sequences) * 3 * size_);
    if (train) arena.want(carry_, sequences * size_);
  }

  // Where the states before the first step lie if `backward` is to follow, [sequences, size].
  float* initial() const { return states_; }

  // The states after each step [steps, sequences, size], for x [steps, sequences, in] and the states before the first step,
  // which may lie elsewhere; both are padded to whole row blocks.
  const float* forward(const Compute& c, int steps, int64_t sequences, const float* x, const uint8_t* resets,
                       const float* before) {
    c.matmul.forward(steps * sequences, in_, 3 * size_, {x, in_}, c.parameters + input_, c.parameters + bias_ + size_,
                     kIdentity, {gates_ + size_, 4 * size_});
    if (forward_fused(c, steps, sequences, resets, before)) return states_ + sequences * size_;
    for (int t = 0; t < steps; ++t) {
      c.matmul.forward(sequences, size_, 3 * size_, {before, size_}, c.parameters + recurrent_, nullptr, kIdentity,
                       {products_, 3 * size_});
      step(c, t, sequences, resets, before);
      before = states_ + (t + 1) * sequences * size_;
    }
    return states_ + sequences * size_;
  }

  // Turns `d_out` [steps, sequences, size] into gradients of all parameters, and of x in `d_x`. `resets` as in the last forward,
  // whose outputs this spends: afterwards they are 0 where the next step was reset.
  void backward(const Compute& c, int steps, int64_t sequences, const float* x, const uint8_t* resets,
                const float* d_out, float* d_x) const {
    const int64_t rows = steps * sequences;
    const bool fused = backward_fused(c, steps, sequences, resets, d_out);
    for (int t = steps - 1; t >= 0 && !fused; --t) {
      step_backward(c, t, steps, sequences, resets, d_out);
      if (t == 0) break;
      c.matmul.backward_input(sequences, size_, 3 * size_, {gates_ + t * sequences * 4 * size_, 4 * size_},
                              c.parameters + recurrent_, {carry_, size_}, /*add=*/true);
    }
    const Rows of_state{gates_, 4 * size_}, of_input{gates_ + size_, 4 * size_};
    c.matmul.backward_weight(rows, size_, 3 * size_, {states_, size_}, of_state, c.gradients + recurrent_);
    c.matmul.backward_weight(rows, in_, 3 * size_, {x, in_}, of_input, c.gradients + input_);
    bias_backward(c, rows);
    c.matmul.backward_input(rows, in_, 3 * size_, of_input, c.parameters + input_, {d_x, in_}, /*add=*/false);
  }

  // ---- the parts; public because nvcc wants the functions around its lambdas so ----

  void step(const Compute& c, int t, int64_t sequences, const uint8_t* resets, const float* before) const {
    const int size = size_;
    const float *products = products_, *bias = c.parameters + bias_;
    float *gates = gates_ + t * sequences * 4 * size, *after = states_ + (t + 1) * sequences * size;
    resets += t * sequences;
    each_element(c.device, sequences, size, [=] THRONG_HD(int64_t s, int k) {
      const bool fresh = resets[s];
      const float* of_state = products + s * 3 * size + k;
      float* gate = gates + s * 4 * size + k;
      const float hn = (fresh ? 0.0f : of_state[0]) + bias[k];
      const float r = sigmoid(gate[size] + (fresh ? 0.0f : of_state[size]));
      const float z = sigmoid(gate[2 * size] + (fresh ? 0.0f : of_state[2 * size]));
      const float n = tanhf(gate[3 * size] + r * hn);
      gate[0] = hn;
      gate[size] = r;
      gate[2 * size] = z;
      gate[3 * size] = n;
      after[s * size + k] = (1.0f - z) * n + z * (fresh ? 0.0f : before[s * size + k]);
    });
  }

  // What reaches step t from outside, `d_out`, and from the step after it, `carry_`, goes through the gates; what goes straight
  // on to the state before is left in `carry_`, to which the product through the gates is added.
  void step_backward(const Compute& c, int t, int steps, int64_t sequences, const uint8_t* resets,
                     const float* d_out) const {
    const int size = size_;
    const bool last = t == steps - 1;
    float *gates = gates_ + t * sequences * 4 * size, *carry = carry_, *before = states_ + t * sequences * size;
    const uint8_t *here = resets + t * sequences, *next = here + sequences;
    d_out += t * sequences * size;
    each_element(c.device, sequences, size, [=] THRONG_HD(int64_t s, int k) {
      float* gate = gates + s * 4 * size + k;
      const int64_t i = s * size + k;
      const float d = d_out[i] + (last || next[s] ? 0.0f : carry[i]);
      if (here[s]) before[i] = 0;
      const float hn = gate[0], r = gate[size], z = gate[2 * size], n = gate[3 * size], h = before[i];
      const float d_n = d * (1.0f - z) * (1.0f - n * n), d_z = d * (h - n) * z * (1.0f - z);
      gate[0] = d_n * r;
      gate[size] = d_n * hn * r * (1.0f - r);
      gate[2 * size] = d_z;
      gate[3 * size] = d_n;
      carry[i] = d * z;
    });
  }

  void bias_backward(const Compute& c, int64_t rows) const {
    const int columns = 4 * size_;
    const float* gates = gates_;
    sum_columns(c.device, c.reducer, rows, columns, c.gradients + bias_,
                [=] THRONG_HD(int64_t r, int k) { return gates[r * columns + k]; });
  }

  THRONG_HD static float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

 private:
  // All steps in one launch, where there is a kernel for it: on a GPU, in float32, for the usual sizes. False: there is none.
#ifdef __CUDACC__
  template <class Run>
  bool fused(const Compute& c, Run&& run) const {
    if (c.matmul.precision() != kFp32) return false;
    if (size_ == 128) return run(std::integral_constant<int, 128>()), true;
    if (size_ == 64) return run(std::integral_constant<int, 64>()), true;
    return false;
  }
  bool forward_fused(const Compute& c, int steps, int64_t sequences, const uint8_t* resets, const float* before) const {
    const cuda::GruSequences g{steps, sequences, c.parameters + recurrent_, resets, gates_};
    return fused(c, [&](auto size) {
      cuda::gru_forward<size()>(c.device, g, c.parameters + bias_, before, states_ + sequences * size_);
    });
  }
  bool backward_fused(const Compute& c, int steps, int64_t sequences, const uint8_t* resets, const float* d_out) const {
    const cuda::GruSequences g{steps, sequences, c.parameters + recurrent_, resets, gates_};
    return fused(c, [&](auto size) { cuda::gru_backward<size()>(c.device, g, d_out, states_); });
  }
#else
  bool forward_fused(const Compute&, int, int64_t, const uint8_t*, const float*) const { return false; }
  bool backward_fused(const Compute&, int, int64_t, const uint8_t*, const float*) const { return false; }
#endif

  int in_, size_;
  int64_t input_, recurrent_, bias_;  // offsets
  float* gates_ = nullptr;            // [steps, sequences, 4, size]
  float* states_ = nullptr;           // [steps + 1, sequences, size], before each step and after the last
  float* products_ = nullptr;         // [sequences, 3, size], of one step
  float* carry_ = nullptr;            // [sequences, size], gradient of the state before a step
};

}  // namespace throng
