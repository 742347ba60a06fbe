// One environment of a game in ordinary memory, played by hand: what the tests of many games' rules share.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/instance.hpp"
#include "core/make_entry.hpp"
#include "envs/registry.hpp"

namespace throng {

struct Listed {
  std::vector<float> row;
  template <class T>
  void operator()(T value) {
    row.push_back(static_cast<float>(value));
  }
  template <class T>
  void run(const T* values, int n) {
    row.insert(row.end(), values, values + n);
  }
};

// The parameters of a scenario of the registry.
template <class Env>
typename Env::Params params_of(const std::string& id, const nlohmann::json& config = {}) {
  return params_from<Env>(scenario_config(id, config), id);
}

template <class Env>
struct Played {
  HostInstance<Env> instance;
  Env env;
  Spec spec;
  std::vector<float> rewards;  // [agent, objective], of the last step

  explicit Played(typename Env::Params params, uint64_t seed = 1)
      : instance(checked(params)), env(instance.env()), spec(Env::spec(instance.params())) {
    env.reset(Rng{key(seed)});
  }
  Played(const Played&) = delete;  // `env` points into `instance`

  static typename Env::Params checked(typename Env::Params params) {
    if constexpr (requires { params.check(); }) params.check();
    return params;
  }

  // True if the episode ended by the rules.
  bool step(std::vector<int32_t> actions, Rng rng = Rng{key(2)}) {
    return env.step(Actions{actions.data(), spec.heads.size > 0 ? spec.heads.size : 1}, cleared(), rng);
  }
  // Where actions are numbers: those of all agents, one after the other.
  bool fly(std::vector<float> actions, Rng rng = Rng{key(2)}) {
    return env.step(ContinuousActions{actions.data(), spec.continuous}, cleared(), rng);
  }
  // Chosen actions, with draws of the test's own.
  template <class Draws>
  bool step_with(std::vector<int32_t> actions, const Draws& draws) {
    return env.step_with(Actions{actions.data()}, cleared(), draws);
  }

  Rewards cleared() {
    rewards.assign(static_cast<size_t>(spec.num_agents) * spec.num_objectives, 0.0f);
    return Rewards{rewards.data(), spec.num_objectives};
  }

  std::vector<float> reward(int agent) const {
    const auto first = rewards.begin() + agent * spec.num_objectives;
    return {first, first + spec.num_objectives};
  }
  std::vector<float> observation(int agent) const {
    Listed out;
    if constexpr (HasPrepareViews<Env>) env.prepare_views();
    env.observe(agent, out);
    return out.row;
  }
  std::vector<float> info() const {
    Listed out;
    env.info(out);
    return out.row;
  }
  // The numbers of the legal actions.
  std::vector<int> legal(int agent) const {
    Listed out;
    env.avail(agent, out);
    std::vector<int> actions;
    for (size_t a = 0; a < out.row.size(); ++a) {
      if (out.row[a] != 0) actions.push_back(static_cast<int>(a));
    }
    return actions;
  }
};

inline void check_near(const std::vector<float>& got, const std::vector<float>& want, double tolerance = 1e-6) {
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    INFO("element " << i);
    CHECK_THAT(got[i], Catch::Matchers::WithinAbs(want[i], tolerance));
  }
}

// The statistics of `steps` steps of random legal actions in `num_envs` environments on the CPU.
inline EpisodeStatistics random_play(const std::string& id, int num_envs, int steps,
                                     const nlohmann::json& config = {}) {
  BatchOptions options;
  options.num_envs = num_envs;
  const auto env = make(id, open_device("cpu"), options, config);
  env->reset(5);
  for (int t = 0; t < steps; ++t) {
    env->random_actions(env->observations().avail_actions, env->actions(), key(6), static_cast<uint32_t>(t));
    env->step(env->actions());
  }
  return env->take_statistics();
}

}  // namespace throng
