// What a central critic sees of harvest: all agents, all apples, and the time.
#pragma once

#include "envs/harvest/state.hpp"

namespace throng::harvest {

// It is written in parts: one for each agent, then the sites, as many at a time, and at the end of the last the time.
inline constexpr int kSitesOfPart = 8;
template <class P>
THRONG_HD int world_state_parts(const P& p) {
  return p.num_agents + p.ground.num_sites / kSitesOfPart + 1;
}

// In play, place, heading one-hot, time to wait.
template <class Env>
THRONG_HD void write_agent(const Env& env, int agent, auto& out) {
  const auto& p = env.p;
  const bool plays = env.in_play(agent);
  const int pose = plays ? env.s.pose[agent] : 0;
  out(plays ? 1.0f : 0.0f);
  out(plays ? static_cast<float>(row_of(place_of(pose))) / static_cast<float>(p.height) : 0.0f);
  out(plays ? static_cast<float>(column_of(place_of(pose))) / static_cast<float>(p.width) : 0.0f);
  for (int heading = 0; heading < 4; ++heading) out(plays && heading_of(pose) == heading ? 1.0f : 0.0f);
  out(plays ? 0.0f : static_cast<float>(env.s.away[agent]) / static_cast<float>(p.rule.respawn_delay));
}

template <class Env>
THRONG_HD void write_sites(const Env& env, int first, int end, auto& out) {
  for (int site = first; site < end; ++site) {
    const int place = env.p.ground.site_place(site);
    out(has_bit(env.s.apple[row_of(place)], column_of(place)) ? 1.0f : 0.0f);
  }
}

template <class Env>
THRONG_HD void write_time(const Env& env, auto& out) {
  out(static_cast<float>(env.s.tally[kSteps]) / static_cast<float>(env.p.rule.time_limit));
}

// All agents; then the apples, site by site, and the share of the time that has passed.
template <class Env>
THRONG_HD void write_world_state(const Env& env, auto& out) {
  for (int agent = 0; agent < env.p.num_agents; ++agent) write_agent(env, agent, out);
  write_sites(env, 0, env.p.ground.num_sites, out);
  write_time(env, out);
}
template <class Env>
THRONG_HD void write_world_state(const Env& env, int part, auto& out) {
  const auto& p = env.p;
  if (part < p.num_agents) return write_agent(env, part, out);
  const int first = (part - p.num_agents) * kSitesOfPart, sites = p.ground.num_sites;
  write_sites(env, first, first + kSitesOfPart < sites ? first + kSitesOfPart : sites, out);
  if (part + 1 == world_state_parts(p)) write_time(env, out);
}

}  // namespace throng::harvest
