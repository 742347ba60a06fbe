// SMAX: two teams of StarCraft-like units on a square map; each wins by killing the other. The allies are the agents, or
// (opponent = self) both teams.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include "core/env.hpp"
#include "envs/smax/draws.hpp"      // chance
#include "envs/smax/heuristic.hpp"  // the enemy
#include "envs/smax/params.hpp"     // settings and types of unit
#include "envs/smax/picture.hpp"    // render()
#include "envs/smax/spawn.hpp"      // how an episode begins
#include "envs/smax/state.hpp"      // what is remembered

// The rules are those of JaxMARL 0.2.0, HeuristicEnemySMAX with discrete actions and unit_list observations:
// https://github.com/FLAIROx/JaxMARL, jaxmarl/environments/smax (Rutherford et al. 2024, https://arxiv.org/abs/2311.10090).
//
// Differs: a step in a direction has length 1 exactly; the original's is 0.99999994 in float32.
// Differs: an action outside the range is a stop; the original's is undefined.
// Differs: the time limit truncates; the original does not tell it from an end of the fight.
// Differs: no products are fused with sums, so a cooldown drawn for the same key can differ in its last bit.
// Differs: features are multiplied by reciprocals, which can change their last bit.
namespace throng::smax {

inline constexpr float kJustBeyond = 1.000001f;  // more than roundings make of 1

THRONG_HD inline float square_root(float x) {
#ifdef __CUDA_ARCH__
  return __fsqrt_rn(x);
#else
  return std::sqrt(x);
#endif
}

// P is Params; or Sized where the compiler knows the sizes; or Abreast, and then it is several battles side by side: whatever is
// a Real, an Int or a Bool has a value for each of them (core/pack.hpp). Of one battle they are float, int and bool.
template <class P>
struct EnvOf {
  using Params = P;
  static constexpr int kWidth = P::kWidth;
  using State = StateOf<kWidth>;
  using Scratch = ScratchOf<kWidth>;
  using Real = Pack<float, kWidth>;
  using Int = Pack<int, kWidth>;
  using Bool = Mask<kWidth>;
  using Actions = ActionRows<int32_t, kWidth>;
  using Rewards = RewardsOf<kWidth>;
  using Rng = RngOf<kWidth>;

  const P& p;
  State s;
  Scratch w;
  Lanes lanes;

  static constexpr bool kVaries = true;  // environments of a batch can have parameters of their own
  static constexpr const char* kVersion = "jaxmarl-0.2.0";
  static constexpr int kMostLanes = P::kListsFighters ? 32 : 8;      // more have too little to do with few units
  static constexpr const char* kInfo[] = {"won", "enemies_killed"};  // enemies_killed: the share of them

  THRONG_HD static Spec spec(const P& p) {
    Spec spec;
    spec.num_agents = p.num_agents();
    spec.num_actions = kFirstAttack + p.num_slots();
    spec.time_limit = p.max_steps + 1;
    spec.obs_low = p.derived.obs_low;
    spec.obs_high = p.derived.obs_high;
    spec.num_objectives = p.components ? kNumObjectives : 1;
    spec.lanes = p.num_units();
    return spec;
  }

  static std::string objective_name(const P& p, int objective) {
    constexpr const char* kParts[] = {"damage", "survival", "win"};
    return p.components ? kParts[objective] : "reward";
  }

  static std::string agent_name(const P& p, int agent) {
    const int enemy = agent - p.num_allies();
    return enemy < 0 ? "ally_" + std::to_string(agent) : "enemy_" + std::to_string(enemy);
  }

  // --- loops over units: divided among the lanes, or, of few units, straight code

  template <class Body>
  THRONG_HD void for_each(int n, const Body& body) const {
    if (P::kUnrolls && lanes.width == 1) {
      loop(0, n, body);
    } else {
      lanes.each(n, body);
    }
  }

  template <class Body>
  THRONG_HD static void loop(int first, int end, const Body& body) {
    if constexpr (P::kUnrolls) {
      THRONG_UNROLL
      for (int i = first; i < end; ++i) body(i);
    } else {
      for (int i = first; i < end; ++i) body(i);
    }
  }

  // --- the beginning of an episode

  THRONG_HD void reset(Rng rng) { reset_with(DrawsOf<kWidth>(rng)); }

