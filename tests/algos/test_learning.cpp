// Learning: PPO solves the game tiny within seconds, and picks a run up bit for bit.
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "algos/trainer.hpp"
#include "core/env_entry.hpp"
#include "core/file.hpp"
#include "tests/envs/tiny/tiny.hpp"

namespace fs = std::filesystem;
using namespace throng;

namespace {

// A name for a folder that disappears with the test.
class Folder {
 public:
  explicit Folder(const std::string& name)
      : path_((fs::temp_directory_path() / ("throng_learning_" + name + std::to_string(::getpid()))).string()) {
    fs::remove_all(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::unique_ptr<VecEnv> make_tiny(const std::string& id, std::shared_ptr<Device> device, const BatchOptions& options,
                                  const nlohmann::json& config) {
  static const EnvEntry entry = make_entry<tiny::Env>("tiny", "{}");
  return entry.make(std::move(device), config, id, options);
}

Run tiny_run(const std::string& folder, int64_t updates) {
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
  const Folder folder("solve");
  Run run = tiny_run(folder.path(), 80);
  run.train.learning_rate = 3e-3f;
  Trainer trainer(run, make_tiny);
  const Evaluation before = trainer.evaluate(/*greedy=*/false);
  CHECK(before.returns.at("reward").mean < 0.5);
  REQUIRE(trainer.train({}, {}));
  const Evaluation sampled = trainer.evaluate(false), greedy = trainer.evaluate(true);
  INFO("sampled " << sampled.to_json() << " greedy " << greedy.to_json());
  CHECK(sampled.returns.at("reward").mean > 0.97);
  CHECK(greedy.returns.at("reward").mean > 0.97);
  CHECK(greedy.length.mean < 5);  // the shortest ways take 3 steps on average
}

TEST_CASE("a resumed run of PPO has the same parameters and metrics, bit for bit", "[learning]") {
  const Folder straight("straight"), broken("broken");
  {
    Trainer trainer(tiny_run(straight.path(), 6), make_tiny);
    trainer.train({}, {});
  }
  {
    Trainer trainer(tiny_run(broken.path(), 6), make_tiny);
    for (int i = 0; i < 3; ++i) trainer.update();
    trainer.save();
  }
  Trainer::resume(broken.path(), make_tiny)->train({}, {});
  const bool same_checkpoint = read_file(latest_checkpoint(broken.path())) == read_file(latest_checkpoint(straight.path()));
  CHECK(same_checkpoint);
  CHECK(read_file(broken.path() + "/eval.json") == read_file(straight.path() + "/eval.json"));
}
