// Distribution: what an agent may do, given by a network's output: choices, or numbers.
#pragma once

#include "algos/categorical.hpp"
#include "algos/gaussian.hpp"

namespace throng {

// `output` is an agent's row: logits of the choices, or means of the numbers. `actions` is int32 [heads] or float32 [dim].
struct Distribution {
  Heads heads;        // of choices
  Gaussian gaussian;  // of numbers

  THRONG_HD int outputs() const { return gaussian.dim > 0 ? gaussian.dim : heads.num_actions(); }
  THRONG_HD int action_dim() const { return gaussian.dim > 0 ? gaussian.dim : heads.count; }

  // The action of row `row` of `actions` is drawn with that number, or is the likeliest; gives its log-probability.
  THRONG_HD float choose(const float* output, const uint8_t* avail, bool greedy, Key key, int64_t row,
                         void* actions) const {
    if (gaussian.dim > 0)
      return gaussian.choose(output, greedy, key, row, static_cast<float*>(actions) + row * gaussian.dim);
    return heads.choose(output, avail, greedy, key, row, static_cast<int32_t*>(actions) + row * heads.count);
  }

  THRONG_HD void evaluate(const float* output, const uint8_t* avail, const void* actions, int64_t row, float* log_prob,
                          float* entropy) const {
    if (gaussian.dim > 0) {
      gaussian.evaluate(output, numbers(actions, row), log_prob, entropy);
    } else {
      heads.evaluate(output, avail, choices(actions, row), log_prob, entropy);
    }
  }

  // `d_log_std` [dim] is this row's part of that gradient.
  THRONG_HD void backward(const float* output, const uint8_t* avail, const void* actions, int64_t row, float d_log_prob,
                          float d_entropy, float* d_output, float* d_log_std) const {
    if (gaussian.dim > 0) {
      gaussian.backward(output, numbers(actions, row), d_log_prob, d_entropy, d_output, d_log_std);
    } else {
      heads.backward(output, avail, choices(actions, row), d_log_prob, d_entropy, d_output);
    }
  }

  // A game's actions are numbers in [-1, 1]; what is drawn beyond counts as the border.
  THRONG_HD void bound(float* numbers) const {
    for (int i = 0; i < gaussian.dim; ++i) numbers[i] = fminf(fmaxf(numbers[i], -1.0f), 1.0f);
  }

 private:
  THRONG_HD const float* numbers(const void* actions, int64_t row) const {
    return static_cast<const float*>(actions) + row * gaussian.dim;
  }
  THRONG_HD const int32_t* choices(const void* actions, int64_t row) const {
    return static_cast<const int32_t*>(actions) + row * heads.count;
  }
};

}  // namespace throng
