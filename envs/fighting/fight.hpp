// A fight between two rounds' bells as plain values: two fighters, their projectiles, the clock; and the constants of the game.
#pragma once

#include <cstdint>

#include "core/platform.hpp"
#include "envs/fighting/roster.hpp"

namespace throng::fighting {

inline constexpr int kStage = 384 * kPixel;  // x runs from 0 to this, y up from the ground
inline constexpr int kRoundFrames = 3600;
inline constexpr int kMaxMeter = 300, kFullGuard = 100;
inline constexpr int kSuperCost = 200;  // a move this dear stops the world
inline constexpr int kSuperFreeze = 16;
inline constexpr int kThrowLock = 22, kTechWindow = 8, kTechFrames = 20, kThrowDistance = 44 * kPixel;
inline constexpr int kTechPush = 30 * kPixel;
inline constexpr int kRiseFrames = 18, kSoftDown = 16, kHardDown = 30, kDownDelay = 12;
inline constexpr int kProofAfterStun = 6, kProofAfterRise = 7, kProofAfterCounter = 12;
inline constexpr int kLand = 3, kLandAttack = 4, kLandThrow = 12;
inline constexpr int kCrushFrames = 45, kCrushGuard = 50, kGuardFrames = 8;
inline constexpr int kCancelFrames = 6, kMaxChain = 3;
inline constexpr int kMaxJuggle = 8, kClosedJuggle = 9, kShotJuggle = 3;
inline constexpr int kShotHitstop = 8, kClashCooldown = 8, kOutside = 20 * kPixel;
inline constexpr int kAirhitGravity = 115;
inline constexpr int kShots = 2;  // projectile slots of a fighter

enum FighterState : uint8_t {
  kStand,
  kWalkForward,
  kWalkBack,
  kCrouch,  // free: any command
  kPrejump,
  kAir,
  kLanding,
  kDashForward,
  kDashBack,
  kMove,
  kHitstun,
  kAirhit,
  kBlockstun,
  kDown,
  kRise,
  kThrown,
  kThrowing,
  kTech,
  kCrush
};
inline constexpr int kNumStates = 19;

enum Flag : uint16_t {
  kContact = 1,      // the move has touched the opponent
  kAirSpent = 2,     // the attack of this jump is used up
  kArmorSpent = 4,   // the armour of this move is used up
  kFallsHard = 8,    // the next landing is a hard one
  kLowGuard = 16,    // blocks low in block-stun
  kDelayed = 32,     // has stayed down longer, once
  kThrowsBack = 64,  // the throw goes behind
};

// What is counted per episode, for `info`.
enum Event : uint8_t { kHits, kBlocks, kThrowsLanded, kTechs, kCounters, kCrushes, kWhiffs };
inline constexpr int kNumEvents = 7;

// No padding in these structs: the state of an environment is their very words.
struct Fighter {
  uint64_t presses;      // a timer of 3 bits for each Press
  uint64_t motions;      // motion mode, see motion_presses
  int32_t x, y;          // feet, units
  int16_t vx, vy, push;  // units per frame; push-back that is still to come, units
  int16_t hp, meter;
  uint16_t flags;
  uint8_t who;           // index into the roster
  int8_t facing;         // 1 right, -1 left
  int8_t jump;           // direction of the jump, seen from the fighter: 1 forward, -1 back
  uint8_t held;          // direction held, on the number pad, 4 is left
  uint8_t state, since;  // since: frames in this state, at most 255
  uint8_t move, frame;   // the move in state kMove and its frame
  int8_t hit;            // number of the last hit of this move that touched, -1 for none
  uint8_t guard, guard_tick;
  uint8_t stun, stop;                 // frames of stun, landing or lying; frames of hitstop
  uint8_t combo, juggle, chain;       // hits taken in a row; juggle points used; lights chained
  uint8_t throw_proof, strike_proof;  // frames
  uint8_t events[kNumEvents];
  uint8_t wins;  // rounds of this match
  uint8_t unused[2];

  THRONG_HD bool has(Flag flag) const { return (flags & flag) != 0; }
  THRONG_HD void mark(Flag flag, bool on = true) { flags = static_cast<uint16_t>(on ? flags | flag : flags & ~flag); }
  THRONG_HD void count(Event event) { events[event] += events[event] < 255; }
  THRONG_HD bool airborne() const { return y > 0; }
  THRONG_HD bool free() const { return state <= kCrouch; }
  THRONG_HD void enter(int next, int frames = 0) {
    if (state != next) since = 0;
    state = static_cast<uint8_t>(next);
    stun = static_cast<uint8_t>(frames);
  }
};

struct Shot {
  int32_t x, y;  // the middle of its lower edge, units
  int16_t vx, life;
  uint8_t move;  // of its owner, which made it; kNoMove: the slot is free
  uint8_t arm, durability, cooldown;

