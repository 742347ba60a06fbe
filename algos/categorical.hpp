// Categorical: the distribution over an agent's legal actions, from logits and mask.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/platform.hpp"

namespace throng {

// One row of logits and mask. Illegal actions have probability 0 exactly: they are left out of every sum.
struct Categorical {
  const float* logits;   // [num_actions]
  const uint8_t* avail;  // [num_actions], at least one is 1
  int num_actions;
  float log_sum;  // of exp over the legal logits

  THRONG_HD Categorical(const float* logits, const uint8_t* avail, int num_actions)
      : logits(logits), avail(avail), num_actions(num_actions) {
    float largest = -INFINITY;
    for (int a = 0; a < num_actions; ++a) largest = avail[a] && logits[a] > largest ? logits[a] : largest;
    float sum = 0;
    for (int a = 0; a < num_actions; ++a) sum += avail[a] ? expf(logits[a] - largest) : 0.0f;
    log_sum = largest + logf(sum);
  }

  THRONG_HD float log_prob(int action) const { return logits[action] - log_sum; }
  THRONG_HD float prob(int action) const { return avail[action] ? expf(log_prob(action)) : 0.0f; }

  // The first action whose cumulative probability exceeds u in [0, 1).
  THRONG_HD int sample(float u) const {
    int last_legal = 0;
    float sum = 0;
    for (int a = 0; a < num_actions; ++a) {
      if (!avail[a]) continue;
      last_legal = a;
      sum += expf(log_prob(a));
      if (u < sum) return a;
    }
    return last_legal;  // rounding left the sum just under u
  }

  THRONG_HD int mode() const {
    int best = -1;
    for (int a = 0; a < num_actions; ++a) {
      if (avail[a] && (best < 0 || logits[a] > logits[best])) best = a;
    }
    return best;
  }

  THRONG_HD float entropy() const {
    float sum = 0;
    for (int a = 0; a < num_actions; ++a) {
      if (avail[a]) sum -= expf(log_prob(a)) * log_prob(a);
    }
    return sum;
  }
};

}  // namespace throng
