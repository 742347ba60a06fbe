// Games in which players take turns, for agents that act all at once: who is not on turn has the single legal action 0.
#pragma once

#include "core/platform.hpp"

namespace throng::common {

// The legal actions of who must wait, or cannot move: 0, which is ignored.
THRONG_HD void write_waiting(int num_actions, auto& out) {
  out(true);
  for (int action = 1; action < num_actions; ++action) out(false);
}

// A board as an agent sees it: 0 empty, 1 its own, 2 an opponent's.
THRONG_HD inline int code_seen(bool own, bool opponents) { return own ? 1 : opponents ? 2 : 0; }

}  // namespace throng::common
