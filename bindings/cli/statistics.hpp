// Statistics of episodes: how a policy that needs no learning fares, with standard errors.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "bindings/cli/signals.hpp"
#include "core/vec_env.hpp"

namespace throng {

// A mean over episodes.
struct Mean {
  double mean = 0;
  double deviation = 0;  // standard deviation of an episode
  double error = 0;      // standard error of the mean
};

struct PolicyStatistics {
  std::string policy;
  int64_t episodes = 0;
  uint64_t seed = 0;
  // "episodic_return", "episodic_length", the game's own measures ("win_rate", ...), "truncated": the share that was cut
  // at the time limit.
  std::vector<std::pair<std::string, Mean>> measures;

  nlohmann::ordered_json to_json(const EnvSpec& spec) const;
};

// Plays one episode in every environment of `env` with a policy of spec().policies, from reset(seed), then from
// reset(seed + 1) and so on until there are `episodes` of them. Every episode that begins is counted, so long ones do not
// count less. `env` is made with evaluation_options(). Fewer episodes if a signal stops it.
PolicyStatistics play_statistics(VecEnv& env, const std::string& policy, int64_t episodes, uint64_t seed,
                                 const StopOnSignal& stop);

// "smax/3m  random  1000 episodes  episodic_return 0.178 ± 0.003  ..."
std::string statistics_line(const EnvSpec& spec, const PolicyStatistics& statistics);

}  // namespace throng
