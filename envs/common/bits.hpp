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

// The first n of a word's bytes, from the lowest on, as codes. All eight are one store: who writes byte by byte makes the compiler
// fear, at each of them, that it is part of what is to be read next. (Little-endian, as all machines here are.)
THRONG_HD void write_bytes(uint64_t word, int n, auto& out) {
  if (n >= 8) return out.run(reinterpret_cast<const uint8_t*>(&word), 8);
  for (int i = 0; i < n; ++i) out(static_cast<uint8_t>(word >> 8 * i));
}

// n cells as an agent sees them, a bit of two sets each: 0 empty, 1 its own, 2 an opponent's.
THRONG_HD void write_sides(uint64_t own, uint64_t opponents, int n, auto& out) {
  for (; n > 0; n -= 8, own >>= 8, opponents >>= 8) {
    write_bytes(bytes_of_bits(own) | bytes_of_bits(opponents) << 1, n, out);
  }
}

// n bits as n values of 0 or 1.
THRONG_HD void write_bits(uint64_t set, int n, auto& out) { write_sides(set, 0, n, out); }

// n codes, code(i).
template <class Code>
THRONG_HD void write_codes(int n, const Code& code, auto& out) {
  for (int first = 0; first < n; first += 8) {
    const int count = n - first < 8 ? n - first : 8;
    uint64_t word = 0;
    for (int i = 0; i < count; ++i) word |= static_cast<uint64_t>(code(first + i)) << 8 * i;
    write_bytes(word, count, out);
  }
}

}  // namespace throng::common
