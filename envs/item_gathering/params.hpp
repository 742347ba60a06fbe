// The settings of item gathering: the map, and how its items are paid.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "core/fixed_list.hpp"
#include "envs/common/choices.hpp"
#include "envs/common/grid.hpp"

namespace throng::item_gathering {

inline constexpr int kMaxSide = 16, kMaxCells = kMaxSide * kMaxSide, kMaxAgents = 16, kMaxKinds = 16;

using Map = FixedList<uint8_t, kMaxCells>;

// Codes of the initial map: 0 empty, 1 where an agent starts, larger numbers are items.
inline constexpr Map kDefaultMap = {64,
                                    {
                                        0, 0, 0, 0, 0, 0, 0, 1,  //
                                        0, 0, 0, 0, 0, 0, 0, 0,  //
                                        0, 0, 0, 0, 0, 3, 0, 0,  //
                                        0, 0, 3, 0, 3, 4, 0, 0,  //
                                        0, 0, 0, 2, 0, 0, 0, 0,  //
                                        0, 0, 2, 2, 0, 4, 0, 0,  //
                                        0, 0, 0, 0, 0, 0, 0, 0,  //
                                        1, 0, 0, 0, 0, 0, 0, 0,
                                    }};

struct Params {
  int num_timesteps = 10;
  Map initial_map = kDefaultMap;
  int columns = 8;
  bool randomise = false;
  bool scatter = false;
  uint8_t reward_mode = common::kIndividual;
  FixedList<float, kMaxKinds> pickup_probabilities = {};

  template <class V>
  void fields(V&& v) {
    v("num_timesteps", num_timesteps, "steps after which an episode is truncated");
    v("initial_map", initial_map, "row after row: 0 empty, 1 an agent, from 2 on kinds of item");
    v("columns", columns, "cells of a row of initial_map");
    v("randomise", randomise, "permute rows and columns at the start, but for a border of two cells");
    v("scatter", scatter,
      "every episode has a map of its own: items in any cells but those of the border, agents in any others");
    v("reward_mode", reward_mode, common::kRewardModes, "who picks up is paid, or all are paid for what any picks up");
    v("pickup_probabilities", pickup_probabilities, "by kind, chance that an item can be picked up; empty: always");
  }

  // Derived by check().
  int num_agents = 0, num_kinds = 0, num_items = 0;
  uint8_t start[kMaxAgents] = {};  // [agent], cell
  uint8_t kind[kMaxCells] =
      {};  // [cell], 0 where there is no item, else 1 + rank of its code among the codes of the map

  THRONG_HD common::Grid grid() const { return {initial_map.size / columns, columns}; }
  THRONG_HD int words() const { return (initial_map.size + 63) / 64; }  // of a set of cells

  // Not within two cells of the border.
  THRONG_HD bool inside(int cell) const {
    const int row = grid().row_of(cell), column = grid().column_of(cell);
    return row >= 2 && row < grid().rows - 2 && column >= 2 && column < columns - 2;
  }

  void check() {
    const std::string game = "item_gathering";
    common::check_range(game, "num_timesteps", num_timesteps, 1, 1000000);
    common::check_range(game, "columns", columns, 1, kMaxSide);
    common::check_range(game, "cells of initial_map", initial_map.size, 2, kMaxSide * columns);
    if (initial_map.size % columns != 0) throw Error(game + ": initial_map does not fill its last row");
    derive();
    common::check_range(game, "agents on initial_map", num_agents, 1, kMaxAgents);
    common::check_range(game, "kinds of item on initial_map", num_kinds, 1, kMaxKinds);
    if (scatter) {
      if (randomise) throw Error(game + ": scatter leaves nothing to randomise");
      int room = 0;
      for (int cell = 0; cell < initial_map.size; ++cell) room += inside(cell);
      common::check_range(game, "items to scatter inside of the border", num_items, 0, room);
      common::check_range(game, "items and agents to scatter", num_items + num_agents, 0, initial_map.size);
    }
    if (pickup_probabilities.size == 0) return;
    common::check_range(game, "length of pickup_probabilities", pickup_probabilities.size, num_kinds, num_kinds);
    for (float share : pickup_probabilities) common::check_range(game, "pickup_probabilities", share, 0, 1);
  }

 private:
  void derive() {
    num_agents = num_items = 0;
    bool known[256] = {};
    for (uint8_t code : initial_map) known[code] = true;
    for (int cell = 0; cell < initial_map.size; ++cell) {
      const int code = initial_map[cell];
      kind[cell] = code < 2 ? 0 : static_cast<uint8_t>(std::count(known + 2, known + code + 1, true));
      num_items += code >= 2;
      if (code != 1) continue;
      if (num_agents < kMaxAgents) start[num_agents] = static_cast<uint8_t>(cell);
      ++num_agents;
    }
    num_kinds = static_cast<int>(std::count(known + 2, known + 256, true));
  }
};

}  // namespace throng::item_gathering
