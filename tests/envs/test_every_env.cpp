// The exam: what every registered environment and scenario must keep, with no code from its author.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <cmath>
#include <filesystem>
#include <set>

#include "core/error.hpp"
#include "envs/registry.hpp"
#include "tests/devices.hpp"

using namespace throng;

namespace {

// A batch driven by random legal actions that depend on the environment's number alone, not on the batch around it.
class Drive {
 public:
  Drive(const std::string& id, const std::string& device, BatchOptions options, const nlohmann::json& config = {})
      : env_(make(id, open_device(device), options, config)) {
    env_->reset(kSeed);
  }

  VecEnv& env() { return *env_; }

  void step() {
    const EnvSpec& spec = env_->spec();
    const auto avail =
        download(env_->device(), env_->observations().avail_actions, env_->num_rows() * spec.num_actions);
    std::vector<int32_t> actions(env_->num_rows());
    for (int row = 0; row < env_->num_rows(); ++row) {
      const int env = env_->options().first_env + row / spec.num_agents;
      const Key drawn = fold_in(fold_in(fold_in(key(99), env), steps_), row % spec.num_agents);
      int skip = legal(&avail[size_t(row) * spec.num_actions], spec.num_actions), action = 0;
      skip = below(drawn, 0, skip);
      while (avail[size_t(row) * spec.num_actions + action] == 0 || skip-- > 0) ++action;
      actions[row] = action;
    }
    upload(env_->device(), env_->actions(), actions);
    env_->step(env_->actions());
    ++steps_;
  }

  Drive& run(int steps) {
    for (int i = 0; i < steps; ++i) step();
    return *this;
  }

  // Everything that a step wrote, bit for bit.
  std::vector<std::vector<uint8_t>> outputs() {
    const EnvSpec& spec = env_->spec();
    const size_t rows = env_->num_rows();
    std::vector<std::vector<uint8_t>> all;
    auto add = [&](const void* data, size_t bytes) {
      if (data) all.push_back(download(env_->device(), static_cast<const uint8_t*>(data), bytes));
    };
    const Observations& o = env_->observations();
    const Finals& f = env_->finals();
    add(o.obs, rows * spec.obs_dim * 4);
    add(o.avail_actions, rows * spec.num_actions);
    add(o.active, rows);
    add(o.world_state, size_t(env_->num_envs()) * spec.world_state_dim * 4);
    add(env_->outcomes().rewards, rows * spec.num_objectives * 4);
    add(env_->outcomes().terminated, rows);
    add(env_->outcomes().truncated, rows);
    add(f.obs, rows * spec.obs_dim * 4);
    add(f.episode_return, rows * spec.num_objectives * 4);
    add(f.episode_length, size_t(env_->num_envs()) * 4);
    add(f.info, size_t(env_->num_envs()) * spec.info.size() * 4);
    return all;
  }

  static int legal(const uint8_t* avail, int num_actions) {
    int count = 0;
    for (int a = 0; a < num_actions; ++a) count += avail[a];
    return count;
  }

  static constexpr uint64_t kSeed = 7;

 private:
  std::unique_ptr<VecEnv> env_;
  int steps_ = 0;
};

BatchOptions batch(int num_envs, Autoreset autoreset = Autoreset::same_step) {
  BatchOptions options;
  options.num_envs = num_envs;
  options.autoreset = autoreset;
  return options;
}

constexpr int kSteps = 120;

}  // namespace

TEST_CASE("the same seed gives the same episodes, another seed others") {
  for (const std::string& id : env_ids()) {
    INFO(id);
    Drive a(id, "cpu", batch(8)), b(id, "cpu", batch(8));
    a.run(kSteps), b.run(kSteps);
    CHECK(a.env().state_hash() == b.env().state_hash());
    CHECK(a.outputs() == b.outputs());
    const auto hashes = a.env().state_hashes();
    CHECK(std::set<uint64_t>(hashes.begin(), hashes.end()).size() == hashes.size());  // environments differ
    a.env().reset(Drive::kSeed + 1);
    b.env().reset(Drive::kSeed);
    CHECK(a.env().state_hash() != b.env().state_hash());
  }
}

