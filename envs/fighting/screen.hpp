// What a fight looks like to a network: 96 x 128 pixels made of boxes, drawn on the device sixteen pixels at a time.
#pragma once

#include <cstdint>

#include "core/field.hpp"
#include "core/lanes.hpp"
#include "envs/fighting/contacts.hpp"
#include "envs/fighting/fight.hpp"
#include "envs/fighting/params.hpp"

namespace throng::fighting {

inline constexpr int kScreenHeight = 96, kScreenWidth = 128, kGroundRow = 88;
inline constexpr int kScreenPixel = kStage / kScreenWidth;  // units: three pixels of the stage
inline constexpr int kPiece = 16;                           // pixels that are made at once
inline constexpr int kPiecesOfRow = kScreenWidth / kPiece, kPiecesOfPlane = kScreenHeight * kPiecesOfRow;

// The colours of things; in gray, a fighter's body is lighter for every fighter of the roster.
enum Paint : uint8_t {
  kSkyPaint,
  kColumnPaint,
  kEarthPaint,
  kMyGuardPaint,
  kTheirGuardPaint,
  kMyMeterPaint,
  kTheirMeterPaint,
  kMyPaint,
  kTheirPaint,
  kHeadPaint,
  kGuardPaint,
  kProofPaint,
  kWarningPaint,
  kDangerPaint,
  kShotPaint,
  kArmingPaint,
  kMyHealthPaint,
  kTheirHealthPaint,
  kTimePaint
};
inline constexpr int kStunShade = 40, kFighterShade = 3;

// plane: 0 red, 1 green, 2 blue, or kGrayPlane.
inline constexpr int kGrayPlane = 3;
THRONG_HD constexpr int shade_of(int paint, int plane) {
  constexpr uint8_t kShades[][4] = {
      {10, 12, 28, 12},    {16, 18, 40, 18},    {60, 46, 30, 40},    {90, 90, 90, 90},     {110, 110, 110, 110},
      {40, 60, 150, 90},   {110, 60, 40, 110},  {60, 140, 220, 150}, {200, 90, 50, 100},   {230, 200, 160, 180},
      {90, 240, 240, 210}, {60, 60, 60, 60},    {230, 200, 40, 180}, {255, 255, 255, 255}, {250, 230, 120, 235},
      {150, 140, 90, 140}, {60, 210, 110, 200}, {210, 160, 60, 200}, {170, 160, 150, 160}};
  return kShades[paint][plane];
}

// A box of pixels: columns [left, right), rows [top, bottom).
struct Shape {
  enum Pattern : uint8_t { kFull, kHollow, kChecks };
  uint8_t left, right, top, bottom;
  uint8_t paint, pattern;
  int8_t shade;  // added to the paint
  uint8_t unused;

  THRONG_HD bool exists() const { return right > left && bottom > top; }
};
static_assert(sizeof(Shape) == 8);
inline constexpr int kMostShapes = 32;  // of a picture; what exists comes first

// --- from a fight to shapes, as one seat sees it

struct ScreenView {
  const Params& p;
  const Fight& f;
  int seat;
  Shape* next;
  Shape* end;

  THRONG_HD bool turned() const { return p.mirror && f.fighter[seat].facing < 0; }

  THRONG_HD void pixels(int left, int right, int top, int bottom, int paint, int shade = 0,
                        Shape::Pattern pattern = Shape::kFull) {
    left = between(left, 0, kScreenWidth), right = between(right, 0, kScreenWidth);
    top = between(top, 0, kScreenHeight), bottom = between(bottom, 0, kScreenHeight);
    const Shape shape = {uint8_t(left),  uint8_t(right), uint8_t(top),  uint8_t(bottom),
                         uint8_t(paint), pattern,        int8_t(shade), 0};
    if (shape.exists() && next != end) *next++ = shape;
  }

  // A box of the stage covers every pixel that it touches.
  THRONG_HD void box(const Box& b, int paint, int shade = 0, Shape::Pattern pattern = Shape::kFull) {
    const int left = low(b.left), right = high(b.right);
    pixels(turned() ? kScreenWidth - right : left, turned() ? kScreenWidth - left : right, kGroundRow - high(b.top),
           kGroundRow - low(b.bottom), paint, shade, pattern);
  }
  THRONG_HD static int low(int units) { return (units + 256 * kScreenPixel) / kScreenPixel - 256; }
  THRONG_HD static int high(int units) { return low(units + kScreenPixel - 1); }

  THRONG_HD void draw() {
    gauges();
    for (int who : {1 - seat, seat}) body(who);
    for (int who : {1 - seat, seat}) attack(who);
    for (int who : {1 - seat, seat}) shots(who);
    bars();
    if (next != end) *next = {};
  }

  THRONG_HD void body(int who) {
    const Fighter& me = f.fighter[who];
    const bool mine = who == seat;
    const bool stunned = me.state == kHitstun || me.state == kAirhit || me.state == kBlockstun || me.state == kCrush;
    const int shade = kFighterShade * me.who + (stunned ? f.timer % 2 == 0 ? kStunShade : -kStunShade : 0);
    Box hurt = body_box(p.fighters, me), limb;
    if (me.state == kDown) hurt.top = hurt.bottom + (hurt.top - hurt.bottom) / 4;
    const int paint = mine ? kMyPaint : kTheirPaint;
    if (limb_box(p.fighters, me, limb)) box(limb, paint, shade);
    box(hurt, paint, shade);
    constexpr int kHead = 4 * kScreenPixel, kStripe = 2 * kScreenPixel;
    const int front = me.facing > 0 ? hurt.right : hurt.left;
    const auto ahead = [&](int wide) {
      return Box{me.facing > 0 ? front - wide : front, hurt.bottom, me.facing > 0 ? front : front + wide, hurt.top};
    };
    Box head = ahead(kHead);
    head.bottom = larger(hurt.top - kHead, hurt.bottom);
    box(head, paint, shade + 30);
    const bool holds_back = me.free() && across(me.held) == -me.facing;
    if (me.state == kBlockstun || holds_back) box(ahead(kStripe), kGuardPaint);
    const bool hidden = !mine && p.hides(kHideMove);
    if (untouchable(me) || (!hidden && is_proof(p.fighters, me, kStrikes, false))) {
      box(hurt, kProofPaint, 0, Shape::kChecks);
    }
  }

