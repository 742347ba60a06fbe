// Harvest: apples grow only near other apples. Who eats carefully eats for ever; agents can zap each other away.
#pragma once

#include <cstdint>
#include <type_traits>

#include "core/env.hpp"
#include "envs/common/bits.hpp"
#include "envs/common/measures.hpp"
#include "envs/harvest/beam.hpp"     // what a zap reaches
#include "envs/harvest/draws.hpp"    // chance
#include "envs/harvest/forager.hpp"  // scripted players
#include "envs/harvest/params.hpp"   // settings, and the three sets of rules
#include "envs/harvest/picture.hpp"  // render()
#include "envs/harvest/state.hpp"    // what is remembered
#include "envs/harvest/view.hpp"     // what agents see of it

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

inline constexpr int kActions = 8, kZap = 7;
inline constexpr float kEndProbability = 0.15f;
inline constexpr int kEndFrom = 1000, kEndEvery = 100;

// P is Params, or Sized where the compiler knows the sizes and the rules.
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
  // efficiency: apples per step; equality: 1 - Gini; sustainability: mean step at which an agent ate; peace: agents in play;
  // depletion_time: the first step that left no apple, else the length; the rates are per agent and step.
  static constexpr const char* kInfo[] = {"efficiency",   "equality",       "sustainability", "peace",   "apples_left",
                                          "apples_eaten", "depletion_time", "zap_rate",       "hit_rate"};

  static constexpr const char* kPolicies[] = {"greedy", "careful"};

  THRONG_HD static Spec spec(const P& p) {
    Spec spec;
    spec.num_agents = p.num_agents;
    spec.num_actions = kActions;
    spec.time_limit = p.rule.time_limit;
    spec.obs_low = 0;
    spec.obs_high = p.rule.mistaken_self ? 23 : p.rule.in_turn ? 13 : 8;
    spec.obs_grid = {1, kViewSide, kViewSide};
    spec.lanes = p.num_agents < 8 ? 24 : 3 * p.num_agents;
    return spec;
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
      grow_apples(draws);
    }
    lanes.each(p.num_agents, [&](int agent) { decide(agent, actions[agent]); });
    if (p.rule.in_turn) {
      move_in_turn(draws);
    } else {
      move_at_once(draws);
    }
    lanes.once([&] {
      pick_apples();
      zap();
    });
    lanes.each(p.height, [&](int row) { show_beams(row); });
    lanes.each(p.num_agents, [&](int agent) {
      be_hit(agent);
      digest(agent);
    });
    if (p.rule.in_turn) grow_apples(draws);
    lanes.each(p.num_agents, [&](int agent) { pay(agent, rewards); });
    lanes.once([&] { conclude(draws); });
    const int t = static_cast<int>(s.tally[kSteps]);
    return p.rule.ends_by_chance && t >= kEndFrom && t % kEndEvery == 0 && draws.end() < kEndProbability;
  }

  template <class D>
  THRONG_HD void grow_apples(const D& draws) {
    lanes.each(p.height, [&](int row) { w.grown[row] = grown(row, draws); });
    lanes.each(p.height, [&](int row) {
      s.apple[row] |= w.grown[row];
      w.beam[row] = 0;
    });
  }

  // An apple can grow at every empty site, the likelier the more apples there are among its 12 neighbours. All sites of a row
  // at once: the bits of ge1, ge2 and ge3 say where at least so many were found.
  template <class D>
  THRONG_HD uint32_t grown(int row, const D& draws) {
    const uint32_t sites = p.ground.orchard[row], ours = s.apple[row];
    uint32_t empty = sites & ~ours;
    if (empty == 0) return 0;
    if (!p.rule.in_turn) {
      empty &= ~(s.mark[row] | occupied(row));
      s.mark[row] &= ~sites;
    }
    uint32_t ge1 = 0, ge2 = 0, ge3 = 0;
    each_neighbour(row, [&](uint32_t found) {
      ge3 |= ge2 & found;
      ge2 |= ge1 & found;
      ge1 |= found;
    });
    uint32_t columns = 0;
    for (uint32_t left = empty & ge1; left != 0; left &= left - 1) {
      const int column = lowest_bit(left);
      const float chance = has_bit(ge3, column)   ? p.rule.regrowth[2]
                           : has_bit(ge2, column) ? p.rule.regrowth[1]
                                                  : p.rule.regrowth[0];
      if (draws.regrow(p.ground.site_at(row, column)) < chance) columns |= bit(column);
    }
    return columns;
  }

  // Calls add(columns) for each of the 12 neighbours that cells of this row have: the columns where it is an apple.
  template <class Add>
  THRONG_HD void each_neighbour(int row, const Add& add) const {
    const uint32_t ours = s.apple[row], above = apples(row - 1), below = apples(row + 1);
    uint32_t corner = below << 1;  // at (+1, -1)
    if (p.rule.blind_corner) {
      corner = apples(row + 1 < p.height ? row + 1 : row) << 1 & ~bit(p.width - 1);
    }
    add(above), add(below), add(ours << 1), add(ours >> 1);
    add(apples(row - 2)), add(apples(row + 2)), add(ours << 2), add(ours >> 2);
    add(above << 1), add(above >> 1), add(corner), add(below >> 1);
  }

  // What an agent does with its action: it is where the last step left it, turns, and says where it wants to go.
  THRONG_HD void decide(int agent, int action) {
    int pose = s.next[agent];
    w.zaps[agent] = w.hit[agent] = w.moving[agent] = 0;
    if (pose != kNoPose) {
      const Cell here = cell_of(pose);
      const int way = way_of(action, heading_of(pose));
      if (way >= 0) {
        const Cell there = here.toward(way);
        w.goal[agent] = static_cast<uint16_t>(place_at(there.row, there.column));
        w.moving[agent] = !p.ground.wall_at(there.row, there.column) && !stopped_by_mark(there);
      }
      w.zaps[agent] = action == kZap && ready(agent);
      pose = pose_at(place_of(pose), turned(heading_of(pose), turn_of(action)));
    }
    s.pose[agent] = static_cast<uint16_t>(pose);
  }

  THRONG_HD int turn_of(int action) const {
    const int left = p.rule.absolute_moves ? 0 : 5;
    return (action == left) - (action == left + 1);
  }
  // The direction of a move, as a heading; -1 if the action is none.
  THRONG_HD int way_of(int action, int heading) const {
    if (p.rule.absolute_moves) return action == 2 ? 1 : action == 3 ? 3 : action == 4 ? 0 : action == 5 ? 2 : -1;
    const int by = action == 1 ? 0 : action == 2 ? 2 : action == 3 ? 1 : action == 4 ? 3 : -1;
    return by < 0 ? -1 : turned(heading, by);
  }
  // A mark stops who comes, unless an agent has just appeared on it.
  THRONG_HD bool stopped_by_mark(Cell there) const {
    return p.rule.beam_blocks && has_bit(s.mark[there.row], there.column) && free(place_at(there.row, there.column));
  }

  // Agents give way until nobody has to: to who stays, to the higher priority, and both if they would change places.
  template <class D>
  THRONG_HD void move_at_once(const D& draws) {
    for (bool settled = false; !settled;) {
      lanes.each(p.num_agents, [&](int agent) { w.fails[agent] = w.moving[agent] && gives_way(agent, draws); });
      settled = true;
      for (int agent = 0; agent < p.num_agents; ++agent) settled &= !w.fails[agent];
      lanes.each(p.num_agents, [&](int agent) { w.moving[agent] &= !w.fails[agent]; });
    }
    lanes.each(p.num_agents, [&](int agent) { arrive(agent); });
  }

  template <class D>
  THRONG_HD bool gives_way(int agent, const D& draws) const {
    const int place = place_of(s.pose[agent]), goal = w.goal[agent];
    for (int other = 0; other < p.num_agents; ++other) {
      const bool there = place_of(s.pose[other]) == goal;
      if (!w.moving[other]) {
        if (there) return true;
      } else if (w.goal[other] == goal) {
        if (other != agent && outranks(other, agent, draws)) return true;
      } else if (there && w.goal[other] == place) {
        return true;
      }
    }
    return false;
  }

  template <class D>
  THRONG_HD static bool outranks(int a, int b, const D& draws) {
    const uint32_t of_a = draws.priority(a), of_b = draws.priority(b);
    return of_a > of_b || (of_a == of_b && a < b);
  }

  // Melting Pot: one after the other, in random order, each to a place that is free by then.
  template <class D>
  THRONG_HD void move_in_turn(const D& draws) {
    lanes.each(p.num_agents, [&](int agent) { w.turn[agent] = rank(agent, draws); });
    lanes.once([&] {
      for (int turn = 0; turn < p.num_agents; ++turn) {
        int agent = 0;
        while (w.turn[agent] != turn) ++agent;
        if (agent_at(w.goal[agent])) w.moving[agent] = 0;
        arrive(agent);
      }
    });
  }

  template <class D>
  THRONG_HD uint8_t rank(int agent, const D& draws) const {
    int before = 0;
    for (int other = 0; other < p.num_agents; ++other) before += other != agent && outranks(other, agent, draws);
    return static_cast<uint8_t>(before);
  }

  THRONG_HD void arrive(int agent) {
    const int pose = w.moving[agent] ? pose_at(w.goal[agent], heading_of(s.pose[agent])) : s.pose[agent];
    s.pose[agent] = s.next[agent] = static_cast<uint16_t>(pose);
    const Cell here = cell_of(pose);
    const bool enters = w.moving[agent] || !p.rule.in_turn;
    w.ate[agent] = pose != kNoPose && enters && has_bit(s.apple[here.row], here.column);
  }

  THRONG_HD void pick_apples() {
    for (int agent = 0; agent < p.num_agents; ++agent) {
      const Cell here = cell_of(s.pose[agent]);
      if (w.ate[agent]) s.apple[here.row] &= ~bit(here.column);
    }
  }

  // All zap at once; the beams of the last step are gone.
  THRONG_HD void zap() {
    bool anybody = false;
    for (int agent = 0; agent < p.num_agents; ++agent) {
      if (!w.zaps[agent]) continue;
      anybody = true;
      each_reached(
          p, s.pose[agent], [&](Cell cell) { w.beam[cell.row] |= bit(cell.column); },
          [&](Cell cell) { return agent_at(place_at(cell.row, cell.column)); });
    }
    if (!p.rule.marks_are_lost) return;
    for (int row = 0; row < p.height; ++row) s.mark[row] = 0;
    for (int target = 0; anybody && target < 4; ++target) mark_in_order(target);
  }

  // SocialJax writes the marks of one target of all agents in the order of agents, and who does not zap writes back what was
  // there before: a mark stays if the last agent with that target zaps.
  THRONG_HD void mark_in_order(int target) {
    for (int agent = 0; agent < p.num_agents; ++agent) {
      const Cell aimed = target_of(p.ground, s.pose[agent], target), cell = wrapped(p.ground, aimed);
      if (!w.zaps[agent] || past_the_end(p.ground, aimed) || !has_bit(empty(cell.row), cell.column)) continue;
      bool lost = false;
      for (int later = agent + 1; later < p.num_agents; ++later) {
        if (!in_play(later)) continue;
        const Cell also = target_of(p.ground, s.pose[later], target), same = wrapped(p.ground, also);
        if (past_the_end(p.ground, also) || same.row != cell.row || same.column != cell.column) continue;
        lost = !w.zaps[later];
      }
      if (!lost) s.mark[cell.row] |= bit(cell.column);
    }
  }

  THRONG_HD void show_beams(int row) {
    if (p.rule.marks_are_lost) return;
    s.mark[row] = w.beam[row] == 0 ? 0 : w.beam[row] & empty(row);
  }

  // Hits, and the time that passes for those who are out of play or wait for their weapon.
  THRONG_HD void be_hit(int agent) {
    if (p.rule.zap_cooldown > 0) {
      const int left = s.cooldown[agent];
      s.cooldown[agent] = static_cast<uint8_t>(w.zaps[agent] ? p.rule.zap_cooldown : left > 0 ? left - 1 : 0);
    }
    if (!in_play(agent)) {
      --s.away[agent];
      return;
    }
    const Cell here = cell_of(s.pose[agent]);
    w.hit[agent] = has_bit(w.beam[here.row], here.column);
    if (!w.hit[agent]) return;
    s.next[agent] = kNoPose;
    if (p.rule.respawn_delay == 0) return;
    s.pose[agent] = kNoPose;
    s.away[agent] = static_cast<uint8_t>(p.rule.respawn_delay);
  }

  THRONG_HD void digest(int agent) {
    if (w.ate[agent]) {
      s.eaten[agent] += 1;
      s.eaten_at[agent] += s.tally[kSteps] + 1;
    }
    if (p.traces()) s.trace[agent] = p.social.inequity_trace * s.trace[agent] + apple_value() * w.ate[agent];
  }

  THRONG_HD float apple_value() const { return p.rule.times_agents ? static_cast<float>(p.num_agents) : 1; }

  THRONG_HD void pay(int agent, Rewards rewards) const {
    const auto ate = [&](int a) { return static_cast<float>(w.ate[a]); };
    const auto compared = [&](int a) { return p.traces() ? s.trace[a] : apple_value() * ate(a); };
    float reward = social_reward(p.social, agent, p.num_agents, apple_value(), ate, compared);
    if (p.rule.idle_is_envied && p.social.reward == kInequity && p.social.shapes(agent) && nobody_ate()) {
      reward = -(p.social.inequity_envy + p.social.inequity_guilt) * static_cast<float>(p.num_agents - 1);
    }
    if (w.zaps[agent]) reward -= p.zap_cost;
    if (w.hit[agent]) reward -= p.hit_penalty;
    const bool last = s.tally[kSteps] + 1 == static_cast<uint32_t>(p.rule.time_limit);
    rewards(agent) = p.rule.last_reward_lost && last ? 0 : reward;
  }

  THRONG_HD bool nobody_ate() const {
    for (int agent = 0; agent < p.num_agents; ++agent) {
      if (w.ate[agent]) return false;
    }
    return true;
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

  THRONG_HD uint32_t apples(int row) const { return row < 0 || row >= p.height ? 0 : s.apple[row]; }
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

  // For every agent: in play, place, heading one-hot, time to wait; then the apples, site by site, and the share of the time.
  static constexpr int kWorldPart = 8;
  THRONG_HD static int world_state_parts(const P& p) { return p.num_agents + p.ground.num_sites / kWorldPart + 1; }
  THRONG_HD void world_state(auto& out) const {
    for (int part = 0; part < world_state_parts(p); ++part) world_state_part(part, out);
  }
  THRONG_HD void world_state_part(int part, auto& out) const {
    const Map& map = p.ground;
    if (part < p.num_agents) return write_agent(part, out);
    const int first = (part - p.num_agents) * kWorldPart;
    for (int site = first; site < first + kWorldPart && site < map.num_sites; ++site) {
      const int place = map.site_place(site);
      out(static_cast<float>(s.apple[row_of(place)] >> column_of(place) & 1));
    }
    if (part + 1 < world_state_parts(p)) return;
    out(static_cast<float>(s.tally[kSteps]) / static_cast<float>(p.rule.time_limit));
  }
  THRONG_HD void write_agent(int agent, auto& out) const {
    const bool plays = in_play(agent);
    const int pose = plays ? s.pose[agent] : 0;
    out(plays ? 1.0f : 0.0f);
    out(plays ? static_cast<float>(row_of(place_of(pose))) / static_cast<float>(p.height) : 0.0f);
    out(plays ? static_cast<float>(column_of(place_of(pose))) / static_cast<float>(p.width) : 0.0f);
    for (int heading = 0; heading < 4; ++heading) out(plays && heading_of(pose) == heading ? 1.0f : 0.0f);
    out(plays ? 0.0f : static_cast<float>(s.away[agent]) / static_cast<float>(p.rule.respawn_delay));
  }

  // --- what is measured

  THRONG_HD void info(auto& out) const {
    const float n = static_cast<float>(p.num_agents), steps = static_cast<float>(s.tally[kSteps]);
    int all = 0, eaters = 0, left = 0;
    float mean_times = 0;
    for (int agent = 0; agent < p.num_agents; ++agent) {
      all += s.eaten[agent];
      if (s.eaten[agent] == 0) continue;
      ++eaters;
      mean_times += static_cast<float>(s.eaten_at[agent]) / static_cast<float>(s.eaten[agent]);
    }
    for (int row = 0; row < p.height; ++row) left += count_bits(s.apple[row]);
    out(static_cast<float>(all) / steps);
    out(equality(p.num_agents, [&](int agent) { return static_cast<float>(s.eaten[agent]); }));
    out(eaters == 0 ? 0 : mean_times / static_cast<float>(eaters));
    out(n - static_cast<float>(s.tally[kStepsAway]) / steps);
    out(static_cast<float>(left));
    out(static_cast<float>(all));
    out(s.tally[kDepleted] == 0 ? steps : static_cast<float>(s.tally[kDepleted]));
    out(static_cast<float>(s.tally[kZaps]) / (n * steps));
    out(static_cast<float>(s.tally[kHits]) / (n * steps));
  }

  void render(Canvas& canvas) const { draw_orchard(*this, canvas); }

  // --- who plays

  // The players that come with the game walk to the nearest apple: the greedy one to any, the careful one to apples that have
  // four others around them.
  THRONG_HD void act(int policy, int agent, auto& out, Rng) const { out(forage(*this, agent, policy == 0 ? 0 : 4)); }
};

struct Env : EnvOf<Params> {
  // What is played most has a kernel of its own.
  using Variants = Types<EnvOf<Sized>>;
};
static_assert(Environment<Env>);

}  // namespace throng::harvest
