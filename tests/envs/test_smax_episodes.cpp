// SMAX over whole episodes: how they begin, what can be seen in them, and how they go on average.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/instance.hpp"
#include "envs/smax/smax.hpp"

namespace throng::smax {
namespace {

using Catch::Matchers::WithinAbs;

Params battle(int allies, UnitType ally, int enemies, UnitType enemy) {
  Params p;
  p.ally_units.size = p.enemy_units.size = 0;
  for (int i = 0; i < allies; ++i) p.ally_units.push_back(ally);
  for (int i = 0; i < enemies; ++i) p.enemy_units.push_back(enemy);
  p.check();
  return p;
}

Params smacv2(int allies, int enemies) {
  Params p = battle(allies, kMarine, enemies, kMarine);
  p.smacv2_position_generation = p.smacv2_unit_type_generation = true;
  p.check();
  return p;
}

Rng stream(uint32_t episode, uint32_t step) { return {fold_in(fold_in(key(7), episode), step)}; }

// Collects a mean and how far it may be from the truth.
struct Mean {
  double n = 0, sum = 0, squares = 0;
  void add(double value) { n += 1, sum += value, squares += value * value; }
  double mean() const { return sum / n; }
  double deviation() const { return std::sqrt(std::max(0.0, squares / n - mean() * mean())); }
  double error() const { return deviation() / std::sqrt(n); }
};

// A uniformly random legal action of every ally; moves only, if `moves_only`.
void random_actions(const Env& env, Rng rng, std::vector<int32_t>& actions) {
  struct Mask {
    std::vector<int> legal;
    int action = 0;
    void operator()(bool allowed) {
      if (allowed) legal.push_back(action);
      ++action;
    }
  };
  for (int agent = 0; agent < env.p.num_allies(); ++agent) {
    Mask mask;
    env.avail(agent, mask);
    actions[agent] = mask.legal[rng.below(agent, static_cast<int>(mask.legal.size()))];
  }
}

// Plays an episode with random allies; `look(env)` is called with every state. Returns the return and the length.
template <class Look>
std::pair<double, int> play(Env env, uint32_t episode, Look look) {
  std::vector<int32_t> actions(env.p.num_allies());
  std::vector<float> rewards(env.p.num_allies());
  env.reset(stream(episode, 0));
  look(env);
  double total = 0;
  for (int step = 1;; ++step) {
    random_actions(env, Rng{fold_in(key(9), episode)}.at(step), actions);
    const bool terminated = env.step(Actions{actions.data()}, Rewards{rewards.data(), 1}, stream(episode, step));
    total += rewards[0];
    look(env);
    if (terminated || step == Env::spec(env.p).time_limit) return {total, step};
  }
}

struct Range {
  float low = INFINITY, high = -INFINITY;
  void operator()(float value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

}  // namespace

// --- how episodes begin

TEST_CASE("a new episode forgets the last one", "[smax]") {
  HostInstance<Env> instance(battle(2, kMarine, 2, kStalker));
  Env env = instance.env();
  play(env, 1, [](const Env&) {});
  env.reset(stream(2, 0));
  for (int unit = 0; unit < 4; ++unit) {
    CHECK(env.s.health[unit] == (unit < 2 ? 45 : 160));
    CHECK(env.s.cooldown[unit] == 0);
    CHECK(env.s.action[unit] == kStop);
  }
  for (int enemy = 0; enemy < 2; ++enemy) {
    CHECK(env.s.goal_x[enemy] == 0);
    CHECK(env.s.goal_y[enemy] == 0);
    CHECK(env.s.last_slot[enemy] == kNoSlot);
  }
}

TEST_CASE("ordinary teams face each other, uniformly within 2 of their centres", "[smax]") {
  const Params p = battle(2, kMarine, 2, kMarine);
  Mean x[4], y[4], product;
  Range offset;
  for (uint32_t episode = 0; episode < 4000; ++episode) {
    const Draws draws(stream(episode, 0));
    for (int unit = 0; unit < 4; ++unit) {
      const Point point = spawn_point(p, draws, unit);
      x[unit].add(point.x - (unit < 2 ? 8 : 24));
      y[unit].add(point.y - 16);
      offset(point.x - (unit < 2 ? 8 : 24));
      offset(point.y - 16);
    }
    const Point one = spawn_point(p, draws, 0), other = spawn_point(p, draws, 1);
    product.add((one.x - 8) * (other.x - 8));
  }
  for (int unit = 0; unit < 4; ++unit) {
    for (const Mean& mean : {x[unit], y[unit]}) {
      CHECK_THAT(mean.mean(), WithinAbs(0, 4 * mean.error()));
      CHECK_THAT(mean.deviation(), WithinAbs(4 / std::sqrt(12.0), 0.04));
    }
  }
  CHECK_THAT(product.mean(), WithinAbs(0, 4 * product.error()));
  CHECK(offset.low >= -2);
  CHECK(offset.high <= 2);
}

TEST_CASE("smacv2 episodes are reflected or surrounded, half of each", "[smax]") {
  const Params p = smacv2(5, 5);
  Mean surrounds, allies_inside, outside_map, group[4];
  for (uint32_t episode = 0; episode < 6000; ++episode) {
    const Draws draws(stream(episode, 0));
    surrounds.add(draws.surround());
    if (!draws.surround()) {
      for (int k = 0; k < 5; ++k) {
        const Point ally = spawn_point(p, draws, k), enemy = spawn_point(p, draws, 5 + k);
        if (ally.x >= 16 || ally.x < 0 || enemy.x != 32 - ally.x || enemy.y != ally.y) FAIL("not a reflection");
      }
      continue;
    }
    allies_inside.add(draws.allies_inside());
    for (int unit = 0; unit < 10; ++unit) {
      const Point point = spawn_point(p, draws, unit);
      if ((unit < 5) == draws.allies_inside()) {
        if (std::abs(point.x - 16) > 2 || std::abs(point.y - 16) > 2) FAIL("not in the centre");
        continue;
      }
      outside_map.add(point.x <= 0 || point.x >= 32 || point.y <= 0 || point.y >= 32);
      // On the line from a corner to the centre, give or take the noise.
      if (std::abs(std::abs(point.x - 16) - std::abs(point.y - 16)) > 4.0001f) FAIL("not in a group");
      for (int corner = 0; corner < 4; ++corner) group[corner].add(draws.corner(unit) == corner);
    }
  }
  CHECK_THAT(surrounds.mean(), WithinAbs(0.5, 4 * surrounds.error()));
  CHECK_THAT(allies_inside.mean(), WithinAbs(0.5, 4 * allies_inside.error()));
  // Units of a group share their luck, so the error is up to sqrt(5) that of independent ones.
  CHECK_THAT(outside_map.mean(), WithinAbs(0.052, 4 * std::sqrt(5.0) * outside_map.error()));
  for (const Mean& share : group) CHECK_THAT(share.mean(), WithinAbs(0.25, 4 * share.error()));
}

TEST_CASE("smacv2 types are drawn evenly, and the teams mirror each other", "[smax]") {
  const Params p = smacv2(4, 4);
  int count[kNumTypes] = {};
  constexpr int kEpisodes = 3000;
  for (uint32_t episode = 0; episode < kEpisodes; ++episode) {
    const Draws draws(stream(episode, 0));
    for (int k = 0; k < 4; ++k) {
      const int type = spawn_type(p, draws, k);
      REQUIRE((type >= 0 && type < kNumTypes));
      if (spawn_type(p, draws, 4 + k) != type) FAIL("not mirrored");
      ++count[type];
    }
  }
  double chi2 = 0;
  const double expected = 4 * kEpisodes / 6.0;
  for (int n : count) chi2 += (n - expected) * (n - expected) / expected;
  CHECK(chi2 < 20.5);  // 5 degrees of freedom: one chance in a thousand
}

TEST_CASE("unequal smacv2 teams: surplus enemies are drawn, surplus allies have no image", "[smax]") {
  const Params more = smacv2(2, 5), fewer = smacv2(5, 2);
  int surplus[kNumTypes] = {};
  for (uint32_t episode = 0; episode < 300; ++episode) {
    const Draws draws(stream(episode, 0));
    for (int unit = 4; unit < 7; ++unit) {
      ++surplus[spawn_type(more, draws, unit)];
      if (draws.surround()) continue;
      const Point point = spawn_point(more, draws, unit);
      if (point.x < 16 || point.x >= 32 || point.y < 0 || point.y >= 32) FAIL("not in the right half");
    }
    for (int k = 0; k < 2; ++k) {
      if (spawn_type(fewer, draws, 5 + k) != spawn_type(fewer, draws, k)) FAIL("not mirrored");
      if (!draws.surround() && spawn_point(fewer, draws, 5 + k).x != 32 - spawn_point(fewer, draws, k).x)
        FAIL("no image");
    }
  }
  for (int n : surplus) CHECK(n > 100);  // of 900
}

TEST_CASE("units that begin outside the map are alive there, and die in the first step", "[smax]") {
  Params p = smacv2(5, 5);
  HostInstance<Env> instance(p);
  Env env = instance.env();
  int outside = 0;
  const auto far = [](float v) { return v < -0.26f || v > 32.26f; };  // more than a stride: nobody steps back in
  for (uint32_t episode = 0; episode < 200; ++episode) {
    env.reset(stream(episode, 0));
    bool out[10];
    for (int unit = 0; unit < 10; ++unit) {
      out[unit] = far(env.s.x[unit]) || far(env.s.y[unit]);
      CHECK(env.alive(unit));
    }
    std::vector<int32_t> actions(5, kStop);
    std::vector<float> rewards(5);
    env.step(Actions{actions.data()}, Rewards{rewards.data(), 1}, stream(episode, 1));
    for (int unit = 0; unit < 10; ++unit) {
      outside += out[unit];
      if (out[unit]) CHECK_FALSE(env.alive(unit));
    }
  }
  CHECK(outside > 0);
}

// --- what can be seen

TEST_CASE("no observation leaves the declared bounds", "[smax]") {
  for (const Params& p :
       {battle(3, kMarine, 3, kMarine), battle(6, kHydralisk, 8, kZealot), smacv2(5, 5), smacv2(20, 20)}) {
    HostInstance<Env> instance(p);
    const Spec spec = Env::spec(p);
    Range seen;
    for (uint32_t episode = 0; episode < 30; ++episode) {
      play(instance.env(), episode, [&](const Env& env) {
        for (int unit = 0; unit < p.num_units(); ++unit) env.observe_unit(unit, seen);
      });
    }
    CHECK(seen.low >= spec.obs_low);
    CHECK(seen.high <= spec.obs_high);
  }
}

TEST_CASE("the bounds hold, and are needed, in the worst crowd that there can be", "[smax]") {
  // One unit at the border, all others a little behind it, at whatever distance: they all push it outside at once.
  Params p = battle(64, kStalker, 64, kStalker);
  p.world_steps_per_env_step = 1;
  const Spec spec = Env::spec(p);
  HostInstance<Env> instance(p);
  Env env = instance.env();
  std::vector<float> rewards(64);
  float highest = 0;
  for (float gap : {1e-4f, 3e-4f, 1e-3f, 3e-3f, 1e-2f, 0.1f}) {
    env.reset(stream(0, 0));
    for (int unit = 0; unit < 128; ++unit) {
      env.s.x[unit] = unit == 0 ? 31.999f : 31.999f - gap;
      env.s.y[unit] = 16;
    }
    env.play([](int) { return kStop; }, Rewards{rewards.data(), 1}, Draws(stream(0, 1)));
    CHECK(env.alive(0));
    Range seen;
    env.observe_unit(0, seen);
    highest = std::max(highest, seen.high);
  }
  CHECK(highest <= spec.obs_high);
  CHECK(highest > 1 + 0.99f * (spec.obs_high - 1));
}

// --- the order of loops, and size

TEST_CASE("loops that run backwards give the same bits", "[smax]") {
  for (const Params& p :
       {battle(3, kMarine, 3, kMarine), battle(2, kStalker, 7, kZealot), smacv2(10, 10), smacv2(4, 9)}) {
    HostInstance<Env> forward_instance(p), backward_instance(p);
    Lanes lanes;
    lanes.backwards = true;
    Env forward = forward_instance.env(), backward = backward_instance.env(lanes);
    std::vector<int32_t> actions(p.num_allies());
    std::vector<float> rewards(p.num_allies()), others(p.num_allies());
    const auto same = [&](auto& a, auto& b, int count) {
      for (int i = 0; i < count; ++i) {
        if (std::memcmp(&a[i], &b[i], sizeof a[i]) != 0) FAIL("element " << i);
      }
    };
    const auto compare = [&] {
      same(forward.s.x, backward.s.x, p.num_units());
      same(forward.s.y, backward.s.y, p.num_units());
      same(forward.s.health, backward.s.health, p.num_units());
      same(forward.s.cooldown, backward.s.cooldown, p.num_units());
      same(forward.s.type, backward.s.type, p.num_units());
      same(forward.s.action, backward.s.action, p.num_units());
      same(forward.s.goal_x, backward.s.goal_x, p.num_enemies());
      same(forward.s.goal_y, backward.s.goal_y, p.num_enemies());
      same(forward.s.last_slot, backward.s.last_slot, p.num_enemies());
    };
    for (uint32_t episode = 0; episode < 10; ++episode) {
      forward.reset(stream(episode, 0));
      backward.reset(stream(episode, 0));
      compare();
      bool ended = false;
      for (int step = 1; !ended && step <= 101; ++step) {
        random_actions(forward, Rng{fold_in(key(3), episode)}.at(step), actions);
        ended = forward.step(Actions{actions.data()}, Rewards{rewards.data(), 1}, stream(episode, step));
        CHECK(ended == backward.step(Actions{actions.data()}, Rewards{others.data(), 1}, stream(episode, step)));
        CHECK(rewards == others);
        compare();
      }
    }
  }
}

TEST_CASE("64 against 64 can be played", "[smax]") {
  HostInstance<Env> instance(battle(64, kMarine, 64, kHydralisk));
  const auto [total, length] = play(instance.env(), 5, [](const Env& env) {
    for (int unit = 0; unit < 128; ++unit) {
      if (!std::isfinite(env.s.x[unit]) || !std::isfinite(env.s.y[unit]) || env.s.health[unit] < 0)
        FAIL("unit " << unit);
    }
  });
  CHECK(length > 5);
  CHECK(length <= 101);
  CHECK((total > 0 && total <= 2));
}

// --- how episodes go

TEST_CASE("random allies do as in the original, on average", "[smax]") {
  // Measured over 20,000 episodes of an independent implementation that reproduces what JaxMARL itself logs.
  struct Reference {
    const char* scenario;
    Params params;
    double total, deviation, length;
    int episodes;
  };
  Params s2z3 = battle(5, kZealot, 5, kZealot);
  s2z3.ally_units[0] = s2z3.ally_units[1] = s2z3.enemy_units[0] = s2z3.enemy_units[1] = kStalker;
  for (const Reference& reference : {
           Reference{"3m", battle(3, kMarine, 3, kMarine), 0.1776, 0.095, 17.8, 4000},
           {"2s3z", s2z3, 0.2053, 0.076, 53.6, 1500},
           {"5m_vs_6m", battle(5, kMarine, 6, kMarine), 0.1395, 0.055, 18.1, 3000},
           {"6h_vs_8z", battle(6, kHydralisk, 8, kZealot), 0.3233, 0.077, 35.6, 1500},
           {"smacv2_5_units", smacv2(5, 5), 0.2535, 0.179, 35.7, 2000},
       }) {
    INFO(reference.scenario);
    HostInstance<Env> instance(reference.params);
    Mean total, length;
    for (int episode = 0; episode < reference.episodes; ++episode) {
      const auto [sum, steps] = play(instance.env(), episode, [](const Env&) {});
      total.add(sum);
      length.add(steps);
    }
    // The reference has an error, too, and its length is rounded to a tenth.
    const double both = std::sqrt(1 + reference.episodes / 20000.0);
    CHECK_THAT(total.mean(), WithinAbs(reference.total, 4 * both * total.error() + 5e-5));
    CHECK_THAT(total.deviation(), WithinAbs(reference.deviation, 0.1 * reference.deviation));
    CHECK_THAT(length.mean(), WithinAbs(reference.length, 4 * both * length.error() + 0.05));
  }
}

}  // namespace throng::smax
