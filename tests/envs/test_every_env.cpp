// The exam: what every registered environment and scenario must keep, with no code from its author.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "core/error.hpp"
#include "tests/devices.hpp"
#include "tests/envs/drive.hpp"

using namespace throng;

namespace {

// All that is registered, or what begins as THRONG_EXAM says: one game is enough while it is written.
std::vector<std::string> exam_ids() {
  const char* only = std::getenv("THRONG_EXAM");
  std::vector<std::string> ids;
  for (const std::string& id : env_ids()) {
    if (only == nullptr || id.rfind(only, 0) == 0) ids.push_back(id);
  }
  if (ids.empty()) throw Error(std::string("THRONG_EXAM=") + only + " is the beginning of no environment's name");
  return ids;
}

constexpr int kSteps = 120;

}  // namespace

TEST_CASE("the same seed gives the same episodes, another seed others") {
  for (const std::string& id : exam_ids()) {
    INFO(id);
    Drive a(id, "cpu", batch_of(8)), b(id, "cpu", batch_of(8));
    a.run(kSteps), b.run(kSteps);
    CHECK(a.env().state_hash() == b.env().state_hash());
    CHECK(a.outputs() == b.outputs());
    CHECK(std::set(a.histories().begin(), a.histories().end()).size() == 8);  // environments differ
    if (a.begins_alike()) continue;                                           // a game without chance at its start
    a.env().reset(Drive::kSeed + 1);
    b.env().reset(Drive::kSeed);
    CHECK(a.env().state_hash() != b.env().state_hash());
  }
}

TEST_CASE("environment 7 does not depend on the batch around it") {
  for (const std::string& id : exam_ids()) {
    INFO(id);
    Drive few(id, "cpu", batch_of(8)), many(id, "cpu", batch_of(std::max(9, fewer_envs(id, 200, 20000))));
    BatchOptions alone = batch_of(1);
    alone.first_env = 7;
    Drive one(id, "cpu", alone);
    few.run(40), many.run(40), one.run(40);
    CHECK(few.env().state_hashes()[7] == many.env().state_hashes()[7]);
    CHECK(few.env().state_hashes()[7] == one.env().state_hashes()[0]);
  }
}

