// PPO's clipped loss of one sample (Schulman et al. 2017), and its gradient beside it.
#pragma once

#include <cmath>

#include "core/platform.hpp"

namespace throng {

struct PpoCoefficients {
  float clip_coef, ent_coef, vf_coef;
  bool clip_vloss;
};

struct PpoSample {
  float log_prob, value;  // when the action was taken
  float advantage;        // normalised if asked for
  float target;           // the return
};

struct PpoTerms {
  float policy_loss, value_loss, entropy, approx_kl, clipfrac, ratio_error;
};
inline constexpr int kPpoTerms = sizeof(PpoTerms) / sizeof(float);

struct PpoGradient {
  float log_prob, entropy, value;
};

// loss = -min(ratio A, clip(ratio) A) - ent_coef H + vf_coef/2 max((V - R)^2, (V_clipped - R)^2), from the present policy's
// log-probability of the action, its entropy, and the present value.
THRONG_HD inline PpoTerms ppo_loss(float log_prob, float entropy, float value, const PpoSample& s,
                                   const PpoCoefficients& c, PpoGradient* gradient) {
  const float log_ratio = log_prob - s.log_prob;
  const float ratio = expf(log_ratio);
  const float clipped = fminf(fmaxf(ratio, 1.0f - c.clip_coef), 1.0f + c.clip_coef);
  const float gain = ratio * s.advantage, clipped_gain = clipped * s.advantage;

  const float error = value - s.target;
  const float change = value - s.value, clipped_change = fminf(fmaxf(change, -c.clip_coef), c.clip_coef);
  const float clipped_error = s.value + clipped_change - s.target;
  // Within the range both errors are one, and only rounding makes one larger: the gradient must not depend on that.
  const bool clips = c.clip_vloss && clipped_change != change && clipped_error * clipped_error > error * error;

  gradient->log_prob = gain <= clipped_gain ? -gain : 0.0f;  // the clipped branch is flat
  gradient->entropy = -c.ent_coef;
  gradient->value = clips ? 0.0f : c.vf_coef * error;

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