  template <class D>
  THRONG_HD void reset_with(const D& draws) {
    for_each(p.num_units(), [&](int unit) { spawn(unit, draws); });
    muster();
    push_apart();
  }

  template <class D>
  THRONG_HD void spawn(int unit, const D& draws) {
    const int type = spawn_type(p, draws, unit);
    const Point point = settled(p, spawn_point(p, draws, unit), type);
    s.type[unit] = static_cast<uint8_t>(type);
    s.health[unit] = p.max_health[type];
    s.cooldown[unit] = 0;
    s.action[unit] = kStop;
    w.moved_x[unit] = point.x;
    w.moved_y[unit] = point.y;
    if (is_ally(unit)) return;
    const int enemy = unit - p.num_allies();
    s.goal_x[enemy] = s.goal_y[enemy] = 0;
    s.last_slot[enemy] = kNoSlot;
  }

  // --- one step

  THRONG_HD Bool step(Actions actions, Rewards rewards, Rng rng) {
    return step_with(actions, rewards, DrawsOf<kWidth>(rng));
  }

  template <class D>
  THRONG_HD Bool step_with(Actions actions, Rewards rewards, const D& draws) {
    const auto order = [&](int unit) {
      return unit < p.num_agents() ? actions[unit] : heuristic_action(*this, unit - p.num_allies(), draws);
    };
    return play(order, rewards, draws);
  }

  // The step in which every unit is told order(unit).
  template <class Order, class D>
  THRONG_HD Bool play(const Order& order, Rewards rewards, const D& draws) {
    muster();
    for_each(p.num_units(), [&](int unit) { begin_step(unit, order(unit)); });
    if (p.legacy) muster(/*with_dead=*/true);
    for (int world_step = 0; world_step < p.world_steps_per_env_step; ++world_step) {
      for_each(num_fighters(), [&](int fighter) { fire_and_move(fighter, world_step, draws); });
      for_each(num_fighters(), [&](int fighter) { take_damage(fighter); });
      push_apart();
    }
    pay(rewards);
    return !(some_alive(0, p.num_allies()) & some_alive(p.num_allies(), p.num_units()));
  }

  THRONG_HD void muster([[maybe_unused]] bool with_dead = false) {
    if constexpr (P::kListsFighters) list_fighters(with_dead);
    for_each(num_fighters(), [&](int fighter) {
      const Int type = s.type[unit_of(fighter)];
      w.radius[fighter] = lookup(p.radius, type);
    });
  }

  THRONG_HD void list_fighters(bool with_dead) {
    lanes.once([&] {
      int fighters = 0;
      for (int unit = 0; unit < p.num_units(); ++unit) {
        if (unit == p.num_allies()) w.count[kAllyFighters] = fighters;
        if (alive(unit) || with_dead) w.fighter[fighters++] = static_cast<uint8_t>(unit);
      }
      w.count[kFighters] = fighters;
    });
  }

  THRONG_HD void begin_step(int unit, Int action) {
    const int num_actions = kFirstAttack + (is_ally(unit) ? p.num_enemies() : p.num_allies());
    s.action[unit] = select((action >= 0) & (action < num_actions), action, kStop);
    w.loss[unit] = s.health[unit];
    if (any(alive(unit)) || p.legacy || !P::kListsFighters) return;
    // The weapons of the dead, who are not listed, go on cooling, by the same roundings as all others.
    Real cooldown = s.cooldown[unit];
    for (int i = 0; i < p.world_steps_per_env_step; ++i) cooldown -= p.time_per_step;
    s.cooldown[unit] = cooldown;
  }

