// Harvest: apples grow only near other apples. Who eats carefully eats for ever; agents can zap each other away.
#pragma once

#include <cstdint>
#include <type_traits>

#include "core/env.hpp"
#include "envs/common/bits.hpp"
#include "envs/harvest/apples.hpp"       // what eating brings: rewards and measures
#include "envs/harvest/draws.hpp"        // chance
#include "envs/harvest/forager.hpp"      // scripted players
#include "envs/harvest/growth.hpp"       // where apples grow
#include "envs/harvest/moves.hpp"        // who goes where
#include "envs/harvest/params.hpp"       // settings, and the three sets of rules
#include "envs/harvest/picture.hpp"      // render()
#include "envs/harvest/state.hpp"        // what is remembered
#include "envs/harvest/view.hpp"         // what agents see of it
#include "envs/harvest/world_state.hpp"  // what a central critic sees
#include "envs/harvest/zaps.hpp"         // who is hit

// Commons harvest of Melting Pot (Leibo et al. 2021, https://arxiv.org/abs/2107.06857; the game is of Perolat et al. 2017) in
// the form of SocialJax v1.2 (https://github.com/cooperativex/SocialJax). With `sjx` a step is SocialJax's, bit for bit.
//
// Rules that are ours, under `clean` and `mp`:
//   - An agent that is hit leaves the map at once. It misses the next `respawn_delay` steps and appears at the end of the last
//     of them, so that it sees where it is before it acts. With a delay of 0 it is SocialJax's: still there, and elsewhere
//     when the next step begins.
//   - A wall is never hit or marked. It shields what lies behind it, and a diagonal cell if both cells next to it are walls.
//   - Who cannot move keeps its heading. An action outside 0 to 7, or a zap that is not ready, is a stay.
//
// Differs: (sjx) the end of an episode truncates, and its last observation is kept; SocialJax calls it done and resets twice.
// Differs: (sjx) the inventories that planes 12 and 13 show are not in the observation, only whether there is one.
// Differs: (sjx) permutations are drawn as independent numbers: the same law, but not the numbers of a JAX key.
// Differs: (mp) observations are cells, not pixels; the tiles of "partnership" that fine one role are left out.
namespace throng::harvest {

inline constexpr float kEndProbability = 0.15f;
inline constexpr int kEndFrom = 1000, kEndEvery = 100;

// P is Params, or Sized or SizedClean where the compiler knows the sizes or the rules as well.
template <class P>
struct EnvOf {
  using Params = P;
  using State = harvest::State;
  using Scratch = harvest::Scratch;
  using Obs = uint8_t;  // a cell

  const P& p;
  State s;
  Scratch w;
  Lanes lanes;

  static constexpr const char* kVersion = "1";
  static constexpr int kMostLanes =
      std::is_same_v<P, harvest::Params> ? 32 : 8;  // of a variant, those of large batches
  static constexpr auto& kInfo = kMeasures;
  static constexpr const char* kPolicies[] = {"greedy", "careful"};

  THRONG_HD static Spec spec(const P& p) {
    Spec spec;
    spec.num_agents = p.num_agents;
    spec.num_actions = kActions;
    spec.num_objectives = p.components ? kNumObjectives : 1;
    spec.time_limit = p.rule.time_limit;
    spec.obs_low = 0;
    spec.obs_high = p.rule.mistaken_self ? 23 : p.rule.in_turn ? 13 : 8;
    spec.obs_grid = {1, kViewSide, kViewSide};
    spec.lanes = p.num_agents < 8 ? 24 : 3 * p.num_agents;
    return spec;
  }

  static std::string objective_name(const P& p, int objective) {
    constexpr const char* kParts[] = {"apples", "sustainability", "peace"};
    return p.components ? kParts[objective] : "reward";
  }

  // --- the beginning of an episode

  THRONG_HD void reset(Rng rng) { reset_with(Draws(rng)); }

  template <class D>
  THRONG_HD void reset_with(const D& draws) {
    lanes.each(p.height, [&](int row) {
      s.apple[row] = p.ground.orchard[row];
      s.mark[row] = 0;
    });
    lanes.each(p.num_agents, [&](int agent) {
      s.pose[agent] = s.next[agent] = kNoPose;
      if (p.rule.respawn_delay > 0) s.away[agent] = 0;
      if (p.rule.zap_cooldown > 0) s.cooldown[agent] = 0;
      if (p.traces()) s.trace[agent] = 0;
      s.eaten[agent] = 0;
      s.eaten_at[agent] = 0;
    });
    lanes.each(kTallies, [&](int tally) { s.tally[tally] = 0; });
    lanes.once([&] {
      for (int agent = 0; agent < p.num_agents; ++agent) {
        const Map& map = p.ground;  // the inner spawns are for the first agents
        const int place = agent < map.num_inner
                              ? map.inner_place(draws.spawn(agent, map.num_inner,
                                                            [&](int spawn) { return free(map.inner_place(spawn)); }))
                              : outer_spawn(agent, draws);
        s.pose[agent] = s.next[agent] = pose_at(place, draws.heading(agent, p.rule.headings));
      }
    });
  }

  // --- one step

  THRONG_HD bool step(Actions actions, Rewards rewards, Rng rng) { return step_with(actions, rewards, Draws(rng)); }