  // The attack box: an outline that fills up before it is dangerous, then all of it.
  THRONG_HD void attack(int who) {
    const Fighter& me = f.fighter[who];
    if (me.state != kMove || (who != seat && p.hides(kHideMove))) return;
    const Move& m = p.fighters.move(me.who, me.move);
    if (m.kind != kStrike || m.box_w == 0 || me.frame >= m.startup + m.active) return;
    const Box danger = attack_box(me, m);
    if (me.frame >= m.startup) return box(danger, kDangerPaint);
    box(danger, kWarningPaint, 0, Shape::kHollow);
    const int filled = (danger.right - danger.left) * me.frame / m.startup;
    box({me.facing > 0 ? danger.left : danger.right - filled, danger.bottom,
         me.facing > 0 ? danger.left + filled : danger.right, danger.top},
        kWarningPaint);
  }

  THRONG_HD void shots(int who) {
    for (const Shot& s : f.shot[who]) {
      if (!s.alive()) continue;
      box(shot_box(s, data_of(p.fighters, f.fighter[who], s)), s.arm > 0 ? kArmingPaint : kShotPaint);
    }
  }

  // Two bars, the observer's at the left; both grow from the edge of the screen.
  THRONG_HD void pair(int top, int bottom, int mine, int theirs, int whole, int my_paint, int their_paint) {
    constexpr int kEdge = 4, kLength = 56;
    pixels(kEdge, kEdge + kLength * mine / whole, top, bottom, my_paint);
    pixels(kScreenWidth - kEdge - kLength * theirs / whole, kScreenWidth - kEdge, top, bottom, their_paint);
  }

  THRONG_HD void gauges() {
    const Fighter &me = f.fighter[seat], &other = f.fighter[1 - seat];
    pair(91, 92, me.guard, other.guard, kFullGuard, kMyGuardPaint, kTheirGuardPaint);
    pair(93, 94, me.meter, p.hides(kHideMeter) ? 0 : other.meter, kMaxMeter, kMyMeterPaint, kTheirMeterPaint);
  }

  THRONG_HD void bars() {
    constexpr int kWhole = 1000, kTop = 2, kBottom = 6, kMiddle = 60, kLong = 8;
    int share[2];
    for (int who = 0; who < 2; ++who) {
      share[who] = kWhole * f.fighter[who].hp / p.fighters.fighters[f.fighter[who].who].hp;
    }
    pair(kTop, kBottom, share[seat], share[1 - seat], kWhole, kMyHealthPaint, kTheirHealthPaint);
    pixels(kMiddle, kMiddle + (kLong * f.timer + kRoundFrames - 1) / kRoundFrames, kTop, kBottom, kTimePaint);
  }
};

// --- from shapes to pixels

// Sixteen pixels of a row, the leftmost in the lowest byte.
struct Piece {
  uint64_t half[2];

  THRONG_HD static uint64_t bytes_below(int n) {
    return n <= 0 ? 0 : n >= 8 ? ~uint64_t{0} : (uint64_t{1} << (8 * n)) - 1;
  }
  THRONG_HD static uint64_t repeated(int value) { return 0x0101010101010101u * static_cast<uint64_t>(value); }

  THRONG_HD void fill(int from, int to, int value, uint64_t where = ~uint64_t{0}) {
    for (int i = 0; i < 2; ++i) {
      const uint64_t mask = bytes_below(to - 8 * i) & ~bytes_below(from - 8 * i) & where;
      half[i] = (half[i] & ~mask) | (repeated(value) & mask);
    }
  }
};

// Piece number `at` of a plane: what the shapes, from back to front, leave there.
THRONG_HD inline Piece piece_of(const Field<uint64_t>& scene, int first, int at, int plane) {
  const int row = at / kPiecesOfRow, left = at % kPiecesOfRow * kPiece;
  const int ground = row >= kGroundRow ? kEarthPaint : left / kPiece % 2 == 0 ? kSkyPaint : kColumnPaint;
  Piece piece;
  piece.half[0] = piece.half[1] = Piece::repeated(shade_of(ground, plane));
  for (int i = 0; i < kMostShapes; ++i) {
    const uint64_t word = scene[first + i];
    const auto part = [&](int byte) { return static_cast<int>(word >> (8 * byte) & 255); };
    const int from = part(0) - left, to = part(1) - left, top = part(2), bottom = part(3);
    if (part(1) == 0) break;
    if (row < top || row >= bottom || from >= kPiece || to <= 0) continue;
    const int value = between(shade_of(part(4), plane) + static_cast<int8_t>(part(6)), 0, 255), pattern = part(5);
    if (pattern == Shape::kHollow && row != top && row != bottom - 1) {
      piece.fill(from, from + 1, value);
      piece.fill(to - 1, to, value);
    } else {
      constexpr uint64_t kEven = 0x00ff00ff00ff00ffu;
      piece.fill(from, to, value, pattern == Shape::kChecks ? row % 2 == 0 ? kEven : ~kEven : ~uint64_t{0});
    }
  }
  return piece;
}

}  // namespace throng::fighting
