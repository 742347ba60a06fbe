// Goal: what an agent with several objectives strives for, and what a policy is told of it besides its observations.
#pragma once

#include <cstdint>

#include "algos/scalarize.hpp"
#include "core/platform.hpp"
#include "core/rng.hpp"

namespace throng {

// A row of numbers for each agent: how much it weighs each objective, then what it has earned of each in this episode, in
// units of `Pursuit::scale`. Either is there only if policies need it; without both there is no row.
struct Goal {
  int weights = 0, earned = 0;

  THRONG_HD int dim() const { return weights + earned; }
};

// How an agent begins an episode: nothing is earned, and its weights are those of its group, or a draw from the simplex, one
// for all agents of an environment or for each.
struct Preference {
  Goal goal;
  const float* fixed;  // [group, objective]; null: they are drawn
  int sharing;         // agents of one draw
  int64_t group_rows;  // of a slab
  const Key* keys;     // [group], `stride` apart
  int stride;

  THRONG_HD void begin(int64_t row, uint32_t update, int t, float* to) const {
    const int64_t group = row / group_rows, draw = (row - group * group_rows) / sharing;
    if (fixed) {
      for (int j = 0; j < goal.weights; ++j) to[j] = fixed[group * goal.weights + j];
    } else {
      const Rng rng{fold_in(fold_in(keys[group * stride], update), static_cast<uint32_t>(t))};
      sample_weights(rng, static_cast<uint32_t>(draw), goal.weights, to);
    }
    for (int j = 0; j < goal.earned; ++j) to[goal.weights + j] = 0;
  }
};

}  // namespace throng
