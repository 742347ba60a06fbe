// Evaluation: every environment counts once, and the means are those that a calculation by hand gives.
#include "algos/evaluate.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <cstdlib>

#include "core/error.hpp"
#include "core/make_entry.hpp"
#include "tests/algos/fake_learner.hpp"
#include "tests/envs/tiny/tiny.hpp"

using namespace throng;
using Catch::Matchers::Message;
using Catch::Matchers::WithinAbs;

namespace {

std::unique_ptr<VecEnv> make_tiny(const BatchOptions& options, const nlohmann::json& config = {}) {
  static const EnvEntry entry = make_entry<tiny::Env>("tiny", "{}");
  return entry.make(open_device("cpu"), config, "tiny", options);
}

BatchOptions one_episode(int num_envs, int time_limit = 20) {
  Spec spec;
  spec.time_limit = time_limit;
  return evaluation_options(spec, num_envs);
}

FakeLearner learner_for(const VecEnv& env) {
  TrainConfig config;
  config.num_steps = 0;
  return FakeLearner(env.shared_device(), env.spec(), env.num_envs(), config);
}

// What a straight walk to the goal takes: the longer of the two ways, and a step even where both stand on the goal already.
std::vector<int> straight_lengths(VecEnv& env, uint64_t seed) {
  env.reset(seed);
  std::vector<int16_t> cell, goal;
  for (const StateArray& array : env.state()) {
    const auto* data = static_cast<const int16_t*>(array.data);
    (array.name == "cell" ? cell : goal).assign(data, data + size_t(array.count) * env.num_envs());
  }
  std::vector<int> lengths;
  for (int e = 0; e < env.num_envs(); ++e) {
    const int first = std::abs(cell[e] - goal[e]), second = std::abs(cell[env.num_envs() + e] - goal[e]);
    lengths.push_back(std::max({first, second, 1}));
  }
  return lengths;
}

}  // namespace

TEST_CASE("evaluation counts every environment once, as calculated by hand") {
  constexpr int kEnvs = 100, kLimit = 4;  // short enough that some walks are cut
  const auto env = make_tiny(one_episode(kEnvs, kLimit));
  const std::vector<int> straight = straight_lengths(*env, 5);
  double met = 0, length = 0;
  for (const int steps : straight) {
    met += steps <= kLimit;
    length += std::min(steps, kLimit);
  }
  REQUIRE(met > 10);
  REQUIRE(met < 90);

  FakeLearner learner = learner_for(*env);
  const Evaluation evaluation = evaluate(*env, learner, /*greedy=*/true, 5);
  CHECK(evaluation.episodes == kEnvs);
  CHECK(evaluation.truncated == kEnvs - met);
  CHECK(evaluation.greedy);
  CHECK(evaluation.seed == 5);
  CHECK_THAT(evaluation.returns.at("reward").mean, WithinAbs(met / kEnvs, 1e-12));
  CHECK_THAT(evaluation.info.at("met").mean, WithinAbs(met / kEnvs, 1e-12));
  CHECK_THAT(evaluation.length.mean, WithinAbs(length / kEnvs, 1e-12));
  const double share = met / kEnvs, deviation = std::sqrt(share * (1 - share) * kEnvs / (kEnvs - 1));
  CHECK_THAT(evaluation.info.at("met").ci95, WithinAbs(1.959964 * deviation / 10, 1e-12));
}

TEST_CASE("an evaluation can be repeated, depends on its seed, and ends when the last episode does") {
  const auto env = make_tiny(one_episode(64));
  FakeLearner learner = learner_for(*env);
  const auto first = evaluate(*env, learner, false, 1).to_json();
  CHECK(evaluate(*env, learner, false, 2).to_json() != first);
  CHECK(evaluate(*env, learner, false, 1).to_json() == first);
  CHECK(evaluate(*env, learner, true, 1).to_json() != first);
  CHECK(first["episodic_return"]["mean"] == first["met"]["mean"]);
}

TEST_CASE("one episode has a mean and no interval") {
  const auto env = make_tiny(one_episode(1));
  FakeLearner learner = learner_for(*env);
  const auto json = evaluate(*env, learner, true, 0).to_json();
  CHECK(json["episodic_return"]["mean"] == 1.0);
  CHECK(nlohmann::json::parse(json.dump())["episodic_return"]["ci95"].is_null());
}

TEST_CASE("a game without a time limit is given one, and evaluation refuses what would not end") {
  CHECK(one_episode(3, 0).time_limit == kLongestEvaluation);
  CHECK(one_episode(3, 20).time_limit == 20);
  BatchOptions options = one_episode(2);
  options.time_limit = 0;
  const auto endless = make_tiny(options);
  FakeLearner learner = learner_for(*endless);
  CHECK_THROWS_MATCHES(evaluate(*endless, learner, true, 0), Error,
                       Message("evaluation needs a time limit, and tiny has none"));
  const auto restarting = make_tiny({});
  CHECK_THROWS_MATCHES(evaluate(*restarting, learner, true, 0), Error,
                       Message("evaluation needs environments with autoreset disabled, not same_step"));
}

TEST_CASE("measures go by the names of the field") {
  CHECK(metric_name("won") == "win_rate");
  CHECK(metric_name("met") == "met");
  CHECK(return_name("reward", 1) == "episodic_return");
  CHECK(return_name("apples", 2) == "episodic_return/apples");
}
