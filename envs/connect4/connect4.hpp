// Connect Four: two players drop tokens into columns; four in a row win, and every column is an objective of its own.
#pragma once

#include <cstdint>
#include <string>

#include "core/env.hpp"
#include "envs/common/bits.hpp"
#include "envs/common/choices.hpp"
#include "envs/common/turns.hpp"

// The rules and rewards are those of MOMAland's moconnect4_v0 (Felten et al. 2024, https://arxiv.org/abs/2407.16312).
//
// Differs: a move that is not legal is the first legal one; the original's ends the game with an error.
// Differs: both players see the board at every move, as one byte a cell; the original shows two planes.
namespace throng::connect4 {

inline constexpr int kPlayers = 2, kMaxSide = 20;
inline constexpr uint8_t kNobody = 2;
enum Objective { kWin, kSpeed, kFirstColumn };

struct Params {
  int board_width = 7;
  int board_height = 6;
  bool column_objectives = true;

  template <class V>
  void fields(V&& v) {
    v("board_width", board_width, "columns");
    v("board_height", board_height, "rows");
    v("column_objectives", column_objectives, "every column is an objective, beside winning and winning soon");
  }

  void check() {
    common::check_range("connect4", "board_width", board_width, 4, kMaxSide);
    common::check_range("connect4", "board_height", board_height, 4, kMaxSide);
  }
};

struct State {
  Field<uint32_t> tokens;  // [player * width + column, env], bit r: a token of the player in row r from the bottom
  Field<uint16_t> moves;   // [env], so far; an even number: player 0 is on turn
  Field<uint8_t> winner;   // [env], or kNobody

  template <class V>
  THRONG_HD void fields(const Params& p, V&& v) {
    v("tokens", tokens, kPlayers * p.board_width);
    v("moves", moves, 1);
    v("winner", winner, 1);
  }
};

struct Env {
  using Params = connect4::Params;
  using State = connect4::State;
  using Obs = uint8_t;
  static constexpr const char* kVersion = "momaland-0.2.0";
  static constexpr int kMostLanes = 2;
  static constexpr const char* kInfo[] = {"won", "drawn"};  // by player 0

  const Params& p;
  State s;
  Lanes lanes;

  THRONG_HD static Spec spec(const Params& p) {
    Spec spec;
    spec.num_agents = kPlayers;
    spec.num_actions = p.board_width;
    spec.num_objectives = p.column_objectives ? kFirstColumn + p.board_width : kFirstColumn;
    spec.obs_low = 0;
    spec.obs_high = 2;
    spec.obs_grid = {1, p.board_height, p.board_width};
    spec.lanes = kPlayers;
    return spec;
  }

  static std::string agent_name(const Params&, int agent) { return common::player_name(agent); }
  static std::string objective_name(const Params&, int o) {
    return o == kWin ? "win" : o == kSpeed ? "speed" : "column_" + std::to_string(o - kFirstColumn);
  }

  THRONG_HD void reset(Rng) {
    lanes.once([&] {
      for (int i = 0; i < kPlayers * p.board_width; ++i) s.tokens[i] = 0;
      s.moves[0] = 0;
      s.winner[0] = kNobody;
    });
  }

  THRONG_HD bool step(Actions actions, Rewards rewards, Rng) {
    lanes.once([&] {
      const int player = on_turn(), column = legal_column(actions[player]), row = height(column);
      s.tokens[player * p.board_width + column] |= 1u << row;
      ++s.moves[0];
      if (four_in_a_row(player, column, row)) s.winner[0] = static_cast<uint8_t>(player);
    });
    if (!over()) return false;
    lanes.each(kPlayers, [&](int player) { pay(player, rewards); });
    return true;
  }

  // A reward for the winner, its negative for the loser; each column to who has more tokens there.
  THRONG_HD void pay(int player, Rewards rewards) const {
    const float sign = s.winner[0] == kNobody ? 0.0f : s.winner[0] == player ? 1.0f : -1.0f;
    const float played = static_cast<float>(s.moves[0]) / static_cast<float>(p.board_width * p.board_height);
    rewards(player, kWin) = sign;
    rewards(player, kSpeed) = sign * (1 - played);
    for (int column = 0; p.column_objectives && column < p.board_width; ++column) {
      const int lead = common::count_bits(tokens(player, column)) - common::count_bits(tokens(1 - player, column));
      rewards(player, kFirstColumn + column) = static_cast<float>((lead > 0) - (lead < 0));
    }
  }

  // --- what is so

  THRONG_HD int on_turn() const { return s.moves[0] % kPlayers; }
  THRONG_HD bool over() const { return s.winner[0] != kNobody || s.moves[0] == p.board_width * p.board_height; }
  THRONG_HD uint32_t tokens(int player, int column) const { return s.tokens[player * p.board_width + column]; }
  THRONG_HD int height(int column) const { return common::count_bits(tokens(0, column) | tokens(1, column)); }
  THRONG_HD bool open(int column) const {
    return !common::has_bit(tokens(0, column) | tokens(1, column), p.board_height - 1);
  }

  THRONG_HD int legal_column(int action) const {
    if (action >= 0 && action < p.board_width && open(action)) return action;
    int column = 0;
    while (column < p.board_width - 1 && !open(column)) ++column;
    return column;
  }

  THRONG_HD bool four_in_a_row(int player, int column, int row) const {
    return row_of_four(player, column, row, 1, 0) || row_of_four(player, column, row, 0, 1) ||
           row_of_four(player, column, row, 1, 1) || row_of_four(player, column, row, 1, -1);
  }

  THRONG_HD bool row_of_four(int player, int column, int row, int dx, int dy) const {
    return 1 + run(player, column, row, dx, dy) + run(player, column, row, -dx, -dy) >= 4;
  }

  // Tokens of the player in a row from here on, without the one that is here.
  THRONG_HD int run(int player, int column, int row, int dx, int dy) const {
    int length = 0;
    for (;; ++length) {
      column += dx;
      row += dy;
      const bool inside = column >= 0 && column < p.board_width && row >= 0;
      if (!inside || !common::has_bit(tokens(player, column), row)) return length;
    }
  }

  // --- what is seen

  // Row by row from the top: 0 empty, 1 own, 2 the opponent's.
  THRONG_HD void observe(int agent, auto& out) const {
    for (int row = p.board_height - 1; row >= 0; --row) {
      uint32_t own = 0, opponents = 0;  // the columns where they have a token in this row
      for (int column = 0; column < p.board_width; ++column) {
        own |= (tokens(agent, column) >> row & 1) << column;
        opponents |= (tokens(1 - agent, column) >> row & 1) << column;
      }
      common::write_sides(own, opponents, p.board_width, out);
    }
  }

  THRONG_HD void avail(int agent, auto& out) const {
    if (agent != on_turn() || over()) return common::write_waiting(p.board_width, out);
    for (int column = 0; column < p.board_width; ++column) out(open(column));
  }

  THRONG_HD void info(auto& out) const {
    out(s.winner[0] == 0 ? 1.0f : 0.0f);
    out(s.winner[0] == kNobody ? 1.0f : 0.0f);
  }
};

static_assert(Environment<Env>);

}  // namespace throng::connect4
