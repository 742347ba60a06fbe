// The script of SMAX: what one unit decides from what it sees, and the little that it remembers.
#pragma once

#include <type_traits>

#include "envs/smax/params.hpp"
#include "envs/smax/state.hpp"

namespace throng::smax {

// The opponents of a unit that may be alive, in the order of its slots, and how far they are; the dead are far away.
template <class E>
struct Opponents {
  using Env = E;
  const Env& env;
  int unit;

  THRONG_HD int size() const { return env.is_ally(unit) ? env.p.num_enemies() : env.p.num_allies(); }
  THRONG_HD int operator[](int k) const { return env.unit_in_slot(unit, k); }
  THRONG_HD auto distance2(int opponent) const {
    return select(env.alive(opponent), env.distance2(unit, opponent), kNowhere * kNowhere);
  }
};

// The same for an enemy within a step, which has a list of the living.
template <class E>
struct FightingAllies {
  using Env = E;
  const Env& env;
  int unit;

  THRONG_HD int size() const { return env.w.count[kAllyFighters]; }
  THRONG_HD int operator[](int k) const { return env.w.fighter[size() - 1 - k]; }
  THRONG_HD float distance2(int opponent) const { return env.distance2(unit, opponent); }
};

// The m-th opponent whose squared distance is below `range2`.
template <class Seen, class Real, class Int>
THRONG_HD Int opponent_within(const Seen& opponents, Real range2, Int m) {
  Int opponent = 0;
  for (int k = 0; any(m >= 0) && k < opponents.size(); ++k) {
    const auto sought = m >= 0;
    opponent = select(sought, opponents[k], opponent);
    m -= ones(sought & (opponents.distance2(opponents[k]) < range2));
  }
  return opponent;
}

// North, east, south or west, whichever leads nearest to (dx, dy); the first of equals.
template <int W = 1>
THRONG_HD Pack<int, W> move_towards(Pack<float, W> dx, Pack<float, W> dy) {
  Pack<int, W> move = kNorth;
  Pack<float, W> most = dy;
  const auto consider = [&](int other, Pack<float, W> gain) {
    move = select(gain > most, other, move);
    most = select(gain > most, gain, most);
  };
  consider(kEast, dx);
  consider(kSouth, -dy);
  consider(kWest, -dx);
  return move;
}

// What a scripted unit remembers: where it goes when it sees nobody, (0, 0) until it has decided once, and whom it attacked.
template <int W>
struct RecollectionOf {
  Pack<float, W> goal_x, goal_y;
  Pack<int, W> last_slot;  // or kNoSlot
};
using Recollection = RecollectionOf<1>;

struct Script {
  int attack_mode;
  bool shoots;
  int drawn_as;  // the number under which the unit draws
};

// A unit attacks its last target as long as it can, else one in its range; with none in range it walks towards one that it
// sees; and with none in sight to where the other side of the map mirrors the place of its first decision.
// Differs: computed from the state, not from an observation of it; by that detour the original's distances can differ in the
// last bit.
template <class Seen, class Memory, class D>
THRONG_HD auto scripted_action(const Seen& opponents, const Script& script, Memory& memory, const D& draws) {
  using Real = typename Seen::Env::Real;
  using Int = typename Seen::Env::Int;
  using Bool = typename Seen::Env::Bool;
  constexpr int kWidth = Seen::Env::kWidth;
  const auto& env = opponents.env;
  const auto& p = env.p;
  const auto& s = env.s;
  const int unit = opponents.unit;
  const Int type = s.type[unit], last = memory.last_slot;
  const Bool alive = env.alive(unit);
  const Real sight2 = lookup(p.derived.sight_range2, type), attack2 = lookup(p.derived.attack_range2, type);
  const Real range2 = select(attack2 < sight2, attack2, sight2);

  Int num_visible = 0, num_shootable = 0, closest = kNoSlot;
  Real least = sight2;
  Bool keeps_target = false;
  if (any(alive)) {
    for (int k = 0; k < opponents.size(); ++k) {
      const int opponent = opponents[k];
      const Real d2 = opponents.distance2(opponent);
      num_visible += ones(alive & (d2 < sight2));
      const Bool shootable = alive & (d2 < range2);
      if (!any(shootable)) continue;
      const int slot = env.slot_of(unit, opponent);
      num_shootable += ones(shootable);
      keeps_target = keeps_target | (shootable & (last == slot));
      const Bool closer = shootable & (d2 < least);
      least = select(closer, d2, least);
      closest = select(closer, slot, closest);
    }
  }

  const Bool can_shoot = num_shootable > 0, chooses = can_shoot & !keeps_target;
  Int target = select(keeps_target, last, closest);
  if (script.attack_mode == kRandom && any(chooses)) {
    const Int chosen = opponent_within(opponents, range2, draws.target(script.drawn_as, num_shootable));
    target = select(chooses, env.slot_of(unit, chosen), target);
  }

  // The dead see nothing, not even where they are; what they decide has no effect, but it is recorded.
  const Real x = select(alive, s.x[unit], 0), y = select(alive, s.y[unit], 0);
  const Bool undecided = (memory.goal_x == 0) & (memory.goal_y == 0) & (last == kNoSlot);
  memory.goal_x = select(undecided, p.map_width - x, memory.goal_x);
  memory.goal_y = select(undecided, p.map_height - y, memory.goal_y);
  memory.last_slot = select(can_shoot, target, kNoSlot);

  const Bool shoots = can_shoot & Bool(script.shoots), walks_blindly = num_visible == 0;
  const Int action = select(shoots, kFirstAttack + target, move_towards<kWidth>(memory.goal_x - x, memory.goal_y - y));
  const Bool pursues = !(shoots | walks_blindly);
  if (!any(pursues)) return action;
  const Int goal = opponent_within(opponents, sight2, draws.goal(script.drawn_as, num_visible));
  return select(pursues, move_towards<kWidth>(s.x[goal] - x, s.y[goal] - y), action);
}

// The enemy of that number, whose memory is in the state.
template <class Env, class D>
THRONG_HD auto heuristic_action(const Env& env, int enemy, const D& draws) {
  const auto& s = env.s;
  RecollectionOf<Env::kWidth> memory{s.goal_x[enemy], s.goal_y[enemy], s.last_slot[enemy]};
  using Seen = std::conditional_t<Env::Params::kListsFighters, FightingAllies<Env>, Opponents<Env>>;
  const auto action = scripted_action(Seen{env, env.p.num_allies() + enemy},
                                      {env.p.attack_mode, env.p.enemy_shoots, enemy}, memory, draws);
  s.goal_x[enemy] = memory.goal_x;
  s.goal_y[enemy] = memory.goal_y;
  s.last_slot[enemy] = memory.last_slot;
  return action;
}

}  // namespace throng::smax
