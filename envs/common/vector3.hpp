// Points and directions in space, in float32, with the same bits on every device.
#pragma once

#include <cmath>

#include "core/platform.hpp"

namespace throng::common {

struct Vector3 {
  float x = 0, y = 0, z = 0;

  friend THRONG_HD Vector3 operator+(Vector3 a, Vector3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
  friend THRONG_HD Vector3 operator-(Vector3 a, Vector3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
  friend THRONG_HD Vector3 operator*(float s, Vector3 a) { return {s * a.x, s * a.y, s * a.z}; }
};

THRONG_HD inline float length(Vector3 a) {
  const float square = a.x * a.x + a.y * a.y + a.z * a.z;
#ifdef __CUDA_ARCH__
  return __fsqrt_rn(square);
#else
  return std::sqrt(square);
#endif
}

// NaN becomes `low`.
THRONG_HD inline float clamp(float x, float low, float high) { return x >= low ? (x <= high ? x : high) : low; }

THRONG_HD inline Vector3 clamp(Vector3 a, Vector3 low, Vector3 high) {
  return {clamp(a.x, low.x, high.x), clamp(a.y, low.y, high.y), clamp(a.z, low.z, high.z)};
}

}  // namespace throng::common
