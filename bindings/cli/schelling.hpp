// `throng eval --schelling A B`: what agents of two kinds earn in every mix of them, as table, JSON and chart.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "algos/schelling.hpp"
#include "core/chart.hpp"

namespace throng {

struct SchellingOptions {
  std::vector<std::string> players;  // two: folders of runs, or players of the game
  std::string env;                   // where no run says it
  std::vector<std::string> overrides;
  std::string checkpoint, device, out;
  int episodes = 0;
  std::optional<uint64_t> seed;
  bool json = false;
};

int schelling(const SchellingOptions&);

std::vector<std::string> schelling_table(const Schelling&);  // and the verdict
Chart schelling_chart(const Schelling&);

}  // namespace throng
