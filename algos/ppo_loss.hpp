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
  float log_prob;   // when the action was taken
  float advantage;  // normalised if asked for
};

struct PpoTerms {
  float policy_loss, value_loss, entropy, approx_kl, clipfrac, ratio_error;
};
inline constexpr int kPpoTerms = sizeof(PpoTerms) / sizeof(float);

struct PpoGradient {
  float log_prob, entropy;
};

// loss = -min(ratio A, clip(ratio) A) - ent_coef H, from the present policy's log-probability of the action and its entropy;
// the value's part is below.
THRONG_HD inline PpoTerms policy_loss(float log_prob, float entropy, const PpoSample& s, const PpoCoefficients& c,
                                      PpoGradient* gradient) {
  const float log_ratio = log_prob - s.log_prob;
  const float ratio = expf(log_ratio);
  const float clipped = fminf(fmaxf(ratio, 1.0f - c.clip_coef), 1.0f + c.clip_coef);
  const float gain = ratio * s.advantage, clipped_gain = clipped * s.advantage;

  // Not by fminf, which would hide a ratio that is no number. The clipped branch is flat.
  gradient->log_prob = gain > clipped_gain ? 0.0f : -gain;
  gradient->entropy = -c.ent_coef;

  PpoTerms terms;
  terms.policy_loss = gain > clipped_gain ? -clipped_gain : -gain;
  terms.value_loss = 0;
  terms.entropy = entropy;
  terms.approx_kl = (ratio - 1.0f) - log_ratio;
  terms.clipfrac = fabsf(ratio - 1.0f) > c.clip_coef ? 1.0f : 0.0f;
  terms.ratio_error = fabsf(ratio - 1.0f);
  return terms;
}

// 1/2 max((V - R)^2, (V_clipped - R)^2), from the present value V, the one when acting, and the return R; and vf_coef times its
// gradient.
THRONG_HD inline float value_loss(float value, float acting_value, float target, const PpoCoefficients& c,
                                  float* gradient) {
  const float error = value - target;
  const float change = value - acting_value, clipped_change = fminf(fmaxf(change, -c.clip_coef), c.clip_coef);
  const float clipped_error = acting_value + clipped_change - target;
  // Within the range both errors are one, and only rounding makes one larger: the gradient must not depend on that.
  const bool clips = c.clip_vloss && clipped_change != change && clipped_error * clipped_error > error * error;
  *gradient = clips ? 0.0f : c.vf_coef * error;
  return 0.5f * (clips ? clipped_error * clipped_error : error * error);
}

}  // namespace throng
