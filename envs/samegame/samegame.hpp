// SameGame: a move takes away a group of equal tiles; the rest falls and closes up. Every colour is an objective.
#pragma once

#include <cstdint>
#include <string>

#include "core/draws.hpp"
#include "core/env.hpp"
#include "envs/common/bits.hpp"
#include "envs/common/choices.hpp"
#include "envs/common/grid.hpp"
#include "envs/common/turns.hpp"

// The rules are those of MOMAland's mosame_game_v0 (Felten et al. 2024, https://arxiv.org/abs/2407.16312), without a bonus for an
// empty board.
//
// Differs: with `fixed` semantics a cell's action is its number row by row. The original counts rows of the board's height, which
// fits square boards only; `momaland` refuses others.
// Differs: every episode has a board of its own; the original's, reset without a seed, plays the first one again.
// Differs: a move that is not legal is the first legal one; the original's ends the game with an error.
// Differs: a board on which no move is legal from the beginning ends with the first step, whatever the action.
namespace throng::samegame {

inline constexpr int kMaxSide = 30, kMaxColours = 10, kMaxPlayers = 5;

struct Params {
  int board_width = 15;
  int board_height = 15;
  int num_colours = 5;
  int num_agents = 1;
  bool team_rewards = false;
  bool colour_rewards = true;
  uint8_t semantics = common::kFixed;

  template <class V>
  void fields(V&& v) {
    v("board_width", board_width, "columns");
    v("board_height", board_height, "rows");
    v("num_colours", num_colours, "colours of tiles");
    v("num_agents", num_agents, "players, who move in turn");
    v("team_rewards", team_rewards, "all are paid for every move, not only who made it");
    v("colour_rewards", colour_rewards, "every colour is an objective; otherwise there is one");
    v("semantics", semantics, common::kSemantics, "numbers of actions; momaland has them for square boards only");
  }

  THRONG_HD common::Grid grid() const { return {board_height, board_width}; }

  void check() {
    const std::string game = "samegame";
    common::check_range(game, "board_width", board_width, 3, kMaxSide);
    common::check_range(game, "board_height", board_height, 3, kMaxSide);
    common::check_range(game, "num_colours", num_colours, 2, kMaxColours);
    common::check_range(game, "num_agents", num_agents, 1, kMaxPlayers);
    if (semantics == common::kMomaland && board_width != board_height) {
      throw Error("samegame: with semantics momaland the board is square");
    }
  }
};

struct State {
  Field<uint8_t> tile;    // [cell, env], row by row from the top: 0 blank, else 1 + colour
  Field<uint32_t> legal;  // [row, env], bit x: the cell is part of a group of two or more
  Field<uint8_t> turn;    // [env], who moves

  template <class V>
  THRONG_HD void fields(const Params& p, V&& v) {
    v("tile", tile, p.grid().num_cells());
    v("legal", legal, p.board_height);
    v("turn", turn, 1);
  }
};

struct Scratch {
  Field<uint32_t> same;   // [row], bit x: the cell has the colour of the move
  Field<uint32_t> group;  // [row], bit x: the cell is taken away
  Field<uint8_t> source;  // [column], which column moves here; beyond the last one, board_width

  template <class V>
  THRONG_HD void fields(const Params& p, V&& v) {
    v("same", same, p.board_height);
    v("group", group, p.board_height);
    v("source", source, p.board_width);
  }
};

struct Env {
  using Params = samegame::Params;
  using State = samegame::State;
  using Scratch = samegame::Scratch;
  using Obs = uint8_t;
  static constexpr const char* kVersion = "momaland-0.2.0";
  static constexpr int kMostLanes = 16;
  static constexpr const char* kInfo[] = {"tiles_left"};  // share of the board

  const Params& p;
  State s;
  Scratch w;
  Lanes lanes;

  THRONG_HD static Spec spec(const Params& p) {
    Spec spec;
    spec.num_agents = p.num_agents;
    spec.num_actions = p.grid().num_cells();
    spec.num_objectives = p.colour_rewards ? p.num_colours : 1;
    spec.obs_low = 0;
    spec.obs_high = static_cast<float>(p.num_colours);
    spec.obs_grid = {1, p.board_height, p.board_width};
    spec.lanes = p.board_height;
    return spec;
  }

  static std::string agent_name(const Params&, int agent) { return common::player_name(agent); }
  static std::string objective_name(const Params& p, int o) {
    return p.colour_rewards ? "colour_" + std::to_string(o + 1) : "reward";
  }

  THRONG_HD void reset(Rng rng) {
    each_draw(lanes, rng, p.grid().num_cells(), [&](int cell, uint32_t drawn) {
      s.tile[cell] = static_cast<uint8_t>(1 + below_of(drawn, p.num_colours));
    });
    lanes.once([&] { s.turn[0] = 0; });
    find_legal();
  }

  THRONG_HD bool step(Actions actions, Rewards rewards, Rng) {
    const int player = s.turn[0], cell = legal_cell(actions[player]);
    if (cell >= 0) {
      const int colour = s.tile[cell];
      find_group(cell);
      pay(player, colour - 1, rewards);
      lanes.each(p.board_width, [&](int x) { let_fall(x); });
      close_up();
      find_legal();
    }
    lanes.once([&] { s.turn[0] = static_cast<uint8_t>((player + 1) % p.num_agents); });
    return over();
  }

