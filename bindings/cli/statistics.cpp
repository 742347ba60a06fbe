// Plays whole episodes with a built-in policy and averages what the batch kept of each.
#include "bindings/cli/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "algos/evaluate.hpp"
#include "bindings/cli/console.hpp"
#include "core/error.hpp"
#include "core/version.hpp"

namespace throng {
namespace {

// Environment e draws from fold_in(key(seed), e); no environment has this number.
constexpr uint32_t kPolicyStream = 0xfffffffeu;

// Values of the episodes, one list for each measure.
struct Episodes {
  std::vector<std::pair<std::string, std::vector<double>>> measures;

  void add(const std::string& name, double value) {
    for (auto& [known, values] : measures) {
      if (known == name) return values.push_back(value);
    }
    measures.push_back({name, {value}});
  }
};

void play(VecEnv& env, int policy, uint64_t seed, const StopOnSignal& stop) {
  const Key drawn = fold_in(key(seed), kPolicyStream);
  env.reset(seed);
  for (uint32_t t = 0; !stop.requested(); ++t) {
    env.policy_actions(policy, env.actions(), drawn, t);
    env.step(env.actions());
    if (all_ended(env)) return;
  }
}

void read(VecEnv& env, int64_t count, Episodes& episodes) {
  const EnvSpec& spec = env.spec();
  const size_t envs = env.num_envs(), agents = spec.num_agents, objectives = spec.num_objectives;
  const auto returns = download(env.device(), env.finals().episode_return, envs * agents * objectives);
  const auto lengths = download(env.device(), env.finals().episode_length, envs);
  const auto truncated = download(env.device(), env.outcomes().truncated, envs * agents);
  std::vector<float> info;
  if (!spec.info.empty()) info = download(env.device(), env.finals().info, envs * spec.info.size());
  for (size_t e = 0; e < static_cast<size_t>(count); ++e) {
    for (size_t o = 0; o < objectives; ++o) {
      double sum = 0;
      for (size_t a = 0; a < agents; ++a) sum += returns[(e * agents + a) * objectives + o];
      episodes.add(return_name(spec.objectives[o], objectives), sum / static_cast<double>(agents));
    }
    episodes.add("episodic_length", lengths[e]);
    for (size_t i = 0; i < spec.info.size(); ++i)
      episodes.add(metric_name(spec.info[i]), info[e * spec.info.size() + i]);
    episodes.add("truncated", truncated[e * agents] != 0);
  }
}

Mean mean_of(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  Mean result;
  for (const double value : values) result.mean += value / n;
  double squares = 0;
  for (const double value : values) squares += (value - result.mean) * (value - result.mean);
  result.deviation = n > 1 ? std::sqrt(squares / (n - 1)) : 0;
  result.error = result.deviation / std::sqrt(n);
  return result;
}

}  // namespace

PolicyStatistics play_statistics(VecEnv& env, const std::string& policy, int64_t episodes, uint64_t seed,
                                 const StopOnSignal& stop) {
  PolicyStatistics result;
  result.policy = policy;
  result.seed = seed;
  const int number = env.policy_named(policy);
  Episodes all;
  for (uint64_t batch = 0; result.episodes < episodes; ++batch) {
    play(env, number, seed + batch, stop);
    if (stop.requested()) break;
    const int64_t count = std::min<int64_t>(env.num_envs(), episodes - result.episodes);
    read(env, count, all);
    result.episodes += count;
  }
  for (const auto& [name, values] : all.measures) result.measures.emplace_back(name, mean_of(values));
  return result;
}

nlohmann::ordered_json PolicyStatistics::to_json(const EnvSpec& spec) const {
  nlohmann::ordered_json line = {{"env", spec.id},   {"version", spec.version}, {"throng", kVersion},
                                 {"policy", policy}, {"episodes", episodes},    {"seed", seed}};
  for (const auto& [name, value] : measures) {
    line[name] = {{"mean", value.mean}, {"standard_deviation", value.deviation}, {"standard_error", value.error}};
  }
  return line;
}

std::string statistics_line(const EnvSpec& spec, const PolicyStatistics& statistics) {
  std::string line = spec.id + "  " + statistics.policy + "  " + std::to_string(statistics.episodes) + " episodes";
  for (const auto& [name, value] : statistics.measures) {
    const int digits = value.mean >= 10 ? 2 : 4;
    line += "  " + name + " " + fixed(value.mean, digits) + " ± " + fixed(value.error, digits);
  }
  return line;
}

}  // namespace throng
