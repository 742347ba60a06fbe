// The exponential function in plain arithmetic: the same bits on every device, and within 2 ulp of the true value.
#pragma once

#include <bit>
#include <cstdint>

#include "core/platform.hpp"

namespace throng::common {

// exp(x) for x <= 0; 0 where that is below 1e-300.
THRONG_HD inline double exponential(double x) {
  constexpr double kPerLog2 = 1.4426950408889634, kLog2High = 0x1.62e42fefa3800p-1, kLog2Low = 0x1.ef35793c76730p-45;
  if (x < -690) return 0;
  // exp(x) = 2^k exp(r) with |r| <= ln(2) / 2, where ln(2) is the sum of two numbers of which k times the first is exact.
  const int k = static_cast<int>(x * kPerLog2 - 0.5);
  const double r = (x - k * kLog2High) - k * kLog2Low;
  double sum = 1;  // Taylor, by Horner: 1 + r (1 + r/2 (1 + r/3 (...)))
  for (int n = 14; n >= 1; --n) sum = 1 + r / n * sum;
  return sum * std::bit_cast<double>(static_cast<int64_t>(1023 + k) << 52);
}

}  // namespace throng::common
