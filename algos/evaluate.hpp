// Evaluation: how good a policy is, over episodes of its own, with an interval.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "algos/learner.hpp"
#include "core/vec_env.hpp"

namespace throng {

// A mean over episodes and the half-width of its 95 % interval (normal approximation; NaN, null in JSON, for one episode).
struct Estimate {
  double mean = 0;
  double ci95 = 0;
};

using Weights = std::vector<std::vector<float>>;  // [preference][objective]

Estimate estimate(const std::vector<double>& values);

struct Evaluation {
  int64_t episodes = 0;
  int64_t truncated = 0;  // of these were cut at the time limit
  bool greedy = false;
  uint64_t seed = 0;
  std::map<std::string, Estimate> returns;  // by objective; mean over agents
  Estimate length;                          // steps
  std::optional<Estimate> utility;          // of a policy that is told weights: returns, weighted by them
  std::map<std::string, Estimate> info;     // by the environment's names: "won" is the win rate

  // All estimates by the names of metrics.jsonl: "episodic_return", "episodic_length", "win_rate", ...
  std::vector<std::pair<std::string, Estimate>> estimates() const;
  nlohmann::ordered_json to_json() const;
};

// "won" is logged as "win_rate", every other measure of a game by its own name.
std::string metric_name(const std::string& info);
// "episodic_return"; with several objectives "episodic_return/<objective>", since what a sum means depends on weights.
std::string return_name(const std::string& objective, size_t num_objectives);

// An evaluation ends even in a game without a time limit: its episodes are truncated after this many steps.
inline constexpr int kLongestEvaluation = 10'000;

// What the actions of an evaluation are drawn with; number t draws those of step t.
Key evaluation_key(uint64_t seed);

// How to make environments for evaluate(): one per episode, none begins a second one, and all of them end.
BatchOptions evaluation_options(const Spec& spec, int episodes);

// Whose weights environment e of `envs` gets: all in turn, or where they are more than environments, some evenly.
size_t whose_weights(size_t e, size_t envs, const Weights& weights);

// One episode in every environment of `env`, as evaluate() says. A policy that is told what it shall strive for is told these
// weights; without any, equal ones.
void play_episodes(VecEnv& env, Learner& learner, bool greedy, uint64_t seed, int group = 0,
                   const Weights& weights = {});
// Whether every environment stands still after its episode: one that ended keeps its flags raised.
bool all_ended(VecEnv& env);

// Plays one episode in every environment of `env` with `learner`'s policy, greedy or sampled. Environments begin from
// reset(seed), and actions are drawn from a stream of their own of the same seed. Error unless `env` was made with autoreset
// disabled and a time limit. Leaves the learner as it was. Of a learner of several groups, one plays.
Evaluation evaluate(VecEnv& env, Learner& learner, bool greedy, uint64_t seed, int group = 0,
                    const Weights& weights = {});

}  // namespace throng
