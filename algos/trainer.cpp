// The loop, and what happens around it: logging, evaluating, saving, going on.
#include "algos/trainer.hpp"

#include <cmath>
#include <utility>

#include "algos/front.hpp"
#include "algos/saved_opponent.hpp"
#include "core/error.hpp"
#include "core/file.hpp"

namespace throng {
namespace {

double seconds_since(std::chrono::steady_clock::time_point then) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - then).count();
}

double score_of(const Evaluation& evaluation) {
  const auto won = evaluation.info.find("won");
  if (won != evaluation.info.end()) return won->second.mean;
  if (evaluation.utility) return evaluation.utility->mean;
  double sum = 0;
  for (const auto& [objective, value] : evaluation.returns) sum += value.mean;
  return sum;
}

}  // namespace

// ---- beginning and going on ----

Trainer::Trainer(Run run, MakeEnv make_env, const MakeLearner& make_learner)
    : run_(std::move(run)), make_env_(std::move(make_env)) {
  build(make_learner);  // a mistake in the settings leaves no folder behind
  folder_ = RunFolder::create(run_);
  run_.folder = folder_.path();
  env_->reset(run_.train.seed);
  write_file_atomically(folder_.file("config.json"), run_.to_json().dump(2) + "\n");
  open_logs();
}

Trainer::Trainer(Run run, RunFolder folder, MakeEnv make_env, const MakeLearner& make_learner)
    : run_(std::move(run)), folder_(std::move(folder)), make_env_(std::move(make_env)) {
  build(make_learner);
}

std::unique_ptr<Trainer> Trainer::resume(const std::string& folder, MakeEnv make_env, const std::string& device,
                                         const MakeLearner& make_learner) {
  Run run = Run::load(folder);
  if (!device.empty()) run.device = device;
  RunFolder locked = RunFolder::open(folder);
  const Checkpoint checkpoint = read_latest_checkpoint(folder);
  std::unique_ptr<Trainer> trainer(new Trainer(std::move(run), std::move(locked), std::move(make_env), make_learner));
  trainer->load(checkpoint);
  trainer->open_logs();
  return trainer;
}

void Trainer::build(const MakeLearner& make_learner) {
  run_.train.check();
  device_ = open_device(run_.device);
  run_.device = device_->kind();
  BatchOptions options;
  options.num_envs = run_.train.num_envs;
  if (!run_.train.opponent_run.empty()) make_env_ = against_run(make_env_, run_.train.opponent_run);
  env_ = make_env_(run_.env, device_, options, run_.env_config);
  const std::string& version = env_->spec().version;
  if (run_.env_version.empty()) run_.env_version = version;
  if (run_.env_version != version) {
    throw Error("the run in '" + run_.folder + "' was trained under rules '" + run_.env_version + "' of " + run_.env +
                ", but these are '" + version + "'");
  }
  learner_ = make_learner(device_, env_->spec(), run_.train.num_envs, run_.train);
}

void Trainer::load(const Checkpoint& checkpoint) {
  try {
    learner_->load(checkpoint.parameters, checkpoint.optimizer);
    env_->restore(checkpoint.env);
  } catch (const Error& problem) {
    throw Error("checkpoint of update " + std::to_string(checkpoint.update) + " in '" + run_.folder +
                "' does not fit the run: " + problem.what());
  }
  update_ = first_update_ = saved_update_ = checkpoint.update;
  best_ = checkpoint.best;
  const nlohmann::json last = cut_metrics(folder_.file("metrics.jsonl"), update_);
  if (last.is_object()) seconds_before_ = last.value("seconds", 0.0);
}

void Trainer::open_logs() {
  metrics_ = std::make_unique<MetricsFile>(folder_.file("metrics.jsonl"));
  events_ = std::make_unique<EventWriter>(folder_.path());
}

// ---- one update ----

Progress Trainer::update() {
  if (finished()) throw Error("the run in '" + run_.folder + "' is finished");
  const Clock::time_point began = Clock::now();
  const float rate = learning_rate();
  // Every iteration finds what the environments look like in the rollout's last slab, where the one before left it.
  if (!last_slab_is_current_) env_->observe(learner_->rollout().observations(run_.train.num_steps));
  last_slab_is_current_ = true;
  learner_->iterate(*env_, rate);
  const UpdateMetrics losses = learner_->metrics();
  ++update_;
  check(losses);
  busy_seconds_ += seconds_since(began);

  Progress now = progress(rate, losses);
  if (due(run_.train.eval_interval)) now.evaluation = evaluate_both();
  log(now);
  const bool best = best_ && best_->timesteps == timesteps();
  if (best || due(run_.train.checkpoint_interval)) save();
  return now;
}

float Trainer::learning_rate() const {
  const TrainConfig& train = run_.train;
  if (!train.anneal_lr) return train.learning_rate;
  const double done = static_cast<double>(update_) / static_cast<double>(train.num_updates());
  return static_cast<float>(static_cast<double>(train.learning_rate) * (1.0 - done));
}

