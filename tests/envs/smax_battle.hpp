// A battle of SMAX whose units are placed and ordered by hand: what the tests of its rules share.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <initializer_list>
#include <vector>

#include "core/instance.hpp"
#include "envs/smax/smax.hpp"

namespace throng::smax {

// Chance that always answers the same.
struct Fixed {
  float jitter = 0;  // seconds
  int choice = 0;
  float cooldown_jitter(int, int, float, float) const { return jitter; }
  int goal(int, int count) const { return choice < count ? choice : count - 1; }
  int target(int, int count) const { return choice < count ? choice : count - 1; }
};

inline Params teams(std::initializer_list<UnitType> allies, std::initializer_list<UnitType> enemies) {
  Params p;
  p.ally_units.size = p.enemy_units.size = 0;
  for (UnitType type : allies) p.ally_units.push_back(type);
  for (UnitType type : enemies) p.enemy_units.push_back(type);
  return p;
}

inline Params checked(Params p) {
  p.check();
  return p;
}

// A battle whose units are placed by hand; they begin far from each other.
struct Battle {
  HostInstance<Env> instance;
  Env env;
  std::vector<float> rewards;

  explicit Battle(const Params& params)
      : instance(checked(params)), env(instance.env()), rewards(env.p.num_agents() * objectives(), 7.0f) {
    env.reset(Rng{key(1)});
    for (int unit = 0; unit < env.p.num_units(); ++unit) place(unit, 1 + 10 * (unit % 4), 1 + 10 * (unit / 4));
  }

  int objectives() const { return Env::spec(env.p).num_objectives; }
  void place(int unit, float x, float y) {
    env.s.x[unit] = x;
    env.s.y[unit] = y;
  }
  // Every unit is told what to do, allies first.
  bool order(std::vector<int> actions, Fixed draws = {}) {
    return env.play([&](int unit) { return actions.at(unit); }, Rewards{rewards.data(), objectives()}, draws);
  }
  // Allies are told, the enemies decide.
  bool step(std::vector<int32_t> actions, Fixed draws = {}) {
    return env.step_with(Actions{actions.data()}, Rewards{rewards.data(), objectives()}, draws);
  }
};

struct Listed {
  std::vector<float> row;
  void operator()(float value) { row.push_back(value); }
};

inline std::vector<float> observation(const Env& env, int unit) {
  Listed out;
  env.observe_unit(unit, out);
  return out.row;
}

inline std::vector<float> mask(const Env& env, int unit) {
  Listed out;
  env.avail_unit(unit, out);
  return out.row;
}

inline void check_near(const std::vector<float>& got, const std::vector<float>& want, double tolerance = 1e-6) {
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    INFO("element " << i);
    CHECK_THAT(got[i], Catch::Matchers::WithinAbs(want[i], tolerance));
  }
}

inline std::vector<float> column(const Field<float>& field, int count) {
  std::vector<float> values;
  for (int i = 0; i < count; ++i) values.push_back(field[i]);
  return values;
}

}  // namespace throng::smax
