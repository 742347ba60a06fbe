// Choosing with given shares by one uniform number: the inverse of the distribution function.
#pragma once

#include "core/platform.hpp"

namespace throng::common {

// An index of `shares`, drawn with these probabilities when u is uniform in [0, 1).
template <class List>
THRONG_HD int pick(const List& shares, float u) {
  float sum = 0;
  int index = 0;  // without a branch, which chance would decide
  for (int i = 0; i < shares.size - 1; ++i) {
    sum += shares[i];
    index += u >= sum;
  }
  return index;
}

}  // namespace throng::common
