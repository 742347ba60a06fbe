// The key chain of JaxMARL 0.2.0: what SMAX draws from a JAX key, so that recorded seeds can be replayed.
#pragma once

#include <cmath>

#include "core/rng.hpp"
#include "envs/smax/params.hpp"

// Both structs answer the questions of envs/smax/draws.hpp. The chain splits key after key; `next` replaces a key by its
// first half and returns the second, as in `key, subkey = jax.random.split(key)`.
namespace throng::smax {

inline Key next(Key& key) {
  const Key sub = split(key, 1);
  key = split(key, 0);
  return sub;
}

// jax.random.choice among `count` equally likely marked entries: running sums of 1 / count, searched from the left.
inline int choose(Key key, int count) {
  const float share = 1.0f / static_cast<float>(count);
  float total = 0;
  for (int k = 0; k < count; ++k) total += share;
  const float wanted = total * (1 - uniform(key, 0));
  int chosen = 0;
  for (float sum = share; sum < wanted; sum += share) ++chosen;
  return chosen;
}

// jax.random.categorical over n equal weights, row `row` of a table of draws: the largest Gumbel noise is the largest uniform.
inline int categorical(Key key, int row, int n) {
  int chosen = 0;
  for (int k = 1; k < n; ++k) {
    if (uniform(key, row * n + k) > uniform(key, row * n + chosen)) chosen = k;
  }
  return chosen;
}

struct JaxmarlStep {
  Key loop;    // of the world steps
  Key policy;  // of the scripted enemies

  // `key` is what HeuristicEnemySMAX.step_env receives.
  explicit JaxmarlStep(Key key) : loop(split(key, 0)), policy(split(key, 1)) {}

  float cooldown_jitter(int world_step, int unit, float low, float high) const {
    Key chain = loop, units{};
    for (int step = 0; step <= world_step; ++step) units = next(chain);
    // Compiled JAX fuses product and sum here.
    const float value = std::fma(uniform(split(units, unit), 0), high - low, low);
    return value < low ? low : value;
  }
  int goal(int enemy, int count) const { return choose(split(split(policy, enemy), 0), count); }
  int target(int enemy, int count) const { return choose(split(split(policy, enemy), 1), count); }
};

struct JaxmarlReset {
  int allies;
  Key ally_noise, enemy_noise;  // ordinary positions
  Key surround_or_reflect;
  Key scatter_allies, scatter_surplus;  // reflect
  Key who_is_inside;                    // surround
  struct Surround {
    Key inside, corners, closing, outside;
    explicit Surround(Key key) : inside(next(key)), corners(next(key)), closing(next(key)), outside(next(key)) {}
  } allies_in, enemies_in;
  Key surplus_types, ally_types;

  // `key` is what HeuristicEnemySMAX.reset receives; the policy takes the first half of it.
  JaxmarlReset(Key key, int num_allies) : JaxmarlReset(num_allies, split(key, 1)) {}

  float noise(int unit, int axis) const { return spread(is_ally(unit) ? ally_noise : enemy_noise, unit, axis); }
  int type(int unit) const {
    return is_ally(unit) ? categorical(ally_types, unit, kNumTypes)
                         : categorical(surplus_types, unit - 2 * allies, kNumTypes);
  }
  bool surround() const { return uniform(surround_or_reflect, 0) < 0.5f; }
  float scatter(int unit, int axis) const {
    return is_ally(unit) ? uniform(scatter_allies, 2 * unit + axis)
                         : uniform(scatter_surplus, 2 * (unit - 2 * allies) + axis);
  }
  bool allies_inside() const { return bits(who_is_inside, 0) & 1; }
  float inside_noise(int unit, int axis) const { return spread(hypothesis().inside, unit, axis); }
  float outside_noise(int unit, int axis) const { return spread(hypothesis().outside, unit, axis); }
  int corner(int unit) const { return categorical(hypothesis().corners, member(unit), 4); }
  float closing(int corner) const { return uniform(hypothesis().closing, corner); }

 private:
  // SMAX.reset(env): a three-way split, then one key for positions and one for types.
  JaxmarlReset(int num_allies, Key env)
      : JaxmarlReset(num_allies, env, split(split(env, 0), 1), split(split(split(env, 0), 0), 1)) {}
  JaxmarlReset(int num_allies, Key env, Key positions, Key types)
      : allies(num_allies),
        ally_noise(split(env, 1)),
        enemy_noise(split(env, 2)),
        surround_or_reflect(split(positions, 0)),
        scatter_allies(split(split(positions, 2), 1)),
        scatter_surplus(split(split(positions, 2), 0)),
        who_is_inside(split(split(split(positions, 1), 0), 1)),
        allies_in(split(split(positions, 1), 1)),
        enemies_in(split(split(positions, 1), 2)),
        surplus_types(split(types, 0)),
        ally_types(split(types, 1)) {}

  bool is_ally(int unit) const { return unit < allies; }
  int member(int unit) const { return is_ally(unit) ? unit : unit - allies; }
  float spread(Key key, int unit, int axis) const {
    return uniform(key, 2 * member(unit) + axis, -kSpawnSpread, kSpawnSpread);
  }
  const Surround& hypothesis() const { return allies_inside() ? allies_in : enemies_in; }
};

}  // namespace throng::smax
