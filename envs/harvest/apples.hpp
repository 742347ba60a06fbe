// What eating brings in harvest: rewards, and the measures of an episode.
#pragma once

#include "core/env.hpp"
#include "envs/common/measures.hpp"
#include "envs/harvest/state.hpp"

namespace throng::harvest {

template <class Env>
THRONG_HD void pick_apples(const Env& env) {
  for (int agent = 0; agent < env.p.num_agents; ++agent) {
    const int place = place_of(env.s.pose[agent]);
    if (env.w.ate[agent]) env.s.apple[row_of(place)] &= ~bit(column_of(place));
  }
}

// What an apple is worth to who eats it.
template <class P>
THRONG_HD float apple_value(const P& p) {
  return p.rule.times_agents ? static_cast<float>(p.num_agents) : 1;
}

template <class Env>
THRONG_HD void digest(const Env& env, int agent) {
  const auto& p = env.p;
  const auto& s = env.s;
  const int ate = env.w.ate[agent];
  if (ate) {
    s.eaten[agent] += 1;
    s.eaten_at[agent] += s.tally[kSteps] + 1;
  }
  if (p.traces()) s.trace[agent] = p.social.inequity_trace * s.trace[agent] + apple_value(p) * static_cast<float>(ate);
}

template <class Env>
THRONG_HD bool nobody_ate(const Env& env) {
  for (int agent = 0; agent < env.p.num_agents; ++agent) {
    if (env.w.ate[agent]) return false;
  }
  return true;
}

enum Objective { kApples, kSustainability, kPeace, kNumObjectives };

// A vector of what counts in the commons: own apples; the share of all places that bear one, spread over the episode; a zap.
template <class Env>
THRONG_HD void pay_components(const Env& env, int agent, Rewards rewards) {
  int left = 0;
  for (int row = 0; row < env.p.height; ++row) left += count_bits(env.s.apple[row]);
  rewards(agent, kApples) = apple_value(env.p) * static_cast<float>(env.w.ate[agent]);
  rewards(agent, kSustainability) =
      static_cast<float>(left) / static_cast<float>(env.p.ground.num_sites * env.p.rule.time_limit);
  rewards(agent, kPeace) = env.w.zaps[agent] ? -1.0f : 0.0f;
}

template <class Env>
THRONG_HD void pay(const Env& env, int agent, Rewards rewards) {
  const auto& p = env.p;
  if (p.components) return pay_components(env, agent, rewards);
  const auto ate = [&](int a) { return static_cast<float>(env.w.ate[a]); };
  const auto compared = [&](int a) { return p.traces() ? env.s.trace[a] : apple_value(p) * ate(a); };
  float reward = social_reward(p.social, agent, p.num_agents, apple_value(p), ate, compared);
  if (p.rule.idle_is_envied && p.social.reward == kInequity && p.social.shapes(agent) && nobody_ate(env)) {
    reward = -(p.social.inequity_envy + p.social.inequity_guilt) * static_cast<float>(p.num_agents - 1);
  }
  if (env.w.zaps[agent]) reward -= p.zap_cost;
  if (env.w.hit[agent]) reward -= p.hit_penalty;
  const bool last = env.s.tally[kSteps] + 1 == static_cast<uint32_t>(p.rule.time_limit);
  rewards(agent) = p.rule.last_reward_lost && last ? 0 : reward;
}

// efficiency: apples per step; equality: 1 - Gini; sustainability: mean step at which an agent ate; peace: agents in play;
// depletion_time: the first step that left no apple, else the length; the rates are per agent and step.
inline constexpr const char* kMeasures[] = {"efficiency",     "equality",    "sustainability",
                                            "peace",          "apples_left", "apples_eaten",
                                            "depletion_time", "zap_rate",    "hit_rate"};

template <class Env>
THRONG_HD void measure(const Env& env, auto& out) {
  const auto& p = env.p;
  const auto& s = env.s;
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

}  // namespace throng::harvest
