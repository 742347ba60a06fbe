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
  int64_t group_rows = 1;               // of a slab
  const float* scale = nullptr;         // [group, objective]
  const float* slopes = nullptr;        // [num_steps, env, agent, objective], if they vary
  const Scalarizer* utility = nullptr;  // [group], with references in units of `scale`

  THRONG_HD int64_t group_of(const Rollout& r, int64_t i) const { return i % r.rows() / group_rows; }

  // A step's rewards are added to what was earned.
  THRONG_HD void add_earned(const Rollout& r, int64_t i, float* goal) const {
    const float* own = scale + group_of(r, i) * r.num_objectives;
    for (int j = 0; j < r.goal.earned; ++j) goal[r.goal.weights + j] += r.rewards[i * r.num_objectives + j] * own[j];
  }

  THRONG_HD float reward(const Rollout& r, int64_t i, int value) const {
    const int64_t group = group_of(r, i);
    if (!esr) return r.rewards[i * r.num_objectives + value] * scale[group * r.num_objectives + value];
    float after[2 * kMaxObjectives];
    const float *before = r.goals + i * r.goal.dim(), *weights = before;
    for (int k = 0; k < r.goal.dim(); ++k) after[k] = before[k];
    add_earned(r, i, after);
    return utility[group](weights, after + r.goal.weights) - utility[group](weights, before + r.goal.weights);
  }

  // Of the advantage in terms of one value, in that of the sample.
  THRONG_HD float slope(const Rollout& r, int64_t i, int value) const {
    if (r.goal.weights == 0 || esr) return 1.0f;
    return slopes_vary ? slopes[i * r.num_objectives + value] : r.goals[i * r.goal.dim() + value];
  }
};

}  // namespace throng
