// Built-in players that follow rules: a random one, one that only blocks, scripts with one move, and bots of eight levels.
#pragma once

#include "core/rng.hpp"
#include "envs/fighting/contacts.hpp"
#include "envs/fighting/params.hpp"
#include "envs/fighting/state.hpp"

namespace throng::fighting {

// What a decision asks of chance.
enum Question : uint32_t {
  kPlanDraw,
  kRandomDraw,
  kTechDraw,
  kReversalDraw,
  kHeightDraw,
  kRiseDraw,
  kComboDraw,
  kComboKindDraw,
  kAntiAirDraw,
  kShotDraw,
  kPunishDraw,
  kBlockDraw,
  kEscapeDraw,
  kNeutralDraw,
  kPokeDraw,
  kTieDraw,
  kMemoryDraw
};

// --- what a bot sees of the other: how it was some frames ago

struct Glance {
  int x, y;  // units
  int state, move, frame;
};

THRONG_HD inline uint64_t glance_of(const Fighter& f) {
  const auto y = static_cast<uint64_t>(smaller(f.y, 0xffff));
  return static_cast<uint64_t>(f.x) | y << 17 | uint64_t{f.state} << 33 | uint64_t{f.move} << 38 |
         uint64_t{f.frame} << 42;
}

THRONG_HD inline Glance unpacked(uint64_t g) {
  auto part = [&](int shift, int bits) { return static_cast<int>(g >> shift & ((uint64_t{1} << bits) - 1)); };
  return {part(0, 17), part(17, 16), part(33, 5), part(38, 4), part(42, 8)};
}

THRONG_HD inline Glance glance_back(const State& s, int seat, int frames) {
  const int at = (s.glance_at[0] + 2 * kGlances - 1 - frames) % kGlances;
  return unpacked(s.glance[seat * kGlances + at]);
}

// --- what moves are good for

THRONG_HD constexpr int action_of_move(int id) {
  return id <= kTH   ? (id <= k6H   ? kAct5L + id
                        : id == kTH ? kActThrow
                                    : kAct5L)
         : id == kRV ? kActReversal
                     : kActA + id - kSA;
}

// The distance of centres, in pixels, at which a move still touches a standing fighter.
THRONG_HD inline int reach_of(const Roster& r, int who, int id, int other) {
  constexpr int kFar = 220;
  const Move& m = r.move(who, id);
  if (m.kind == kThrow || m.kind == kCommandGrab) return m.range;
  if (m.kind == kProjectile) return kFar;
  if (m.kind != kStrike) return 0;
  const int slid = larger(smaller(m.startup, m.slide_to) - m.slide_from, 0) * m.slide_x / kPixel;
  return m.box_x + m.box_w + slid + r.fighters[other].stand_w / 2 - 2;
}

// One bot at one decision.
struct Bot {
  const Params& p;
  const State& s;
  const Fight& f;
  int seat;
  Level level;
  Rng rng;
  Glance seen;  // the other, as it was

  THRONG_HD const Roster& roster() const { return p.fighters; }
  THRONG_HD const Fighter& me() const { return f.fighter[seat]; }
  THRONG_HD const Fighter& other() const { return f.fighter[1 - seat]; }
  THRONG_HD const Style& style() const { return roster().fighters[me().who].style; }
  THRONG_HD const Move& move(int id) const { return roster().move(me().who, id); }
  THRONG_HD int roll(Question question) const { return rng.at(question).below(0, 100); }
  THRONG_HD bool chance(Question question, int percent) const { return roll(question) < percent; }
  THRONG_HD int distance() const { return magnitude(seen.x - me().x) / kPixel; }
  THRONG_HD int reach(int id) const { return reach_of(roster(), me().who, id, other().who); }
  THRONG_HD bool can(int id) const { return may_begin(roster(), f, seat, id); }
  THRONG_HD bool can_cancel_into(int id) const {
    return can(id) && cancels_into(move(me().move), me().move, move(id), id, me().chain);
  }

