// What the fighting game remembers of one environment.
#pragma once

#include <cstdint>

#include "core/field.hpp"
#include "envs/fighting/fight.hpp"
#include "envs/fighting/params.hpp"

namespace throng::fighting {

// Fighters as fields, [seat, env] or, for the past that a delayed observation shows, [slot * 2 + seat, env].
struct FighterFields {
  Field<int32_t> x, y;
  Field<int16_t> vx, vy, push, hp, meter;
  Field<uint16_t> flags;
  Field<uint64_t> presses, motions;
  Field<uint8_t> who, held, state, since, move, frame, guard, guard_tick, stun, stop, combo, juggle, chain;
  Field<uint8_t> throw_proof, strike_proof;
  Field<int8_t> facing, jump, hit;

  template <class V>
  THRONG_HD void fields(bool past, int count, V&& v) {
    v(past ? "past_x" : "x", x, count);
    v(past ? "past_y" : "y", y, count);
    v(past ? "past_vx" : "vx", vx, count);
    v(past ? "past_vy" : "vy", vy, count);
    v(past ? "past_push" : "push", push, count);
    v(past ? "past_hp" : "hp", hp, count);
    v(past ? "past_meter" : "meter", meter, count);
    v(past ? "past_flags" : "flags", flags, count);
    v(past ? "past_presses" : "presses", presses, count);
    v(past ? "past_motions" : "motions", motions, count);
    v(past ? "past_who" : "who", who, count);
    v(past ? "past_held" : "held", held, count);
    v(past ? "past_state" : "state", state, count);
    v(past ? "past_since" : "since", since, count);
    v(past ? "past_move" : "move", move, count);
    v(past ? "past_frame" : "frame", frame, count);
    v(past ? "past_guard" : "guard", guard, count);
    v(past ? "past_guard_tick" : "guard_tick", guard_tick, count);
    v(past ? "past_stun" : "stun", stun, count);
    v(past ? "past_stop" : "stop", stop, count);
    v(past ? "past_combo" : "combo", combo, count);
    v(past ? "past_juggle" : "juggle", juggle, count);
    v(past ? "past_chain" : "chain", chain, count);
    v(past ? "past_throw_proof" : "throw_proof", throw_proof, count);
    v(past ? "past_strike_proof" : "strike_proof", strike_proof, count);
    v(past ? "past_facing" : "facing", facing, count);
    v(past ? "past_jump" : "jump", jump, count);
    v(past ? "past_hit" : "hit", hit, count);
  }

  // copy(value, stored) for every member of a fighter and its place here.
  template <class F, class Copy>
  THRONG_HD void visit(F& f, int i, Copy&& copy) const {
    copy(f.x, x[i]), copy(f.y, y[i]);
    copy(f.vx, vx[i]), copy(f.vy, vy[i]), copy(f.push, push[i]), copy(f.hp, hp[i]), copy(f.meter, meter[i]);
    copy(f.flags, flags[i]), copy(f.presses, presses[i]), copy(f.motions, motions[i]);
    copy(f.who, who[i]), copy(f.held, held[i]), copy(f.state, state[i]), copy(f.since, since[i]);
    copy(f.move, move[i]), copy(f.frame, frame[i]), copy(f.guard, guard[i]), copy(f.guard_tick, guard_tick[i]);
    copy(f.stun, stun[i]), copy(f.stop, stop[i]), copy(f.combo, combo[i]), copy(f.juggle, juggle[i]);
    copy(f.chain, chain[i]), copy(f.throw_proof, throw_proof[i]), copy(f.strike_proof, strike_proof[i]);
    copy(f.facing, facing[i]), copy(f.jump, jump[i]), copy(f.hit, hit[i]);
  }
};

// Projectiles, [seat * 2 + slot, env] or [(delay slot * 2 + seat) * 2 + slot, env].
struct ShotFields {
  Field<int32_t> x, y;
  Field<int16_t> vx, life;
  Field<uint8_t> move, arm, durability, cooldown;

  template <class V>
  THRONG_HD void fields(bool past, int count, V&& v) {
    v(past ? "past_shot_x" : "shot_x", x, count);
    v(past ? "past_shot_y" : "shot_y", y, count);
    v(past ? "past_shot_vx" : "shot_vx", vx, count);
    v(past ? "past_shot_life" : "shot_life", life, count);
    v(past ? "past_shot_move" : "shot_move", move, count);
    v(past ? "past_shot_arm" : "shot_arm", arm, count);
    v(past ? "past_shot_durability" : "shot_durability", durability, count);
    v(past ? "past_shot_cooldown" : "shot_cooldown", cooldown, count);
  }

