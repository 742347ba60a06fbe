// Writing down a run.
#include "algos/logbook.hpp"

#include <cmath>
#include <utility>

#include "core/file.hpp"

namespace throng {
namespace {

double score_of(const Evaluation& evaluation) {
  const auto won = evaluation.info.find("won");
  if (won != evaluation.info.end()) return won->second.mean;
  if (evaluation.utility) return evaluation.utility->mean;
  double sum = 0;
  for (const auto& [objective, value] : evaluation.returns) sum += value.mean;
  return sum;
}

}  // namespace

Logbook::Logbook(Run run, RunFolder folder) : run_(std::move(run)), folder_(std::move(folder)) {
  run_.folder = folder_.path();
}

void Logbook::begin() {
  write_file_atomically(folder_.file("config.json"), run_.to_json().dump(2) + "\n");
  open();
}

double Logbook::go_on(const Checkpoint& from) {
  saved_update_ = from.update;
  best_ = from.best;
  const nlohmann::json last = cut_metrics(folder_.file("metrics.jsonl"), from.update);
  open();
  return last.is_object() ? last.value("seconds", 0.0) : 0.0;
}

void Logbook::open() {
  metrics_ = std::make_unique<MetricsFile>(folder_.file("metrics.jsonl"));
  events_ = std::make_unique<EventWriter>(folder_.path());
}

void Logbook::log(const Progress& progress) {
  const nlohmann::ordered_json line = metrics_line(progress);
  metrics_->append(line);
  for (const auto& [name, value] : line.items()) {
    if (name == "update" || name == "timesteps" || !value.is_number()) continue;
    const float number = value.get<float>();
    if (std::isfinite(number)) events_->scalar(name, number, progress.timesteps);
  }
  events_->flush();
}

const Evaluations& Logbook::evaluated(Evaluations evaluations, int64_t update) {
  const double score = score_of(evaluations.sampled);
  if (!best_ || score > best_->score) {
    best_ = Checkpoint::Best{score, timesteps(update)};
    saved_update_ = -1;  // a checkpoint says which is the best
  }
  evaluated_update_ = update;
  return evaluated_.emplace(std::move(evaluations));
}

void Logbook::save(Checkpoint checkpoint, int64_t update) {
  checkpoint.config = run_.to_json();
  checkpoint.update = update;
  checkpoint.timesteps = timesteps(update);
  checkpoint.best = best_;
  metrics_->sync();  // every update before the checkpoint has its line, whatever happens
  save_checkpoint(folder_.path(), checkpoint);
  saved_update_ = update;
}

nlohmann::ordered_json Logbook::report() {
  const nlohmann::ordered_json report = {{"update", evaluated_update_},
                                         {"timesteps", timesteps(evaluated_update_)},
                                         {"sampled", evaluated_->sampled.to_json()},
                                         {"greedy", evaluated_->greedy.to_json()}};
  write_file_atomically(folder_.file("eval.json"), report.dump(2) + "\n");
  return report;
}

}  // namespace throng
