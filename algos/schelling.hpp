// Schelling diagrams: what agents of two kinds earn in every mix of them, from all of the one to all of the other.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "algos/evaluate.hpp"
#include "algos/policy.hpp"
#include "core/vec_env.hpp"

namespace throng {

// Somebody who chooses the actions [env, agent, action_dim] of all agents of a batch; `step` numbers the draw of `key`.
struct Player {
  std::string name;
  std::function<void(VecEnv& env, Key key, uint32_t step, int32_t* actions)> act;
};

// A run's policy, whose actions are drawn; it plays one episode in each environment. And a player of spec().policies.
Player player_of(std::string name, std::shared_ptr<Policy> policy, VecEnv& env);
Player player_of_game(const std::string& policy, const VecEnv& env);

// Agents of the first kind, A, are thought of as cooperating, those of the second, B, as defecting.
struct SchellingMix {
  int of_a = 0, of_b = 0;                                  // agents
  Estimate return_a, return_b, return_all;                 // of an agent of each kind, and of any; over episodes
  std::vector<std::pair<std::string, Estimate>> measures;  // the game's own, by the names of metrics.jsonl
};

struct Schelling {
  std::string env, version, a, b;  // names
  int64_t episodes = 0;            // of each mix
  uint64_t seed = 0;
  std::vector<SchellingMix> mixes;  // [agents of kind A]

  int agents() const { return static_cast<int>(mixes.size()) - 1; }
  // What an agent of a kind earns if `others` of the other agents are of kind A.
  const Estimate& earns_a(int others) const { return mixes[others + 1].return_a; }
  const Estimate& earns_b(int others) const { return mixes[others].return_b; }

  // What Hughes et al. 2018 ask of a social dilemma: if all are A it is better than if all are B, and than being the only A; and
  // an A would rather be a B, out of fear, if nobody else is A, or out of greed, if all others are.
  bool cooperation_pays() const { return earns_a(agents() - 1).mean > earns_b(0).mean; }
  bool loners_lose() const { return earns_a(agents() - 1).mean > earns_a(0).mean; }
  bool fear() const { return earns_b(0).mean > earns_a(0).mean; }
  bool greed() const { return earns_b(agents() - 1).mean > earns_a(agents() - 1).mean; }
  bool dilemma() const { return cooperation_pays() && loners_lose() && (fear() || greed()); }

  nlohmann::ordered_json to_json() const;
};

// Plays all mixes in one batch: of its environments, made with evaluation_options(), each mix has as many, agents + 1 times
// fewer than there are. Who is of which kind is drawn for each environment. Error unless there are two agents or more, and one
// objective.
Schelling play_schelling(VecEnv& env, const Player& a, const Player& b, uint64_t seed);

}  // namespace throng
