// A picture of a fight: the stage from the side, two jointed figures, what is dangerous, and the bars above them.
#pragma once

#include <cmath>
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

// Where the joints of a figure are, in pixels from its feet, for a fighter that looks right.
struct Pose {
  Spot hip, neck, hands[2], feet[2];  // front, rear
};

// Guarding loosely, knees bent as low as the body is.
inline Pose stance(float h, float stride) {
  return {{-1, 0.46f * h}, {3, 0.8f * h}, {{14, 0.7f * h}, {10, 0.6f * h}}, {{stride, 0}, {-stride, 0}}};
}

inline Pose pose_in_move(const Move& m, const Fighter& f, Pose pose, float h) {
  const bool out = f.frame >= m.startup && f.frame < m.startup + m.active + 4;
  if (m.kind == kStrike && m.box_w > 0) {
    const Spot target = {static_cast<float>(m.box_x + m.box_w) - 3, static_cast<float>(m.box_y) + m.box_h / 2.0f};
    const bool leg = target.y < 0.45f * h;
    pose.neck.x += out ? 7.0f : -6.0f;
    Spot& limb = leg ? pose.feet[0] : pose.hands[0];
    limb = out   ? Spot{target.x, larger(int(target.y), 2) * 1.0f}
           : leg ? Spot{2, 8}
                 : Spot{-12, 0.78f * h};  // drawn back
    if (out && !leg) pose.hands[1] = {-8, 0.6f * h};
  } else if (m.kind == kProjectile) {
    pose.hands[0] = out ? Spot{26, 0.62f * h} : Spot{-8, 0.5f * h};
    pose.hands[1] = out ? Spot{26, 0.54f * h} : Spot{-8, 0.42f * h};
    pose.neck.x += out ? 6.0f : -2.0f;
  } else if (m.kind == kThrow || m.kind == kCommandGrab) {
    pose.hands[0] = {out ? 26.0f : 12.0f, 0.78f * h};
    pose.hands[1] = {out ? 24.0f : 10.0f, 0.5f * h};
    pose.neck.x += 5;
  } else if (m.kind == kCounter) {
    pose.hands[0] = {15, 0.95f * h}, pose.hands[1] = {13, 0.4f * h};
  }
  return pose;
}

inline Pose pose_of(const Roster& r, const Fighter& f, int timer) {
  const FighterData& d = r.fighters[f.who];
  const int step = (timer / 4) % 4;  // of the walk
  float h = static_cast<float>(crouches(f) ? d.crouch_h : f.airborne() ? d.air_h : d.stand_h);
  if (f.state == kPrejump || f.state == kLanding) h *= 0.82f;
  if (f.state == kRise) h *= 0.45f + 0.55f * static_cast<float>(f.since) / kRiseFrames;
  Pose pose = stance(h, 10);
  if (f.airborne()) pose.feet[0] = {9, 0.16f * h}, pose.feet[1] = {-8, 0.02f * h};
  switch (f.state) {
    case kWalkForward:
    case kWalkBack:
      for (int i = 0; i < 2; ++i) {
        const int at = (f.state == kWalkBack ? 4 - step : step) + 2 * i;
        pose.feet[i] = {at % 4 == 0 ? 12.0f : at % 4 == 2 ? -10.0f : 1.0f, at % 4 == 3 ? 5.0f : 0.0f};
      }
      break;
    case kDashForward: pose.neck.x += 12, pose.feet[0] = {18, 3}, pose.feet[1] = {-18, 0}; break;
    case kDashBack: pose.neck.x -= 9, pose.feet[0] = {16, 4}, pose.feet[1] = {-10, 2}; break;
    case kHitstun:
    case kAirhit:
    case kCrush:
    case kThrown:
      pose.neck.x -= 13, pose.neck.y -= 2;
      pose.hands[0] = {4, 0.5f * h}, pose.hands[1] = {-20, 0.72f * h};
      break;
    case kBlockstun: pose.neck.x -= 3, pose.hands[0] = {13, 0.9f * h}, pose.hands[1] = {13, 0.62f * h}; break;
    case kThrowing: pose.neck.x += 8, pose.hands[0] = {26, 0.85f * h}, pose.hands[1] = {24, 0.5f * h}; break;
    case kMove: return pose_in_move(r.move(f.who, f.move), f, pose, h);
    default: break;
  }
  return pose;
}

inline Color shaded(Color c, float by) { return {uint8_t(c.red * by), uint8_t(c.green * by), uint8_t(c.blue * by)}; }

// Two bones and what is at their end; the joint bends to the side `bend` as far as their length asks for.
inline void draw_limb(Canvas& canvas, Spot from, Spot to, float length, float bend, float thick, Color color,
                      Color end) {
  const float x = to.x - from.x, y = to.y - from.y, far = std::sqrt(x * x + y * y);
  const float out = far < length && far > 0 ? 0.5f * std::sqrt(length * length - far * far) / far * bend : 0;
  const Spot joint = {from.x + x / 2 - y * out, from.y + y / 2 + x * out};
  canvas.line(from.x, from.y, joint.x, joint.y, thick, color);
  canvas.line(joint.x, joint.y, to.x, to.y, thick * 0.85f, color);
  canvas.disc(to.x, to.y, thick * 0.62f, end);
}

