// How time passes for a fighter and where it goes: states that run out, jumps, pushes, walls, bodies, projectiles in flight.
#pragma once

#include "envs/fighting/fight.hpp"

namespace throng::fighting {

// --- states that run out (phase 4)

THRONG_HD inline void recover(Fighter& me) {
  me.enter(kStand);
  me.combo = me.juggle = 0;
  me.throw_proof = kProofAfterStun;
}

THRONG_HD inline void advance_move(const Roster& r, Fighter& me) {
  const Move& m = r.move(me.who, me.move);
  me.frame += me.frame < 255;
  if (me.frame < m.frames() || (me.airborne() && (m.rises || m.dives))) return;
  if (!me.has(kContact) && m.kind <= kCommandGrab) me.count(kWhiffs);
  me.enter(me.airborne() ? kAir : kStand);
}

THRONG_HD inline void advance(const Roster& r, Fighter& me) {
  const FighterData& d = r.fighters[me.who];
  me.since += me.since < 255;
  const bool over = me.stun == 0 || --me.stun == 0;
  switch (me.state) {
    case kPrejump:
      if (me.since < d.prejump) return;
      me.enter(kAir);
      me.mark(kAirSpent, false);
      me.vx = static_cast<int16_t>(me.facing * (me.jump > 0 ? d.jump_forward : me.jump < 0 ? -d.jump_back : 0));
      me.vy = d.jump_vy;
      me.y = 1;
      return;
    case kLanding:
      if (over) me.enter(kStand);
      return;
    case kDashForward:
      if (me.since >= d.dash_frames) me.enter(kStand);
      return;
    case kDashBack:
      if (me.since >= d.backdash_frames) me.enter(kStand);
      return;
    case kMove: return advance_move(r, me);
    case kHitstun:
    case kBlockstun:
    case kCrush:
      if (over) recover(me);
      return;
    case kDown:
      if (!over) return;
      if (is_down(me.held) && !me.has(kDelayed)) {
        me.mark(kDelayed);
        me.stun = kDownDelay;
      } else {
        me.enter(kRise);
      }
      return;
    case kRise:
      if (me.since < kRiseFrames) return;
      me.enter(kStand);
      me.throw_proof = kProofAfterRise;
      return;
    case kTech:
      if (me.since >= kTechFrames) me.enter(kStand);
      return;
    default: return;
  }
}

// --- steps of one frame (phase 8)

THRONG_HD inline void land(const Roster& r, Fighter& me) {
  const bool falls = me.state == kAirhit;
  const Move* m = me.state == kMove ? &r.move(me.who, me.move) : nullptr;
  me.y = me.vx = me.vy = 0;
  if (falls) {
    me.enter(kDown, me.has(kFallsHard) ? kHardDown : kSoftDown);
    me.mark(kDelayed, false);
    me.combo = me.juggle = 0;
  } else if (!m) {
    me.enter(kLanding, kLand);
  } else if (!m->rises) {
    if (!me.has(kContact) && m->kind == kStrike) me.count(kWhiffs);
    me.enter(kLanding, m->dives ? larger(m->recovery, 1) : kLandAttack);
  }
}

THRONG_HD inline void spawn_shot(const Roster& r, const Fighter& me, const Move& m, Shot* slots) {
  const ShotData& data = r.fighters[me.who].shots[m.shot];
  Shot& s = slots[data.slot];
  s.x = me.x + me.facing * data.dx * kPixel;
  s.y = me.y + data.y * kPixel;
  s.vx = static_cast<int16_t>(me.facing * data.speed);
  s.life = data.life;
  s.move = me.move;
  s.arm = data.arm;
  s.durability = data.durability;
  s.cooldown = 0;
}

// What the present move does to its owner on this frame; returns its horizontal step. `other_x` is where the opponent was
// before anybody moved.
THRONG_HD inline int travel(const Roster& r, Fighter& me, Shot* slots, int other_x, int to_other) {
  const Move& m = r.move(me.who, me.move);
  if (m.rises && me.frame == m.rise_frame) {
    me.vy = m.rise_vy;
    me.y = larger(me.y, 1);
  }
  if (m.dives && me.frame >= m.startup) {
    me.vx = static_cast<int16_t>(me.facing * m.dive_x);
    me.vy = m.dive_y;
  }
  if (m.kind == kTeleport && me.frame == m.startup) {
    constexpr int kBehind = 40 * kPixel;
    const int half = r.fighters[me.who].push_half * kPixel;
    me.x = between(other_x + to_other * kBehind, half, kStage - half);
    me.facing = static_cast<int8_t>(me.x < other_x ? 1 : me.x > other_x ? -1 : -to_other);
  }
  if (m.kind == kProjectile && me.frame == m.startup) spawn_shot(r, me, m, slots);
  return me.frame >= m.slide_from && me.frame < m.slide_to ? me.facing * m.slide_x : 0;
}

THRONG_HD inline int stride(const FighterData& d, const Fighter& me) {
  switch (me.state) {
    case kWalkForward: return me.facing * d.walk_forward;
    case kWalkBack: return -me.facing * d.walk_back;
    case kDashForward: return me.facing * d.dash_speed;
    case kDashBack: return -me.facing * d.backdash_speed;
    default: return 0;
  }
}

THRONG_HD inline void fly(const Roster& r, Fighter& me) {
  const bool dives = me.state == kMove && r.move(me.who, me.move).dives && me.frame >= r.move(me.who, me.move).startup;
  me.x += me.vx;
  me.y += me.vy;
  if (!dives) me.vy = static_cast<int16_t>(me.vy - (me.state == kAirhit ? kAirhitGravity : r.fighters[me.who].gravity));
  if (me.y <= 0) land(r, me);
}

// Push-back: a quarter of what is left, at least half a pixel. Returns the step that the wall refused, which goes to the
// opponent, or 0.
THRONG_HD inline int slide_back(const Roster& r, Fighter& me) {
  if (me.push == 0) return 0;
  const int left = magnitude(me.push), step = sign(me.push) * smaller(left, larger(left / 4, kPixel / 2));
  me.push = static_cast<int16_t>(me.push - step);
  me.x += step;
  const int half = r.fighters[me.who].push_half * kPixel;
  const bool cut = me.x < half || me.x > kStage - half;
  return cut && me.state != kAirhit ? step : 0;
}

THRONG_HD inline void move_all(const Roster& r, Fight& f, const bool (&frozen)[2]) {
  const int x[2] = {f.fighter[0].x, f.fighter[1].x};
  bool braced[2];  // cannot be pushed by the other's push-back
  int refused[2] = {0, 0};
  for (int i = 0; i < 2; ++i) braced[i] = f.fighter[i].airborne() || f.fighter[i].push != 0;
  for (int i = 0; i < 2; ++i) {
    if (frozen[i]) continue;
    Fighter& me = f.fighter[i];
    me.x +=
        me.state == kMove ? travel(r, me, f.shot[i], x[1 - i], towards_other(f, i)) : stride(r.fighters[me.who], me);
    if (me.airborne()) fly(r, me);
    refused[i] = slide_back(r, me);
  }
  for (int i = 0; i < 2; ++i) {
    if (!braced[1 - i]) f.fighter[1 - i].x -= refused[i];
  }
}

// --- walls and bodies (phase 9)

THRONG_HD inline void separate(const Roster& r, Fight& f) {
  int half[2], bottom[2], top[2];
  for (int i = 0; i < 2; ++i) {
    Fighter& me = f.fighter[i];
    const FighterData& d = r.fighters[me.who];
    half[i] = d.push_half * kPixel;
    me.x = between(me.x, half[i], kStage - half[i]);
    bottom[i] = me.y + (me.airborne() ? 10 * kPixel : 0);
    top[i] = bottom[i] + d.stand_h * kPixel / 4 * 3;
  }
  for (const Fighter& me : f.fighter) {
    if (me.state == kDown || me.state == kThrown) return;
  }
  const int dx = f.fighter[1].x - f.fighter[0].x, overlap = half[0] + half[1] - magnitude(dx);
  if (overlap <= 0 || bottom[0] >= top[1] || bottom[1] >= top[0]) return;
  const int direction = dx != 0 ? sign(dx) : f.order, step = (overlap + 1) / 2;
  const int wanted[2] = {f.fighter[0].x - direction * step, f.fighter[1].x + direction * step};
  int given[2];
  for (int i = 0; i < 2; ++i) given[i] = between(wanted[i], half[i], kStage - half[i]);
  for (int i = 0; i < 2; ++i) {
    const int refused = given[1 - i] - wanted[1 - i];
    f.fighter[i].x = between(given[i] + refused, half[i], kStage - half[i]);
  }
}

// --- projectiles (phase 10)

THRONG_HD inline void fly_shot(const Roster& r, const Fighter& owner, Shot& s) {
  if (!s.alive()) return;
  if (s.arm > 0) --s.arm;
  if (s.cooldown > 0) {
    --s.cooldown;
  } else {
    s.x += s.vx;
    s.y += data_of(r, owner, s).vy;
  }
  if (--s.life <= 0 || s.x < -kOutside || s.x > kStage + kOutside) s.move = kNoMove;
}

THRONG_HD inline bool can_clash(const Shot& s) { return s.alive() && s.arm == 0 && s.cooldown == 0; }

THRONG_HD inline void wear(Shot& s, int cooldown) {
  s.cooldown = static_cast<uint8_t>(cooldown);
  if (--s.durability == 0) s.move = kNoMove;
}

THRONG_HD inline void fly_shots(const Roster& r, Fight& f) {
  for (int i = 0; i < 2; ++i) {
    for (int slot = 0; slot < kShots; ++slot) fly_shot(r, f.fighter[i], f.shot[i][slot]);
  }
  for (int a = 0; a < kShots; ++a) {
    for (int b = 0; b < kShots; ++b) {
      Shot &left = f.shot[0][a], &right = f.shot[1][b];
      if (!can_clash(left) || !can_clash(right)) continue;
      if (!overlap(shot_box(left, data_of(r, f.fighter[0], left)), shot_box(right, data_of(r, f.fighter[1], right))))
        continue;
      wear(left, kClashCooldown);
      wear(right, kClashCooldown);
    }
  }
}

}  // namespace throng::fighting
