// Trainer: the loop of a run, or of several side by side, and picking a run up again.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "algos/evaluate.hpp"
#include "algos/learner.hpp"
#include "algos/logbook.hpp"
#include "core/vec_env.hpp"

namespace throng {

// Makes the environments of a run; the doors pass envs/registry.hpp's make, since algos/ knows no game.
using MakeEnv = std::function<std::unique_ptr<VecEnv>(const std::string& id, std::shared_ptr<Device>,
                                                      const BatchOptions&, const nlohmann::json& config)>;
// Makes what learns; other learners than throng's own come in here.
using MakeLearner = std::function<std::unique_ptr<Learner>(std::shared_ptr<Device>, const EnvSpec&, int num_envs,
                                                           const std::vector<TrainConfig>&)>;

// Runs that differ in their seeds are trained in one batch: a block of environments and a group of the learner for each. They
// share nothing but the launches, so each leaves the folder that it would leave alone.
class Trainer {
 public:
  // Environments begin from reset(train.seed); every evaluation from the same episodes, those of train.seed plus this.
  static constexpr uint64_t kEvaluationSeed = 1'000'000;

  // New runs: creates their folders and writes config.json. Error if the settings are unfit or a folder holds a run.
  explicit Trainer(std::vector<Run> runs, MakeEnv make_env, const MakeLearner& make_learner = throng::make_learner);
  explicit Trainer(Run run, MakeEnv make_env, const MakeLearner& make_learner = throng::make_learner)
      : Trainer(std::vector<Run>{std::move(run)}, std::move(make_env), make_learner) {}
  // Continues a run from its latest checkpoint, bit for bit. `device` may differ ("" = as before; the bits can then, too).
  static std::unique_ptr<Trainer> resume(const std::string& folder, MakeEnv make_env, const std::string& device = "",
                                         const MakeLearner& make_learner = throng::make_learner);
  ~Trainer();

  int num_runs() const { return static_cast<int>(books_.size()); }
  const Run& run(int k = 0) const { return books_[k].run(); }
  VecEnv& env() { return *env_; }
  Learner& learner() { return *learner_; }
  int64_t update_count() const { return update_; }
  int64_t timesteps() const { return update_ * train().steps_per_update(); }  // of each run
  bool finished() const { return update_ >= train().num_updates(); }

  // One rollout and what is learned from it; appends to metrics.jsonl and the TensorBoard events, and evaluates and saves
  // when due. Error, before it is logged and after saving what is still good, if a loss is not finite. One for each run.
  std::vector<Progress> update();
  // Episodes with the present policy of run k on environments of their own. Leaves the run as it was.
  Evaluation evaluate(bool greedy, int k = 0);
  // A checkpoint of every run that has none of this update.
  void save();
  // Final evaluations to eval.json, and a checkpoint. One report for each run.
  std::vector<nlohmann::ordered_json> finish();

  // Updates until the runs are finished, then finishes them, or until `stop` says so (looked at between updates), then saves.
  // True = finished.
  bool train(const std::function<void(const Progress&)>& on_update, const std::function<bool()>& stop);

 private:
  using Clock = std::chrono::steady_clock;

  // What the device sends of an update, in host memory: one is read while the next is on its way.
  struct Sent {
    double* losses = nullptr;   // [Learner::num_sums]
    float* episodes = nullptr;  // [VecEnv::num_sums]
    float learning_rate = 0;
    uint64_t mark = 0;
  };
  static constexpr int64_t kSent = 2;

  Trainer() = default;
  void build(std::vector<Run>& runs, MakeEnv make_env, const MakeLearner& make_learner);
  const TrainConfig& train() const { return run().train; }
  void load(const Checkpoint& checkpoint);
  float learning_rate() const;
  void launch();
  std::vector<Progress> next_update(bool look_ahead);
  bool may_look_ahead() const;
  void check(const std::vector<UpdateMetrics>& losses);
  [[noreturn]] void stop_for(int k, const char* loss, double value);
  std::vector<Progress> progress(const Sent& sent, const std::vector<UpdateMetrics>& losses);
  const Evaluations& evaluate_both(int k);
  void save(int k);
  bool due(int interval) const { return interval > 0 && update_ % interval == 0; }

  MakeEnv make_env_;
  std::shared_ptr<Device> device_;
  std::unique_ptr<VecEnv> env_;
  std::unique_ptr<VecEnv> evaluation_env_;  // made when first needed
  std::unique_ptr<Learner> learner_;
  std::vector<Logbook> books_;  // [run]
  Sent sent_[kSent];

  int64_t update_ = 0;
  int64_t launched_ = 0;               // updates; more than update_ while the device is ahead
  int64_t first_update_ = 0;           // of this process
  bool last_slab_is_current_ = false;  // the rollout's last observations are those of the environments

  Clock::time_point began_ = Clock::now();
  Clock::time_point busy_since_;
  double seconds_before_ = 0;  // spent by earlier processes
  double busy_seconds_ = 0;    // of this process, in rollouts and updates
};

}  // namespace throng
