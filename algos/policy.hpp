// Policy: what a run has learned, loaded from its folder to act with.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "algos/checkpoint.hpp"
#include "algos/learner.hpp"
#include "algos/run.hpp"

namespace throng {

// "runs/mine@best": a run's folder and a checkpoint of it; without one it is "latest".
struct PolicyName {
  std::string folder, checkpoint;
  explicit PolicyName(const std::string& text);
};

class Policy {
 public:
  // `checkpoint`: "latest", "best", or a file, by its path or its name in the run's folder ("pool/0003.safetensors": a snapshot). `spec` is that of the run's
  // environment (envs/registry.hpp: env_spec(run.env, run.env_config)). Acting is for any number of rows; `num_envs` is how many
  // environments to have room for at once. Error if there is no such checkpoint, or if it is of another network.
  Policy(Run run, const std::string& checkpoint, const EnvSpec& spec, std::shared_ptr<Device> device, int num_envs = 1);

  const Run& run() const { return run_; }
  const std::string& path() const { return path_; }  // of the checkpoint
  int64_t timesteps() const { return timesteps_; }   // that it has learned from
  Device& device() const { return *device_; }
  Learner& learner() { return *learner_; }

  // Numbers of recurrent state per agent; 0: it has no memory.
  int state_dim() const { return learner_->state_dim(); }
  // Actions [rows, action_dim] of `rows` agents, whole environments one after the other; device pointers. See Learner::act_on:
  // `state` [rows, state_dim] begins as zeros and is brought up to date, `ended` [rows] says where an episode ended in the step
  // before, and may be null.
  void act(const Observations& seen, const uint8_t* ended, float* state, int64_t rows, bool greedy, Key key,
           uint32_t draw, void* actions, const float* goals = nullptr) {
    learner_->act_on(seen, ended, state, rows, greedy, key, draw, actions, Learner::kAllGroups, goals);
  }

 private:
  Run run_;
  std::string path_;
  int64_t timesteps_ = 0;
  std::shared_ptr<Device> device_;
  std::unique_ptr<Learner> learner_;
};

}  // namespace throng
