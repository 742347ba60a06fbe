// Games in which players take turns, for agents that act all at once: who is not on turn has the single legal action 0.
#pragma once

#include <string>

#include "core/platform.hpp"
#include "envs/common/bits.hpp"

namespace throng::common {

inline std::string player_name(int agent) { return "player_" + std::to_string(agent); }

// The legal actions of who must wait, or cannot move: 0, which is ignored.
THRONG_HD void write_waiting(int num_actions, auto& out) {
  for (int first = 0; first < num_actions; first += 8) write_bytes(first == 0, num_actions - first, out);
}

}  // namespace throng::common
