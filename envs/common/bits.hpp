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

}  // namespace throng::common
