// The scripted people of govsim: what each wants of the stock in a month.
#pragma once

#include "envs/common/bits.hpp"
#include "envs/govsim/state.hpp"

namespace throng::govsim {

using namespace common;

enum Player { kSustain, kGreedy, kMatch };

// sustain: the fair share; greedy: everything; match: the mean of what the others got last month, at first the fair share.
template <class Env>
THRONG_HD int scripted_want(const Env& env, int player, int agent) {
  const int n = env.p.num_agents;
  switch (player) {
    case kGreedy: return env.s.stock[0];
    case kMatch: {
      if (env.s.month[0] == 0 || n == 1) return env.fair_share();
      int others = 0;
      for (int i = 0; i < n; ++i) others += i == agent ? 0 : env.s.got[i];
      return others / (n - 1);
    }
    default: return env.fair_share();
  }
}

// The action that takes so many units, or as near as there is from below.
template <class Env>
THRONG_HD int action_for(const Env& env, int agent, int units) {
  const int stock = env.s.stock[0];
  if (env.s.phase[0] != 0 || !env.active(agent) || stock == 0) return 0;
  if (env.p.harvest_actions == kFractions) return units * kBins / stock;
  return units < env.p.harvest_choices() ? units : env.p.harvest_choices() - 1;
}

}  // namespace throng::govsim
