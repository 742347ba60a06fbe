// Ingenious: players lay two-coloured tiles on a hexagon and score, colour by colour, the lines that they extend.
#pragma once

#include <cstdint>
#include <string>

#include "core/env.hpp"
#include "envs/common/bits.hpp"
#include "envs/common/turns.hpp"
#include "envs/ingenious/params.hpp"  // settings, cells and tiles

// The rules are those of MOMAland's moingenious_v0 (Felten et al. 2024, https://arxiv.org/abs/2407.16312); the game is Reiner
// Knizia's (2004).
//
// Differs: with `fixed` semantics no score exceeds the highest, and who first reaches it has another turn. In the original, and
// with `momaland`, reaching it exactly gives none, and a score that stood there can grow and later fall back, for a negative reward.
// Differs: actions are numbered by cells in the order of (q, r); the original's numbers depend on the order of a hash table.
// Differs: a move that is not legal is the first legal one; the original's ends the game with an error.
// Differs: if the first round has no pair of cells left, on small boards, all pairs are legal at once.
// Differs: a rack is exchanged only while the bag can fill one.
// Differs: players observe one byte a cell, themselves first among the scores, and a mask of their own.
namespace throng::ingenious {

inline constexpr uint8_t kNoTile = 255;

struct State {
  Field<uint8_t> colour;  // [cell, env], 0 empty
  Field<uint8_t> rack;    // [player * rack_size + slot, env], tiles; kNoTile at the end of the game
  Field<uint8_t> bag;     // [tile, env], copies in the bag
  Field<int16_t> score;   // [player * colours + colour, env]
  Field<uint8_t> turn;    // [env], whose it is
  Field<uint8_t> round;   // [env], 0 in the first round, then 1
  Field<uint8_t> used;    // [env], bit i: corner i was used in the first round

  template <class V>
  THRONG_HD void fields(const Params& p, V&& v) {
    v("colour", colour, p.num_cells);
    v("rack", rack, p.num_agents * p.rack_size);
    v("bag", bag, p.num_tiles);
    v("score", score, p.num_agents * p.num_colours);
    v("turn", turn, 1);
    v("round", round, 1);
    v("used", used, 1);
  }
};

// Where chance enters: which of `count` tiles is drawn; draws of a step, or of the deal, are numbered.
struct Draws {
  Rng rng;
  THRONG_HD int tile(int draw, int count) const { return rng.below(static_cast<uint32_t>(draw), count); }
};

struct Move {
  int first, second, slot, direction;  // two cells, the second in this direction of the first
};

struct Env {
  using Params = ingenious::Params;
  using State = ingenious::State;
  using Obs = uint8_t;
  static constexpr const char* kVersion = "momaland-0.2.0";
  static constexpr int kMostLanes = 4;
  static constexpr const char* kInfo[] = {
      "lowest_score"};  // of each player's colours, mean over players: who has more wins

  const Params& p;
  State s;
  Lanes lanes;

  THRONG_HD static Spec spec(const Params& p) {
    Spec spec;
    spec.num_agents = p.num_agents;
    spec.num_actions = p.num_actions();
    spec.num_objectives = p.num_colours;
    spec.obs_low = 0;
    // With `momaland` a score can exceed the highest by what one move earns.
    spec.obs_high =
        static_cast<float>(p.highest_score + (p.semantics == common::kFixed ? 0 : 4 * kDirections * p.side));
    spec.lanes = p.num_agents;
    return spec;
  }

  static std::string agent_name(const Params&, int agent) { return common::player_name(agent); }
  static std::string objective_name(const Params&, int o) { return "colour_" + std::to_string(o + 1); }

  // --- the beginning of a game

  THRONG_HD void reset(Rng rng) { reset_with(Draws{rng}); }

  template <class D>
  THRONG_HD void reset_with(const D& draws) {
    lanes.each(p.num_cells, [&](int cell) { s.colour[cell] = 0; });
    lanes.once([&] {
      for (int i = 0; i < kDirections; ++i) s.colour[p.corner[i]] = static_cast<uint8_t>(i + 1);
      for (int tile = 0; tile < p.num_tiles; ++tile) s.bag[tile] = p.copies[tile];
      for (int i = 0; i < p.num_agents * p.num_colours; ++i) s.score[i] = 0;
      for (int i = 0; i < p.num_agents * p.rack_size; ++i) s.rack[i] = draw_tile(i, draws);
      s.turn[0] = s.round[0] = s.used[0] = 0;
    });
  }

  // --- a move

  THRONG_HD bool step(Actions actions, Rewards rewards, Rng rng) { return step_with(actions, rewards, Draws{rng}); }

  template <class D>
  THRONG_HD bool step_with(Actions actions, Rewards rewards, const D& draws) {
    lanes.once([&] {
      const int player = s.turn[0];
      const Move move = legal_move(actions[player]);
      const bool again = lay(player, move, rewards);
      take_from_rack(player, move.slot);
      if (any_pair()) {
        s.rack[player * p.rack_size + p.rack_size - 1] = draw_tile(0, draws);
        exchange_rack(player, draws);
      }
      if (!again) pass_turn();
    });
    return !any_pair();
  }

