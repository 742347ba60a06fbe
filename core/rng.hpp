// Random numbers without a generator's memory: every draw is a function of a key and an index, as in jax.random.
#pragma once

#include <cstdint>
#include <type_traits>

#include "core/pack.hpp"
#include "core/platform.hpp"

// Threefry-2x32 with 20 rounds (Salmon et al. 2011), laid out as jax.random does it with jax_threefry_partitionable, so a
// JAX user's key means the same here.
//
// The law: a key is either spent on draws or turned into other keys, never both, because bits(k, i) is made from the very
// words of split(k, i). For the same reason split(k, i) and fold_in(k, i) are one and the same key: use only one of them.
namespace throng {

// Word is uint32_t, or a pack of them: a key for each of several environments.
template <class Word>
struct KeyOf {
  Word hi = 0;
  Word lo = 0;

  friend THRONG_HD constexpr bool operator==(KeyOf a, KeyOf b) { return a.hi == b.hi && a.lo == b.lo; }
};
using Key = KeyOf<uint32_t>;

namespace threefry {

template <class Word>
THRONG_HD constexpr KeyOf<Word> one_round(KeyOf<Word> x, int rotation) {
  x.hi += x.lo;
  x.lo = (x.lo << rotation) | (x.lo >> (32 - rotation));
  x.lo ^= x.hi;
  return x;
}

template <class Word>
THRONG_HD constexpr KeyOf<Word> four_rounds(KeyOf<Word> x, int r0, int r1, int r2, int r3) {
  return one_round(one_round(one_round(one_round(x, r0), r1), r2), r3);
}

template <class Word>
THRONG_HD constexpr KeyOf<Word> add(KeyOf<Word> x, Word hi, Word lo) {
  return {x.hi + hi, x.lo + lo};
}

}  // namespace threefry

// The two output words of Threefry for a key and a 64-bit counter (c0, c1).
template <class Word = uint32_t>
THRONG_HD THRONG_CALLED_ON_GPU constexpr KeyOf<Word> block(KeyOf<Word> key, std::type_identity_t<Word> c0,
                                                           std::type_identity_t<Word> c1) {
  using namespace threefry;
  const Word k0 = key.hi, k1 = key.lo, k2 = key.hi ^ key.lo ^ 0x1BD11BDAu;
  KeyOf<Word> x = add(KeyOf<Word>{c0, c1}, k0, k1);
  x = add(four_rounds(x, 13, 15, 26, 6), k1, k2 + 1u);
  x = add(four_rounds(x, 17, 29, 16, 24), k2, k0 + 2u);
  x = add(four_rounds(x, 13, 15, 26, 6), k0, k1 + 3u);
  x = add(four_rounds(x, 17, 29, 16, 24), k1, k2 + 4u);
  return add(four_rounds(x, 13, 15, 26, 6), k2, k0 + 5u);
}

// jax.random.key(seed). JAX without jax_enable_x64 drops the high word of the seed; here it always counts.
THRONG_HD constexpr Key key(uint64_t seed) { return {static_cast<uint32_t>(seed >> 32), static_cast<uint32_t>(seed)}; }

// jax.random.split(key, n)[i], the same for every n.
template <class Word = uint32_t>
THRONG_HD constexpr KeyOf<Word> split(KeyOf<Word> key, std::type_identity_t<Word> i) {
  return block(key, 0, i);
}

// jax.random.fold_in(key, data).
template <class Word = uint32_t>
THRONG_HD constexpr KeyOf<Word> fold_in(KeyOf<Word> key, std::type_identity_t<Word> data) {
  return block(key, 0, data);
}

// jax.random.bits(key, shape)[i], i the row-major index.
template <class Word = uint32_t>
THRONG_HD constexpr Word bits(KeyOf<Word> key, std::type_identity_t<Word> i) {
  const KeyOf<Word> words = block(key, 0, i);
  return words.hi ^ words.lo;
}

// jax.random.uniform(key, shape)[i]: a multiple of 2^-23 in [0, 1).
template <class Word>
THRONG_HD constexpr auto uniform_of(Word bits) {
  return real(bits >> 9) * 0x1p-23f;
}
template <class Word = uint32_t>
THRONG_HD constexpr auto uniform(KeyOf<Word> key, std::type_identity_t<Word> i) {
  return uniform_of(bits(key, i));
}

// jax.random.uniform(key, shape, minval=lo, maxval=hi)[i], product and sum rounded one after the other. Compiled JAX fuses
// the two and can differ in the last bit. Host code relies on -ffp-contract=off; on the device the intrinsics never fuse.
template <class Word>
THRONG_HD auto uniform_of(Word bits, float lo, float hi) {
#ifdef __CUDA_ARCH__
  const float value = __fadd_rn(__fmul_rn(uniform_of(bits), hi - lo), lo);
#else
  const auto value = uniform_of(bits) * (hi - lo) + lo;
#endif
  return select(value < lo, lo, value);
}
template <class Word = uint32_t>
THRONG_HD auto uniform(KeyOf<Word> key, std::type_identity_t<Word> i, float lo, float hi) {
  return uniform_of(bits(key, i), lo, hi);
}

// An integer in [0, n), the high word of bits * n. Ours: jax.random.randint spends two draws and gives other numbers.
template <class Word, class N>
THRONG_HD constexpr N below_of(Word bits, N n) {
  return high_product(bits, n);
}
template <class Word = uint32_t, class N>
THRONG_HD constexpr N below(KeyOf<Word> key, std::type_identity_t<Word> i, N n) {
  return below_of(bits(key, i), n);
}

// What a game holds: rng.at(kWind).uniform(plant) is the wind at that plant. Each purpose gets a key of its own.
template <int W>
struct RngOf {
  using Word = Pack<uint32_t, W>;
  KeyOf<Word> key;

  THRONG_HD constexpr RngOf at(Word purpose) const { return {fold_in(key, purpose)}; }
  THRONG_HD constexpr Word bits(Word i) const { return throng::bits(key, i); }
  THRONG_HD auto uniform(Word i, float lo = 0, float hi = 1) const { return throng::uniform(key, i, lo, hi); }
  THRONG_HD constexpr auto below(Word i, Pack<int, W> n) const { return throng::below(key, i, n); }
};
using Rng = RngOf<1>;

}  // namespace throng