  THRONG_HD bool alive() const { return move != kNoMove; }
};

struct Fight {
  Fighter fighter[2];    // [seat]
  Shot shot[2][kShots];  // [seat, slot]
  int16_t timer;         // frames left
  uint8_t freeze;        // frames for which a super stops everything
  int8_t order;          // 1 if seat 0 is left of seat 1, -1 if right; the last answer while they are equal
  uint8_t round;         // rounds of this match that are over
  uint8_t unused[3];
};
static_assert(sizeof(Fighter) == 64 && sizeof(Shot) == 16 && sizeof(Fight) == 2 * 64 + 4 * 16 + 8);

enum class Result : uint8_t { kRunning, kSeat0, kSeat1, kDraw };

// --- small arithmetic

THRONG_HD constexpr int sign(int x) { return (x > 0) - (x < 0); }
THRONG_HD constexpr int magnitude(int x) { return x < 0 ? -x : x; }
THRONG_HD constexpr int smaller(int a, int b) { return a < b ? a : b; }
THRONG_HD constexpr int larger(int a, int b) { return a > b ? a : b; }
THRONG_HD constexpr int between(int x, int low, int high) { return x < low ? low : x > high ? high : x; }

// Horizontal and vertical part of a direction on the number pad.
THRONG_HD constexpr int across(int direction) { return (direction + 2) % 3 - 1; }
THRONG_HD constexpr bool is_down(int direction) { return direction <= 3; }
THRONG_HD constexpr bool is_up(int direction) { return direction >= 7; }
THRONG_HD constexpr int mirrored(int direction) { return direction - 2 * across(direction); }

// The direction from a seat to the other.
THRONG_HD inline int towards_other(const Fight& f, int seat) { return seat == 0 ? f.order : -f.order; }

// A box in units: [left, right) x [bottom, top).
struct Box {
  int left, bottom, right, top;
};
THRONG_HD constexpr bool overlap(const Box& a, const Box& b) {
  return a.left < b.right && b.left < a.right && a.bottom < b.top && b.bottom < a.top;
}

THRONG_HD inline Box attack_box(const Fighter& f, const Move& m, int shortened = 0) {
  const int near = m.box_x * kPixel, far = (m.box_x + m.box_w) * kPixel - shortened;
  const int bottom = f.y + m.box_y * kPixel;
  return {f.facing > 0 ? f.x + near : f.x - far, bottom, f.facing > 0 ? f.x + far : f.x - near,
          bottom + m.box_h * kPixel};
}

THRONG_HD inline Box shot_box(const Shot& s, const ShotData& data) {
  const int half = data.w * (kPixel / 2);
  return {s.x - half, s.y, s.x + half, s.y + data.h * kPixel};
}

THRONG_HD inline bool crouches(const Fighter& f) {
  return f.state == kCrouch || (f.state == kBlockstun && f.has(kLowGuard)) ||
         (f.state == kMove && f.move >= k2L && f.move <= k2H);
}

THRONG_HD inline Box body_box(const Roster& r, const Fighter& f) {
  const FighterData& d = r.fighters[f.who];
  constexpr int kLift = 8 * kPixel;
  const bool air = f.airborne() || f.state == kAirhit, low = crouches(f);
  const int half = (air ? d.air_w : low ? d.crouch_w : d.stand_w) * (kPixel / 2);
  const int height = (air ? d.air_h : low ? d.crouch_h : d.stand_h) * kPixel, bottom = f.y + (air ? kLift : 0);
  return {f.x - half, bottom, f.x + half, bottom + height};
}

// A limb that attacks can be hit, from two frames before it is dangerous until six after. False if there is none.
THRONG_HD inline bool limb_box(const Roster& r, const Fighter& f, Box& box) {
  constexpr int kShorter = 6 * kPixel, kBefore = 2, kAfter = 6;
  if (f.state != kMove) return false;
  const Move& m = r.move(f.who, f.move);
  if (m.kind != kStrike || m.box_w == 0) return false;
  box = attack_box(f, m, kShorter);
  return f.frame + kBefore >= m.startup && f.frame < m.startup + m.active + kAfter;
}

THRONG_HD inline bool touches(const Roster& r, const Fighter& victim, const Box& attack) {
  Box limb;
  return overlap(attack, body_box(r, victim)) || (limb_box(r, victim, limb) && overlap(attack, limb));
}

THRONG_HD inline const ShotData& data_of(const Roster& r, const Fighter& owner, const Shot& s) {
  return r.fighters[owner.who].shots[r.move(owner.who, s.move).shot];
}

THRONG_HD inline bool slot_free(const Roster& r, const Fight& f, int seat, const Move& m) {
  return !f.shot[seat][r.fighters[f.fighter[seat].who].shots[m.shot].slot].alive();
}

}  // namespace throng::fighting