TEST_CASE("loops run backwards give the same bits") {
  for (const std::string& id : exam_ids()) {
    INFO(id);
    BatchOptions options = batch_of(16);
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
  for (const std::string& id : exam_ids()) {
    BatchOptions options = batch_of(67);  // no whole number of tiles
    Drive cpu(id, "cpu", options);
    const int steps = std::clamp(20000 / cpu.spec().num_agents, 20, 1000);
    cpu.run_on_device(steps);
    for (int lanes : {0, 1, 2, 4, 8, 16, 32}) {
      INFO(id << ", lanes " << lanes);
      options.lanes = lanes;
      Drive cuda(id, "cuda:0", options);
      cuda.run_on_device(steps);
      CHECK(cpu.env().state_hash() == cuda.env().state_hash());
      CHECK(cpu.outputs() == cuda.outputs());
    }
  }
}

TEST_CASE("many random steps at once are the same steps") {
  for (const std::string& device : test_devices()) {
    for (const std::string& id : exam_ids()) {
      INFO(id << " on " << device);
      BatchOptions options = batch_of(fewer_envs(id, 67, 6700));  // no whole number of tiles
      options.time_limit = 23;                                    // episodes end in the midst
      options.autoreset = id.size() % 2 ? Autoreset::same_step : Autoreset::next_step;
      Drive one_by_one(id, device, options), at_once(id, device, options);
      for (uint32_t first : {0u, 1u, 30u}) {
        const uint32_t steps = first == 1 ? 29 : 1 + first;
        for (uint32_t t = first; t < first + steps; ++t) {
          VecEnv& env = one_by_one.env();
          env.random_actions(env.observations().avail_actions, env.actions(), key(5), t);
          env.step(env.actions());
        }
        at_once.env().step_random(static_cast<int>(steps), key(5), first);
        CHECK(at_once.env().state_hash() == one_by_one.env().state_hash());
        CHECK(at_once.outputs() == one_by_one.outputs());
      }
      CHECK(at_once.env().take_statistics().episodes == one_by_one.env().take_statistics().episodes);
    }
  }
}

TEST_CASE("observations are finite and within the declared bounds, and a legal action always exists") {
  for (const std::string& id : exam_ids()) {
    INFO(id);
    Drive drive(id, "cpu", batch_of(fewer_envs(id, 64, 6400)));
    const EnvSpec& spec = drive.env().spec();
    for (int t = 0; t < kSteps; ++t) {
      const auto obs = download_obs(drive.env(), drive.env().observations().obs);
      float low = 0, high = 0;
      bool finite = true;
      for (float x : obs) {
        finite = finite && std::isfinite(x);
        low = std::min(low, x), high = std::max(high, x);
      }
      REQUIRE(finite);
      REQUIRE(low >= spec.obs_low);
      REQUIRE(high <= spec.obs_high);
      const std::vector<uint8_t> avail = drive.avail();
      const uint8_t* legal = avail.data();
      for (int row = 0; row < drive.env().num_rows(); ++row) {
        for (int head = 0; head < spec.num_heads(); legal += spec.choices(head++)) {
          REQUIRE(*std::max_element(legal, legal + spec.choices(head)) == 1);  // flags are 0 or 1, and one is 1
        }
      }
      drive.step();
    }
  }
}

TEST_CASE("every agent's observation has the same size, and names are complete") {
  for (const std::string& id : exam_ids()) {
    const EnvSpec spec = env_spec(id);
    INFO(id);
    CHECK(spec.id == id);
    CHECK(!spec.version.empty());
    CHECK(spec.obs_dim > 0);
    CHECK((spec.continuous > 0 ? spec.num_actions == 0 : spec.num_actions > 1));
    int choices = 0;
    for (int head = 0; head < spec.num_heads(); ++head) choices += spec.choices(head);
    CHECK(choices == spec.num_actions);
    CHECK(spec.obs_low < spec.obs_high);
    const ObsGrid& grid = spec.obs_grid;
    if (grid.planes > 0) CHECK(grid.planes * grid.cells() == spec.obs_dim);
    CHECK(int(spec.agents.size()) == spec.num_agents);
    CHECK(std::set(spec.agents.begin(), spec.agents.end()).size() == spec.agents.size());
    CHECK(int(spec.objectives.size()) == spec.num_objectives);
  }
}

TEST_CASE("episodes end, and same_step keeps what ended") {
  for (const std::string& id : exam_ids()) {
    INFO(id);
    const int limit = env_spec(id).time_limit > 0 ? std::min(env_spec(id).time_limit, 150) : 150;
    Drive same(id, "cpu", batch_of(32, Autoreset::same_step, limit));
    Drive disabled(id, "cpu", batch_of(32, Autoreset::disabled, limit));
    const EnvSpec& spec = same.env().spec();
    const size_t rows = same.env().num_rows();
    std::vector<bool> ended(32, false);
    std::vector<double> returns(rows * spec.num_objectives, 0.0);
    int ends = 0;
    for (int t = 0; t < limit && ends < 32; ++t) {
      same.step(), disabled.step();
      auto read = [&](Drive& d, const uint8_t* flags) { return download(d.env().device(), flags, rows); };
      const auto terminated = read(same, same.env().outcomes().terminated),
                 truncated = read(same, same.env().outcomes().truncated);
      const auto terminated_d = read(disabled, disabled.env().outcomes().terminated);
      const auto truncated_d = read(disabled, disabled.env().outcomes().truncated);
      const auto rewards = download(same.env().device(), same.env().outcomes().rewards, rows * spec.num_objectives);
      const auto final_obs = download_obs(same.env(), same.env().finals().obs);
      const auto obs_d = download_obs(disabled.env(), disabled.env().observations().obs);
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
          REQUIRE(std::abs(kept[i] - returns[i]) < 1e-4 * (1 + std::abs(returns[i])));
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
    for (const std::string& id : exam_ids()) {
      INFO(id << " on " << device);
      BatchOptions options = batch_of(8);
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
      const auto second = same.env().state_hashes();  // at the start of the second episode, too
      for (int e = 0; e < 8; ++e) CHECK(after[e] == (e == 0 || e == 2 || e == 7 ? second[e] : before[e]));
      disabled.step();  // those that were reset live on
    }
  }
}

TEST_CASE("a snapshot restores everything, and a wrong one changes nothing") {
  for (const std::string& device : test_devices()) {
    for (const std::string& id : exam_ids()) {
      INFO(id << " on " << device);
      Drive drive(id, device, batch_of(9));
      drive.run(17);
      const auto snapshot = drive.env().snapshot();
      Drive copy(id, device, batch_of(9));
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
      Drive larger(id, device, batch_of(10));
      CHECK_THROWS_AS(copy.env().restore(larger.env().snapshot()), Error);
      CHECK(copy.env().state_hash() == before);
    }
  }
}

TEST_CASE("pictures show the state, on either device, and those of a step end where the step does") {
  for (const std::string& id : exam_ids()) {
    INFO(id);
    Drive drive(id, "cpu", batch_of(3, Autoreset::disabled));
    VecEnv& env = drive.env();
    drive.run(6);
    if (!env.spec().renders) {
      CHECK_THROWS_AS(env.render(1), Error);
      continue;
    }
    const Image before = env.render(1, 200);
    CHECK(std::max(before.width, before.height) == 200);
    CHECK(before.rgb.size() == size_t(3) * before.width * before.height);
    CHECK(std::set(before.rgb.begin(), before.rgb.end()).size() > 2);
    CHECK_THROWS_AS(env.render(3), Error);
    CHECK_THROWS_AS(env.render(-1), Error);
    const uint64_t hash = env.state_hash();
    const int last = env.spec().num_agents - 1;
    Image view;
    if (env.spec().renders_views) {
      view = env.render(1, 200, last);
      CHECK(std::max(view.width, view.height) == 200);
      CHECK(std::set(view.rgb.begin(), view.rgb.end()).size() > 2);
      CHECK_THROWS_AS(env.render(1, 200, last + 1), Error);
    } else {
      CHECK_THROWS_AS(env.render(1, 200, last), Error);
    }
    drive.choose();
    const auto* actions = static_cast<const uint32_t*>(env.actions());
    const std::vector<Image> step = env.render_step(1, actions + env.spec().num_agents * env.spec().action_dim(), 200);
    CHECK(env.state_hash() == hash);
    env.step(env.actions());
    REQUIRE(!step.empty());
    CHECK(step.back().rgb == env.render(1, 200).rgb);
    for (const std::string& device : test_devices()) {
      Drive other(id, device, batch_of(3, Autoreset::disabled));
      CHECK(other.run(6).env().render(1, 200).rgb == before.rgb);
      if (env.spec().renders_views) CHECK(other.env().render(1, 200, last).rgb == view.rgb);
    }
  }
}

TEST_CASE("random_actions are legal and spread over all that is legal") {
  for (const std::string& device : test_devices()) {
    for (const EnvEntry& entry : registered_envs()) {
      INFO(entry.id << " on " << device);
      Drive drive(entry.id, device, batch_of(512));
      VecEnv& env = drive.env();
      const EnvSpec& spec = env.spec();
      std::vector<int> counts(spec.num_actions, 0), possible(spec.num_actions, 0);
      for (uint32_t t = 0; t < 8; ++t) {
        const std::vector<uint8_t> avail = drive.avail();
        env.random_actions(env.observations().avail_actions, env.actions(), key(5), t);
        const Chosen chosen = drive.chosen();
        REQUIRE(chosen.legal);
        const std::set<float> numbers(chosen.numbers.begin(), chosen.numbers.end());
        if (spec.continuous > 0) CHECK(numbers.size() > chosen.numbers.size() / 2);
        for (const int choice : chosen.choices) ++counts[choice];
        for (size_t i = 0; i < avail.size(); ++i) possible[i % spec.num_actions] += avail[i];
        env.step(env.actions());
      }
      for (int a = 0; a < spec.num_actions; ++a) CHECK((possible[a] < 20 * spec.num_actions || counts[a] > 0));
    }
  }
}

TEST_CASE("observations as bfloat16 are those of float32, rounded") {
  for (const std::string& device : test_devices()) {
    for (const EnvEntry& entry : registered_envs()) {
      INFO(entry.id << " on " << device);
      BatchOptions options = batch_of(33);
      options.obs_bfloat16 = true;
      if (env_spec(entry.id).obs_dtype != "F32") {
        CHECK_THROWS_AS(make(entry.id, open_device(device), options), Error);
        continue;
      }
      Drive exact(entry.id, device, batch_of(33)), rounded(entry.id, device, options);
      for (int t = 0; t < 5; ++t) {
        exact.step(), rounded.step();
        std::vector<float> obs = download_obs(exact.env(), exact.env().observations().obs);
        for (float& x : obs) x = static_cast<float>(Bfloat16(x));
        REQUIRE(obs == download_obs(rounded.env(), rounded.env().observations().obs));
      }
      CHECK(exact.env().state_hash() == rounded.env().state_hash());
    }
  }
}

TEST_CASE("the policies that come with a game choose legally, and alike in any batch and on any device") {
  for (const std::string& id : exam_ids()) {
    const std::vector<std::string> policies = env_spec(id).policies;
    REQUIRE(policies.at(0) == "random");
    for (int policy = 0; policy < int(policies.size()); ++policy) {
      INFO(id << ", " << policies[policy]);
      Drive drive(id, "cpu", batch_of(20));
      VecEnv& env = drive.env();
      CHECK(env.policy_named(policies[policy]) == policy);
      for (uint32_t t = 0; t < kSteps; ++t) {
        env.policy_actions(policy, env.actions(), key(5), t);
        REQUIRE(drive.chosen().legal);
        env.step(env.actions());
      }
      if (policy == 0) continue;  // draws by the row
      for (const std::string& device : test_devices()) {
        BatchOptions options = batch_of(5);
        options.first_env = 7;
        Drive other(id, device, options);
        for (uint32_t t = 0; t < kSteps; ++t) {
          other.env().policy_actions(policy, other.env().actions(), key(5), t);
          other.env().step(other.env().actions());
        }
        const auto all = env.state_hashes(), part = other.env().state_hashes();
        CHECK(std::equal(part.begin(), part.end(), all.begin() + 7));
      }
    }
    CHECK_THROWS_AS(Drive(id, "cpu", batch_of(1)).env().policy_named("no_such_policy"), Error);
  }
}

TEST_CASE("agents of one batch can have a policy each") {
  for (const std::string& id : exam_ids()) {
    for (const std::string& device : test_devices()) {
      Drive drive(id, device, batch_of(9));
      VecEnv& env = drive.env();
      const size_t rows = env.num_rows(), dim = env.spec().action_dim();
      const auto chosen = [&] {
        return download(env.device(), static_cast<const uint32_t*>(env.actions()), rows * dim);
      };
      const int policies = static_cast<int>(env.spec().policies.size());
      std::vector<std::vector<uint32_t>> alone;
      for (int policy = 0; policy < policies; ++policy) {
        env.policy_actions(policy, env.actions(), key(5), 3);
        alone.push_back(chosen());
      }
      std::vector<int32_t> mixed;
      for (size_t row = 0; row < rows; ++row) mixed.push_back(static_cast<int32_t>(row % (policies + 1)) - 1);
      Arena arena(env.shared_device());
      int32_t* numbers = nullptr;
      arena.want(numbers, rows);
      arena.commit();
      upload(env.device(), numbers, mixed);
      env.device().fill_zero(env.actions(), rows * dim * sizeof(uint32_t));
      env.mixed_actions(numbers, env.actions(), key(5), 3);
      const auto together = chosen();
      for (size_t i = 0; i < rows * dim; ++i) {
        const int policy = mixed[i / dim];
        REQUIRE(together[i] == (policy < 0 ? 0u : alone[policy][i]));
      }
    }
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
  CHECK_THROWS_AS(make(exam_ids().front(), open_device("cpu"), batch_of(0)), Error);
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
