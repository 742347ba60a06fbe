// How agents of harvest turn and move, all at once or one after the other, and who gives way.
#pragma once

#include "envs/harvest/beam.hpp"
#include "envs/harvest/state.hpp"

namespace throng::harvest {

inline constexpr int kActions = 8, kZap = 7;

template <class P>
THRONG_HD int turn_of(const P& p, int action) {
  const int left = p.rule.absolute_moves ? 0 : 5;
  return (action == left) - (action == left + 1);
}

// The direction of a move, as a heading; -1 if the action is none.
template <class P>
THRONG_HD int way_of(const P& p, int action, int heading) {
  if (p.rule.absolute_moves) return action == 2 ? 1 : action == 3 ? 3 : action == 4 ? 0 : action == 5 ? 2 : -1;
  const int by = action == 1 ? 0 : action == 2 ? 2 : action == 3 ? 1 : action == 4 ? 3 : -1;
  return by < 0 ? -1 : turned(heading, by);
}

// A mark stops who comes, unless an agent has just appeared on it.
template <class Env>
THRONG_HD bool stopped_by_mark(const Env& env, Cell there) {
  return env.p.rule.beam_blocks && has_bit(env.s.mark[there.row], there.column) &&
         env.free(place_at(there.row, there.column));
}

// What an agent does with its action: it is where the last step left it, turns, and says where it wants to go.
template <class Env>
THRONG_HD void decide(const Env& env, int agent, int action) {
  const auto& p = env.p;
  const auto& w = env.w;
  int pose = env.s.next[agent];
  w.zaps[agent] = w.hit[agent] = w.moving[agent] = 0;
  if (pose != kNoPose) {
    const Cell here = cell_of(pose);
    const int way = way_of(p, action, heading_of(pose));
    if (way >= 0) {
      const Cell there = here.toward(way);
      w.goal[agent] = static_cast<uint16_t>(place_at(there.row, there.column));
      w.moving[agent] = !p.ground.wall_at(there.row, there.column) && !stopped_by_mark(env, there);
    }
    w.zaps[agent] = action == kZap && env.ready(agent);
    pose = pose_at(place_of(pose), turned(heading_of(pose), turn_of(p, action)));
  }
  env.s.pose[agent] = static_cast<uint16_t>(pose);
}

template <class D>
THRONG_HD bool outranks(int a, int b, const D& draws) {
  const uint32_t of_a = draws.priority(a), of_b = draws.priority(b);
  return of_a > of_b || (of_a == of_b && a < b);
}

template <class Env, class D>
THRONG_HD bool gives_way(const Env& env, int agent, const D& draws) {
  const auto& s = env.s;
  const auto& w = env.w;
  const int place = place_of(s.pose[agent]), goal = w.goal[agent];
  for (int other = 0; other < env.p.num_agents; ++other) {
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

template <class Env>
THRONG_HD void arrive(const Env& env, int agent) {
  const auto& s = env.s;
  const auto& w = env.w;
  const int pose = w.moving[agent] ? pose_at(w.goal[agent], heading_of(s.pose[agent])) : s.pose[agent];
  s.pose[agent] = s.next[agent] = static_cast<uint16_t>(pose);
  const Cell here = cell_of(pose);
  const bool enters = w.moving[agent] || !env.p.rule.in_turn;
  w.ate[agent] = pose != kNoPose && enters && has_bit(s.apple[here.row], here.column);
}

// Agents give way until nobody has to: to who stays, to the higher priority, and both if they would change places.
template <class Env, class D>
THRONG_HD void move_at_once(const Env& env, const D& draws) {
  const int agents = env.p.num_agents;
  const auto& w = env.w;
  for (bool settled = false; !settled;) {
    env.lanes.each(agents, [&](int agent) { w.fails[agent] = w.moving[agent] && gives_way(env, agent, draws); });
    settled = true;
    for (int agent = 0; agent < agents; ++agent) settled &= !w.fails[agent];
    env.lanes.each(agents, [&](int agent) { w.moving[agent] &= !w.fails[agent]; });
  }
  env.lanes.each(agents, [&](int agent) { arrive(env, agent); });
}

// Melting Pot: one after the other, in random order, each to a place that is free by then.
template <class Env, class D>
THRONG_HD void move_in_turn(const Env& env, const D& draws) {
  const int agents = env.p.num_agents;
  const auto& w = env.w;
  env.lanes.each(agents, [&](int agent) {
    int before = 0;
    for (int other = 0; other < agents; ++other) before += other != agent && outranks(other, agent, draws);
    w.turn[agent] = static_cast<uint8_t>(before);
  });
  env.lanes.once([&] {
    for (int turn = 0; turn < agents; ++turn) {
      int agent = 0;
      while (w.turn[agent] != turn) ++agent;
      if (env.agent_at(w.goal[agent])) w.moving[agent] = 0;
      arrive(env, agent);
    }
  });
}

}  // namespace throng::harvest
