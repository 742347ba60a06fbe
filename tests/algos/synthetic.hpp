// A learner with a rollout of random numbers: what the tests of learning bricks have in common.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "algos/learner.hpp"
#include "core/rng.hpp"

namespace synthetic {

using namespace throng;

inline EnvSpec spec(int agents = 2, int actions = 5, int obs_dim = 7, int time_limit = 3, int world_state_dim = 6) {
  EnvSpec spec;
  spec.num_agents = agents;
  spec.num_actions = actions;
  spec.obs_dim = obs_dim;
  spec.time_limit = time_limit;
  spec.world_state_dim = world_state_dim;
  spec.objectives = {"reward"};
  return spec;
}

inline TrainConfig config() {
  TrainConfig config;
  config.num_envs = 6;
  config.num_steps = 8;
  config.total_timesteps = 480;
  config.num_minibatches = 3;
  config.hidden_sizes = {9, 8};
  config.activation = kTanh;
  config.seed = 5;
  return config;
}

inline std::vector<float> numbers(size_t count, Key key, float lo, float hi) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = uniform(key, static_cast<uint32_t>(i), lo, hi);
  return values;
}

// Rows of random numbers, or of random codes below kCodes, as bytes.
inline constexpr int kCodes = 5;
inline std::vector<uint8_t> observations(const Rollout& r, size_t rows, Key key) {
  std::vector<uint8_t> bytes(rows * r.obs_bytes);
  if (r.obs_bytes == r.obs_dim) {
    for (size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<uint8_t>(below(key, static_cast<uint32_t>(i), kCodes));
  } else {
    const auto values = numbers(rows * r.obs_dim, key, -1, 1);
    std::memcpy(bytes.data(), values.data(), bytes.size());
  }
  return bytes;
}

// Random observations and masks (the first choice of every head is always legal), the learner's own actions and values, random rewards, and ends:
// every third step is truncated in environment 0 and terminated in environment 1.
inline void fill(Learner& learner, Device& device, Key key, size_t first_of_second_head = 0) {
  const Rollout& r = learner.rollout();
  const size_t rows = r.rows();
  learner.begin_rollout();
  std::vector<uint8_t> avail((r.num_steps + 1) * rows * r.num_actions);
  for (size_t i = 0; i < avail.size(); ++i) {
    avail[i] = i % r.num_actions == 0 || i % r.num_actions == first_of_second_head ||
               uniform(fold_in(key, 1), static_cast<uint32_t>(i)) < 0.7f;
  }
  std::vector<uint8_t> terminated(r.num_steps * rows), truncated(r.num_steps * rows);
  for (int t = 0; t < r.num_steps; ++t) {
    for (int a = 0; a < r.num_agents; ++a) {
      truncated[t * rows + a] = t % 3 == 2;
      terminated[t * rows + r.num_agents + a] = t % 3 == 2;
    }
  }
  std::vector<uint8_t> active((r.num_steps + 1) * rows);
  for (size_t i = 0; i < active.size(); ++i) active[i] = uniform(fold_in(key, 4), static_cast<uint32_t>(i)) < 0.9f;
  upload(device, r.obs, observations(r, (r.num_steps + 1) * rows, fold_in(key, 2)));
  if (r.world_state_dim > 0) {
    const size_t count = size_t(r.num_steps + 1) * r.num_envs * r.world_state_dim;
    upload(device, r.world_state, numbers(count, fold_in(key, 5), -1, 1));
  }
  upload(device, r.active, active);
  upload(device, r.avail_actions, avail);
  upload(device, r.rewards, numbers(r.num_steps * rows * r.num_objectives, fold_in(key, 3), -1, 1));
  upload(device, r.terminated, terminated);
  upload(device, r.truncated, truncated);

  Arena arena(std::shared_ptr<Device>(&device, [](Device*) {}));
  Finals finals;
  arena.want_bytes(finals.obs, rows * r.obs_bytes);
  if (r.world_state_dim > 0) arena.want(finals.world_state, size_t(r.num_envs) * r.world_state_dim);
  arena.commit();
  for (int t = 0; t < r.num_steps; ++t) {
    learner.act(t);
    upload(device, static_cast<uint8_t*>(finals.obs), observations(r, rows, fold_in(key, 100 + t)));
    if (r.world_state_dim > 0) {
      const size_t count = size_t(r.num_envs) * r.world_state_dim;
      upload(device, finals.world_state, numbers(count, fold_in(key, 200 + t), -1, 1));
    }
    learner.keep_finals(t, finals);
  }
}

}  // namespace synthetic