inline void draw_lying(Canvas& canvas, const Fighter& f, Color body, Color band) {
  const float x = pixels(f.x), way = static_cast<float>(f.facing), y = pixels(f.y) + 5;
  const Color dark = shaded(body, 0.6f);
  draw_limb(canvas, {x + way * 8, y}, {x + way * 30, y - 3}, 27, way, 6, dark, dark);
  canvas.line(x - way * 16, y, x + way * 8, y, 11, body);
  draw_limb(canvas, {x - way * 14, y}, {x - way * 4, y - 4}, 18, way, 5, dark, dark);
  canvas.disc(x - way * 26, y + 1, 6.5f, body);
  canvas.line(x - way * 26, y - 5, x - way * 24, y + 7, 2, band);
}

inline void draw_fighter(Canvas& canvas, const Roster& r, const Fighter& f, int timer, bool second) {
  Color body = kFighterColors[f.who % 12];
  const Color band = second ? colors::kOrange : colors::kBlue;
  if (f.stop > 0 && (f.state == kHitstun || f.state == kAirhit) && f.stop % 2 == 0) body = colors::kWhite;
  if (f.state == kDown) return draw_lying(canvas, f, body, band);
  const FighterData& d = r.fighters[f.who];
  const Pose pose = pose_of(r, f, timer);
  const float way = static_cast<float>(f.facing), x = pixels(f.x), y = pixels(f.y);
  const float tall = d.stand_h, leg = 0.53f * tall, arm = 0.42f * tall, thick = 0.09f * d.stand_w + 2.6f;
  const auto at = [&](Spot spot) { return Spot{x + way * spot.x, y + spot.y}; };
  const Spot hip = at(pose.hip), neck = at(pose.neck);
  const Spot head = at({pose.neck.x * 1.25f + 1, pose.neck.y + 0.11f * tall});
  const Color dark = shaded(body, 0.55f), skin = {224, 186, 150};
  draw_limb(canvas, neck, at(pose.hands[1]), arm, -way, thick, dark, shaded(skin, 0.75f));
  draw_limb(canvas, hip, at(pose.feet[1]), leg, way, thick + 1.5f, dark, shaded(body, 0.4f));
  draw_limb(canvas, hip, at(pose.feet[0]), leg, way, thick + 1.5f, body, shaded(body, 0.7f));
  canvas.line(hip.x, hip.y, neck.x, neck.y, 0.24f * d.stand_w + 3, body);
  canvas.line(hip.x - 5 * way, hip.y + 1, hip.x + 5 * way, hip.y + 1, 3, band);
  canvas.disc(head.x, head.y, 6.5f, skin);
  canvas.line(head.x - 6 * way, head.y + 2, head.x + 6 * way, head.y + 2, 2.5f, band);
  canvas.line(head.x - 6 * way, head.y + 2, head.x - 14 * way,
              head.y + 2 + static_cast<float>(timer / 6 % 3) - pixels(f.vy), 2, band);
  draw_limb(canvas, neck, at(pose.hands[0]), arm, -way, thick, body, skin);
  for (int i = 0; i < 3 && f.state == kCrush; ++i) {  // dizzy
    const int turn = (timer / 4 + 4 * i) % 12;
    canvas.disc(head.x + static_cast<float>(turn < 6 ? turn - 3 : 9 - turn) * 4, head.y + 11, 1.8f, colors::kYellow);
  }
  if (f.strike_proof > 0 || f.state == kRise) canvas.ring(x, y + tall / 2, tall * 0.6f, 1, colors::kWhite.faded(0.3f));
}

// Rays from where a blow lands; they grow while both stand still.
inline void draw_spark(Canvas& canvas, float x, float y, float size, Color color) {
  constexpr float kRays[][2] = {{1, 0},  {0.7f, 0.7f},   {0, 1},  {-0.7f, 0.7f},
                                {-1, 0}, {-0.7f, -0.7f}, {0, -1}, {0.7f, -0.7f}};
  canvas.disc(x, y, size * 0.4f, color);
  for (int i = 0; i < 8; ++i) {
    const float far = size * (i % 2 == 0 ? 1.5f : 1.0f);
    canvas.line(x + 0.3f * far * kRays[i][0], y + 0.3f * far * kRays[i][1], x + far * kRays[i][0],
                y + far * kRays[i][1], 1.6f, color);
  }
}

