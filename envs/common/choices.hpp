// Words that the settings of several games share, and how a setting is refused.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "core/error.hpp"

namespace throng::common {

// Which rules a game follows where the code that it comes from departs from its own description.
enum Semantics : uint8_t { kFixed, kMomaland };
inline constexpr const char* kSemantics[] = {"fixed", "momaland"};

// Whether an agent is paid for what it did itself, or all are paid alike for what the team did.
enum RewardMode : uint8_t { kIndividual, kTeam };
inline constexpr const char* kRewardModes[] = {"individual", "team"};

// Throws Error, naming game, key and range, unless low <= value <= high; NaN is refused too.
inline void check_range(const std::string& game, const std::string& key, double value, double low, double high) {
  if (value >= low && value <= high) return;
  char text[128];
  std::snprintf(text, sizeof text, " is %.7g; valid: %.7g to %.7g", value, low, high);
  throw Error(game + ": " + key + text);
}

// Throws Error unless the list is a distribution over as many things as it has entries: none negative, sum 1.
template <class List>
void check_distribution(const std::string& game, const std::string& key, const List& shares) {
  double sum = 0;
  for (double share : shares) {
    check_range(game, key + ": a share", share, 0, 1);
    sum += share;
  }
  check_range(game, key + ": the sum", sum, 1 - 1e-4, 1 + 1e-4);
}

}  // namespace throng::common
