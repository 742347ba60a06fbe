// GAE: generalised advantage estimation (Schulman et al. 2016) along one column of a rollout.
#pragma once

#include <cstdint>

#include "algos/pursuit.hpp"
#include "algos/rollout.hpp"
#include "core/platform.hpp"

namespace throng {

// Fills the returns of one (environment, agent, value), and adds to the advantages - writes them, if it is value 0. What
// follows a step is worth nothing after a terminated one, the value of the final observation after a truncated one (0 if asked
// for), and the next value otherwise; advantages never flow back over the end of an episode.
THRONG_HD inline void gae_column(const Rollout& r, int env, int agent, int value, const Pursuit& pursuit, float gamma,
                                 float gae_lambda, bool bootstrap_truncated) {
  const int64_t rows = r.rows(), row = int64_t(env) * r.num_agents + agent;
  const int values = r.num_values;
  float advantage = 0;
  for (int t = r.num_steps - 1; t >= 0; --t) {
    const int64_t i = t * rows + row, v = i * values + value;
    float next_value = r.values[v + rows * values];
    if (r.terminated[i]) next_value = 0;
    if (r.truncated[i]) {
      const int slot = r.final_slot[int64_t(t) * r.num_envs + env];
      next_value = bootstrap_truncated ? r.final_values[(slot * rows + row) * values + value] : 0.0f;
    }
    const bool ended = r.terminated[i] || r.truncated[i];
    const float delta = pursuit.reward(r, i, value) + gamma * next_value - r.values[v];
    advantage = delta + (ended ? 0.0f : gamma * gae_lambda * advantage);
    const float part = pursuit.slope(r, i, value) * advantage;
    r.advantages[i] = value == 0 ? part : r.advantages[i] + part;
    r.returns[v] = advantage + r.values[v];
  }
}

}  // namespace throng
