// The loop, and what happens around it: evaluating, saving, going on.
#include "algos/trainer.hpp"

#include <cmath>
#include <cstring>
#include <utility>

#include "algos/front.hpp"
#include "algos/saved_opponent.hpp"
#include "algos/self_play.hpp"
#include "core/error.hpp"

namespace throng {
namespace {

double seconds_between(std::chrono::steady_clock::time_point then, std::chrono::steady_clock::time_point now) {
  return std::chrono::duration<double>(now - then).count();
}

// Of arrays [index, env], the columns of one block of environments.
std::map<std::string, Tensor> block_of(const std::map<std::string, Tensor>& all, int block, int blocks) {
  if (blocks == 1) return all;
  std::map<std::string, Tensor> own;
  for (const auto& [name, tensor] : all) {
    Tensor& part = own[name];
    part.dtype = tensor.dtype;
    part.shape = {tensor.shape[0], tensor.shape[1] / blocks};
    if (tensor.shape[0] == 0) continue;  // what these parameters have no need of
    const size_t row = tensor.data.size() / static_cast<size_t>(tensor.shape[0]), bytes = row / blocks;
    part.data.resize(bytes * static_cast<size_t>(tensor.shape[0]));
    for (int64_t i = 0; i < tensor.shape[0]; ++i)
      std::memcpy(part.data.data() + i * bytes, tensor.data.data() + i * row + block * bytes, bytes);
  }
  return own;
}

}  // namespace

// ---- beginning and going on ----

Trainer::Trainer(std::vector<Run> runs, MakeEnv make_env, const MakeLearner& make_learner) {
  build(runs, std::move(make_env), make_learner);  // a mistake in the settings leaves no folder behind
  std::vector<uint64_t> seeds;
  for (const Run& run : runs) seeds.push_back(run.train.seed);
  env_->reset_blocks(seeds);
  for (Run& run : runs) {
    RunFolder folder = RunFolder::create(run);
    books_.emplace_back(std::move(run), std::move(folder));
  }
  for (Logbook& book : books_) book.begin();
  learner_->keep_in(run().folder);
}

std::unique_ptr<Trainer> Trainer::resume(const std::string& folder, MakeEnv make_env, const std::string& device,
                                         const MakeLearner& make_learner) {
  std::vector<Run> runs = {Run::load(folder)};
  if (!device.empty()) runs[0].device = device;
  RunFolder locked = RunFolder::open(folder);
  const Checkpoint checkpoint = read_latest_checkpoint(folder);
  std::unique_ptr<Trainer> trainer(new Trainer());
  trainer->build(runs, std::move(make_env), make_learner);
  trainer->books_.emplace_back(std::move(runs[0]), std::move(locked));
  trainer->load(checkpoint);
  return trainer;
}

void Trainer::build(std::vector<Run>& runs, MakeEnv make_env, const MakeLearner& make_learner) {
  make_env_ = std::move(make_env);
  const Run& first = runs.at(0);
  for (const Run& run : runs) run.train.check();
  device_ = open_device(first.device);
  BatchOptions options;
  options.num_envs = first.train.num_envs * static_cast<int>(runs.size());
  MakeLearner make = make_learner;
  if (first.train.selfplay != kNoSelfPlay) {
    if (runs.size() > 1)
      throw Error("selfplay=" + std::string(kSelfPlays[first.train.selfplay]) + " trains one seed at a time");
    make = self_play_learner(first, make_env_, make_learner);
    make_env_ = self_play_env(make_env_, first.train);
  } else if (!first.train.opponent_run.empty()) {
    make_env_ = against_run(make_env_, first.train.opponent_run);
  }
  env_ = make_env_(first.env, device_, options, first.env_config);
  const std::string& version = env_->spec().version;
  std::vector<TrainConfig> configs;
  for (Run& run : runs) {
    run.device = device_->kind();
    if (run.env_version.empty()) run.env_version = version;
    if (run.env_version != version) {
      throw Error("the run in '" + run.folder + "' was trained under rules '" + run.env_version + "' of " + run.env +
                  ", but these are '" + version + "'");
    }
    configs.push_back(run.train);
  }
  learner_ = make(device_, env_->spec(), first.train.num_envs, configs);
  for (Sent& sent : sent_) {
    sent.losses = static_cast<double*>(device_->allocate_host(learner_->num_sums() * sizeof(double)));
    sent.episodes = static_cast<float*>(device_->allocate_host(env_->num_sums() * sizeof(float)));
  }
}

Trainer::~Trainer() {
  for (const Sent& sent : sent_) {
    if (sent.losses) device_->release_host(sent.losses);
    if (sent.episodes) device_->release_host(sent.episodes);
  }
}

void Trainer::load(const Checkpoint& checkpoint) {
  try {
    learner_->load(checkpoint.parameters, checkpoint.optimizer);
    env_->restore(checkpoint.env);
  } catch (const Error& problem) {
    throw Error("checkpoint of update " + std::to_string(checkpoint.update) + " in '" + run().folder +
                "' does not fit the run: " + problem.what());
  }
  update_ = launched_ = first_update_ = checkpoint.update;
  seconds_before_ = books_[0].go_on(checkpoint);
}

// ---- one update ----

std::vector<Progress> Trainer::update() { return next_update(/*look_ahead=*/false); }

// With `look_ahead` the device begins with the update after the next before the host looks at what the next has brought.
std::vector<Progress> Trainer::next_update(bool look_ahead) {
  if (finished()) throw Error("the run in '" + run().folder + "' is finished");
  if (launched_ == update_) launch();
  if (look_ahead) launch();
  const Sent& sent = sent_[update_ % kSent];
  device_->wait_for(sent.mark);
  const Clock::time_point now = Clock::now();
  busy_seconds_ += seconds_between(std::exchange(busy_since_, now), now);
  ++update_;
  const std::vector<UpdateMetrics> losses = learner_->metrics_of(sent.losses);
  check(losses);
  std::vector<Progress> all = progress(sent, losses);
  for (int k = 0; k < num_runs(); ++k) {
    if (due(train().eval_interval)) all[k].evaluation = evaluate_both(k);
    books_[k].log(all[k]);
    if (books_[k].is_best(update_) || due(train().checkpoint_interval)) save(k);
  }
  return all;
}

// Every iteration finds what the environments look like in the rollout's last slab, where the one before left it.
void Trainer::launch() {
  if (launched_ == update_) busy_since_ = Clock::now();
  if (!last_slab_is_current_) env_->observe(learner_->rollout().observations(train().num_steps));
  last_slab_is_current_ = true;
  Sent& sent = sent_[launched_ % kSent];
  sent.learning_rate = learning_rate();
  learner_->iterate(*env_, sent.learning_rate);
  learner_->send_metrics(sent.losses);
  env_->send_statistics(sent.episodes);
  sent.mark = device_->mark();
  ++launched_;
}

// Not beyond an update after which the host wants to see the learner as it is then. The CPU has nothing to gain.
bool Trainer::may_look_ahead() const {
  const int64_t next = update_ + 1;
  auto due_then = [&](int interval) { return interval > 0 && next % interval == 0; };
  return device_->is_cuda() && next < train().num_updates() && update_ > first_update_ &&
         !due_then(train().eval_interval) && !due_then(train().checkpoint_interval);
}

float Trainer::learning_rate() const {
  if (!train().anneal_lr) return train().learning_rate;
  const double done = static_cast<double>(launched_) / static_cast<double>(train().num_updates());
  return static_cast<float>(static_cast<double>(train().learning_rate) * (1.0 - done));
}

void Trainer::check(const std::vector<UpdateMetrics>& losses) {
  for (int k = 0; k < num_runs(); ++k) {
    if (train().self_test && update_ == first_update_ + 1 && losses[k].first_ratio_error != 0) {
      throw Error("self-test: the first probability ratio of update " + std::to_string(update_) + " is off by " +
                  std::to_string(losses[k].first_ratio_error) +
                  " on average, so learning does not see the policy that acted (self_test=false goes on all the same)");
    }
    for (const auto& [name, value] : named(losses[k])) {
      // The explained variance of returns that do not vary is 0 / 0, which harms nothing.
      if (!std::isfinite(value) && name != std::string("explained_variance")) stop_for(k, name, value);
    }
  }
}

// A run whose numbers are no longer finite ends here. Its parameters are (Adam takes no step by such gradients), unless the
// learner is of another kind: then nothing is saved.
void Trainer::stop_for(int k, const char* loss, double value) {
  const std::string update = std::to_string(update_);
  device_->synchronize();
  update_ = launched_;
  const std::string tensor = learner_->not_finite(k);
  std::string saved = "the last checkpoint is still good";
  try {
    save();
    saved = "the run is saved as it was before that gradient";
  } catch (const Error&) {
  }
  throw Error("update " + update + (num_runs() > 1 ? " of seed " + std::to_string(run(k).train.seed) : "") +
              ": losses/" + loss + " is " + std::to_string(value) + (tensor.empty() ? "" : ", and so is " + tensor) +
              "; training cannot go on, " + saved + " (a lower learning_rate or max_grad_norm may help)");
}

std::vector<Progress> Trainer::progress(const Sent& sent, const std::vector<UpdateMetrics>& losses) {
  const auto steps = train().steps_per_update();
  const auto done = static_cast<double>(update_ - first_update_);
  const double seconds = seconds_between(began_, Clock::now());
  Progress now;
  now.update = update_;
  now.num_updates = train().num_updates();
  now.timesteps = timesteps();
  now.total_timesteps = now.num_updates * steps;
  now.sps = busy_seconds_ > 0 ? done * static_cast<double>(steps) / busy_seconds_ : 0;
  now.seconds = seconds_before_ + seconds;
  now.seconds_left = seconds / done * static_cast<double>(now.num_updates - update_);
  now.learning_rate = sent.learning_rate;
  now.objectives = env_->spec().objectives;
  std::vector<Progress> all(books_.size(), now);
  const std::vector<EpisodeStatistics> episodes = env_->statistics_of(sent.episodes, num_runs());
  for (int k = 0; k < num_runs(); ++k) {
    all[k].run = k;
    all[k].episodes = episodes[k];
    all[k].losses = losses[k];
  }
  return all;
}

// ---- evaluating ----

Evaluation Trainer::evaluate(bool greedy, int k) {
  if (!evaluation_env_) {
    const BatchOptions options = evaluation_options(env_->spec(), train().eval_episodes);
    evaluation_env_ = make_env_(run().env, device_, options, run().env_config);
  }
  Weights weights;
  if (learner_->goal().weights > 0) weights = evaluation_weights(run(k).train, env_->spec().num_objectives);
  return throng::evaluate(*evaluation_env_, *learner_, greedy, run(k).train.seed + kEvaluationSeed, k, weights);
}

// Evaluates a policy once.
const Evaluations& Trainer::evaluate_both(int k) {
  if (const Evaluations* done = books_[k].evaluations(update_)) return *done;
  return books_[k].evaluated({evaluate(false, k), evaluate(true, k)}, update_);
}

// ---- saving and ending ----

void Trainer::save(int k) {
  if (books_[k].saved(update_)) return;
  Checkpoint checkpoint;
  checkpoint.parameters = learner_->parameters(k);
  checkpoint.optimizer = learner_->optimizer_state(k);
  checkpoint.env = block_of(env_->snapshot(), k, num_runs());
  books_[k].save(std::move(checkpoint), update_);
}

void Trainer::save() {
  for (int k = 0; k < num_runs(); ++k) save(k);
}

std::vector<nlohmann::ordered_json> Trainer::finish() {
  std::vector<nlohmann::ordered_json> reports;
  for (int k = 0; k < num_runs(); ++k) {
    evaluate_both(k);
    save(k);
    reports.push_back(books_[k].report());
  }
  return reports;
}

bool Trainer::train(const std::function<void(const Progress&)>& on_update, const std::function<bool()>& stop) {
  bool stopping = false;
  while (!finished()) {
    stopping = stopping || (stop && stop());
    if (stopping && launched_ == update_) {
      save();
      return false;
    }
    for (const Progress& now : next_update(!stopping && may_look_ahead())) {
      if (on_update) on_update(now);
    }
  }
  finish();
  return true;
}

}  // namespace throng
