// Logbook: what a run leaves in its folder while it is trained - settings, metrics, checkpoints, evaluations.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "algos/checkpoint.hpp"
#include "algos/metrics.hpp"
#include "algos/run.hpp"
#include "core/tensorboard.hpp"

namespace throng {

class Logbook {
 public:
  Logbook(Run run, RunFolder folder);

  const Run& run() const { return run_; }

  // A new run: writes config.json.
  void begin();
  // Goes on after a checkpoint: drops what comes after it, and gives the seconds spent on the run so far.
  double go_on(const Checkpoint& from);
  // A line of metrics.jsonl, and the same for TensorBoard.
  void log(const Progress& progress);

  // The evaluations of the policy after so many updates, if it was evaluated.
  const Evaluations* evaluations(int64_t update) const { return evaluated_update_ == update ? &*evaluated_ : nullptr; }
  // Remembers the newest, and whether it is of the best policy so far: by the win rate of its sampled episodes, without one by
  // their return.
  const Evaluations& evaluated(Evaluations evaluations, int64_t update);
  bool is_best(int64_t update) const { return best_ && best_->timesteps == timesteps(update); }

  // checkpoints/step_<timesteps>.safetensors, and checkpoints/latest names it; see save_checkpoint. Of `checkpoint` it fills in
  // what the book knows.
  void save(Checkpoint checkpoint, int64_t update);
  bool saved(int64_t update) const { return saved_update_ == update; }
  // eval.json, of the newest evaluations.
  nlohmann::ordered_json report();

 private:
  int64_t timesteps(int64_t update) const { return update * run_.train.steps_per_update(); }
  void open();

  Run run_;
  RunFolder folder_;
  std::unique_ptr<MetricsFile> metrics_;
  std::unique_ptr<EventWriter> events_;
  int64_t saved_update_ = -1;
  std::optional<Checkpoint::Best> best_;
  std::optional<Evaluations> evaluated_;
  int64_t evaluated_update_ = -1;
};

}  // namespace throng
