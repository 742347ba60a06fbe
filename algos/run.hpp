// Run: what a training run is - enough to repeat it bit for bit - and the folder that holds it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "algos/train_config.hpp"

namespace throng {

// Written to <folder>/config.json.
struct Run {
  std::string env;            // "smax/3m"
  std::string env_version;    // of the rules; filled in when the run begins
  nlohmann::json env_config;  // parameters of the environment, complete
  TrainConfig train;
  std::string device = "auto";  // resolved when the run begins: "cpu", "cuda:0"
  std::string folder;           // empty: runs/<env>__<algo>__<seed>__<time>, chosen when the run begins

  nlohmann::ordered_json to_json() const;
  // Error, beginning with `where`, if a key is missing, unknown or of the wrong kind.
  static Run from_json(const nlohmann::json& config, const std::string& where);
  static Run load(const std::string& folder);  // Error if the folder holds no run
};

// A run's folder while this process writes to it; no second process can.
class RunFolder {
 public:
  // A new one at run.folder, or at a name that is free. Error if it holds a run; MachineError if it cannot be made.
  static RunFolder create(const Run& run);
  // Error if it holds no run, or if another process is writing to it.
  static RunFolder open(const std::string& path);

  RunFolder() = default;
  RunFolder(RunFolder&& other) noexcept;
  RunFolder& operator=(RunFolder&& other) noexcept;
  ~RunFolder();

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  explicit RunFolder(std::string path);  // locks it

  std::string path_;
  int descriptor_ = -1;
};

}  // namespace throng