  // Puts the tile down, scores, pays; true if the player has another turn.
  THRONG_HD bool lay(int player, Move move, Rewards rewards) {
    const int tile = s.rack[player * p.rack_size + move.slot], first = p.low[tile], second = p.high[tile];
    s.colour[move.first] = static_cast<uint8_t>(first);
    s.colour[move.second] = static_cast<uint8_t>(second);
    if (s.round[0] == 0) s.used[0] |= corner_used(move.first) | corner_used(move.second);

    const int before_first = score(player, first), before_second = score(player, second);
    score(player, first) += static_cast<int16_t>(line_length(move.first, move.direction));
    score(player, second) += static_cast<int16_t>(line_length(move.second, opposite(move.direction)));
    const bool first_again = at_highest(player, first, before_first);
    const bool second_again = at_highest(player, second, before_second);
    pay(player, first, score(player, first) - before_first, rewards);
    if (second != first) pay(player, second, score(player, second) - before_second, rewards);
    return first_again || second_again;
  }

  // Cells of the same colour in a row from this one, in all directions but where the other half of the tile lies.
  THRONG_HD int line_length(int cell, int other_half) const {
    int length = 0;
    for (int direction = 0; direction < kDirections; ++direction) {
      if (direction == other_half) continue;
      int next = p.next_to(cell, direction);
      for (; next != kNoCell && s.colour[next] == s.colour[cell]; next = p.next_to(next, direction)) ++length;
    }
    return length;
  }

  // Clips a score that was `before`; true if that gives another turn.
  THRONG_HD bool at_highest(int player, int colour, int before) {
    const int highest = p.highest_score, now = score(player, colour);
    if (p.semantics == common::kFixed) {
      if (now > highest) score(player, colour) = static_cast<int16_t>(highest);
      return before < highest && now >= highest;
    }
    if (now <= highest || before == highest) return false;
    score(player, colour) = static_cast<int16_t>(highest);
    return true;
  }

  THRONG_HD void pay(int player, int colour, int gain, Rewards rewards) const {
    for (int agent = 0; agent < p.num_agents; ++agent) {
      const bool paid =
          agent == player || p.reward_mode == kCollaborative || (p.reward_mode == kTwoTeams && agent % 2 == player % 2);
      if (paid) rewards(agent, colour - 1) = static_cast<float>(gain);
    }
  }

  // The corner that a cell laid in the first round takes: the first that it touches.
  THRONG_HD uint8_t corner_used(int cell) const {
    for (int direction = 0; direction < kDirections; ++direction) {
      const int next = p.next_to(cell, direction);
      for (int i = 0; next != kNoCell && i < kDirections; ++i) {
        if (p.corner[i] == next) return static_cast<uint8_t>(1 << i);
      }
    }
    return 0;
  }

  // --- racks and the bag

  // The tiles behind it move up.
  THRONG_HD void take_from_rack(int player, int slot) {
    Field<uint8_t> rack = s.rack;
    for (int i = player * p.rack_size + slot; i < (player + 1) * p.rack_size - 1; ++i) rack[i] = rack[i + 1];
    rack[(player + 1) * p.rack_size - 1] = kNoTile;
  }

  // They fill it from the first slot on.
  THRONG_HD int tiles_on_rack(int player) const {
    int count = 0;
    while (count < p.rack_size && s.rack[player * p.rack_size + count] != kNoTile) ++count;
    return count;
  }

  THRONG_HD int tiles_in_bag() const {
    int count = 0;
    for (int tile = 0; tile < p.num_tiles; ++tile) count += s.bag[tile];
    return count;
  }

  template <class D>
  THRONG_HD uint8_t draw_tile(int draw, const D& draws) {
    const int count = tiles_in_bag();
    if (count == 0) return kNoTile;
    int skip = draws.tile(draw, count), tile = 0;
    while (skip >= s.bag[tile]) skip -= s.bag[tile++];
    --s.bag[tile];
    return static_cast<uint8_t>(tile);
  }

  // Who holds no tile with a colour in which it has the least has its whole rack exchanged.
  template <class D>
  THRONG_HD void exchange_rack(int player, const D& draws) {
    const int least = lowest_score(player), first = player * p.rack_size;
    for (int slot = 0; slot < p.rack_size; ++slot) {
      const int tile = s.rack[first + slot];
      if (tile == kNoTile || score(player, p.low[tile]) == least || score(player, p.high[tile]) == least) return;
    }
    if (tiles_in_bag() < p.rack_size) return;
    uint8_t old[kMaxRack];
    for (int slot = 0; slot < p.rack_size; ++slot) {
      old[slot] = s.rack[first + slot];
      s.rack[first + slot] = draw_tile(1 + slot, draws);
    }
    for (int slot = 0; slot < p.rack_size; ++slot) ++s.bag[old[slot]];
  }

  THRONG_HD void pass_turn() {
    s.turn[0] = static_cast<uint8_t>((s.turn[0] + 1) % p.num_agents);
    if (s.turn[0] == 0 || !any_first_pair()) s.round[0] = 1;
  }

  // --- what is so

