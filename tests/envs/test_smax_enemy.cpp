// The scripted enemy of SMAX: whom it attacks, where it walks, what it remembers.
#include <catch2/catch_test_macros.hpp>

#include "tests/envs/smax_battle.hpp"

namespace throng::smax {

TEST_CASE("an enemy that sees nobody walks to where the map mirrors its first place", "[smax]") {
  Battle battle(teams({kMarine}, {kMarine}));
  Env env = battle.env;
  battle.place(0, 3, 3);
  battle.place(1, 28, 20);
  battle.step({kStop});
  CHECK(env.s.goal_x[0] == 4);
  CHECK(env.s.goal_y[0] == 12);
  CHECK(env.s.action[1] == kWest);
  CHECK(env.s.last_slot[0] == kNoSlot);
  battle.place(1, 4.5f, 30);
  battle.step({kStop});
  CHECK(env.s.goal_x[0] == 4);  // decided once
  CHECK(env.s.action[1] == kSouth);
  battle.place(1, 4, 13);  // the ally is 10.05 away, out of sight
  battle.step({kStop});
  CHECK(env.s.action[1] == kSouth);
}

TEST_CASE("the first direction wins among equals", "[smax]") {
  CHECK(move_towards(0, 0) == kNorth);
  CHECK(move_towards(1, 1) == kNorth);
  CHECK(move_towards(1, -1) == kEast);
  CHECK(move_towards(-1, -1) == kSouth);
  CHECK(move_towards(-1, 0.5f) == kWest);
}

TEST_CASE("an enemy walks towards one of the allies it sees", "[smax]") {
  Battle battle(teams({kMarine, kMarine, kMarine}, {kMarine}));
  Env env = battle.env;
  battle.place(0, 16, 23);
  battle.place(1, 30, 30);
  battle.place(2, 9, 16);
  battle.place(3, 16, 16);
  battle.step({kStop, kStop, kStop}, {0, 0});
  CHECK(env.s.action[3] == kWest);  // the first in the order of slots is ally 2
  battle.place(3, 16, 16);
  battle.step({kStop, kStop, kStop}, {0, 1});
  CHECK(env.s.action[3] == kNorth);
}

TEST_CASE("an enemy attacks the closest ally in range, the lowest slot among equals", "[smax]") {
  Battle battle(teams({kMarine, kMarine, kMarine}, {kMarine}));
  Env env = battle.env;
  battle.place(0, 16, 19);
  battle.place(1, 16, 12);
  battle.place(2, 20, 16);
  battle.place(3, 16, 16);
  battle.step({kStop, kStop, kStop});
  CHECK(env.s.action[3] == 5 + 2);  // ally 0, 3 away
  env.s.last_slot[0] = kNoSlot;
  env.s.health[0] = 0;
  battle.step({kStop, kStop, kStop});
  CHECK(env.s.action[3] == 5 + 0);  // allies 1 and 2 are both 4 away; slot 0 is ally 2

  SECTION("and keeps to it while it can") {
    battle.place(1, 16, 14);
    battle.step({kStop, kStop, kStop});
    CHECK(env.s.action[3] == 5 + 0);
    CHECK(env.s.last_slot[0] == 0);
    battle.place(2, 21.5f, 16);
    battle.step({kStop, kStop, kStop});
    CHECK(env.s.action[3] == 5 + 1);
    CHECK(env.s.last_slot[0] == 1);
  }
  SECTION("and forgets it with nobody in range") {
    battle.place(1, 16, 22);
    battle.place(2, 30, 2);
    battle.step({kStop, kStop, kStop});
    CHECK(env.s.action[3] == kNorth);
    CHECK(env.s.last_slot[0] == kNoSlot);
  }
}

TEST_CASE("in random mode any ally in range is the target, until it cannot be", "[smax]") {
  Params p = teams({kMarine, kMarine, kMarine}, {kMarine});
  p.attack_mode = kRandom;
  Battle battle(p);
  Env env = battle.env;
  battle.place(0, 16, 19);
  battle.place(1, 30, 30);
  battle.place(2, 18, 16);
  battle.place(3, 16, 16);
  battle.step({kStop, kStop, kStop}, {0, 1});
  CHECK(env.s.action[3] == 5 + 2);  // the second in range is ally 0, in slot 2
  battle.step({kStop, kStop, kStop}, {0, 0});
  CHECK(env.s.action[3] == 5 + 2);
  env.s.health[0] = 0;
  battle.step({kStop, kStop, kStop}, {0, 0});
  CHECK(env.s.action[3] == 5 + 0);
}

TEST_CASE("enemies that do not shoot still move and remember", "[smax]") {
  Params p = teams({kMarine}, {kMarine});
  p.enemy_shoots = false;
  Battle battle(p);
  battle.place(0, 16, 19);
  battle.place(1, 16, 16);
  battle.step({kStop});
  CHECK(battle.env.s.action[1] == kNorth);
  CHECK(battle.env.s.last_slot[0] == 0);
  CHECK(battle.env.s.health[0] == 45);
}

TEST_CASE("an enemy that cannot see as far as it shoots attacks what it sees", "[smax]") {
  Params p = teams({kMarine}, {kMarine});
  p.sight_range[kMarine] = 3;
  Battle battle(p);
  battle.place(0, 16, 20);
  battle.place(1, 16, 16);
  battle.step({kStop});
  CHECK(battle.env.s.action[1] < kStop);
  CHECK(mask(battle.env, 0)[5] == 1);  // the mask knows nothing of sight
}

}  // namespace throng::smax
