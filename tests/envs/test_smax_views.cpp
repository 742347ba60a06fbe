// What SMAX shows and accepts: masks, observations, sizes and parameters.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "tests/envs/smax_battle.hpp"

namespace throng::smax {

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::WithinAbs;

// --- slots, masks and views

TEST_CASE("slots ascend for allies and descend for enemies, in masks, actions and observations", "[smax]") {
  Battle battle(teams({kMarine, kStalker}, {kZealot, kZergling, kHydralisk}));
  Env env = battle.env;
  battle.place(0, 10, 10);
  battle.place(1, 10, 14);
  battle.place(2, 14, 10);
  battle.place(3, 10, 15.5f);
  battle.place(4, 24, 24);
  CHECK(mask(env, 0) == std::vector<float>{1, 1, 1, 1, 1, 1, 0, 0});
  CHECK(mask(env, 1) == std::vector<float>{1, 1, 1, 1, 1, 1, 1, 0});
  CHECK(mask(env, 3) == std::vector<float>{1, 1, 1, 1, 1, 1, 0});  // slot 0 is ally 1
  CHECK(mask(env, 4) == std::vector<float>{1, 1, 1, 1, 1, 0, 0});
  env.s.cooldown[0] = 3;  // an attack while the weapon cools is legal: it waits
  CHECK(mask(env, 0)[5] == 1);
  battle.order({5, 6, kStop, 5, kStop});
  CHECK(env.s.health[3] == 35 - 13);
  CHECK(env.s.health[1] == 160 - 5);

  // The types in the order in which they are seen.
  const auto types_seen = [&](int unit) {
    for (int i = 0; i < 5; ++i) battle.place(i, 16 + 0.1f * static_cast<float>(i), 16);
    const std::vector<float> seen = observation(env, unit);
    std::vector<int> types;
    for (int block = 0; block < 4; ++block) {
      for (int type = 0; type < kNumTypes; ++type) {
        if (seen[13 * block + 7 + type] == 1) types.push_back(type);
      }
    }
    return types;
  };
  CHECK(types_seen(1) == std::vector<int>{kMarine, kZealot, kZergling, kHydralisk});
  CHECK(types_seen(3) == std::vector<int>{kHydralisk, kZealot, kStalker, kMarine});
}

TEST_CASE("sight is the observer's, and the plans of opponents can be hidden", "[smax]") {
  Params p = teams({kMarine, kMarine}, {kStalker});
  p.see_enemy_actions = false;
  Battle battle(p);
  Env env = battle.env;
  battle.place(0, 10, 10);
  battle.place(1, 10, 12);
  battle.place(2, 19.5f, 10);
  battle.order({kNorth, kSouth, kStop});
  battle.place(0, 10, 10);
  env.s.cooldown[2] = 1;
  env.s.action[2] = kNorth;
  CHECK(observation(env, 0)[13] == 0);     // the marine sees 9 far
  CHECK(observation(env, 2)[13] == 1.0f);  // the stalker 10
  battle.place(2, 15, 10);
  const std::vector<float> seen = observation(env, 0);
  CHECK(seen[4] == -1);  // the team-mate's move
  CHECK(seen[13] == 1);
  CHECK(seen[13 + 4] == 0);
  CHECK(seen[13 + 5] == 0);
  CHECK_THAT(seen[13 + 6], WithinAbs(1 / 1.87, 1e-6));
}

TEST_CASE("sizes follow from the numbers of units", "[smax]") {
  struct Size {
    int allies, enemies, actions, obs, world_state;
  };
  for (const Size& size : {Size{3, 3, 8, 75, 72},
                           {8, 8, 13, 205, 192},
                           {25, 25, 30, 647, 600},
                           {5, 5, 10, 127, 120},
                           {5, 6, 11, 140, 132},
                           {10, 11, 16, 270, 252},
                           {27, 30, 35, 738, 684},
                           {8, 9, 14, 218, 204},
                           {3, 5, 10, 101, 96},
                           {6, 8, 13, 179, 168},
                           {10, 10, 15, 257, 240},
                           {20, 20, 25, 517, 480},
                           {1, 1, 6, 23, 24},
                           {64, 64, 69, 1661, 1536}}) {
    Params p;
    p.ally_units.size = size.allies;
    p.enemy_units.size = size.enemies;
    Battle battle(p);
    const Spec spec = Env::spec(battle.env.p);
    CHECK(spec.num_agents == size.allies);
    CHECK(spec.num_actions == size.actions);
    CHECK(spec.time_limit == 101);
    CHECK(spec.lanes == size.allies + size.enemies);
    Listed world;
    battle.env.world_state(world);
    CHECK(observation(battle.env, 0).size() == size_t(size.obs));
    CHECK(world.row.size() == size_t(size.world_state));
    CHECK(mask(battle.env, 0).size() == size_t(size.actions));
  }
  CHECK(Env::agent_name(Params{}, 2) == "ally_2");
}

// --- parameters

TEST_CASE("squared ranges decide exactly as roots do", "[smax]") {
  Params p;
  for (float range : {0.3f, 1.7f, 5.0f, 6.1f, 9.99f, 77.7f}) {
    p.attack_range = {6, {range, range, range, range, range, range}};
    p.check();
    float d2 = range * range;
    for (int i = 0; i < 50; ++i) d2 = std::nextafter(d2, 0.0f);
    for (int i = 0; i < 100; ++i, d2 = std::nextafter(d2, INFINITY)) {
      CHECK((d2 < p.derived.attack_range2[0]) == (std::sqrt(d2) < range));
    }
  }
}

TEST_CASE("parameters that cannot be played are refused by name", "[smax]") {
  const auto refusal = [](auto change) {
    Params p;
    change(p);
    try {
      p.check();
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK(refusal([](Params&) {}) == "accepted");
  CHECK(refusal([](Params& p) { p.enemy_units.size = 0; }) == "smax: enemy_units has 0 units; valid: 1 to 64");
  CHECK(refusal([](Params& p) { p.map_width = 2; }) == "smax: map_width is 2; valid: 8 to 10000");
  CHECK(refusal([](Params& p) { p.map_height = NAN; }) == "smax: map_height is nan; valid: 8 to 10000");
  CHECK(refusal([](Params& p) { p.radius[kZealot] = -1; }) == "smax: radius of zealot is -1; valid: 0.001 to 1000");
  CHECK(refusal([](Params& p) { p.damage.size = 5; }) ==
        "smax: damage has 5 values; valid: 6, one for each type of unit");
  for (auto change : std::initializer_list<void (*)(Params&)>{
           [](Params& p) { p.time_per_step = 0; }, [](Params& p) { p.world_steps_per_env_step = 0; },
           [](Params& p) { p.max_steps = -1; }, [](Params& p) { p.won_battle_bonus = INFINITY; },
           [](Params& p) { p.velocity[0] = -1; }, [](Params& p) { p.attack_range[0] = 0; },
           [](Params& p) { p.sight_range[0] = 0; }, [](Params& p) { p.max_health[0] = 0; },
           [](Params& p) { p.weapon_cooldown[0] = 0; }}) {
    CHECK_THAT(refusal(change), ContainsSubstring("valid: "));
  }
}

TEST_CASE("parameters are written in JSON with the names of units", "[smax]") {
  Params p;
  read_config(p, nlohmann::json::parse(R"({"ally_units": ["stalker", "zealot"], "attack_mode": "random",
                                          "max_health": [45, 125, 200, 150, 35, 80]})"),
              "smax");
  CHECK(p.ally_units.size == 2);
  CHECK(p.ally_units[0] == kStalker);
  CHECK(p.enemy_units.size == 5);
  CHECK(p.attack_mode == kRandom);
  CHECK(p.max_health[kStalker] == 200);
  CHECK_THROWS_AS(read_config(p, nlohmann::json::parse(R"({"ally_units": ["mariner"]})"), "smax"), Error);
  CHECK(sizeof(Params) < 3072);
}

}  // namespace throng::smax
