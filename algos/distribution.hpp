// Distribution: what an agent may do, given by a network's output: choices, or numbers.
#pragma once

#include "algos/categorical.hpp"
#include "algos/gaussian.hpp"

namespace throng {

// `output` is an agent's row: logits of the choices, or means of the numbers. `action` is int32 [heads] or float32 [dim].
struct Distribution {
  Heads heads;        // of choices
  Gaussian gaussian;  // of numbers, if there are any

  // That of a group of networks, see Groups.
  THRONG_HD Distribution of(int group) const { return {heads, gaussian.of(group)}; }
  // Row `row` of actions, which all are of four bytes.
  THRONG_HD void* at(void* actions, int64_t row) const {
    return static_cast<int32_t*>(actions) + row * (gaussian.dim > 0 ? gaussian.dim : heads.count);
  }

  // Draws the action with the agent's number `row`, or takes the likeliest; gives its log-probability.
  THRONG_HD float choose(const float* output, const uint8_t* avail, bool greedy, Key key, int64_t row,
                         void* action) const {
    if (gaussian.dim > 0) return gaussian.choose(output, greedy, key, row, static_cast<float*>(action));
    return heads.choose(output, avail, greedy, key, row, static_cast<int32_t*>(action));
  }

  THRONG_HD void evaluate(const float* output, const uint8_t* avail, const void* action, float* log_prob,
                          float* entropy) const {
    if (gaussian.dim > 0) {
      gaussian.evaluate(output, static_cast<const float*>(action), log_prob, entropy);
    } else {
      heads.evaluate(output, avail, static_cast<const int32_t*>(action), log_prob, entropy);
    }
  }

  // `d_log_std` [dim] is this row's part of that gradient.
  THRONG_HD void backward(const float* output, const uint8_t* avail, const void* action, float d_log_prob,
                          float d_entropy, float* d_output, float* d_log_std) const {
    if (gaussian.dim > 0) {
      gaussian.backward(output, static_cast<const float*>(action), d_log_prob, d_entropy, d_output, d_log_std);
    } else {
      heads.backward(output, avail, static_cast<const int32_t*>(action), d_log_prob, d_entropy, d_output);
    }
  }

  // A game's numbers are in [-1, 1]; one that is drawn beyond counts as the border.
  THRONG_HD void bound(const void* drawn, float* bounded) const {
    for (int i = 0; i < gaussian.dim; ++i) bounded[i] = fminf(fmaxf(static_cast<const float*>(drawn)[i], -1.0f), 1.0f);
  }
};

}  // namespace throng
