// The built-in players of the fighting game: what they know, and that the ladder is one.
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "core/config.hpp"
#include "core/instance.hpp"
#include "envs/fighting/fighting.hpp"

using namespace throng;
using namespace throng::fighting;

namespace {

Params seats(const char* player, const char* opponent, nlohmann::json more = nlohmann::json::object()) {
  nlohmann::json config = {{"player", player}, {"opponent", opponent}, {"side", "random"}, {"episode", "round"}};
  config.update(more);
  Params p;
  read_config(p, config, "fighting");
  p.check();
  return p;
}

// The share of rounds that the player wins; draws are halves.
double share_of_wins(const Params& p, int rounds) {
  HostInstance<Env> instance(p);
  Env env = instance.env();
  const int32_t actions[] = {0, 0};
  float rewards[] = {0, 0};
  double wins = 0;
  for (int round = 0; round < rounds; ++round) {
    const Key key_of_round = fold_in(key(11), static_cast<uint32_t>(round));
    env.reset(Rng{fold_in(key_of_round, 0)});
    for (uint32_t t = 1;; ++t) {
      if (env.step(Actions{actions}, Rewards{rewards, 1}, Rng{fold_in(key_of_round, t)})) break;
    }
    const auto result = static_cast<Result>(env.s.match_result[0]);
    wins += 0.5 + 0.5 * env.score_of(0, result);
  }
  return wins / rounds;
}

}  // namespace

TEST_CASE("a glance packs what a bot sees") {
  Fighter f = {};
  f.x = 370 * kPixel + 3, f.y = 88 * kPixel, f.state = kCrush, f.move = kRV, f.frame = 254;
  const Glance g = unpacked(glance_of(f));
  CHECK(g.x == f.x);
  CHECK(g.y == f.y);
  CHECK(g.state == kCrush);
  CHECK(g.move == kRV);
  CHECK(g.frame == 254);
}

TEST_CASE("a bot sees its opponent as it was, exactly that many frames ago") {
  HostInstance<Env> instance(seats("agent", "level_8"));
  Env env = instance.env();
  env.reset(Rng{key(1)});
  const int seat = env.seat_of(0);
  std::vector<int> x = {env.s.load().fighter[seat].x};
  float rewards[2];
  for (uint32_t t = 1; t <= 6; ++t) {
    const int32_t forward[] = {kForward};
    env.step(Actions{forward}, Rewards{rewards, 1}, Rng{fold_in(key(1), t)});
    x.push_back(env.s.load().fighter[seat].x);
  }
  for (int steps = 0; steps <= 5; ++steps) CHECK(glance_back(env.s, seat, 4 * steps).x == x[x.size() - 1 - steps]);
}

TEST_CASE("the planner hits who stands in reach, and answers what it is shown") {
  HostInstance<Env> instance(seats("difficulty_12", "crouch_block", {{"start_health", 100}}));
  Env env = instance.env();
  env.reset(Rng{key(2)});
  const int32_t actions[] = {0, 0};
  float rewards[2];
  int steps = 0;
  while (env.s.dealt[env.seat_of(0)] == 0 && steps < 200) {
    env.step(Actions{actions}, Rewards{rewards, 1}, Rng{fold_in(key(2), static_cast<uint32_t>(++steps))});
  }
  CHECK(steps < 100);
}

TEST_CASE("the ladder rises, and to do nothing but block or to press at random is no way up") {
  CHECK(share_of_wins(seats("difficulty_6", "difficulty_2"), 60) > 0.7);
  CHECK(share_of_wins(seats("difficulty_9", "difficulty_6"), 60) > 0.6);
  CHECK(share_of_wins(seats("difficulty_12", "difficulty_6"), 40) > 0.75);
  CHECK(share_of_wins(seats("random", "difficulty_6"), 60) < 0.15);
  CHECK(share_of_wins(seats("crouch_block", "difficulty_4"), 40) < 0.05);
}

TEST_CASE("sides do not matter") {
  const double share =
      share_of_wins(seats("level_8", "level_8", {{"side", "left"}, {"opponent_fighter", "same"}}), 400);
  CHECK(share > 0.42);
  CHECK(share < 0.58);
}
