// Trainer: the loop of a run, its folder, and picking it up again.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "algos/checkpoint.hpp"
#include "algos/evaluate.hpp"
#include "algos/learner.hpp"
#include "algos/metrics.hpp"
#include "algos/run.hpp"
#include "core/tensorboard.hpp"
#include "core/vec_env.hpp"

namespace throng {

// Makes the environments of a run; the doors pass envs/registry.hpp's make, since algos/ knows no game.
using MakeEnv = std::function<std::unique_ptr<VecEnv>(const std::string& id, std::shared_ptr<Device>,
                                                      const BatchOptions&, const nlohmann::json& config)>;
// Makes what learns; other learners than throng's own come in here.
using MakeLearner =
    std::function<std::unique_ptr<Learner>(std::shared_ptr<Device>, const EnvSpec&, int num_envs, const TrainConfig&)>;

class Trainer {
 public:
  // Environments begin from reset(train.seed); every evaluation from the same episodes, those of train.seed plus this.
  static constexpr uint64_t kEvaluationSeed = 1'000'000;

  // A new run: creates the folder and writes config.json. Error if the settings are unfit or the folder holds a run.
  explicit Trainer(Run run, MakeEnv make_env, const MakeLearner& make_learner = throng::make_learner);
  // Continues a run from its latest checkpoint, bit for bit. `device` may differ ("" = as before; the bits can then, too).
  static std::unique_ptr<Trainer> resume(const std::string& folder, MakeEnv make_env, const std::string& device = "",
                                         const MakeLearner& make_learner = throng::make_learner);

  const Run& run() const { return run_; }
  VecEnv& env() { return *env_; }
  Learner& learner() { return *learner_; }
  int64_t update_count() const { return update_; }
  int64_t timesteps() const { return update_ * run_.train.steps_per_update(); }
  bool finished() const { return update_ >= run_.train.num_updates(); }

  // One rollout and what is learned from it; appends to metrics.jsonl and the TensorBoard events, and evaluates and saves
  // when due. Error, before it is logged and after saving what is still good, if a loss is not finite.
  Progress update();
  // Episodes with the present policy on environments of their own. Leaves the run as it was.
  Evaluation evaluate(bool greedy);
  // checkpoints/step_<timesteps>.safetensors, and checkpoints/latest names it; see save_checkpoint.
  void save();
  // Final evaluations to eval.json, and a checkpoint.
  nlohmann::ordered_json finish();

  // Updates until the run is finished, then finishes it, or until `stop` says so (looked at between updates), then saves.
  // True = finished.
  bool train(const std::function<void(const Progress&)>& on_update, const std::function<bool()>& stop);

 private:
  using Clock = std::chrono::steady_clock;

  Trainer(Run run, RunFolder folder, MakeEnv make_env, const MakeLearner& make_learner);
  void build(const MakeLearner& make_learner);
  void open_logs();
  void load(const Checkpoint& checkpoint);
  float learning_rate() const;
  void check(const UpdateMetrics& losses);
  Progress progress(float learning_rate, const UpdateMetrics& losses);
  const Evaluations& evaluate_both();
  bool due(int interval) const { return interval > 0 && update_ % interval == 0; }
  void log(const Progress& progress);

  Run run_;
  RunFolder folder_;
  MakeEnv make_env_;
  std::shared_ptr<Device> device_;
  std::unique_ptr<VecEnv> env_;
  std::unique_ptr<VecEnv> evaluation_env_;  // made when first needed
  std::unique_ptr<Learner> learner_;
  std::unique_ptr<MetricsFile> metrics_;
  std::unique_ptr<EventWriter> events_;

  int64_t update_ = 0;
  int64_t first_update_ = 0;           // of this process
  bool last_slab_is_current_ = false;  // the rollout's last observations are those of the environments
  int64_t saved_update_ = -1;
  std::optional<Checkpoint::Best> best_;  // by the win rate of sampled episodes, without one by their return
  std::optional<Evaluations> evaluated_;  // the policy after update `evaluated_update_`
  int64_t evaluated_update_ = -1;

  Clock::time_point began_ = Clock::now();
  double seconds_before_ = 0;  // spent by earlier processes
  double busy_seconds_ = 0;    // of this process, in rollouts and updates
};

}  // namespace throng
