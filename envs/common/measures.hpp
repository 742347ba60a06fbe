// Measures of social outcomes that several games report.
#pragma once

#include "core/platform.hpp"

namespace throng::common {

// Equality of shares, 1 - Gini: 1 if all have the same, 1 / n if one of n has everything; 1 if nobody has anything.
template <class Share>
THRONG_HD float equality(int n, const Share& share) {
  float sum = 0, differences = 0;
  for (int i = 0; i < n; ++i) {
    sum += share(i);
    for (int j = 0; j < n; ++j) {
      const float more = share(i) - share(j);
      differences += more < 0 ? -more : more;
    }
  }
  return sum == 0 ? 1 : 1 - differences / (2 * static_cast<float>(n) * sum);
}

}  // namespace throng::common
