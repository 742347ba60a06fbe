// Sets of small numbers as the bits of a 32-bit word, for CPU and GPU.
#pragma once

#include <cstdint>

#include "core/platform.hpp"

namespace throng {

THRONG_HD inline int count_bits(uint32_t set) {
#ifdef __CUDA_ARCH__
  return __popc(set);
#else
  return __builtin_popcount(set);
#endif
}

// The smallest number in a set that is not empty.
THRONG_HD inline int lowest_bit(uint32_t set) {
#ifdef __CUDA_ARCH__
  return __ffs(static_cast<int>(set)) - 1;
#else
  return __builtin_ctz(set);
#endif
}

THRONG_HD inline bool has_bit(uint32_t set, int i) { return set >> i & 1; }
THRONG_HD inline uint32_t bit(int i) { return uint32_t(1) << i; }

}  // namespace throng
