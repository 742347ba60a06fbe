// Where chance enters SMAX: every question that the rules ask of it, and the answers of the environment's own stream.
#pragma once

#include "core/rng.hpp"
#include "envs/smax/params.hpp"

namespace throng::smax {

// The rules take any type that answers these questions, so that a test can let them meet recorded draws or the key chain
// of the original. Each answer is a function of purpose and index, computed only where it is used.
template <int W>
struct DrawsOf {
  using Real = Pack<float, W>;
  using Int = Pack<int, W>;
  using Rng = RngOf<W>;

  explicit THRONG_HD DrawsOf(Rng rng) : rng(rng), jitter(rng.at(kJitter)) {}

  // In a step. How much longer than usual, in seconds from `low` to `high`, the weapon of a unit takes that fires now.
  THRONG_HD Real cooldown_jitter(int world_step, int unit, float low, float high) const {
    return jitter.uniform(static_cast<uint32_t>(world_step * kUnits + unit), low, high);
  }
  // Which of the `count` allies that it sees an enemy walks towards; which of those in its range it picks as its target.
  THRONG_HD Int goal(int enemy, Int count) const { return rng.at(kGoal).below(enemy, count); }
  THRONG_HD Int target(int enemy, Int count) const { return rng.at(kTarget).below(enemy, count); }

  // At the start of an episode; axis 0 is x, 1 is y.
  THRONG_HD float noise(int unit, int axis) const { return around(kNoise, unit, axis); }
  THRONG_HD int type(int unit) const { return rng.at(kType).below(unit, kNumTypes); }
  THRONG_HD bool surround() const { return rng.at(kSurround).uniform(0) < 0.5f; }
  // Reflected starts: a coordinate within the own half of the map, in [0, 1).
  THRONG_HD float scatter(int unit, int axis) const { return rng.at(kScatter).uniform(index(unit, axis)); }
  // Surrounded starts: who is inside; the corner of a unit outside; how far its group is from there to the centre.
  THRONG_HD bool allies_inside() const { return rng.at(kAlliesInside).below(0, 2) == 1; }
  THRONG_HD float inside_noise(int unit, int axis) const { return around(kNoise, unit, axis); }
  THRONG_HD float outside_noise(int unit, int axis) const { return around(kNoise, unit, axis); }
  THRONG_HD int corner(int unit) const { return rng.at(kCorner).below(unit, 4); }
  THRONG_HD float closing(int corner) const { return rng.at(kClosing).uniform(corner); }

 private:
  enum Purpose : uint32_t {
    kJitter,
    kGoal,
    kTarget,
    kNoise,
    kType,
    kSurround,
    kScatter,
    kAlliesInside,
    kCorner,
    kClosing
  };
  static constexpr int kUnits = 2 * kMaxTeam;

  static THRONG_HD uint32_t index(int unit, int axis) { return static_cast<uint32_t>(2 * unit + axis); }
  THRONG_HD float around(Purpose purpose, int unit, int axis) const {
    return rng.at(purpose).uniform(index(unit, axis), -kSpawnSpread, kSpawnSpread);
  }

  Rng rng;
  Rng jitter;  // of its own, as it is asked several times in a step
};
using Draws = DrawsOf<1>;

}  // namespace throng::smax
