// The scripted players of harvest: they walk to the nearest apple that they would eat, and never zap.
#pragma once

#include <cstdint>

#include "envs/harvest/beam.hpp"
#include "envs/harvest/growth.hpp"
#include "envs/harvest/state.hpp"

namespace throng::harvest {

// The columns of a row where an apple has at least `neighbours` apples around it.
template <class Env>
THRONG_HD uint32_t edible(const Env& env, int row, int neighbours) {
  uint32_t count[4] = {};  // a number per column, bit by bit
  each_neighbour(env, row, [&](uint32_t carry) {
    for (uint32_t& digit : count) {
      const uint32_t sum = digit ^ carry;
      carry &= digit;
      digit = sum;
    }
  });
  uint32_t equal = ~uint32_t(0), more = 0;  // compared from the highest digit on
  for (int i = 3; i >= 0; --i) {
    const uint32_t wanted = has_bit(static_cast<uint32_t>(neighbours), i) ? ~uint32_t(0) : 0;
    more |= equal & count[i] & ~wanted;
    equal &= ~(count[i] ^ wanted);
  }
  return env.s.apple[row] & (more | equal);
}

// The first step of a shortest way to an apple with at least `neighbours` others around it, 0 for any apple, on which no
// other apple is eaten. A stay, if there is none. Other agents are no obstacle to its plans.
template <class Env>
THRONG_HD int forage(const Env& env, int agent, int neighbours) {
  const Map& map = env.p.ground;
  const int stay = env.p.rule.absolute_moves ? 6 : 0;
  if (!env.in_play(agent)) return 0;
  const int pose = env.s.next[agent];
  const Cell here = cell_of(pose);
  // The wave of all cells from which such an apple is so many steps away, row by row.
  uint32_t wave[kMaxSide], open[kMaxSide];
  for (int row = 0; row < map.height; ++row) {
    const uint32_t columns = map.width == 32 ? ~uint32_t(0) : bit(map.width) - 1;
    wave[row] = edible(env, row, neighbours);
    open[row] = columns & ~map.wall[row] & ~env.s.apple[row];
  }
  for (bool spreads = true; spreads;) {
    for (int turn = 0; turn < 4; ++turn) {
      const Cell there = here.toward(turned(heading_of(pose), turn));
      if (map.inside(there.row, there.column) && has_bit(wave[there.row], there.column))
        return move_toward(env, pose, turn);
    }
    spreads = false;
    uint32_t above = 0;
    for (int row = 0; row < map.height; ++row) {
      const uint32_t old = wave[row], below = row + 1 < map.height ? wave[row + 1] : 0;
      wave[row] |= (old << 1 | old >> 1 | above | below) & open[row];
      spreads |= wave[row] != old;
      above = old;
    }
  }
  return stay;
}

// The action that moves along the heading turned left `turn` times.
template <class Env>
THRONG_HD int move_toward(const Env& env, int pose, int turn) {
  if (!env.p.rule.absolute_moves) return turn == 0 ? 1 : turn == 1 ? 3 : turn == 2 ? 2 : 4;
  const int way = turned(heading_of(pose), turn);
  return way == 0 ? 4 : way == 1 ? 2 : way == 2 ? 5 : 3;
}

}  // namespace throng::harvest
