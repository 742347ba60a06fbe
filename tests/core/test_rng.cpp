// Rng against real JAX: the answers below were recorded by record_rng_answers.py with jax 0.10.2.
#include "core/rng.hpp"

#include <array>
#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <type_traits>

using namespace throng;

namespace {

constexpr std::array<uint32_t, 4> kSplitIndices = {0, 1, 2, 999};
constexpr std::array<uint32_t, 5> kFolded = {0, 1, 3, 0x80000000u, 0xffffffffu};
constexpr std::array<uint32_t, 6> kDrawIndices = {0, 1, 2, 3, 1000, 99999};

struct SeedAnswers {
  uint64_t seed;
  Key key;
  Key splits[4];         // [kSplitIndices]
  Key folds[5];          // [kFolded]
  uint32_t bits[6];      // [kDrawIndices]
  uint32_t uniforms[6];  // [kDrawIndices], bit patterns
};

// jax_enable_x64 on: without it JAX keeps only the low word of a seed (and of an array of 64-bit seeds).
// clang-format off
constexpr SeedAnswers kSeedAnswers[] = {
    {0x0ull,
     {0x00000000, 0x00000000},
     {{0x6b200159, 0x99ba4efe}, {0x375f238f, 0xcddb151d}, {0xf71f4ea9, 0xa20e4081}, {0xcbcb8c16, 0xaf3ebe24}},
     {{0x6b200159, 0x99ba4efe}, {0x375f238f, 0xcddb151d}, {0x9312778b, 0xe4e8dfbe}, {0x36af47bc, 0x25f28bf1}, {0x2c4e0437, 0xe1e32d13}},
     {0xf29a4fa7, 0xfa843692, 0x55110e28, 0x77faa835, 0xd7ddd8e1, 0x0a6d04a8},
     {0x3f729a4e, 0x3f7a8436, 0x3eaa221c, 0x3eeff550, 0x3f57ddd8, 0x3d26d040}},
    {0x1ull,
     {0x00000000, 0x00000001},
     {{0x1e3f1835, 0x6e752082}, {0x74298876, 0xfc8d8048}, {0x918ca911, 0xe3ab1c6b}, {0x0aaa52fd, 0xd9dd6caf}},
     {{0x1e3f1835, 0x6e752082}, {0x74298876, 0xfc8d8048}, {0xd4aee86f, 0xa494579e}, {0xf86e8645, 0x1390e5b9}, {0x45ecd01c, 0xeffc9cbd}},
     {0x704a38b7, 0x88a4083e, 0x7227b57a, 0x703abff1, 0x9b118e20, 0x7c2fb7df},
     {0x3ee09470, 0x3f08a408, 0x3ee44f68, 0x3ee0757c, 0x3f1b118e, 0x3ef85f6c}},
    {0x2aull,
     {0x00000000, 0x0000002a},
     {{0x6d3e048f, 0x1022172d}, {0x03d7b32d, 0xadd083f4}, {0x92fb20ea, 0x0f38d913}, {0x4bd77909, 0x1615a853}},
     {{0x6d3e048f, 0x1022172d}, {0x03d7b32d, 0xadd083f4}, {0xbad56946, 0x354ba891}, {0xbda28b29, 0x84d904a5}, {0x8ef6c48d, 0xe7eb97ca}},
     {0x7d1c13a2, 0xae0730d9, 0x9dc3f9f9, 0x8f9ec1d7, 0xc13bc9b8, 0x4d1e6420},
     {0x3efa3824, 0x3f2e0730, 0x3f1dc3f8, 0x3f0f9ec0, 0x3f413bc8, 0x3e9a3cc8}},
    {0x80000000ull,
     {0x00000000, 0x80000000},
     {{0x81b1ea8d, 0x3f17ac22}, {0xfd4eff0f, 0xfef6fb1e}, {0x312a08a2, 0x9e296e0e}, {0x550597c5, 0x17877146}},
     {{0x81b1ea8d, 0x3f17ac22}, {0xfd4eff0f, 0xfef6fb1e}, {0xd74b5a8f, 0x87485f5c}, {0x46bb9a4b, 0xb1344adb}, {0x30835346, 0x2e08cc98}},
     {0xbea646af, 0x03b80411, 0xaf0366ac, 0x500305d3, 0x634994f8, 0xdc4a4bdb},
     {0x3f3ea646, 0x3c6e0100, 0x3f2f0366, 0x3ea00608, 0x3ec69328, 0x3f5c4a4a}},
    {0xffffffffull,
     {0x00000000, 0xffffffff},
     {{0xb139a81a, 0x35816875}, {0xce53f10b, 0x4253b296}, {0xba1d8109, 0xcd47cea2}, {0x40f345db, 0x14ce64f1}},
     {{0xb139a81a, 0x35816875}, {0xce53f10b, 0x4253b296}, {0x21d2a8fa, 0xcd04f037}, {0x42cdbf1e, 0x949bda5a}, {0xdd0a4b72, 0xe61f3a35}},
     {0x84b8c06f, 0x8c00439d, 0x775a4fab, 0xecd658cd, 0x2f24dea3, 0xbcd6f464},
     {0x3f04b8c0, 0x3f0c0042, 0x3eeeb49c, 0x3f6cd658, 0x3e3c9378, 0x3f3cd6f4}},
    {0x100000000ull,
     {0x00000001, 0x00000000},
     {{0xb435a7fa, 0x96eb2785}, {0xe8de5dc1, 0x461e61e4}, {0xf427b9f7, 0x3a755417}, {0x06a0b535, 0xe8884c2b}},
     {{0xb435a7fa, 0x96eb2785}, {0xe8de5dc1, 0x461e61e4}, {0x5bcb1f1a, 0x66dadee8}, {0xede0e9ed, 0xb563beba}, {0x74100836, 0x8f0cc08e}},
     {0x22de807f, 0xaec03c25, 0xce52ede0, 0x3d11c1f2, 0x7fa2587a, 0x2ea2b578},
     {0x3e0b7a00, 0x3f2ec03c, 0x3f4e52ec, 0x3e744700, 0x3eff44b0, 0x3e3a8ad0}},
    {0x123456789abcdefull,
     {0x01234567, 0x89abcdef},
     {{0x4d884901, 0xdc0e5397}, {0x674ad376, 0x032abcdb}, {0x3bdb6692, 0x6be05423}, {0x93d27f75, 0x4db7ea5f}},
     {{0x4d884901, 0xdc0e5397}, {0x674ad376, 0x032abcdb}, {0xb56625d1, 0xa83ecbad}, {0x8f812cac, 0x1a6cf35e}, {0xe38a400c, 0x0c42a966}},
     {0x91861a96, 0x64606fad, 0x503b32b1, 0x1d58ee7c, 0x6862b1e4, 0x1ae3592e},
     {0x3f11861a, 0x3ec8c0dc, 0x3ea07664, 0x3deac770, 0x3ed0c560, 0x3dd71ac0}},
    {0xffffffffffffffffull,
     {0xffffffff, 0xffffffff},
     {{0x413979c4, 0x4e58fb3f}, {0x50cb8256, 0x8cf8758e}, {0x17d4ac76, 0x66780fc7}, {0xc8ed559c, 0x4a9fc350}},
     {{0x413979c4, 0x4e58fb3f}, {0x50cb8256, 0x8cf8758e}, {0x5f0d6514, 0x06c62a7f}, {0xbfea73d4, 0x2e6db705}, {0x94179164, 0x925f2feb}},
     {0x0f6182fb, 0xdc33f7d8, 0x71aca3b1, 0x59cb4f6b, 0xc1b141f7, 0xac16e20d},
     {0x3d761820, 0x3f5c33f6, 0x3ee35944, 0x3eb3969c, 0x3f41b140, 0x3f2c16e2}},
};
// clang-format on

struct RangeAnswers {
  float lo, hi;
  uint32_t indices[6];
  uint32_t uniforms[6];  // bit patterns
};

// Key 42. The indices are those at which a fused multiply-add would give another number, where there are such.
// clang-format off
constexpr RangeAnswers kRangeAnswers[] = {
    // 0 of 100000 draws differ in compiled JAX
    {0.0f, 1.0f, {0, 1, 2, 3, 1000, 99999},
     {0x3efa3824, 0x3f2e0730, 0x3f1dc3f8, 0x3f0f9ec0, 0x3f413bc8, 0x3e9a3cc8}},
    // 0 of 100000 draws differ in compiled JAX
    {-2.0f, 2.0f, {0, 1, 2, 3, 1000, 99999},
     {0xbd38fb80, 0x3f381cc0, 0x3eee1fc0, 0x3e79ec00, 0x3f827790, 0xbf4b8670}},
    // 16633 of 100000 draws differ in compiled JAX
    {-0.0625f, 0.125f, {8, 9, 11, 13, 15, 29},
     {0x3d8c667c, 0x3dba5af8, 0x3dcf29b4, 0x3dca4a48, 0x3dba4c08, 0x3de84840}},
    // 19306 of 100000 draws differ in compiled JAX
    {0.1f, 0.7f, {2, 12, 17, 21, 25, 28},
     {0x3ef084c2, 0x3f27d0bd, 0x3ee76ef1, 0x3e2f96dc, 0x3f21f8f0, 0x3eed926d}},
    // 5021 of 100000 draws differ in compiled JAX
    {-0.001f, 1000000.0f, {22, 61, 69, 145, 155, 177},
     {0x46cd1f36, 0x48508118, 0x4847becc, 0x46ada655, 0x4972a288, 0x4902f2d1}},
};
// clang-format on

}  // namespace

