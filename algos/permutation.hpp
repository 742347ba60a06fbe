// Permutation: a random order of 0 .. n - 1 that is computed, not stored: the same on every device and for any thread.
#pragma once

#include <cstdint>

#include "core/platform.hpp"
#include "core/rng.hpp"

namespace throng {

// A Feistel network on the smallest even number of bits that holds n; what falls outside is sent through again.
struct Permutation {
  uint32_t n;
  int half;  // bits of each side
  Key key;

  THRONG_HD Permutation(uint32_t n, Key key) : n(n), half(1), key(key) {
    while ((uint64_t(1) << (2 * half)) < n) ++half;
  }

  THRONG_HD uint32_t operator()(uint32_t i) const {
    do {
      i = once(i);
    } while (i >= n);
    return i;
  }

 private:
  THRONG_HD uint32_t once(uint32_t i) const {
    const uint32_t mask = (uint32_t(1) << half) - 1;
    uint32_t left = i >> half, right = i & mask;
    for (uint32_t round = 0; round < 12; ++round) {
      const uint32_t mixed = left ^ (mix(right + key.hi + round * 0x9e3779b9u, key.lo) & mask);
      left = right;
      right = mixed;
    }
    return left << half | right;
  }

  // Murmur3's finaliser: every input bit reaches every output bit.
  THRONG_HD static uint32_t mix(uint32_t x, uint32_t salt) {
    x ^= salt;
    x = (x ^ (x >> 16)) * 0x85ebca6bu;
    x = (x ^ (x >> 13)) * 0xc2b2ae35u;
    return x ^ (x >> 16);
  }
};

}  // namespace throng
