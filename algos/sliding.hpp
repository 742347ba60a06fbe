// Sliding: where a convolution's kernel comes to stand on a grid, and what lies under it.
#pragma once

#include <algorithm>

#include "core/platform.hpp"

namespace throng {

// The padding of a convolution's input: with "same" the output is as large as the input divided by the stride, rounded up;
// with "valid" there is none.
inline constexpr const char* kPaddings[] = {"same", "valid"};
enum Padding : int { kSame, kValid };

// A square kernel that slides over a grid. Its taps and the places where it comes to stand are numbered row by row.
struct Sliding {
  int height, width;  // of what it slides over
  int kernel, stride;
  int pad_top = 0, pad_left = 0;
  int out_height = 0, out_width = 0;

  static Sliding of(int height, int width, int kernel, int stride, Padding padding) {
    Sliding s{height, width, kernel, stride};
    const auto along = [&](int length, int& out, int& before) {
      out = padding == kSame ? (length + stride - 1) / stride : (length - kernel) / stride + 1;
      if (padding == kSame) before = std::max(0, (out - 1) * stride + kernel - length) / 2;
    };
    along(height, s.out_height, s.pad_top);
    along(width, s.out_width, s.pad_left);
    return s;
  }

  THRONG_HD int taps() const { return kernel * kernel; }
  THRONG_HD int cells() const { return height * width; }
  THRONG_HD int places() const { return out_height * out_width; }

  // The cell under a tap, or -1 beyond the border.
  THRONG_HD int cell(int place, int tap) const {
    const int row = place / out_width * stride - pad_top + tap / kernel;
    const int column = place % out_width * stride - pad_left + tap % kernel;
    return row < 0 || row >= height || column < 0 || column >= width ? -1 : row * width + column;
  }
  // The place at which a tap is over a cell, or -1.
  THRONG_HD int place(int cell, int tap) const {
    const int down = cell / width + pad_top - tap / kernel, right = cell % width + pad_left - tap % kernel;
    if (down < 0 || right < 0 || down % stride != 0 || right % stride != 0) return -1;
    const int row = down / stride, column = right / stride;
    return row < out_height && column < out_width ? row * out_width + column : -1;
  }
};

}  // namespace throng
