// Draws: what neighbouring indices of a key draw, many at once where the machine has wide registers.
#pragma once

#include "core/lanes.hpp"
#include "core/rng.hpp"

namespace throng {

inline constexpr int kDrawsAtOnce = 32;

// out[k] = bits(key, first + k) for k in [0, kDrawsAtOnce): on the host, side by side.
void draw_bits(Key key, uint32_t first, uint32_t* out);

// lanes.each(n, body), in which body(i, drawn) has drawn = bits(key, i) made for it.
template <class Body>
THRONG_HD void each_draw(const Lanes& lanes, Rng rng, int n, const Body& body) {
#ifdef __CUDA_ARCH__
  lanes.each(n, [&](int i) { body(i, rng.bits(i)); });
#else
  const int blocks = (n + kDrawsAtOnce - 1) / kDrawsAtOnce;
  for (int b = 0; b < blocks; ++b) {
    const int first = kDrawsAtOnce * (lanes.backwards ? blocks - 1 - b : b);
    uint32_t drawn[kDrawsAtOnce];
    draw_bits(rng.key, static_cast<uint32_t>(first), drawn);
    lanes.each(n - first < kDrawsAtOnce ? n - first : kDrawsAtOnce, [&](int i) { body(first + i, drawn[i]); });
  }
#endif
}

}  // namespace throng
