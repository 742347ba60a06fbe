// Sets of small numbers as the bits of a word, of 32 or 64.
#pragma once

#include <cstdint>

#include "core/platform.hpp"

namespace throng::common {

THRONG_HD constexpr uint32_t bit(int i) { return uint32_t(1) << i; }
THRONG_HD constexpr uint64_t long_bit(int i) { return uint64_t(1) << i; }

template <class Word>
THRONG_HD constexpr bool has_bit(Word set, int i) {
  return (set >> i & 1) != 0;
}

template <class Word>
THRONG_HD constexpr int count_bits(Word set) {
#ifdef __CUDA_ARCH__
  if constexpr (sizeof(Word) > 4) return __popcll(set);
  return __popc(set);
#else
  return __builtin_popcountll(set);
#endif
}

// The smallest number in a set that is not empty.
THRONG_HD constexpr int lowest_bit(uint32_t set) {
#ifdef __CUDA_ARCH__
  return __ffs(static_cast<int>(set)) - 1;
#else
  return __builtin_ctz(set);
#endif
}

// Eight bits as eight bytes of 0 or 1, bit i as byte i.
THRONG_HD constexpr uint64_t bytes_of_bits(uint64_t eight) {
  return (((eight & 0xff) * 0x0101010101010101u & 0x8040201008040201u) + 0x7f7f7f7f7f7f7f7fu) >> 7 &
         0x0101010101010101u;
}

}  // namespace throng::common
