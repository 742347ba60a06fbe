// Tournament: everybody plays everybody from both sides, and what that says of who is how good.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "algos/ladder.hpp"
#include "algos/nash.hpp"
#include "algos/pool.hpp"
#include "algos/teams.hpp"
#include "algos/trainer.hpp"

namespace throng {

// A player: a policy, a mixture of policies of which one is drawn for every game, or a player that comes with the game.
struct Entrant {
  std::string name;
  int64_t timesteps = 0;             // that a policy has learned from
  std::shared_ptr<Learner> learner;  // null: the game's own
  int bot = -1;                      // number of spec().policies
  std::shared_ptr<Pool> pool;        // of a mixture; null: the learner as it is
  std::vector<int> members;          // of the pool
  std::vector<double> weights;       // [member], adding up to 1
  std::string opponent = "";  // not "": a value of the game's parameter `opponent`; such players do not meet each other
};

// The game of a tournament.
struct TournamentGame {
  EnvSpec spec;  // of both teams
  std::vector<std::string>
      opponents;  // values of its parameter `opponent`, with some of which it plays the second team itself
  // A batch of so many games that end once: of both teams, or with such an opponent of the first.
  std::function<std::unique_ptr<VecEnv>(int games, const std::string& opponent)> make;
};

// The sizes of an environment with these parameters (envs/registry.hpp: env_spec).
using SpecOf = std::function<EnvSpec(const std::string& env, const nlohmann::json& config)>;

// "bot:random", "bot:NAME" with a NAME of spec.policies or of opponents; "runs/mine", the run's mixture if it learned one and else
// its latest policy; "runs/mine@best", "runs/mine@latest", "runs/mine@step_N.safetensors", "runs/mine@pool/0000.safetensors".
// Error unless the policy sees and chooses as many things as an agent of the game.
Entrant load_entrant(const std::string& text, const TournamentGame& game, const SpecOf& spec_of,
                     const std::shared_ptr<Device>& device);

struct TournamentOptions {
  int rounds = 500;  // games of a pair, half from each side; an odd number is one more
  uint64_t seed = 0;
  bool greedy = false;
  int num_envs = 65536;  // games side by side, about
};

// What came of it; a and b are numbers of entrants.
struct Tournament {
  int players = 0, rounds = 0;
  std::vector<Score> scores;  // [a * players + b], of the games in which a was the first team
  int64_t steps = 0;          // environment steps played, those of games that wait for the others' end included

  Payoffs payoffs() const;
};

// Every pair plays the same number of games, each to its end (or the time limit: a draw). The same seed gives the same games.
Tournament play_tournament(const TournamentGame& game, const std::vector<Entrant>& entrants,
                           const TournamentOptions& options);

// Ratings of all kinds.
struct Ratings {
  std::vector<double> elo;  // Bradley-Terry; `anchor` at 1000
  int anchor = 0;
  NashAverage nash;                // Nash averaging
  std::vector<double> alpha_rank;  // masses
  double alpha = 0;                // at which the order of masses had settled
  double cyclic = 0;               // share of the payoffs that no rating explains
};
Ratings rate(const Payoffs& payoffs, int anchor);

// Masses of alpha-rank for a selection pressure that is doubled until the order no longer changes, and that pressure.
std::pair<std::vector<double>, double> settled_alpha_rank(const std::vector<double>& matrix);

// Names, results of all pairs, ratings.
nlohmann::ordered_json to_json(const Tournament& tournament, const std::vector<Entrant>& entrants,
                               const Ratings& ratings);

}  // namespace throng