  // A world step begins: all units fire and move at once, each by what it sees before anybody has.
  template <class D>
  THRONG_HD void fire_and_move(int fighter, int world_step, const D& draws) {
    const int unit = unit_of(fighter);
    const Int type = s.type[unit], action = s.action[unit];
    const Bool lives = alive(unit);
    const Real cooldown = s.cooldown[unit];
    Bool fires = lives & (cooldown <= 0) & (action >= kFirstAttack);
    if (any(fires)) fires = fires & target_in_range(unit, action - kFirstAttack);
    w.hit[fighter] = select(fires, unit_in_slot(unit, action - kFirstAttack), kNobody);
    Real cooled = cooldown - p.time_per_step;
    if (any(fires)) {
      const Real jitter = draws.cooldown_jitter(world_step, unit, -p.time_per_step, 2 * p.time_per_step);
      // The original stores a difference added to the old value; for the same bits, so do we.
      cooled = select(fires, cooldown + (lookup(p.weapon_cooldown, type) + jitter - cooldown), cooled);
    }
    s.cooldown[unit] = cooled;

    const Real stride = lookup(p.derived.stride, type);
    const Real x = s.x[unit] + select(action == kEast, stride, select(action == kWest, -stride, 0));
    const Real y = s.y[unit] + select(action == kNorth, stride, select(action == kSouth, -stride, 0));
    const Bool moves = lives | Bool(p.legacy);
    w.moved_x[fighter] = select(moves, clamp(x, 0, p.map_width), nowhere(fighter));
    w.moved_y[fighter] = select(moves, clamp(y, 0, p.map_height), nowhere(fighter));
  }

  // No two of the dead lie in the same place, so that they do not push each other.
  THRONG_HD static float nowhere(int fighter) { return kNowhere * static_cast<float>(1 + fighter); }

  // Hits and walls; who dies stays where it is.
  THRONG_HD void take_damage(int fighter) {
    const int unit = unit_of(fighter);
    const Bool lives = alive(unit);
    if (!any(lives)) return;
    const int first = is_ally(unit) ? num_ally_fighters() : 0;
    const int end = is_ally(unit) ? num_fighters() : num_ally_fighters();
    Real damage = 0;
    Bool is_hit = kWidth == 1;  // of several battles it is asked once, not of every pair
    if (kWidth > 1) loop(first, end, [&](int k) { is_hit = is_hit | (Int(w.hit[k]) == unit); });
    if (any(is_hit))
      loop(first, end, [&](int k) {
        const Int hit = w.hit[k], type = s.type[unit_of(k)];
        if (any(hit == unit)) damage += select(hit == unit, lookup(p.damage, type), 0);
      });
    const Real x = w.moved_x[fighter], y = w.moved_y[fighter];
    const Bool at_wall = (x <= 0) | (x >= p.map_width) | (y <= 0) | (y >= p.map_height);
    const Real health = s.health[unit] - damage;
    const Bool dies = lives & ((health <= 0) | (Bool(p.walls_cause_death) & at_wall));
    s.health[unit] = select(lives & !dies, health, 0);
    if (!any(dies) || p.legacy) return;
    s.x[unit] = select(dies, x, s.x[unit]);
    s.y[unit] = select(dies, y, s.y[unit]);
    w.moved_x[fighter] = select(dies, nowhere(fighter), x);
    w.moved_y[fighter] = select(dies, nowhere(fighter), y);
  }

  // Units that overlap push each other, all at once and only once. This is where moves reach the state.
  THRONG_HD void push_apart() {
    if (lanes.width == 1) return push_in_pairs();
    for_each(num_fighters(), [&](int fighter) {
      Push push;
      for (int k = 0; k < num_fighters(); ++k) {
        if (k != fighter && any(overlap(fighter, k))) push += push_between(fighter, k);
      }
      be_pushed(fighter, push);
    });
  }

  // The same for one lane. What pushes one unit pushes the other the opposite way, and all of a unit's pushes are still added
  // in the order of who pushes: the same bits with half the work.
  THRONG_HD void push_in_pairs() {
    const int fighters = num_fighters();
    loop(0, fighters, [&](int i) { w.push_x[i] = w.push_y[i] = 0; });
    loop(0, fighters, [&](int i) {
      loop(i + 1, fighters, [&](int k) {
        if (!any(overlap(i, k))) return;  // most pairs: neither root nor quotient
        const Push push = push_between(i, k);
        w.push_x[i] += push.x, w.push_y[i] += push.y;
        w.push_x[k] -= push.x, w.push_y[k] -= push.y;
      });
      be_pushed(i, {w.push_x[i], w.push_y[i]});
    });
  }

  struct Push {
    Real x = 0, y = 0;
    THRONG_HD void operator+=(Push other) { x += other.x, y += other.y; }
  };

  // Whether fighters i and k touch, or nearly so.
  THRONG_HD Bool overlap(int i, int k) const {
    const Real dx = w.moved_x[i] - w.moved_x[k], dy = w.moved_y[i] - w.moved_y[k], radii = w.radius[i] + w.radius[k];
    return dx * dx + dy * dy < kJustBeyond * (radii * radii);
  }

