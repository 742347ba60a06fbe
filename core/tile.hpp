// Tile: the state of a few neighbouring environments, brought close - shared memory on the GPU, cache on the CPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#ifdef __CUDACC__
#include <cuda_pipeline_primitives.h>
#endif

#include "core/env.hpp"

namespace throng {

// Fields of a tile begin at multiples of so many bytes: on a CPU, of its widest vectors.
#ifdef __CUDACC__
inline constexpr int kFieldAlignment = 16;
#else
inline constexpr int kFieldAlignment = 64;
#endif

// Where each field of a tile lies: `[index, env in the tile]`, one field after the other, State then Scratch.
struct TileLayout {
  int envs = 1;    // environments in a tile, a power of two
  int shift = 0;   // its logarithm
  int stride = 1;  // distance from index i to i + 1, in elements
  int bytes = 0;

  // Neighbouring threads read neighbouring indices of the same environment, if it has several lanes, or the parts of its
  // rows: the padding makes a warp's 32 words fall into different banks of shared memory.
  template <class Env>
  THRONG_HD static TileLayout of(const typename Env::Params& params, int envs, int lanes, bool with_scratch = true) {
    TileLayout layout;
    layout.envs = envs;
    while ((1 << layout.shift) < envs) ++layout.shift;
#ifdef __CUDACC__
    layout.stride = envs + (lanes == 1 ? 4 : 32 / lanes);
#else
    layout.stride = envs * lanes;
#endif
    typename Env::State state;
    state.fields(params, [&](const char*, auto& field, int count) { layout.place(field, count); });
    if (with_scratch) layout.place_scratch<Env>(params);
    return layout;
  }

  // Scratch memory alone, for one environment.
  template <class Env>
  THRONG_HD static TileLayout of_scratch(const typename Env::Params& params) {
    TileLayout layout;
    layout.place_scratch<Env>(params);
    return layout;
  }

  template <class Env>
  THRONG_HD void place_scratch(const typename Env::Params& params) {
    if constexpr (HasScratch<Env>) {
      typename Env::Scratch scratch;
      scratch.fields(params, [&](const char*, auto& field, int count) { place(field, count); });
    }
  }

  // Reserves room for a field and tells where.
  template <class T, int W>
  THRONG_HD int place(const Field<T, W>&, int count) {
    const int at = bytes, size = count * stride * static_cast<int>(sizeof(T));
    bytes += (size + kFieldAlignment - 1) / kFieldAlignment * kFieldAlignment;
    return at;
  }
};

struct NoScratch {};

// The environment number `e` of a tile in `memory`. Its scratch memory is there, too, unless it has some of its own.
template <class Env>
THRONG_HD Env tile_env(TileLayout layout, const typename Env::Params& params, unsigned char* memory, int e, Lanes lanes,
                       unsigned char* own_scratch = nullptr) {
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
    if (own_scratch != nullptr) {
      layout = {};
      memory = own_scratch;
      e = 0;
    }
    scratch.fields(params, place);
    return make_env<Env>(params, state, scratch, lanes);
  } else {
    return make_env<Env>(params, state, NoScratch{}, lanes);
  }
}

namespace detail {

// One field of a tile, far and near: `rows` rows of the same length, at their own distances, all in bytes. Only the last
// tile's rows may be less than full.
struct Rows {
  unsigned char *far, *near;
  int64_t far_stride;
  int near_stride, rows, row_bytes, full_bytes;

  // Can all of it be moved in pieces of so many bytes?
  THRONG_HD bool divides(int piece) const {
    const auto bits = static_cast<unsigned>(reinterpret_cast<uintptr_t>(far)) | static_cast<unsigned>(far_stride) |
                      static_cast<unsigned>(near_stride) | static_cast<unsigned>(row_bytes);
    return (bits & static_cast<unsigned>(piece - 1)) == 0;
  }
};

#ifdef __CUDA_ARCH__

// The threads of a block move rows of 2^k pieces in turn; what is loaded is there after __pipeline_wait_prior(0).
template <class Piece, bool kLoad>
__device__ __noinline__ void move_rows(Rows r) {
  const int shift = 31 - __clz(r.full_bytes / int(sizeof(Piece)));
  for (int k = threadIdx.x; k < r.rows << shift; k += blockDim.x) {
    const int row = k >> shift, at = (k & ((1 << shift) - 1)) * int(sizeof(Piece));
    if (at >= r.row_bytes) continue;
    unsigned char *far = r.far + row * r.far_stride + at, *near = r.near + row * r.near_stride + at;
    if constexpr (!kLoad) {
      *reinterpret_cast<Piece*>(far) = *reinterpret_cast<const Piece*>(near);
    } else if constexpr (sizeof(Piece) >= 4) {
      __pipeline_memcpy_async(near, far, sizeof(Piece));
    } else {
      *reinterpret_cast<Piece*>(near) = *reinterpret_cast<const Piece*>(far);
    }
  }
}

template <bool kLoad>
__device__ __forceinline__ void move_rows(const Rows& r, int item_bytes) {
  if (r.divides(16)) return move_rows<uint4, kLoad>(r);
  if (r.divides(4)) return move_rows<uint32_t, kLoad>(r);
  if (item_bytes == 1) return move_rows<uint8_t, kLoad>(r);
  move_rows<uint16_t, kLoad>(r);
}

#else

template <bool kLoad>
void move_rows(const Rows& r, int) {
  for (int row = 0; row < r.rows; ++row) {
    unsigned char *far = r.far + row * r.far_stride, *near = r.near + row * r.near_stride;
    std::memcpy(kLoad ? near : far, kLoad ? far : near, static_cast<size_t>(r.row_bytes));
  }
}

#endif

// Moves the state of `count` environments from number `first` on between batch and tile.
template <bool kLoad, class Params, class State>
THRONG_HD void move_tile(TileLayout layout, const Params& params, State state, unsigned char* memory, int first,
                         int count, int num_envs) {
  layout.bytes = 0;
  state.fields(params, [&](const char*, auto& field, int indices) {
    constexpr int kItem = sizeof(*field.data);
    unsigned char* near = memory + layout.place(field, indices);
    Rows rows{reinterpret_cast<unsigned char*>(field.data + first),
              near,
              int64_t(num_envs) * kItem,
              layout.stride * kItem,
              indices,
              count * kItem,
              layout.envs * kItem};
    move_rows<kLoad>(rows, kItem);
  });
#ifdef __CUDA_ARCH__
  if (kLoad) __pipeline_commit(), __pipeline_wait_prior(0);
#endif
}

}  // namespace detail

template <class Params, class State>
THRONG_HD void load_tile(const TileLayout& layout, const Params& params, const State& state, unsigned char* memory,
                         int first, int count, int num_envs) {
  detail::move_tile<true>(layout, params, state, memory, first, count, num_envs);
}

template <class Params, class State>
THRONG_HD void store_tile(const TileLayout& layout, const Params& params, const State& state, unsigned char* memory,
                          int first, int count, int num_envs) {
  detail::move_tile<false>(layout, params, state, memory, first, count, num_envs);
}

}  // namespace throng
