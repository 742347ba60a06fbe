// Checkpoint files: written, checked and cleared away.
#include "algos/checkpoint.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "core/config.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/version.hpp"

namespace throng {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOptimizer = "optimizer,";
constexpr const char* kEnv = "env,";
constexpr size_t kKept = 2;

// ---- names ----

std::string folder_of(const std::string& run_folder) { return run_folder + "/checkpoints"; }

std::string file_name(int64_t timesteps) { return "step_" + std::to_string(timesteps) + ".safetensors"; }

template <class T>
bool read_number(std::string_view text, T& value, int base = 10) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return problem == std::errc() && end == text.data() + text.size();
}

// The timesteps of "step_<timesteps>.safetensors", or -1 for every other name.
int64_t timesteps_of(const std::string& name) {
  constexpr std::string_view kBegin = "step_", kEnd = ".safetensors";
  int64_t timesteps = 0;
  if (name.size() <= kBegin.size() + kEnd.size() || !name.starts_with(kBegin) || !name.ends_with(kEnd)) return -1;
  const std::string_view number =
      std::string_view(name).substr(kBegin.size(), name.size() - kBegin.size() - kEnd.size());
  return read_number(number, timesteps) ? timesteps : -1;
}

// Newest first.
std::vector<int64_t> stored(const std::string& run_folder) {
  std::vector<int64_t> all;
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(folder_of(run_folder), problem)) {
    const int64_t timesteps = timesteps_of(entry.path().filename().string());
    if (timesteps >= 0) all.push_back(timesteps);
  }
  std::sort(all.rbegin(), all.rend());
  return all;
}

std::string path_of(const std::string& run_folder, int64_t timesteps) {
  return folder_of(run_folder) + "/" + file_name(timesteps);
}

// What `latest` or `best` names, or -1 if there is no such file.
int64_t named_by(const std::string& run_folder, const char* pointer) {
  const std::string path = folder_of(run_folder) + "/" + pointer;
  if (!fs::exists(path)) return -1;
  std::string name = read_file(path);
  while (!name.empty() && std::isspace(static_cast<unsigned char>(name.back()))) name.pop_back();
  const int64_t timesteps = timesteps_of(name);
  if (timesteps < 0) throw Error("'" + path + "' does not name a checkpoint");
  return timesteps;
}

// ---- content ----

// Like FNV-1a, over words: the file format itself would not notice a changed bit of a tensor.
uint64_t checksum(const std::map<std::string, Tensor>& tensors) {
  uint64_t hash = 0xcbf29ce484222325u;
  auto add = [&](const void* data, size_t bytes) {
    for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) {
      uint64_t word = 0;
      std::memcpy(&word, static_cast<const char*>(data) + i, std::min(sizeof word, bytes - i));
      hash = (hash ^ word) * 0x100000001b3u;
      hash ^= hash >> 32;
    }
  };
  for (const auto& [name, tensor] : tensors) {
    add(name.data(), name.size());
    add(tensor.data.data(), tensor.data.size());
  }
  return hash;
}

std::string hex(uint64_t value) {
  char text[17] = {};
  std::to_chars(text, text + 16, value, 16);
  return text;
}

void check_finite(const std::map<std::string, Tensor>& tensors, const std::string& what) {
  for (const auto& [name, tensor] : tensors) {
    if (tensor.dtype != "F32") continue;
    const auto values = tensor.as<float>();
    const auto bad = std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
    if (bad != values.end()) {
      throw Error("checkpoint not saved: " + what + " '" + name + "' holds " + std::to_string(*bad) +
                  "; the checkpoints before it are still good");
    }
  }
}

SafeTensors packed(const Checkpoint& checkpoint) {
  SafeTensors file;
  file.tensors = checkpoint.parameters;
  for (const auto& [name, tensor] : checkpoint.optimizer) file.tensors[kOptimizer + name] = tensor;
  for (const auto& [name, tensor] : checkpoint.env) file.tensors[kEnv + name] = tensor;
  file.metadata = {{"throng", kVersion},
                   {"config", checkpoint.config.dump()},
                   {"update", std::to_string(checkpoint.update)},
                   {"timesteps", std::to_string(checkpoint.timesteps)},
                   {"checksum", hex(checksum(file.tensors))}};
  if (checkpoint.best) {
    const nlohmann::ordered_json best = {{"score", checkpoint.best->score}, {"timesteps", checkpoint.best->timesteps}};
    file.metadata["best"] = best.dump();
  }
  return file;
}

const std::string& text_of(const SafeTensors& file, const std::string& key) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) throw Error("is not a checkpoint of throng: its metadata lack '" + key + "'");
  return found->second;
}

int64_t counter(const SafeTensors& file, const std::string& key) {
  int64_t value = 0;
  if (!read_number(text_of(file, key), value) || value < 0) throw Error("metadata '" + key + "' is not a count");
  return value;
}