TEST_CASE("block gives the known answers of Threefry-2x32-20") {
  STATIC_REQUIRE(block({0, 0}, 0, 0) == Key{0x6b200159, 0x99ba4efe});
  STATIC_REQUIRE(block({~0u, ~0u}, ~0u, ~0u) == Key{0x1cb996fc, 0xbb002be7});
  STATIC_REQUIRE(block({0x13198a2e, 0x03707344}, 0x243f6a88, 0x85a308d3) == Key{0xc4923a9c, 0x483df7a0});
}

TEST_CASE("key, split, fold_in, bits and uniform are those of jax.random") {
  for (const SeedAnswers& answer : kSeedAnswers) {
    CAPTURE(answer.seed);
    const Key k = key(answer.seed);
    CHECK(k == answer.key);
    for (size_t i = 0; i < kSplitIndices.size(); ++i) CHECK(split(k, kSplitIndices[i]) == answer.splits[i]);
    for (size_t i = 0; i < kFolded.size(); ++i) CHECK(fold_in(k, kFolded[i]) == answer.folds[i]);
    for (size_t i = 0; i < kDrawIndices.size(); ++i) {
      CHECK(bits(k, kDrawIndices[i]) == answer.bits[i]);
      CHECK(std::bit_cast<uint32_t>(uniform(k, kDrawIndices[i])) == answer.uniforms[i]);
    }
  }
}

