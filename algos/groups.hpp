// Groups: networks of one shape that work side by side, each on rows of its own - seeds, or the policies of a pool.
#pragma once

#include <cstdint>

namespace throng {

// Their parameters lie `apart` numbers apart, and so do gradients and moments. Of everything that has rows, the rows of the first
// group come first, then those of the second, and so on; all have equally many. One launch does the work of all, and a group
// gets the very numbers that it would get alone.
struct Groups {
  int count = 1;
  int64_t apart = 0;
};

}  // namespace throng