TEST_CASE("environment 7 does not depend on the batch around it") {
  for (const std::string& id : env_ids()) {
    INFO(id);
    Drive few(id, "cpu", batch(8)), many(id, "cpu", batch(200));
    BatchOptions alone = batch(1);
    alone.first_env = 7;
    Drive one(id, "cpu", alone);
    few.run(40), many.run(40), one.run(40);
    CHECK(few.env().state_hashes()[7] == many.env().state_hashes()[7]);
    CHECK(few.env().state_hashes()[7] == one.env().state_hashes()[0]);
  }
}

TEST_CASE("loops run backwards give the same bits") {
  for (const std::string& id : env_ids()) {
    INFO(id);
    BatchOptions options = batch(16);
    Drive forwards(id, "cpu", options);
    options.backwards = true;
    Drive backwards(id, "cpu", options);
    forwards.run(kSteps), backwards.run(kSteps);
    CHECK(forwards.env().state_hash() == backwards.env().state_hash());
    CHECK(forwards.outputs() == backwards.outputs());
  }
}

TEST_CASE("CPU and CUDA give the same bits for any number of lanes") {
  if (cuda_device_count() == 0) SKIP(cuda_status());
  for (const std::string& id : env_ids()) {
    BatchOptions options = batch(67);  // no whole number of tiles
    Drive cpu(id, "cpu", options);
    cpu.run(1000);
    for (int lanes : {0, 1, 2, 4, 8, 16, 32}) {
      INFO(id << ", lanes " << lanes);
      options.lanes = lanes;
      Drive cuda(id, "cuda:0", options);
      cuda.run(1000);
      CHECK(cpu.env().state_hash() == cuda.env().state_hash());
      CHECK(cpu.outputs() == cuda.outputs());
    }
  }
}

TEST_CASE("observations are finite and within the declared bounds, and a legal action always exists") {
  for (const std::string& id : env_ids()) {
    INFO(id);
    Drive drive(id, "cpu", batch(64));
    const EnvSpec& spec = drive.env().spec();
    for (int t = 0; t < kSteps; ++t) {
      const auto obs =
          download(drive.env().device(), drive.env().observations().obs, drive.env().num_rows() * spec.obs_dim);
      const auto avail = download(drive.env().device(), drive.env().observations().avail_actions,
                                  drive.env().num_rows() * spec.num_actions);
      float low = 0, high = 0;
      bool finite = true;
      for (float x : obs) {
        finite = finite && std::isfinite(x);
        low = std::min(low, x), high = std::max(high, x);
      }
      REQUIRE(finite);
      REQUIRE(low >= spec.obs_low);
      REQUIRE(high <= spec.obs_high);
      for (size_t i = 0; i < avail.size(); i += spec.num_actions) {
        REQUIRE(Drive::legal(&avail[i], spec.num_actions) > 0);
        REQUIRE(Drive::legal(&avail[i], spec.num_actions) <= spec.num_actions);
      }
      drive.step();
    }
  }
}

TEST_CASE("every agent's observation has the same size, and names are complete") {
  for (const std::string& id : env_ids()) {
    const EnvSpec spec = env_spec(id);
    INFO(id);
    CHECK(spec.id == id);
    CHECK(!spec.version.empty());
    CHECK(spec.obs_dim > 0);
    CHECK(spec.num_actions > 1);
    CHECK(int(spec.agents.size()) == spec.num_agents);
    CHECK(std::set(spec.agents.begin(), spec.agents.end()).size() == spec.agents.size());
    CHECK(int(spec.objectives.size()) == spec.num_objectives);
  }
}

