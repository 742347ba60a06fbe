// A picture of a fight: the stage from the side, two jointed figures, what is dangerous, and the bars above them.
#pragma once

#include <string>

#include "core/canvas.hpp"
#include "envs/fighting/contacts.hpp"
#include "envs/fighting/observe.hpp"

namespace throng::fighting {

inline constexpr float kPictureWidth = 384, kPictureTop = 178, kPictureBottom = -26;
inline constexpr Color kFighterColors[] = {{86, 160, 233},  {240, 110, 60}, {150, 120, 90},  {120, 200, 220},
                                           {220, 70, 60},   {190, 170, 80}, {110, 210, 130}, {140, 100, 70},
                                           {230, 225, 210}, {250, 220, 60}, {60, 170, 130},  {190, 110, 210}};

struct Spot {
  float x, y;
};

// A figure of pixels above its feet, drawn for a fighter that looks right; `lean` bends it forward.
struct Pose {
  float height, lean, reach, reach_y, kick, kick_y, stride;
};

inline Pose pose_of(const Roster& r, const Fighter& f, int timer) {
  const FighterData& d = r.fighters[f.who];
  const float swing = static_cast<float>((timer / 5) % 4 - 1) * 3;
  Pose pose = {float(crouches(f) ? d.crouch_h : f.airborne() ? d.air_h : d.stand_h), 2, 12, 0.62f, 0, 0, 9};
  switch (f.state) {
    case kWalkForward:
    case kWalkBack: pose.stride = 9 + swing; break;
    case kDashForward: pose.lean = 12, pose.stride = 16; break;
    case kDashBack: pose.lean = -9, pose.stride = 14; break;
    case kHitstun:
    case kCrush: pose.lean = -10, pose.reach = 6, pose.reach_y = 0.45f; break;
    case kBlockstun: pose.lean = -4, pose.reach = 9, pose.reach_y = 0.85f; break;
    case kThrown: pose.lean = -14; break;
    case kThrowing: pose.lean = 8, pose.reach = 26; break;
    case kPrejump:
    case kLanding: pose.height *= 0.85f; break;
    case kRise: pose.height *= 0.5f + 0.5f * static_cast<float>(f.since) / kRiseFrames; break;
    default: break;
  }
  if (f.state != kMove) return pose;
  const Move& m = r.move(f.who, f.move);
  const bool out = f.frame >= m.startup && f.frame < m.startup + m.active + 3;
  const float length = static_cast<float>(m.box_x + m.box_w), level = static_cast<float>(m.box_y) + m.box_h / 2.0f;
  pose.lean = out ? 7 : -3;
  if (m.kind == kStrike && m.box_w > 0) {
    const float share = out ? 1 : 0.35f;
    const bool leg = level < 0.45f * pose.height;
    (leg ? pose.kick : pose.reach) = length * share;
    (leg ? pose.kick_y : pose.reach_y) = leg ? larger(int(level), 3) : level / pose.height;
  } else if (m.kind == kProjectile || m.kind == kThrow || m.kind == kCommandGrab) {
    pose.reach = out ? 24 : 8;
  } else if (m.kind == kCounter) {
    pose.reach_y = 0.95f;
  }
  return pose;
}

inline void draw_lying(Canvas& canvas, const Fighter& f, Color body) {
  const float x = pixels(f.x), way = static_cast<float>(f.facing), y = pixels(f.y) + 5;
  canvas.line(x - way * 22, y, x + way * 10, y, 9, body);
  canvas.disc(x - way * 29, y + 1, 6, body);
}

inline void draw_fighter(Canvas& canvas, const Roster& r, const Fighter& f, int timer, bool second) {
  Color body = kFighterColors[f.who % 12];
  const bool flashes = f.stop > 0 && (f.state == kHitstun || f.state == kAirhit) && f.stop % 2 == 0;
  if (flashes) body = colors::kWhite;
  if (f.state == kDown) return draw_lying(canvas, f, body);
  const Pose pose = pose_of(r, f, timer);
  const float way = static_cast<float>(f.facing), x = pixels(f.x), y = pixels(f.y), h = pose.height;
  auto at = [&](float ahead, float up) { return Spot{x + way * ahead, y + up}; };
  auto limb = [&](Spot a, Spot b, float thick, Color color) { canvas.line(a.x, a.y, b.x, b.y, thick, color); };
  const Spot hip = at(0, 0.46f * h), neck = at(pose.lean, 0.80f * h), head = at(pose.lean * 1.3f + 1, 0.90f * h);
  const Color dark = {uint8_t(body.red * 0.6f), uint8_t(body.green * 0.6f), uint8_t(body.blue * 0.6f)};
  const bool tucked = f.airborne();
  limb(hip, at(-pose.stride, tucked ? 0.22f * h : 0), 6, dark);
  limb(neck, at(pose.lean - 9, 0.55f * h), 5, dark);
  if (pose.kick > 0) {
    limb(hip, at(pose.kick, pose.kick_y), 7, body);
  } else {
    limb(hip, at(pose.stride, tucked ? 0.3f * h : 0), 6, body);
  }
  limb(hip, neck, 0.26f * r.fighters[f.who].stand_w + 3, body);
  limb(neck, at(pose.reach, pose.reach_y * h), 5.5f, body);
  canvas.disc(head.x, head.y, 6.5f, body);
  canvas.line(head.x - 6 * way, head.y + 2, head.x + 6 * way, head.y + 2, 2, second ? colors::kOrange : colors::kBlue);
  if (f.state == kBlockstun) canvas.ring(x + way * 16, y + 0.55f * h, 13, 2, colors::kWhite.faded(0.7f));
  if (f.state == kCrush) canvas.ring(head.x, head.y + 12, 6, 2, colors::kYellow);
  if (f.throw_proof > 0 || untouchable(f)) canvas.ring(x, y + h / 2, h * 0.62f, 1, colors::kWhite.faded(0.25f));
}

// The flash of an attack while it can hit.
inline void draw_attack(Canvas& canvas, const Roster& r, const Fighter& f) {
  if (f.state != kMove) return;
  const Move& m = r.move(f.who, f.move);
  if (m.kind != kStrike || m.box_w == 0 || !m.is_active(f.frame)) return;
  const Box box = attack_box(f, m);
  const Color flash = m.level >= 4 ? colors::kYellow : colors::kWhite;
  const float x = pixels(f.facing > 0 ? box.right : box.left), y = pixels(box.bottom + box.top) / 2;
  canvas.disc(x - static_cast<float>(f.facing) * 5, y, 4.0f + static_cast<float>(m.box_h) / 6, flash.faded(0.55f));
  canvas.ring(x - static_cast<float>(f.facing) * 5, y, 7.0f + static_cast<float>(m.box_h) / 5, 1.5f, flash.faded(0.5f));
}

inline void draw_shot(Canvas& canvas, const Roster& r, const Fighter& owner, const Shot& s, bool second) {
  if (!s.alive()) return;
  const ShotData& d = data_of(r, owner, s);
  const Color color = second ? colors::kOrange : colors::kBlue;
  const float radius = static_cast<float>(d.h) / 2, y = pixels(s.y) + radius, arming = s.arm > 0 ? 0.35f : 1.0f;
  canvas.disc(pixels(s.x), y, radius, color.faded(0.45f * arming));
  canvas.disc(pixels(s.x), y, radius * 0.55f, colors::kWhite.faded(0.9f * arming));
}

// Health, guard and meter of a seat, growing from the middle outwards.
inline void draw_bars(Canvas& canvas, const Roster& r, const Fighter& f, int seat) {
  const FighterData& d = r.fighters[f.who];
  auto bar = [&](float y, float thick, float length, float share, Color color) {
    const float inner = seat == 0 ? 174.0f : 210.0f, way = seat == 0 ? -1.0f : 1.0f;
    const float left = seat == 0 ? inner - length : inner, end = inner + way * length * share;
    canvas.rectangle(left, y + thick, left + length, y, colors::kGrid);
    canvas.rectangle(seat == 0 ? end : inner, y + thick, seat == 0 ? inner : end, y, color);
  };
  const float health = per(f.hp, d.hp);
  bar(160, 9, 160, health, health > 0.3f ? colors::kGreen : colors::kRed);
  bar(155, 3, 110, per(f.guard, kFullGuard), colors::kGrey);
  bar(-20, 5, 130, per(smaller(f.meter, kMaxMeter), kMaxMeter), f.meter >= 200 ? colors::kYellow : colors::kNavy);
  const float middle = seat == 0 ? 46.0f : 338.0f;
  canvas.text(middle, 148, 8, d.name, seat == 0 ? colors::kBlue : colors::kOrange);
  for (int win = 0; win < kRoundsToWin; ++win) {
    const float x = 192 + (seat == 0 ? -1.0f : 1.0f) * (26.0f + 10 * static_cast<float>(win));
    if (win < f.wins) canvas.disc(x, 148, 3.5f, colors::kYellow);
    if (win >= f.wins) canvas.ring(x, 148, 3, 1, colors::kGrey);
  }
}

inline void draw_fight(Canvas& canvas, const Roster& r, const Fight& f) {
  canvas.view(0, kPictureTop, kPictureWidth, kPictureBottom, {22, 24, 38});
  canvas.disc(290, 118, 30, {60, 56, 84});
  for (int i = 0; i < 9; ++i) {  // hills behind the stage
    const float x = 48.0f * static_cast<float>(i), top = 44 + 18 * static_cast<float>(i * 7 % 5) / 4;
    canvas.triangle(x - 62, 0, x, top, x + 62, 0, {34, 37, 56});
  }
  canvas.rectangle(0, 0, kPictureWidth, kPictureBottom, {58, 50, 46});
  canvas.rectangle(0, 1, kPictureWidth, -2, {104, 90, 78});
  for (const Fighter& me : f.fighter) {
    const float x = pixels(me.x);
    canvas.line(x - 16, -4, x + 16, -4, 4, Color{20, 18, 18}.faded(0.6f));
  }
  if (f.freeze > 0) canvas.rectangle(0, 145, kPictureWidth, 0, Color{8, 8, 16}.faded(0.55f));
  for (int i = 0; i < 2; ++i) draw_fighter(canvas, r, f.fighter[i], f.timer, i == 1);
  for (int i = 0; i < 2; ++i) draw_attack(canvas, r, f.fighter[i]);
  for (int i = 0; i < 2; ++i) {
    for (const Shot& s : f.shot[i]) draw_shot(canvas, r, f.fighter[i], s, i == 1);
    draw_bars(canvas, r, f.fighter[i], i);
    if (f.fighter[1 - i].combo > 1) {
      canvas.text(i == 0 ? 50.0f : 334.0f, 128, 8, std::to_string(f.fighter[1 - i].combo) + " HITS", colors::kYellow);
    }
  }
  canvas.text(192, 165, 12, std::to_string((f.timer + 59) / 60), colors::kWhite);
}

}  // namespace throng::fighting
