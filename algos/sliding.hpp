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
    return inside(row, column) ? row * width + column : -1;
  }

  // Calls visit(tap, cell) for all taps over the grid that the kernel has at a place. Like the next two without a division for
  // each, of which a GPU is slow.
  template <class Visit>
  THRONG_HD void each_cell(int place, const Visit& visit) const {
    const int top = place / out_width * stride - pad_top, left = place % out_width * stride - pad_left;
    for (int down = 0; down < kernel; ++down) {
      for (int right = 0; right < kernel; ++right) {
        if (inside(top + down, left + right)) visit(down * kernel + right, (top + down) * width + left + right);
      }
    }
  }
  // The cell under a tap at column 0, 1, ... of a row of places is `first + column * stride`, if that is one of its row's.
  struct Under {
    int first, left, width, stride;  // left: column of the first on the grid
    THRONG_HD int cell(int column) const {
      const int at = left + column * stride;
      return at < 0 || at >= width ? -1 : first + column * stride;
    }
  };
  // Calls visit(row, Under) for all rows of places where a tap is over the grid.
  template <class Visit>
  THRONG_HD void each_row(int tap, const Visit& visit) const {
    const int top = tap / kernel - pad_top, left = tap % kernel - pad_left;
    for (int i = 0; i < out_height; ++i) {
      const int row = i * stride + top;
      if (row >= 0 && row < height) visit(i, Under{row * width + left, left, width, stride});
    }
  }
  // Calls visit(tap, place) for all taps that come to be over a cell.
  template <class Visit>
  THRONG_HD void each_tap(int cell, const Visit& visit) const {
    const int bottom = cell / width + pad_top, right = cell % width + pad_left;
    for (int down = 0; down < kernel; ++down) {
      for (int along = 0; along < kernel; ++along) {
        int row = bottom - down, column = right - along;
        if (stride > 1) {
          if (row % stride != 0 || column % stride != 0) continue;
          row /= stride, column /= stride;
        }
        if (row >= 0 && row < out_height && column >= 0 && column < out_width)
          visit(down * kernel + along, row * out_width + column);
      }
    }
  }

 private:
  THRONG_HD bool inside(int row, int column) const { return row >= 0 && row < height && column >= 0 && column < width; }
};

}  // namespace throng
