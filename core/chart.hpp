// Charts as SVG text: lines and points over two axes, and matrices of numbers. Written with write_file_atomically.
#pragma once

#include <string>
#include <vector>

#include "core/platform.hpp"

namespace throng {

// One colour of a chart. Values that are not finite are left out, and a line is broken there.
struct Series {
  std::string name;          // in the legend; "" for none
  std::vector<double> x, y;  // as many of one as of the other
  enum Style { kLine, kPoints, kSteps } style = kLine;
  std::vector<double> low = {}, high = {};  // a band around a line (an interval, say), as many as x; or none
};

// Axes span what is drawn, with round numbers at their marks.
struct Chart {
  std::string title, x_label, y_label;
  std::vector<Series> series;
  THRONG_API std::string svg() const;  // Error if the sizes of a series differ
};

// values[row][column] as coloured squares with the number in each: blue at `low`, white in the middle, red at `high`.
struct MatrixChart {
  std::string title;
  std::vector<std::string> rows, columns;
  std::vector<std::vector<double>> values;
  double low = 0, high = 1;
  THRONG_API std::string svg() const;  // Error if names and values do not match
};

}  // namespace throng
