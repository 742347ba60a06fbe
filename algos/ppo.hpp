// PPO with parameter sharing: acting, and learning from a rollout. IPPO and MAPPO, feed-forward and recurrent.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "algos/adam.hpp"
#include "algos/distribution.hpp"
#include "algos/learner.hpp"
#include "algos/matmul.hpp"
#include "algos/network.hpp"
#include "algos/parameters.hpp"
#include "algos/ppo_loss.hpp"
#include "algos/pursuit.hpp"
#include "algos/recording.hpp"

namespace throng {

// Compiled by g++ for the CPU and by nvcc for CUDA (algos/ppo_*unit.cpp: setting up, acting, goals, learning). All randomness is a
// function of the seed and of schedule_->updates, so a run continues from parameters, moments, counters and recurrent states.
//
// The unit of a minibatch is a pair (time, environment); agents of an environment stay together. Feed-forward networks learn
// from pairs in any order; recurrent ones from all pairs of some environments, in the order of time.
class Ppo final : public Learner {
 public:
  Ppo(std::shared_ptr<Device> device, const EnvSpec& spec, int num_envs, const std::vector<TrainConfig>& configs);

  Device& device() const override { return *device_; }
  int groups() const override { return groups_.count; }
  const Rollout& rollout() const override { return rollout_; }
  void begin_rollout() override;
  void act(int t) override;
  void keep_finals(int t, const Finals& finals) override;
  void learn(float learning_rate) override;
  size_t num_sums() const override { return slots() + variances(); }
  void send_metrics(double* sums) override;
  std::vector<UpdateMetrics> metrics_of(const double* sums) const override;
  void iterate(VecEnv& env, float learning_rate) override;

  int state_dim() const override { return policy_.state_dim(); }
  void act_on(const Observations& seen, const uint8_t* ended, float* state, int64_t rows, bool greedy, Key key,
              uint32_t draw, void* actions, int group = kAllGroups, const float* goals = nullptr) override;
  Goal goal() const override { return rollout_.goal; }
  void add_earned(int64_t rows, const float* rewards, float* goals, int group = 0) override;

  std::span<float> weights(int group = 0) override {
    return {parameters_ + group * groups_.apart, size_t(layout_.size())};
  }
  std::map<std::string, Tensor> parameters(int group = 0) override;
  std::map<std::string, Tensor> optimizer_state(int group = 0) override;
  void load(const std::map<std::string, Tensor>& parameters, const std::map<std::string, Tensor>& optimizer_state,
            int group = 0) override;
  std::string not_finite(int group = 0) override;
  size_t bytes() const override { return arena_.bytes() + matmul_->workspace(); }
  std::vector<std::pair<std::string, size_t>> memory_plan() const override { return plan_; }

  // The pieces of an update, in their order; public because nvcc wants the functions around its lambdas so, and tests do, too.
  void mark_resets(int t);
  void set_goals(int t);  // of slab t, from the outcome of step t - 1
  void begin_goals();     // of the first episodes
  void keep_final_goals(int t);
  void copy_goals(int64_t first, int64_t count, const float* goals);
  void compute_slopes();    // of the utility, where that is not linear
  void measure_returns();   // how widely they spread
  void scale_objectives();  // by what was measured
  void set_learning_rate(float learning_rate);
  void learn_from_rollout();
  void compute_values();  // that acting has not computed
  void keep_final_states(int64_t first);
  void compute_returns();
  static constexpr int kAsTheyLie = -1;
  void set_order(int epoch);   // of pairs: a new random one for each epoch
  void gather(int64_t first);  // what the networks see of the minibatch that begins at pair `first`
  void gather_half(int64_t first);
  void gather_pairs(int64_t first, const void* from, void* to, int64_t bytes);
  void gather_states(int64_t first, const float* from, OutRows to);
  void gather_rows(int64_t first, int64_t rows, const void* from, void* to, int64_t bytes, int64_t apart);
  template <class Word>
  void gather_words(int64_t first, int64_t rows, const void* from, void* to, int64_t bytes, int64_t apart);
  void copy_rows(float* to, Rows from, int groups, int64_t rows);
  void sum_advantages(int64_t first);
  void compute_loss(int64_t first, double* sums);  // and the gradient with respect to the networks' outputs
  void compute_gradients(double* square_norms);
  void count_update(int steps);

  const Parameters& layout() const { return layout_; }
  float* parameter_block() const { return parameters_; }
  float* gradient_block() const { return gradients_; }
  const float* start_states(int network) const { return states_[network].start; }  // [env, agent, state_dim]
  const Network& policy() const { return policy_; }
  const Pursuit& pursuit() const { return pursuit_; }
  Rows values_of_batch() { return value_network().output(value_output()); }  // of the last compute_loss

 private:
  enum Purpose : uint32_t { kInitialise, kSample, kShuffle, kPrefer, kPurposes };
  static constexpr int kSlot = kPpoTerms + 2;  // sums kept of a minibatch: its terms, and the squared gradient norms

  // The recurrent states of one network, [env, agent, state_dim].
  struct States {
    float* start = nullptr;   // before slab 0
    float* next = nullptr;    // before the next slab
    float* finals = nullptr;  // [finals_per_env, ...], before the final observations of truncated episodes
  };

