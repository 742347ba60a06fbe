// Statistics of SMAX against those of the original's rules: returns, lengths, wins and timeouts of two policies.
#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "algos/evaluate.hpp"
#include "bindings/cli/statistics.hpp"
#include "envs/registry.hpp"

using namespace throng;

namespace {

// Measured with a port of JaxMARL 0.2.0's rules over 20,000 episodes, and printed to the last digit that stands here.
struct Reference {
  const char* scenario;
  const char* policy;
  double episodic_return, episodic_length, win_rate, truncated;
};

constexpr Reference kReferences[] = {
    {"3m", "random", 0.1776, 17.8, 0, 0},
    {"3m", "heuristic", 1.401, 13.9, 0.491, 0},
    {"2s3z", "random", 0.2053, 53.6, 0, 0.012},
    {"2s3z", "heuristic", 1.402, 71.5, 0.487, 0.027},
    {"5m_vs_6m", "heuristic", 0.573, 12.5, 0.001, 0},
    {"3s_vs_5z", "random", 0.2182, 42.5, 0, 0.005},
    {"6h_vs_8z", "heuristic", 0.621, 27.5, 0, 0},
    {"smacv2_5_units", "random", 0.2535, 35.7, 0.001, 0.007},
    {"smacv2_5_units", "heuristic", 1.355, 35.9, 0.497, 0.005},
};

// `digit` is what the reference was rounded to. A share that the sample has not seen still has the error of one episode.
void check_close(const std::string& name, const Mean& got, int64_t episodes, double want, double digit) {
  constexpr double kReferenceEpisodes = 20000;
  const double deviation = std::max(got.deviation, 1 / std::sqrt(static_cast<double>(episodes)));
  const double error = deviation * std::sqrt(1 / static_cast<double>(episodes) + 1 / kReferenceEpisodes);
  INFO(name << ": " << got.mean << " of " << episodes << " episodes, the original " << want);
  CHECK(std::abs(got.mean - want) <= 3 * error + digit / 2);
}

}  // namespace

TEST_CASE("random and heuristic allies fare as in the original", "[smax][parity]") {
  constexpr int kEpisodes = 2000;
  const StopOnSignal stop("");
  for (const Reference& reference : kReferences) {
    const std::string id = std::string("smax/") + reference.scenario;
    INFO(id << ", " << reference.policy);
    const auto env = make(id, open_device("cpu"), evaluation_options(env_spec(id), 500));
    const PolicyStatistics found = play_statistics(*env, reference.policy, kEpisodes, 1, stop);
    REQUIRE(found.episodes == kEpisodes);
    const bool heuristic = found.policy == "heuristic";
    for (const auto& [name, got] : found.measures) {
      if (name == "episodic_return")
        check_close(name, got, kEpisodes, reference.episodic_return, heuristic ? 1e-3 : 1e-4);
      if (name == "episodic_length") check_close(name, got, kEpisodes, reference.episodic_length, 0.1);
      if (name == "win_rate") check_close(name, got, kEpisodes, reference.win_rate, 1e-3);
      if (name == "truncated") check_close(name, got, kEpisodes, reference.truncated, 1e-3);
    }
  }
}

TEST_CASE("statistics count every episode that begins, and repeat", "[smax]") {
  const StopOnSignal stop("");
  const auto env = make("smax/3m", open_device("cpu"), evaluation_options(env_spec("smax/3m"), 64));
  const PolicyStatistics a = play_statistics(*env, "random", 100, 5, stop);
  const PolicyStatistics b = play_statistics(*env, "random", 100, 5, stop);
  const PolicyStatistics c = play_statistics(*env, "random", 100, 6, stop);
  CHECK(a.episodes == 100);
  REQUIRE(a.measures.at(0).first == "episodic_return");
  CHECK(a.measures[0].second.mean == b.measures[0].second.mean);
  CHECK(a.measures[0].second.mean != c.measures[0].second.mean);
  CHECK_THROWS_AS(play_statistics(*env, "heuristics", 100, 5, stop), Error);
}
