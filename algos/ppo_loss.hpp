// PPO's clipped loss of one sample (Schulman et al. 2017), and its gradient beside it.
#pragma once

#include <cstdint>

#include "algos/categorical.hpp"

namespace throng {

struct PpoCoefficients {
  float clip_coef, ent_coef, vf_coef;
  bool clip_vloss;
};

struct PpoSample {
  int action;
  float log_prob, value;  // when the action was taken
  float advantage;        // normalised if asked for
  float target;           // the return
};

struct PpoTerms {
  float policy_loss, value_loss, entropy, approx_kl, clipfrac, ratio_error;
};
inline constexpr int kPpoTerms = sizeof(PpoTerms) / sizeof(float);

// loss = -min(ratio A, clip(ratio) A) - ent_coef H + vf_coef/2 max((V - R)^2, (V_clipped - R)^2). Writes the gradient times
// `scale` (1 / samples) with respect to the logits [num_actions] and the value.
THRONG_HD inline PpoTerms ppo_loss(const Categorical& policy, float value, const PpoSample& s, const PpoCoefficients& c,
                                   float scale, float* d_logits, float* d_value) {
  const float log_ratio = policy.log_prob(s.action) - s.log_prob;
  const float ratio = expf(log_ratio);
  const float clipped = fminf(fmaxf(ratio, 1.0f - c.clip_coef), 1.0f + c.clip_coef);
  const float gain = ratio * s.advantage, clipped_gain = clipped * s.advantage;
  const float d_log_prob = gain <= clipped_gain ? -gain : 0.0f;  // the clipped branch is flat
  const float entropy = policy.entropy();
  for (int a = 0; a < policy.num_actions; ++a) {
    const float p = policy.prob(a);
    const float of_policy = d_log_prob * ((a == s.action ? 1.0f : 0.0f) - p);
    const float of_entropy = policy.avail[a] ? p * (policy.log_prob(a) + entropy) : 0.0f;
    d_logits[a] = policy.avail[a] ? scale * (of_policy + c.ent_coef * of_entropy) : 0.0f;
  }

  const float error = value - s.target;
  const float change = fminf(fmaxf(value - s.value, -c.clip_coef), c.clip_coef);
  const float clipped_error = s.value + change - s.target;
  const bool clips = c.clip_vloss && clipped_error * clipped_error > error * error;
  *d_value = clips ? 0.0f : scale * c.vf_coef * error;

  PpoTerms terms;
  terms.policy_loss = -fminf(gain, clipped_gain);
  terms.value_loss = 0.5f * (clips ? clipped_error * clipped_error : error * error);
  terms.entropy = entropy;
  terms.approx_kl = (ratio - 1.0f) - log_ratio;
  terms.clipfrac = fabsf(ratio - 1.0f) > c.clip_coef ? 1.0f : 0.0f;
  terms.ratio_error = fabsf(ratio - 1.0f);
  return terms;
}

}  // namespace throng
