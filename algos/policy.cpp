// Loading a policy: the network that the run's settings describe, with a checkpoint's parameters.
#include "algos/policy.hpp"

#include <filesystem>
#include <utility>

namespace throng {

namespace {

std::string checkpoint_path(const std::string& folder, const std::string& checkpoint) {
  if (checkpoint == "latest") return latest_checkpoint(folder);
  if (checkpoint == "best") return best_checkpoint(folder);
  const std::string inside = folder + "/checkpoints/" + checkpoint;
  return std::filesystem::exists(inside) ? inside : checkpoint;
}

}  // namespace

Policy::Policy(Run run, const std::string& checkpoint, const EnvSpec& spec, std::shared_ptr<Device> device,
               int num_envs)
    : run_(std::move(run)), path_(checkpoint_path(run_.folder, checkpoint)), device_(std::move(device)) {
  const Checkpoint from = read_checkpoint(path_);
  timesteps_ = from.timesteps;
  TrainConfig config = run_.train;
  config.num_steps = 0;  // it acts and does not learn
  learner_ = make_learner(device_, spec, num_envs, {config});
  learner_->load(from.parameters, {});
}

}  // namespace throng
