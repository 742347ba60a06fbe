// How apples grow in harvest: the likelier, the more of them are near.
#pragma once

#include "envs/harvest/state.hpp"

namespace throng::harvest {

// Calls add(columns) for each of the 12 neighbours that cells of this row have: the columns where it is an apple.
template <class Env, class Add>
THRONG_HD void each_neighbour(const Env& env, int row, const Add& add) {
  const auto& p = env.p;
  const auto apples = [&](int row) { return row < 0 || row >= p.height ? 0u : env.s.apple[row]; };
  const uint32_t ours = env.s.apple[row], above = apples(row - 1), below = apples(row + 1);
  uint32_t corner = below << 1;  // at (+1, -1)
  if (p.rule.blind_corner) {
    corner = apples(row + 1 < p.height ? row + 1 : row) << 1 & ~bit(p.width - 1);
  }
  add(above), add(below), add(ours << 1), add(ours >> 1);
  add(apples(row - 2)), add(apples(row + 2)), add(ours << 2), add(ours >> 2);
  add(above << 1), add(above >> 1), add(corner), add(below >> 1);
}

// Of the sites of a row those where an apple grows in this step. All of them at once: the bits of ge1, ge2 and ge3 say where at
// least so many neighbours are apples.
template <class Env, class D>
THRONG_HD uint32_t grown(const Env& env, int row, const D& draws) {
  const auto& p = env.p;
  const auto& s = env.s;
  const uint32_t sites = p.ground.orchard[row];
  uint32_t empty = sites & ~s.apple[row];
  if (empty == 0) return 0;
  if (!p.rule.in_turn) {  // a mark is in the way, and wiped
    empty &= ~s.mark[row];
    s.mark[row] &= ~sites;
  }
  uint32_t ge1 = 0, ge2 = 0, ge3 = 0;
  each_neighbour(env, row, [&](uint32_t found) {
    ge3 |= ge2 & found;
    ge2 |= ge1 & found;
    ge1 |= found;
  });
  uint32_t columns = 0;
  for (uint32_t left = empty & ge1; left != 0; left &= left - 1) {
    const int column = lowest_bit(left);
    const float chance = p.rule.regrowth[has_bit(ge2, column) + has_bit(ge3, column)];
    if (draws.regrow(p.ground.site_at(row, column)) < chance) columns |= bit(column);
  }
  return columns == 0 || p.rule.in_turn ? columns : columns & ~env.occupied(row);  // so is an agent
}

template <class Env, class D>
THRONG_HD void grow_apples(const Env& env, const D& draws) {
  env.lanes.each(env.p.height, [&](int row) { env.w.grown[row] = grown(env, row, draws); });
  env.lanes.each(env.p.height, [&](int row) {
    env.s.apple[row] |= env.w.grown[row];
    env.w.beam[row] = 0;
  });
}

}  // namespace throng::harvest
