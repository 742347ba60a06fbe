// The rules of the drones: recorded steps of the three tasks, crashes, targets.
#include "envs/drones/drones.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "tests/envs/played.hpp"

namespace throng::drones {
namespace {

using Catch::Matchers::WithinAbs;

const std::vector<std::vector<float>> kSteps = {
    {1, 0, 0, 0, 1, 0, 0, 0, 1, -1, -1, -1},
    {.5f, .5f, .5f, .5f, .5f, .5f, .5f, .5f, .5f, .5f, .5f, .5f},
    {-.3f, .2f, .1f, .9f, -.9f, .4f, -1, 1, .25f, .6f, .6f, -.6f},
};
const std::vector<float> kStill(12, 0.0f);

void check_target(const Env& env, const std::vector<float>& want, double tolerance = 1e-5) {
  check_near({env.s.target[0], env.s.target[1], env.s.target[2]}, want, tolerance);
}

}  // namespace

TEST_CASE("the first steps of surround, of escort and of catch", "[drones]") {
  Played<Env> surround(params_of<Env>("drones/surround"));
  const std::vector<std::vector<float>> rewards = {
      {0.0892445f, 1.6326867f, -0.0132746f, 1.1670849f, 0.1626537f, 1.3628120f, 0.0194950f, 1.8154627f},
      {0.1667613f, 1.6326867f, 0.0780046f, 1.1670849f, 0.1367923f, 1.3628120f, -0.0024470f, 1.8154627f},
      {0.0106654f, 1.7573130f, 0.0805745f, 1.3547293f, -0.1160838f, 1.6476227f, -0.2003114f, 2.0511539f},
  };
  for (int t = 0; t < 3; ++t) {
    CHECK_FALSE(surround.fly(kSteps[t]));
    check_near(surround.rewards, rewards[t], 1e-5);
    check_target(surround.env, {1, 1, 2.5f}, 0);
  }
  const std::vector<float> positions = {.24f, .14f, 1.12f, 1.28f, 1.12f, 1.18f, -.1f, 1.3f, 1.35f, 2.02f, 2.02f, .78f};
  for (int i = 0; i < 4; ++i) {
    const Vector3 at = surround.env.drone(i);
    check_near({at.x, at.y, at.z}, {positions[3 * i], positions[3 * i + 1], positions[3 * i + 2]}, 1e-5);
  }

  Played<Env> escort(params_of<Env>("drones/escort")), chase(params_of<Env>("drones/catch"));
  for (const auto& actions : kSteps) CHECK_FALSE((escort.fly(actions) || chase.fly(actions)));
  check_near(escort.rewards,
             {0.0127469f, 1.7573130f, 0.0782961f, 1.3547293f, -0.1182295f, 1.6476227f, -0.2028545f, 2.0511539f}, 1e-5);
  check_target(escort.env, {0.8269231f, 0.8269231f, 2.5288463f});
  check_near(chase.rewards,
             {0.0107527f, 1.7573130f, 0.0846451f, 1.3547293f, -0.1026100f, 1.6476227f, -0.1964438f, 2.0511539f}, 1e-5);
  check_target(chase.env, {1.0442330f, 0.9937920f, 2.7964380f});
}

TEST_CASE("who comes too close is fined, the others are not, and all is over", "[drones]") {
  Played<Env> game(params_of<Env>("drones/surround"));
  const std::vector<float> actions = {0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  for (int t = 1; t <= 4; ++t) CHECK_FALSE(game.fly(actions));
  CHECK(game.fly(actions));
  CHECK(game.reward(0) == std::vector<float>{-10, -10});
  CHECK(game.reward(2) == std::vector<float>{-10, -10});
  CHECK(game.reward(1)[kApproach] == 0);
  CHECK(game.reward(1)[kSpread] > 0);
  CHECK(game.info() == std::vector<float>{1});
}

TEST_CASE("the ground and the target are too close, too", "[drones]") {
  Played<Env> ground(params_of<Env>("drones/surround"));
  for (int t = 1; t <= 4; ++t) CHECK_FALSE(ground.fly({0, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  CHECK(ground.fly({0, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  CHECK(ground.reward(0)[kApproach] == kCrash);
  CHECK(ground.env.s.z[0] >= 0);

  Played<Env> target(params_of<Env>("drones/surround"));
  for (int t = 1; t <= 6; ++t) CHECK_FALSE(target.fly({0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}));
  CHECK_FALSE(target.fly({0, 0, 0, 0, 0, .9f, 0, 0, 0, 0, 0, 0}));  // from 2.2 to 2.38
  CHECK(target.fly({0, 0, 0, 0, 0, .5f, 0, 0, 0, 0, 0, 0}));        // and to 2.48
  CHECK(target.reward(1)[kSpread] == kCrash);
}

TEST_CASE("nobody leaves the room, and actions are clipped or not", "[drones]") {
  for (const uint8_t semantics : {common::kFixed, common::kMomaland}) {
    Params p = params_of<Env>("drones/surround");
    p.semantics = semantics;
    Played<Env> game(p);
    CHECK_FALSE(game.fly({-3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
    check_near({game.env.s.x[0]}, {semantics == common::kFixed ? -0.2f : -0.6f});
    for (int t = 0; t < 30; ++t) game.fly({-1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1});
    CHECK(game.env.s.x[0] == -3);
    CHECK((game.env.s.x[3] == 3 && game.env.s.y[3] == 3 && game.env.s.z[3] == 3));
  }
}

TEST_CASE("a travelling target stops before the end", "[drones]") {
  Played<Env> game(params_of<Env>("drones/escort"));
  for (int t = 0; t < 60; ++t) game.fly(kStill);
  check_target(game.env, {-1.942308f, -1.942308f, 2.990385f});
}

TEST_CASE("a target in the middle of the swarm hesitates", "[drones]") {
  for (const uint8_t semantics : {common::kFixed, common::kMomaland}) {
    Params p = params_of<Env>("drones/catch");
    p.semantics = semantics;
    Played<Env> game(p);
    int backwards = 0;
    for (uint64_t trial = 0; trial < 100; ++trial) {
      game.env.place_target({0.75f, 1, 1});  // the mean of the starts
      game.env.reset(Rng{});
      game.env.place_target({0.75f, 1, 1});
      game.fly(kStill, Rng{key(trial)});
      const Vector3 moved = game.env.target_now() - Vector3{0.75f, 1, 1};
      for (float step : {moved.x, moved.y, moved.z}) {
        CHECK(std::abs(step) <= 0.01f + 1e-6f);
        backwards += step < 0;
      }
    }
    CHECK((semantics == common::kFixed ? backwards > 100 && backwards < 200 : backwards == 0));
  }
}

TEST_CASE("standing still plays to the time limit", "[drones]") {
  BatchOptions options;
  const auto env = make("drones/surround", open_device("cpu"), options, {});
  env->reset(1);
  for (int t = 1; t <= 200; ++t) {
    env->step(env->actions());  // zeros
    CHECK(download(env->device(), env->outcomes().truncated, 4)[0] == (t == 200));
    CHECK(download(env->device(), env->outcomes().terminated, 4)[0] == 0);
  }
}

TEST_CASE("drones see themselves, the target, the others", "[drones]") {
  Played<Env> game(params_of<Env>("drones/surround"));
  CHECK(game.observation(2) == std::vector<float>{0, 1, 1, 1, 1, 2.5f, 0, 0, 1, 1, 1, 1, 2, 2, 1});
  CHECK_THROWS_AS(params_of<Env>("drones/surround", {{"start", {0, 0, 1, 1}}}), Error);
  CHECK_THROWS_AS(params_of<Env>("drones/surround", {{"target", {0, 0}}}), Error);
}

}  // namespace throng::drones
