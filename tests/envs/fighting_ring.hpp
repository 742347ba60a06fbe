// A fight whose fighters are placed and told by hand: what the tests of its rules share.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "envs/fighting/engine.hpp"

namespace throng::fighting {

inline const Roster& roster() {
  static const Roster built_in = load_roster("");
  return built_in;
}

inline int fighter_named(const std::string& name) {
  for (int i = 0; i < roster().size; ++i) {
    if (name == roster().fighters[i].name) return i;
  }
  FAIL("no fighter " << name);
  return 0;
}

// Directions and actions are as seen from the fighter.
struct Ring {
  const Roster& r;
  Fight f = {};
  Result result = Result::kRunning;
  int frames = 0;

  explicit Ring(int left, int right, int pixels_apart = 60, const Roster& table = roster()) : r(table) {
    f.fighter[0].who = static_cast<uint8_t>(left);
    f.fighter[1].who = static_cast<uint8_t>(right);
    begin_round(r, f, kStage / 2, pixels_apart * kPixel);
  }
  Ring(const std::string& left, const std::string& right, int pixels_apart = 60)
      : Ring(fighter_named(left), fighter_named(right), pixels_apart) {}

  Fighter& left() { return f.fighter[0]; }
  Fighter& right() { return f.fighter[1]; }
  const Move& move(int seat, int id) { return r.move(f.fighter[seat].who, id); }

  Ring& frame(Input a = {}, Input b = {}) {
    Input input[2] = {a, b};
    for (int i = 0; i < 2; ++i)
      input[i].direction = static_cast<uint8_t>(absolute(input[i].direction, f.fighter[i].facing));
    result = play_frame(r, f, input);
    ++frames;
    return *this;
  }
  // One frame with the whole action, then n - 1 with its direction alone.
  Ring& act(int a, int b, int n = 1) {
    Input x = direct_input(a), y = direct_input(b);
    for (int i = 0; i < n; ++i) {
      frame(x, y);
      x.presses = y.presses = 0;
    }
    return *this;
  }
  Ring& wait(int n) { return act(kNeutral, kNeutral, n); }

  // Plays on, both idle, until `done` holds; the number of frames that took, at most `most`.
  template <class Done>
  int until(Done done, int most = 400) {
    int n = 0;
    while (!done() && n < most) frame(), ++n;
    return n;
  }
};

// Everything of a fighter that a mirror changes, changed.
inline Fighter mirror_image(Fighter f) {
  f.x = kStage - f.x;
  f.vx = static_cast<int16_t>(-f.vx);
  f.push = static_cast<int16_t>(-f.push);
  f.facing = static_cast<int8_t>(-f.facing);
  f.held = static_cast<uint8_t>(mirrored(f.held));
  return f;
}

inline bool equal(const Fighter& a, const Fighter& b) {
  bool events = true;
  for (int i = 0; i < kNumEvents; ++i) events = events && a.events[i] == b.events[i];
  return events && a.x == b.x && a.y == b.y && a.vx == b.vx && a.vy == b.vy && a.push == b.push && a.hp == b.hp &&
         a.meter == b.meter && a.flags == b.flags && a.presses == b.presses && a.motions == b.motions &&
         a.who == b.who && a.facing == b.facing && a.jump == b.jump && a.held == b.held && a.state == b.state &&
         a.since == b.since && a.move == b.move && a.frame == b.frame && a.hit == b.hit && a.guard == b.guard &&
         a.guard_tick == b.guard_tick && a.stun == b.stun && a.stop == b.stop && a.combo == b.combo &&
         a.juggle == b.juggle && a.chain == b.chain && a.throw_proof == b.throw_proof &&
         a.strike_proof == b.strike_proof;
}

inline bool mirrors(const Shot& a, const Shot& b) {
  if (!a.alive() || !b.alive()) return a.alive() == b.alive();
  return a.x == kStage - b.x && a.y == b.y && a.vx == -b.vx && a.life == b.life && a.move == b.move && a.arm == b.arm &&
         a.durability == b.durability && a.cooldown == b.cooldown;
}

inline bool mirrors(const Fight& a, const Fight& b) {
  for (int i = 0; i < 2; ++i) {
    if (!equal(mirror_image(a.fighter[i]), b.fighter[1 - i])) return false;
    for (int slot = 0; slot < kShots; ++slot) {
      if (!mirrors(a.shot[i][slot], b.shot[1 - i][slot])) return false;
    }
  }
  return a.timer == b.timer && a.freeze == b.freeze && a.order == b.order;
}

}  // namespace throng::fighting
