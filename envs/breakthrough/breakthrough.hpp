// Breakthrough: two armies of pawns; the first to reach the far row wins, and captures are objectives of their own.
#pragma once

#include <cstdint>
#include <string>

#include "core/env.hpp"
#include "envs/common/bits.hpp"
#include "envs/common/choices.hpp"
#include "envs/common/turns.hpp"

// The rules and rewards are those of MOMAland's mobreakthrough_v0 (Felten et al. 2024, https://arxiv.org/abs/2407.16312); the game
// is Dan Troyka's (2000).
//
// Differs: with `fixed` semantics a pawn moves to its left as it does to its right. The original, and `momaland`, look at the
// opponent's pawn on the wrong side: most captures to the left are missing, and a few moves capture an own pawn.
// Differs: a move that is not legal is the first legal one; a player without one (only with `momaland`) passes by action 0.
// Differs: both players see the board at every move, as one byte a cell; the original shows two planes.
namespace throng::breakthrough {

inline constexpr int kPlayers = 2, kMaxSide = 20, kWays = 3;
inline constexpr uint8_t kNobody = 2;
enum Way { kLeft, kStraight, kRight };
enum Objective { kWin, kSpeed, kCaptures, kLosses, kMaxObjectives };

struct Params {
  int board_width = 8;
  int board_height = 8;
  int num_objectives = kMaxObjectives;
  uint8_t semantics = common::kFixed;

  template <class V>
  void fields(V&& v) {
    v("board_width", board_width, "columns, x");
    v("board_height", board_height, "rows, y; player 0 starts at y = 0 and goes up");
    v("num_objectives", num_objectives, "how many of win, speed, captures and losses, in this order");
    v("semantics", semantics, common::kSemantics, "rules of moves to the left: as to the right, or as in the original");
  }

  THRONG_HD int num_cells() const { return board_width * board_height; }
  THRONG_HD int max_turns() const { return 4 * board_width * (board_height - 3) + 1; }

  void check() {
    common::check_range("breakthrough", "board_width", board_width, 3, kMaxSide);
    common::check_range("breakthrough", "board_height", board_height, 5, kMaxSide);
    common::check_range("breakthrough", "num_objectives", num_objectives, 1, kMaxObjectives);
  }
};

struct State {
  Field<uint32_t> pawns;  // [player * width + x, env], bit y: a pawn of the player
  Field<uint16_t> moves;  // [env], so far; an even number: player 0 is on turn
  Field<uint8_t> winner;  // [env], or kNobody

  template <class V>
  THRONG_HD void fields(const Params& p, V&& v) {
    v("pawns", pawns, kPlayers * p.board_width);
    v("moves", moves, 1);
    v("winner", winner, 1);
  }
};

// A pawn at (x, y) that goes one row ahead, to column x + way - 1.
struct Move {
  int x, y, way;
  THRONG_HD int to_x() const { return x + way - 1; }
};

struct Env {
  using Params = breakthrough::Params;
  using State = breakthrough::State;
  using Obs = uint8_t;
  static constexpr const char* kVersion = "momaland-0.2.0";
  static constexpr int kMostLanes = 2;
  static constexpr const char* kInfo[] = {"won"};  // by player 0

  const Params& p;
  State s;
  Lanes lanes;

  THRONG_HD static Spec spec(const Params& p) {
    Spec spec;
    spec.num_agents = kPlayers;
    spec.num_actions = p.num_cells() * kWays;
    spec.num_objectives = p.num_objectives;
    spec.time_limit =
        4 * p.num_cells();  // no game by the rules is so long; two armies that are both stuck would wait forever
    spec.obs_low = 0;
    spec.obs_high = 2;
    spec.obs_grid = {1, p.board_width, p.board_height};
    spec.lanes = kPlayers;
    return spec;
  }

  static std::string agent_name(const Params&, int agent) { return common::player_name(agent); }
  static std::string objective_name(const Params&, int objective) {
    constexpr const char* kNames[] = {"win", "speed", "captures", "losses"};
    return kNames[objective];
  }

  THRONG_HD void reset(Rng) {
    lanes.once([&] {
      for (int x = 0; x < p.board_width; ++x) {
        s.pawns[x] = 0b11u;
        s.pawns[p.board_width + x] = 0b11u << (p.board_height - 2);
      }
      s.moves[0] = 0;
      s.winner[0] = kNobody;
    });
  }

  THRONG_HD bool step(Actions actions, Rewards rewards, Rng) {
    lanes.once([&] {
      const int player = on_turn(), action = legal_action(player, actions[player]);
      if (action >= 0) make_move(player, move_of(action), rewards);
      ++s.moves[0];
      if (s.winner[0] != kNobody) pay_end(rewards);
    });
    return s.winner[0] != kNobody;
  }

