// Plays one episode per environment and averages what the batch kept of each.
#include "algos/evaluate.hpp"

#include <cmath>
#include <limits>

#include "core/error.hpp"

namespace throng {
namespace {

// Means of groups of `group` neighbouring values that lie `stride` apart, beginning at `first`: one per environment.
std::vector<double> per_env(const std::vector<float>& values, size_t envs, size_t first, size_t group, size_t stride) {
  std::vector<double> means(envs, 0.0);
  for (size_t e = 0; e < envs; ++e) {
    for (size_t i = 0; i < group; ++i) means[e] += values[(e * group + i) * stride + first];
    means[e] /= static_cast<double>(group);
  }
  return means;
}

// The flags of an environment are those of each of its agents.
int64_t count_envs(VecEnv& env, const uint8_t* flags) {
  const std::vector<uint8_t> host = download(env.device(), flags, static_cast<size_t>(env.num_rows()));
  int64_t count = 0;
  for (size_t row = 0; row < host.size(); row += static_cast<size_t>(env.spec().num_agents)) count += host[row] != 0;
  return count;
}

// [env, agent, goal], with nothing earned yet.
std::vector<float> goals_of(const VecEnv& env, const Goal& goal, const Weights& weights) {
  std::vector<float> goals(static_cast<size_t>(env.num_rows()) * goal.dim(), 0.0f);
  for (int row = 0; row < env.num_rows(); ++row) {
    for (int j = 0; j < goal.weights; ++j) {
      const float equal = 1.0f / static_cast<float>(goal.weights);
      const size_t e = row / env.spec().num_agents;
      const size_t k = weights.empty() ? 0 : whose_weights(e, env.num_envs(), weights);
      goals[size_t(row) * goal.dim() + j] = weights.empty() ? equal : weights[k].at(j);
    }
  }
  return goals;
}

void read_finals(VecEnv& env, Evaluation& evaluation) {
  const EnvSpec& spec = env.spec();
  const auto envs = static_cast<size_t>(env.num_envs()), agents = static_cast<size_t>(spec.num_agents);
  const size_t objectives = spec.objectives.size(), info = spec.info.size();
  const auto returns = download(env.device(), env.finals().episode_return, envs * agents * objectives);
  for (size_t o = 0; o < objectives; ++o) {
    evaluation.returns[spec.objectives[o]] = estimate(per_env(returns, envs, o, agents, objectives));
  }
  const auto lengths = download(env.device(), env.finals().episode_length, envs);
  evaluation.length = estimate({lengths.begin(), lengths.end()});
  if (info == 0) return;
  const auto measures = download(env.device(), env.finals().info, envs * info);
  for (size_t i = 0; i < info; ++i) evaluation.info[spec.info[i]] = estimate(per_env(measures, envs, i, 1, info));
}

// Of every environment: what its agents got on average, weighted by what they were told.
std::vector<double> utilities(VecEnv& env, const Weights& weights) {
  const auto envs = static_cast<size_t>(env.num_envs()), agents = static_cast<size_t>(env.spec().num_agents);
  const size_t objectives = env.spec().objectives.size();
  const auto returns = download(env.device(), env.finals().episode_return, envs * agents * objectives);
  std::vector<double> sums(envs, 0.0);
  for (size_t j = 0; j < objectives; ++j) {
    const std::vector<double> means = per_env(returns, envs, j, agents, objectives);
    for (size_t e = 0; e < envs; ++e) sums[e] += means[e] * weights[whose_weights(e, envs, weights)][j];
  }
  return sums;
}

constexpr int kStepsUnseen = 8;

}  // namespace

// Environment e of a batch draws from fold_in(key(seed), e); no environment has this number.
Key evaluation_key(uint64_t seed) { return fold_in(key(seed), 0xffffffffu); }

Estimate estimate(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double value : values) sum += value;
  const double mean = sum / n;
  for (const double value : values) squares += (value - mean) * (value - mean);
  if (values.size() < 2) return {mean, std::numeric_limits<double>::quiet_NaN()};
  constexpr double kNormal95 = 1.959964;
  return {mean, kNormal95 * std::sqrt(squares / (n - 1) / n)};
}