  // One of n actions, by weight.
  struct Option {
    int action, weight;
  };
  template <int N>
  THRONG_HD int pick(Question question, const Option (&options)[N]) const {
    int sum = 0;
    for (const Option& o : options) sum += larger(o.weight, 0);
    int at = rng.at(question).below(0, larger(sum, 1));
    for (const Option& o : options) {
      at -= larger(o.weight, 0);
      if (at < 0) return o.action;
    }
    return kCrouchBlock;
  }

  THRONG_HD int decide() const {
    if (chance(kRandomDraw, level.random)) return rng.at(kRandomDraw).below(1, kNumActions);
    int action = kNeutral;
    if (in_trouble(action) || in_attack(action) || against_air(action) || against_shot(action) ||
        against_attack(action)) {
      return action;
    }
    return in_neutral();
  }

  // --- thrown, in block-stun, on the ground

  THRONG_HD bool in_trouble(int& action) const {
    switch (me().state) {
      case kThrown: action = chance(kTechDraw, level.tech) ? kActThrow : kCrouchBlock; return true;
      case kBlockstun:
        action = can(kRV) && chance(kReversalDraw, level.reversal) ? int(kActReversal) : guard(other_move());
        return true;
      case kDown:
      case kRise: action = rise(); return true;
      default: return false;
    }
  }

  THRONG_HD int other_move() const { return seen.state == kMove && seen.move < kNumMoves ? seen.move : int(k5M); }

  // Holds back against a move of the other, at the right height as often as the level can tell.
  THRONG_HD int guard(int id) const {
    const bool over = roster().move(other().who, id).height == kOverhead;
    const bool right = chance(kHeightDraw, level.height);
    return over == right ? kBack : kCrouchBlock;
  }

  THRONG_HD int rise() const {
    const int skill = level.punish / 10;
    const Option options[] = {{kCrouchBlock, 30 + 3 * skill},
                              {kBack, 10 + skill},
                              {riser(), 10},
                              {kAct2L, 10},
                              {kActThrow, 6},
                              {kBackDash, 6},
                              {kActSuper, can(kSU) ? 6 : 0}};
    return pick(kRiseDraw, options);
  }

  // The special that takes an opponent out of the air, or the heavy normal.
  THRONG_HD int riser() const {
    for (int id = kSA; id <= kSC; ++id) {
      if (move(id).kind == kStrike && move(id).knockdown == kLaunch) return action_of_move(id);
    }
    return kAct5H;
  }

  // --- the own attack, in the air or on the ground

  THRONG_HD bool in_attack(int& action) const {
    if (me().state == kMove && me().has(kContact) && !me().airborne()) {
      action = chance(kComboDraw, level.combo) ? go_on() : kCrouchBlock;
      return true;
    }
    if (me().state == kMove) {
      action = kCrouchBlock;
      return true;
    }
    if (me().airborne() && !me().has(kAirSpent) && me().state == kAir) {
      const int below = (me().y - seen.y) / kPixel;
      const bool dives = move(kSA).dives && me().vy < 0;
      if (distance() < 70 && below < 60 && me().vy < 0) {
        action = dives && chance(kNeutralDraw, 40) ? kActA : chance(kPokeDraw, 70) ? kAct5H : kAct5L;
      } else {
        action = dives && distance() < 130 && chance(kNeutralDraw, 25) ? kActA : kNeutral;
      }
      return true;
    }
    return false;
  }

  // After a touch: the strongest that can follow a hit; after a block something safe or nothing.
  THRONG_HD int go_on() const {
    const bool hit = other().state == kHitstun || other().state == kAirhit || other().state == kCrush;
    if (hit && can_cancel_into(kSU) && reach(kSU) >= distance() - 10) return kActSuper;
    const int gap = magnitude(other().x - me().x) / kPixel;
    int best = kNoMove, best_damage = 0;
    for (int id = k5L; id <= kSC; ++id) {
      if (id == kTH || id == kJL || id == kJH || !can_cancel_into(id) || reach(id) < gap + 4) continue;
      const Move& m = move(id);
      const int risk = m.recovery + m.active - m.blockstun;
      const int damage = m.kind == kProjectile ? 45 : m.kind == kStrike ? m.damage : 0;
      const int worth = hit ? damage : m.kind == kProjectile ? 30 : larger(40 - 6 * risk, 0);
      if (worth > best_damage) best = id, best_damage = worth;
    }
    if (best == kNoMove || (!hit && !chance(kComboKindDraw, 50))) return kCrouchBlock;
    return action_of_move(best);
  }

