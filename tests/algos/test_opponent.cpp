// One team against a policy: the same game as both teams together, seen from one side.
#include "algos/opponent.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "algos/saved_opponent.hpp"
#include "algos/trainer.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "envs/registry.hpp"
#include "tests/algos/tiny_run.hpp"
#include "tests/devices.hpp"

using namespace throng;

namespace {

constexpr int kEnvs = 9, kAllies = 2, kEnemies = 3, kAgents = kAllies + kEnemies;
const nlohmann::json kBattle = {{"ally_units", {{"marine", kAllies}}},
                                {"enemy_units", {{"marine", kEnemies}}},
                                {"opponent", "policy"},
                                {"max_steps", 25}};

std::unique_ptr<VecEnv> both_teams(const std::string& device, Autoreset autoreset = Autoreset::same_step) {
  BatchOptions options;
  options.num_envs = kEnvs;
  options.autoreset = autoreset;
  return make("smax", open_device(device), options, kBattle);
}

// The last attack that is legal, else a step towards the others; sometimes neither, to see that `draw` counts the calls.
int choose(const std::vector<uint8_t>& avail, size_t row, int num_actions, int move, uint32_t draw) {
  constexpr int kStop = 4;
  const uint8_t* legal = avail.data() + row * num_actions;
  int action = num_actions - 1;
  while (!legal[action]) --action;
  if (action == kStop && legal[move]) action = move;
  return draw % 5 == 0 ? kStop : action;
}
constexpr int kEast = 1, kWest = 3;

struct Eager final : Opponent {
  Device& device;
  std::vector<uint8_t>* ends;  // what it is told, of the last call
  std::vector<float>* seen;
  Eager(Device& device, std::vector<uint8_t>* ends, std::vector<float>* seen)
      : device(device), ends(ends), seen(seen) {}

  void act(const Observations& s, const uint8_t* ended, Key, uint32_t draw, void* actions) override {
    constexpr size_t kRows = kEnvs * kEnemies;
    const int num_actions = 5 + kEnemies;
    const auto avail = download(device, s.avail_actions, kRows * num_actions);
    *ends = download(device, ended, kRows);
    *seen = download(device, static_cast<const float*>(s.obs), kRows * (13 * (kAgents - 1) + 10));
    std::vector<int32_t> chosen;
    for (size_t row = 0; row < kRows; ++row) chosen.push_back(choose(avail, row, num_actions, kWest, draw));
    upload(device, static_cast<int32_t*>(actions), chosen);
  }
};

// The rows of a team out of those of all agents.
template <class T>
std::vector<T> rows_of(const std::vector<T>& all, int first, int count) {
  const size_t dim = all.size() / (kEnvs * kAgents);
  std::vector<T> rows;
  for (size_t e = 0; e < kEnvs; ++e) {
    const auto begin = all.begin() + (e * kAgents + first) * dim;
    rows.insert(rows.end(), begin, begin + count * dim);
  }
  return rows;
}

template <class T>
std::vector<T> read(VecEnv& env, const void* from, size_t per_row) {
  return download(env.device(), static_cast<const T*>(from), per_row * env.num_rows());
}

}  // namespace

TEST_CASE("an environment of one team is the game of both, seen from one side") {
  for (const std::string& device : test_devices()) {
    for (const Autoreset autoreset : {Autoreset::same_step, Autoreset::next_step, Autoreset::disabled}) {
      INFO(device << " " << name_of(autoreset));
      const auto both = both_teams(device, autoreset);
      auto inner = both_teams(device, autoreset);
      std::vector<uint8_t> told;
      std::vector<float> seen;
      auto eager = std::make_unique<Eager>(inner->device(), &told, &seen);
      const auto one = against(std::move(inner), std::move(eager));
      const EnvSpec& spec = one->spec();
      CHECK(spec.agents == std::vector<std::string>{"ally_0", "ally_1"});
      both->reset(3), one->reset(3);
      std::vector<uint8_t> ends(kEnvs, 0), flags_before(kEnvs, 0);
      for (uint32_t t = 0; t < 90; ++t) {
        const auto avail = read<uint8_t>(*both, both->observations().avail_actions, spec.num_actions);
        REQUIRE(rows_of(avail, 0, kAllies) == read<uint8_t>(*one, one->observations().avail_actions, spec.num_actions));
        const auto obs = read<float>(*both, both->observations().obs, spec.obs_dim);
        REQUIRE(rows_of(obs, 0, kAllies) == read<float>(*one, one->observations().obs, spec.obs_dim));
        std::vector<int32_t> all, own;
        for (size_t row = 0; row < kEnvs * kAgents; ++row) {
          const bool ally = row % kAgents < kAllies;
          all.push_back(choose(avail, row, spec.num_actions, ally ? kEast : kWest, ally ? row + t : t));
          if (ally) own.push_back(all.back());
        }
        upload(both->device(), static_cast<int32_t*>(both->actions()), all);
        upload(one->device(), static_cast<int32_t*>(one->actions()), own);
        both->step(both->actions());
        one->step(one->actions());
        REQUIRE(seen == rows_of(obs, kAllies, kEnemies));
        for (size_t row = 0; row < told.size(); ++row) REQUIRE(told[row] == ends[row / kEnemies]);
        REQUIRE(one->state_hash() == both->state_hash());
        const auto rewards = read<float>(*both, both->outcomes().rewards, 1);
        REQUIRE(rows_of(rewards, 0, kAllies) == read<float>(*one, one->outcomes().rewards, 1));
        auto flags = read<uint8_t>(*both, both->outcomes().terminated, 1);
        REQUIRE(rows_of(flags, 0, kAllies) == read<uint8_t>(*one, one->outcomes().terminated, 1));
        const auto truncated = read<uint8_t>(*both, both->outcomes().truncated, 1);
        REQUIRE(rows_of(truncated, 0, kAllies) == read<uint8_t>(*one, one->outcomes().truncated, 1));
        const auto returns = rows_of(read<float>(*both, both->finals().episode_return, 1), 0, kAllies);
        const auto final_obs = rows_of(read<float>(*both, both->finals().obs, spec.obs_dim), 0, kAllies);
        REQUIRE(returns == read<float>(*one, one->finals().episode_return, 1));
        REQUIRE(final_obs == read<float>(*one, one->finals().obs, spec.obs_dim));
        for (size_t e = 0; e < kEnvs; ++e) {
          const uint8_t flag = flags[e * kAgents] | truncated[e * kAgents];
          ends[e] = flag && !(flags_before[e] && autoreset == Autoreset::disabled);
          flags_before[e] = flag;
        }
      }
      const EpisodeStatistics a = one->take_statistics(), b = both->take_statistics();
      CHECK(a.episodes == b.episodes);
      CHECK(a.episodes >= kEnvs);
      CHECK(a.length == b.length);
      CHECK(a.info == b.info);
      CHECK(a.returns.at(0) != b.returns.at(0));  // of the allies, not of all
    }
  }
}

