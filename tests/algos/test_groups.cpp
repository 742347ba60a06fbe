// Groups: runs that are trained side by side leave what they would leave alone; policies of a pool act on blocks of rows.
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include "algos/ppo.hpp"
#include "core/file.hpp"
#include "envs/registry.hpp"
#include "tests/algos/synthetic.hpp"
#include "tests/algos/tiny_run.hpp"
#include "tests/devices.hpp"

using namespace throng;
using Catch::Approx;

namespace {

constexpr int kRuns = 3;

// One of each kind; row blocks of 128 are never full, so groups are padded.
std::vector<TrainConfig> kinds() {
  TrainConfig plain = synthetic::config();
  TrainConfig recurrent = plain;
  recurrent.hidden_sizes = {16};
  recurrent.gru_size = 12;
  recurrent.head_sizes = {10};
  recurrent.share_layers = true;
  TrainConfig central = plain, central_recurrent = recurrent, fused = recurrent;
  central.algo = central_recurrent.algo = kMappo;
  central_recurrent.share_layers = false;
  central_recurrent.joint_grad_norm = false;
  fused.gru_size = 64;  // a GPU has a kernel for all of its steps
  return {plain, recurrent, central, central_recurrent, fused};
}

std::vector<Run> runs_of(Run first, const std::string& folder) {
  std::vector<Run> runs(kRuns, first);
  for (int k = 0; k < kRuns; ++k) {
    runs[k].train.seed += k;
    runs[k].folder = folder + "/" + std::to_string(k);
  }
  return runs;
}

// Those of a registered environment, so that a GPU knows it; the last looks at so many cells that it takes samples in pieces.
std::vector<std::pair<std::string, TrainConfig>> cases() {
  std::vector<std::pair<std::string, TrainConfig>> all;
  for (TrainConfig config : kinds()) {
    config.num_envs = 50;
    all.emplace_back("smax/3m", config);
  }
  TrainConfig cells = kinds()[0];
  cells.num_envs = 10;
  cells.cnn = {4};
  all.emplace_back("harvest/open", cells);
  return all;
}

std::unique_ptr<VecEnv> make_registered(const std::string& id, std::shared_ptr<Device> device,
                                        const BatchOptions& options, const nlohmann::json& config) {
  return make(id, std::move(device), options, config);
}

}  // namespace

TEST_CASE("runs side by side leave the folders that they would leave alone, bit for bit") {
  for (const TrainConfig& kind : kinds()) {
    const Folder folder;
    Run run = tiny_run("");
    const TrainConfig sizes = run.train;
    run.train = kind;
    run.train.eval_interval = sizes.eval_interval;
    run.train.checkpoint_interval = sizes.checkpoint_interval;
    run.train.eval_episodes = 16;
    std::filesystem::create_directory(folder.file("alone"));
    std::filesystem::create_directory(folder.file("together"));
    const auto alone = runs_of(run, folder.file("alone")), together = runs_of(run, folder.file("together"));
    for (const Run& one : alone) Trainer(one, make_tiny).train({}, {});
    int lines = 0;
    Trainer all(together, make_tiny);
    REQUIRE(all.train([&](const Progress& now) { CHECK(now.run == lines++ % kRuns); }, {}));
    CHECK(lines == kRuns * kind.num_updates());
    for (int k = 0; k < kRuns; ++k) {
      INFO(kAlgos[kind.algo] << " gru " << kind.gru_size << ", run " << k);
      const std::string a = alone[k].folder, b = together[k].folder;
      CHECK(without_times(metrics(a)) == without_times(metrics(b)));
      CHECK(read_file(a + "/eval.json") == read_file(b + "/eval.json"));
      CHECK(read_file(a + "/config.json") == read_file(b + "/config.json"));
      REQUIRE(checkpoint_files(a) == checkpoint_files(b));
      for (const std::string& name : checkpoint_files(a)) {
        const bool same_bytes = read_file(a + "/checkpoints/" + name) == read_file(b + "/checkpoints/" + name);
        CHECK(same_bytes);
      }
    }
    CHECK(read_file(latest_checkpoint(together[0].folder)) != read_file(latest_checkpoint(together[1].folder)));
  }
}

TEST_CASE("one of several runs can be continued alone") {
  // Parts of the state of govsim are left out where there are no messages.
  for (const std::string game : {"tiny/default", "govsim/fishery"}) {
    INFO(game);
    const auto make_game = game == "tiny/default" ? make_tiny : make_registered;
    const Folder folder;
    Run run = tiny_run("");
    run.env = game;
    if (game != "tiny/default") run.env_config = nlohmann::json::object();
    run.train.gru_size = 8;
    std::filesystem::create_directory(folder.file("broken"));
    std::filesystem::create_directory(folder.file("straight"));
    const auto straight = runs_of(run, folder.file("straight")), broken = runs_of(run, folder.file("broken"));
    Trainer(straight, make_game).train({}, {});
    {
      Trainer trainer(broken, make_game);
      update(trainer, 5);
      trainer.save();
    }
    Trainer::resume(broken[1].folder, make_game)->train({}, {});
    CHECK(without_times(metrics(broken[1].folder)) == without_times(metrics(straight[1].folder)));
    const bool same =
        read_file(latest_checkpoint(broken[1].folder)) == read_file(latest_checkpoint(straight[1].folder));
    CHECK(same);
  }
}