bool all_ended(VecEnv& env) {
  return count_envs(env, env.outcomes().terminated) + count_envs(env, env.outcomes().truncated) == env.num_envs();
}

size_t whose_weights(size_t e, size_t envs, const Weights& weights) {
  return envs < weights.size() ? e * weights.size() / envs : e % weights.size();
}

std::string metric_name(const std::string& info) { return info == "won" ? "win_rate" : info; }

std::string return_name(const std::string& objective, size_t num_objectives) {
  return num_objectives == 1 ? "episodic_return" : "episodic_return/" + objective;
}

std::vector<std::pair<std::string, Estimate>> Evaluation::estimates() const {
  std::vector<std::pair<std::string, Estimate>> all;
  for (const auto& [objective, value] : returns) all.emplace_back(return_name(objective, returns.size()), value);
  if (utility) all.emplace_back("utility", *utility);
  all.emplace_back("episodic_length", length);
  for (const auto& [name, value] : info) all.emplace_back(metric_name(name), value);
  return all;
}

nlohmann::ordered_json Evaluation::to_json() const {
  nlohmann::ordered_json json = {{"episodes", episodes}, {"truncated", truncated}, {"greedy", greedy}, {"seed", seed}};
  for (const auto& [name, value] : estimates()) {
    json.emplace(name, nlohmann::ordered_json{{"mean", value.mean}, {"ci95", value.ci95}});
  }
  return json;
}

BatchOptions evaluation_options(const Spec& spec, int episodes) {
  BatchOptions options;
  options.num_envs = episodes;
  options.autoreset = Autoreset::disabled;
  options.time_limit = spec.time_limit > 0 ? spec.time_limit : kLongestEvaluation;
  return options;
}

// An environment that ended stands still with its flags raised, so the last step's flags count everything; and it does no harm that
// the host, which has to wait for the device to look, only looks from time to time.
void play_episodes(VecEnv& env, Learner& learner, bool greedy, uint64_t seed, int group, const Weights& weights) {
  if (env.options().autoreset != Autoreset::disabled) {
    throw Error("evaluation needs environments with autoreset disabled, not " +
                std::string(name_of(env.options().autoreset)));
  }
  if (env.spec().time_limit <= 0) throw Error("evaluation needs a time limit, and " + env.spec().id + " has none");
  const Key sampling = evaluation_key(seed);
  const Goal goal = learner.goal();
  const int64_t rows = env.num_rows();
  env.reset(seed);
  Arena arena(env.shared_device());
  float* state = nullptr;  // [env, agent, state_dim]; an environment plays one episode, so it begins anew only at death
  float* goals = nullptr;  // [env, agent, goal]
  if (learner.state_dim() > 0) arena.want(state, rows * learner.state_dim());
  if (goal.dim() > 0) arena.want(goals, rows * goal.dim());
  arena.commit();
  if (goals) upload(env.device(), goals, goals_of(env, goal, weights));
  for (int t = 0; t < env.spec().time_limit; ++t) {
    learner.act_on(env.observations(), nullptr, state, rows, greedy, sampling, static_cast<uint32_t>(t), env.actions(),
                   group, goals);
    env.step(env.actions());
    if (goals) learner.add_earned(rows, env.outcomes().rewards, goals, group);
    if (t % kStepsUnseen == 0 && all_ended(env)) return;
  }
  if (all_ended(env)) return;
  throw Error("evaluation of " + env.spec().id + ": not every episode ended at the time limit");
}

Evaluation evaluate(VecEnv& env, Learner& learner, bool greedy, uint64_t seed, int group, const Weights& weights) {
  play_episodes(env, learner, greedy, seed, group, weights);
  Evaluation evaluation;
  evaluation.episodes = env.num_envs();
  evaluation.truncated = count_envs(env, env.outcomes().truncated);
  evaluation.greedy = greedy;
  evaluation.seed = seed;
  read_finals(env, evaluation);
  if (!weights.empty()) evaluation.utility = estimate(utilities(env, weights));
  return evaluation;
}

}  // namespace throng
