// Learner: the policy and how it improves, behind one virtual call per step; the trainer sees nothing else of an algorithm.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "algos/rollout.hpp"
#include "algos/train_config.hpp"
#include "core/device.hpp"
#include "core/rng.hpp"
#include "core/safetensors.hpp"
#include "core/vec_env.hpp"

namespace throng {

// Averages over one update; the names are CleanRL's.
struct UpdateMetrics {
  double policy_loss = 0, value_loss = 0, entropy = 0, approx_kl = 0, clipfrac = 0, grad_norm = 0;
  double explained_variance = 0;
  double first_ratio_error = 0;  // mean |ratio - 1| of the first minibatch: 0, as sampling and training agree
};

// Several learners may be one, in `groups` that share nothing but the launches: each group is what it would be alone, bit for
// bit on the CPU. Group g has the g-th of equally many environments.
class THRONG_API Learner {
 public:
  static constexpr int kAllGroups = -1;

  virtual ~Learner() = default;
  virtual Device& device() const = 0;
  virtual int groups() const { return 1; }

  // The buffers that the environment writes and the learner reads.
  virtual const Rollout& rollout() const = 0;
  // Slab `num_steps` of this rollout becomes slab 0 of the next.
  virtual void begin_rollout() = 0;
  // Chooses the actions of slab t.
  virtual void act(int t) = 0;
  // Keeps the final observations of episodes that step t cut short.
  virtual void keep_finals(int t, const Finals& finals) = 0;
  // Learns from the full rollout; waits for nothing.
  virtual void learn(float learning_rate) = 0;
  // What the last `learn` brought, in two halves, between which nobody has to wait: its sums go to host memory, and the averages
  // of each group are made of them.
  virtual size_t num_sums() const = 0;
  virtual void send_metrics(double* sums) = 0;
  virtual std::vector<UpdateMetrics> metrics_of(const double* sums) const = 0;

  // Waits for the device.
  std::vector<UpdateMetrics> update(float learning_rate) {
    learn(learning_rate);
    std::vector<double> sums(num_sums());
    send_metrics(sums.data());
    device().synchronize();
    return metrics_of(sums.data());
  }

  // A whole iteration: a rollout in `env`, and what is learned from it. Waits for nothing; a learner may record the work once
  // and replay it. The environment's present observations are in slab `num_steps`.
  virtual void iterate(VecEnv& env, float learning_rate) {
    collect(env);
    learn(learning_rate);
  }
  // Before the next rollout: the flags say in which environments an episode has begun anew meanwhile, [env].
  void begin_anew(const std::vector<uint8_t>& envs) {
    const Rollout& r = rollout();
    uint8_t* const last = r.resets + r.num_steps * r.rows();
    std::vector<uint8_t> resets = download(device(), last, r.rows());
    for (size_t row = 0; row < resets.size(); ++row) resets[row] |= envs[row / r.num_agents];
    upload(device(), last, resets);
  }

  // The present policy on other buffers: the actions of `rows` agents, and their recurrent state [rows, state_dim] after it
  // (null if state_dim is 0). The state begins anew where `ended` [rows] says that an episode ended in the step before (null:
  // nowhere), and where an agent is not active. `draw` numbers the draw of `key`. The rows are those of one group, or of all,
  // each group having an equal part, in their order. `actions` [rows, action_dim]. `goals` [rows, goal().dim()] is what the
  // policy is told besides; null: equal weights, and nothing earned. All buffers belong to the learner's own Device object: what is
  // queued on another one's stream is not waited for.
  virtual int state_dim() const = 0;
  virtual void act_on(const Observations& seen, const uint8_t* ended, float* state, int64_t rows, bool greedy, Key key,
                      uint32_t draw, void* actions, int group = kAllGroups, const float* goals = nullptr) = 0;
  // A caller who keeps goals adds every step's rewards [rows, objective] to what was earned, and begins at 0 with an episode.
  virtual Goal goal() const { return {}; }
  virtual void add_earned(int64_t /*rows*/, const float* /*rewards*/, float* /*goals*/, int /*group*/ = 0) {}

  // A group's parameters as one block of device memory, to be copied between learners of the same network.
  virtual std::span<float> weights(int /*group*/ = 0) { return {}; }
  // The run's folder, once there is one: for what a learner keeps there beside checkpoints.
  virtual void keep_in(const std::string&) {}
  // A group's parameters by path ("actor,Dense_0,kernel"), and everything else that a resumed run needs.
  virtual std::map<std::string, Tensor> parameters(int group = 0) = 0;
  virtual std::map<std::string, Tensor> optimizer_state(int group = 0) = 0;
  // Without the latter (an empty map) only the policy is loaded.
  virtual void load(const std::map<std::string, Tensor>& parameters,
                    const std::map<std::string, Tensor>& optimizer_state, int group = 0) = 0;
  // Which tensor holds numbers that are not finite: "gradient of 'critic,Dense_1,kernel'", or "" if none does.
  virtual std::string not_finite(int /*group*/ = 0) { return ""; }

  virtual size_t bytes() const = 0;                                                       // device memory
  virtual std::vector<std::pair<std::string, size_t>> memory_plan() const { return {}; }  // the same, by purpose

 protected:
  void collect(VecEnv& env) {
    const Rollout& r = rollout();
    begin_rollout();
    for (int t = 0; t < r.num_steps; ++t) {
      act(t);
      env.step(r.env_actions(t), r.observations(t + 1), r.outcomes(t));
      keep_finals(t, env.finals());
    }
  }
};

// A group for each of `configs`, which are alike but for their seeds, with `num_envs` environments each. Only the environment's
// sizes are used: a learner for evaluation may have num_steps = 0.
std::unique_ptr<Learner> make_learner(std::shared_ptr<Device> device, const EnvSpec& spec, int num_envs,
                                      const std::vector<TrainConfig>& configs);

}  // namespace throng