  // What fighter i feels of k.
  THRONG_HD Push push_between(int i, int k) const {
    const Real dx = w.moved_x[i] - w.moved_x[k], dy = w.moved_y[i] - w.moved_y[k];
    const Real d2 = dx * dx + dy * dy, radii = w.radius[i] + w.radius[k];
    const Real overlap = radii / (square_root(d2) + 1e-6f) - 1;
    return {select(overlap > 0, dx * overlap, 0), select(overlap > 0, dy * overlap, 0)};
  }

  THRONG_HD void be_pushed(int fighter, Push push) {
    const int unit = unit_of(fighter);
    const Bool stands = alive(unit) | Bool(p.legacy);
    if (!any(stands)) return;
    s.x[unit] = select(stands, w.moved_x[fighter] + 0.5f * push.x, s.x[unit]);
    s.y[unit] = select(stands, w.moved_y[fighter] + 0.5f * push.y, s.y[unit]);
  }

  // All of a team, dead or alive, earn the mean share of health that the other team lost, by whatever cause, and the bonus if
  // they have won. With self_play_reward damage earns nothing, and the losers pay the bonus. With components each part, and what
  // the own team lost, is an objective of its own.
  THRONG_HD void pay(Rewards rewards) {
    const int allies = p.num_allies(), units = p.num_units(), first = p.self_play() || p.components ? 0 : allies;
    for_each(units - first, [&](int i) {
      const int unit = first + i;
      const Int type = s.type[unit];
      w.loss[unit] = (s.health[unit] - w.loss[unit]) / lookup(p.max_health, type);
    });
    const Bool victory = won(), defeat = lost();
    if (p.components) {
      const Real of_allies = lost_by(0, allies), of_enemies = lost_by(allies, units);
      for_each(p.num_agents(), [&](int agent) {
        rewards(agent, kDamage) = is_ally(agent) ? of_enemies : of_allies;
        rewards(agent, kSurvival) = is_ally(agent) ? -of_allies : -of_enemies;
        rewards(agent, kWin) = select(is_ally(agent) ? victory : defeat, p.won_battle_bonus, 0);
      });
      return;
    }
    const Real for_allies = earnings(allies, units, victory, defeat);
    const Real for_enemies = p.self_play() ? earnings(0, allies, defeat, victory) : 0;
    for_each(p.num_agents(), [&](int agent) { rewards(agent) = is_ally(agent) ? for_allies : for_enemies; });
  }

  // Of the team whose opponents are the units from `first` on.
  THRONG_HD Real earnings(int first, int end, Bool victory, Bool defeat) const {
    const Real bonus = select(victory, p.won_battle_bonus, 0);
    if (p.self_play_reward) return select(defeat, -p.won_battle_bonus, bonus);
    return lost_by(first, end) + bonus;
  }

  // The mean share of health that these units lost in this step.
  THRONG_HD Real lost_by(int first, int end) const {
    Real loss = 0;
    loop(first, end, [&](int unit) { loss += w.loss[unit]; });
    return -loss / static_cast<float>(end - first);
  }

  // --- what is so

  THRONG_HD int num_fighters() const { return P::kListsFighters ? w.count[kFighters] : p.num_units(); }
  THRONG_HD int num_ally_fighters() const { return P::kListsFighters ? w.count[kAllyFighters] : p.num_allies(); }
  THRONG_HD int unit_of(int fighter) const { return P::kListsFighters ? w.fighter[fighter] : fighter; }

  THRONG_HD bool is_ally(int unit) const { return unit < p.num_allies(); }
  // A unit by its number; of several battles, of the same number in all of them or (an Int) of one in each.
  THRONG_HD Bool alive(auto unit) const { return s.health[unit] > 0; }
  THRONG_HD Bool some_alive(int first, int end) const {
    Bool some = false;
    for (int unit = first; unit < end; ++unit) some = some | alive(unit);
    return some;
  }
  // Both teams can die in the same step; then nobody has won.
  THRONG_HD Bool won() const { return some_alive(0, p.num_allies()) & !some_alive(p.num_allies(), p.num_units()); }
  THRONG_HD Bool lost() const { return some_alive(p.num_allies(), p.num_units()) & !some_alive(0, p.num_allies()); }

