// Side by side: a CPU takes neighbouring environments of a tile through a step at once, if the game has code for it (core/packs.hpp)
// for the instruction set that the CPU has.
#pragma once

#include <cstdint>

#include "core/cpu_level.hpp"
#include "core/stepper.hpp"
#include "core/tile.hpp"

namespace throng {

// Some environments of a tile.
struct PackPlace {
  const TileLayout& layout;
  unsigned char* memory;
  int first;  // in the batch, of the tile
  int packs;  // from the tile's first environment on
};

// What the code for an instruction set offers.
template <class Params>
struct PackFunctions {
  int width = 0;                                                       // environments of a pack; 0: it has none
  int (*bytes)(const Transition&, const Params&, int envs) = nullptr;  // memory of a tile of so many
  // A step of every environment. `terminated`, [env in the tile]: its episode has ended by the rules.
  void (*step)(const Transition&, const Params&, const PackPlace&, bool* terminated) = nullptr;
  void (*observe)(const Transition&, const Params&, const PackPlace&, const Observations& next) = nullptr;
};

// A stepper that takes environments side by side where all of a tile take a step.
template <class Env>
struct PackedStepper {
  using Params = typename Env::Params;
  Stepper<Env> stepper;
  PackFunctions<Params> code;  // of width 0: there is none

  int bytes(const Params& params, int envs) const { return code.width > 0 ? code.bytes(stepper, params, envs) : 0; }

  template <class Tile>
  void on_tile(const Tile& tile) const {
    on_tile(tile, stepper.call.next);
  }
  template <class Tile>
  void on_tile(const Tile& tile, const Observations& next) const {
    for (int near = side_by_side(tile, next); near < tile.count; ++near) {
      auto seat = tile.seat(near);
      stepper(seat, next);
    }
  }

 private:
  // Does what it can do side by side, and says how many environments that were.
  template <class Tile>
  int side_by_side(const Tile& tile, const Observations& next) const {
    const int packs = code.width > 0 ? tile.count / code.width : 0, envs = packs * code.width;
    if (packs == 0 || stepper.call.operation != Call::kStep) return 0;
    for (int e = 0; e < envs; ++e) {
      if (stepper.book.ended[tile.first + e]) return 0;
    }
    bool terminated[Tile::kEnvs];
    const PackPlace place{tile.layout, tile.memory, tile.first, packs};
    code.step(stepper, tile.params, place, terminated);
    for (int near = 0; near < envs; ++near) {
      const int e = tile.first + near;
      if (!stepper.settle(tile.lanes, e, stepper.book.step[e] + 1, terminated[near])) continue;
      auto seat = tile.seat(near);
      stepper.see_to(seat, Stepper<Env>::kEnds);
    }
    code.observe(stepper, tile.params, place, next);
    return envs;
  }
};

// The code of a game for an instruction set; THRONG_PACKS(game) in its unit says where it is.
template <class Env>
PackFunctions<typename Env::Params> packs_of(const typename Env::Params&, CpuLevel) {
  return {};
}

#define THRONG_PACKS_AT(game, level) PackFunctions<game::Params> game##_packs_##level(const game::Params& params)
#if defined(__x86_64__)
#define THRONG_PACKS(game)                                                                             \
  THRONG_PACKS_AT(game, v2);                                                                           \
  THRONG_PACKS_AT(game, v3);                                                                           \
  THRONG_PACKS_AT(game, v4);                                                                           \
  template <>                                                                                          \
  inline PackFunctions<game::Params> packs_of<game::Env>(const game::Params& params, CpuLevel level) { \
    if (level == CpuLevel::v2) return game##_packs_v2(params);                                         \
    if (level == CpuLevel::v3) return game##_packs_v3(params);                                         \
    if (level == CpuLevel::v4) return game##_packs_v4(params);                                         \
    return {};                                                                                         \
  }
#elif defined(__aarch64__)
#define THRONG_PACKS(game)                                                                             \
  THRONG_PACKS_AT(game, neon);                                                                         \
  template <>                                                                                          \
  inline PackFunctions<game::Params> packs_of<game::Env>(const game::Params& params, CpuLevel level) { \
    if (level == CpuLevel::neon) return game##_packs_neon(params);                                     \
    return {};                                                                                         \
  }
#endif

}  // namespace throng
