// Activations of hidden layers, and their derivatives beside them.
#pragma once

#include <cmath>

#include "core/platform.hpp"

namespace throng {

inline constexpr const char* kActivations[] = {"relu", "tanh"};  // those that a setting can name
enum Activation : int { kRelu, kTanh, kIdentity };

THRONG_HD inline float activate(Activation activation, float x) {
  if (activation == kIdentity) return x;
  return activation == kTanh ? tanhf(x) : x > 0 ? x : 0.0f;
}

// The derivative, from the activation's own output y: relu 1 where y > 0, tanh 1 - y^2.
THRONG_HD inline float slope(Activation activation, float y) {
  if (activation == kIdentity) return 1.0f;
  return activation == kTanh ? 1.0f - y * y : y > 0 ? 1.0f : 0.0f;
}

}  // namespace throng
