// Front: what a policy reaches for each of many weights, played in one batch, and how good that is.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "algos/evaluate.hpp"
#include "algos/pareto.hpp"

namespace throng {

// What a front is measured by.
struct Yardstick {
  Point reference;  // of the hypervolume, [objective]; empty: the least that was reached of each objective
  Points best;      // the exact front, if it is known
};

struct Front {
  bool greedy = false;
  uint64_t seed = 0;
  int episodes = 0;                  // of each weights
  std::vector<ArchiveEntry> played;  // one for each weights: means over episodes and agents, not discounted
  std::vector<ArchiveEntry> front;   // those that no other dominates
  std::vector<ArchiveEntry> again;   // the same weights on episodes of their own: the best of many means is too good
};

// The largest grid over the simplex (Das and Dennis) of at most so many weights.
Weights even_weights(int num_objectives, int most);

// The weights of an evaluation: those that the run is trained for, or even ones: 101 weights for 2 objectives, 105 for 3, 84 for 4.
Weights evaluation_weights(const TrainConfig& config, int num_objectives);

// Plays as many episodes for each weights as `env` has environments for them, and once more those of the front. See evaluate().
// `policy` is where to find it again.
Front play_front(VecEnv& env, Learner& learner, const Weights& weights, bool greedy, uint64_t seed,
                 const std::string& policy);

// The front of several policies together: of other weights, or of other seeds.
Front join_fronts(const std::vector<Front>& fronts);

// Points with their weights and policies; hypervolume (of both plays), expected utility, R2, sparsity, cardinality; with an exact front maximum
// utility loss, IGD, IGD+, and the hypervolume as a share of the exact one.
nlohmann::ordered_json front_json(const Front& front, const std::vector<std::string>& objectives,
                                  const Yardstick& yardstick);

// The first two objectives of all that was played, of the front, and of the exact one, as SVG.
std::string front_chart(const std::string& title, const Front& front, const std::vector<std::string>& objectives,
                        const Yardstick& yardstick);

}  // namespace throng