TEST_CASE("a snapshot keeps the opponent's place") {
  for (const std::string& device : test_devices()) {
    std::vector<uint8_t> told;
    std::vector<float> seen;
    const auto fresh = [&] {
      auto inner = both_teams(device);
      auto eager = std::make_unique<Eager>(inner->device(), &told, &seen);
      return against(std::move(inner), std::move(eager));
    };
    const auto play = [&](VecEnv& env, uint32_t from, int steps) {
      for (int i = 0; i < steps; ++i) {
        env.policy_actions(1, env.actions(), key(1), from + i);
        env.step(env.actions());
      }
    };
    const auto a = fresh(), b = fresh();
    a->reset(1), b->reset(2);
    play(*a, 0, 20);
    play(*b, 0, 7);
    b->restore(a->snapshot());
    play(*a, 20, 41);
    play(*b, 20, 41);
    CHECK(a->state_hash() == b->state_hash());
    CHECK(a->take_statistics().episodes == b->take_statistics().episodes);
  }
}

TEST_CASE("an opponent needs a second team") {
  CHECK(first_team(env_spec("smax/5m_vs_6m", {{"opponent", "self"}})) == 5);
  CHECK_THROWS_AS(first_team(env_spec("smax/3m")), Error);
}

TEST_CASE("a policy is trained against a saved one, and resumes bit for bit") {
  const Folder folder;
  const std::string first = folder.file("first"), straight = folder.file("straight"), broken = folder.file("broken");
  const auto run_of = [&](const std::string& name, const std::string& opponent) {
    Run run;
    run.env = "smax/3m";
    run.env_config = opponent.empty() ? nlohmann::json() : nlohmann::json{{"opponent", "policy"}};
    run.device = "cpu";
    run.folder = name;
    run.train.num_envs = 16;
    run.train.num_steps = 32;
    run.train.total_timesteps = 4 * run.train.steps_per_update();
    run.train.hidden_sizes = {16};
    run.train.eval_episodes = 16;
    run.train.opponent_run = opponent;
    return run;
  };
  const MakeEnv make_smax = [](const std::string& id, std::shared_ptr<Device> device, const BatchOptions& options,
                               const nlohmann::json& config) { return make(id, std::move(device), options, config); };
  Trainer(run_of(first, ""), make_smax).train({}, {});
  {
    Trainer trainer(run_of(straight, first), make_smax);
    CHECK(trainer.env().spec().num_agents == 3);
    trainer.train({}, {});
  }
  {
    Trainer trainer(run_of(broken, first), make_smax);
    update(trainer, 2);
    trainer.save();
  }
  Trainer::resume(broken, make_smax)->train({}, {});
  const bool same_checkpoint = read_file(latest_checkpoint(broken)) == read_file(latest_checkpoint(straight));
  CHECK(same_checkpoint);
  CHECK(without_times(metrics(broken)) == without_times(metrics(straight)));

  Run unfit = run_of(folder.file("unfit"), first);
  unfit.env = "smax/8m";
  CHECK_THROWS_MATCHES(Trainer(unfit, make_smax), Error,
                       Catch::Matchers::MessageMatches(Catch::Matchers::ContainsSubstring("trained in smax/3m")));
  unfit.env_config = {{"opponent", "heuristic"}};
  CHECK_THROWS_MATCHES(Trainer(unfit, make_smax), Error,
                       Catch::Matchers::MessageMatches(Catch::Matchers::ContainsSubstring("env.opponent=policy")));
}
