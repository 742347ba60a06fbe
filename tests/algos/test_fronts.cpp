// Learning fronts: one policy that is told weights finds every corner of a convex front, and with another utility the hollows;
// numbers as actions; decomposition; picking a run up bit for bit; how fronts are joined and told.
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include "algos/front.hpp"
#include "algos/trainer.hpp"
#include "core/file.hpp"
#include "tests/algos/tiny_run.hpp"
#include "tests/envs/tradeoff.hpp"

using namespace throng;
using Catch::Approx;

namespace {

std::unique_ptr<VecEnv> make_tradeoff(const std::string& id, std::shared_ptr<Device> device,
                                      const BatchOptions& options, const nlohmann::json& config) {
  static const EnvEntry choices = make_entry<tradeoff::Env>("tradeoff", "{}");
  static const EnvEntry numbers = make_entry<tradeoff::Numbers>("numbers", "{}");
  return (id == "numbers" ? numbers : choices).make(std::move(device), config, id, options);
}

Run front_run(const std::string& folder, const std::string& env, int64_t updates) {
  Run run;
  run.env = env;
  run.device = "cpu";
  run.folder = folder;
  run.train.algo = kMoIppo;
  run.train.norm_rewards = true;
  run.train.seed = 1;
  run.train.num_envs = 64;
  run.train.num_steps = 16;
  run.train.total_timesteps = updates * run.train.steps_per_update();
  run.train.learning_rate = 3e-3f;
  run.train.hidden_sizes = {32, 32};
  run.train.eval_episodes = 202;
  return run;
}

Front learned(Trainer& trainer, int k = 0) {
  REQUIRE(trainer.train({}, {}));
  const Run& run = trainer.run(k);
  const Weights weights = evaluation_weights(run.train, 2);
  const auto env =
      make_tradeoff(run.env, trainer.env().shared_device(),
                    evaluation_options(trainer.env().spec(), 64 * static_cast<int>(weights.size())), run.env_config);
  return play_front(*env, trainer.learner(), weights, /*greedy=*/true, 7, run.folder);
}

// The exact front of tradeoff.
Yardstick exact(bool hollow) {
  Yardstick yardstick{{0, 0}, {}};
  tradeoff::Params params;
  params.hollow = hollow;
  for (int choice = 0; choice < tradeoff::kChoices; ++choice)
    yardstick.best.push_back({params.outcome(choice, 0), params.outcome(choice, 1)});
  return yardstick;
}

double share(const Front& front, bool hollow) {
  return front_json(front, {"here", "there"}, exact(hollow))["share_of_exact"].get<double>();
}

}  // namespace

TEST_CASE("one policy that is told weights learns a whole convex front", "[learning]") {
  const Folder folder;
  Trainer trainer(front_run(folder.file("run"), "tradeoff", 80), make_tradeoff);
  const Front front = learned(trainer);
  CHECK(share(front, false) > 0.999);
  CHECK(front.played.size() == 101);
  CHECK(front.front.size() == tradeoff::kChoices);
  CHECK(front.again.size() == front.front.size());
  CHECK(front.front.front().weights[0] > front.front.back().weights[0]);
  const Evaluation evaluation = trainer.evaluate(/*greedy=*/true);
  Points weights;
  for (const auto& one : evaluation_weights(trainer.run().train, 2)) weights.emplace_back(one.begin(), one.end());
  CHECK(evaluation.utility->mean > expected_utility(exact(false).best, weights) - 0.01);
  CHECK(evaluation.utility->mean > expected_utility({{0.71, 0.71}}, weights) + 0.05);
}

TEST_CASE("a hollow front is reached with the utility of every episode, not with weighted sums", "[learning]") {
  for (const bool linear : {true, false}) {
    const Folder folder;
    Run run = front_run(folder.file("run"), "tradeoff", 120);
    run.env_config = {{"hollow", true}};
    if (!linear) {
      run.train.criterion = kEsr;
      run.train.utility = Scalarizer::kChebyshev;
      run.train.references = {2, {1, 1}};
      run.train.gamma = 1;
    }
    Trainer trainer(run, make_tradeoff);
    const Front front = learned(trainer);
    INFO((linear ? "linear" : "chebyshev") << share(front, true));
    if (linear)
      CHECK(front.front.size() == 2);
    else
      CHECK(share(front, true) > 0.999);
  }
}

