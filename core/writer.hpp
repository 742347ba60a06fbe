// Writers: how a game's `out(value)` reaches memory, or is only counted.
#pragma once

#include <cstdint>

#include "core/platform.hpp"

namespace throng {

// Counts features; this is how obs_dim and the other sizes are found, so no game declares them.
struct Counter {
  int count = 0;
  template <class T>
  THRONG_HD void operator()(T) {
    ++count;
  }
};

// Writes one compact row. On the GPU four values go out in one store as soon as the address allows it: a thread that fills
// a row value by value would otherwise touch every memory sector eight times. The row is complete when the writer ends.
template <class T>
class RowWriter {
 public:
  THRONG_HD explicit RowWriter(T* row) : next_(row) {
    before_ = filled_ = static_cast<int>((reinterpret_cast<uintptr_t>(row) / sizeof(T)) & 3);
  }

  THRONG_HD ~RowWriter() {
#ifdef __CUDA_ARCH__
    store_newest(filled_ - before_);
#endif
  }

  RowWriter(const RowWriter&) = delete;
  RowWriter& operator=(const RowWriter&) = delete;

  template <class V>
  THRONG_HD void operator()(V value) {
#ifdef __CUDA_ARCH__
    four_.v[0] = four_.v[1];
    four_.v[1] = four_.v[2];
    four_.v[2] = four_.v[3];
    four_.v[3] = static_cast<T>(value);
    if (++filled_ < 4) return;
    if (before_ == 0) {
      *reinterpret_cast<Four*>(next_) = four_;
      next_ += 4;
    } else {
      store_newest(4 - before_);
    }
    before_ = filled_ = 0;
#else
    *next_++ = static_cast<T>(value);
#endif
  }

 private:
  struct alignas(4 * sizeof(T)) Four {
    T v[4];
  };

  // One by one, oldest first; the indices are fixed, so that the four stay in registers.
  THRONG_HD void store_newest(int count) {
    for (int i = 0; i < 4; ++i) {
      if (i >= 4 - count) *next_++ = four_.v[i];
    }
  }

  T* next_;
  Four four_ = {};
  int filled_ = 0;  // values since the last border of four
  int before_ = 0;  // of which this many lie before the row began
};

}  // namespace throng
