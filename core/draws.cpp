// Many draws at once; the compiler makes it for several widths of registers, and the program takes the widest that it finds.
#pragma GCC diagnostic ignored "-Wpsabi"  // packs are passed between inlined functions only
#include "core/draws.hpp"

#include <cstring>

namespace throng {

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define THRONG_WIDE __attribute__((flatten, target_clones("avx512f", "avx2", "default")))
#else
#define THRONG_WIDE
#endif

THRONG_WIDE void draw_bits(Key key, uint32_t first, uint32_t* out) {
  using Words = Pack<uint32_t, kDrawsAtOnce>;
  Words index = first;
  for (int k = 0; k < kDrawsAtOnce; ++k) index.v[k] += static_cast<uint32_t>(k);
  const Words words = bits(KeyOf<Words>{key.hi, key.lo}, index);
  std::memcpy(out, &words.v, sizeof words.v);
}

}  // namespace throng
