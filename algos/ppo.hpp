// PPO: acting, and learning from a rollout, with separate networks for actor and critic - IPPO with parameter sharing.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "algos/adam.hpp"
#include "algos/learner.hpp"
#include "algos/matmul.hpp"
#include "algos/mlp.hpp"
#include "algos/parameters.hpp"
#include "algos/ppo_loss.hpp"

namespace throng {

// Compiled once by g++ for the CPU and once by nvcc for CUDA (algos/ppo_unit.cpp). All randomness is a function of the seed
// and of `updates`, so a run continues from parameters, moments and counters alone.
class Ppo final : public Learner {
 public:
  Ppo(std::shared_ptr<Device> device, const EnvSpec& spec, int num_envs, const TrainConfig& config);

  const Rollout& rollout() const override { return rollout_; }
  void begin_rollout() override;
  void act(int t) override;
  void keep_finals(int t, const Finals& finals) override;
  UpdateMetrics update(float learning_rate) override;
  void act_on(const Observations& seen, int64_t rows, bool greedy, Key key, uint32_t draw, int32_t* actions) override;

  std::map<std::string, Tensor> parameters() override;
  std::map<std::string, Tensor> optimizer_state() override;
  void load(const std::map<std::string, Tensor>& parameters,
            const std::map<std::string, Tensor>& optimizer_state) override;
  size_t bytes() const override { return arena_.bytes(); }

  // The pieces of an update, in their order; public because nvcc wants the functions around its lambdas so, and tests do, too.
  void compute_values(int64_t rows, const float* obs, float* values);
  void compute_returns();
  void shuffle(int epoch);     // a new order of (time, environment) pairs
  void gather(int64_t first);  // observations and advantages of the minibatch that begins at pair `first`
  void normalise_advantages();
  void compute_loss(int64_t first, double* sums);  // and the gradient with respect to the networks' outputs
  void compute_gradients(double* square_norm);
  std::vector<double> explained_variance_sums();

  const Parameters& layout() const { return layout_; }
  float* parameter_block() const { return parameters_; }
  float* gradient_block() const { return gradients_; }

 private:
  enum Purpose : uint32_t { kInitialise, kSample, kShuffle };

  int64_t num_pairs() const { return int64_t(rollout_.num_steps) * rollout_.num_envs; }
  int64_t minibatch_pairs() const { return num_pairs() / config_.num_minibatches; }
  int64_t minibatch_rows() const { return minibatch_pairs() * rollout_.num_agents; }
  UpdateMetrics average(const std::vector<double>& slots) const;

  std::shared_ptr<Device> device_;
  TrainConfig config_;
  Rollout rollout_;
  Parameters layout_;
  Mlp actor_, critic_;
  std::unique_ptr<Matmul> matmul_;
  Adam adam_;
  Arena arena_;
  Key key_;
  int64_t updates_ = 0;  // rollouts learned from

  float* parameters_ = nullptr;  // [layout]
  float* gradients_ = nullptr;   // [layout]
  int32_t* order_ = nullptr;     // [num_steps * env], this epoch's order of pairs time * num_envs + environment
  float* batch_obs_ = nullptr;   // [minibatch rows, obs_dim], in the order in which they are learned from
  float* advantages_ = nullptr;  // [minibatch rows]
  float* terms_ = nullptr;       // [minibatch rows, kPpoTerms]
  double* partial_ = nullptr;    // room for sum_rows
  double* moments_ = nullptr;    // [2], sum and sum of squared deviations of the minibatch's advantages
  double* slots_ = nullptr;  // [update_epochs * num_minibatches, kPpoTerms + 1], sums of terms, squared gradient norm
};

}  // namespace throng