  template <class I>
  THRONG_HD I unit_in_slot(int unit, I slot) const {
    return is_ally(unit) ? p.num_allies() + slot : p.num_allies() - 1 - slot;
  }
  template <class I>
  THRONG_HD I slot_of(int unit, I opponent) const {
    return is_ally(unit) ? opponent - p.num_allies() : p.num_allies() - 1 - opponent;
  }

  THRONG_HD Real distance2(int a, auto b) const {
    const Real dx = s.x[b] - s.x[a], dy = s.y[b] - s.y[a];
    return dx * dx + dy * dy;
  }
  THRONG_HD Bool in_range(int unit, auto target) const {
    const Int type = s.type[unit];
    return alive(target) & (distance2(unit, target) < lookup(p.derived.attack_range2, type));
  }

  // The same for the target in a slot, of each of several battles another.
  THRONG_HD Bool target_in_range(int unit, Int slot) const {
    if constexpr (kWidth == 1) return in_range(unit, unit_in_slot(unit, slot));
    Bool in_range = false;
    for (int k = 0; k < (is_ally(unit) ? p.num_enemies() : p.num_allies()); ++k) {
      in_range = in_range | ((slot == k) & this->in_range(unit, unit_in_slot(unit, k)));
    }
    return in_range;
  }

  THRONG_HD Real health_share(int unit) const {
    const Int type = s.type[unit];
    return s.health[unit] * lookup(p.derived.per_health, type);
  }
  THRONG_HD Real cooldown_share(int unit) const {
    if (p.legacy) return s.cooldown[unit];
    const Int type = s.type[unit];
    return clamp(Real(s.cooldown[unit] * lookup(p.derived.per_cooldown, type)), 0, 1);
  }

  // --- what is seen

  THRONG_HD void observe(int agent, auto& out) const { observe_unit(agent, out); }

  THRONG_HD static int observe_parts(const P& p) { return p.num_units(); }
  THRONG_HD void observe_part(int agent, int part, auto& out) const { observe_unit_part(agent, part, out); }

  THRONG_HD void observe_unit(int unit, auto& out) const {
    for (int part = 0; part < p.num_units(); ++part) observe_unit_part(unit, part, out);
  }

  // A block of 13 for every other unit, its own team first, then 10 of its own. Enemies see everything in reverse order, so
  // that the two teams look alike. Zeros stand for what is dead or out of sight, and for everything if the observer is dead.
  THRONG_HD void observe_unit_part(int unit, int part, auto& out) const {
    const int last = p.num_units() - 1, rank = is_ally(unit) ? unit : last - unit;
    const bool itself = part == last;
    const int in_order = itself ? rank : part + (part >= rank), other = is_ally(unit) ? in_order : last - in_order;
    const Int type = s.type[unit], other_type = s.type[other];
    const Bool seen = alive(unit) & alive(other) & (distance2(unit, other) < lookup(p.derived.sight_range2, type));
    const Real per_sight = lookup(p.derived.per_sight, type);
    // Others stand somewhere from here, in shares of the sight range; oneself on the map, in shares of its size.
    const Real x = itself ? s.x[unit] * p.derived.per_width : (s.x[other] - s.x[unit]) * per_sight;
    const Real y = itself ? s.y[unit] * p.derived.per_height : (s.y[other] - s.y[unit]) * per_sight;
    out(select(seen, health_share(other), 0));
    out(select(seen, x, 0));
    out(select(seen, y, 0));
    const bool plans_show = p.see_enemy_actions || is_ally(unit) == is_ally(other);
    if (!itself) observe_plans(other, seen & Bool(plans_show), out);
    out(select(seen, cooldown_share(other), 0));
    write_type(select(seen, other_type, kNumTypes), out);
  }

  THRONG_HD void observe_plans(int other, Bool seen, auto& out) const {
    const Int action = s.action[other];
    out(select(seen, real(ones(action == kEast) - ones(action == kWest)), 0));
    out(select(seen, real(ones(action == kNorth) - ones(action == kSouth)), 0));
    out(select(seen & (action >= kFirstAttack), real(action) * p.derived.per_action[!is_ally(other)], 0));
  }

  THRONG_HD static void write_type(Int type, auto& out) {
    for (int t = 0; t < kNumTypes; ++t) out(select(type == t, 1.0f, 0.0f));
  }

