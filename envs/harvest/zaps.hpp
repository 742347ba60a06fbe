// What comes of zaps in harvest: who is hit, and which cells keep a mark.
#pragma once

#include "envs/harvest/beam.hpp"
#include "envs/harvest/state.hpp"

namespace throng::harvest {

// SocialJax writes the marks of one target of all agents in the order of agents, and who does not zap writes back what was
// there before: a mark stays if the last agent with that target zaps.
template <class Env>
THRONG_HD void mark_in_order(const Env& env, int target) {
  const Map& map = env.p.ground;
  const auto& s = env.s;
  const auto& w = env.w;
  for (int agent = 0; agent < env.p.num_agents; ++agent) {
    const Cell aimed = target_of(map, s.pose[agent], target), cell = wrapped(map, aimed);
    if (!w.zaps[agent] || past_the_end(map, aimed) || !has_bit(env.empty(cell.row), cell.column)) continue;
    bool lost = false;
    for (int later = agent + 1; later < env.p.num_agents; ++later) {
      if (!env.in_play(later)) continue;
      const Cell also = target_of(map, s.pose[later], target), same = wrapped(map, also);
      if (past_the_end(map, also) || same.row != cell.row || same.column != cell.column) continue;
      lost = !w.zaps[later];
    }
    if (!lost) s.mark[cell.row] |= bit(cell.column);
  }
}

// All zap at once; the beams of the last step are gone.
template <class Env>
THRONG_HD void zap(const Env& env) {
  const auto& p = env.p;
  bool anybody = false;
  for (int agent = 0; agent < p.num_agents; ++agent) {
    if (!env.w.zaps[agent]) continue;
    anybody = true;
    each_reached(
        p, env.s.pose[agent], [&](Cell cell) { env.w.beam[cell.row] |= bit(cell.column); },
        [&](Cell cell) { return env.agent_at(place_at(cell.row, cell.column)); });
  }
  if (!p.rule.marks_are_lost) return;
  for (int row = 0; row < p.height; ++row) env.s.mark[row] = 0;
  for (int target = 0; anybody && target < 4; ++target) mark_in_order(env, target);
}

template <class Env>
THRONG_HD void show_beams(const Env& env, int row) {
  if (env.p.rule.marks_are_lost) return;
  const uint32_t beam = env.w.beam[row];
  env.s.mark[row] = beam == 0 ? 0 : beam & env.empty(row);
}

// Hits, and the time that passes for those who are out of play or wait for their weapon.
template <class Env>
THRONG_HD void be_hit(const Env& env, int agent) {
  const auto& rule = env.p.rule;
  const auto& s = env.s;
  const auto& w = env.w;
  if (rule.zap_cooldown > 0) {
    const int left = s.cooldown[agent];
    s.cooldown[agent] = static_cast<uint8_t>(w.zaps[agent] ? rule.zap_cooldown : left > 0 ? left - 1 : 0);
  }
  if (!env.in_play(agent)) {
    --s.away[agent];
    return;
  }
  const Cell here = cell_of(s.pose[agent]);
  w.hit[agent] = has_bit(w.beam[here.row], here.column);
  if (!w.hit[agent]) return;
  s.next[agent] = kNoPose;
  if (rule.respawn_delay == 0) return;
  s.pose[agent] = kNoPose;
  s.away[agent] = static_cast<uint8_t>(rule.respawn_delay);
}

}  // namespace throng::harvest
