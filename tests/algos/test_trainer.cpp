// The loop of a run: its folder is complete, it stops when told, and it continues bit for bit.
#include "algos/trainer.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "core/error.hpp"
#include "core/file.hpp"
#include "tests/algos/tiny_run.hpp"

namespace fs = std::filesystem;
using namespace throng;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using Catch::Matchers::StartsWith;
using nlohmann::json;

TEST_CASE("a run leaves a complete folder") {
  const Folder folder;
  const std::string path = folder.file("run");
  const auto trainer = begin(tiny_run(path));
  int updates = 0;
  CHECK(trainer->train([&](const Progress& now) { CHECK(now.update == ++updates); }, {}));
  CHECK(updates == 10);
  CHECK(trainer->finished());

  const json config = json::parse(read_file(path + "/config.json"));
  CHECK(config["env"] == "tiny/default");
  CHECK(config["env_version"] == "1");
  CHECK(config["env_config"] == json{{"length", 5}, {"time_limit", 10}});
  CHECK(config["device"] == "cpu");
  CHECK(config["train"]["gamma"] == 0.99);
  CHECK(config["train"].size() == write_config(TrainConfig()).size());
  CHECK(config.contains("throng"));

  const json report = json::parse(read_file(path + "/eval.json"));
  CHECK(report["timesteps"] == 320);
  CHECK(report["greedy"]["met"]["mean"] == 1.0);
  CHECK(report["sampled"]["episodes"] == 16);
  CHECK(report["sampled"]["seed"] == 3 + Trainer::kEvaluationSeed);
  int event_files = 0;
  for (const auto& entry : fs::directory_iterator(path)) {
    event_files += entry.path().filename().string().starts_with("events.out.tfevents.");
  }
  CHECK(event_files == 1);
  CHECK_THROWS_MATCHES(trainer->update(), Error, MessageMatches(ContainsSubstring("is finished")));
}

TEST_CASE("a resumed run is the run that was never interrupted, bit for bit") {
  const Folder folder;
  const std::string straight = folder.file("straight"), broken = folder.file("broken");
  begin(tiny_run(straight))->train({}, {});
  const int interrupted_at = GENERATE_COPY(0, 3, 4, 6, 9);
  {
    const auto trainer = begin(tiny_run(broken));
    update(*trainer, interrupted_at);
    trainer->save();
    update(*trainer, interrupted_at == 0 || interrupted_at == 6 ? 1 : 0);  // and killed before the next checkpoint
  }
  const auto trainer = resume(broken);
  CHECK(trainer->update_count() == interrupted_at);
  CHECK(trainer->train({}, {}));

  CHECK(without_times(metrics(broken)) == without_times(metrics(straight)));
  CHECK(read_file(broken + "/eval.json") == read_file(straight + "/eval.json"));
  CHECK(read_file(broken + "/config.json") == read_file(straight + "/config.json"));
  CHECK(checkpoint_files(broken) == checkpoint_files(straight));
  for (const std::string& name : checkpoint_files(straight)) {
    INFO(name);
    const bool same_bytes = read_file(broken + "/checkpoints/" + name) == read_file(straight + "/checkpoints/" + name);
    CHECK(same_bytes);
  }
}

TEST_CASE("unfit settings leave no folder behind") {
  const Folder folder;
  Run run = tiny_run(folder.file("run"));
  run.env_config["length"] = 1;
  CHECK_THROWS_AS(begin(run), Error);
  run = tiny_run(folder.file("run"));
  run.train.num_minibatches = 5;
  CHECK_THROWS_AS(begin(run), Error);
  CHECK_FALSE(fs::exists(folder.file("run")));
}

TEST_CASE("stop ends after the update in progress and saves") {
  const Folder folder;
  const std::string path = folder.file("run");
  int updates = 0;
  {
    const auto trainer = begin(tiny_run(path));
    CHECK_FALSE(trainer->train([&](const Progress&) { ++updates; }, [&] { return updates == 5; }));
    CHECK(updates == 5);
  }
  CHECK(read_latest_checkpoint(path).update == 5);
  CHECK_FALSE(fs::exists(path + "/eval.json"));
  CHECK(resume(path)->train({}, {}));
  CHECK(metrics(path).size() == 10);
}

TEST_CASE("a loss that is not finite stops the run with its name, and the run is saved") {
  const Folder folder;
  const std::string path = folder.file("run");
  Trainer trainer(tiny_run(path), make_tiny, make_fake_learner);
  dynamic_cast<FakeLearner&>(trainer.learner()).not_finite_at = 2;
  trainer.update();
  CHECK_THROWS_MATCHES(trainer.update(), Error, MessageMatches(StartsWith("update 2: losses/value_loss is")));
  CHECK(read_latest_checkpoint(path).update == 2);
}

TEST_CASE("a parameter that is not finite is not saved, and the last good checkpoint stays") {
  const Folder folder;
  const std::string path = folder.file("run");
  Run run = tiny_run(path);
  run.train.checkpoint_interval = 2;
  Trainer trainer(run, make_tiny, make_fake_learner);
  auto& learner = dynamic_cast<FakeLearner&>(trainer.learner());
  learner.broken_at = learner.not_finite_at = 3;
  update(trainer, 2);
  CHECK_THROWS_MATCHES(trainer.update(), Error, MessageMatches(ContainsSubstring("the last checkpoint is still good")));
  CHECK(read_latest_checkpoint(path).update == 2);
}

TEST_CASE("a run whose first ratio is not 1 stops, unless the self-test is off") {
  const Folder folder;
  Run run = tiny_run(folder.file("tested"));
  Trainer tested(run, make_tiny, make_fake_learner);
  dynamic_cast<FakeLearner&>(tested.learner()).unlike_at = 1;
  CHECK_THROWS_MATCHES(tested.update(), Error, MessageMatches(StartsWith("self-test: the first probability ratio")));
  run.folder = folder.file("untested");
  run.train.self_test = false;
  Trainer untested(run, make_tiny, make_fake_learner);
  dynamic_cast<FakeLearner&>(untested.learner()).unlike_at = 1;
  CHECK_NOTHROW(untested.update());
}

TEST_CASE("evaluating in between changes nothing") {
  const Folder folder;
  const auto quiet = begin(tiny_run(folder.file("quiet"))), curious = begin(tiny_run(folder.file("curious")));
  update(*quiet, 2);
  curious->update();
  curious->evaluate(false);
  curious->evaluate(true);
  curious->update();
  CHECK(quiet->env().state_hash() == curious->env().state_hash());
  CHECK(without_times(metrics(folder.file("quiet"))) == without_times(metrics(folder.file("curious"))));
}