  // Legal are: all moves to the living, attacks on living opponents in range, even if the weapon is not ready, and to stop.
  THRONG_HD void avail(int agent, auto& out) const {
    avail_unit(agent, out);
    const int opponents = is_ally(agent) ? p.num_enemies() : p.num_allies();
    for (int slot = opponents; slot < p.num_slots(); ++slot) out(false);  // nobody is there
  }

  THRONG_HD void avail_unit(int unit, auto& out) const {
    const Bool lives = alive(unit);
    for (int move = kNorth; move <= kWest; ++move) out(lives);
    out(true);
    const int opponents = is_ally(unit) ? p.num_enemies() : p.num_allies();
    for (int slot = 0; slot < opponents; ++slot) out(Bool(lives & in_range(unit, unit_in_slot(unit, slot))));
  }

  THRONG_HD Bool active(int agent) const { return alive(agent); }

  // The map as it is: 10 values for every unit, in raw coordinates and seconds, zeros for the dead; then all teams, all types.
  THRONG_HD void world_state(auto& out) const {
    for (int part = 0; part < world_state_parts(p); ++part) world_state_part(part, out);
  }

  THRONG_HD static int world_state_parts(const P& p) { return p.num_units() + 1; }
  THRONG_HD void world_state_part(int part, auto& out) const {
    if (part == p.num_units()) return write_teams_and_types(out);
    const int unit = part;
    const Int type = s.type[unit];
    const Bool lives = alive(unit);
    out(select(lives, s.health[unit] / lookup(p.max_health, type), 0));
    out(select(lives, s.x[unit], 0));
    out(select(lives, s.y[unit], 0));
    out(select(lives, s.cooldown[unit], 0));
    write_type(select(lives, type, kNumTypes), out);
  }

  THRONG_HD void write_teams_and_types(auto& out) const {
    for (int unit = 0; unit < p.num_units(); ++unit) out(is_ally(unit) ? 0.0f : 1.0f);
    for (int unit = 0; unit < p.num_units(); ++unit) out(real(Int(s.type[unit])));
  }

  THRONG_HD void info(auto& out) const {
    int killed = 0;
    for (int unit = p.num_allies(); unit < p.num_units(); ++unit) killed += !alive(unit);
    out(won() ? 1.0f : 0.0f);
    out(static_cast<float>(killed) / static_cast<float>(p.num_enemies()));
  }

  // --- the script for the agents, too

  static constexpr const char* kPolicies[] = {"heuristic", "heuristic_random"};  // by attack mode

  struct Memory {
    Field<float> goal_x, goal_y;  // [agent, env], as in State
    Field<uint8_t> last;          // [agent, env], the slot that it attacked last, and 1; 0: none

    template <class V>
    THRONG_HD void fields(const P& p, V&& v) {
      v("goal_x", goal_x, p.num_agents());
      v("goal_y", goal_y, p.num_agents());
      v("last", last, p.num_agents());
    }
  };

  THRONG_HD void act(int policy, int agent, const Memory& m, auto& out, Rng rng) const {
    Recollection memory{m.goal_x[agent], m.goal_y[agent], m.last[agent] - 1};
    const Script script{policy == 0 ? kClosest : kRandom, /*shoots=*/true, agent};
    const int action = scripted_action(Opponents<EnvOf>{*this, agent}, script, memory, DrawsOf<kWidth>(rng));
    m.goal_x[agent] = memory.goal_x;
    m.goal_y[agent] = memory.goal_y;
    m.last[agent] = static_cast<uint8_t>(memory.last_slot + 1);
    out(alive(agent) ? action : kStop);
  }

  void render(Canvas& canvas) const { draw_battle(*this, canvas); }

  // One picture for every world step.
  static int frames(const P& p) { return p.world_steps_per_env_step; }
  static P until_frame(P p, int frame) {
    p.world_steps_per_env_step = frame;
    return p;
  }
};

struct Env : EnvOf<Params> {
  // What is fought most has kernels of its own.
  using Variants = Types<EnvOf<Sized<3, 3>>, EnvOf<Sized<5, 5>>, EnvOf<Sized<10, 10>>>;
  // A CPU plays several side by side.
  template <int W>
  using Packs = Types<EnvOf<Abreast<W, Sized<3, 3>>>, EnvOf<Abreast<W, Sized<5, 5>>>, EnvOf<Abreast<W>>>;
};
static_assert(Environment<Env>);

}  // namespace throng::smax