  THRONG_HD void make_move(int player, Move move, Rewards rewards) {
    const int opponent = 1 - player, y = ahead(player, move.y);
    const bool captures = pawn(player, move.to_x(), y) || pawn(opponent, move.to_x(), y);
    s.pawns[player * p.board_width + move.x] &= ~(1u << move.y);
    s.pawns[opponent * p.board_width + move.to_x()] &= ~(1u << y);
    s.pawns[player * p.board_width + move.to_x()] |= 1u << y;
    const float share = 1 / static_cast<float>(2 * p.board_width);
    if (captures && p.num_objectives > kCaptures) rewards(player, kCaptures) = share;
    if (captures && p.num_objectives > kLosses) rewards(opponent, kLosses) = -share;
    const int far_row = player == 0 ? p.board_height - 1 : 0;
    if (y == far_row || !any_pawn(opponent)) s.winner[0] = static_cast<uint8_t>(player);
  }

  THRONG_HD void pay_end(Rewards rewards) const {
    const float speed = 1 - static_cast<float>(s.moves[0]) / static_cast<float>(p.max_turns());
    for (int player = 0; player < kPlayers; ++player) {
      const float sign = s.winner[0] == player ? 1.0f : -1.0f;
      rewards(player, kWin) = sign;
      if (p.num_objectives > kSpeed) rewards(player, kSpeed) = sign * speed;
    }
  }

  // --- what is so

  THRONG_HD int on_turn() const { return s.moves[0] % kPlayers; }
  THRONG_HD static int ahead(int player, int y) { return player == 0 ? y + 1 : y - 1; }
  THRONG_HD uint32_t column(int player, int x) const { return s.pawns[player * p.board_width + x]; }
  THRONG_HD bool pawn(int player, int x, int y) const { return common::has_bit(column(player, x), y); }
  THRONG_HD bool any_pawn(int player) const {
    uint32_t any = 0;
    for (int x = 0; x < p.board_width; ++x) any |= s.pawns[player * p.board_width + x];
    return any != 0;
  }

  // The rows of column x from which the player can go this way: ahead if nobody is there, to the sides also where an opponent is.
  THRONG_HD uint32_t legal_rows(int player, int x, int way) const {
    const int to = x + way - 1;
    if (to < 0 || to >= p.board_width) return 0;
    uint32_t goals = common::bit(p.board_height) - 1;  // rows of the other column
    if (way == kStraight || p.semantics == common::kFixed) {
      goals &= ~column(player, to);
      if (way == kStraight) goals &= ~column(1 - player, to);
    } else {
      const int prey = way == kRight ? to : x + 1;  // the original looks to the wrong side
      const uint32_t captures = prey < p.board_width ? column(1 - player, prey) : 0;
      goals &= ~(column(0, to) | column(1, to)) | captures;
    }
    return column(player, x) & (player == 0 ? goals >> 1 : goals << 1);
  }

  THRONG_HD bool legal(int player, Move move) const {
    return common::has_bit(legal_rows(player, move.x, move.way), move.y);
  }

  THRONG_HD Move move_of(int action) const {
    const int cell = action / kWays;
    return {cell / p.board_height, cell % p.board_height, action % kWays};
  }

  // The action if it is legal, else the first that is, or -1.
  THRONG_HD int legal_action(int player, int action) const {
    if (action >= 0 && action < p.num_cells() * kWays && legal(player, move_of(action))) return action;
    for (int other = 0; other < p.num_cells() * kWays; ++other) {
      if (legal(player, move_of(other))) return other;
    }
    return -1;
  }

  // By the right rules the foremost pawn can always go to a side; by the original's it may not.
  THRONG_HD bool stuck(int player) const { return p.semantics != common::kFixed && legal_action(player, -1) < 0; }

  // --- what is seen

  // Column by column from y = 0: 0 empty, 1 own, 2 the opponent's.
  THRONG_HD void observe(int agent, auto& out) const {
    for (int x = 0; x < p.board_width; ++x) {
      common::write_sides(column(agent, x), column(1 - agent, x), p.board_height, out);
    }
  }

  THRONG_HD void avail(int agent, auto& out) const {
    if (agent != on_turn() || s.winner[0] != kNobody || stuck(agent)) {
      return common::write_waiting(p.num_cells() * kWays, out);
    }
    for (int x = 0; x < p.board_width; ++x) {
      uint32_t rows[kWays];
      for (int way = 0; way < kWays; ++way) rows[way] = legal_rows(agent, x, way);
      common::write_codes(
          p.board_height * kWays, [&](int i) { return rows[i % kWays] >> i / kWays & 1; }, out);
    }
  }

  THRONG_HD void info(auto& out) const { out(s.winner[0] == 0 ? 1.0f : 0.0f); }
};

static_assert(Environment<Env>);

}  // namespace throng::breakthrough
