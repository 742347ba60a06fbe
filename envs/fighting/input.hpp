// What a player says - actions, motions of the stick, presses that live for a few frames - and what it makes a fighter do.
#pragma once

#include <cstdint>

#include "envs/fighting/fight.hpp"

namespace throng::fighting {

// The buttons of the engine, in the order in which they are looked at if several wait.
enum Press : uint8_t {
  kPressSuper,
  kPressC,
  kPressB,
  kPressA,
  kPressThrow,
  kPressBackThrow,
  kPressOverhead,
  kPressHeavy,
  kPressMedium,
  kPressLight,
  kPressReversal,
  kPressDash,
  kPressBackDash
};
inline constexpr int kNumPresses = 13;
inline constexpr int kPressFrames = 5;

// One frame of one player: a direction on the number pad, 4 is left, and a set of presses.
struct Input {
  uint8_t direction = 5;
  uint16_t presses = 0;
};

THRONG_HD constexpr uint16_t bit(int press) { return static_cast<uint16_t>(1u << press); }

// --- direct mode: 24 actions; directions as seen from the fighter

enum Action : uint8_t {
  kNeutral,
  kForward,
  kBack,
  kCrouchDown,
  kCrouchBlock,
  kJumpUp,
  kJumpForward,
  kJumpBack,
  kDash,
  kBackDash,
  kAct5L,
  kAct5M,
  kAct5H,
  kAct2L,
  kAct2M,
  kAct2H,
  kActOverhead,
  kActThrow,
  kActBackThrow,
  kActA,
  kActB,
  kActC,
  kActSuper,
  kActReversal
};
inline constexpr int kNumActions = 24;
inline constexpr const char* kActionNames[kNumActions] = {
    "neutral",  "forward",   "back",       "crouch",    "crouch block", "jump",      "jump forward", "jump back",
    "dash",     "back-dash", "5L",         "5M",        "5H",           "2L",        "2M",           "2H",
    "overhead", "throw",     "back throw", "special A", "special B",    "special C", "super",        "reversal"};

// An action out of range is neutral.
THRONG_HD constexpr Input direct_input(int action) {
  switch (action) {
    case kForward: return {6, 0};
    case kBack: return {4, 0};
    case kCrouchDown: return {2, 0};
    case kCrouchBlock: return {1, 0};
    case kJumpUp: return {8, 0};
    case kJumpForward: return {9, 0};
    case kJumpBack: return {7, 0};
    case kDash: return {5, bit(kPressDash)};
    case kBackDash: return {5, bit(kPressBackDash)};
    case kAct5L: return {5, bit(kPressLight)};
    case kAct5M: return {5, bit(kPressMedium)};
    case kAct5H: return {5, bit(kPressHeavy)};
    case kAct2L: return {2, bit(kPressLight)};
    case kAct2M: return {2, bit(kPressMedium)};
    case kAct2H: return {2, bit(kPressHeavy)};
    case kActOverhead: return {5, bit(kPressOverhead)};
    case kActThrow: return {5, bit(kPressThrow)};
    case kActBackThrow: return {5, bit(kPressBackThrow)};
    case kActA: return {5, bit(kPressA)};
    case kActB: return {5, bit(kPressB)};
    case kActC: return {5, bit(kPressC)};
    case kActSuper: return {5, bit(kPressSuper)};
    case kActReversal: return {5, bit(kPressReversal)};
    default: return {5, 0};
  }
}

// The action that goes the other way.
THRONG_HD constexpr int turned_action(int action) {
  constexpr uint8_t kTurned[] = {kNeutral, kBack,     kForward,     kCrouchDown, kCrouchBlock,
                                 kJumpUp,  kJumpBack, kJumpForward, kBackDash,   kDash};
  return action >= 0 && action <= kBackDash ? kTurned[action] : action;
}

THRONG_HD constexpr int absolute(int direction, int facing) { return facing > 0 ? direction : mirrored(direction); }

// --- motion mode: a direction and a button; specials are drawn with the stick

enum Button : uint8_t { kNoButton, kButtonLight, kButtonMedium, kButtonHeavy, kButtonThrow, kButtonLightMedium };
inline constexpr int kNumDirections = 9, kNumButtons = 6;

// The stages of the motions of kMotions, the first in the lowest digit (hexadecimal, seen from the fighter); then dashes.
// 5 is neutral; in "22" any direction but down will do for it.
THRONG_HD constexpr uint64_t stages_of(int motion) {
  constexpr uint64_t kStages[] = {0,   0x632,    0x326,    0x412,        0x252, 0x63214, 0x6,
                                  0x8, 0x632632, 0x412412, 0x6321463214, 0x656, 0x454};
  return kStages[motion];
}
inline constexpr int kDashMotion = 11, kBackDashMotion = 12, kDownDownMotion = 4;

// Fighter::motions: 8 bits for each of SA, SB, SC, SU, dash and back-dash - 4 for the stage that comes next, 4 for the
// frames that are left - then two charges of 6 bits. A charge counts up while it is held, and when it is let go after
// kChargeFrames it counts down its grace.
inline constexpr int kStageFrames = 12, kButtonFrames = 8, kChargeFrames = 36, kChargeGrace = 10;
inline constexpr int kMotionSlots = 6, kChargeShift = 8 * kMotionSlots;

THRONG_HD inline int advance_charge(int charge, bool held) {
  if (held) return charge > kChargeFrames ? 1 : smaller(charge + 1, kChargeFrames);
  if (charge < kChargeFrames) return 0;
  if (charge == kChargeFrames) return kChargeFrames + kChargeGrace;
  return charge == kChargeFrames + 1 ? 0 : charge - 1;
}

// One frame of one motion: its new 8 bits. A finished motion stays at stage 15 while its button may come.
THRONG_HD inline int advance_motion(int slot, int motion, bool charged, int direction) {
  constexpr int kDone = 15;
  int stage = slot & 15, left = slot >> 4;
  if (left > 0 && --left == 0) stage = 0;
  const uint64_t stages = stages_of(motion);
  auto next_is = [&](int at) {
    const int wanted = static_cast<int>(stages >> (4 * at) & 15);
    if (wanted == 5 && motion == kDownDownMotion) return !is_down(direction);
    return wanted == direction;
  };
  if (stage != kDone) {
    if (stage > 0 && next_is(stage)) {
      ++stage, left = kStageFrames;
    } else if (stage <= 1 && charged && next_is(0)) {
      stage = 1, left = kStageFrames;
    }
    if (stage > 0 && stages >> (4 * stage) == 0) stage = kDone, left = kButtonFrames;
  }
  return stage | left << 4;
}

// What a button alone means.
THRONG_HD constexpr uint16_t button_press(int button, int direction) {
  switch (button) {
    case kButtonLight: return bit(kPressLight);
    case kButtonMedium: return bit(kPressMedium);
    case kButtonHeavy: return bit(direction == 6 ? kPressOverhead : kPressHeavy);
    case kButtonThrow: return bit(across(direction) < 0 ? kPressBackThrow : kPressThrow);
    case kButtonLightMedium: return across(direction) > 0 ? bit(kPressReversal) : 0;
    default: return 0;
  }
}

// The presses of a frame in motion mode; direction and facing as the player meant them at the decision.
THRONG_HD inline uint16_t motion_presses(const Roster& r, Fighter& f, int direction, int button) {
  const uint64_t before = f.motions;
  uint64_t after = 0;
  int charge[2];
  for (int c = 0; c < 2; ++c) {
    const bool held = c == 0 ? across(direction) < 0 : is_down(direction);
    charge[c] = advance_charge(static_cast<int>(before >> (kChargeShift + 6 * c) & 63), held);
    after |= static_cast<uint64_t>(charge[c]) << (kChargeShift + 6 * c);
  }
  uint16_t drawn = 0;
  for (int i = 0; i < kMotionSlots; ++i) {
    const Move& m = r.move(f.who, i < 4 ? kSA + i : kSA);
    const int motion = i < 4 ? m.motion : i == 4 ? kDashMotion : kBackDashMotion;
    const int needed = i < 4 ? int(m.charge) : int(kNoCharge);
    const bool charged = needed == kNoCharge || charge[needed - kChargeBack] > kChargeFrames;
    int slot = advance_motion(static_cast<int>(before >> (8 * i) & 255), motion, charged, direction);
    const bool fires = (slot & 15) == 15 && (i >= 4 || (button >= kButtonLight && button <= kButtonHeavy));
    if (fires) drawn |= bit(i), slot = 0;
    after |= static_cast<uint64_t>(slot) << (8 * i);
  }
  f.motions = after;
  uint16_t presses = button_press(button, direction);
  constexpr uint8_t kMeaning[] = {kPressA, kPressB, kPressC, kPressSuper, kPressDash, kPressBackDash};
  for (int i = 0; i < kMotionSlots; ++i) presses |= drawn >> i & 1 ? bit(kMeaning[i]) : 0;
  return presses;
}

// --- the buffer: a press waits for kPressFrames

THRONG_HD inline int waiting(const Fighter& f, int press) { return static_cast<int>(f.presses >> (3 * press) & 7); }

THRONG_HD inline void latch(Fighter& f, Input input) {
  constexpr uint64_t kOnes = 01111111111111;  // octal: one for each of the 13 timers
  f.held = input.direction;
  f.presses -= (f.presses | f.presses >> 1 | f.presses >> 2) & kOnes;
  for (int press = 0; input.presses >> press != 0; ++press) {
    if (!(input.presses >> press & 1)) continue;
    f.presses = (f.presses & ~(uint64_t{7} << (3 * press))) | uint64_t{kPressFrames} << (3 * press);
  }
}

// --- commands: which move a press means, and whether it may begin

THRONG_HD inline int meant_move(int press, bool air, bool down) {
  switch (press) {
    case kPressSuper: return air ? kNoMove : kSU;
    case kPressC: return kSC;
    case kPressB: return kSB;
    case kPressA: return kSA;
    case kPressThrow:
    case kPressBackThrow: return air ? kNoMove : kTH;
    case kPressOverhead: return air ? kJH : k6H;
    case kPressHeavy: return air ? kJH : down ? k2H : k5H;
    case kPressMedium: return air ? kJH : down ? k2M : k5M;
    case kPressLight: return air ? kJL : down ? k2L : k5L;
    default: return kNoMove;
  }
}

// Meter, a free slot, and the right place: the ground or the air.
THRONG_HD inline bool may_begin(const Roster& r, const Fight& f, int seat, int id) {
  const Fighter& fighter = f.fighter[seat];
  const Move& m = r.move(fighter.who, id);
  if (fighter.meter < m.cost) return false;
  if (fighter.airborne() ? !m.air_only && !m.air_ok : m.air_only) return false;
  return m.kind != kProjectile || slot_free(r, f, seat, m);
}

THRONG_HD inline bool is_light(int id) { return id == k5L || id == k2L; }

// Whether a move that has touched may be broken off for another.
THRONG_HD inline bool cancels_into(const Move& from, int from_id, const Move& to, int to_id, int chain) {
  if (is_light(to_id) && is_light(from_id) && (from.cancel & kIntoLight) && chain < kMaxChain) return true;
  if (to_id <= k2H && (from.cancel & kIntoNormal) && from.level < to.level) return true;
  if (to_id >= kSA && to_id <= kSC) return (from.cancel & kIntoSpecial) != 0;
  if (to_id == kSU) return (from.cancel & (kIntoSpecial | kIntoSuper)) != 0;
  return false;
}

THRONG_HD inline void begin_move(const Roster& r, Fight& f, int seat, int id) {
  Fighter& me = f.fighter[seat];
  const Move& m = r.move(me.who, id);
  const bool chains = me.state == kMove && is_light(id) && is_light(me.move);
  me.chain = static_cast<uint8_t>(chains ? me.chain + 1 : 0);
  me.meter = static_cast<int16_t>(me.meter - m.cost);
  me.state = kMove;
  me.since = me.stun = 0;
  me.move = static_cast<uint8_t>(id);
  me.frame = 0;
  me.hit = -1;
  me.presses = 0;
  me.mark(kContact, false);
  me.mark(kArmorSpent, false);
  if (me.airborne()) {
    me.mark(kAirSpent);
  } else {
    me.vx = me.vy = 0;
  }
  if (m.cost >= kSuperCost) f.freeze = kSuperFreeze;
}

// Walking, crouching, dashing and jumping of a fighter that is free and attacks with nothing.
THRONG_HD inline void wander(const Roster& r, Fighter& me) {
  const FighterData& d = r.fighters[me.who];
  const int ahead = across(me.held) * me.facing;
  if (waiting(me, kPressDash) || waiting(me, kPressBackDash)) {
    const bool forward = waiting(me, kPressDash) != 0;
    me.enter(forward ? kDashForward : kDashBack);
    if (!forward) me.throw_proof = static_cast<uint8_t>(larger(me.throw_proof, d.backdash_throw_proof));
    me.presses = 0;
  } else if (is_up(me.held)) {
    me.enter(kPrejump);
    me.jump = static_cast<int8_t>(ahead);
  } else {
    me.enter(is_down(me.held) ? kCrouch : ahead > 0 ? kWalkForward : ahead < 0 ? kWalkBack : kStand);
  }
}

THRONG_HD inline void command(const Roster& r, Fight& f, int seat) {
  Fighter& me = f.fighter[seat];
  const bool attacks_only = me.state == kDashForward && me.since >= r.fighters[me.who].dash_cancel_from;
  const bool jumps = me.state == kAir && !me.has(kAirSpent);
  if (me.state == kBlockstun) {
    if (waiting(me, kPressReversal) && may_begin(r, f, seat, kRV)) begin_move(r, f, seat, kRV);
    return;
  }
  bool cancels = false;
  if (me.state == kMove && me.has(kContact) && !me.airborne()) {
    const Move& m = r.move(me.who, me.move);
    cancels = me.frame < m.startup + m.active + kCancelFrames;
  }
  if (!me.free() && !attacks_only && !jumps && !cancels) return;
  for (int press = kPressSuper; press <= kPressLight && me.presses != 0; ++press) {
    if (!waiting(me, press)) continue;
    const int id = meant_move(press, me.airborne(), is_down(me.held));
    if (id == kNoMove || !may_begin(r, f, seat, id)) continue;
    if (cancels && !cancels_into(r.move(me.who, me.move), me.move, r.move(me.who, id), id, me.chain)) continue;
    begin_move(r, f, seat, id);
    me.mark(kThrowsBack, press == kPressBackThrow);
    return;
  }
  if (me.free()) wander(r, me);
}

// The move that an attacking action means.
THRONG_HD inline int meant_by(int action, bool air) {
  const uint16_t presses = direct_input(action).presses;
  int press = 0;
  while (!(presses >> press & 1)) ++press;
  return meant_move(press, air, false);
}

// Fills in FighterData::attacks and dear_attacks. Host only.
inline void derive_attacks(FighterData& fighter) {
  for (int action = kAct5L; action < kActReversal; ++action) {
    for (const bool air : {false, true}) {
      const int id = meant_by(action, air);
      if (id == kNoMove) continue;
      const Move& m = fighter.moves[id];
      if (air ? !m.air_only && !m.air_ok : m.air_only) continue;
      const bool dear = m.cost > 0 || m.kind == kProjectile;
      (dear ? fighter.dear_attacks : fighter.attacks)[air] |= uint32_t{1} << action;
    }
  }
}

// The actions that can do what they say, now or after what the fighter is busy with: a bit for each.
THRONG_HD inline uint32_t legal_actions(const Roster& r, const Fight& f, int seat) {
  const Fighter& me = f.fighter[seat];
  const FighterData& d = r.fighters[me.who];
  const bool air = me.airborne();
  uint32_t legal = (uint32_t{1} << kAct5L) - 1;
  if (me.state == kBlockstun && may_begin(r, f, seat, kRV)) legal |= uint32_t{1} << kActReversal;
  if (air && me.has(kAirSpent)) return legal;
  legal |= d.attacks[air];
  for (uint32_t action = kAct5L, dear = d.dear_attacks[air]; dear >> action != 0; ++action) {
    if ((dear >> action & 1) && may_begin(r, f, seat, meant_by(static_cast<int>(action), air)))
      legal |= uint32_t{1} << action;
  }
  return legal;
}

THRONG_HD inline bool is_legal(const Roster& r, const Fight& f, int seat, int action) {
  return legal_actions(r, f, seat) >> action & 1;
}

}  // namespace throng::fighting
