// Names for numbers, and a file that grows line by line.
#include "algos/metrics.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "core/error.hpp"
#include "core/file.hpp"

namespace throng {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

void add_episodes(const Progress& progress, ordered_json& line) {
  const EpisodeStatistics& episodes = progress.episodes;
  line["charts/episodes"] = episodes.episodes;
  if (episodes.episodes == 0) return;
  for (size_t o = 0; o < progress.objectives.size(); ++o) {
    line["charts/" + return_name(progress.objectives[o], progress.objectives.size())] = episodes.returns[o];
  }
  line["charts/episodic_length"] = episodes.length;
}

void add_evaluation(const std::string& prefix, const Evaluation& evaluation, ordered_json& line) {
  for (const auto& [name, value] : evaluation.estimates()) {
    line[prefix + name] = value.mean;
    line[prefix + name + "_ci95"] = value.ci95;
  }
}

}  // namespace

std::vector<std::pair<const char*, double>> named(const UpdateMetrics& losses) {
  return {{"policy_loss", losses.policy_loss},
          {"value_loss", losses.value_loss},
          {"entropy", losses.entropy},
          {"approx_kl", losses.approx_kl},
          {"clipfrac", losses.clipfrac},
          {"grad_norm", losses.grad_norm},
          {"explained_variance", losses.explained_variance},
          {"first_ratio_error", losses.first_ratio_error}};
}

ordered_json metrics_line(const Progress& progress) {
  ordered_json line = {{"update", progress.update}, {"timesteps", progress.timesteps}, {"seconds", progress.seconds}};
  add_episodes(progress, line);
  line["charts/SPS"] = progress.sps;
  line["charts/learning_rate"] = progress.learning_rate;
  for (const auto& [name, value] : named(progress.losses)) line[std::string("losses/") + name] = value;
  // A game's own names come last, so that they replace none of ours.
  if (progress.episodes.episodes > 0) {
    for (const auto& [name, value] : progress.episodes.info) line.emplace(metric_name(name), value);
  }
  if (progress.evaluation) {
    add_evaluation("eval/sampled/", progress.evaluation->sampled, line);
    add_evaluation("eval/greedy/", progress.evaluation->greedy, line);
  }
  return line;
}

MetricsFile::MetricsFile(const std::string& path) : path_(path) {
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw MachineError("open '" + path + "'", std::strerror(errno));
}

MetricsFile::~MetricsFile() { ::close(descriptor_); }

void MetricsFile::append(const ordered_json& line) {
  const std::string text = line.dump() + "\n";
  struct stat before = {};
  if (::fstat(descriptor_, &before) != 0) throw MachineError("stat '" + path_ + "'", std::strerror(errno));
  for (size_t written = 0; written < text.size();) {
    const ssize_t count = ::write(descriptor_, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int problem = errno;
      if (::ftruncate(descriptor_, before.st_size) != 0) {
      }  // then cut_metrics drops the rest
      throw MachineError("write '" + path_ + "'", std::strerror(problem));
    }
    written += static_cast<size_t>(count);
  }
}

void MetricsFile::sync() {
  // EINVAL: a file system without it; there is no more to do then.
  if (::fsync(descriptor_) != 0 && errno != EINVAL) throw MachineError("fsync '" + path_ + "'", std::strerror(errno));
}

json cut_metrics(const std::string& path, int64_t last_update) {
  if (!std::filesystem::exists(path)) return {};
  std::istringstream lines(read_file(path));
  std::string kept;
  json last;
  for (std::string text; std::getline(lines, text);) {
    const json line = json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!line.is_object() || !line.contains("update") || !line["update"].is_number_integer()) continue;
    if (line["update"].get<int64_t>() > last_update) continue;
    kept += text + "\n";
    last = line;
  }
  write_file_atomically(path, kept);
  return last;
}

}  // namespace throng