// On a GPU the products of several groups may be others than those of one, so they need not be equal to the last bit; the first
// ratio is 1 all the same, or `train` would stop.
TEST_CASE("groups learn what they would learn alone, on every device") {
  for (const std::string& device : test_devices()) {
    for (auto& [env, config] : cases()) {
      const Folder folder;
      config.num_minibatches = 2;
      config.num_steps = 16;
      config.total_timesteps = 2 * config.steps_per_update();
      config.max_grad_norm = 0;
      Run run;
      run.env = env;
      run.env_config = nlohmann::json::object();
      run.device = device;
      run.train = config;
      run.train.eval_episodes = 4;
      std::filesystem::create_directory(folder.file("alone"));
      std::filesystem::create_directory(folder.file("together"));
      Trainer all(runs_of(run, folder.file("together")), make_registered);
      update(all, 2);
      int64_t numbers = 0, unequal = 0;
      for (int k = 0; k < kRuns; ++k) {
        Trainer one(runs_of(run, folder.file("alone"))[k], make_registered);
        update(one, 2);
        const auto expected = one.learner().parameters(), got = all.learner().parameters(k);
        for (const auto& [path, tensor] : expected) {
          const auto a = tensor.as<float>(), b = got.at(path).as<float>();
          for (size_t i = 0; i < a.size(); ++i) {
            ++numbers;
            unequal += a[i] != b[i];
            if (std::abs(a[i] - b[i]) > 1e-3f) FAIL(device << " " << path << " " << a[i] << " " << b[i]);
          }
        }
      }
      INFO(device << ", " << env << ", " << kAlgos[config.algo] << " gru " << config.gru_size << ": " << unequal
                  << " of " << numbers);
      CHECK((device != "cpu" || unequal == 0));
      if (unequal > 0) WARN(device << ": " << unequal << " of " << numbers << " numbers differ in their last bits");
    }
  }
}

TEST_CASE("policies of a pool act side by side as each does alone") {
  for (const std::string& name : test_devices()) {
    const auto device = open_device(name);
    for (TrainConfig config : kinds()) {
      std::vector<TrainConfig> configs(kRuns, config);
      for (int k = 0; k < kRuns; ++k) configs[k].seed += k;
      const EnvSpec spec = synthetic::spec();
      const auto pool = make_learner(device, spec, config.num_envs, configs);
      const int rows = config.num_envs * spec.num_agents, all = kRuns * rows, state_dim = pool->state_dim();
      Arena arena(device);
      float *obs, *together, *alone;
      uint8_t *avail, *active;
      int32_t *actions, *expected;
      arena.want(obs, all * spec.obs_dim);
      arena.want(together, all * state_dim + 1);
      arena.want(alone, all * state_dim + 1);
      arena.want(avail, all * spec.num_actions);
      arena.want(active, all);
      arena.want(actions, all);
      arena.want(expected, all);
      arena.commit();
      upload(*device, obs, synthetic::numbers(all * spec.obs_dim, key(3), -1, 1));
      upload(*device, avail, std::vector<uint8_t>(all * spec.num_actions, 1));
      upload(*device, active, std::vector<uint8_t>(all, 1));
      for (int t = 0; t < 3; ++t) {
        pool->act_on({obs, avail, active, nullptr}, nullptr, together, all, /*greedy=*/true, key(1), t, actions);
        for (int k = 0; k < kRuns; ++k) {
          const int64_t first = int64_t(k) * rows;
          const Observations own{obs + first * spec.obs_dim, avail + first * spec.num_actions, active + first, nullptr};
          pool->act_on(own, nullptr, alone + first * state_dim, rows, true, key(1), t, expected + first, k);
        }
        CHECK(download(*device, actions, all) == download(*device, expected, all));
        if (name == "cpu") CHECK(std::equal(together, together + all * state_dim, alone));
      }
      // Slots are exchanged by loading what was saved of another.
      pool->load(pool->parameters(2), {}, 0);
      CHECK(pool->parameters(0).begin()->second.data == pool->parameters(2).begin()->second.data);
      CHECK_THROWS_AS(pool->act_on({obs, avail, active, nullptr}, nullptr, together, all - 1, true, key(1), 0, actions),
                      Error);
    }
  }
}
