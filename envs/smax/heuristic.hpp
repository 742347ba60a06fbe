// The scripted enemy of SMAX: what one unit decides from what it sees, and the little that it remembers.
#pragma once

#include "envs/smax/params.hpp"
#include "envs/smax/state.hpp"

namespace throng::smax {

// The slot of the m-th ally, in the order of slots, whose squared distance from `unit` is below `range2`.
template <class Env>
THRONG_HD int slot_within(const Env& env, int unit, float range2, int m) {
  int k = env.w.count[kAllyFighters];
  int ally = 0;
  while (k > 0 && m >= 0) {
    ally = env.w.fighter[--k];
    if (env.distance2(unit, ally) < range2) --m;
  }
  return env.slot_of(unit, ally);
}

// North, east, south or west, whichever leads nearest to (dx, dy); the first of equals.
THRONG_HD inline int move_towards(float dx, float dy) {
  int move = 0;
  float most = dy;
  if (dx > most) move = 1, most = dx;
  if (-dy > most) move = 2, most = -dy;
  if (-dx > most) move = 3;
  return move;
}

// An enemy attacks its last target as long as it can, else one in its range; with none in range it walks towards one that it
// sees; and with none in sight to where the other side of the map mirrors the place of its first decision.
// Differs: computed from the state, not from an observation of it; by that detour the original's distances can differ in the
// last bit.
template <class Env, class D>
THRONG_HD int heuristic_action(const Env& env, int enemy, const D& draws) {
  const Params& p = env.p;
  const auto& s = env.s;
  const int unit = p.num_allies() + enemy;
  const bool alive = env.alive(unit);
  const int type = s.type[unit];
  const float sight2 = p.derived.sight_range2[type];
  const float range2 = p.derived.attack_range2[type] < sight2 ? p.derived.attack_range2[type] : sight2;

  int num_visible = 0, num_shootable = 0, closest = -1;
  float least = sight2;
  bool keeps_target = false;
  const int last = s.last_slot[enemy];
  if (alive) {
    for (int k = env.w.count[kAllyFighters] - 1; k >= 0; --k) {
      const int ally = env.w.fighter[k], slot = env.slot_of(unit, ally);
      const float d2 = env.distance2(unit, ally);
      if (d2 < sight2) ++num_visible;
      if (!(d2 < range2)) continue;
      ++num_shootable;
      keeps_target |= slot == last;
      if (d2 < least) least = d2, closest = slot;
    }
  }

  int target = closest;
  if (keeps_target) {
    target = last;
  } else if (p.attack_mode == kRandom && num_shootable > 0) {
    target = slot_within(env, unit, range2, draws.target(enemy, num_shootable));
  }

  // The dead see nothing, not even where they are; what they decide has no effect, but it is recorded.
  const float x = alive ? s.x[unit] : 0, y = alive ? s.y[unit] : 0;
  if (s.goal_x[enemy] == 0 && s.goal_y[enemy] == 0 && last == kNoSlot) {
    s.goal_x[enemy] = p.map_width - x;
    s.goal_y[enemy] = p.map_height - y;
  }
  s.last_slot[enemy] = static_cast<int8_t>(num_shootable > 0 ? target : kNoSlot);

  if (num_shootable > 0 && p.enemy_shoots) return kFirstAttack + target;
  if (num_visible == 0) return move_towards(s.goal_x[enemy] - x, s.goal_y[enemy] - y);
  const int goal = env.unit_in_slot(unit, slot_within(env, unit, sight2, draws.goal(enemy, num_visible)));
  return move_towards(s.x[goal] - x, s.y[goal] - y);
}

}  // namespace throng::smax
