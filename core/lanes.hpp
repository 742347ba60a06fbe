// Lanes: the workers that share one environment - one on the CPU, a sub-warp of 1 to 32 threads on the GPU.
#pragma once

#include "core/platform.hpp"

namespace throng {

// Every lane runs the rules; `each` divides a loop among them and `once` is for what has no index. The contract that makes
// any number of lanes give the same bits:
//   - the body of `each(n, body)` writes only what belongs to its own index i, and reads nothing that the same loop writes;
//   - sums run in ascending order inside one lane;
//   - both end with a barrier, so the next loop sees what this one wrote;
//   - all lanes take the same branches around `each` and `once`.
struct Lanes {
  int lane = 0;
  int width = 1;
  unsigned mask = 0;       // the threads of this environment within their warp (GPU)
  bool backwards = false;  // the CPU runs loops from the end: the test that the contract is kept

  template <class Body>
  THRONG_HD void each(int n, Body&& body) const {
#ifdef __CUDA_ARCH__
    for (int i = lane; i < n; i += width) body(i);
    sync();
#else
    if (backwards) {
      for (int i = n - 1; i >= 0; --i) body(i);
    } else {
      for (int i = 0; i < n; ++i) body(i);
    }
#endif
  }

  template <class Body>
  THRONG_HD void once(Body&& body) const {
    if (lane == 0) body();
    sync();
  }

  THRONG_HD void sync() const {
#ifdef __CUDA_ARCH__
    if (width > 1) __syncwarp(mask);
#endif
  }
};

}  // namespace throng