  // --- a move

  // The cell that is played, or -1 if there is none.
  THRONG_HD int legal_cell(int action) const {
    const int cells = p.grid().num_cells();
    if (action >= 0 && action < cells && legal(action)) return action;
    int cell = 0;
    while (cell < cells && !legal(cell)) ++cell;
    return cell < cells ? cell : -1;
  }

  // All cells that are connected with this one by cells of its colour.
  THRONG_HD void find_group(int cell) {
    const common::Grid grid = p.grid();
    const int colour = s.tile[cell];
    lanes.each(grid.rows, [&](int y) {
      uint32_t same = 0;
      for (int x = 0; x < grid.columns; ++x) same |= static_cast<uint32_t>(s.tile[grid.at(y, x)] == colour) << x;
      w.same[y] = same;
      w.group[y] = 0;
    });
    lanes.once([&] {
      w.group[grid.row_of(cell)] = 1u << grid.column_of(cell);
      // Down and up again, until nothing is added; within a row, to both sides.
      for (bool grows = true; grows;) {
        grows = false;
        for (int i = 0; i < 2 * grid.rows; ++i) grows = spread(i < grid.rows ? i : 2 * grid.rows - 1 - i) || grows;
      }
    });
  }

  THRONG_HD bool spread(int y) {
    const uint32_t before = w.group[y];
    uint32_t group = before;
    if (y > 0) group |= w.group[y - 1] & w.same[y];
    if (y < p.board_height - 1) group |= w.group[y + 1] & w.same[y];
    for (uint32_t last = 0; last != group;) {
      last = group;
      group |= (group << 1 | group >> 1) & w.same[y];
    }
    w.group[y] = group;
    return group != before;
  }

  // A group of n is worth n^2.
  THRONG_HD void pay(int player, int colour, Rewards rewards) const {
    int size = 0;
    for (int y = 0; y < p.board_height; ++y) size += common::count_bits(w.group[y]);
    lanes.each(p.num_agents, [&](int agent) {
      if (p.team_rewards || agent == player)
        rewards(agent, p.colour_rewards ? colour : 0) = static_cast<float>(size * size);
    });
  }

  // What is left of a column comes to lie on its bottom.
  THRONG_HD void let_fall(int x) {
    const common::Grid grid = p.grid();
    int to = grid.rows - 1;
    for (int y = grid.rows - 1; y >= 0; --y) {
      if (!common::has_bit(w.group[y], x)) s.tile[grid.at(to--, x)] = s.tile[grid.at(y, x)];
    }
    for (; to >= 0; --to) s.tile[grid.at(to, x)] = 0;
  }

  // Columns close up to the left, over those that are empty.
  THRONG_HD void close_up() {
    const common::Grid grid = p.grid();
    lanes.once([&] {
      int to = 0;
      for (int x = 0; x < grid.columns; ++x) {
        if (s.tile[grid.at(grid.rows - 1, x)] != 0) w.source[to++] = static_cast<uint8_t>(x);
      }
      for (; to < grid.columns; ++to) w.source[to] = static_cast<uint8_t>(grid.columns);
    });
    lanes.each(grid.rows, [&](int y) {
      for (int x = 0; x < grid.columns; ++x) {
        const int from = w.source[x];  // never left of x
        s.tile[grid.at(y, x)] = from < grid.columns ? s.tile[grid.at(y, from)] : uint8_t(0);
      }
    });
  }

  // --- what is so

  // A move needs a neighbour of the same colour.
  THRONG_HD void find_legal() {
    const common::Grid grid = p.grid();
    lanes.each(grid.rows, [&](int y) {
      uint32_t legal = 0;
      for (int x = 0; x < grid.columns; ++x) {
        const int cell = grid.at(y, x), tile = s.tile[cell];
        const bool right = x < grid.columns - 1 && s.tile[cell + 1] == tile;
        const bool across = (y > 0 && s.tile[cell - grid.columns] == tile) ||
                            (y < grid.rows - 1 && s.tile[cell + grid.columns] == tile);
        if (tile == 0) continue;
        if (right) legal |= 3u << x;
        if (across) legal |= 1u << x;
      }
      s.legal[y] = legal;
    });
  }

  THRONG_HD bool legal(int cell) const { return common::has_bit(s.legal[cell / p.board_width], cell % p.board_width); }

  THRONG_HD bool over() const {
    uint32_t any = 0;
    for (int y = 0; y < p.board_height; ++y) any |= s.legal[y];
    return any == 0;
  }

  // --- what is seen

  // The board row by row from the top: 0 blank, else 1 + colour.
  THRONG_HD void observe(int, auto& out) const {
    common::write_codes(
        p.grid().num_cells(), [&](int cell) { return s.tile[cell]; }, out);
  }

  THRONG_HD void avail(int agent, auto& out) const {
    if (agent != s.turn[0] || over()) return common::write_waiting(p.grid().num_cells(), out);
    for (int y = 0; y < p.board_height; ++y) common::write_bits(s.legal[y], p.board_width, out);
  }

  THRONG_HD void info(auto& out) const {
    int tiles = 0;
    for (int cell = 0; cell < p.grid().num_cells(); ++cell) tiles += s.tile[cell] != 0;
    out(static_cast<float>(tiles) / static_cast<float>(p.grid().num_cells()));
  }
};

static_assert(Environment<Env>);

}  // namespace throng::samegame
