// Games of two teams, seen from their seats: the same games as both teams together.
#include "algos/teams.hpp"

#include <algorithm>
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

bool same_pictures(const std::vector<Image>& a, const std::vector<Image>& b) {
  REQUIRE(a.size() > 1);  // moments within the step
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Image& x, const Image& y) { return x.rgb == y.rgb; });
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
      std::vector<uint8_t> ends(kEnvs, 1), flags_before(kEnvs, 0);  // nothing is remembered at first
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
        if (t % 30 == 7)
          REQUIRE(same_pictures(one->render_step(4, &own[4 * kAllies]), both->render_step(4, &all[4 * kAgents])));
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
  CHECK(first_team(env_spec("connect4/7x6")) == 1);
  CHECK_THROWS_AS(first_team(env_spec("smax/3m")), Error);
}

TEST_CASE("seats of both teams: who wins, what it pays, and in any order") {
  for (const std::string& device : test_devices()) {
    BatchOptions options;
    options.num_envs = 3;
    options.autoreset = Autoreset::disabled;
    // Games 0 and 1 for both players, the second seat of game 2; its first seat is played at random.
    TeamOptions teams;
    teams.own = {{1, 0}, {0, 1}, {2, 1}, {1, 1}, {0, 0}};
    teams.bots = {-1, -1, -1, -1, 0, -1};
    teams.zero_sum = true;
    auto env = make_teams(make("connect4/7x6_two_objectives", open_device(device), options), teams, nullptr);
    CHECK(env->num_envs() == 5);
    CHECK(env->spec().num_agents == 1);
    CHECK(env->spec().objectives == std::vector<std::string>{"win"});
    env->reset(1);
    // Whoever sits at the first seat of game 1, or the second of game 0, builds a column; the others spread.
    for (int move = 0; move < 42; ++move) {
      const int32_t wide = move / 2 % 3 + 1;
      upload(env->device(), static_cast<int32_t*>(env->actions()), {0, 0, 0, wide, wide});
      env->step(env->actions());
    }
    const auto finals = download(env->device(), env->finals().episode_return, 5);
    CHECK(finals[0] == 1);
    CHECK(finals[1] == 1);
    CHECK(finals[3] == -1);
    CHECK(finals[4] == -1);
    const auto info = download(env->device(), env->finals().info, 10);  // won, drawn
    CHECK(std::vector{info[0], info[2], info[6], info[8]} == std::vector<float>{1, 1, 0, 0});
    const auto scores = env->take_scores();
    CHECK(scores[0].wins[1] == 1);
    CHECK(scores[1].wins[0] == 1);
    CHECK(scores[2].games() == 1);
    CHECK(scores[0].games() + scores[1].games() == 2);
    CHECK(env->take_scores()[0].games() == 0);
    const EpisodeStatistics statistics = env->take_statistics();
    CHECK(statistics.episodes == 5);
    env->restart({0, 1, 0});
    const auto obs = download(env->device(), static_cast<const uint8_t*>(env->observations().obs), 5 * 42);
    CHECK(std::count(obs.begin(), obs.begin() + 42, 0) == 42);         // game 1
    CHECK(std::count(obs.begin() + 42, obs.begin() + 84, 0) < 42);     // game 0
    CHECK(std::count(obs.begin() + 126, obs.begin() + 168, 0) == 42);  // game 1
    CHECK_THROWS_AS(
        make_teams(make("connect4/7x6", open_device(device), options), {{{0, 0}, {0, 0}}, {}, false}, nullptr), Error);
    CHECK_THROWS_AS(make_teams(make("connect4/7x6", open_device(device), options), {{{0, 0}}, {}, false}, nullptr),
                    Error);
  }
}

