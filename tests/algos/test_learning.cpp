// Learning: PPO solves tiny and a game of codes and double choices within seconds, and picks a run up bit for bit.
#include <catch2/catch_test_macros.hpp>

#include "algos/trainer.hpp"
#include "core/file.hpp"
#include "tests/algos/tiny_run.hpp"
#include "tests/envs/matching.hpp"

using namespace throng;

namespace {

Run learning_run(const std::string& folder, int64_t updates) {
  Run run;
  run.env = "tiny";
  run.device = "cpu";
  run.folder = folder;
  run.train.seed = 1;
  run.train.num_envs = 64;
  run.train.num_steps = 32;
  run.train.total_timesteps = updates * run.train.steps_per_update();
  run.train.hidden_sizes = {32, 32};
  return run;
}

}  // namespace

TEST_CASE("PPO solves tiny", "[learning]") {
  const Folder folder;
  Run run = learning_run(folder.file("run"), 80);
  run.train.learning_rate = 3e-3f;
  Trainer trainer(run, make_tiny);
  const Evaluation before = trainer.evaluate(/*greedy=*/false);
  CHECK(before.returns.at("reward").mean < 0.5);
  REQUIRE(trainer.train({}, {}));
  const Evaluation sampled = trainer.evaluate(false), greedy = trainer.evaluate(true);
  INFO("sampled " << sampled.to_json() << " greedy " << greedy.to_json());
  CHECK(sampled.returns.at("reward").mean > 0.97);
  CHECK(greedy.returns.at("reward").mean > 0.97);
  CHECK(greedy.length.mean < 4);  // the shortest ways take 3.2 steps on average
}

TEST_CASE("PPO learns from codes to make two choices at once", "[learning]") {
  static const EnvEntry entry = make_entry<matching::Env>("matching", "{}");
  const MakeEnv make = [](const std::string& id, std::shared_ptr<Device> device, const BatchOptions& options,
                          const nlohmann::json& config) { return entry.make(std::move(device), config, id, options); };
  for (const int algo : {kIppo, kMappo}) {
    const Folder folder;
    Run run = learning_run(folder.file("run"), 40);
    run.env = "matching";
    run.train.algo = algo;
    run.train.learning_rate = 3e-3f;
    Trainer trainer(run, make);
    const double before = trainer.evaluate(/*greedy=*/false).returns.at("reward").mean;
    CHECK(before < 0.5);  // of 1; at random 0.375
    REQUIRE(trainer.train({}, {}));
    const Evaluation sampled = trainer.evaluate(false), greedy = trainer.evaluate(true);
    INFO(kAlgos[algo] << " sampled " << sampled.to_json() << " greedy " << greedy.to_json());
    CHECK(sampled.returns.at("reward").mean > 0.95);
    CHECK(greedy.returns.at("reward").mean > 0.99);
  }
}

TEST_CASE("a resumed run of PPO has the same parameters and metrics, bit for bit", "[learning]") {
  const Folder folder;
  const std::string straight = folder.file("straight"), broken = folder.file("broken");
  Trainer(learning_run(straight, 6), make_tiny).train({}, {});
  {
    Trainer trainer(learning_run(broken, 6), make_tiny);
    update(trainer, 3);
    trainer.save();
  }
  Trainer::resume(broken, make_tiny)->train({}, {});
  const bool same_checkpoint = read_file(latest_checkpoint(broken)) == read_file(latest_checkpoint(straight));
  CHECK(same_checkpoint);
  CHECK(without_times(metrics(broken)) == without_times(metrics(straight)));
  CHECK(read_file(broken + "/eval.json") == read_file(straight + "/eval.json"));
}

TEST_CASE("numbers that explode end a run of PPO, which names the update and the tensor and is saved before") {
  const Folder folder;
  Run run = learning_run(folder.file("run"), 6);
  run.train.learning_rate = 1e30f;  // the first step leaves parameters whose products are not finite
  Trainer trainer(run, make_tiny);
  std::string message;
  try {
    trainer.train({}, {});
  } catch (const Error& error) {
    message = error.what();
  }
  INFO(message);
  CHECK(message.starts_with("update 1: losses/policy_loss is "));
  CHECK(message.find("and so is gradient of 'actor,Dense_0,kernel'") != std::string::npos);
  CHECK(message.find("the run is saved") != std::string::npos);
  const Checkpoint saved = read_checkpoint(latest_checkpoint(run.folder));  // would be refused with such numbers in it
  CHECK(saved.update == 1);
  CHECK(metrics(run.folder).empty());
}
