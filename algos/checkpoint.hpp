// Checkpoint: a run at one moment as a safetensors file, whole or not at all; which of a run's to continue from or to use.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/safetensors.hpp"

namespace throng {

// A run's folder "checkpoints" holds step_<timesteps>.safetensors and two small text files that name one of them: `latest`,
// to continue from, and `best`, of the highest evaluation. A file is complete before it is named, and every file appears at
// once or not at all, so a run that was killed at any moment can be continued.
struct Checkpoint {
  // How good the best policy of the run was; see Trainer.
  struct Best {
    double score = 0;
    int64_t timesteps = 0;
  };

  std::map<std::string, Tensor> parameters;  // in the file by their own names, "actor,Dense_0,kernel"
  std::map<std::string, Tensor> optimizer;   // "optimizer,<name>"
  std::map<std::string, Tensor> env;         // "env,<name>": VecEnv::snapshot()
  nlohmann::ordered_json config;             // Run::to_json()
  int64_t update = 0;
  int64_t timesteps = 0;
  std::optional<Best> best;
};

// Writes it and names it `latest`, and `best` if it is the best; then removes all but the last two and the best. MachineError
// if the machine fails (a full disk): the checkpoints before it stay valid. Error, and nothing is written, if a number of the
// parameters or the optimizer is not finite.
void save_checkpoint(const std::string& run_folder, const Checkpoint& checkpoint);

// Error naming the file and what is wrong with it: missing, cut short, changed bytes, not a checkpoint.
Checkpoint read_checkpoint(const std::string& path);

// The path of the checkpoint to continue from (`latest`), or of the best. Error if there is none.
std::string latest_checkpoint(const std::string& run_folder);
std::string best_checkpoint(const std::string& run_folder);

// Reads the latest checkpoint; if it is damaged, the Error also names the newest one that is not.
Checkpoint read_latest_checkpoint(const std::string& run_folder);

}  // namespace throng