  void want();
  static Key key_of(const TrainConfig& config, Purpose purpose);
  bool recurrent() const { return config_.gru_size > 0; }
  bool mappo() const { return config_.central_critic(); }
  // Of a group.
  int64_t num_envs() const { return rollout_.num_envs / groups_.count; }
  int64_t num_rows() const { return num_envs() * rollout_.num_agents; }
  int64_t num_pairs() const { return int64_t(rollout_.num_steps) * num_envs(); }
  int64_t minibatch_pairs() const { return num_pairs() / config_.num_minibatches; }
  int64_t minibatch_rows() const { return minibatch_pairs() * rollout_.num_agents; }
  // A minibatch as sequences; without recurrence all rows are one step.
  int minibatch_steps() const { return recurrent() && rollout_.num_steps > 0 ? rollout_.num_steps : 1; }
  int64_t minibatch_sequences() const { return minibatch_rows() / minibatch_steps(); }
  int64_t most_sequences() const;
  int64_t most_rows() const;
  int64_t split() const { return critic_ ? critic_begins_ : layout_.size(); }

  int num_minibatches() const { return config_.update_epochs * config_.num_minibatches; }
  size_t slots() const { return size_t(num_minibatches()) * groups_.count * kSlot; }
  size_t variances() const { return size_t(4) * groups_.count; }

  Compute compute() const { return {groups_, *device_, *matmul_, reducer_, parameters_, gradients_}; }
  Compute compute(int group) const {
    const int64_t first = group * groups_.apart;
    return {{1, groups_.apart}, *device_, *matmul_, reducer_, parameters_ + first, gradients_ + first};
  }
  // The network that values come from, and which of its outputs they are.
  Network& value_network() { return critic_ ? *critic_ : policy_; }
  int value_output() const { return critic_ ? 0 : 1; }
  States& value_states() { return states_[critic_ ? 1 : 0]; }
  OutRows initial_of(const Network& network) const {
    return recurrent() ? network.initial(minibatch_steps(), minibatch_sequences()) : OutRows{};
  }
  Rows of_slab(const float* states) const { return {states, state_dim(), num_rows() * state_dim()}; }
  Seen seen_by_policy(int t) const { return {rollout_.obs_at(t), rollout_.goals_at(t)}; }
  Seen seen_by_critic(int t) const;
  Seen finals_seen_by_critic(int k) const;
  Seen batch_seen_by_policy() const { return {batch_obs_, batch_goals_, batch_half_}; }
  Seen batch_seen_by_critic() const;
  Distribution distribution() const;
  Preference preference() const;
  template <class Visit>
  void visit_kept(int group, Visit&& visit);
  void copy(void* to, const void* from, size_t bytes) { device_->copy(to, from, bytes); }

  std::shared_ptr<Device> device_;
  TrainConfig config_;  // of the first group, and but for its seed and its fixed weights of all
  Rollout rollout_;
  Heads heads_;
  Parameters layout_;
  Network policy_;   // ends in logits, or means; with shared layers in values, too
  int64_t log_std_;  // of actions that are numbers
  int64_t critic_begins_;
  std::optional<Network> critic_;
  Groups groups_;
  std::unique_ptr<Matmul> matmul_;
  Reducer reducer_;
  Adam adam_;
  Arena arena_;
  std::vector<std::pair<std::string, size_t>> plan_;
  Recording iteration_;
  const VecEnv* recorded_ = nullptr;  // the environment of `iteration_`

  Pursuit pursuit_;

  Schedule* schedule_ = nullptr;
  Key* keys_ = nullptr;              // [group, purpose]
  float* parameters_ = nullptr;      // [group, layout]
  float* gradients_ = nullptr;       // [group, layout]
  States states_[2];                 // of policy and critic
  int32_t* order_ = nullptr;         // [group, num_steps * own env], this epoch's order of pairs time * num_envs + env
  uint8_t* batch_obs_ = nullptr;     // [group, minibatch rows, obs_bytes], in the order in which they are learned from
  Bfloat16* batch_half_ = nullptr;   // [group, minibatch rows, obs_dim], see Seen
  float* batch_world_ = nullptr;     // [group, minibatch pairs, world_state_dim]
  uint8_t* batch_resets_ = nullptr;  // [group, minibatch rows]
  float* batch_goals_ = nullptr;     // [group, minibatch rows, goal]
  float* d_log_std_ = nullptr;       // [group, minibatch rows, action_dim]
  float* batch_state_ = nullptr;     // [group, sequences, state_dim], of a policy acting on other buffers
  double* moments_ = nullptr;        // [group, 2], sums of the minibatch's advantages and of their squares
  double* slots_ = nullptr;          // [update_epochs * num_minibatches, group, kSlot]
  double* variances_ = nullptr;  // [group, 4], sums of the returns R, R^2, and the errors R - V when acting, (R - V)^2

  float* fixed_weights_ = nullptr;  // [group, objective], if weights are not drawn
  float* scale_ = nullptr;          // [group, objective], that rewards are multiplied by
  Scalarizer* utility_ = nullptr;   // [group], with references in units of scale_
  float* slopes_ = nullptr;         // [num_steps, env, agent, objective], see Pursuit
  float* first_values_ = nullptr;   // [env, agent, objective], of the present episode's first observation
  float* running_ = nullptr;        // [env, agent, objective], discounted returns so far
  double* spread_ = nullptr;      // [group, objective, 3], of returns since the run began: number, sum, sum of squares
  double* new_spread_ = nullptr;  // [group, objective, 3], the same of this rollout
};

}  // namespace throng
