// How a run is shown while it goes on: a line that is rewritten on a terminal, a line now and then anywhere else.
#pragma once

#include <string>

#include "algos/metrics.hpp"

namespace throng {

// "42%  4.20M of 10.0M steps  1.31M SPS  win rate 83.4%  return 1.67  5 s left", with as many parts as fit into `width`.
std::string progress_text(const Progress& progress, const EpisodeStatistics& episodes, size_t width);

// Owns the last line of stderr while it lives.
class ProgressLine {
 public:
  explicit ProgressLine(bool quiet);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const Progress& progress);
  // Leaves the moving line where it is; what follows begins below it.
  void end();
  // A line that stays, above the moving one.
  void say_above(const std::string& line);

 private:
  bool due(const Progress& progress) const;
  void redraw(const Progress& progress);

  bool quiet_, terminal_, color_;
  bool drawn_ = false;          // the cursor stands behind a line that is to be rewritten
  double last_shown_ = -1e9;    // in Progress::seconds
  EpisodeStatistics episodes_;  // of the last update in which any ended
};

}  // namespace throng
