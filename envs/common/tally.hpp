// Counting who is where: a histogram that the lanes of an environment make together, without atomics.
#pragma once

#include "core/field.hpp"
#include "core/lanes.hpp"

namespace throng::common {

// Parts that n things are counted in, each by one lane. It does not depend on the number of lanes, but the sums would be
// the same if it did.
THRONG_HD constexpr int tally_parts(int n) { return n < 64 ? 1 : n < 32 * 32 ? (n + 31) / 32 : 32; }

// count[b] = how often `visit(i, count)` calls count(b), for all of i = 0 .. n - 1. `partial` is working memory of
// tally_parts(n) * bins numbers, [part, bin].
template <class T, class Sum, class Visit>
THRONG_HD void tally_all(const Lanes& lanes, int n, int bins, Field<T> partial, Field<Sum> count, const Visit& visit) {
  const int parts = tally_parts(n);
  lanes.each(parts, [&](int part) {
    for (int b = 0; b < bins; ++b) partial[part * bins + b] = 0;
    for (int i = part; i < n; i += parts) visit(i, [&](int b) { ++partial[part * bins + b]; });
  });
  lanes.each(bins, [&](int b) {
    int sum = 0;
    for (int part = 0; part < parts; ++part) sum += partial[part * bins + b];
    count[b] = static_cast<Sum>(sum);
  });
}

// The same where each of them is in one bin, or, if that is below 0, in none.
template <class T, class Bin>
THRONG_HD void tally(const Lanes& lanes, int n, int bins, Field<T> partial, Field<T> count, const Bin& bin) {
  tally_all(lanes, n, bins, partial, count, [&](int i, const auto& add) {
    const int b = bin(i);
    if (b >= 0) add(b);
  });
}

}  // namespace throng::common