std::optional<Checkpoint::Best> best_of(const SafeTensors& file) {
  if (!file.metadata.contains("best")) return {};
  const nlohmann::json best = parse_json(file.metadata.at("best"), "metadata 'best'");
  const bool complete = best.is_object() && best.contains("score") && best["score"].is_number() &&
                        best.contains("timesteps") && best["timesteps"].is_number_integer();
  if (!complete) throw Error("metadata 'best' must have score and timesteps");
  return Checkpoint::Best{best["score"].get<double>(), best["timesteps"].get<int64_t>()};
}

Checkpoint unpacked(SafeTensors file) {
  Checkpoint checkpoint;
  checkpoint.update = counter(file, "update");
  checkpoint.timesteps = counter(file, "timesteps");
  uint64_t expected = 0;
  if (!read_number(text_of(file, "checksum"), expected, 16) || expected != checksum(file.tensors)) {
    throw Error("its bytes have changed since it was written (checksum)");
  }
  checkpoint.config = nlohmann::ordered_json(parse_json(text_of(file, "config"), "metadata 'config'"));
  checkpoint.best = best_of(file);
  for (auto& [name, tensor] : file.tensors) {
    if (name.starts_with(kOptimizer))
      checkpoint.optimizer[name.substr(std::strlen(kOptimizer))] = std::move(tensor);
    else if (name.starts_with(kEnv))
      checkpoint.env[name.substr(std::strlen(kEnv))] = std::move(tensor);
    else
      checkpoint.parameters[name] = std::move(tensor);
  }
  return checkpoint;
}

// ---- clearing away ----

// Keeps the last two up to this one, the best, and whatever lies ahead of a run that went back to an older checkpoint.
// Half-written files of a process that was killed go, too. What cannot be removed does no harm.
void prune(const std::string& run_folder, const Checkpoint& newest) {
  std::error_code ignored;
  size_t kept = 0;
  for (const int64_t timesteps : stored(run_folder)) {
    const bool best = newest.best && newest.best->timesteps == timesteps;
    if (timesteps > newest.timesteps || kept++ < kKept || best) continue;
    fs::remove(path_of(run_folder, timesteps), ignored);
  }
  for (const auto& entry : fs::directory_iterator(folder_of(run_folder), ignored)) {
    if (entry.path().filename().string().find(".partial.") != std::string::npos) fs::remove(entry.path(), ignored);
  }
}

// The newest checkpoint but the damaged one that can be read, or -1.
int64_t newest_intact(const std::string& run_folder, int64_t damaged) {
  for (const int64_t timesteps : stored(run_folder)) {
    if (timesteps == damaged) continue;
    try {
      read_checkpoint(path_of(run_folder, timesteps));
      return timesteps;
    } catch (const Error&) {
    }
  }
  return -1;
}

}  // namespace

void save_checkpoint(const std::string& run_folder, const Checkpoint& checkpoint) {
  check_finite(checkpoint.parameters, "parameter");
  check_finite(checkpoint.optimizer, "optimizer state");
  const std::string folder = folder_of(run_folder);
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem) throw MachineError("create folder '" + folder + "'", problem.message());
  write_safetensors(path_of(run_folder, checkpoint.timesteps), packed(checkpoint));
  write_file_atomically(folder + "/latest", file_name(checkpoint.timesteps) + "\n");
  if (checkpoint.best) write_file_atomically(folder + "/best", file_name(checkpoint.best->timesteps) + "\n");
  prune(run_folder, checkpoint);
}

Checkpoint read_checkpoint(const std::string& path) {
  SafeTensors file = read_safetensors(path);
  try {
    return unpacked(std::move(file));
  } catch (const Error& problem) {
    throw Error("'" + path + "': " + problem.what());
  }
}

std::string latest_checkpoint(const std::string& run_folder) {
  const int64_t named = named_by(run_folder, "latest");
  if (named >= 0) return path_of(run_folder, named);
  // A process that was killed before it could name its first checkpoint.
  const std::vector<int64_t> all = stored(run_folder);
  if (all.empty()) throw Error("the run in '" + run_folder + "' has no checkpoint yet");
  return path_of(run_folder, all.front());
}

std::string best_checkpoint(const std::string& run_folder) {
  const int64_t named = named_by(run_folder, "best");
  if (named < 0) throw Error("the run in '" + run_folder + "' has no best checkpoint: it was never evaluated");
  return path_of(run_folder, named);
}

Checkpoint read_latest_checkpoint(const std::string& run_folder) {
  const std::string path = latest_checkpoint(run_folder);
  try {
    return read_checkpoint(path);
  } catch (const Error& problem) {
    const int64_t intact = newest_intact(run_folder, timesteps_of(fs::path(path).filename().string()));
    if (intact < 0) throw Error(std::string(problem.what()) + "; no other checkpoint of this run is intact");
    throw Error(std::string(problem.what()) + "; " + file_name(intact) + " is intact: write this name into '" +
                folder_of(run_folder) + "/latest' to continue from there");
  }
}

}  // namespace throng
