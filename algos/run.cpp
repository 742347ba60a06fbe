// config.json, and the folder around it: named, created once, locked.
#include "algos/run.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <utility>

#include "core/config.hpp"
#include "core/error.hpp"
#include "core/version.hpp"

namespace throng {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = "config.json";

// "smax_3m__ippo__0__20250131-235959"; names of one environment and algorithm sort by seed, then time.
std::string folder_name(const Run& run) {
  std::string env = run.env;
  std::replace(env.begin(), env.end(), '/', '_');
  const std::time_t now = std::time(nullptr);
  std::tm local = {};
  ::localtime_r(&now, &local);
  char time[32];
  std::strftime(time, sizeof time, "%Y%m%d-%H%M%S", &local);
  return env + "__" + kAlgos[run.train.algo] + "__" + std::to_string(run.train.seed) + "__" + time;
}

bool holds_run(const std::string& folder) {
  return fs::exists(folder + "/" + kConfig) || fs::exists(folder + "/checkpoints") ||
         fs::exists(folder + "/metrics.jsonl");
}

// True if the folder is new.
bool make_folder(const std::string& path) {
  std::error_code problem;
  const bool created = fs::create_directories(path, problem);
  if (problem) throw MachineError("create folder '" + path + "'", problem.message());
  return created;
}

// Two runs can begin within the second that the name tells.
std::string make_named_folder(const Run& run) {
  const std::string name = "runs/" + folder_name(run);
  if (make_folder(name)) return name;
  for (int attempt = 2;; ++attempt) {
    const std::string next = name + "_" + std::to_string(attempt);
    if (make_folder(next)) return next;
  }
}

const nlohmann::json& part(const nlohmann::json& config, const std::string& key, const std::string& where) {
  if (!config.contains(key)) throw Error(where + ": lacks '" + key + "'");
  return config[key];
}

std::string text(const nlohmann::json& config, const std::string& key, const std::string& where) {
  const nlohmann::json& value = part(config, key, where);
  if (!value.is_string()) throw Error(where + ": '" + key + "' must be a string");
  return value.get<std::string>();
}

}  // namespace

nlohmann::ordered_json Run::to_json() const {
  return {{"throng", kVersion},       {"env", env},       {"env_version", env_version},
          {"env_config", env_config}, {"device", device}, {"train", write_config(train)}};
}

Run Run::from_json(const nlohmann::json& config, const std::string& where) {
  if (!config.is_object()) throw Error(where + ": must be an object");
  const std::vector<std::string> known = {"throng", "env", "env_version", "env_config", "device", "train"};
  for (const auto& [key, value] : config.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) throw_unknown("key", key, known, where);
  }
  Run run;
  run.env = text(config, "env", where);
  run.env_version = text(config, "env_version", where);
  run.env_config = part(config, "env_config", where);
  run.device = text(config, "device", where);
  read_config(run.train, part(config, "train", where), where + ": train");
  return run;
}

Run Run::load(const std::string& folder) {
  const std::string path = folder + "/" + kConfig;
  if (!fs::exists(path)) throw Error("'" + folder + "' holds no run: there is no " + kConfig + " in it");
  Run run = from_json(parse_json_file(path), path);
  run.folder = folder;
  return run;
}

RunFolder RunFolder::create(const Run& run) {
  std::string path = run.folder;
  if (path.empty())
    path = make_named_folder(run);
  else
    make_folder(path);
  RunFolder folder(path);
  if (holds_run(path)) throw Error("'" + path + "' already holds a run: resume it, or choose another folder");
  return folder;
}

RunFolder RunFolder::open(const std::string& path) {
  if (!holds_run(path)) throw Error("'" + path + "' holds no run: there is no " + kConfig + " in it");
  return RunFolder(path);
}

RunFolder::RunFolder(std::string path) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor_ < 0) throw MachineError("open '" + path_ + "'", std::strerror(errno));
  // The lock goes with the process, however that ends. File systems that lock no folders are used without.
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(descriptor_);
    throw Error("the run in '" + path_ + "' is being written to at this moment");
  }
}

RunFolder::RunFolder(RunFolder&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

RunFolder& RunFolder::operator=(RunFolder&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

RunFolder::~RunFolder() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace throng
