// Goal: what an agent with several objectives strives for, and what a policy is told of it besides its observations.
#pragma once

#include <cstdint>

#include "core/platform.hpp"

namespace throng {

// A row of numbers for each agent: how much it weighs each objective, then what it has earned of each in this episode, in
// units of `Pursuit::scale`. Either is there only if policies need it; without both there is no row.
struct Goal {
  int weights = 0, earned = 0;

  THRONG_HD int dim() const { return weights + earned; }
};

}  // namespace throng