TEST_CASE("teams that are not equally large: the smaller one is filled up, and rewards add up to zero") {
  for (const std::string& device : test_devices()) {
    const auto both = both_teams(device);
    TeamOptions teams;
    for (int game = 0; game < kEnvs; ++game) teams.own.insert(teams.own.end(), {{game, 0}, {game, 1}});
    teams.zero_sum = true;
    const auto env = make_teams(both_teams(device), teams, nullptr);
    const EnvSpec& spec = env->spec();
    REQUIRE(spec.num_agents == kEnemies);
    CHECK(spec.agents[0] == "enemy_0");
    CHECK(spec.world_state_dim == 0);
    both->reset(3), env->reset(3);
    int episodes = 0;
    for (uint32_t t = 0; t < 60; ++t) {
      const auto avail = read<uint8_t>(*env, env->observations().avail_actions, spec.num_actions);
      const auto active = read<uint8_t>(*env, env->observations().active, 1);
      std::vector<int32_t> own, all;
      for (size_t row = 0; row < avail.size() / spec.num_actions; ++row) {
        const bool ally = row / kEnemies % 2 == 0, filling = ally && row % kEnemies == kAllies;
        if (filling) {
          const auto legal = avail.begin() + row * spec.num_actions;
          REQUIRE(std::count(legal, legal + spec.num_actions, 0) == spec.num_actions - 1);
          REQUIRE(legal[0] == 1);
          REQUIRE(active[row] == 0);
        }
        own.push_back(filling ? 0 : choose(avail, row, spec.num_actions, ally ? kEast : kWest, t));
        if (!filling) all.push_back(own.back());
      }
      upload(env->device(), static_cast<int32_t*>(env->actions()), own);
      upload(both->device(), static_cast<int32_t*>(both->actions()), all);
      env->step(env->actions());
      both->step(both->actions());
      REQUIRE(env->state_hash() == both->state_hash());
      const auto plain = read<float>(*both, both->outcomes().rewards, 1),
                 rewards = read<float>(*env, env->outcomes().rewards, 1);
      const auto flags = read<uint8_t>(*env, env->outcomes().terminated, 1),
                 cut = read<uint8_t>(*env, env->outcomes().truncated, 1);
      for (size_t e = 0; e < kEnvs; ++e) {
        const float* of = &plain[e * kAgents];
        const float difference = (of[0] + of[1]) / 2 - (of[2] + of[3] + of[4]) / 3,
                    mean = (rewards[e * 6] + rewards[e * 6 + 1]) / 2;
        CHECK(std::abs(mean - difference / 2) < 1e-6f);
        CHECK(std::abs(mean + (rewards[e * 6 + 3] + rewards[e * 6 + 4] + rewards[e * 6 + 5]) / 3) < 1e-6f);
        CHECK(rewards[e * 6 + 2] == 0);
        for (int row = 1; row < 6; ++row) CHECK((flags[e * 6 + row] | cut[e * 6 + row]) == (flags[e * 6] | cut[e * 6]));
        episodes += flags[e * 6] | cut[e * 6];
      }
    }
    Score sum;
    for (const Score& score : env->take_scores()) sum += score;
    CHECK(sum.games() == episodes);
    CHECK(episodes > kEnvs);
    CHECK(sum.wins[1] > sum.wins[0]);  // three against two
  }
}

TEST_CASE("against a player of the game's own, from either seat, and resumed from a snapshot") {
  for (const std::string& device : test_devices()) {
    const auto fresh = [&] {
      BatchOptions options;
      options.num_envs = 8;
      return against_bot(make("breakthrough/5x6", open_device(device), options), "random", true);
    };
    const auto a = fresh(), b = fresh();
    a->reset(4), b->reset(5);
    const auto play = [&](VecEnv& env, uint32_t from, int steps) {
      for (int i = 0; i < steps; ++i) {
        env.random_actions(nullptr, env.actions(), key(1), from + i);
        env.step(env.actions());
      }
    };
    play(*a, 0, 70);
    play(*b, 0, 3);
    b->restore(a->snapshot());
    CHECK(read<uint8_t>(*a, a->observations().obs, 30) == read<uint8_t>(*b, b->observations().obs, 30));
    play(*a, 70, 30);
    play(*b, 70, 30);
    CHECK(a->state_hash() == b->state_hash());
    Score first, second;
    for (const Score& score : a->take_scores()) first += score;
    for (const Score& score : b->take_scores()) second += score;
    CHECK(first.games() > 8);
    CHECK(first.wins[0] == second.wins[0]);
    CHECK(first.wins[1] == second.wins[1]);
  }
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
