// The modes of SMAX: both teams as agents, zero-sum rewards, the rules of JaxMARL 0.1.0, starts within the map.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>

#include "core/error.hpp"
#include "envs/registry.hpp"
#include "tests/devices.hpp"
#include "tests/envs/drive.hpp"
#include "tests/envs/smax_battle.hpp"

namespace throng::smax {

namespace {

using Catch::Matchers::WithinAbs;

Params both_play(Params p) {
  p.opponent = kSelf;
  return p;
}

std::vector<float> agent_mask(const Env& env, int agent) {
  Listed out;
  env.avail(agent, out);
  return out.row;
}

}  // namespace

TEST_CASE("with opponent self both teams are agents", "[smax]") {
  const EnvSpec spec = env_spec("smax/5m_vs_6m", {{"opponent", "self"}});
  CHECK(spec.num_agents == 11);
  CHECK(spec.num_actions == 5 + 6);
  CHECK(spec.obs_dim == 140);
  CHECK(spec.world_state_dim == 132);
  CHECK(spec.agents.at(0) == "ally_0");
  CHECK(spec.agents.at(4) == "ally_4");
  CHECK(spec.agents.at(5) == "enemy_0");
  CHECK(spec.agents.at(10) == "enemy_5");
}

TEST_CASE("agents of the larger team have no more targets than there are opponents", "[smax]") {
  Battle battle(both_play(teams({kMarine}, {kMarine, kMarine, kMarine})));
  battle.place(0, 16, 16);
  battle.place(1, 17, 16);
  battle.place(2, 18, 16);
  battle.place(3, 30, 30);
  CHECK(agent_mask(battle.env, 0) == std::vector<float>{1, 1, 1, 1, 1, 1, 1, 0});
  CHECK(agent_mask(battle.env, 1) == std::vector<float>{1, 1, 1, 1, 1, 1, 0, 0});
  CHECK(agent_mask(battle.env, 3) == std::vector<float>{1, 1, 1, 1, 1, 0, 0, 0});
  battle.step({kStop, 5, 6, 7});  // 6 and 7 name nobody
  CHECK(battle.env.s.health[0] == 45 - 9);
  CHECK(battle.env.s.action[1] == 5);
  CHECK(battle.env.s.action[2] == kStop);
}

TEST_CASE("both teams are told and both are paid, each for what the other lost", "[smax]") {
  Battle battle(both_play(teams({kMarine, kHydralisk}, {kZealot})));
  battle.place(0, 10, 10);
  battle.place(1, 10, 12);
  battle.place(2, 11, 11);
  battle.step({5, 5, 5});  // slot 0 of an enemy is the last ally
  const float for_allies = 21 / 150.0f, for_enemy = 8 / 80.0f / 2;
  check_near(battle.rewards, {for_allies, for_allies, for_enemy});
  battle.step({kStop, kStop, kNorth});
  CHECK_THAT(battle.env.s.y[2], WithinAbs(11 + 1.575, 0.3));  // pushed a little on its way
  check_near(battle.rewards, {0, 0, 0}, 0);
}

TEST_CASE("winners get the bonus whichever team they are", "[smax]") {
  for (const bool zero_sum : {false, true}) {
    INFO("zero-sum " << zero_sum);
    Params p = both_play(teams({kMarine}, {kMarine, kMarine}));
    p.self_play_reward = zero_sum;
    p.won_battle_bonus = 3;
    const float part = zero_sum ? 0 : 1;
    SECTION(zero_sum ? "enemies, zero-sum" : "enemies") {
      Battle battle(p);
      battle.place(0, 10, 10);
      battle.place(1, 12, 10);
      battle.env.s.health[0] = 9;
      CHECK(battle.step({kStop, 5, kStop}));
      check_near(battle.rewards, {zero_sum ? -3.0f : 0.0f, 3 + part * 0.2f, 3 + part * 0.2f});
      CHECK(battle.env.lost());
    }
    SECTION(zero_sum ? "nobody, zero-sum" : "nobody") {
      Battle battle(p);
      battle.place(0, 10, 10);
      battle.place(1, 12, 10);
      battle.env.s.health[0] = battle.env.s.health[1] = 9;
      battle.env.s.health[2] = 0;
      CHECK(battle.step({5, 5, kStop}));
      check_near(battle.rewards, {part * 0.1f, part * 0.2f, part * 0.2f});
      CHECK_FALSE(battle.env.won());
      CHECK_FALSE(battle.env.lost());
    }
  }
}

TEST_CASE("rewards as vectors: damage done, own losses, the bonus; damage and bonus are the usual reward", "[smax]") {
  Params p = both_play(teams({kMarine, kMarine}, {kMarine}));
  p.won_battle_bonus = 3;
  p.components = true;
  Battle battle(p);
  battle.place(0, 10, 10);
  battle.place(2, 12, 10);
  battle.env.s.health[2] = 9;
  CHECK(battle.step({5, kStop, 6}));  // the ally kills, and is hit by who dies
  const float hit = 9.0f / 45;
  check_near(battle.rewards, {hit, -hit / 2, 3, hit, -hit / 2, 3, hit / 2, -hit, 0});
  p.self_play_reward = true;
  CHECK_THROWS_AS(p.check(), Error);
}

TEST_CASE("the two teams see mirrored worlds in the same layout", "[smax]") {
  Battle battle(both_play(teams({kMarine, kStalker}, {kStalker, kMarine})));
  battle.place(0, 14, 15);
  battle.place(1, 13, 17);
  battle.place(2, 19, 15);  // enemy units in reverse order: unit 3 mirrors unit 0
  battle.place(3, 18, 17);
  const std::vector<float> mine = observation(battle.env, 0), theirs = observation(battle.env, 3);
  for (int block = 0; block < 3; ++block) {
    check_near({mine[13 * block + 1]}, {-theirs[13 * block + 1]});
    check_near({mine[13 * block + 2]}, {-theirs[13 * block + 2]});
    check_near({mine.begin() + 13 * block + 6, mine.begin() + 13 * block + 13},
               {theirs.begin() + 13 * block + 6, theirs.begin() + 13 * block + 13});
  }
}

TEST_CASE("heuristic_random is the script in random mode", "[smax]") {
  const auto resolved = find_env("smax").entry->resolve({{"opponent", "heuristic_random"}}, "smax");
  CHECK(resolved.at("attack_mode") == "random");
  CHECK(resolved.at("opponent") == "heuristic_random");
}

TEST_CASE("a scripted ally remembers its target and its goal", "[smax]") {
  Battle battle(teams({kMarine}, {kMarine, kMarine}));
  float goal_x = 0, goal_y = 0;
  uint8_t last = 0;
  const Env::Memory memory{{&goal_x, 1}, {&goal_y, 1}, {&last, 1}};
  const auto decide = [&] {
    struct Said {
      int value = -1;
      void operator()(int action) { value = action; }
    } said;
    battle.env.act(0, 0, memory, said, Rng{key(3)});
    return said.value;
  };
  battle.place(0, 3, 5);
  battle.place(1, 30, 5);
  battle.place(2, 30, 8);
  CHECK(decide() == kEast);
  CHECK(goal_x == 29);
  CHECK(goal_y == 27);
  battle.place(0, 27, 5);
  battle.place(2, 27, 7);
  CHECK(decide() == 6);  // enemy 1 is closer
  battle.place(1, 27, 6);
  CHECK(decide() == 6);  // and stays the target
  battle.env.s.health[2] = 0;
  CHECK(decide() == 5);
  CHECK(goal_x == 29);
  battle.env.s.health[0] = 0;
  CHECK(decide() == kStop);
}

// --- the rules of 0.1.0

TEST_CASE("legacy: the dead walk on, are in the way, and do not fight", "[smax]") {
  Params p = teams({kMarine, kMarine}, {kMarine, kMarine});
  p.legacy = true;
  Battle battle(p);
  const Env& env = battle.env;
  battle.place(0, 10, 10);
  battle.place(1, 10.5f, 14);
  battle.place(2, 12, 10);
  battle.place(3, 30, 30);
  env.s.health[0] = 0;
  env.s.cooldown[0] = 0;
  battle.order({kNorth, kStop, kStop, kStop});
  CHECK_THAT(env.s.y[0], WithinAbs(11.575, 1e-4));
  CHECK_THAT(env.s.cooldown[0], WithinAbs(-0.5, 1e-6));
  CHECK_FALSE(env.alive(0));
  battle.order({5, kStop, kStop, kStop});
  CHECK(env.s.health[2] == 45);
  battle.place(0, 10.2f, 14);
  battle.order({kStop, kStop, kStop, kStop});
  CHECK(env.s.x[1] > 10.5f);
  CHECK(env.s.x[0] < 10.2f);
  CHECK(agent_mask(env, 0) == std::vector<float>{0, 0, 0, 0, 1, 0, 0});
}

TEST_CASE("legacy: who dies within a step goes on with it", "[smax]") {
  for (const bool legacy : {false, true}) {
    INFO("legacy " << legacy);
    Params p = teams({kMarine}, {kMarine, kMarine});
    p.legacy = legacy;
    Battle battle(p);
    battle.place(0, 10, 10);
    battle.place(1, 12, 10);
    battle.place(2, 30, 30);
    battle.env.s.health[1] = 9;
    battle.order({5, kNorth, kStop});
    CHECK_FALSE(battle.env.alive(1));
    CHECK_THAT(battle.env.s.y[1], WithinAbs(legacy ? 11.575 : 10 + 3.15 / 16, 1e-4));
  }
}

TEST_CASE("legacy: targets by their number and cooldowns in seconds", "[smax]") {
  Params p = teams({kMarine}, {kMarine, kMarine, kMarine});
  p.legacy = true;
  Battle battle(p);
  battle.place(0, 10, 10);
  battle.place(1, 12, 10);
  battle.place(2, 12, 12);
  battle.place(3, 30, 30);
  battle.env.s.cooldown[1] = -2;
  battle.order({6, 5, kStop, kStop});
  const std::vector<float> seen = observation(battle.env, 1);  // blocks: enemy 2, enemy 1, ally 0, own
  CHECK(seen.at(26 + 5) == 6);
  CHECK_THAT(seen.at(26 + 6), WithinAbs(0.61 - 7 / 16.0, 1e-6));
  CHECK_THAT(seen.at(39 + 3), WithinAbs(0.61 - 7 / 16.0, 1e-6));
  for (const std::string id : {"smax/3m", "smax/smacv2_5_units"}) {
    const EnvSpec spec = env_spec(id, {{"legacy", true}});
    CHECK(spec.obs_low < -50);
    CHECK(spec.obs_high >= 4 + spec.num_agents);
  }
}

// --- starts

TEST_CASE("with spawn_clamp all units begin on the map", "[smax]") {
  for (const bool clamped : {true, false}) {
    Params p = teams({kMarine, kMarine, kMarine, kMarine, kMarine}, {kMarine, kMarine, kMarine, kMarine, kMarine});
    p.smacv2_position_generation = p.smacv2_unit_type_generation = true;
    p.spawn_clamp = clamped;
    Battle battle(p);
    int outside = 0;
    for (int episode = 0; episode < 300; ++episode) {
      const Draws draws(Rng{key(episode)});
      for (int unit = 0; unit < 10; ++unit) {
        const int type = spawn_type(battle.env.p, draws, unit);
        const Point at = settled(battle.env.p, spawn_point(battle.env.p, draws, unit), type);
        const float r = p.radius[type];
        outside += at.x < r || at.y < r || at.x > 32 - r || at.y > 32 - r;
      }
    }
    CHECK((outside == 0) == clamped);
  }
  CHECK_THROWS_AS(env_spec("smax/3m", {{"spawn_clamp", true}, {"radius", {1, 1, 1, 1, 1, 20}}}), Error);
}

// --- what the exam asks of every scenario, asked of the modes

TEST_CASE("every mode gives the same bits however its loops run, within its bounds", "[smax]") {
  const nlohmann::json modes[] = {{{"opponent", "self"}},
                                  {{"opponent", "self"}, {"self_play_reward", true}},
                                  {{"opponent", "heuristic_random"}},
                                  {{"legacy", true}},
                                  {{"components", true}},
                                  {{"legacy", true}, {"opponent", "self"}},
                                  {{"spawn_clamp", true}},
                                  {{"walls_cause_death", false}, {"see_enemy_actions", false}},
                                  {{"enemy_shoots", false}}};
  for (const nlohmann::json& mode : modes) {
    for (const std::string id : {"smax/5m_vs_6m", "smax/smacv2_5_units"}) {
      INFO(id << " " << mode.dump());
      BatchOptions options = batch_of(13);
      Drive forwards(id, "cpu", options, mode);
      options.backwards = true;
      Drive backwards(id, "cpu", options, mode);
      options.backwards = false;
      const EnvSpec& spec = forwards.spec();
      for (int t = 0; t < 120; ++t) {
        forwards.step(), backwards.step();
        bool within = true;
        for (const float x : download_obs(forwards.env(), forwards.env().observations().obs)) {
          within = within && x >= spec.obs_low && x <= spec.obs_high;
        }
        REQUIRE(within);
      }
      CHECK(forwards.outputs() == backwards.outputs());
      for (const std::string& device : test_devices()) {
        for (const int lanes : {1, 8}) {
          options.lanes = lanes;
          Drive other(id, device, options, mode);
          other.run(120);
          CHECK(other.env().state_hash() == forwards.env().state_hash());
          CHECK(other.outputs() == forwards.outputs());
        }
      }
    }
  }
}

}  // namespace throng::smax
