// The planner: it plays the real engine forward for every action and a few guesses about the opponent, and takes the action
// whose outcome is best on average.
#pragma once

#include "core/lanes.hpp"
#include "envs/fighting/bots.hpp"
#include "envs/fighting/engine.hpp"
#include "envs/fighting/params.hpp"
#include "envs/fighting/screen.hpp"
#include "envs/fighting/state.hpp"

namespace throng::fighting {

inline constexpr int kCandidates = 20, kGuesses = 3, kRollouts = kCandidates * kGuesses;
inline constexpr int kPlanFrames = 32;

// Working memory of a step.
struct Scratch {
  Field<uint8_t> choice;   // [seat], what a built-in player does
  Field<uint8_t> ended;    // [1]
  Field<Fight> fight;      // [1], as it is played and seen: on a GPU nearer than a thread's own memory
  Field<int32_t> outcome;  // [candidate * kGuesses + guess], hundredths of a point of health
  Field<uint64_t> scene;   // [(seat * frame_stack + frame) * kMostShapes + shape], what pixels are made of

  template <class V>
  THRONG_HD void fields(const Params& p, V&& v) {
    v("choice", choice, 2);
    v("ended", ended, 1);
    v("fight", fight, 1);
    v("outcome", outcome, p.has_planner() ? kRollouts : 1);
    if (p.observation != kVector) v("scene", scene, 2 * p.frame_stack * kMostShapes);
  }
};

// All actions but four that others make up for: neutral, crouch, jump straight up, back throw.
THRONG_HD constexpr int candidate_action(int i) {
  constexpr uint8_t kActions[kCandidates] = {
      kForward, kBack,  kCrouchBlock, kJumpForward, kJumpBack, kDash, kBackDash, kAct5L, kAct5M,    kAct5H,
      kAct2L,   kAct2M, kAct2H,       kActOverhead, kActThrow, kActA, kActB,     kActC,  kActSuper, kActReversal};
  return kActions[i];
}

// The input that a byte of history stands for; see Env::Choice::code.
THRONG_HD inline Input remembered_input(int code) {
  const int direction = code >> 4, press = code & 15;
  if (direction == 0) return direct_input(kCrouchBlock);
  return {static_cast<uint8_t>(direction), press < kNumPresses ? bit(press) : uint16_t{0}};
}

// What the opponent may do, decision after decision: its last input, one of its last eight, or crouch and block.
THRONG_HD inline Input guess_of(const State& s, int seat, int guess, Rng rng) {
  constexpr int kRemembered = 8;
  if (guess == 2) return direct_input(kCrouchBlock);
  const int back = guess == 0 ? 0 : rng.at(kMemoryDraw).below(0, kRemembered);
  return remembered_input(static_cast<int>(s.history[seat] >> (8 * back) & 255));
}

// Damage dealt less damage taken in the next frames, in hundredths; a round is worth 200, a pixel of distance costs 0.02.
THRONG_HD THRONG_CALLED_ON_GPU inline int roll_out(const Params& p, const State& s, int seat, Input mine,
                                                   Input theirs) {
  constexpr int kPoint = 100, kRoundWorth = 200 * kPoint, kPixelCost = 2;
  Fight f = s.load();
  const int before[2] = {f.fighter[0].hp, f.fighter[1].hp};
  Result result = Result::kRunning;
  Input input[2];
  for (int frame = 0; frame < kPlanFrames && result == Result::kRunning; ++frame) {
    if (frame % p.derived.decision_frames == 0) {
      const Input relative[2] = {frame == 0 ? mine : direct_input(kCrouchBlock), theirs};
      for (int i = 0; i < 2; ++i) {
        const int at = i == 0 ? seat : 1 - seat;
        input[at] = relative[i];
        input[at].direction = static_cast<uint8_t>(absolute(relative[i].direction, f.fighter[at].facing));
      }
    } else {
      input[0].presses = input[1].presses = 0;
    }
    result = play_frame(p.fighters, f, input);
  }
  const int dealt = before[1 - seat] - f.fighter[1 - seat].hp, taken = before[seat] - f.fighter[seat].hp;
  int outcome = kPoint * (dealt - taken) - kPixelCost * (magnitude(f.fighter[1].x - f.fighter[0].x) / kPixel);
  if (result == Result::kSeat0 || result == Result::kSeat1)
    outcome += (result == Result::kSeat0) == (seat == 0) ? kRoundWorth : -kRoundWorth;
  return outcome;
}

// Writes the choice of this seat. All lanes take part: each plays some of the rollouts.
THRONG_HD inline void plan(const Params& p, const State& s, const Scratch& w, const Lanes& lanes, int seat, Rng rng) {
  lanes.each(kRollouts, [&](int i) {
    const int candidate = i / kGuesses, guess = i % kGuesses;
    w.outcome[i] = roll_out(p, s, seat, direct_input(candidate_action(candidate)), guess_of(s, 1 - seat, guess, rng));
  });
  lanes.once([&] {
    constexpr int kTies = 16;  // chance decides between equals
    int best = 0, best_value = 0;
    for (int c = 0; c < kCandidates; ++c) {
      int sum = 0;
      for (int g = 0; g < kGuesses; ++g) sum += w.outcome[c * kGuesses + g];
      const int value = sum * kTies + rng.at(kTieDraw).below(c, kTies);
      if (c == 0 || value > best_value) best = c, best_value = value;
    }
    w.choice[seat] = static_cast<uint8_t>(candidate_action(best));
  });
}

}  // namespace throng::fighting