// A run whose numbers are no longer finite ends here. Its parameters are (Adam takes no step by such gradients), unless the
// learner is of another kind: then nothing is saved.
void Trainer::check(const UpdateMetrics& losses) {
  if (run_.train.self_test && update_ == first_update_ + 1 && losses.first_ratio_error != 0) {
    throw Error("self-test: the first probability ratio of update " + std::to_string(update_) + " is off by " +
                std::to_string(losses.first_ratio_error) +
                " on average, so learning does not see the policy that acted (self_test=false goes on all the same)");
  }
  for (const auto& [name, value] : named(losses)) {
    // The explained variance of returns that do not vary is 0 / 0, which harms nothing.
    if (std::isfinite(value) || name == std::string("explained_variance")) continue;
    const std::string tensor = learner_->not_finite();
    std::string saved = "the last checkpoint is still good";
    try {
      save();
      saved = "the run is saved as it was before that gradient";
    } catch (const Error&) {
    }
    throw Error("update " + std::to_string(update_) + ": losses/" + name + " is " + std::to_string(value) +
                (tensor.empty() ? "" : ", and so is " + tensor) + "; training cannot go on, " + saved +
                " (a lower learning_rate or max_grad_norm may help)");
  }
}

Progress Trainer::progress(float learning_rate, const UpdateMetrics& losses) {
  const auto steps = run_.train.steps_per_update();
  const auto done = static_cast<double>(update_ - first_update_);
  const double seconds = seconds_since(began_);
  Progress now;
  now.update = update_;
  now.num_updates = run_.train.num_updates();
  now.timesteps = timesteps();
  now.total_timesteps = now.num_updates * steps;
  now.sps = busy_seconds_ > 0 ? done * static_cast<double>(steps) / busy_seconds_ : 0;
  now.seconds = seconds_before_ + seconds;
  now.seconds_left = seconds / done * static_cast<double>(now.num_updates - update_);
  now.learning_rate = learning_rate;
  now.objectives = env_->spec().objectives;
  now.episodes = env_->take_statistics();
  now.losses = losses;
  return now;
}

void Trainer::log(const Progress& progress) {
  const nlohmann::ordered_json line = metrics_line(progress);
  metrics_->append(line);
  for (const auto& [name, value] : line.items()) {
    if (name == "update" || name == "timesteps" || !value.is_number()) continue;
    const float number = value.get<float>();
    if (std::isfinite(number)) events_->scalar(name, number, progress.timesteps);
  }
  events_->flush();
}

// ---- evaluating ----

Evaluation Trainer::evaluate(bool greedy) {
  if (!evaluation_env_) {
    const BatchOptions options = evaluation_options(env_->spec(), run_.train.eval_episodes);
    evaluation_env_ = make_env_(run_.env, device_, options, run_.env_config);
  }
  Weights weights;
  if (learner_->goal().weights > 0) weights = evaluation_weights(run_.train, env_->spec().num_objectives);
  return throng::evaluate(*evaluation_env_, *learner_, greedy, run_.train.seed + kEvaluationSeed, weights);
}

// Evaluates a policy once, and remembers whether it is the best so far.
const Evaluations& Trainer::evaluate_both() {
  if (evaluated_update_ == update_) return *evaluated_;
  evaluated_ = Evaluations{evaluate(false), evaluate(true)};
  evaluated_update_ = update_;
  const double score = score_of(evaluated_->sampled);
  if (!best_ || score > best_->score) {
    best_ = Checkpoint::Best{score, timesteps()};
    saved_update_ = -1;  // a checkpoint says which is the best
  }
  return *evaluated_;
}

// ---- saving and ending ----

void Trainer::save() {
  if (saved_update_ == update_) return;
  Checkpoint checkpoint;
  checkpoint.parameters = learner_->parameters();
  checkpoint.optimizer = learner_->optimizer_state();
  checkpoint.env = env_->snapshot();
  checkpoint.config = run_.to_json();
  checkpoint.update = update_;
  checkpoint.timesteps = timesteps();
  checkpoint.best = best_;
  metrics_->sync();  // every update before the checkpoint has its line, whatever happens
  save_checkpoint(folder_.path(), checkpoint);
  saved_update_ = update_;
}

nlohmann::ordered_json Trainer::finish() {
  const Evaluations& last = evaluate_both();
  save();
  const nlohmann::ordered_json report = {{"update", update_},
                                         {"timesteps", timesteps()},
                                         {"sampled", last.sampled.to_json()},
                                         {"greedy", last.greedy.to_json()}};
  write_file_atomically(folder_.file("eval.json"), report.dump(2) + "\n");
  return report;
}

bool Trainer::train(const std::function<void(const Progress&)>& on_update, const std::function<bool()>& stop) {
  while (!finished()) {
    if (stop && stop()) {
      save();
      return false;
    }
    const Progress now = update();
    if (on_update) on_update(now);
  }
  finish();
  return true;
}

}  // namespace throng