  template <class D>
  THRONG_HD bool step_with(Actions actions, Rewards rewards, const D& draws) {
    if (p.rule.in_turn) {
      lanes.each(p.height, [&](int row) { w.beam[row] = 0; });
    } else {
      grow_apples(*this, draws);
    }
    lanes.each(p.num_agents, [&](int agent) { decide(*this, agent, actions[agent]); });
    if (p.rule.in_turn) {
      move_in_turn(*this, draws);
    } else {
      move_at_once(*this, draws);
    }
    lanes.once([&] {
      pick_apples(*this);
      zap(*this);
    });
    lanes.each(p.height, [&](int row) { show_beams(*this, row); });
    lanes.each(p.num_agents, [&](int agent) {
      be_hit(*this, agent);
      digest(*this, agent);
    });
    if (p.rule.in_turn) grow_apples(*this, draws);
    lanes.each(p.num_agents, [&](int agent) { pay(*this, agent, rewards); });
    lanes.once([&] { conclude(draws); });
    const int t = static_cast<int>(s.tally[kSteps]);
    return p.rule.ends_by_chance && t >= kEndFrom && t % kEndEvery == 0 && draws.end() < kEndProbability;
  }

  // The step is counted, and those whose time has come find a place on an outer spawn.
  template <class D>
  THRONG_HD void conclude(const D& draws) {
    s.tally[kSteps] += 1;
    for (int agent = 0; agent < p.num_agents; ++agent) {
      const bool hit = w.hit[agent], out = !in_play(agent) && !hit;
      s.tally[kZaps] += w.zaps[agent];
      s.tally[kHits] += hit;
      s.tally[kStepsAway] += out;
      if (p.rule.respawn_delay == 0 ? !hit : !out || s.away[agent] > 0) continue;
      s.next[agent] = pose_at(outer_spawn(agent, draws), draws.heading(agent, p.rule.headings));
      if (out) s.pose[agent] = s.next[agent];
    }
    if (s.tally[kDepleted] != 0) return;
    uint32_t left = 0;
    for (int row = 0; row < p.height; ++row) left |= s.apple[row];
    if (left == 0) s.tally[kDepleted] = s.tally[kSteps];
  }

  template <class D>
  THRONG_HD int outer_spawn(int agent, const D& draws) const {
    const Map& map = p.ground;
    return map.outer_place(draws.spawn(agent, map.num_outer, [&](int spawn) { return free(map.outer_place(spawn)); }));
  }

  // --- what is so

  THRONG_HD bool in_play(int agent) const { return s.pose[agent] != kNoPose; }
  THRONG_HD bool ready(int agent) const { return p.rule.zap_cooldown == 0 || s.cooldown[agent] == 0; }

  THRONG_HD bool agent_at(int place) const {
    for (int agent = 0; agent < p.num_agents; ++agent) {
      if (place_of(s.pose[agent]) == place) return true;
    }
    return false;
  }
  // Nobody will stand there when the next step begins.
  THRONG_HD bool free(int place) const {
    for (int agent = 0; agent < p.num_agents; ++agent) {
      if (place_of(s.next[agent]) == place) return false;
    }
    return true;
  }

  THRONG_HD uint32_t occupied(int row) const {
    uint32_t columns = 0;
    for (int agent = 0; agent < p.num_agents; ++agent) {
      const int place = place_of(s.pose[agent]);
      if (row_of(place) == row) columns |= bit(column_of(place));
    }
    return columns;
  }
  // Neither wall nor apple nor agent; marks do not count.
  THRONG_HD uint32_t empty(int row) const { return ~(p.ground.wall[row] | s.apple[row] | occupied(row)); }

  // --- what is seen

  THRONG_HD void prepare_views() const {
    draw_map(*this);
    lanes.each(p.num_agents, [&](int agent) {
      if (in_play(agent)) draw_agent(*this, agent);
    });
  }

  // A window of 11 x 11 cells, the agent looking towards line 0 from the middle of line 9; zeros if it is out of play. The
  // codes: see look() in view.hpp.
  THRONG_HD void observe(int agent, auto& out) const {
#ifndef __CUDACC__
    if (in_play(agent)) return look(*this, agent, out);
#endif
    for (int line = 0; line < kViewSide; ++line) observe_part(agent, line, out);
  }
  THRONG_HD static int observe_parts(const P&) { return kViewSide; }
  THRONG_HD void observe_part(int agent, int line, auto& out) const {
    Line seen;
    if (in_play(agent)) seen = look(*this, agent, line);
    seen.write(out);
  }

  // Everything is legal to who is in play, but a zap that is not ready; to others only action 0, which does nothing.
  THRONG_HD void avail(int agent, auto& out) const {
    const bool plays = in_play(agent);
    out(true);
    for (int action = 1; action < kZap; ++action) out(plays);
    out(plays && ready(agent));
  }

  THRONG_HD bool active(int agent) const { return in_play(agent); }

  THRONG_HD static int world_state_parts(const P& p) { return harvest::world_state_parts(p); }
  THRONG_HD void world_state_part(int part, auto& out) const { write_world_state(*this, part, out); }
  THRONG_HD void world_state(auto& out) const { write_world_state(*this, out); }

  // --- what is measured, shown, and played

  THRONG_HD void info(auto& out) const { measure(*this, out); }

  void render(Canvas& canvas) const { draw_orchard(*this, canvas); }
  void render_view(int agent, Canvas& canvas) const { draw_window(*this, agent, canvas); }

  // The players that come with the game walk to the nearest apple: the greedy one to any, the careful one to apples that have
  // four others around them.
  THRONG_HD void act(int policy, int agent, auto& out, Rng) const { out(forage(*this, agent, policy == 0 ? 0 : 4)); }
};

struct Env : EnvOf<Params> {
  // What is played most has code of its own. (Code for a GPU cannot index a table that is part of a constant of a class.)
#ifdef __CUDACC__
  using Variants = Types<EnvOf<Sized>>;
#else
  using Variants = Types<EnvOf<SizedClean>, EnvOf<Sized>>;
#endif
};
static_assert(Environment<Env>);

}  // namespace throng::harvest
