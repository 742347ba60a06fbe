// Pursuit: how rewards of several objectives become what is learned from.
#pragma once

#include "algos/rollout.hpp"
#include "algos/scalarize.hpp"

namespace throng {

// All values are in units of `scale`: a critic's are of that size, and weights then weigh objectives of the same spread.
//
// Utility of the mean outcome (SER): the critic has a value for each objective, and an advantage is the sum of theirs, each
// times the slope of the utility: the weight, if that is linear. Mean utility of every outcome (ESR): the reward is what a
// step adds to the utility of all that was earned, and the critic has one value.
struct Pursuit {
  bool esr = false;
  bool slopes_vary = false;             // SER with a utility that is not linear
  const float* scale = nullptr;         // [objective]
  const float* slopes = nullptr;        // [num_steps, env, agent, objective], if they vary
  const Scalarizer* utility = nullptr;  // with references in units of `scale`

  THRONG_HD float reward(const Rollout& r, int64_t i, int value) const {
    if (!esr) return r.rewards[i * r.num_objectives + value] * scale[value];
    const float *weights = r.goals + i * r.goal.dim(), *before = weights + r.goal.weights;
    float after[kMaxObjectives];
    for (int j = 0; j < r.goal.earned; ++j) after[j] = before[j] + r.rewards[i * r.num_objectives + j] * scale[j];
    return (*utility)(weights, after) - (*utility)(weights, before);
  }

  // Of the advantage in terms of one value, in that of the sample.
  THRONG_HD float slope(const Rollout& r, int64_t i, int value) const {
    if (r.goal.weights == 0 || esr) return 1.0f;
    return slopes_vary ? slopes[i * r.num_objectives + value] : r.goals[i * r.goal.dim() + value];
  }
};

}  // namespace throng
