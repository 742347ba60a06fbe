// Random actions: for every agent one of its legal choices; alone, or with the step that they lead to, many times in a launch.
#pragma once

#include <cstdint>
#include <cstring>

#include "core/draws.hpp"
#include "core/env.hpp"
#include "core/vec_env.hpp"

namespace throng {

// Calls visit(first, flags) for the flags of a row, four of them as the bytes of a word, or one, until it returns true.
template <class Visit>
THRONG_HD void each_four(const uint8_t* flags, int count, const Visit& visit) {
#ifdef __CUDA_ARCH__
  const auto phase = static_cast<int>(reinterpret_cast<uintptr_t>(flags) & 3);  // words are read where they are aligned
#else
  constexpr int phase = 0;
#endif
  for (int i = 0; i < count;) {
    const bool four = ((i + phase) & 3) == 0 && i + 4 <= count;
    uint32_t word = flags[i];
#ifdef __CUDA_ARCH__
    if (four) word = *reinterpret_cast<const uint32_t*>(flags + i);
#else
    if (four) std::memcpy(&word, flags + i, 4);
#endif
    if (visit(i, word)) return;
    i += four ? 4 : 1;
  }
}

// One of the choices that are legal, each as likely as the others.
THRONG_HD inline int random_choice(const uint8_t* avail, int choices, uint32_t bits) {
  const auto sum = [](uint32_t four) { return static_cast<int>((four * 0x01010101u) >> 24); };
  int legal = 0, action = 0;
  each_four(avail, choices, [&](int, uint32_t four) { return legal += sum(four), false; });
  int skip = below_of(bits, legal);
  if (legal == choices) return skip;
  each_four(avail, choices, [&](int first, uint32_t four) {
    const int here = sum(four);
    if (skip >= here) return skip -= here, false;
    for (action = first; (four & 1) == 0 || skip-- > 0; four >>= 8) ++action;
    return true;
  });
  return action;
}
THRONG_HD inline int random_choice(const uint8_t* avail, int choices, Key key, uint32_t draw) {
  return random_choice(avail, choices, bits(key, draw));
}

// The actions of all agents, or of those whose policy is number 0. A number's draw is its index among all.
template <class Env>
struct RandomActions {
  int num_actions, dim;
  FixedList<int, 4> heads;
  const uint8_t* avail;     // [row, num_actions]
  const int32_t* policies;  // [row], or null
  ActionOf<Env>* actions;   // [row, dim]

  RandomActions(const EnvSpec& spec, const uint8_t* avail, const int32_t* policies, void* actions)
      : num_actions(spec.num_actions),
        dim(spec.action_dim()),
        heads(spec.heads),
        avail(avail),
        policies(policies),
        actions(static_cast<ActionOf<Env>*>(actions)) {}

  // The agent of a row.
  THRONG_HD void choose(Key drawn, int64_t row) const {
    for (int i = 0; i < dim; ++i) set(row, i, bits(drawn, static_cast<uint32_t>(row * dim + i)));
  }

#ifdef __CUDACC__
  static constexpr int kRows = 1;  // that are chosen for together
  THRONG_HD void choose_block(Key drawn, int64_t block, int64_t) const { choose(drawn, block); }
#else
  static constexpr int kRows = kDrawsAtOnce;
  void choose_block(Key drawn, int64_t block, int64_t rows) const {
    choose(drawn, block * kRows, (block + 1) * kRows < rows ? (block + 1) * kRows : rows);
  }

  // The agents of several rows; a CPU draws many numbers at once.
  void choose(Key drawn, int64_t row, int64_t end) const {
    for (int i = 0; row < end;) {
      uint32_t words[kDrawsAtOnce];
      draw_bits(drawn, static_cast<uint32_t>(row * dim + i), words);
      for (int k = 0; k < kDrawsAtOnce && row < end; ++k) {
        set(row, i, words[k]);
        if (++i == dim) i = 0, ++row;
      }
    }
  }
#endif

 private:
  THRONG_HD void set(int64_t row, int i, uint32_t word) const {
    if (policies && policies[row] != 0) return;
    if constexpr (HasContinuousActions<Env>) {
      actions[row * dim + i] = uniform_of(word, -1.0f, 1.0f);
    } else {
      int first = 0;
      for (int head = 0; head < i; ++head) first += heads[head];
      const int choices = heads.size > 0 ? heads[i] : num_actions;
      actions[row * dim + i] = random_choice(avail + row * num_actions + first, choices, word);
    }
  }
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
        seat.env().lanes.each(agents, [&](int a) { random.choose(key, row + a); });
      }
      inner(seat, next(step));
    }
  }

  int bytes(const typename Env::Params& params, int envs) const requires requires(Inner inner) {
    inner.bytes(params, envs);
  }
  { return inner.bytes(params, envs); }

#ifndef __CUDACC__
  // On a CPU, for a whole tile, if that is how a step is taken.
  template <class Tile>
  void on_tile(const Tile& tile) const requires requires(Inner inner, Observations next) {
    inner.on_tile(tile, next);
  }
  {
    const int64_t first = int64_t(tile.first) * agents, end = first + int64_t(tile.count) * agents;
    for (int step = 0; step < steps; ++step) {
      random.choose(drawn(step), first, end);
      inner.on_tile(tile, next(step));
    }
  }
#endif
};

}  // namespace throng
