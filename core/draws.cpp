// Many draws at once; the compiler makes it for several widths of registers, and the program takes the widest that it finds.
#include "core/draws.hpp"

namespace throng {

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define THRONG_WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define THRONG_WIDE
#endif

THRONG_WIDE void draw_bits(Key key, uint32_t first, uint32_t* out) {
  uint32_t hi[kDrawsAtOnce], lo[kDrawsAtOnce];
  for (int k = 0; k < kDrawsAtOnce; ++k) hi[k] = key.hi, lo[k] = first + static_cast<uint32_t>(k) + key.lo;
  const uint32_t keys[3] = {key.hi, key.lo, key.hi ^ key.lo ^ 0x1BD11BDAu};
  constexpr int kRotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
#pragma GCC unroll 5
  for (int group = 0; group < 5; ++group) {
#pragma GCC unroll 4
    for (int round = 0; round < 4; ++round) {
      const int left = kRotations[group % 2][round];
      for (int k = 0; k < kDrawsAtOnce; ++k) {
        hi[k] += lo[k];
        lo[k] = ((lo[k] << left) | (lo[k] >> (32 - left))) ^ hi[k];
      }
    }
    for (int k = 0; k < kDrawsAtOnce; ++k) {
      hi[k] += keys[(group + 1) % 3];
      lo[k] += keys[(group + 2) % 3] + static_cast<uint32_t>(group + 1);
    }
  }
  for (int k = 0; k < kDrawsAtOnce; ++k) out[k] = hi[k] ^ lo[k];
}

}  // namespace throng
