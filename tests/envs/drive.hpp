// Drive: a batch under random legal actions that depend on an environment's number alone, not on the batch around it.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/batch.hpp"
#include "envs/registry.hpp"

namespace throng {

// Observations as numbers, whatever their type at the border is.
inline std::vector<float> download_obs(const VecEnv& env, const void* obs) {
  const size_t count = size_t(env.num_rows()) * env.spec().obs_dim;
  auto numbers = [&](auto type) {
    const auto values = download(env.device(), static_cast<const decltype(type)*>(obs), count);
    std::vector<float> floats;
    for (const auto value : values) floats.push_back(static_cast<float>(value));
    return floats;
  };
  const std::string& dtype = env.spec().obs_dtype;
  return dtype == "U8" ? numbers(uint8_t{}) : dtype == "BF16" ? numbers(Bfloat16{}) : numbers(float{});
}

// What stands in a batch's buffer of actions.
struct Chosen {
  bool legal = true;           // all of it
  std::vector<int> choices;    // of all agents, each an index among the num_actions flags of its row
  std::vector<float> numbers;  // of all agents, where actions are numbers
};

class Drive {
 public:
  static constexpr uint64_t kSeed = 7;

  Drive(const std::string& id, const std::string& device, BatchOptions options, const nlohmann::json& config = {})
      : env_(make(id, open_device(device), options, config)) {
    env_->reset(kSeed);
  }

  VecEnv& env() { return *env_; }
  const EnvSpec& spec() const { return env_->spec(); }

  // Puts the next actions into env().actions().
  void choose() {
    const std::vector<uint8_t> avail = this->avail();
    std::vector<uint32_t> actions;  // the words of int32 or float32
    for (int row = 0; row < env_->num_rows(); ++row) {
      const int env = env_->options().first_env + row / spec().num_agents;
      const Key drawn = fold_in(fold_in(fold_in(key(99), env), steps_), row % spec().num_agents);
      for (int i = 0; i < spec().continuous; ++i)
        actions.push_back(std::bit_cast<uint32_t>(uniform(drawn, i, -1.0f, 1.0f)));
      const uint8_t* legal = avail.data() + size_t(row) * spec().num_actions;
      for (int head = 0; head < spec().num_heads(); legal += spec().choices(head++))
        actions.push_back(random_choice(legal, spec().choices(head), drawn, head));
    }
    upload(env_->device(), static_cast<uint32_t*>(env_->actions()), actions);
  }

  void step() {
    choose();
    env_->step(env_->actions());
    ++steps_;
    remember();
  }

  // What each environment of a small batch has been through: the state after every step, and what was paid for it.
  const std::vector<std::vector<uint64_t>>& histories() const { return histories_; }

  Drive& run(int steps) {
    for (int i = 0; i < steps; ++i) step();
    return *this;
  }

  // The same with actions drawn where the batch is: nothing waits for a device in between.
  Drive& run_on_device(int steps) {
    for (int i = 0; i < steps; ++i, ++steps_) {
      env_->random_actions(env_->observations().avail_actions, env_->actions(), key(99), uint32_t(steps_));
      env_->step(env_->actions());
    }
    return *this;
  }

  std::vector<uint8_t> avail() const {
    return download(env_->device(), env_->observations().avail_actions, size_t(env_->num_rows()) * spec().num_actions);
  }

  Chosen chosen() const {
    const EnvSpec& spec = env_->spec();
    const size_t count = size_t(env_->num_rows()) * spec.action_dim();
    Chosen chosen;
    if (spec.continuous > 0) {
      chosen.numbers = download(env_->device(), static_cast<const float*>(env_->actions()), count);
      for (const float x : chosen.numbers) chosen.legal &= x >= -1 && x <= 1;
      return chosen;
    }
    const auto actions = download(env_->device(), static_cast<const int32_t*>(env_->actions()), count);
    const std::vector<uint8_t> flags = avail();
    auto action = actions.begin();
    for (size_t row = 0; action != actions.end(); row += spec.num_actions) {
      for (int head = 0, first = 0; head < spec.num_heads(); first += spec.choices(head++), ++action) {
        const bool known = *action >= 0 && *action < spec.choices(head);
        chosen.legal &= known && flags[row + first + *action] == 1;
        if (known) chosen.choices.push_back(first + *action);
      }
    }
    return chosen;
  }

  // Do episodes begin alike?
  bool begins_alike() {
    env_->reset(kSeed);
    const auto hashes = env_->state_hashes();
    return std::set<uint64_t>(hashes.begin(), hashes.end()).size() == 1;
  }

  // Everything that a step wrote, bit for bit.
  std::vector<std::vector<uint8_t>> outputs() {
    const size_t rows = env_->num_rows(), envs = env_->num_envs();
    std::vector<std::vector<uint8_t>> all;
    auto add = [&](const void* data, size_t bytes) {
      if (data) all.push_back(download(env_->device(), static_cast<const uint8_t*>(data), bytes));
    };
    const Observations& o = env_->observations();
    const Finals& f = env_->finals();
    add(o.obs, rows * spec().obs_dim * spec().obs_item_bytes());
    add(o.avail_actions, rows * spec().num_actions);
    add(o.active, rows);
    add(o.world_state, envs * spec().world_state_dim * 4);
    add(env_->outcomes().rewards, rows * spec().num_objectives * 4);
    add(env_->outcomes().terminated, rows);
    add(env_->outcomes().truncated, rows);
    add(f.obs, rows * spec().obs_dim * spec().obs_item_bytes());
    add(f.world_state, envs * spec().world_state_dim * 4);
    add(f.episode_return, rows * spec().num_objectives * 4);
    add(f.episode_length, envs * 4);
    add(f.info, envs * spec().info.size() * 4);
    return all;
  }

 private:
  void remember() {
    if (env_->num_envs() > 8) return;
    histories_.resize(env_->num_envs());
    const auto hashes = env_->state_hashes();
    const size_t width = size_t(spec().num_agents) * spec().num_objectives;
    const auto rewards = download(env_->device(), env_->outcomes().rewards, env_->num_envs() * width);
    for (size_t e = 0; e < hashes.size(); ++e) {
      histories_[e].push_back(hashes[e]);
      for (size_t i = 0; i < width; ++i) histories_[e].push_back(std::bit_cast<uint32_t>(rewards[e * width + i]));
    }
  }

  std::unique_ptr<VecEnv> env_;
  int steps_ = 0;
  std::vector<std::vector<uint64_t>> histories_;  // [env]
};

// Fewer environments for a game with many agents or actions, so that its exam takes no longer than others'.
inline int fewer_envs(const std::string& id, int num_envs, int rows) {
  const EnvSpec spec = env_spec(id);
  return std::clamp(rows / (spec.num_agents * (1 + spec.num_actions / 100)), 2, num_envs);
}

inline BatchOptions batch_of(int num_envs, Autoreset autoreset = Autoreset::same_step, int time_limit = -1) {
  BatchOptions options;
  options.num_envs = num_envs;
  options.autoreset = autoreset;
  options.time_limit = time_limit;
  return options;
}

}  // namespace throng
