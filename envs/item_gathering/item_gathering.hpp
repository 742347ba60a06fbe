// Item gathering: agents on a map pick up items of several kinds, each kind an objective.
#pragma once

#include <cstdint>
#include <string>

#include "core/env.hpp"
#include "envs/common/bits.hpp"
#include "envs/item_gathering/collisions.hpp"  // who gives way
#include "envs/item_gathering/params.hpp"      // settings and the map

// The rules are those of MOMAland's moitem_gathering_v0 (Felten et al. 2024, https://arxiv.org/abs/2407.16312), after
// Källström and Heintz (2019).
//
// Differs: when the last item goes in the last step, the episode is terminated; the original also calls it truncated.
// Differs: codes of items have no gaps and agents come behind them; the original has -(agent + 1) for agents.
// Differs: with randomise, agents that start inside are numbered as on the initial map.
// Differs: an action outside the range is a stay; the original's is undefined.
namespace throng::item_gathering {

enum Action : int32_t { kStay, kMove, kActions = kMove + common::kDirections };  // up, down, left, right

struct State {
  Field<uint64_t> items;  // [kind * words + word, env], the cells where an item of the kind lies, a bit each
  Field<uint8_t> cell;    // [agent, env]

  template <class V>
  THRONG_HD void fields(const Params& p, V&& v) {
    v("items", items, p.num_kinds * p.words());
    v("cell", cell, p.num_agents);
  }
};

struct Scratch {
  Field<uint8_t> wish;          // [agent], the cell where it wants to be
  Field<uint8_t> losers, next;  // [Losers::kCapacity], see settle_collisions
  Field<uint8_t> row, column;   // [side], where each goes when the map is shuffled
  Field<uint64_t> map;          // [cell / 8], what is seen: the codes of eight cells

  template <class V>
  THRONG_HD void fields(const Params& p, V&& v) {
    const int pairs = p.num_agents * p.num_agents;
    v("wish", wish, p.num_agents);
    v("losers", losers, pairs < Losers::kCapacity ? pairs : Losers::kCapacity);
    v("next", next, pairs < Losers::kCapacity ? pairs : Losers::kCapacity);
    v("row", row, p.randomise ? kMaxSide : 0);
    v("column", column, p.randomise ? kMaxSide : 0);
    v("map", map, (p.initial_map.size + 7) / 8);
  }
};

// Where chance enters.
struct Draws {
  Rng rng;
  enum Purpose : uint32_t { kCoin, kPickup, kRow, kColumn, kPlace };

  THRONG_HD bool coin(uint32_t toss) const { return rng.at(kCoin).below(toss, 2) == 1; }
  THRONG_HD float pickup(int agent) const { return rng.at(kPickup).uniform(agent); }
  THRONG_HD int row(int i, int n) const { return rng.at(kRow).below(i, n); }
  THRONG_HD int column(int i, int n) const { return rng.at(kColumn).below(i, n); }
  THRONG_HD int place(int i, int n) const { return rng.at(kPlace).below(i, n); }
};

struct Env {
  using Params = item_gathering::Params;
  using State = item_gathering::State;
  using Scratch = item_gathering::Scratch;
  using Obs = uint8_t;
  static constexpr const char* kVersion = "momaland-0.2.0";
  static constexpr int kMostLanes = 8;
  static constexpr const char* kInfo[] = {"items_collected"};  // share of all

  const Params& p;
  State s;
  Scratch w;
  Lanes lanes;

  THRONG_HD static Spec spec(const Params& p) {
    Spec spec;
    spec.num_agents = p.num_agents;
    spec.num_actions = kActions;
    spec.num_objectives = p.num_kinds;
    spec.time_limit = p.num_timesteps;
    spec.obs_low = 0;
    spec.obs_high = static_cast<float>(p.num_kinds + p.num_agents);
    spec.lanes = p.num_agents;
    return spec;
  }

  static std::string objective_name(const Params&, int kind) { return "item_" + std::to_string(kind + 1); }

  // --- the beginning of an episode

  THRONG_HD void reset(Rng rng) { reset_with(Draws{rng}); }

  template <class D>
  THRONG_HD void reset_with(const D& draws) {
    lanes.once([&] {
      const common::Grid grid = p.grid();
      if (p.randomise) {
        shuffle(w.row, grid.rows, [&](int i, int n) { return draws.row(i, n); });
        shuffle(w.column, grid.columns, [&](int i, int n) { return draws.column(i, n); });
      }
      for (int i = 0; i < p.num_kinds * p.words(); ++i) s.items[i] = 0;
      if (p.scatter) return scatter(draws);
      for (int cell = 0; cell < grid.num_cells(); ++cell) {
        if (p.kind[cell] > 0) items_near(p.kind[cell] - 1, start_of(cell)) |= common::long_bit(start_of(cell) % 64);
      }
      for (int a = 0; a < p.num_agents; ++a) s.cell[a] = static_cast<uint8_t>(start_of(p.start[a]));
    });
  }

  // Kind by kind, items as many as on the initial map; then the agents.
  template <class D>
  THRONG_HD void scatter(const D& draws) {
    int placed = 0;
    for (int kind = 1; kind <= p.num_kinds; ++kind) {
      for (int cell = 0; cell < p.initial_map.size; ++cell) {
        if (p.kind[cell] != kind) continue;
        const int to = empty_cell(placed++, true, 0, draws);
        items_near(kind - 1, to) |= common::long_bit(to % 64);
      }
    }
    for (int a = 0; a < p.num_agents; ++a) s.cell[a] = static_cast<uint8_t>(empty_cell(placed++, false, a, draws));
  }

