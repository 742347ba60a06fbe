// What SMAX remembers of one environment, and what its actions mean.
#pragma once

#include <cstdint>
#include <type_traits>

#include "core/field.hpp"
#include "core/platform.hpp"
#include "envs/smax/params.hpp"

namespace throng::smax {

// Four moves, stop, and from kFirstAttack on an attack on the opponent in each slot. Slots are numbered as a unit observes its
// opponents: in ascending order of units by allies, in descending order by enemies.
enum Action : uint8_t { kNorth, kEast, kSouth, kWest, kStop, kFirstAttack };

inline constexpr int8_t kNoSlot = -1;
inline constexpr uint8_t kNobody = 255;
inline constexpr float kNowhere = 1e9f;  // the dead stand at multiples of it while others are pushed: nobody is near

// One environment. Units 0 .. num_allies - 1 are the allies, the others the enemies. A unit is alive if it has health.
// W: so many of them side by side (core/pack.hpp).
template <int W>
struct StateOf {
  Field<float, W> x, y;      // [unit, env]
  Field<float, W> health;    // [unit, env]
  Field<float, W> cooldown;  // [unit, env], seconds until the weapon is ready; ever more negative while it waits
  Field<uint8_t, W> type;    // [unit, env], index into kUnitTypes
  Field<uint8_t, W> action;  // [unit, env], what the unit was last told to do; at first to stop
  Field<float, W> goal_x,
      goal_y;                  // [enemy, env], where an enemy goes that sees nobody; (0, 0) until it has decided once
  Field<int8_t, W> last_slot;  // [enemy, env], the slot that it attacked last, or kNoSlot

  template <class P, class V>
  THRONG_HD void fields(const P& p, V&& v) {
    v("x", x, p.num_units());
    v("y", y, p.num_units());
    v("health", health, p.num_units());
    v("cooldown", cooldown, p.num_units());
    v("type", type, p.num_units());
    v("action", action, p.num_units());
    v("goal_x", goal_x, p.num_enemies());
    v("goal_y", goal_y, p.num_enemies());
    v("last_slot", last_slot, p.num_enemies());
  }
};
using State = StateOf<1>;

enum Objective { kDamage, kSurvival, kWin, kNumObjectives };  // of rewards that are vectors
enum Count { kAllyFighters, kFighters };                      // the allies come first

// Working memory of a step. Its fighters are the units that are alive when it begins, in ascending order: what is indexed
// by fighter costs less and less as a battle goes on.
template <int W>
struct ScratchOf {
  using Small = std::conditional_t<W == 1, uint8_t, int>;  // a byte, where memory is dearer than its conversion
  Field<int> count;                                        // [2], by Count
  Field<uint8_t> fighter;                                  // [fighter], its unit
  Field<Small, W> hit;               // [fighter], the unit that it hits in this world step, or kNobody
  Field<float, W> moved_x, moved_y;  // [fighter], where it stands before the push
  Field<float, W> radius;            // [fighter], its own
  Field<float, W> push_x, push_y;    // [fighter], by all others
  Field<float, W> loss;              // [unit], health when the step began; then the share of full health lost in it

  template <class P, class V>
  THRONG_HD void fields(const P& p, V&& v) {
    if (P::kListsFighters) {
      v("count", count, 2);
      v("fighter", fighter, p.num_units());
    }
    v("hit", hit, p.num_units());
    v("moved_x", moved_x, p.num_units());
    v("moved_y", moved_y, p.num_units());
    v("radius", radius, p.num_units());
    v("push_x", push_x, p.num_units());
    v("push_y", push_y, p.num_units());
    v("loss", loss, p.num_units());
  }
};

}  // namespace throng::smax
