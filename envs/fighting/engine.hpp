// One frame of a fight, in the order that makes it symmetric: what is decided from one fighter's place is decided for both.
#pragma once

#include "envs/fighting/contacts.hpp"
#include "envs/fighting/fight.hpp"
#include "envs/fighting/input.hpp"
#include "envs/fighting/movement.hpp"

namespace throng::fighting {

THRONG_HD inline void tick_down(uint8_t& counter) { counter -= counter > 0; }

// The end of a throw: damage, and the victim lies before the thrower, who turns round if the throw goes behind.
THRONG_HD inline void release_throw(const Roster& r, Fight& f, int seat) {
  Fighter &me = f.fighter[seat], &victim = f.fighter[1 - seat];
  if (me.state != kThrowing || me.since < kThrowLock) return;
  const Move& m = r.move(me.who, me.move);
  const int half = r.fighters[victim.who].push_half * kPixel;
  hurt(victim, m.damage);
  earn(me, m.damage / 5);
  earn(victim, m.damage / 6);
  if (me.has(kThrowsBack)) me.facing = static_cast<int8_t>(-me.facing);
  victim.x = between(me.x + me.facing * kThrowDistance, half, kStage - half);
  victim.facing = static_cast<int8_t>(-me.facing);
  victim.enter(kDown, kHardDown);
  victim.mark(kDelayed, false);
  victim.combo = victim.juggle = 0;
  me.enter(kLanding, kLandThrow);
  me.count(kThrowsLanded);
}

THRONG_HD inline void face_each_other(Fight& f) {
  const int dx = f.fighter[1].x - f.fighter[0].x;
  if (dx != 0) f.order = static_cast<int8_t>(sign(dx));
  for (int i = 0; i < 2; ++i) {
    if (f.fighter[i].free()) f.fighter[i].facing = static_cast<int8_t>(towards_other(f, i));
  }
}

THRONG_HD inline void restore_guard(Fighter& me) {
  me.meter = static_cast<int16_t>(smaller(me.meter, kMaxMeter));
  if (me.state == kBlockstun) return;
  if (++me.guard_tick < kGuardFrames) return;
  me.guard_tick = 0;
  me.guard = static_cast<uint8_t>(smaller(me.guard + 1, kFullGuard));
}

// Health as shares of a thousand decides when time is up.
THRONG_HD inline Result result_of(const Roster& r, const Fight& f) {
  const Fighter &a = f.fighter[0], &b = f.fighter[1];
  const bool ko[2] = {a.hp <= 0, b.hp <= 0};
  if (ko[0] || ko[1]) return ko[0] && ko[1] ? Result::kDraw : ko[1] ? Result::kSeat0 : Result::kSeat1;
  if (f.timer > 0) return Result::kRunning;
  const int share[2] = {a.hp * 1000 / r.fighters[a.who].hp, b.hp * 1000 / r.fighters[b.who].hp};
  return share[0] > share[1] ? Result::kSeat0 : share[0] < share[1] ? Result::kSeat1 : Result::kDraw;
}

// Called, not inlined: it is most of a kernel, and once is enough.
THRONG_HD THRONG_CALLED_ON_GPU inline Result play_frame(const Roster& r, Fight& f, const Input (&input)[2]) {
  for (int i = 0; i < 2; ++i) latch(f.fighter[i], input[i]);
  if (f.freeze > 0) {
    --f.freeze;
    return Result::kRunning;
  }
  bool frozen[2];
  for (int i = 0; i < 2; ++i) {
    Fighter& me = f.fighter[i];
    frozen[i] = me.stop > 0;
    if (frozen[i]) {
      --me.stop;
      continue;
    }
    tick_down(me.throw_proof);
    tick_down(me.strike_proof);
    advance(r, me);
  }
  for (int i = 0; i < 2; ++i) release_throw(r, f, i);
  face_each_other(f);
  for (int i = 0; i < 2; ++i) {
    if (!frozen[i]) command(r, f, i);
  }
  move_all(r, f, frozen);
  separate(r, f);
  fly_shots(r, f);
  resolve_contacts(r, f);
  for (int i = 0; i < 2; ++i) restore_guard(f.fighter[i]);
  --f.timer;
  return result_of(r, f);
}

// How a round begins; who they are, meter, events and rounds won stay.
THRONG_HD inline void begin_round(const Roster& r, Fight& f, int centre, int separation) {
  f.timer = kRoundFrames;
  f.freeze = 0;
  f.order = 1;
  for (int i = 0; i < 2; ++i) {
    const Fighter old = f.fighter[i];
    Fighter& me = f.fighter[i];
    me = Fighter{};
    me.who = old.who;
    me.meter = old.meter;
    me.wins = old.wins;
    for (int e = 0; e < kNumEvents; ++e) me.events[e] = old.events[e];
    me.facing = static_cast<int8_t>(i == 0 ? 1 : -1);
    me.x = centre - me.facing * (separation / 2);
    me.hp = r.fighters[me.who].hp;
    me.guard = kFullGuard;
    me.held = 5;
    me.move = kNoMove;
    me.hit = -1;
    for (Shot& s : f.shot[i]) s = Shot{0, 0, 0, 0, kNoMove, 0, 0, 0};
  }
}

}  // namespace throng::fighting
