// Field: one number per (index, environment), seen from inside one environment.
#pragma once

#include "core/platform.hpp"

namespace throng {

// A column of an array `[index, env]`: `stride` elements lie between index i and i + 1 of the same environment. Rule code
// writes `s.health[unit]` and never sees an environment index; the batch moves `data` to the right column.
template <class T>
struct Field {
  using Value = T;
  T* data = nullptr;
  int stride = 1;

  THRONG_HD T& operator[](int i) const { return data[i * stride]; }
};

}  // namespace throng