  // A cell with neither an item nor one of the first agents, or one of those inside of the border.
  template <class D>
  THRONG_HD int empty_cell(int draw, bool inside, int agents, const D& draws) const {
    const auto empty = [&](int cell) {
      bool empty = kind_at(cell) < 0 && (!inside || p.inside(cell));
      for (int a = 0; a < agents; ++a) empty = empty && s.cell[a] != cell;
      return empty;
    };
    int count = 0, found = 0;
    for (int cell = 0; cell < p.initial_map.size; ++cell) count += empty(cell);
    for (int skip = draws.place(draw, count); !empty(found) || skip-- > 0;) ++found;
    return found;
  }

  // A uniformly random order of 0 .. n - 1 in which the first two and the last two stay where they are.
  template <class Draw>
  THRONG_HD static void shuffle(Field<uint8_t> order, int n, const Draw& draw) {
    for (int i = 0; i < n; ++i) order[i] = static_cast<uint8_t>(i);
    for (int i = n - 3; i > 2; --i) {
      const int j = 2 + draw(i, i - 1);
      const uint8_t kept = order[i];
      order[i] = order[j];
      order[j] = kept;
    }
  }

  // Where what stands in a cell of the initial map begins.
  THRONG_HD int start_of(int cell) const {
    if (!p.randomise) return cell;
    const common::Grid grid = p.grid();
    return p.inside(cell) ? grid.at(w.row[grid.row_of(cell)], w.column[grid.column_of(cell)]) : cell;
  }

  // --- one step

  THRONG_HD bool step(Actions actions, Rewards rewards, Rng rng) { return step_with(actions, rewards, Draws{rng}); }

  // All move at once, collisions are settled, then agents pick up in order.
  template <class D>
  THRONG_HD bool step_with(Actions actions, Rewards rewards, const D& draws) {
    lanes.each(p.num_agents, [&](int a) {
      const int to = p.grid().neighbour(s.cell[a], actions[a] - kMove);
      w.wish[a] = to < 0 ? s.cell[a] : static_cast<uint8_t>(to);
    });
    lanes.once([&] {
      settle_collisions(p.num_agents, s.cell, w.wish, Losers{w.losers}, Losers{w.next},
                        [&](uint32_t toss) { return draws.coin(toss); });
      for (int a = 0; a < p.num_agents; ++a) {
        s.cell[a] = w.wish[a];
        pick_up(a, rewards, draws);
      }
    });
    return items_left() == 0;
  }

  template <class D>
  THRONG_HD void pick_up(int agent, Rewards rewards, const D& draws) {
    const int cell = s.cell[agent], kind = kind_at(cell);
    if (kind < 0) return;
    if (p.pickup_probabilities.size > 0 && !(draws.pickup(agent) < p.pickup_probabilities[kind])) return;
    items_near(kind, cell) &= ~common::long_bit(cell % 64);
    if (p.reward_mode == common::kIndividual) rewards(agent, kind) += 1;
    for (int a = 0; p.reward_mode == common::kTeam && a < p.num_agents; ++a) rewards(a, kind) += 1;
  }

  // --- what lies where

  THRONG_HD uint64_t& items_near(int kind, int cell) const { return s.items[kind * p.words() + cell / 64]; }

  THRONG_HD int kind_at(int cell) const {  // -1: nothing
    for (int kind = 0; kind < p.num_kinds; ++kind) {
      if (common::has_bit(items_near(kind, cell), cell % 64)) return kind;
    }
    return -1;
  }

  THRONG_HD int items_left() const {
    int left = 0;
    for (int i = 0; i < p.num_kinds * p.words(); ++i) left += common::count_bits(s.items[i]);
    return left;
  }

  // --- what is seen

  // First who oneself is, then the map: 0 empty, 1 to num_kinds items, behind them the agents, who hide what they stand on.
  THRONG_HD void observe(int agent, auto& out) const {
    out(code_of_agent(agent));
    write_map(out);
  }

  THRONG_HD void world_state(auto& out) const { write_map(out); }

  THRONG_HD void prepare_views() const {
    lanes.each((p.initial_map.size + 7) / 8, [&](int i) { w.map[i] = draw_map(8 * i); });
  }

  // Of eight cells, as the bytes of a word.
  THRONG_HD uint64_t draw_map(int first) const {
    uint64_t codes = 0;
    for (int kind = 0; kind < p.num_kinds; ++kind) {
      codes += common::bytes_of_bits(items_near(kind, first) >> first % 64) * static_cast<uint64_t>(kind + 1);
    }
    for (int a = 0; a < p.num_agents; ++a) {
      if (s.cell[a] / 8 != first / 8) continue;
      const int shift = s.cell[a] % 8 * 8;
      codes = (codes & ~(uint64_t(255) << shift)) | static_cast<uint64_t>(code_of_agent(a)) << shift;
    }
    return codes;
  }

  THRONG_HD void write_map(auto& out) const {
    for (int first = 0; first < p.initial_map.size; first += 8)
      common::write_bytes(w.map[first / 8], p.initial_map.size - first, out);
  }

  THRONG_HD int code_of_agent(int agent) const { return p.num_kinds + 1 + agent; }

  THRONG_HD void info(auto& out) const { out(1 - static_cast<float>(items_left()) / static_cast<float>(p.num_items)); }
};

static_assert(Environment<Env>);

}  // namespace throng::item_gathering
