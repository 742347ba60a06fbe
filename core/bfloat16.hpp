// Bfloat16: the upper half of a float32, rounded to the nearest, ties to even.
#pragma once

#include <bit>
#include <cstdint>

#include "core/platform.hpp"

namespace throng {

struct Bfloat16 {
  uint16_t bits = 0;

  Bfloat16() = default;
  // Values that are not numbers are not met here: games write finite observations (the exam sees to it).
  THRONG_HD explicit Bfloat16(float value) {
    const auto word = std::bit_cast<uint32_t>(value);
    bits = static_cast<uint16_t>((word + 0x7fffu + ((word >> 16) & 1)) >> 16);
  }
  THRONG_HD explicit operator float() const { return std::bit_cast<float>(uint32_t{bits} << 16); }
};

}  // namespace throng