  // --- against what the other does

  THRONG_HD bool against_air(int& action) const {
    const bool high = seen.y > 24 * kPixel && (seen.state == kAir || seen.state == kMove);
    if (!high || distance() > 85 || !me().free() || !chance(kAntiAirDraw, level.anti_air)) return false;
    action = distance() < 60 ? riser() : chance(kPokeDraw, 50) ? riser() : kBack;
    return true;
  }

  THRONG_HD bool against_shot(int& action) const {
    constexpr int kFlight = 11;  // frames before it arrives in which a jump clears it
    if (!me().free()) return false;
    for (const Shot& shot : f.shot[1 - seat]) {
      if (!shot.alive() || shot.vx == 0) continue;
      const int gap = (me().x - shot.x) * sign(shot.vx) / kPixel;
      const int speed = magnitude(shot.vx);
      if (gap < 0 || gap * kPixel > 30 * speed) continue;
      if (!chance(kShotDraw, level.anti_shot)) return false;
      const bool clears = gap * kPixel > (kFlight - 3) * speed && gap * kPixel < (kFlight + 8) * speed;
      action = clears && chance(kEscapeDraw, 40) ? int(kJumpForward) : int(kCrouchBlock);
      return true;
    }
    return false;
  }

  THRONG_HD bool against_attack(int& action) const {
    if (!me().free() || seen.state != kMove || seen.move >= kNumMoves) return punishes_stun(action);
    const Move& m = roster().move(other().who, seen.move);
    const int now = seen.frame + level.react, left = m.frames() - now;
    if (seen.frame >= m.startup + m.active || (now >= m.startup + m.active + 4 && m.kind == kStrike)) {
      if (left <= 3 || !chance(kPunishDraw, level.punish)) return false;
      return best_within(left, action);
    }
    const int danger = m.kind == kStrike ? reach_of(roster(), other().who, seen.move, me().who) + 16
                       : m.kind == kThrow || m.kind == kCommandGrab ? m.range + 12
                                                                    : 0;
    if (distance() > danger || !chance(kBlockDraw, level.block)) return false;
    const bool thrown = m.kind == kThrow || m.kind == kCommandGrab;
    action = thrown ? (chance(kEscapeDraw, 50) ? int(kJumpUp) : int(kBackDash)) : guard(seen.move);
    return true;
  }

  // The other is still stunned by what the bot did before.
  THRONG_HD bool punishes_stun(int& action) const {
    const bool open = other().state == kHitstun || other().state == kCrush;
    if (!me().free() || !open || !chance(kComboDraw, level.combo)) return false;
    return best_within(other().stun + other().stop, action);
  }

  // The most damaging move that touches within so many frames.
  THRONG_HD bool best_within(int frames, int& action) const {
    int best = kNoMove, best_damage = 0;
    for (int id = k5L; id <= kSU; ++id) {
      const Move& m = move(id);
      const bool works = m.kind == kStrike || m.kind == kThrow || m.kind == kCommandGrab;
      if (!works || m.air_only || m.startup + 1 >= frames || !can(id) || reach(id) < distance() + 2) continue;
      const bool grabs = m.kind != kStrike;
      if (grabs && (other().state == kHitstun || other().state == kCrush)) continue;
      if (m.damage * m.hits > best_damage) best = id, best_damage = m.damage * m.hits;
    }
    if (best == kNoMove) return false;
    action = action_of_move(best);
    return true;
  }

  // --- nothing urgent: three bands of distance, by style

  THRONG_HD int in_neutral() const {
    constexpr int kFar = 130, kNear = 62;
    const int d = distance();
    return d > kFar ? far_play() : d > kNear ? middle_play() : near_play();
  }

