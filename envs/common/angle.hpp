// The direction of a vector without a math library: the same bits on CPU and GPU.
#pragma once

#include "core/platform.hpp"

namespace throng::common {

inline constexpr float kPi = 3.14159265f;

// atan2(y, x) of a vector in the first quadrant, x, y >= 0, within 3e-7; 0 for the null vector. The polynomial is that of
// S. Moshier's Cephes library.
THRONG_HD inline float angle_of(float y, float x) {
  constexpr float kTan22 = 0.41421356f;  // tan(pi / 8): the polynomial is made for ratios up to here
  const bool steep = y > x;
  const float low = steep ? x : y, high = steep ? y : x;
  if (high == 0) return 0;
  const bool turned = low > kTan22 * high;  // then count from 45 degrees
  const float t = turned ? (low - high) / (low + high) : low / high;
  const float z = t * t;
  const float tail =
      (((8.05374449538e-2f * z - 1.38776856032e-1f) * z + 1.99777106478e-1f) * z - 3.33329491539e-1f) * z;
  const float angle = (turned ? kPi / 4 : 0) + (t + tail * t);
  return steep ? kPi / 2 - angle : angle;
}

}  // namespace throng::common
