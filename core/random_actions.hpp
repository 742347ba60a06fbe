// Random actions: for every agent one of its legal choices; alone, or with the step that they lead to, many times in a launch.
#pragma once

#include <cstdint>

#include "core/env.hpp"
#include "core/vec_env.hpp"

namespace throng {

// One of the choices that are legal, each as likely as the others.
THRONG_HD inline int random_choice(const uint8_t* avail, int choices, uint32_t bits) {
  int legal = 0;
  for (int a = 0; a < choices; ++a) legal += avail[a];
  int skip = high_product(bits, legal);
  int action = 0;
  while (avail[action] == 0 || skip-- > 0) ++action;
  return action;
}
THRONG_HD inline int random_choice(const uint8_t* avail, int choices, Key key, uint32_t draw) {
  return random_choice(avail, choices, bits(key, draw));
}

// The actions of all agents, or of those whose policy is number 0.
template <class Env>
struct RandomActions {
  int num_actions, continuous;
  FixedList<int, 4> heads;
  const uint8_t* avail;             // [row, num_actions]
  const int32_t* policies;          // [row], or null
  ActionOf<Env>* actions;           // [row, action_dim]
  static constexpr int kRows = 16;  // that a CPU draws for at once

  RandomActions(const Spec& spec, const uint8_t* avail, const int32_t* policies, void* actions)
      : num_actions(spec.num_actions),
        continuous(spec.continuous),
        heads(spec.heads),
        avail(avail),
        policies(policies),
        actions(static_cast<ActionOf<Env>*>(actions)) {}

  // Of the rows from `first` on, not more than kMost; each number's draw is its index among all.
  template <int kMost>
  THRONG_HD void choose(Key drawn, int64_t first, int64_t end) const {
    if constexpr (HasContinuousActions<Env>) {
      for (int64_t i = first * continuous; i < end * continuous; ++i) {
        if (chooses(i / continuous)) actions[i] = uniform(drawn, static_cast<uint32_t>(i), -1.0f, 1.0f);
      }
    } else {
      const int num_heads = heads.size > 0 ? heads.size : 1;
      for (int head = 0, skipped = 0; head < num_heads; ++head) {
        const int choices = heads.size > 0 ? heads[head] : num_actions;
        uint32_t words[kMost];
        for (int k = 0; k < kMost; ++k) words[k] = bits(drawn, static_cast<uint32_t>((first + k) * num_heads + head));
        for (int k = 0; k < kMost && first + k < end; ++k) {
          const int64_t row = first + k;
          if (!chooses(row)) continue;
          actions[row * num_heads + head] = random_choice(avail + row * num_actions + skipped, choices, words[k]);
        }
        skipped += choices;
      }
    }
  }

 private:
  THRONG_HD bool chooses(int64_t row) const { return !policies || policies[row] == 0; }
};

// Several steps in one launch, each with random actions. All are as if called one by one, but only the last is observed.
// Inner: how one step is taken, a Stepper or the like.
template <class Env, class Inner>
struct RandomSteps {
  Inner inner;
  RandomActions<Env> random;
  Observations last;
  int agents;
  Key key;
  uint32_t draw;  // of the first step
  int steps;

  THRONG_HD Key drawn(int step) const { return fold_in(key, draw + static_cast<uint32_t>(step)); }
  // What the next choice meets is its mask; what comes after the last is everything.
  THRONG_HD Observations next(int step) const {
    Observations only_mask;
    only_mask.avail_actions = last.avail_actions;
    return step + 1 < steps ? only_mask : last;
  }

  template <class Seat>
  THRONG_HD void operator()(Seat& seat) const {
    for (int step = 0; step < steps; ++step) {
      if (seat.taken()) {
        const int64_t row = int64_t(seat.e) * agents;
        const Key key = drawn(step);
        seat.env().lanes.each(agents, [&](int a) { random.template choose<1>(key, row + a, row + a + 1); });
      }
      inner(seat, next(step));
    }
  }

  int bytes(const typename Env::Params& params, int envs) const requires requires(Inner inner) {
    inner.bytes(params, envs);
  }
  { return inner.bytes(params, envs); }

  // On a CPU, for a whole tile, if that is how a step is taken.
  template <class Tile>
  void on_tile(const Tile& tile) const requires requires(Inner inner, Observations next) {
    inner.on_tile(tile, next);
  }
  {
    const int64_t first = int64_t(tile.first) * agents, end = first + int64_t(tile.count) * agents;
    for (int step = 0; step < steps; ++step) {
      const Key key = drawn(step);
      constexpr int kRows = RandomActions<Env>::kRows;
      for (int64_t row = first; row < end; row += kRows) {
        random.template choose<kRows>(key, row, row + kRows < end ? row + kRows : end);
      }
      inner.on_tile(tile, next(step));
    }
  }
};

}  // namespace throng
