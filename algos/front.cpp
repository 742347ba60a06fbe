// Plays a grid of weights and measures the front.
#include "algos/front.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/chart.hpp"
#include "core/error.hpp"

namespace throng {
namespace {

using nlohmann::ordered_json;

Points values_of(const std::vector<ArchiveEntry>& entries) {
  Points values;
  for (const ArchiveEntry& entry : entries) values.push_back(entry.value);
  return values;
}

// Mean and its standard error for each weights; environment e played for weights e % W.
std::vector<ArchiveEntry> play(VecEnv& env, Learner& learner, const Weights& weights, bool greedy, uint64_t seed,
                               const std::string& policy) {
  play_episodes(env, learner, greedy, seed, /*group=*/0, weights);
  const size_t envs = env.num_envs(), agents = env.spec().num_agents, d = env.spec().num_objectives;
  const auto returns = download(env.device(), env.finals().episode_return, envs * agents * d);
  std::vector<ArchiveEntry> entries;
  for (size_t w = 0; w < weights.size(); ++w) {
    ArchiveEntry entry{Point(d), Point(d), weights[w], policy};
    for (size_t j = 0; j < d; ++j) {
      double sum = 0, squares = 0, n = 0;
      for (size_t e = w; e < envs; e += weights.size(), ++n) {
        double mean = 0;
        for (size_t a = 0; a < agents; ++a) mean += returns[(e * agents + a) * d + j] / static_cast<double>(agents);
        sum += mean;
        squares += mean * mean;
      }
      entry.value[j] = sum / n;
      entry.standard_error[j] = std::sqrt(std::max(0.0, squares / n - sum / n * (sum / n)) / n);
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

Point extreme(const Points& points, bool most) {
  Point all = points.at(0);
  for (const Point& point : points) {
    for (size_t j = 0; j < all.size(); ++j) all[j] = most ? std::max(all[j], point[j]) : std::min(all[j], point[j]);
  }
  return all;
}

Points as_points(const std::vector<ArchiveEntry>& entries) {
  Points weights;
  for (const ArchiveEntry& entry : entries) weights.emplace_back(entry.weights.begin(), entry.weights.end());
  return weights;
}

ordered_json points_json(const std::vector<ArchiveEntry>& entries) {
  ordered_json points = ordered_json::array();
  for (const ArchiveEntry& entry : entries) {
    points.push_back({{"value", entry.value},
                      {"standard_error", entry.standard_error},
                      {"weights", entry.weights},
                      {"policy", entry.policy}});
  }
  return points;
}

Series series(const std::string& name, const Points& points, Series::Style style) {
  Series series{name, {}, {}, style};
  for (const Point& point : points) {
    series.x.push_back(point[0]);
    series.y.push_back(point[1]);
  }
  return series;
}

}  // namespace

Weights even_weights(int num_objectives, int most) {
  if (most < num_objectives)
    throw Error("at least one weights for each of the " + std::to_string(num_objectives) + " objectives, not " +
                std::to_string(most));
  int divisions = 1;
  while (num_objectives > 1 && static_cast<int>(simplex_grid(num_objectives, divisions + 1).size()) <= most)
    ++divisions;
  return simplex_grid(num_objectives, divisions);
}

Weights evaluation_weights(const TrainConfig& config, int num_objectives) {
  if (config.weights.size > 0) return {{config.weights.begin(), config.weights.end()}};
  return even_weights(num_objectives, num_objectives <= 2 ? 101 : 105);
}

Front play_front(VecEnv& env, Learner& learner, const Weights& weights, bool greedy, uint64_t seed,
                 const std::string& policy) {
  Front front;
  front.greedy = greedy;
  front.seed = seed;
  front.episodes = env.num_envs() / static_cast<int>(weights.size());
  if (front.episodes == 0)
    throw Error("a front of " + std::to_string(weights.size()) + " weights needs as many environments, not " +
                std::to_string(env.num_envs()));
  front.played = play(env, learner, weights, greedy, seed, policy);
  ParetoArchive archive;
  for (const ArchiveEntry& entry : front.played) archive.insert(entry);
  front.front = archive.entries();
  Weights best;
  for (const ArchiveEntry& entry : front.front) best.push_back(entry.weights);
  front.again = play(env, learner, best, greedy, seed + 1, policy);
  return front;
}

Front join_fronts(const std::vector<Front>& fronts) {
  Front all = fronts.at(0);
  ParetoArchive archive;
  all.played.clear();
  all.again.clear();
  for (const Front& front : fronts) {
    all.played.insert(all.played.end(), front.played.begin(), front.played.end());
    for (const ArchiveEntry& entry : front.front) archive.insert(entry);
  }
  all.front = archive.entries();
  for (const ArchiveEntry& best : all.front) {
    for (const Front& front : fronts) {
      for (size_t i = 0; i < front.front.size(); ++i) {
        const ArchiveEntry& entry = front.front[i];
        if (entry.policy == best.policy && entry.weights == best.weights) all.again.push_back(front.again[i]);
      }
    }
  }
  return all;
}

ordered_json front_json(const Front& front, const std::vector<std::string>& objectives, const Yardstick& yardstick) {
  const Points points = values_of(front.front), played = values_of(front.played), weights = as_points(front.played);
  const Point reference = yardstick.reference.empty() ? extreme(played, false) : yardstick.reference;
  const bool exact = !yardstick.best.empty();
  const double volume = hypervolume(points, reference);
  ordered_json json = {{"greedy", front.greedy},
                       {"seed", front.seed},
                       {"episodes_per_weights", front.episodes},
                       {"objectives", objectives},
                       {"reference", reference},
                       {"hypervolume", volume},
                       {"hypervolume_again", hypervolume(values_of(front.again), reference)},
                       {"expected_utility", expected_utility(points, weights)},
                       {"r2", r2(points, extreme(exact ? yardstick.best : points, true), weights)},
                       {"sparsity", sparsity(points)},
                       {"cardinality", cardinality(points)}};
  if (exact) {
    const double most = hypervolume(yardstick.best, reference);
    json["exact_hypervolume"] = most;
    json["share_of_exact"] = volume / most;
    json["maximum_utility_loss"] = maximum_utility_loss(points, yardstick.best, weights);
    json["igd"] = igd(points, yardstick.best);
    json["igd_plus"] = igd_plus(points, yardstick.best);
  }
  json["front"] = points_json(front.front);
  json["front_again"] = points_json(front.again);
  json["played"] = points_json(front.played);
  return json;
}

std::string front_chart(const std::string& title, const Front& front, const std::vector<std::string>& objectives,
                        const Yardstick& yardstick) {
  Chart chart;
  chart.title = title;
  chart.x_label = objectives.at(0);
  chart.y_label = objectives.at(1);
  chart.series.push_back(series("every weights", values_of(front.played), Series::kPoints));
  chart.series.push_back(series("front", values_of(front.front), Series::kPoints));
  if (!yardstick.best.empty()) chart.series.push_back(series("exact front", yardstick.best, Series::kPoints));
  return chart.svg();
}

}  // namespace throng
