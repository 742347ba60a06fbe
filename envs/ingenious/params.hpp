// The settings of Ingenious, and what follows from them: the hexagon of cells and the tiles in the bag.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "envs/common/choices.hpp"

namespace throng::ingenious {

inline constexpr int kMaxSide = 10, kMaxCells = 3 * kMaxSide * (kMaxSide - 1) + 1, kDirections = 6;
inline constexpr int kMaxColours = 6, kMaxPlayers = 6, kMaxRack = 6, kMaxTiles = kMaxColours * (kMaxColours + 1) / 2;
inline constexpr int kNoCell = -1;

enum Mode : uint8_t { kCompetitive, kCollaborative, kTwoTeams };
inline constexpr const char* kModes[] = {"competitive", "collaborative", "two_teams"};

// Axial coordinates (q, r) of a hexagon.
inline constexpr int kStepQ[kDirections] = {1, 1, 0, -1, -1, 0}, kStepR[kDirections] = {0, -1, -1, 0, 1, 1};

THRONG_HD constexpr int opposite(int direction) { return (direction + 3) % kDirections; }

struct Params {
  int num_agents = 2;
  int rack_size = 6;
  int num_colours = 6;
  int board_size = 0;
  uint8_t reward_mode = kCompetitive;
  bool fully_obs = false;
  uint8_t semantics = common::kFixed;

  template <class V>
  void fields(V&& v) {
    v("num_agents", num_agents, "players, no more than colours");
    v("rack_size", rack_size, "tiles that a player holds");
    v("num_colours", num_colours, "colours of the tiles");
    v("board_size", board_size, "cells along a side of the board; 0: four more than players");
    v("reward_mode", reward_mode, kModes, "who is paid for a move: its player, all, or every second player");
    v("fully_obs", fully_obs, "everybody sees all racks");
    v("semantics", semantics, common::kSemantics,
      "what happens at the highest score: the game's rules, or the original's");
  }

  // Derived by check(). Cells are numbered by q, then r.
  int side = 0, num_cells = 0, num_tiles = 0, highest_score = 0;
  int8_t q[kMaxCells] = {}, r[kMaxCells] = {};        // [cell]
  int16_t neighbour[kMaxCells * kDirections] = {};    // [cell * 6 + direction], or kNoCell
  uint8_t corners[kMaxCells] = {};                    // [cell], bit i: it touches corner i
  int16_t corner[kDirections] = {};                   // [corner], its cell
  uint8_t low[kMaxTiles] = {}, high[kMaxTiles] = {};  // [tile], its colours from 1 on; low <= high
  uint8_t copies[kMaxTiles] = {};                     // [tile], in a full bag

  THRONG_HD int num_actions() const { return num_cells * kDirections * rack_size; }
  THRONG_HD int next_to(int cell, int direction) const { return neighbour[cell * kDirections + direction]; }

  void check() {
    const std::string game = "ingenious";
    common::check_range(game, "num_colours", num_colours, 2, kMaxColours);
    common::check_range(game, "num_agents", num_agents, 2, num_colours);
    common::check_range(game, "rack_size", rack_size, 2, kMaxRack);
    if (board_size != 0) common::check_range(game, "board_size", board_size, 3, kMaxSide);
    if (reward_mode == kTwoTeams && num_agents % 2 != 0)
      throw Error(game + ": two_teams needs an even number of players");
    side = board_size != 0 ? board_size : num_agents + 4;
    highest_score = 18 * (reward_mode == kCollaborative ? num_agents : reward_mode == kTwoTeams ? num_agents / 2 : 1);
    lay_out();
    fill_bag();
  }

 private:
  int cell_at(int at_q, int at_r) const {
    for (int cell = 0; cell < num_cells; ++cell) {
      if (q[cell] == at_q && r[cell] == at_r) return cell;
    }
    return kNoCell;
  }

  void lay_out() {
    num_cells = 0;
    const int most = side - 1;
    for (int at_q = -most; at_q <= most; ++at_q) {
      for (int at_r = -most; at_r <= most; ++at_r) {
        if (at_q + at_r < -most || at_q + at_r > most) continue;
        q[num_cells] = static_cast<int8_t>(at_q);
        r[num_cells++] = static_cast<int8_t>(at_r);
      }
    }
    for (int i = 0; i < kDirections; ++i) corner[i] = static_cast<int16_t>(cell_at(kStepQ[i] * most, kStepR[i] * most));
    for (int cell = 0; cell < num_cells; ++cell) {
      corners[cell] = 0;
      for (int direction = 0; direction < kDirections; ++direction) {
        const int next = cell_at(q[cell] + kStepQ[direction], r[cell] + kStepR[direction]);
        neighbour[cell * kDirections + direction] = static_cast<int16_t>(next);
        const auto* found = std::find(corner, corner + kDirections, next);
        if (next != kNoCell && found != corner + kDirections)
          corners[cell] |= static_cast<uint8_t>(1 << (found - corner));
      }
    }
  }

  // 120 tiles, or twice as many for the two largest boards; with six colours there are fewer doubles than others.
  void fill_bag() {
    num_tiles = 0;
    const int kinds = num_colours * (num_colours + 1) / 2, bags = side >= 9 ? 2 : 1;
    for (int first = 1; first <= num_colours; ++first) {
      for (int second = first; second <= num_colours; ++second) {
        const int each = num_colours < 6 ? 120 / kinds : first == second ? 5 : 6;
        low[num_tiles] = static_cast<uint8_t>(first);
        high[num_tiles] = static_cast<uint8_t>(second);
        copies[num_tiles++] = static_cast<uint8_t>(each * bags);
      }
    }
  }
};

}  // namespace throng::ingenious
