// Field: one number per (index, environment), seen from inside one environment.
#pragma once

#include "core/pack.hpp"
#include "core/platform.hpp"

namespace throng {

inline constexpr int kTileEnvs = 32;  // of a CPU's tile: a cache line of every byte field or two of every float field

// Packs lie in tiles, so that theirs is known.
template <int W>
struct StrideOf {
  THRONG_HD void operator=(int) {}
  THRONG_HD operator int() const { return kTileEnvs; }
};
template <>
struct StrideOf<1> {
  int value = 1;
  THRONG_HD void operator=(int stride) { value = stride; }
  THRONG_HD operator int() const { return value; }
};

// A column of an array `[index, env]`: `stride` elements lie between index i and i + 1 of the same environment. Rule code
// writes `s.health[unit]` and never sees an environment index; the batch moves `data` to the right column. Seen from W
// neighbouring environments, it is as many columns, and what lies at an index is a pack (core/pack.hpp).
template <class T, int W = 1>
struct Field {
  using Value = T;
  T* data = nullptr;
  StrideOf<W> stride;

  THRONG_HD decltype(auto) operator[](int i) const { return at_index<T, W>(data + i * stride); }

#ifndef __CUDACC__
  // A different index for each.
  template <class I>
    requires(W > 1 && std::is_same_v<I, Pack<int, W>>)
  Pack<T, W>
  operator[](I i) const {
    return gather<T, W>([&](int lane) { return data[i.v[lane] * stride + lane]; });
  }
#endif
};

}  // namespace throng