TEST_CASE("episodes end, and same_step keeps what ended") {
  for (const std::string& id : env_ids()) {
    INFO(id);
    Drive same(id, "cpu", batch(32)), disabled(id, "cpu", batch(32, Autoreset::disabled));
    const EnvSpec& spec = same.env().spec();
    const size_t rows = same.env().num_rows();
    std::vector<bool> ended(32, false);
    std::vector<double> returns(rows * spec.num_objectives, 0.0);
    int ends = 0;
    for (int t = 0; t < 20000 && ends < 32; ++t) {
      same.step(), disabled.step();
      auto read = [&](Drive& d, const uint8_t* flags) { return download(d.env().device(), flags, rows); };
      const auto terminated = read(same, same.env().outcomes().terminated),
                 truncated = read(same, same.env().outcomes().truncated);
      const auto terminated_d = read(disabled, disabled.env().outcomes().terminated);
      const auto truncated_d = read(disabled, disabled.env().outcomes().truncated);
      const auto rewards = download(same.env().device(), same.env().outcomes().rewards, rows * spec.num_objectives);
      const auto final_obs = download(same.env().device(), same.env().finals().obs, rows * spec.obs_dim);
      const auto obs_d = download(disabled.env().device(), disabled.env().observations().obs, rows * spec.obs_dim);
      const auto kept = download(same.env().device(), same.env().finals().episode_return, rows * spec.num_objectives);
      const auto length = download(same.env().device(), same.env().finals().episode_length, 32);
      for (int e = 0; e < 32; ++e) {
        if (ended[e]) continue;
        const size_t row = size_t(e) * spec.num_agents;
        for (size_t i = row * spec.num_objectives; i < (row + spec.num_agents) * spec.num_objectives; ++i)
          returns[i] += rewards[i];
        REQUIRE(terminated[row] == terminated_d[row]);
        REQUIRE(truncated[row] == truncated_d[row]);
        REQUIRE(terminated[row] + truncated[row] <= 1);
        if (!terminated[row] && !truncated[row]) continue;
        ended[e] = true;
        ++ends;
        REQUIRE(length[e] == t + 1);
        if (truncated[row]) REQUIRE(length[e] == spec.time_limit);
        for (size_t i = row * spec.obs_dim; i < (row + spec.num_agents) * spec.obs_dim; ++i)
          REQUIRE(final_obs[i] == obs_d[i]);
        for (size_t i = row * spec.num_objectives; i < (row + spec.num_agents) * spec.num_objectives; ++i) {
          REQUIRE(std::abs(kept[i] - returns[i]) < 1e-4);
        }
      }
    }
    CHECK(ends == 32);
    const EpisodeStatistics statistics = disabled.env().take_statistics();
    CHECK(statistics.episodes == 32);
    CHECK(disabled.env().take_statistics().episodes == 0);
  }
}

TEST_CASE("next_step resets one step later and disabled waits for a mask") {
  for (const std::string& device : test_devices()) {
    for (const std::string& id : env_ids()) {
      INFO(id << " on " << device);
      BatchOptions options = batch(8);
      options.time_limit = 1;  // every environment ends at once
      options.autoreset = Autoreset::next_step;
      Drive next(id, device, options);
      options.autoreset = Autoreset::disabled;
      Drive disabled(id, device, options);
      options.autoreset = Autoreset::same_step;
      Drive same(id, device, options);
      next.step(), disabled.step(), same.step();
      const size_t rows = next.env().num_rows();
      auto flags = [&](Drive& d) {
        auto sum = download(d.env().device(), d.env().outcomes().terminated, rows);
        const auto truncated = download(d.env().device(), d.env().outcomes().truncated, rows);
        for (size_t i = 0; i < rows; ++i) sum[i] += truncated[i];
        return sum;
      };
      CHECK(flags(next) == flags(same));
      CHECK(flags(same) == std::vector<uint8_t>(rows, 1));
      const std::vector<uint8_t> ended = flags(disabled);
      const uint64_t still = disabled.env().state_hash();
      next.step(), disabled.step();
      CHECK(flags(disabled) == ended);
      // next_step is now at the start of the second episode, as same_step was a step ago.
      CHECK(flags(next) == std::vector<uint8_t>(rows, 0));
      CHECK(next.env().state_hash() == same.env().state_hash());
      CHECK(disabled.env().state_hash() == still);
      for (float reward : download(next.env().device(), next.env().outcomes().rewards, rows)) CHECK(reward == 0);
      Arena arena(disabled.env().shared_device());
      uint8_t* mask = nullptr;
      arena.want(mask, 8);
      arena.commit();
      upload(disabled.env().device(), mask, {1, 0, 1, 0, 0, 0, 0, 1});
      const auto before = disabled.env().state_hashes();
      disabled.env().reset_where(mask);
      const auto after = disabled.env().state_hashes();
      for (int e = 0; e < 8; ++e) CHECK((before[e] != after[e]) == (e == 0 || e == 2 || e == 7));
    }
  }
}

