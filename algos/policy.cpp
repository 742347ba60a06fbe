// Loading a policy: the network that the run's settings describe, with a checkpoint's parameters.
#include "algos/policy.hpp"

#include <filesystem>
#include <utility>

#include "algos/pool.hpp"

namespace throng {

namespace {

std::string checkpoint_path(const std::string& folder, const std::string& checkpoint) {
  if (checkpoint == "latest") return latest_checkpoint(folder);
  if (checkpoint == "best") return best_checkpoint(folder);
  const std::string inside = folder + "/checkpoints/" + checkpoint;
  return std::filesystem::exists(inside) ? inside : checkpoint;
}

}  // namespace

PolicyName::PolicyName(const std::string& text)
    : folder(text.substr(0, text.rfind('@'))),
      checkpoint(folder.size() == text.size() ? "latest" : text.substr(folder.size() + 1)) {}

Policy::Policy(Run run, const std::string& checkpoint, const EnvSpec& spec, std::shared_ptr<Device> device,
               int num_envs)
    : run_(std::move(run)), device_(std::move(device)) {
  TrainConfig config = run_.train;
  config.num_steps = 0;  // it acts and does not learn
  learner_ = make_learner(device_, spec, num_envs, {config});
  if (checkpoint.starts_with("pool/")) {  // holds parameters and nothing else
    path_ = run_.folder + "/" + checkpoint;
    for (const PoolEntry& entry : load_pool(run_.folder)) {
      if (pool_path(run_.folder, entry.file) == path_) timesteps_ = entry.timesteps;
    }
    learner_->load(read_safetensors(path_).tensors, {});
  } else {
    path_ = checkpoint_path(run_.folder, checkpoint);
    const Checkpoint from = read_checkpoint(path_);
    timesteps_ = from.timesteps;
    learner_->load(from.parameters, {});
  }
}

}  // namespace throng