  template <class S, class Copy>
  THRONG_HD void visit(S& s, int i, Copy&& copy) const {
    copy(s.x, x[i]), copy(s.y, y[i]), copy(s.vx, vx[i]), copy(s.life, life[i]), copy(s.move, move[i]);
    copy(s.arm, arm[i]), copy(s.durability, durability[i]), copy(s.cooldown, cooldown[i]);
  }
};

inline constexpr int kGlances = 32;  // frames that a rule bot can look back

struct State {
  FighterFields fighter;        // [seat, env]
  ShotFields shot;              // [seat * 2 + slot, env]
  Field<uint8_t> events;        // [seat * kNumEvents + event, env]
  Field<int16_t> timer;         // [env], frames left of the round
  Field<uint8_t> freeze;        // [env]
  Field<int8_t> order;          // [env]
  Field<uint8_t> wins;          // [seat, env], rounds of this match
  Field<uint8_t> round;         // [env], rounds of this match that are over
  Field<uint8_t> rounds;        // [env], rounds of this episode that are over
  Field<uint8_t> seat;          // [env], of agent 0
  Field<uint8_t> rung;          // [env], of the ladder
  Field<uint8_t> last_result;   // [env], Result of the round that ended last
  Field<uint8_t> match_result;  // [env], of the match that ended last
  Field<int32_t> dealt;         // [seat, env], damage in this episode, ten-thousandths of full health
  Field<uint64_t> history;      // [seat, env], the last eight inputs, the last in the lowest byte
  Field<uint64_t> glance;       // [seat * kGlances + frame, env], what a rule bot sees of a seat; with built-ins
  Field<uint8_t> glance_at;     // [env], the frame that is written next
  FighterFields past;           // [delay slot * 2 + seat, env]
  ShotFields past_shot;         // [(delay slot * 2 + seat) * 2 + slot, env]
  Field<uint8_t> past_at;       // [env], the slot that is written next, the oldest

  template <class V>
  THRONG_HD void fields(const Params& p, V&& v) {
    fighter.fields(false, 2, v);
    shot.fields(false, 2 * kShots, v);
    v("events", events, 2 * kNumEvents);
    v("timer", timer, 1);
    v("freeze", freeze, 1);
    v("order", order, 1);
    v("wins", wins, 2);
    v("round", round, 1);
    v("rounds", rounds, 1);
    v("seat", seat, 1);
    v("rung", rung, 1);
    v("last_result", last_result, 1);
    v("match_result", match_result, 1);
    v("dealt", dealt, 2);
    if (p.has_builtins()) {
      v("history", history, 2);
      v("glance", glance, 2 * kGlances);
      v("glance_at", glance_at, 1);
    }
    if (p.derived.delay_slots > 0) {
      past.fields(true, 2 * p.derived.delay_slots, v);
      past_shot.fields(true, 2 * kShots * p.derived.delay_slots, v);
      v("past_at", past_at, 1);
    }
  }

  THRONG_HD Fight load() const {
    Fight f;
    auto copy = [](auto& value, const auto& stored) { value = stored; };
    for (int i = 0; i < 2; ++i) {
      fighter.visit(f.fighter[i], i, copy);
      for (int e = 0; e < kNumEvents; ++e) f.fighter[i].events[e] = events[i * kNumEvents + e];
      for (int slot = 0; slot < kShots; ++slot) shot.visit(f.shot[i][slot], i * kShots + slot, copy);
    }
    f.timer = timer[0];
    f.freeze = freeze[0];
    f.order = order[0];
    return f;
  }

  THRONG_HD void store(const Fight& f) const {
    auto copy = [](const auto& value, auto& stored) { stored = value; };
    for (int i = 0; i < 2; ++i) {
      fighter.visit(f.fighter[i], i, copy);
      for (int e = 0; e < kNumEvents; ++e) events[i * kNumEvents + e] = f.fighter[i].events[e];
      for (int slot = 0; slot < kShots; ++slot) shot.visit(f.shot[i][slot], i * kShots + slot, copy);
    }
    timer[0] = f.timer;
    freeze[0] = f.freeze;
    order[0] = f.order;
  }

  // The past: what an opponent shows after the delay.
  THRONG_HD void remember(const Fight& f, int slot) const {
    auto copy = [](const auto& value, auto& stored) { stored = value; };
    for (int i = 0; i < 2; ++i) {
      past.visit(f.fighter[i], slot * 2 + i, copy);
      for (int k = 0; k < kShots; ++k) past_shot.visit(f.shot[i][k], (slot * 2 + i) * kShots + k, copy);
    }
  }

  // Replaces a seat by what it was.
  THRONG_HD void recall(Fight& f, int seat_seen, int slot) const {
    auto copy = [](auto& value, const auto& stored) { value = stored; };
    past.visit(f.fighter[seat_seen], slot * 2 + seat_seen, copy);
    for (int k = 0; k < kShots; ++k) past_shot.visit(f.shot[seat_seen][k], (slot * 2 + seat_seen) * kShots + k, copy);
  }
};

}  // namespace throng::fighting
