// Tile: the state of a few neighbouring environments, brought close - shared memory on the GPU, cache on the CPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "core/env.hpp"

namespace throng {

// Where each field of a tile lies: `[index, env in the tile]`, one field after the other, State then Scratch.
struct TileLayout {
  int envs = 1;    // environments in a tile, a power of two
  int shift = 0;   // its logarithm
  int stride = 1;  // distance from index i to i + 1, in elements
  int bytes = 0;

  // With several lanes per environment, neighbouring threads read neighbouring indices: the padding of 32 / lanes makes
  // a warp's 32 words fall into 32 different banks of shared memory.
  template <class Env>
  THRONG_HD static TileLayout of(const typename Env::Params& params, int envs, int lanes) {
    TileLayout layout;
    layout.envs = envs;
    while ((1 << layout.shift) < envs) ++layout.shift;
    layout.stride = lanes == 1 ? envs : envs + 32 / lanes;
    typename Env::State state;
    state.fields(params, [&](const char*, auto& field, int count) { layout.place(field, count); });
    if constexpr (HasScratch<Env>) {
      typename Env::Scratch scratch;
      scratch.fields(params, [&](const char*, auto& field, int count) { layout.place(field, count); });
    }
    return layout;
  }

  // Reserves room for a field and tells where.
  template <class T>
  THRONG_HD int place(const Field<T>&, int count) {
    const int at = bytes;
    bytes += (count * stride * static_cast<int>(sizeof(T)) + 15) / 16 * 16;
    return at;
  }
};

// The threads that copy a tile together.
struct Workers {
  int id = 0;
  int count = 1;
};

struct NoScratch {};

// The environment number `e` of a tile in `memory`.
template <class Env>
THRONG_HD Env tile_env(TileLayout layout, const typename Env::Params& params, unsigned char* memory, int e,
                       Lanes lanes) {
  layout.bytes = 0;
  auto place = [&](const char*, auto& field, int count) {
    using T = typename std::remove_reference_t<decltype(field)>::Value;
    field.data = reinterpret_cast<T*>(memory + layout.place(field, count)) + e;
    field.stride = layout.stride;
  };
  typename Env::State state;
  state.fields(params, place);
  if constexpr (HasScratch<Env>) {
    typename Env::Scratch scratch;
    scratch.fields(params, place);
    return make_env<Env>(params, state, scratch, lanes);
  } else {
    return make_env<Env>(params, state, NoScratch{}, lanes);
  }
}

namespace detail {

// Calls copy(far element, near element) for every element of `count` environments from number `first` on.
template <class Params, class State, class Copy>
THRONG_HD void walk_tile(TileLayout layout, const Params& params, const State& state, unsigned char* memory, int first,
                         int count, int num_envs, Workers workers, Copy copy) {
  layout.bytes = 0;
  State far = state;
  far.fields(params, [&](const char*, auto& field, int indices) {
    using T = typename std::remove_reference_t<decltype(field)>::Value;
    T* near = reinterpret_cast<T*>(memory + layout.place(field, indices));
#ifdef __CUDA_ARCH__
#pragma unroll 1  // short loops, one per field: unrolled they are a fifth of the kernel
#endif
    for (int k = workers.id; k < indices << layout.shift; k += workers.count) {
      const int i = k >> layout.shift, e = k & (layout.envs - 1);  // neighbouring workers, neighbouring environments
      if (e < count) copy(field.data[int64_t(i) * num_envs + first + e], near[i * layout.stride + e]);
    }
  });
}

}  // namespace detail

template <class Params, class State>
THRONG_HD void load_tile(TileLayout layout, const Params& params, const State& state, unsigned char* memory, int first,
                         int count, int num_envs, Workers workers) {
  detail::walk_tile(layout, params, state, memory, first, count, num_envs, workers,
                    [](auto& far, auto& near) { near = far; });
}

template <class Params, class State>
THRONG_HD void store_tile(TileLayout layout, const Params& params, const State& state, unsigned char* memory, int first,
                          int count, int num_envs, Workers workers) {
  detail::walk_tile(layout, params, state, memory, first, count, num_envs, workers,
                    [](auto& far, auto& near) { far = near; });
}

}  // namespace throng
