// Rollout: the buffers between environment and learner, `[time, env, agent, ...]`; the environment writes them in place.
#pragma once

#include <cstdint>

#include "algos/goal.hpp"
#include "core/device.hpp"
#include "core/vec_env.hpp"

namespace throng {

// Step t reads slab t and writes the observations of slab t + 1 and the outcomes of slab t.
struct Rollout {
  int num_steps = 0, num_envs = 0, num_agents = 0, num_actions = 0, action_dim = 0, num_objectives = 0;
  int obs_dim = 0, obs_bytes = 0;  // of a row: features, bytes
  int world_state_dim = 0;         // 0: the learner does not look at it
  int finals_per_env = 0;          // episodes that one rollout can cut short in one environment
  int num_values = 1;              // that the critic has for a row: one, or one for each objective
  int num_outputs = 0;             // numbers that a policy gives an action's distribution by
  Goal goal;

  uint8_t* obs = nullptr;            // [num_steps + 1, env, agent, obs_bytes], float32 features or uint8 codes
  uint8_t* avail_actions = nullptr;  // [num_steps + 1, env, agent, num_actions]
  uint8_t* active = nullptr;         // [num_steps + 1, env, agent]
  float* world_state = nullptr;      // [num_steps + 1, env, world_state_dim]
  float* values = nullptr;           // [num_steps + 1, env, agent, value]
  float* goals = nullptr;            // [num_steps + 1, env, agent, goal]
  uint8_t* resets = nullptr;         // [num_steps + 1, env, agent], recurrent state begins anew before this step
  void* actions = nullptr;           // [num_steps, env, agent, action_dim], int32 choices or float32 numbers as drawn
  float* bounded = nullptr;          // [env, agent, action_dim], numbers of the last step, cut to [-1, 1]
  float* log_probs = nullptr;        // [num_steps, env, agent]
  float* rewards = nullptr;          // [num_steps, env, agent, objective]
  uint8_t* terminated = nullptr;     // [num_steps, env, agent]
  uint8_t* truncated = nullptr;      // [num_steps, env, agent]
  float* advantages = nullptr;       // [num_steps, env, agent]
  float* returns = nullptr;          // [num_steps, env, agent, value]

  uint8_t* final_obs = nullptr;        // [finals_per_env, env, agent, obs_bytes]
  float* final_world_state = nullptr;  // [finals_per_env, env, world_state_dim]
  uint8_t* final_resets = nullptr;     // [finals_per_env, env, agent]
  float* final_values = nullptr;       // [finals_per_env, env, agent, value]
  float* final_goals = nullptr;        // [finals_per_env, env, agent, goal]
  int32_t* final_count = nullptr;      // [env], in this rollout
  int32_t* final_slot = nullptr;       // [num_steps, env], where a truncated step's final observation lies, or -1

  THRONG_HD int64_t rows() const { return int64_t(num_envs) * num_agents; }  // of a slab

  // What step t - 1 wrote and step t meets.
  Observations observations(int t) const {
    return {obs_at(t), avail_actions + t * rows() * num_actions, active + t * rows(),
            world_state ? world_state_at(t) : nullptr};
  }
  Outcomes outcomes(int t) const {
    return {rewards + t * rows() * num_objectives, terminated + t * rows(), truncated + t * rows()};
  }
  uint8_t* obs_at(int t) const { return obs + t * rows() * obs_bytes; }
  float* world_state_at(int t) const { return world_state + int64_t(t) * num_envs * world_state_dim; }
  float* goals_at(int64_t t) const { return goals + t * rows() * goal.dim(); }
  void* actions_at(int t) const { return static_cast<int32_t*>(actions) + t * rows() * action_dim; }
  const void* env_actions(int t) const { return num_actions == 0 ? bounded : actions_at(t); }  // what the game gets

  static Rollout of(const EnvSpec& spec, int num_envs, int num_steps, bool with_world_state) {
    Rollout r;
    r.num_steps = num_steps;
    r.num_envs = num_envs;
    r.num_agents = spec.num_agents;
    r.num_actions = spec.num_actions;
    r.action_dim = spec.action_dim();
    r.num_outputs = spec.continuous > 0 ? spec.continuous : spec.num_actions;
    r.num_objectives = spec.num_objectives;
    r.obs_dim = spec.obs_dim;
    r.obs_bytes = static_cast<int>(spec.obs_dim * spec.obs_item_bytes());
    r.world_state_dim = with_world_state ? spec.world_state_dim : 0;
    r.finals_per_env = spec.time_limit > 0 && num_steps > 0 ? 1 + num_steps / spec.time_limit : 0;
    return r;
  }

  // `padding`: rows that may be read beyond the last slab of observations.
  void want(Arena& arena, int64_t padding) {
    const size_t slab = rows(), steps = num_steps, envs = num_envs, world = world_state_dim;
    arena.want(obs, ((steps + 1) * slab + padding) * obs_bytes);
    arena.want(avail_actions, (steps + 1) * slab * num_actions);
    arena.want(active, (steps + 1) * slab);
    if (world > 0) arena.want(world_state, ((steps + 1) * envs + padding) * world);
    arena.want(values, (steps + 1) * slab * num_values);
    arena.want(goals, (steps + 1) * slab * goal.dim());
    arena.want(resets, (steps + 1) * slab);
    arena.want_bytes(actions, steps * slab * action_dim * sizeof(int32_t));
    arena.want(bounded, num_actions == 0 ? slab * action_dim : 0);
    arena.want(log_probs, steps * slab);
    arena.want(rewards, steps * slab * num_objectives);
    arena.want(terminated, steps * slab);
    arena.want(truncated, steps * slab);
    arena.want(advantages, steps * slab);
    arena.want(returns, steps * slab * num_values);
    arena.want(final_obs, (finals_per_env * slab + padding) * obs_bytes);
    if (world > 0) arena.want(final_world_state, (finals_per_env * envs + padding) * world);
    arena.want(final_resets, finals_per_env * slab);
    arena.want(final_values, finals_per_env * slab * num_values);
    arena.want(final_goals, finals_per_env * slab * goal.dim());
    arena.want(final_count, envs);
    arena.want(final_slot, steps * envs);
  }
};

}  // namespace throng