// What was just touched: a spark for a hit, a shield for a block.
inline void draw_touch(Canvas& canvas, const Roster& r, const Fighter& f) {
  if (f.stop == 0) return;
  const float way = static_cast<float>(f.facing), tall = r.fighters[f.who].stand_h, x = pixels(f.x), y = pixels(f.y);
  const float middle = y + (crouches(f) || f.airborne() ? 0.35f : 0.6f) * tall;
  if (f.state == kBlockstun) {
    canvas.line(x + way * 19, middle - 14, x + way * 19, middle + 14, 3, colors::kWhite.faded(0.8f));
    draw_spark(canvas, x + way * 22, middle, 5, colors::kBlue);
  } else if (f.state == kHitstun || f.state == kAirhit || f.state == kCrush) {
    draw_spark(canvas, x + way * 9, middle, 16.0f - smaller(f.stop, 10),
               f.combo > 2 ? colors::kOrange : colors::kYellow);
  }
}

// The trail of an attack while it can hit.
inline void draw_attack(Canvas& canvas, const Roster& r, const Fighter& f) {
  if (f.state != kMove) return;
  const Move& m = r.move(f.who, f.move);
  if (m.kind != kStrike || m.box_w == 0 || !m.is_active(f.frame)) return;
  const Box box = attack_box(f, m);
  const Color flash = (m.level >= 4 ? colors::kYellow : colors::kWhite).faded(0.3f);
  const float tip = pixels(f.facing > 0 ? box.right : box.left), root = pixels(f.facing > 0 ? box.left : box.right);
  canvas.triangle(root, pixels(box.top), tip, pixels(box.bottom + box.top) / 2, root, pixels(box.bottom), flash);
}

inline void draw_shot(Canvas& canvas, const Roster& r, const Fighter& owner, const Shot& s, bool second) {
  if (!s.alive()) return;
  const ShotData& d = data_of(r, owner, s);
  const Color color = second ? colors::kOrange : colors::kBlue;
  const float radius = static_cast<float>(d.h) / 2, x = pixels(s.x), y = pixels(s.y) + radius, tail = pixels(s.vx) * 3;
  const float arming = s.arm > 0 ? 0.35f : 1.0f;
  for (int i = 3; i > 0; --i) {
    canvas.disc(x - tail * static_cast<float>(i), y, radius * (1 - 0.2f * static_cast<float>(i)),
                color.faded(0.2f * arming));
  }
  canvas.disc(x, y, radius, color.faded(0.6f * arming));
  canvas.disc(x, y, radius * 0.55f, colors::kWhite.faded(0.9f * arming));
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
  for (int cost = 100; cost < kMaxMeter; cost += 100) {
    const float x = 192 + (seat == 0 ? -1.0f : 1.0f) * (18 + 130 * per(cost, kMaxMeter));
    canvas.line(x, -15, x, -20, 1, colors::kWhite.faded(0.5f));
  }
  const float middle = seat == 0 ? 46.0f : 338.0f;
  canvas.text(middle, 148, 8, d.name, seat == 0 ? colors::kBlue : colors::kOrange);
  for (int win = 0; win < kRoundsToWin; ++win) {
    const float x = 192 + (seat == 0 ? -1.0f : 1.0f) * (26.0f + 10 * static_cast<float>(win));
    if (win < f.wins) canvas.disc(x, 148, 3.5f, colors::kYellow);
    if (win >= f.wins) canvas.ring(x, 148, 3, 1, colors::kGrey);
  }
}

inline void draw_fight(Canvas& canvas, const Roster& r, const Fight& f) {
  canvas.view(0, kPictureTop, kPictureWidth, kPictureBottom, {24, 26, 48});
  for (int i = 0; i < 6; ++i) {  // dusk
    canvas.rectangle(0, 26.0f * static_cast<float>(6 - i), kPictureWidth, 0, Color{150, 84, 90}.faded(0.075f));
  }
  canvas.disc(290, 112, 26, {214, 170, 130});
  for (int i = 0; i < 9; ++i) {  // hills behind the stage
    const float x = 48.0f * static_cast<float>(i), top = 44 + 18 * static_cast<float>(i * 7 % 5) / 4;
    canvas.triangle(x - 62, 0, x, top, x + 62, 0, {40, 38, 62});
  }
  canvas.rectangle(0, 0, kPictureWidth, kPictureBottom, {70, 56, 50});
  canvas.rectangle(0, 1, kPictureWidth, -2, {126, 104, 84});
  for (int i = -4; i <= 4; ++i) {  // boards
    const float x = 192 + 48.0f * static_cast<float>(i);
    canvas.line(x, -2, x + 10.0f * static_cast<float>(i), kPictureBottom, 1, {56, 45, 41});
  }
  for (const Fighter& me : f.fighter) {
    const float x = pixels(me.x), wide = 18 - pixels(me.y) * 0.06f;
    canvas.line(x - wide, -5, x + wide, -5, 4, Color{16, 14, 16}.faded(0.55f));
  }
  if (f.freeze > 0) canvas.rectangle(0, kPictureTop, kPictureWidth, kPictureBottom, Color{8, 8, 20}.faded(0.6f));
  for (int i = 0; i < 2; ++i) draw_fighter(canvas, r, f.fighter[i], f.timer, i == 1);
  for (int i = 0; i < 2; ++i) {
    draw_attack(canvas, r, f.fighter[i]);
    draw_touch(canvas, r, f.fighter[i]);
  }
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
