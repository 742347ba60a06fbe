// A short list that lives inside a parameter struct: plain bytes, so a kernel receives it by value.
#pragma once

#include <stdexcept>

#include "core/platform.hpp"

namespace throng {

// FixedList<float, 4> speeds = {2, {1.5f, 2.0f}};
template <class T, int N>
struct FixedList {
  static constexpr int kCapacity = N;

  int size = 0;
  T items[N] = {};

  THRONG_HD constexpr T& operator[](int i) { return items[i]; }
  THRONG_HD constexpr const T& operator[](int i) const { return items[i]; }
  THRONG_HD constexpr T* begin() { return items; }
  THRONG_HD constexpr T* end() { return items + size; }
  THRONG_HD constexpr const T* begin() const { return items; }
  THRONG_HD constexpr const T* end() const { return items + size; }

  // Host only: device code has no error path.
  constexpr void push_back(const T& item) {
    if (size == N) throw std::length_error("FixedList is full");
    items[size++] = item;
  }
};

}  // namespace throng
