// Cells of a rectangular map, numbered row by row from the top left, and who is next to whom.
#pragma once

#include "core/platform.hpp"

namespace throng::common {

enum Direction { kUp, kDown, kLeftward, kRightward, kDirections };

struct Grid {
  int rows, columns;

  THRONG_HD int num_cells() const { return rows * columns; }
  THRONG_HD int row_of(int cell) const { return cell / columns; }
  THRONG_HD int column_of(int cell) const { return cell % columns; }
  THRONG_HD int at(int row, int column) const { return row * columns + column; }

  // The cell next to this one, or -1 at the border.
  THRONG_HD int neighbour(int cell, int direction) const {
    switch (direction) {
      case kUp: return cell >= columns ? cell - columns : -1;
      case kDown: return cell + columns < num_cells() ? cell + columns : -1;
      case kLeftward: return column_of(cell) > 0 ? cell - 1 : -1;
      case kRightward: return column_of(cell) < columns - 1 ? cell + 1 : -1;
      default: return -1;
    }
  }
};

}  // namespace throng::common
