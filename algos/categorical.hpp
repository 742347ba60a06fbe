// Categorical: the distribution over an agent's legal actions, from logits and mask; several side by side are its heads.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/platform.hpp"
#include "core/rng.hpp"

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

  // From the gradients with respect to log_prob(action) and entropy to that of the logits.
  THRONG_HD void backward(int action, float d_log_prob, float d_entropy, float* d_logits) const {
    const float entropy = this->entropy();
    for (int a = 0; a < num_actions; ++a) {
      const float p = prob(a);
      const float of_log_prob = (a == action ? 1.0f : 0.0f) - p;
      const float of_entropy = avail[a] ? -p * (log_prob(a) + entropy) : 0.0f;
      d_logits[a] = avail[a] ? d_log_prob * of_log_prob + d_entropy * of_entropy : 0.0f;
    }
  }
};

// An agent's action is one choice per head. The heads are independent: their logits and masks lie one after the other, their
// log-probabilities and entropies add up.
struct Heads {
  static constexpr int kMost = 4;
  int count = 1;
  int sizes[kMost] = {};  // choices

  THRONG_HD int num_actions() const {
    int sum = 0;
    for (int h = 0; h < count; ++h) sum += sizes[h];
    return sum;
  }

  // Of the agent's number `row`: draws, or takes the likeliest; gives the log-probability. `actions` [count].
  THRONG_HD float choose(const float* logits, const uint8_t* avail, bool greedy, Key key, int64_t row,
                         int32_t* actions) const {
    float log_prob = 0;
    for (int h = 0; h < count; logits += sizes[h], avail += sizes[h], ++h) {
      const Categorical policy(logits, avail, sizes[h]);
      actions[h] = greedy ? policy.mode() : policy.sample(uniform(key, static_cast<uint32_t>(row * count + h)));
      log_prob += policy.log_prob(actions[h]);
    }
    return log_prob;
  }

  THRONG_HD void evaluate(const float* logits, const uint8_t* avail, const int32_t* actions, float* log_prob,
                          float* entropy) const {
    *log_prob = *entropy = 0;
    for (int h = 0; h < count; logits += sizes[h], avail += sizes[h], ++h) {
      const Categorical policy(logits, avail, sizes[h]);
      *log_prob += policy.log_prob(actions[h]);
      *entropy += policy.entropy();
    }
  }

  THRONG_HD void backward(const float* logits, const uint8_t* avail, const int32_t* actions, float d_log_prob,
                          float d_entropy, float* d_logits) const {
    for (int h = 0; h < count; logits += sizes[h], avail += sizes[h], d_logits += sizes[h], ++h)
      Categorical(logits, avail, sizes[h]).backward(actions[h], d_log_prob, d_entropy, d_logits);
  }
};

}  // namespace throng
