// Random numbers without a generator's memory: every draw is a function of a key and an index, as in jax.random.
#pragma once

#include <cstdint>

#include "core/platform.hpp"

// Threefry-2x32 with 20 rounds (Salmon et al. 2011), laid out as jax.random does it with jax_threefry_partitionable, so a
// JAX user's key means the same here.
//
// The law: a key is either spent on draws or turned into other keys, never both, because bits(k, i) is made from the very
// words of split(k, i). For the same reason split(k, i) and fold_in(k, i) are one and the same key: use only one of them.
namespace throng {

struct Key {
  uint32_t hi = 0;
  uint32_t lo = 0;

  friend THRONG_HD constexpr bool operator==(Key a, Key b) { return a.hi == b.hi && a.lo == b.lo; }
};

namespace threefry {

THRONG_HD constexpr Key one_round(Key x, int rotation) {
  x.hi += x.lo;
  x.lo = (x.lo << rotation) | (x.lo >> (32 - rotation));
  x.lo ^= x.hi;
  return x;
}

THRONG_HD constexpr Key four_rounds(Key x, int r0, int r1, int r2, int r3) {
  return one_round(one_round(one_round(one_round(x, r0), r1), r2), r3);
}

THRONG_HD constexpr Key add(Key x, uint32_t hi, uint32_t lo) { return {x.hi + hi, x.lo + lo}; }

}  // namespace threefry

// The two output words of Threefry for a key and a 64-bit counter (c0, c1).
THRONG_HD THRONG_CALLED_ON_GPU constexpr Key block(Key key, uint32_t c0, uint32_t c1) {
  using namespace threefry;
  const uint32_t k0 = key.hi, k1 = key.lo, k2 = key.hi ^ key.lo ^ 0x1BD11BDAu;
  Key x = add({c0, c1}, k0, k1);
  x = add(four_rounds(x, 13, 15, 26, 6), k1, k2 + 1);
  x = add(four_rounds(x, 17, 29, 16, 24), k2, k0 + 2);
  x = add(four_rounds(x, 13, 15, 26, 6), k0, k1 + 3);
  x = add(four_rounds(x, 17, 29, 16, 24), k1, k2 + 4);
  return add(four_rounds(x, 13, 15, 26, 6), k2, k0 + 5);
}

// jax.random.key(seed). JAX without jax_enable_x64 drops the high word of the seed; here it always counts.
THRONG_HD constexpr Key key(uint64_t seed) { return {static_cast<uint32_t>(seed >> 32), static_cast<uint32_t>(seed)}; }

// jax.random.split(key, n)[i], the same for every n.
THRONG_HD constexpr Key split(Key key, uint32_t i) { return block(key, 0, i); }

// jax.random.fold_in(key, data).
THRONG_HD constexpr Key fold_in(Key key, uint32_t data) { return block(key, 0, data); }

// jax.random.bits(key, shape)[i], i the row-major index.
THRONG_HD constexpr uint32_t bits(Key key, uint32_t i) {
  const Key words = block(key, 0, i);
  return words.hi ^ words.lo;
}

// jax.random.uniform(key, shape)[i]: a multiple of 2^-23 in [0, 1).
THRONG_HD constexpr float uniform_of(uint32_t bits) { return static_cast<float>(bits >> 9) * 0x1p-23f; }
THRONG_HD constexpr float uniform(Key key, uint32_t i) { return uniform_of(bits(key, i)); }

// jax.random.uniform(key, shape, minval=lo, maxval=hi)[i], product and sum rounded one after the other. Compiled JAX fuses
// the two and can differ in the last bit. Host code relies on -ffp-contract=off; on the device the intrinsics never fuse.
THRONG_HD inline float uniform(Key key, uint32_t i, float lo, float hi) {
#ifdef __CUDA_ARCH__
  const float value = __fadd_rn(__fmul_rn(uniform(key, i), hi - lo), lo);
#else
  const float value = uniform(key, i) * (hi - lo) + lo;
#endif
  return value < lo ? lo : value;
}

// An integer in [0, n), the high word of bits * n. Ours: jax.random.randint spends two draws and gives other numbers.
THRONG_HD constexpr int below_of(uint32_t bits, int n) {
  return static_cast<int>((static_cast<uint64_t>(bits) * static_cast<uint32_t>(n)) >> 32);
}
THRONG_HD constexpr int below(Key key, uint32_t i, int n) { return below_of(bits(key, i), n); }

// What a game holds: rng.at(kWind).uniform(plant) is the wind at that plant. Each purpose gets a key of its own.
struct Rng {
  Key key;

  THRONG_HD constexpr Rng at(uint32_t purpose) const { return {fold_in(key, purpose)}; }
  THRONG_HD constexpr uint32_t bits(uint32_t i) const { return throng::bits(key, i); }
  THRONG_HD float uniform(uint32_t i, float lo = 0, float hi = 1) const { return throng::uniform(key, i, lo, hi); }
  THRONG_HD constexpr int below(uint32_t i, int n) const { return throng::below(key, i, n); }
};

}  // namespace throng
