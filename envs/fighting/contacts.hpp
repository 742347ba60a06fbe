// Who touches whom, and what comes of it: strikes, blocks, throws, projectiles, counters, armour and juggles.
#pragma once

#include "envs/fighting/fight.hpp"
#include "envs/fighting/input.hpp"
#include "envs/fighting/movement.hpp"

namespace throng::fighting {

struct Contact {
  enum Kind : uint8_t { kNothing, kStrike, kGrab, kShot, kCounterHit } kind = kNothing;
  uint8_t slot = 0;  // of the projectile
  uint8_t hit = 0;   // which hit of the move
};

// --- detection (phase 11): reads only

THRONG_HD inline bool untouchable(const Fighter& f) {
  return f.state == kDown || f.state == kRise || f.state == kThrown || f.state == kThrowing || f.state == kTech;
}

// Whether the move of the victim is proof against this; `proof` is kStrikes, kProjectiles or kThrows.
THRONG_HD inline bool is_proof(const Roster& r, const Fighter& victim, int proof, bool jumper) {
  if (untouchable(victim)) return true;
  if (proof == kStrikes && victim.strike_proof > 0) return true;
  if (victim.state != kMove) return false;
  const Move& m = r.move(victim.who, victim.move);
  if (victim.frame < m.proof_from || victim.frame > m.proof_to) return false;
  return m.proof == kEverything || m.proof == proof || (m.proof == kJumpers && proof == kStrikes && jumper);
}

THRONG_HD inline bool may_juggle(const Fighter& victim, int cost) {
  return victim.state != kAirhit || victim.juggle + cost <= kMaxJuggle;
}

THRONG_HD inline bool detect_strike(const Roster& r, const Fighter& me, const Fighter& victim, Contact& contact) {
  const Move& m = r.move(me.who, me.move);
  if (m.kind != kStrike || !m.is_active(me.frame) || m.box_w == 0) return false;
  const int hit = m.gap == 0 ? 0 : (me.frame - m.startup) / m.gap;
  if (hit <= me.hit || hit >= m.hits) return false;
  if (is_proof(r, victim, kStrikes, me.airborne()) || !may_juggle(victim, m.juggle)) return false;
  if (!touches(r, victim, attack_box(me, m))) return false;
  contact = {Contact::kStrike, 0, static_cast<uint8_t>(hit)};
  return true;
}

THRONG_HD inline bool throwable(const Roster& r, const Fighter& victim) {
  if (victim.airborne() || victim.throw_proof > 0 || is_proof(r, victim, kThrows, false)) return false;
  return victim.state != kPrejump && victim.state != kHitstun && victim.state != kBlockstun && victim.state != kCrush &&
         victim.state != kAirhit;
}

THRONG_HD inline bool detect_throw(const Roster& r, const Fighter& me, const Fighter& victim, Contact& contact) {
  const Move& m = r.move(me.who, me.move);
  if ((m.kind != kThrow && m.kind != kCommandGrab) || !m.is_active(me.frame) || me.has(kContact)) return false;
  if (!throwable(r, victim) || magnitude(victim.x - me.x) > m.range * kPixel) return false;
  contact = {Contact::kGrab, 0, 0};
  return true;
}

THRONG_HD inline Contact detect(const Roster& r, const Fight& f, int seat) {
  const Fighter &me = f.fighter[seat], &victim = f.fighter[1 - seat];
  Contact contact;
  if (me.state == kMove && detect_strike(r, me, victim, contact)) return contact;
  if (me.state == kMove && detect_throw(r, me, victim, contact)) return contact;
  for (int slot = 0; slot < kShots; ++slot) {
    const Shot& s = f.shot[seat][slot];
    if (!s.alive() || s.arm > 0 || s.cooldown > 0) continue;
    if (is_proof(r, victim, kProjectiles, false) || !may_juggle(victim, kShotJuggle)) continue;
    if (touches(r, victim, shot_box(s, data_of(r, me, s)))) return {Contact::kShot, static_cast<uint8_t>(slot), 0};
  }
  return contact;
}

THRONG_HD inline bool in_counter_stance(const Roster& r, const Fighter& f) {
  return f.state == kMove && r.move(f.who, f.move).kind == kCounter && r.move(f.who, f.move).is_active(f.frame);
}

// --- effects (phase 13, B6)

// What lands on a victim, whether it comes from a limb or from a projectile.
struct Blow {
  int damage, chip, guard, hitstun, blockstun, push_hit, push_block;
  int height, knockdown, launch_x, launch_y, juggle;
  int from_x;  // guard by holding away from here
  int away;    // the direction in which the victim is pushed
  bool is_shot, is_super;
};

THRONG_HD inline Blow strike_blow(const Move& m, const Fighter& me, int away) {
  return {m.damage,    m.chip,     m.guard,    m.hitstun, m.blockstun, m.push_hit, m.push_block, m.height,
          m.knockdown, m.launch_x, m.launch_y, m.juggle,  me.x,        away,       false,        m.cost >= kSuperCost};
}

// A projectile is blocked away from a point behind it, a mine away from its owner.
THRONG_HD inline Blow shot_blow(const Roster& r, const Fighter& owner, const Shot& s, int away) {
  constexpr int kBehind = 20 * kPixel;
  const Move& m = r.move(owner.who, s.move);
  const ShotData& d = data_of(r, owner, s);
  const int from = s.vx == 0 ? owner.x : s.x - sign(s.vx) * kBehind;
  return {d.damage,    d.chip, m.guard, d.hitstun,   d.blockstun, d.push_hit, d.push_block, m.height,
          d.knockdown, 0,      0,       kShotJuggle, from,        away,       true,         m.cost >= kSuperCost};
}

THRONG_HD inline int scaled(int damage, int hits, bool is_super) {
  constexpr int kLast = 9, kLeastOfSuper = 102;
  constexpr int16_t kScale[kLast + 1] = {256, 256, 230, 205, 179, 154, 128, 102, 77, 51};
  const int scale = kScale[smaller(hits, kLast)];
  return damage * (is_super ? larger(scale, kLeastOfSuper) : scale) / 256;
}

THRONG_HD inline void earn(Fighter& f, int meter) { f.meter = static_cast<int16_t>(f.meter + meter); }
THRONG_HD inline void hurt(Fighter& f, int damage) { f.hp = static_cast<int16_t>(larger(f.hp - damage, 0)); }
THRONG_HD inline void stop(Fighter& f, int frames) { f.stop = static_cast<uint8_t>(larger(f.stop, frames)); }

// Whether the victim guards, and how high. In block-stun the guard is automatic, and holding back chooses the height.
THRONG_HD inline bool guards(const Fighter& victim, const Blow& blow, bool& low) {
  const bool stunned = victim.state == kBlockstun;
  if (victim.airborne() || !(stunned || victim.state == kStand || victim.state == kWalkBack ||
                             victim.state == kCrouch || victim.state == kLanding)) {
    return false;
  }
  const int from = blow.from_x - victim.x, away = from != 0 ? -sign(from) : blow.away;
  const bool back = across(victim.held) == away;
  if (!back && !stunned) return false;
  low = back ? is_down(victim.held) : victim.has(kLowGuard);
  return blow.height == kMid || (blow.height == kLow ? low : !low && blow.height == kOverhead);
}

THRONG_HD inline void be_blocked(Fighter& me, Fighter& victim, const Blow& blow, bool low) {
  hurt(victim, blow.chip);
  earn(me, blow.damage / 10);
  earn(victim, blow.damage / 12);
  victim.mark(kLowGuard, low);
  victim.push = static_cast<int16_t>(blow.away * blow.push_block);
  victim.guard_tick = 0;
  victim.count(kBlocks);
  if (blow.guard >= victim.guard) {
    victim.enter(kCrush, kCrushFrames);
    victim.guard = kCrushGuard;
    victim.presses = 0;
    me.count(kCrushes);
  } else {
    victim.guard = static_cast<uint8_t>(victim.guard - blow.guard);
    victim.enter(kBlockstun, blow.blockstun);
  }
}

struct Speed {
  int x, y;
};

// How a victim leaves the ground.
THRONG_HD inline Speed pop(const Blow& blow, bool was_airborne) {
  constexpr Speed kSoftPop = {561, 760}, kHardPop = {512, 499}, kReset = {420, 901};
  constexpr int kHardAgain = 699;
  switch (blow.knockdown) {
    case kSoft: return kSoftPop;
    case kHard: return {kHardPop.x, was_airborne ? kHardAgain : kHardPop.y};
    case kLaunch: return {blow.launch_x, blow.launch_y};
    default: return kReset;
  }
}

THRONG_HD inline void knock_down(Fighter& victim, const Blow& blow, bool was_airborne) {
  const Speed speed = pop(blow, was_airborne);
  const bool closes = (blow.knockdown == kSoft || blow.knockdown == kHard) && blow.juggle >= 3;
  const int used = victim.state == kAirhit ? victim.juggle + blow.juggle : 0;
  victim.juggle = static_cast<uint8_t>(smaller(used + (closes ? kClosedJuggle : 0), 255));
  victim.vx = static_cast<int16_t>(blow.away * speed.x);
  victim.vy = static_cast<int16_t>(speed.y);
  victim.y = larger(victim.y, 1);
  victim.mark(kFallsHard, blow.knockdown == kHard);
  victim.enter(kAirhit);
}

// A blow that was not blocked. `before` is the victim as it was when the contacts were found.
THRONG_HD inline void be_hit(const Roster& r, Fighter& me, Fighter& victim, const Fighter& before, const Blow& blow) {
  constexpr int kCounterDamage = 307, kCounterStun = 4, kFreeHits = 5, kLeastStun = 4;
  const Move* m = before.state == kMove ? &r.move(before.who, before.move) : nullptr;
  me.count(kHits);
  if (m && !blow.is_shot && !before.has(kArmorSpent) && before.frame >= m->armor_from && before.frame < m->armor_to) {
    const int damage = scaled(blow.damage, 1, blow.is_super) / 2;
    hurt(victim, damage);
    earn(me, damage / 5);
    earn(victim, damage / 6);
    victim.mark(kArmorSpent);
    return;
  }
  const bool stunned = before.state == kHitstun || before.state == kAirhit || before.state == kCrush;
  const bool countered = m && before.frame < m->startup + m->active;
  const int hits = stunned ? before.combo + 1 : 1;
  int damage = scaled(blow.damage, hits, blow.is_super);
  if (countered) {
    damage = damage * kCounterDamage / 256;
    me.count(kCounters);
  }
  hurt(victim, damage);
  earn(me, damage / 5);
  earn(victim, damage / 6);
  victim.combo = static_cast<uint8_t>(smaller(hits, 255));
  victim.push = static_cast<int16_t>(blow.away * blow.push_hit);
  victim.presses = 0;
  const bool was_airborne = before.airborne() || before.state == kAirhit;
  if (was_airborne || blow.knockdown != kNone) return knock_down(victim, blow, was_airborne);
  const int stun = larger(blow.hitstun - larger(0, hits - kFreeHits), kLeastStun) + (countered ? kCounterStun : 0);
  victim.vx = victim.vy = 0;
  victim.since = 0;
  victim.enter(kHitstun, stun);
}

THRONG_HD inline void land_blow(const Roster& r, Fight& f, int seat, const Fighter& before, const Blow& blow) {
  Fighter &me = f.fighter[seat], &victim = f.fighter[1 - seat];
  bool low = false;
  if (guards(before, blow, low)) {
    be_blocked(me, victim, blow, low);
  } else {
    be_hit(r, me, victim, before, blow);
  }
}

THRONG_HD inline void grab(Fighter& me, Fighter& victim) {
  me.mark(kContact);
  me.enter(kThrowing);
  victim.enter(kThrown);
  me.push = victim.push = 0;
}

THRONG_HD inline void tech(Fight& f) {
  for (int i = 0; i < 2; ++i) {
    Fighter& me = f.fighter[i];
    me.enter(kTech);
    me.push = static_cast<int16_t>(-towards_other(f, i) * kTechPush);
    me.presses = 0;
    me.count(kTechs);
  }
}

// `was` are both fighters as they were when the contacts were found.
THRONG_HD inline void apply(const Roster& r, Fight& f, int seat, const Contact& contact, const Fighter (&was)[2]) {
  Fighter &me = f.fighter[seat], &victim = f.fighter[1 - seat];
  const Fighter &my = was[seat], &before = was[1 - seat];
  const int away = my.x != before.x ? sign(before.x - my.x) : towards_other(f, seat);
  if (contact.kind == Contact::kShot) {
    Shot& s = f.shot[seat][contact.slot];
    const ShotData& data = data_of(r, my, s);
    const Blow blow = shot_blow(r, my, s, s.vx == 0 ? away : sign(s.vx));
    stop(victim, kShotHitstop);
    wear(s, data.gap);
    return land_blow(r, f, seat, before, blow);
  }
  const Move& m = r.move(my.who, my.move);
  me.mark(kContact);
  if (contact.kind == Contact::kStrike) me.hit = static_cast<int8_t>(contact.hit);
  Blow blow = strike_blow(m, my, away);
  if (contact.kind == Contact::kCounterHit) {
    me.strike_proof = kProofAfterCounter;
    blow.height = kUnblockable;
  }
  stop(me, m.hitstop);
  stop(victim, m.hitstop);
  land_blow(r, f, seat, before, blow);
}

// Phases 11 to 14.
THRONG_HD inline void resolve_contacts(const Roster& r, Fight& f) {
  Contact contact[2] = {detect(r, f, 0), detect(r, f, 1)};
  const Contact found[2] = {contact[0], contact[1]};
  for (int i = 0; i < 2; ++i) {
    const bool struck = found[1 - i].kind == Contact::kStrike && in_counter_stance(r, f.fighter[i]);
    if (struck) {
      contact[i] = {Contact::kCounterHit, 0, 0};
      contact[1 - i].kind = Contact::kNothing;
      f.fighter[1 - i].mark(kContact);
      f.fighter[1 - i].hit = static_cast<int8_t>(found[1 - i].hit);
    }
  }
  const bool grabs[2] = {contact[0].kind == Contact::kGrab, contact[1].kind == Contact::kGrab};
  if (grabs[0] && grabs[1]) {
    tech(f);
  } else if (contact[0].kind != Contact::kNothing || contact[1].kind != Contact::kNothing) {
    const Fighter was[2] = {f.fighter[0], f.fighter[1]};
    for (int i = 0; i < 2; ++i) {
      if (contact[i].kind == Contact::kNothing) continue;
      if (!grabs[i]) {
        apply(r, f, i, contact[i], was);
      } else if (contact[1 - i].kind == Contact::kNothing) {
        grab(f.fighter[i], f.fighter[1 - i]);
      }
    }
  }
  for (int i = 0; i < 2; ++i) {
    const Fighter &me = f.fighter[i], &other = f.fighter[1 - i];
    const bool pressed = waiting(me, kPressThrow) || waiting(me, kPressBackThrow);
    const bool ordinary = other.state == kThrowing && r.move(other.who, other.move).kind == kThrow;
    if (me.state == kThrown && me.since < kTechWindow && pressed && ordinary) return tech(f);
  }
}

}  // namespace throng::fighting
