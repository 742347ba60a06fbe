// Where the beams of harvest go: the cells that a zap reaches, by the three sets of rules.
#pragma once

#include "envs/harvest/state.hpp"

namespace throng::harvest {

struct Cell {
  int row, column;
  THRONG_HD Cell toward(int heading, int steps = 1) const {
    return {row + steps * row_step(heading), column + steps * column_step(heading)};
  }
};

THRONG_HD inline Cell cell_of(int pose) { return {row_of(place_of(pose)), column_of(place_of(pose))}; }

// The four cells of SocialJax, of which a diagonal one that is off the map is the one ahead instead: target 0 is ahead, 1 the
// one beyond, 2 and 3 lie to either side of the first. They may be off the map.
THRONG_HD inline Cell target_of(const Map& map, int pose, int target) {
  const int heading = heading_of(pose);
  const Cell ahead = cell_of(pose).toward(heading);
  if (target == 0) return ahead;
  if (target == 1) return ahead.toward(heading);
  const Cell beside = ahead.toward(turned(heading, target == 2 ? 1 : -1));
  return map.inside(beside.row, beside.column) ? beside : ahead;
}

// What reading and writing such a cell means to SocialJax: indices below 0 wrap; past the end, reads stay on the last cell.
THRONG_HD inline Cell wrapped(const Map& map, Cell cell) {
  auto fold = [](int i, int n) { return i < 0 ? i + n : i < n ? i : n - 1; };
  return {fold(cell.row, map.height), fold(cell.column, map.width)};
}
THRONG_HD inline bool past_the_end(const Map& map, Cell cell) {
  return cell.row >= map.height || cell.column >= map.width;
}

// Calls reach(cell) for every cell on the map that a zap from `pose` reaches. A wall is not reached; it shields what lies
// behind it, and a diagonal cell if the cell beside the shooter is a wall, too. Lanes also end at the first agent.
template <class P, class Reach, class Occupied>
THRONG_HD void each_reached(const P& p, int pose, const Reach& reach, const Occupied& occupied) {
  const Map& map = p.ground;
  const int heading = heading_of(pose);
  const Cell here = cell_of(pose), ahead = here.toward(heading);
  auto wall = [&](Cell cell) { return map.wall_at(cell.row, cell.column); };
  if (p.rule.border_wraps) {
    for (int target = 0; target < 4; ++target) reach(wrapped(map, target_of(map, pose, target)));
  } else if (p.rule.beam_length == 0) {
    const bool shielded = wall(ahead);
    auto reach_open = [&](Cell cell) {
      if (!wall(cell)) reach(cell);
    };
    reach_open(ahead);
    if (!shielded || p.rule.through_walls) reach_open(ahead.toward(heading));
    for (int side : {1, 3}) {
      const Cell beside = here.toward(turned(heading, side));
      if (!shielded || !wall(beside) || p.rule.through_walls) reach_open(beside.toward(heading));
    }
  } else {
    for (int side : {0, 1, 3}) {  // the lanes at the sides begin beside the shooter
      Cell cell = side == 0 ? ahead : here.toward(turned(heading, side));
      for (int i = 0; i < p.rule.beam_length && !wall(cell); ++i, cell = cell.toward(heading)) {
        reach(cell);
        if (occupied(cell)) break;
      }
    }
  }
}

}  // namespace throng::harvest
