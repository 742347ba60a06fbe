// Packs: a game's rules for W neighbouring environments of a tile, compiled once for each instruction set (core/packs_unit.in).
#pragma once

#include <cstdint>

#include "core/side_by_side.hpp"

namespace throng {

// Rows of W environments on their way out: value by value, side by side.
template <int W>
struct PackStage {
  unsigned char* memory;
};

template <class T, int W>
struct PackWriter {
  PackOf<T, W>* next;
  void operator()(PackOf<T, W> values) { *next++ = values; }
};
template <int W>
struct PackWriter<uint8_t, W> {  // flags
  PackOf<int, W>* next;
  void operator()(MaskOf<W> flags) { *next++ = ones(flags); }
};

// Four values of four environments.
template <int W, class T>
void turn_square(const T* from, T* to, int64_t distance) {
  using Four = typename SimdVector<T, 4>::Type;
  Four a, b, c, d;
  std::memcpy(&a, from, sizeof a);
  std::memcpy(&b, from + W, sizeof b);
  std::memcpy(&c, from + 2 * W, sizeof c);
  std::memcpy(&d, from + 3 * W, sizeof d);
  const Four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const Four ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7), cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  const Four rows[4] = {__builtin_shufflevector(ab, cd, 0, 1, 4, 5), __builtin_shufflevector(ab, cd, 2, 3, 6, 7),
                        __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5),
                        __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
  for (int lane = 0; lane < 4; ++lane) std::memcpy(to + lane * distance, &rows[lane], sizeof(Four));
}

// ... and turned round: one environment's values after the other, each row `distance` from its neighbour's.
template <int W, class T, class To>
void turn_round(const T* values, int64_t count, To* to, int64_t distance) {
  const int64_t squares = std::is_same_v<T, To> && sizeof(T) == 4 ? count / 4 : 0;
  if constexpr (std::is_same_v<T, To> && sizeof(T) == 4) {
    for (int64_t k = 0; k < squares; ++k) {
      for (int lane = 0; lane < W; lane += 4) {
        turn_square<W>(values + 4 * k * W + lane, to + lane * distance + 4 * k, distance);
      }
    }
  }
  for (int lane = 0; lane < W; ++lane) {
    To* row = to + lane * distance;
    for (int64_t i = 4 * squares; i < count; ++i) row[i] = static_cast<To>(values[i * W + lane]);
  }
}

template <int W, class T, class Write>
void write_rows(const Lanes&, PackStage<W> stage, RowsOut<T> to, int, const RowShape& shape, const Write& write) {
  for (int row = 0; row < shape.rows; ++row) {
    PackWriter<T, W> out{reinterpret_cast<decltype(out.next)>(stage.memory)};
    const auto* first = reinterpret_cast<const std::conditional_t<std::is_same_v<T, uint8_t>, int, T>*>(out.next);
    write(0, row, 0, out);
    to.visit(
        [&](auto* rows) { turn_round<W>(first, shape.dim, rows + row * shape.dim, int64_t(shape.rows) * shape.dim); });
  }
}

template <class Env>
struct PackGroup {
  const Env& near;
  int first;
  PackStage<Env::kWidth> stage;
  Lanes lanes;
  static constexpr int size = 1;
  const Env& env(int) const { return near; }
};

// The code itself, compiled once for each instruction set. Shared: the parameters of the game as everybody knows them.
template <class Env, class Shared>
struct PackCode {
  static constexpr int W = Env::kWidth;
  using Params = typename Env::Params;
  using Word = Pack<uint32_t, W>;

  static PackFunctions<Shared> functions() { return {W, bytes, step, observe}; }

  static int bytes(const Transition& transition, const Shared& params, int envs) {
    int longest = transition.obs.dim > transition.avail.dim ? transition.obs.dim : transition.avail.dim;
    if (transition.world_state.dim > longest) longest = transition.world_state.dim;
    return state_bytes(Params(params), envs) + longest * W * static_cast<int>(sizeof(float));
  }
  static int state_bytes(const Params& params, int envs) { return TileLayout::of<Env>(params, envs, 1).bytes; }

  __attribute__((flatten)) static void step(const Transition& transition, const Shared& shared, const PackPlace& place,
                                            bool* terminated) {
    const Params params(shared);
    for (int near = 0; near < place.packs * W; near += W) {
      Env env = tile_env<Env>(place.layout, params, place.memory, near, Lanes{});
      step_pack(transition, env, place.first + near, terminated + near);
    }
  }

  static void step_pack(const Transition& t, Env& env, int e, bool* terminated) {
    const int rewards = t.agents * t.objectives, actions = t.agents * t.action_dim;
    float* to = t.call.outcome.rewards + int64_t(e) * rewards;
    for (int i = 0; i < W * rewards; ++i) to[i] = 0;
    const auto load = [&](const auto* from) {
      return gather<uint32_t, W>([&](int lane) { return static_cast<uint32_t>(from[e + lane]); });
    };
    const KeyOf<Word> episode =
        fold_in(KeyOf<Word>{load(t.book.key), load(t.book.key + t.num_envs)}, load(t.book.episode));
    const RngOf<W> rng{fold_in(episode, load(t.book.step) + 1u)};
    const auto* chosen = static_cast<const ActionOf<Env>*>(t.call.actions) + int64_t(e) * actions;
    const Mask<W> ended = env.step(ActionRows<ActionOf<Env>, W>{chosen, t.action_dim, actions},
                                   RewardsOf<W>{to, t.objectives, rewards}, rng);
    for (int lane = 0; lane < W; ++lane) terminated[lane] = ended.v[lane] != 0;
  }

  __attribute__((flatten)) static void observe(const Transition& transition, const Shared& shared,
                                               const PackPlace& place, const Observations& next) {
    const Params params(shared);
    const Stepper<Env> stepper(transition);
    const PackStage<W> stage{place.memory + state_bytes(params, place.layout.envs)};
    for (int near = 0; near < place.packs * W; near += W) {
      const Env env = tile_env<Env>(place.layout, params, place.memory, near, Lanes{});
      stepper.observe(PackGroup<Env>{env, place.first + near, stage, Lanes{}}, next);
    }
  }
};

// Of the first that suits the parameters.
template <class... Env, class Shared>
PackFunctions<Shared> functions_for(const Shared& params, Types<Env...>) {
  PackFunctions<Shared> functions;
  ((Env::Params::suits(params) && (functions = PackCode<Env, Shared>::functions(), true)) || ...);
  return functions;
}

}  // namespace throng
