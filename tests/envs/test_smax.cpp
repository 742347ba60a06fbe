// The rules of SMAX on hand-made battles: attacks, moves, pushes, deaths and rewards.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <utility>
#include <vector>

#include "tests/envs/smax_battle.hpp"

namespace throng::smax {
namespace {

using Catch::Matchers::WithinAbs;

// --- the worked examples of the rules

// Ally marine and hydralisk against zealot and zergling, after some world steps of the same step.
Battle example_a(int world_steps) {
  Params p = teams({kMarine, kHydralisk}, {kZealot, kZergling});
  p.world_steps_per_env_step = world_steps;
  Battle battle(p);
  const Env& env = battle.env;
  battle.place(0, 15, 16);
  battle.place(1, 15.5f, 16.5f);
  battle.place(2, 16.5f, 15.5f);
  battle.place(3, 18, 17.5f);
  env.s.health[1] = 40;
  env.s.cooldown[1] = 0.2f;
  env.s.cooldown[3] = -0.5f;
  CHECK_FALSE(battle.order({5, 6, 6, kWest}));
  return battle;
}

}  // namespace

TEST_CASE("worked example A, world step by world step", "[smax]") {
  struct After {
    int world_steps;
    std::vector<float> x, y, health, cooldown;
  };
  const std::vector<After> table = {
      {1,
       {14.896447f, 15.603553f, 16.5f, 17.741875f},
       {15.896447f, 16.603554f, 15.5f, 17.5f},
       {37, 40, 141, 35},
       {.61f, .1375f, .86f, -.5625f}},
      {4,
       {14.896447f, 15.603553f, 16.5f, 16.967499f},
       {15.896447f, 16.603554f, 15.5f, 17.5f},
       {37, 40, 141, 35},
       {.4225f, -.05f, .6725f, -.75f}},
      {5,
       {14.896447f, 15.603553f, 16.5f, 16.709373f},
       {15.896447f, 16.603554f, 15.5f, 17.5f},
       {37, 40, 141, 23},
       {.36f, .59f, .61f, -.8125f}},
      {8,
       {14.896447f, 15.595881f, 16.5f, 15.942669f},
       {15.896447f, 16.582806f, 15.5f, 17.520748f},
       {37, 40, 141, 23},
       {.1725f, .4025f, .4225f, -1.0f}},
  };
  for (const After& after : table) {
    INFO("after " << after.world_steps << " world steps");
    Battle battle = example_a(after.world_steps);
    Env env = battle.instance.env();
    check_near(column(env.s.x, 4), after.x, 2e-6);
    check_near(column(env.s.y, 4), after.y, 2e-6);
    check_near(column(env.s.health, 4), after.health, 0);
    check_near(column(env.s.cooldown, 4), after.cooldown);
  }
}

TEST_CASE("worked example A, what is seen and paid", "[smax]") {
  Battle battle = example_a(8);
  Env env = battle.instance.env();
  check_near(battle.rewards, {0.201429f, 0.201429f});
  check_near(observation(env, 0),
             {0.5f,      0.077715f, 0.076262f, 0,         0, 1.0f, 0.682203f, 0, 0, 0, 0, 0, 1,  // ally_1
              0.94f,     0.178173f, -0.04405f, 0,         0, 1.0f, 0.491279f, 0, 0, 0, 1, 0, 0,  // enemy_0
              0.657143f, 0.116247f, 0.180478f, -1,        0, 0,    0,         0, 0, 0, 0, 1, 0,  // enemy_1
              0.822222f, 0.465514f, 0.496764f, 0.282787f, 1, 0,    0,         0, 0, 0});         // own
  check_near(observation(env, 2),
             {0.657143f, -0.061926f, 0.224528f, -1,        0, 0,         0,         0, 0, 0, 0, 1, 0,  // enemy_1
              0.5f,      -0.100458f, 0.120312f, 0,         0, 1.0f,      0.682203f, 0, 0, 0, 0, 0, 1,  // ally_1
              0.822222f, -0.178173f, 0.04405f,  0,         0, 0.833333f, 0.282787f, 1, 0, 0, 0, 0, 0,  // ally_0
              0.94f,     0.515625f,  0.484375f, 0.491279f, 0, 0,         0,         1, 0, 0});         // own
  Listed world;
  env.world_state(world);
  REQUIRE(world.row.size() == 48);
  check_near({world.row.begin(), world.row.begin() + 10},
             {0.822222f, 14.896447f, 15.896447f, 0.1725f, 1, 0, 0, 0, 0, 0}, 2e-6);
  check_near({world.row.begin() + 40, world.row.end()}, {0, 0, 1, 1, 0, 5, 3, 4});
}

TEST_CASE("worked example B: an enemy's death at the wall pays", "[smax]") {
  Battle battle(teams({kMarine, kStalker}, {kZealot, kHydralisk}));
  Env env = battle.env;
  battle.place(0, 14, 16);
  battle.place(1, 14.5f, 16.9f);
  battle.place(2, 16.5f, 16.25f);
  battle.place(3, 31.9f, 10);
  env.s.health[1] = 100;
  env.s.health[2] = 9;
  env.s.cooldown[1] = 0.1f;
  env.s.cooldown[2] = -0.3f;
  env.s.cooldown[3] = 0.2f;
  CHECK(battle.order({5, kEast, 6, kEast}));
  check_near(battle.rewards, {1.53f, 1.53f});
  CHECK(env.active(0));
  CHECK(env.active(1));
  check_near(column(env.s.health, 4), {45, 100, 0, 0}, 0);
  CHECK(env.s.x[3] == 32.0f);
  CHECK_THAT(env.s.x[1], WithinAbs(16.565002, 2e-6));
  CHECK_THAT(env.s.y[1], WithinAbs(16.9, 2e-6));
  Listed info;
  env.info(info);
  check_near(info.row, {1, 1}, 0);
}

// --- attacks

TEST_CASE("a weapon is ready again after its type's period", "[smax]") {
  struct Period {
    UnitType type;
    int shortest, plain, longest;  // world steps, for the least, no and the largest jitter
  };
  for (const Period& period : {Period{kMarine, 10, 11, 13},
                               {kMarauder, 18, 19, 21},
                               {kStalker, 30, 31, 33},
                               {kZealot, 14, 15, 17},
                               {kZergling, 8, 9, 11},
                               {kHydralisk, 10, 11, 13}}) {
    const float least = -1.0f / 16, most = std::nextafter(2.0f / 16, 0.0f);
    for (const auto& [jitter, steps] :
         {std::pair{least, period.shortest}, {0.0f, period.plain}, {most, period.longest}}) {
      INFO(kUnitTypes[period.type] << " with jitter " << jitter);
      Params p = teams({period.type}, {kMarauder});
      p.world_steps_per_env_step = 1;
      Battle battle(p);
      Env env = battle.env;
      battle.place(0, 10, 10);
      battle.place(1, 11.9f, 10);
      std::vector<int> fired;
      for (int step = 0; fired.size() < 3; ++step) {
        env.s.health[1] = 125;
        battle.order({5, kStop}, {jitter});
        if (env.s.health[1] < 125) fired.push_back(step);
      }
      CHECK(fired == std::vector<int>{0, steps, 2 * steps});
    }
  }
}

TEST_CASE("an attack needs range, a living target and a ready weapon", "[smax]") {
  Battle battle(teams({kMarine}, {kStalker, kStalker}));
  Env env = battle.env;
  battle.place(0, 10, 10);
  battle.place(2, 30, 30);
  const auto damage_at = [&](float x) {
    env.s.cooldown[0] = 0;
    env.s.health[1] = 160;
    battle.place(1, x, 10);
    battle.order({5, kStop, kStop});
    return 160 - env.s.health[1];
  };
  CHECK(damage_at(std::nextafter(15.0f, 0.0f)) == 9);
  CHECK(damage_at(15) == 0);  // closer than the range, not as far as it

  SECTION("a weapon that waits cools below zero, without a floor") {
    env.s.cooldown[0] = 0.3f;
    for (int step = 0; step < 4; ++step) battle.order({kStop, kStop, kStop});
    CHECK_THAT(env.s.cooldown[0], WithinAbs(0.3 - 4 * 0.5, 1e-6));
  }
  SECTION("the dead are not hit, and the weapon stays ready") {
    env.s.cooldown[0] = 0;
    env.s.health[1] = 0;
    battle.place(1, 12, 10);
    battle.order({5, kStop, kStop});
    CHECK(env.s.cooldown[0] == -0.5f);
    CHECK(env.s.health[1] == 0);
  }
  SECTION("who attacks stands still and fires again within the step") {
    Params p = teams({kZergling}, {kStalker});
    p.world_steps_per_env_step = 19;
    Battle long_step(p);
    long_step.place(0, 10, 10);
    long_step.place(1, 11.5f, 10);
    long_step.order({5, kStop});
    CHECK(long_step.env.s.health[1] == 160 - 3 * 5);  // in world steps 0, 9 and 18
    CHECK(long_step.env.s.x[0] == 10);
  }
}

TEST_CASE("all attacks of a world step are simultaneous", "[smax]") {
  Battle battle(teams({kMarine, kMarine}, {kMarine, kMarine}));
  Env env = battle.env;
  battle.place(0, 10, 10);
  battle.place(1, 10, 12);
  battle.place(2, 12, 10);
  battle.place(3, 12, 12);
  SECTION("several attackers add up, and health ends at zero") {
    env.s.health[2] = 10;
    battle.order({5, 5, kStop, kStop});
    CHECK(env.s.health[2] == 0);
    CHECK(env.s.health[3] == 45);
  }
  SECTION("two can kill each other; if everybody dies nobody has won") {
    for (int unit = 0; unit < 4; ++unit) env.s.health[unit] = 9;
    CHECK(battle.order({5, 6, 6, 5}));
    CHECK(column(env.s.health, 4) == std::vector<float>(4, 0.0f));
    check_near(battle.rewards, {0.2f, 0.2f});
    CHECK_FALSE(env.won());
  }
}

// --- moves and walls

TEST_CASE("moves go by velocity along the axes", "[smax]") {
  Battle battle(teams({kMarine, kStalker, kMarauder}, {kZergling, kZealot}));
  Env env = battle.env;
  const std::vector<float> x = column(env.s.x, 5), y = column(env.s.y, 5);
  battle.place(0, 16, 16);
  battle.order({kNorth, kEast, kStop, kEast, kNorth});
  CHECK_THAT(env.s.x[0], WithinAbs(16, 0));
  CHECK_THAT(env.s.y[0], WithinAbs(16 + 1.575, 1e-5));
  CHECK_THAT(env.s.x[1], WithinAbs(x[1] + 2.065, 1e-5));
  CHECK(env.s.x[2] == x[2]);
  CHECK(env.s.y[2] == y[2]);
  battle.order({kSouth, kWest, kStop, kWest, kSouth});
  CHECK_THAT(env.s.y[0], WithinAbs(16, 1e-5));
  CHECK_THAT(env.s.x[1], WithinAbs(x[1], 1e-5));
}

TEST_CASE("who reaches the border dies there, or stops", "[smax]") {
  struct Walk {
    float x, y;
    int action;
    float end_x, end_y;
  };
  for (const Walk& walk : {Walk{16, 31.5f, kNorth, 16, 32},
                           {31.5f, 16, kEast, 32, 16},
                           {16, 0.5f, kSouth, 16, 0},
                           {0.5f, 16, kWest, 0, 16}}) {
    for (bool deadly : {true, false}) {
      INFO("action " << walk.action << ", deadly " << deadly);
      Params p = teams({kMarine, kMarine}, {kMarine, kMarine});
      p.walls_cause_death = deadly;
      Battle battle(p);
      battle.place(0, 5, 5);
      battle.place(1, 8, 8);
      battle.place(2, walk.x, walk.y);
      battle.place(3, 11, 11);
      CHECK_FALSE(battle.order({kStop, kStop, walk.action, kStop}));
      CHECK(battle.env.alive(2) == !deadly);
      CHECK(battle.env.s.x[2] == walk.end_x);
      CHECK(battle.env.s.y[2] == walk.end_y);
      check_near(battle.rewards, std::vector<float>(2, deadly ? 0.5f : 0.0f), 0);
    }
  }
}

TEST_CASE("actions outside the range are stops, for both teams", "[smax]") {
  Battle battle(teams({kMarine}, {kMarine, kMarine, kMarine}));
  Env env = battle.env;
  for (int bad : {-1, -2147483647, 8, 255, 256, 261, 2147483647}) {
    const float x = env.s.x[0], y = env.s.y[0];
    battle.order({bad, 6, -1, 300});
    for (int unit = 0; unit < 4; ++unit) CHECK(env.s.action[unit] == kStop);
    CHECK(env.s.x[0] == x);
    CHECK(env.s.y[0] == y);
  }
  battle.order({7, 5, kWest, kStop});
  CHECK(env.s.action[0] == 7);
  CHECK(env.s.action[1] == 5);
}

// --- pushes

TEST_CASE("overlapping units push each other apart, once and all at once", "[smax]") {
  Params p = teams({kStalker, kMarine, kZealot}, {kMarine});
  p.world_steps_per_env_step = 1;
  Battle battle(p);
  Env env = battle.env;
  battle.place(3, 30, 30);
  const auto part = [](double d, double radii) { return 0.5 * d * (radii / (d + 1e-6) - 1); };
  SECTION("a pair shares the overlap") {
    battle.place(0, 10, 10);
    battle.place(1, 10.4f, 10);
    battle.place(2, 20, 20);
    battle.order({kStop, kStop, kStop, kStop});
    CHECK_THAT(env.s.x[0], WithinAbs(10 - part(0.4, 1.0), 2e-6));
    CHECK_THAT(env.s.x[1], WithinAbs(10.4 + part(0.4, 1.0), 2e-6));
    CHECK(env.s.y[0] == 10);
  }
  SECTION("of three, each feels both others where they were") {
    battle.place(0, 10, 10);
    battle.place(1, 10.5f, 10);
    battle.place(2, 11.1f, 10);
    battle.order({kStop, kStop, kStop, kStop});
    CHECK_THAT(env.s.x[0], WithinAbs(10 - part(0.5, 1.0) - part(1.1, 1.125), 2e-6));
    CHECK_THAT(env.s.x[1], WithinAbs(10.5 + part(0.5, 1.0) - part(0.6, 0.875), 2e-6));
    CHECK_THAT(env.s.x[2], WithinAbs(11.1 + part(1.1, 1.125) + part(0.6, 0.875), 2e-6));
  }
  SECTION("two on the same point stay there") {
    battle.place(0, 10, 10);
    battle.place(1, 10, 10);
    battle.place(2, 20, 20);
    battle.order({kStop, kStop, kStop, kStop});
    CHECK(env.s.x[0] == 10);
    CHECK(env.s.x[1] == 10);
  }
  SECTION("the dead neither push nor are pushed") {
    battle.place(0, 10, 10);
    battle.place(1, 10.4f, 10);
    battle.place(2, 20, 20);
    env.s.health[1] = 0;
    battle.order({kStop, kNorth, kStop, kStop});
    CHECK(env.s.x[0] == 10);
    CHECK(env.s.x[1] == 10.4f);
    CHECK(env.s.y[1] == 10);
  }
  SECTION("who is pushed over the border dies in the next world step") {
    battle.place(0, 31.6f, 16);
    battle.place(1, 31.9f, 16);
    battle.place(2, 20, 20);
    battle.order({kStop, kStop, kStop, kStop});
    CHECK(env.s.x[1] > 32);
    CHECK(env.alive(1));
    CHECK(observation(env, 1).at(13 * 3 + 1) > 1);
    battle.order({kStop, kStop, kStop, kStop});
    CHECK(env.s.x[1] == 32);
    CHECK_FALSE(env.alive(1));
  }
}

// --- the dead

TEST_CASE("the dead do nothing, see nothing, may only stop, and are paid", "[smax]") {
  Battle battle(teams({kMarine, kMarine}, {kMarine, kStalker}));
  Env env = battle.env;
  battle.place(0, 10, 10);
  battle.place(1, 12, 10);
  battle.place(2, 13, 10);
  battle.place(3, 30, 30);
  env.s.health[0] = 0;
  env.s.cooldown[0] = 0.25f;
  CHECK_FALSE(battle.order({5, 5, kStop, kStop}));
  CHECK(env.s.health[2] == 45 - 9);
  CHECK(env.s.cooldown[0] == -0.25f);
  check_near(battle.rewards, {0.1f, 0.1f});
  CHECK_FALSE(env.active(0));
  CHECK(env.active(1));
  CHECK(observation(env, 0) == std::vector<float>(13 * 3 + 10, 0.0f));
  CHECK(mask(env, 0) == std::vector<float>{0, 0, 0, 0, 1, 0, 0});
  const std::vector<float> seen = observation(env, 1);
  CHECK(std::vector<float>(seen.begin(), seen.begin() + 13) == std::vector<float>(13, 0.0f));
  Listed world;
  env.world_state(world);
  CHECK(std::vector<float>(world.row.begin(), world.row.begin() + 10) == std::vector<float>(10, 0.0f));
  CHECK(world.row.back() == float{kStalker});  // the list of types keeps the dead
}

// --- rewards

TEST_CASE("the reward is the mean share of health that the enemies lost, and a bonus for the win", "[smax]") {
  Params p = teams({kHydralisk, kMarine}, {kZealot, kZergling, kStalker});
  p.won_battle_bonus = 5;
  Battle battle(p);
  Env env = battle.env;
  battle.place(0, 10, 10);
  battle.place(1, 10, 12);
  battle.place(2, 12, 10);
  battle.place(3, 12, 12);
  battle.place(4, 12, 14);
  battle.order({5, 7, kStop, kStop, kStop});
  check_near(battle.rewards, std::vector<float>(2, (12 / 150.0f + 9 / 160.0f) / 3));
  env.s.health[0] = 0;
  env.s.health[2] = env.s.health[3] = 0;
  env.s.health[4] = 3;
  env.s.cooldown[1] = 0;
  CHECK(battle.order({kStop, 7, kStop, kStop, kStop}));
  check_near(battle.rewards, std::vector<float>(2, 3 / 160.0f / 3 + 5));
  CHECK(env.won());
}

TEST_CASE("losing all allies ends the episode without a bonus or a penalty", "[smax]") {
  Battle battle(teams({kMarine}, {kMarine}));
  battle.place(0, 10, 10);
  battle.place(1, 12, 10);
  battle.env.s.health[0] = 5;
  CHECK(battle.order({kStop, 5}));
  check_near(battle.rewards, {0}, 0);
  CHECK_FALSE(battle.env.won());
}

}  // namespace throng::smax