  THRONG_HD int16_t& score(int player, int colour) const { return s.score[player * p.num_colours + colour - 1]; }

  THRONG_HD int lowest_score(int player) const {
    int least = score(player, 1);
    for (int colour = 2; colour <= p.num_colours; ++colour) {
      least = score(player, colour) < least ? score(player, colour) : least;
    }
    return least;
  }

  THRONG_HD bool empty_pair(int cell, int direction) const {
    const int other = p.next_to(cell, direction);
    return s.colour[cell] == 0 && other != kNoCell && s.colour[other] == 0;
  }

  // Two empty cells side by side; in the first round one of them touches a corner, and neither a used one.
  THRONG_HD bool legal_pair(int cell, int direction) const {
    if (!empty_pair(cell, direction)) return false;
    if (s.round[0] > 0) return true;
    const int corners = p.corners[cell] | p.corners[p.next_to(cell, direction)];
    return corners != 0 && (corners & s.used[0]) == 0;
  }

  THRONG_HD bool any_pair() const {
    for (int i = 0; i < p.num_cells * kDirections; ++i) {
      if (i % kDirections < 3 && empty_pair(i / kDirections, i % kDirections)) return true;
    }
    return false;
  }

  THRONG_HD bool any_first_pair() const {
    if (s.round[0] > 0) return false;
    for (int i = 0; i < p.num_cells * kDirections; ++i) {
      if (legal_pair(i / kDirections, i % kDirections)) return true;
    }
    return false;
  }

  // The action if it is legal, else the first that is; there is one until the game is over.
  THRONG_HD Move legal_move(int action) const {
    const bool known = action >= 0 && action < p.num_actions();
    int place = known ? action / p.rack_size : 0, slot = known ? action % p.rack_size : 0;
    if (s.rack[s.turn[0] * p.rack_size + slot] == kNoTile) slot = 0;
    if (!known || !legal_pair(place / kDirections, place % kDirections)) {
      place = slot = 0;
      while (!legal_pair(place / kDirections, place % kDirections)) ++place;
    }
    const int cell = place / kDirections, direction = place % kDirections;
    return {cell, p.next_to(cell, direction), slot, direction};
  }

  // --- what is seen

  // The board in rows of q and columns of r, 0 outside; the rack or all racks, two colours a tile; the scores. Of players, the
  // observer comes first, then who follows it.
  THRONG_HD void observe(int agent, auto& out) const {
    write_board(out);
    for (int i = 0; i < (p.fully_obs ? p.num_agents : 1); ++i) write_rack((agent + i) % p.num_agents, out);
    for (int i = 0; i < p.num_agents; ++i) write_scores((agent + i) % p.num_agents, out);
  }

  THRONG_HD void world_state(auto& out) const {
    write_board(out);
    for (int player = 0; player < p.num_agents; ++player) write_rack(player, out);
    for (int player = 0; player < p.num_agents; ++player) write_scores(player, out);
    for (int player = 0; player < p.num_agents; ++player) out(player == s.turn[0]);
  }

  THRONG_HD void write_board(auto& out) const {
    // Of row q of the hexagon's 2 side - 1 rows, |q| cells are outside: before the others if q < 0, else behind.
    int cell = 0;
    for (int q = 1 - p.side; q < p.side; ++q) {
      const int before = q < 0 ? -q : 0, length = 2 * p.side - 1 - (q < 0 ? -q : q);
      common::write_codes(
          2 * p.side - 1,
          [&](int i) { return i >= before && i < before + length ? s.colour[cell + i - before] : uint8_t(0); }, out);
      cell += length;
    }
  }

  THRONG_HD void write_rack(int player, auto& out) const {
    for (int slot = 0; slot < p.rack_size; ++slot) {
      const int tile = s.rack[player * p.rack_size + slot];
      out(tile == kNoTile ? uint8_t(0) : p.low[tile]);
      out(tile == kNoTile ? uint8_t(0) : p.high[tile]);
    }
  }

  THRONG_HD void write_scores(int player, auto& out) const {
    for (int colour = 1; colour <= p.num_colours; ++colour) out(score(player, colour));
  }

  THRONG_HD void avail(int agent, auto& out) const {
    if (agent != s.turn[0] || !any_pair()) return common::write_waiting(p.num_actions(), out);
    const int tiles = tiles_on_rack(agent);
    const uint64_t slots = common::long_bit(tiles) - 1;
    for (int cell = 0; cell < p.num_cells; ++cell) {
      const bool empty = s.colour[cell] == 0;
      uint64_t legal = 0;  // of all directions and slots
      for (int direction = 0; empty && direction < kDirections; ++direction) {
        if (legal_pair(cell, direction)) legal |= slots << direction * p.rack_size;
      }
      common::write_bits(legal, kDirections * p.rack_size, out);
    }
  }

  THRONG_HD void info(auto& out) const {
    int sum = 0;
    for (int player = 0; player < p.num_agents; ++player) sum += lowest_score(player);
    out(static_cast<float>(sum) / static_cast<float>(p.num_agents));
  }
};

static_assert(Environment<Env>);

}  // namespace throng::ingenious
