// The rules of gem mining: the instance, the bonus of many workers, and expected fronts of small instances.
#include "envs/gem_mining/gem_mining.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "algos/pareto.hpp"
#include "tests/envs/played.hpp"

namespace throng::gem_mining {
namespace {

using Catch::Matchers::WithinAbs;

// Two villages, three mines: village 0 reaches mines 0 and 1, village 1 reaches 1 and 2.
Params small(uint8_t semantics = common::kFixed) {
  Params p;
  p.num_agents = 2, p.min_connectivity = p.max_connectivity = 2, p.semantics = semantics;
  p.check();
  p.workers[0] = 3, p.workers[1] = 2;
  const float probability[] = {0.4f, 0.1f, 0.3f, 0.3f, 0.05f, 0.45f};
  std::copy(std::begin(probability), std::end(probability), p.probability);
  return p;
}

// Played as it is, without check(), which would draw the instance anew.
struct Mine {
  HostInstance<Env> instance;
  Env env;
  std::vector<float> rewards;
  explicit Mine(const Params& p) : instance(p), env(instance.env()), rewards(p.num_agents * p.num_objectives) {}
  float chance(int mine, int gem) const { return env.chance(mine * env.p.num_objectives + gem, env.bonus_at(mine)); }
  void send(std::vector<int32_t> actions, uint64_t seed = 1) {
    std::fill(rewards.begin(), rewards.end(), 0.0f);
    CHECK(env.step(Actions{actions.data()}, Rewards{rewards.data(), env.p.num_objectives}, Rng{key(seed)}));
  }
};

}  // namespace

TEST_CASE("workers at a mine lift its probabilities", "[gem_mining]") {
  for (const uint8_t semantics : {common::kFixed, common::kMomaland}) {
    Mine mine(small(semantics));
    const int all = semantics == common::kMomaland;  // counts the first worker, too
    mine.send({0, 1});
    CHECK_THAT(mine.chance(0, 0), WithinAbs(0.4 * std::pow(1.03, 2 + all), 1e-6));
    CHECK(mine.chance(1, 0) == 0);  // nobody is there
    CHECK_THAT(mine.chance(2, 1), WithinAbs(0.45 * std::pow(1.03, 1 + all), 1e-6));
    mine.send({1, 0});
    CHECK(mine.env.s.workers[1] == 5);
    CHECK_THAT(mine.chance(1, 1), WithinAbs(0.3 * std::pow(1.03, 4 + all), 1e-6));
    CHECK_THAT(mine.env.expected(0), WithinAbs(0.3 * std::pow(1.03, 4 + all), 1e-6));
  }
}

TEST_CASE("no probability exceeds the limit", "[gem_mining]") {
  Params p = small();
  p.w_bonus = 10;
  Mine mine(p);
  mine.send({1, 0});
  CHECK(mine.chance(1, 0) == 0.9f);
}

TEST_CASE("rewards are shared, and on average what is expected", "[gem_mining]") {
  Mine mine(small());
  Points expected;
  for (int32_t first : {0, 1}) {
    for (int32_t second : {0, 1}) {
      double sum[2] = {};
      constexpr int kTrials = 20000;
      for (int trial = 0; trial < kTrials; ++trial) {
        mine.send({first, second}, trial);
        REQUIRE((mine.rewards[0] == mine.rewards[2] && mine.rewards[1] == mine.rewards[3]));
        sum[0] += mine.rewards[0], sum[1] += mine.rewards[1];
      }
      for (int gem : {0, 1}) CHECK_THAT(sum[gem] / kTrials, WithinAbs(mine.env.expected(gem), 0.015));
      expected.push_back({mine.env.expected(0), mine.env.expected(1)});
    }
  }
  // 0 and 0, 0 and 1, 1 and 1: to go to the same mine is dominated.
  const double b1 = 1.03, b2 = b1 * b1;
  const Points front = pareto_front(expected);
  REQUIRE(front.size() == 3);
  CHECK_THAT(front[0][0], WithinAbs(.4 * b2 + .3 * b1, 1e-6));
  CHECK_THAT(front[1][0], WithinAbs(.4 * b2 + .05 * b1, 1e-6));
  CHECK_THAT(front[2][1], WithinAbs(.3 * b2 + .45 * b1, 1e-6));
}

TEST_CASE("the instance is within its bounds, and the seed's own", "[gem_mining]") {
  for (int seed = 0; seed < 20; ++seed) {
    for (int gems : {2, 3, 8}) {
      const Params p = params_of<Env>("gem_mining/default", {{"seed", seed}, {"num_objectives", gems}});
      CHECK(p.num_mines() == 23);
      for (int i = 0; i < 20; ++i) {
        REQUIRE((p.workers[i] >= 1 && p.workers[i] <= 5));
        REQUIRE((p.reach[i] >= 2 && p.reach[i] <= 4));
      }
      for (int mine = 0; mine < 23; ++mine) {
        float sum = 0;
        for (int gem = 0; gem < gems; ++gem) {
          REQUIRE(p.probability[mine * gems + gem] >= 0);
          sum += p.probability[mine * gems + gem];
        }
        if (gems == 2) REQUIRE(sum <= 0.5f);
      }
    }
  }
  const Params a = params_of<Env>("gem_mining/default", {{"seed", 1}});
  const Params b = params_of<Env>("gem_mining/default", {{"seed", 2}});
  CHECK(!std::equal(a.probability, a.probability + 46, b.probability));
}

TEST_CASE("a village reaches its own mines only", "[gem_mining]") {
  Played<Env> game(params_of<Env>("gem_mining/default"));
  for (int village = 0; village < 20; ++village) {
    CHECK(game.legal(village).size() == game.env.p.reach[village]);
    CHECK(game.legal(village).front() == 0);
  }
  CHECK(game.step(std::vector<int32_t>(20, 77)));  // not legal: as if 0
  for (int village = 0; village < 20; ++village) CHECK(game.env.s.workers[village] == game.env.p.workers[village]);
  CHECK(env_spec("gem_mining/3_gems").objectives == std::vector<std::string>{"gem_1", "gem_2", "gem_3"});
}

}  // namespace throng::gem_mining