TEST_CASE("a snapshot restores everything, and a wrong one changes nothing") {
  for (const std::string& device : test_devices()) {
    for (const std::string& id : env_ids()) {
      INFO(id << " on " << device);
      Drive drive(id, device, batch(9));
      drive.run(17);
      const auto snapshot = drive.env().snapshot();
      Drive copy(id, device, batch(9));
      copy.run(17);
      copy.env().reset(123);
      copy.env().restore(snapshot);
      CHECK(copy.env().state_hash() == drive.env().state_hash());
      drive.run(60), copy.run(60);
      CHECK(copy.env().state_hash() == drive.env().state_hash());
      CHECK(copy.outputs()[0] == drive.outputs()[0]);

      auto broken = snapshot;
      broken.erase(broken.begin());
      const uint64_t before = copy.env().state_hash();
      CHECK_THROWS_AS(copy.env().restore(broken), Error);
      Drive larger(id, device, batch(10));
      CHECK_THROWS_AS(copy.env().restore(larger.env().snapshot()), Error);
      CHECK(copy.env().state_hash() == before);
    }
  }
}

TEST_CASE("random_actions are legal and spread over all that is legal") {
  for (const std::string& device : test_devices()) {
    const std::string id = env_ids().front();
    Drive drive(id, device, batch(512));
    const EnvSpec& spec = drive.env().spec();
    std::vector<int> counts(spec.num_actions, 0), possible(spec.num_actions, 0);
    for (uint32_t t = 0; t < 8; ++t) {
      VecEnv& env = drive.env();
      env.random_actions(env.observations().avail_actions, env.actions(), key(5), t);
      const auto actions = download(env.device(), env.actions(), env.num_rows());
      const auto avail = download(env.device(), env.observations().avail_actions, env.num_rows() * spec.num_actions);
      for (int row = 0; row < env.num_rows(); ++row) {
        REQUIRE(avail[size_t(row) * spec.num_actions + actions[row]] == 1);
        ++counts[actions[row]];
        for (int a = 0; a < spec.num_actions; ++a) possible[a] += avail[size_t(row) * spec.num_actions + a];
      }
      env.step(env.actions());
    }
    for (int a = 0; a < spec.num_actions; ++a) CHECK((possible[a] < 100 || counts[a] > 0));
  }
}

TEST_CASE("what is wrong is refused by name") {
  CHECK_THROWS_AS(make("nowhere/3m", open_device("cpu")), Error);
  for (const EnvEntry& entry : registered_envs()) {
    for (const std::string& scenario : scenarios(entry)) CHECK_NOTHROW(find_env(entry.id + "/" + scenario));
    CHECK_THROWS_AS(find_env(entry.id + "/no_such_scenario"), Error);
    CHECK_THROWS_AS(entry.resolve({{"no_such_parameter", 1}}, entry.id), Error);
  }
  CHECK_THROWS_AS(open_device("gpu"), Error);
  CHECK_THROWS_AS(open_device("cuda:99"), Error);
  CHECK_THROWS_AS(make(env_ids().front(), open_device("cpu"), batch(0)), Error);
}

TEST_CASE("every environment has its page, its tests and its settings") {
  const std::filesystem::path root = std::filesystem::path(THRONG_TEST_DATA) / ".." / "..";
  for (const EnvEntry& entry : registered_envs()) {
    INFO(entry.id);
    CHECK(std::filesystem::exists(root / "docs/envs" / (entry.id + ".md")));
    CHECK(std::filesystem::exists(root / "tests/envs" / ("test_" + entry.id + ".cpp")));
    CHECK(!summary(entry).empty());
    const auto described = entry.describe({}, entry.id);
    CHECK(!described.empty());
    for (const FieldDoc& field : described) CHECK(!field.doc.empty());
  }
}
