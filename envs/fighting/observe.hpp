// What a fighter knows: 184 numbers with a roster of twelve, seen from its own place and mirrored so that +x is ahead.
#pragma once

#include "envs/fighting/contacts.hpp"
#include "envs/fighting/fight.hpp"
#include "envs/fighting/params.hpp"

namespace throng::fighting {

inline constexpr float kPerPixel = 1.0f / kPixel;

THRONG_HD inline float per(int value, float whole) { return static_cast<float>(value) / whole; }
THRONG_HD inline float pixels(int units) { return static_cast<float>(units) * kPerPixel; }

// Frames until a fighter acts again, as far as it can be known.
THRONG_HD inline int frames_to_freedom(const Roster& r, const Fighter& f) {
  const FighterData& d = r.fighters[f.who];
  switch (f.state) {
    case kPrejump: return d.prejump - f.since;
    case kDashForward: return d.dash_frames - f.since;
    case kDashBack: return d.backdash_frames - f.since;
    case kMove: return larger(r.move(f.who, f.move).frames() - f.frame, 0);
    case kDown: return f.stun + kRiseFrames;
    case kRise: return kRiseFrames - f.since;
    case kThrown: return larger(kThrowLock - f.since, 0) + kHardDown + kRiseFrames;
    case kThrowing: return larger(kThrowLock - f.since, 0) + kLandThrow;
    case kTech: return kTechFrames - f.since;
    default: return f.stun;
  }
}

THRONG_HD inline bool can_act(const Roster& r, const Fighter& f) {
  return f.stop == 0 && (f.free() || (f.state == kAir && !f.has(kAirSpent)) ||
                         (f.state == kDashForward && f.since >= r.fighters[f.who].dash_cancel_from));
}

// n numbers, of which number `at` is 1.
THRONG_HD inline void one_hot(int at, int n, auto& out) {
  for (int i = 0; i < n; ++i) out(i == at ? 1.0f : 0.0f);
}

struct View {
  const Params& p;
  const Fight& f;
  int seat;

  THRONG_HD const Roster& roster() const { return p.fighters; }
  THRONG_HD int ahead() const { return f.fighter[seat].facing; }

  // 62 numbers: place, resources, state, timing, abilities, move.
  THRONG_HD void fighter(int who, auto& row) const {
    auto out = row;  // a copy: for all that the compiler knows, a byte of the fighter could be a part of `row`
    const Fighter& me = f.fighter[who];
    const Roster& r = roster();
    const bool hidden_meter = who != seat && p.hides(kHideMeter), hidden_move = who != seat && p.hides(kHideMove);
    const int meter = hidden_meter ? 0 : me.meter, behind = me.facing > 0 ? me.x : kStage - me.x;
    out(per(ahead() * (me.x - kStage / 2), kStage / 2));
    out(pixels(me.y) / 96);
    out(pixels(ahead() * me.vx) / 8);
    out(pixels(me.vy) / 8);
    out(per(me.hp, r.fighters[me.who].hp));
    out(per(meter, kMaxMeter));
    out(per(me.guard, kFullGuard));
    out(per(behind, kStage));
    out(pixels(ahead() * me.push) / 32);
    one_hot(me.state, kNumStates, out);
    out(per(smaller(me.since, 64), 64));
    const bool moves = me.state == kMove && !hidden_move;
    const Move& m = r.move(me.who, me.move < kNumMoves ? me.move : 0);
    out(moves && me.frame < m.startup ? 1.0f : 0.0f);
    out(moves && m.is_active(me.frame) ? 1.0f : 0.0f);
    out(moves && me.frame >= m.startup + m.active ? 1.0f : 0.0f);
    out(hidden_move && me.state == kMove ? 0.0f : per(smaller(frames_to_freedom(r, me), 64), 64));
    out(per(smaller(me.stop, 16), 16));
    out(me.state == kMove && me.has(kContact) ? 1.0f : 0.0f);
    out(me.airborne() ? 1.0f : 0.0f);
    out(me.airborne() && me.has(kAirSpent) ? 1.0f : 0.0f);
    out(per(smaller(me.combo, 10), 10));
    out(me.throw_proof > 0 ? 1.0f : 0.0f);
    out(!hidden_move && is_proof(r, me, kStrikes, false) ? 1.0f : 0.0f);
    out(!hidden_move && is_proof(r, me, kProjectiles, false) ? 1.0f : 0.0f);
    out(moves && !me.has(kArmorSpent) && me.frame >= m.armor_from && me.frame < m.armor_to ? 1.0f : 0.0f);
    out(meter >= 100 ? 1.0f : 0.0f);
    out(meter >= 200 ? 1.0f : 0.0f);
    out(can_act(r, me) ? 1.0f : 0.0f);
    one_hot(moves ? me.move : int(kNoMove), kNumMoves, out);
    const Fighter& other = f.fighter[1 - who];
    out(per(me.wins, kRoundsToWin));
    out(sign(other.x - me.x) * me.facing >= 0 ? 1.0f : 0.0f);
    row = out;
  }

  THRONG_HD void shot(int owner, int slot, auto& out) const {
    const Shot& s = f.shot[owner][slot];
    const bool alive = s.alive();
    out(alive ? 1.0f : 0.0f);
    out(alive ? pixels(ahead() * (s.x - f.fighter[seat].x)) / 192 : 0);
    out(alive ? pixels(s.y) / 96 : 0);
    out(alive ? pixels(ahead() * s.vx) / 8 : 0);
    out(alive && s.arm == 0 ? 1.0f : 0.0f);
    out(alive ? per(s.durability, 5) : 0);
    out(alive ? per(s.life, 280) : 0);
  }

  THRONG_HD void relation(auto& out) const {
    const Fighter &me = f.fighter[seat], &other = f.fighter[1 - seat];
    out(pixels(ahead() * (other.x - me.x)) / 192);
    out(pixels(magnitude(other.x - me.x)) / 192);
    out(pixels(other.y - me.y) / 96);
    out(per(f.timer, kRoundFrames));
    out(f.freeze > 0 ? 1.0f : 0.0f);
    out(per(f.round, kMaxRounds));
  }

  // All of it, padded with zeros to a multiple of 8.
  THRONG_HD THRONG_CALLED_ON_GPU void write(auto& out) const {
    const int size = roster().size;
    fighter(seat, out);
    fighter(1 - seat, out);
    for (int i = 0; i < 2 * kShots; ++i) shot(i < kShots ? seat : 1 - seat, i % kShots, out);
    relation(out);
    one_hot(f.fighter[seat].who, size, out);
    one_hot(f.fighter[1 - seat].who, size, out);
    constexpr int kFixed = 2 * 62 + 4 * 7 + 6;
    for (int i = kFixed + 2 * size; i % 8 != 0; ++i) out(0.0f);
  }
};

}  // namespace throng::fighting
