// Gaussian: independent normal distributions of the numbers that an action is made of, with deviations that no state changes.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/platform.hpp"
#include "core/rng.hpp"

namespace throng {

struct Gaussian {
  int dim = 0;                     // numbers; 0: actions are choices
  int64_t apart = 0;               // of groups' parameters, see Groups
  const float* log_std = nullptr;  // [group, dim], parameters

  THRONG_HD Gaussian of(int group) const { return {dim, apart, log_std + group * apart}; }

  // Of the agent's number `row`: draws, or takes the means; gives the log-probability density. `numbers` [dim].
  THRONG_HD float choose(const float* means, bool greedy, Key key, int64_t row, float* numbers) const {
    float log_prob = 0;
    for (int i = 0; i < dim; ++i) {
      const float drawn = greedy ? 0.0f : normal(key, static_cast<uint32_t>(row * dim + i));
      numbers[i] = means[i] + expf(log_std[i]) * drawn;
      log_prob += of_number(means[i], log_std[i], numbers[i]);
    }
    return log_prob;
  }

  THRONG_HD void evaluate(const float* means, const float* numbers, float* log_prob, float* entropy) const {
    *log_prob = *entropy = 0;
    for (int i = 0; i < dim; ++i) {
      *log_prob += of_number(means[i], log_std[i], numbers[i]);
      *entropy += log_std[i] + 0.5f + kHalfLogTwoPi;
    }
  }

  // From the gradients with respect to log-probability and entropy to those of means and log_std.
  THRONG_HD void backward(const float* means, const float* numbers, float d_log_prob, float d_entropy, float* d_means,
                          float* d_log_std) const {
    for (int i = 0; i < dim; ++i) {
      const float std = expf(log_std[i]), z = (numbers[i] - means[i]) / std;
      d_means[i] = d_log_prob * z / std;
      d_log_std[i] = d_log_prob * (z * z - 1.0f) + d_entropy;
    }
  }

 private:
  static constexpr float kHalfLogTwoPi = 0.918938533f;

  THRONG_HD static float of_number(float mean, float log_std, float number) {
    const float z = (number - mean) / expf(log_std);
    return -0.5f * z * z - log_std - kHalfLogTwoPi;
  }

  // Box-Muller; the two uniforms of a number are those of one index under two keys.
  THRONG_HD static float normal(Key key, uint32_t i) {
    const float u = 1.0f - uniform(fold_in(key, 0), i), v = uniform(fold_in(key, 1), i);  // (0, 1], [0, 1)
    return sqrtf(-2.0f * logf(u)) * cosf(6.28318531f * v);
  }
};

}  // namespace throng
