// Who gives way when agents want to be in the same cell: coins, tossed again until no cell is wanted twice.
#pragma once

#include <cstdint>

#include "core/field.hpp"
#include "core/platform.hpp"
#include "envs/item_gathering/params.hpp"

namespace throng::item_gathering {

struct Losers {
  Field<uint8_t> agent;  // [kMaxLosers]
  int size = 0;
  static constexpr int kCapacity = 255;
  THRONG_HD void add(int loser) {
    if (size < kCapacity) agent[size++] = static_cast<uint8_t>(loser);
  }
};

// Changes `wish`, the cell that each agent wants, until all are different; `here` is where they stand now. `coin(toss)` is true
// if of two agents the one that was looked at second loses; it then stays where it is, and may be in the way of others. Agents
// may swap places.
//
// First every pair is looked at in order. Then, pass by pass, every one that lost in the pass before is compared with all others.
// So of three that want one cell, the last gets it with probability 1/2, the others with 1/4 each, and who did not move always
// keeps its cell. In the (never observed) case that 50 passes per agent do not settle it, nobody moves.
template <class Coin>
THRONG_HD void settle_collisions(int agents, Field<uint8_t> here, Field<uint8_t> wish, Losers losers, Losers next,
                                 const Coin& coin) {
  uint32_t tosses = 0;
  const auto compare = [&](int first, int second) {
    if (wish[first] != wish[second]) return;
    const int loser = coin(tosses++) ? second : first;
    wish[loser] = here[loser];
    next.add(loser);
  };
  for (int i = 0; i < agents; ++i) {
    for (int j = i + 1; j < agents; ++j) compare(i, j);
  }
  for (int pass = 0; next.size > 0 && pass < 50 * agents; ++pass) {
    const Losers lost = next;
    next = losers;
    losers = lost;
    next.size = 0;
    for (int k = 0; k < lost.size; ++k) {
      for (int j = 0; j < agents; ++j) {
        if (j != lost.agent[k]) compare(lost.agent[k], j);
      }
    }
  }
  if (next.size == 0) return;
  for (int i = 0; i < agents; ++i) wish[i] = here[i];
}

}  // namespace throng::item_gathering