  THRONG_HD int projectile() const {
    for (int id = kSA; id <= kSC; ++id) {
      if (move(id).kind == kProjectile && can(id) && !move(id).air_only) return action_of_move(id);
    }
    return kNeutral;
  }

  // A special that moves in, or another thing that only this fighter has.
  THRONG_HD int special() const {
    const int id = kSA + rng.at(kPokeDraw).below(1, 3);
    const Move& m = move(id);
    const bool fits = m.kind == kStrike        ? reach(id) >= distance() && m.knockdown != kLaunch
                      : m.kind == kCommandGrab ? reach(id) >= distance()
                                               : true;
    return fits && can(id) ? action_of_move(id) : kCrouchBlock;
  }

  THRONG_HD int far_play() const {
    const int shot = projectile();
    const Option options[] = {{kForward, 8 + 2 * style().rush},
                              {kDash, 1 + style().rush},
                              {kJumpForward, style().jump},
                              {shot, shot == kNeutral ? 0 : 2 * style().zone},
                              {kCrouchBlock, 6},
                              {special(), style().special / 2}};
    return pick(kNeutralDraw, options);
  }

  THRONG_HD int poke() const {
    int best = kNoMove, found = 0;
    for (int id : {k5M, k2M, k5H, k2H, k5L, k6H}) {
      if (reach(id) < distance() + 4) continue;
      ++found;
      if (rng.at(kPokeDraw).below(2 + found, found) == 0) best = id;
    }
    return best == kNoMove ? int(kForward) : action_of_move(best);
  }

  THRONG_HD int middle_play() const {
    const int shot = projectile();
    const Option options[] = {{poke(), 22},
                              {kForward, 6 + style().rush},
                              {kBack, 8},
                              {kCrouchBlock, 12},
                              {special(), style().special},
                              {shot, shot == kNeutral ? 0 : style().zone},
                              {kJumpForward, style().jump},
                              {kDash, style().rush / 2},
                              {kActSuper, can(kSU) && reach(kSU) > distance() + 6 ? 2 : 0}};
    return pick(kNeutralDraw, options);
  }

  THRONG_HD int near_play() const {
    const Option options[] = {{kAct5L, 8},
                              {kAct2L, 6 + style().low},
                              {kAct2M, 2 + style().low},
                              {kActThrow, 2 + 2 * style().throws},
                              {kActOverhead, style().overhead},
                              {kCrouchBlock, 16},
                              {kBack, 4},
                              {kBackDash, 4},
                              {special(), style().special},
                              {kAct5M, 8}};
    return pick(kNeutralDraw, options);
  }
};

// --- simple ones

THRONG_HD inline int script_decides(const Params& p, const Fight& f, int seat, int action) {
  const Fighter &me = f.fighter[seat], &other = f.fighter[1 - seat];
  if (me.state == kBlockstun) return kCrouchBlock;
  const int id = action == kActA ? int(kSA) : action == kActThrow ? int(kTH) : action - kAct5L;
  const int distance = magnitude(other.x - me.x) / kPixel;
  return distance <= reach_of(p.fighters, me.who, id, other.who) ? action : int(kForward);
}

// What a built-in player does, planning aside.
THRONG_HD THRONG_CALLED_ON_GPU inline int builtin_action(const Params& p, const State& s, int seat, int player,
                                                         Rng rng) {
  if (player == kRandomPlayer) return rng.at(kRandomDraw).below(0, kNumActions);
  if (player == kCrouchBlocker) return kCrouchBlock;
  const Fight f = s.load();
  if (player >= kFirstScript) return script_decides(p, f, seat, script_action(player));
  const int number =
      player >= kFirstDifficulty ? level_of_difficulty(player - kFirstDifficulty + 1) : player - kFirstLevel + 1;
  const Level level = level_of(number);
  return Bot{p, s, f, seat, level, rng, glance_back(s, 1 - seat, level.react)}.decide();
}

}  // namespace throng::fighting
