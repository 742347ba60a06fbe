// Sets of small numbers as bits of a word.
#pragma once

#include <cstdint>

#include "core/platform.hpp"

namespace throng::common {

THRONG_HD constexpr uint64_t bit(int i) { return uint64_t(1) << i; }
THRONG_HD constexpr bool has(uint64_t set, int i) { return (set >> i & 1) != 0; }

THRONG_HD constexpr int count_bits(uint64_t set) {
#ifdef __CUDA_ARCH__
  return __popcll(set);
#else
  return __builtin_popcountll(set);
#endif
}

// Eight bits as eight bytes of 0 or 1, bit i as byte i.
THRONG_HD constexpr uint64_t bytes_of_bits(uint64_t eight) {
  return (((eight & 0xff) * 0x0101010101010101u & 0x8040201008040201u) + 0x7f7f7f7f7f7f7f7fu) >> 7 &
         0x0101010101010101u;
}

}  // namespace throng::common