TEST_CASE("numbers as actions follow the weights", "[learning]") {
  const Folder folder;
  Run run = front_run(folder.file("run"), "numbers", 150);
  run.train.ent_coef = 0;
  Trainer trainer(run, make_tradeoff);
  const Front front = learned(trainer);
  double lost = 0;
  for (const ArchiveEntry& entry : front.played) {
    // The best for weights w is (w - (1 - w)) x, which is worth -4 (1 - w)^2 x^2 and -4 w^2 x^2; x^2 is 1/3 on average.
    const double w = entry.weights[0];
    lost += (-(w * entry.value[0] + (1 - w) * entry.value[1]) - 4.0 / 3 * w * (1 - w)) / 101;
  }
  CHECK(lost < 0.03);  // whoever always chooses 0 loses 0.11, without the second number's part
  CHECK(front.played.front().value[0] > -0.05);
  CHECK(front.played.back().value[1] > -0.05);
}

TEST_CASE("policies of fixed weights learn side by side what each learns alone", "[learning]") {
  const Folder folder;
  std::vector<Run> runs;
  for (const auto& weights : even_weights(2, 5)) {
    runs.push_back(front_run(folder.file("side_" + std::to_string(runs.size())), "tradeoff", 40));
    for (const float weight : weights) runs.back().train.weights.push_back(weight);
  }
  Run alone = runs[1];
  alone.folder = folder.file("alone");
  Trainer together(runs, make_tradeoff), by_itself(alone, make_tradeoff);
  REQUIRE(together.train({}, {}));
  REQUIRE(by_itself.train({}, {}));
  const auto own = by_itself.learner().parameters();
  for (const auto& [path, tensor] : together.learner().parameters(1)) {
    INFO(path);
    CHECK(own.at(path).data == tensor.data);
  }
  CHECK(together.evaluate(true, 0).returns.at("here").mean == 1);
  CHECK(together.evaluate(true, 4).returns.at("there").mean == 1);
}

TEST_CASE("a resumed run of several objectives is the run that was never stopped, bit for bit", "[learning]") {
  const Folder folder;
  const std::string straight = folder.file("straight"), broken = folder.file("broken");
  for (const bool esr : {false, true}) {
    auto run = [&](const std::string& name) {
      Run run = front_run(name + (esr ? "_esr" : ""), "numbers", 6);
      run.train.gru_size = esr ? 8 : 0;
      run.train.criterion = esr ? kEsr : kSer;
      run.train.utility = Scalarizer::kChebyshev;
      run.train.references = {2, {0, 0}};
      return run;
    };
    Trainer(run(straight), make_tradeoff).train({}, {});
    {
      Trainer trainer(run(broken), make_tradeoff);
      update(trainer, 3);
      trainer.save();
    }
    const std::string other = run(broken).folder, same = run(straight).folder;
    Trainer::resume(other, make_tradeoff)->train({}, {});
    const bool same_checkpoint = read_file(latest_checkpoint(other)) == read_file(latest_checkpoint(same));
    CHECK(same_checkpoint);
    CHECK(without_times(metrics(other)) == without_times(metrics(same)));
  }
}

TEST_CASE("even weights are as many as asked for, or fewer") {
  CHECK(even_weights(2, 101).size() == 101);
  CHECK(even_weights(3, 105).size() == 105);
  CHECK(even_weights(4, 105).size() == 84);
  CHECK(even_weights(3, 5).size() == 3);
  CHECK(even_weights(1, 5).size() == 1);
  CHECK_THROWS_AS(even_weights(3, 2), Error);
}

TEST_CASE("joined fronts keep what no other policy beats, with its second play") {
  auto entry = [](double x, double y, float w, const std::string& policy) {
    return ArchiveEntry{{x, y}, {0, 0}, {w, 1 - w}, policy};
  };
  Front a, b;
  a.played = a.front = {entry(4, 1, 1, "a"), entry(2, 2, 0, "a")};
  a.again = {entry(4.1, 1, 1, "a"), entry(2.1, 2, 0, "a")};
  b.played = b.front = {entry(3, 3, 0.5f, "b")};
  b.again = {entry(2.9, 3, 0.5f, "b")};
  const Front all = join_fronts({a, b});
  CHECK(all.played.size() == 3);
  REQUIRE(all.front.size() == 2);
  CHECK(all.front[1].policy == "b");
  REQUIRE(all.again.size() == 2);
  CHECK(all.again[0].value[0] == 4.1);
  CHECK(all.again[1].value[0] == 2.9);
  const auto json = front_json(all, {"x", "y"}, {{0, 0}, {{4, 2}, {3, 3}, {2, 4}}});
  CHECK(json["hypervolume"] == 10);  // 4 x 1 + 3 x 2
  CHECK(json["exact_hypervolume"] == 13);
  CHECK(json["hypervolume_again"].get<double>() == Approx(4.1 + 2.9 * 2));
  CHECK(json["cardinality"] == 2);
  CHECK(json["front"][1]["policy"] == "b");
  CHECK(front_chart("title", all, {"x", "y"}, {{0, 0}, {}}).find("<svg") != std::string::npos);
}
