// Metrics: what an update brought, the names it is logged by, and metrics.jsonl.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "algos/evaluate.hpp"
#include "algos/learner.hpp"
#include "core/vec_env.hpp"

namespace throng {

// The same policy twice, on the same episodes: with drawn and with most probable actions.
struct Evaluations {
  Evaluation sampled, greedy;
};

// The state of a run after an update.
struct Progress {
  int run = 0;  // which of those that are trained side by side
  int64_t update = 0, num_updates = 0;
  int64_t timesteps = 0, total_timesteps = 0;  // total: of num_updates whole updates
  double sps = 0;                              // environment steps per second of this process's rollouts and updates
  double seconds = 0;                          // spent on the run, this and earlier processes
  double seconds_left = 0;
  float learning_rate = 0;
  std::vector<std::string> objectives;
  EpisodeStatistics episodes;  // that ended during the update
  UpdateMetrics losses;
  std::optional<Evaluations> evaluation;  // when one was due
};

// "policy_loss", "value_loss", ..., in this order.
std::vector<std::pair<const char*, double>> named(const UpdateMetrics& losses);

// A line of metrics.jsonl, by CleanRL's names: "charts/episodic_return", "losses/policy_loss", ... What no episode that ended
// has told is left out; a number that is not finite is null.
nlohmann::ordered_json metrics_line(const Progress& progress);

// One JSON object a line, written whole and at once. MachineError if the machine fails; the file then ends as before.
class MetricsFile {
 public:
  explicit MetricsFile(const std::string& path);
  ~MetricsFile();
  MetricsFile(const MetricsFile&) = delete;
  MetricsFile& operator=(const MetricsFile&) = delete;

  void append(const nlohmann::ordered_json& line);
  void sync();  // what was appended outlasts a power cut

 private:
  std::string path_;
  int descriptor_ = -1;
};

// Drops what a resumed run will write again: lines of later updates, and a line that was cut short. Gives the last line that
// is left, or null.
nlohmann::json cut_metrics(const std::string& path, int64_t last_update);

}  // namespace throng