TEST_CASE("uniform in a range rounds the product and the sum apart") {
  for (const RangeAnswers& answer : kRangeAnswers) {
    CAPTURE(answer.lo, answer.hi);
    for (int i = 0; i < 6; ++i) {
      CAPTURE(answer.indices[i]);
      const float value = uniform(key(42), answer.indices[i], answer.lo, answer.hi);
      CHECK(std::bit_cast<uint32_t>(value) == answer.uniforms[i]);
    }
  }
}

TEST_CASE("the check values of the SMAX rules") {
  CHECK(split(key(0), 0) == Key{1797259609, 2579123966});
  CHECK(split(key(0), 1) == Key{928981903, 3453687069});
  CHECK(fold_in(key(42), 3) == Key{3134548294, 894150801});
  constexpr uint32_t kBits[] = {4070199207, 4202968722, 1427181096, 2012915765};
  constexpr float kUniforms[] = {0.9476670f, 0.97857988f, 0.33229148f, 0.46866846f};
  for (uint32_t i = 0; i < 4; ++i) {
    CHECK(bits(key(0), i) == kBits[i]);
    CHECK(uniform(key(0), i) == kUniforms[i]);
  }
}

TEST_CASE("uniform stays below one and below stays below n") {
  std::set<int> seen;
  for (uint32_t i = 0; i < 10000; ++i) {
    const float u = uniform(key(5), i);
    REQUIRE((u >= 0.0f && u < 1.0f));
    const int choice = below(key(6), i, 7);
    REQUIRE((choice >= 0 && choice < 7));
    seen.insert(choice);
  }
  CHECK(seen.size() == 7);
  CHECK(below(key(6), 0, 1) == 0);
  CHECK(below(key(0), 0, 1000) == 947);  // the high digits of uniform(key(0), 0)
}

TEST_CASE("Rng is a key with the same draws") {
  const Rng rng{key(9)};
  CHECK(rng.at(4).key == fold_in(key(9), 4));
  CHECK(rng.at(4).bits(2) == bits(fold_in(key(9), 4), 2));
  CHECK(rng.at(4).uniform(2) == uniform(fold_in(key(9), 4), 2));
  CHECK(rng.at(4).uniform(2, -3, 5) == uniform(fold_in(key(9), 4), 2, -3, 5));
  CHECK(rng.at(4).below(2, 11) == below(fold_in(key(9), 4), 2, 11));
  CHECK_FALSE(rng.at(4).key == rng.at(5).key);
  STATIC_REQUIRE(std::is_trivially_copyable_v<Rng>);
}
