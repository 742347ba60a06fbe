// The script of SMAX: what one unit decides from what it sees, and the little that it remembers.
#pragma once

#include <type_traits>

#include "envs/smax/params.hpp"
#include "envs/smax/state.hpp"

namespace throng::smax {

// The opponents of a unit that may be alive, in the order of its slots, and how far they are; the dead are far away.
template <class Env>
struct Opponents {
  const Env& env;
  int unit;

  THRONG_HD int size() const { return env.is_ally(unit) ? env.p.num_enemies() : env.p.num_allies(); }
  THRONG_HD int operator[](int k) const { return env.unit_in_slot(unit, k); }
  THRONG_HD float distance2(int opponent) const {
    return env.alive(opponent) ? env.distance2(unit, opponent) : kNowhere * kNowhere;
  }
};

// The same for an enemy within a step, which has a list of the living.
template <class Env>
struct FightingAllies {
  const Env& env;
  int unit;

  THRONG_HD int size() const { return env.w.count[kAllyFighters]; }
  THRONG_HD int operator[](int k) const { return env.w.fighter[size() - 1 - k]; }
  THRONG_HD float distance2(int opponent) const { return env.distance2(unit, opponent); }
};

// The m-th opponent whose squared distance is below `range2`.
template <class Seen>
THRONG_HD int opponent_within(const Seen& opponents, float range2, int m) {
  int opponent = 0;
  for (int k = 0; m >= 0 && k < opponents.size(); ++k) {
    opponent = opponents[k];
    if (opponents.distance2(opponent) < range2) --m;
  }
  return opponent;
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

// What a scripted unit remembers: where it goes when it sees nobody, (0, 0) until it has decided once, and whom it attacked.
struct Recollection {
  float goal_x, goal_y;
  int last_slot;  // or kNoSlot
};

struct Script {
  int attack_mode;
  bool shoots;
  int drawn_as;  // the number under which the unit draws
};

// A unit attacks its last target as long as it can, else one in its range; with none in range it walks towards one that it
// sees; and with none in sight to where the other side of the map mirrors the place of its first decision.
// Differs: computed from the state, not from an observation of it; by that detour the original's distances can differ in the
// last bit.
template <class Seen, class D>
THRONG_HD int scripted_action(const Seen& opponents, const Script& script, Recollection& memory, const D& draws) {
  const auto& env = opponents.env;
  const auto& p = env.p;
  const auto& s = env.s;
  const int unit = opponents.unit, type = s.type[unit], last = memory.last_slot;
  const bool alive = env.alive(unit);
  const float sight2 = p.derived.sight_range2[type];
  const float range2 = p.derived.attack_range2[type] < sight2 ? p.derived.attack_range2[type] : sight2;

  int num_visible = 0, num_shootable = 0, closest = kNoSlot;
  float least = sight2;
  bool keeps_target = false;
  if (alive) {
    for (int k = 0; k < opponents.size(); ++k) {
      const int opponent = opponents[k];
      const float d2 = opponents.distance2(opponent);
      if (d2 < sight2) ++num_visible;
      if (!(d2 < range2)) continue;
      const int slot = env.slot_of(unit, opponent);
      ++num_shootable;
      keeps_target |= slot == last;
      if (d2 < least) least = d2, closest = slot;
    }
  }

  int target = closest;
  if (keeps_target) {
    target = last;
  } else if (script.attack_mode == kRandom && num_shootable > 0) {
    target = env.slot_of(unit, opponent_within(opponents, range2, draws.target(script.drawn_as, num_shootable)));
  }

  // The dead see nothing, not even where they are; what they decide has no effect, but it is recorded.
  const float x = alive ? s.x[unit] : 0, y = alive ? s.y[unit] : 0;
  if (memory.goal_x == 0 && memory.goal_y == 0 && last == kNoSlot) {
    memory.goal_x = p.map_width - x;
    memory.goal_y = p.map_height - y;
  }
  memory.last_slot = num_shootable > 0 ? target : kNoSlot;

  if (num_shootable > 0 && script.shoots) return kFirstAttack + target;
  if (num_visible == 0) return move_towards(memory.goal_x - x, memory.goal_y - y);
  const int goal = opponent_within(opponents, sight2, draws.goal(script.drawn_as, num_visible));
  return move_towards(s.x[goal] - x, s.y[goal] - y);
}

// The enemy of that number, whose memory is in the state.
template <class Env, class D>
THRONG_HD int heuristic_action(const Env& env, int enemy, const D& draws) {
  const auto& s = env.s;
  Recollection memory{s.goal_x[enemy], s.goal_y[enemy], s.last_slot[enemy]};
  using Seen = std::conditional_t<Env::Params::kListsFighters, FightingAllies<Env>, Opponents<Env>>;
  const int action = scripted_action(Seen{env, env.p.num_allies() + enemy},
                                     {env.p.attack_mode, env.p.enemy_shoots, enemy}, memory, draws);
  s.goal_x[enemy] = memory.goal_x;
  s.goal_y[enemy] = memory.goal_y;
  s.last_slot[enemy] = static_cast<int8_t>(memory.last_slot);
  return action;
}

}  // namespace throng::smax
