// A small run of the game tiny with a learner that takes no time, and what tests want to know of its folder.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "algos/trainer.hpp"
#include "core/make_entry.hpp"
#include "tests/algos/fake_learner.hpp"
#include "tests/envs/tiny/tiny.hpp"
#include "tests/full_disk.hpp"

namespace throng {

// An empty folder that disappears with the test.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("throng_run_" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directory(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline std::unique_ptr<VecEnv> make_tiny(const std::string& id, std::shared_ptr<Device> device,
                                         const BatchOptions& options, const nlohmann::json& config) {
  static const EnvEntry entry = make_entry<tiny::Env>("tiny", "{}");
  return entry.make(std::move(device), config, id, options);
}

// Ten updates of 4 environments x 8 steps.
inline Run tiny_run(const std::string& folder) {
  Run run;
  run.env = "tiny/default";
  run.env_config = {{"length", 5}, {"time_limit", 10}};
  run.device = "cpu";
  run.folder = folder;
  run.train.seed = 3;
  run.train.num_envs = 4;
  run.train.num_steps = 8;
  run.train.total_timesteps = 320;
  run.train.num_minibatches = 2;
  run.train.eval_episodes = 16;
  run.train.eval_interval = 4;
  run.train.checkpoint_interval = 3;
  return run;
}

inline std::unique_ptr<Trainer> begin(const Run& run) {
  return std::make_unique<Trainer>(run, make_tiny, make_fake_learner);
}

inline std::unique_ptr<Trainer> resume(const std::string& folder) {
  return Trainer::resume(folder, make_tiny, "", make_fake_learner);
}

inline void update(Trainer& trainer, int times) {
  for (int i = 0; i < times; ++i) trainer.update();
}

inline std::vector<nlohmann::json> metrics(const std::string& folder) {
  std::vector<nlohmann::json> lines;
  std::ifstream file(folder + "/metrics.jsonl");
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

// All that may differ between two equal runs.
inline std::vector<nlohmann::json> without_times(std::vector<nlohmann::json> lines) {
  for (nlohmann::json& line : lines) {
    line.erase("seconds");
    line.erase("charts/SPS");
  }
  return lines;
}

inline std::vector<std::string> checkpoint_files(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder + "/checkpoints"))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace throng
