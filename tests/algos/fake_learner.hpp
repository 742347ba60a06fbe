// FakeLearner: acts and "learns" by arithmetic that notices every buffer, parameter and counter, in microseconds.
#pragma once

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "algos/learner.hpp"
#include "core/error.hpp"

namespace throng {

class FakeLearner final : public Learner {
 public:
  FakeLearner(std::shared_ptr<Device> device, const EnvSpec& spec, int num_envs, const TrainConfig& config)
      : device_(device),
        arena_(device),
        rollout_(Rollout::of(spec, num_envs, config.num_steps, /*with_world_state=*/false)),
        key_(key(config.seed)) {
    rollout_.want(arena_, 1);
    arena_.commit();
  }

  // Greedy actions of the game tiny: straight to the goal.
  static int32_t to_the_goal(float way) { return way < 0 ? 0 : way > 0 ? 2 : 1; }

  Device& device() const override { return *device_; }
  const Rollout& rollout() const override { return rollout_; }

  void begin_rollout() override {
    const Observations last = rollout_.observations(rollout_.num_steps), first = rollout_.observations(0);
    device_->copy(first.obs, last.obs, rollout_.rows() * rollout_.obs_bytes);
    device_->copy(first.avail_actions, last.avail_actions, rollout_.rows() * rollout_.num_actions);
  }

  void act(int t) override {
    act_on(rollout_.observations(t), nullptr, nullptr, rollout_.rows(), false,
           fold_in(key_, static_cast<uint32_t>(updates_)), static_cast<uint32_t>(t), rollout_.actions_at(t), 0,
           nullptr);
  }

  // Rows of environments that did not end in this step are older, and a resumed run does not have them.
  void keep_finals(int t, const Finals& finals) override {
    for (int e = 0; e < rollout_.num_envs; ++e) {
      const int64_t row = int64_t(e) * rollout_.num_agents;
      if (rollout_.outcomes(t).truncated[row])
        finals_seen_ += static_cast<int64_t>(1000 * static_cast<const float*>(finals.obs)[row * rollout_.obs_dim]);
    }
  }

  // Drawn actions depend on parameters, observations and availability; all of this is host memory on the CPU.
  int state_dim() const override { return 0; }
  void act_on(const Observations& seen, const uint8_t*, float*, int64_t rows, bool greedy, Key key, uint32_t draw,
              void* to, int, const float*) override {
    auto* actions = static_cast<int32_t*>(to);
    const Key drawn = fold_in(key, draw);
    for (int64_t row = 0; row < rows; ++row) {
      const float way = static_cast<const float*>(seen.obs)[row * rollout_.obs_dim];
      if (greedy) {
        actions[row] = to_the_goal(way);
        continue;
      }
      const auto shift = static_cast<uint32_t>(std::fabs(1000 * (weights_[0] + way)));
      int action = static_cast<int>((bits(drawn, static_cast<uint32_t>(row)) + shift) % 3);
      while (!seen.avail_actions[row * rollout_.num_actions + action]) action = (action + 1) % 3;
      actions[row] = action;
    }
  }

  void learn(float learning_rate) override {
    double reward = 0, obs = 0;
    const int64_t steps = rollout_.num_steps * rollout_.rows();
    const float* seen = reinterpret_cast<const float*>(rollout_.obs);
    for (int64_t i = 0; i < steps; ++i) reward += rollout_.rewards[i];
    for (int64_t i = 0; i < steps * rollout_.obs_dim; ++i) obs += seen[i];
    momentum_ = 0.9f * momentum_ + static_cast<float>(reward + obs / 100);
    weights_[0] += learning_rate * momentum_;
    weights_[1] += static_cast<float>(finals_seen_);
    ++updates_;
    if (updates_ == broken_at) weights_[1] = NAN;
    metrics_.policy_loss = weights_[0];
    metrics_.value_loss = updates_ == not_finite_at ? NAN : obs;
    metrics_.explained_variance = NAN;  // as for returns without variance
    metrics_.first_ratio_error = updates_ == unlike_at ? 0.5 : 0;
  }
  size_t num_sums() const override { return 0; }
  void send_metrics(double*) override {}
  std::vector<UpdateMetrics> metrics_of(const double*) const override { return {metrics_}; }

  std::map<std::string, Tensor> parameters(int) override {
    return {{"actor,weights", Tensor::of<float>({2}, weights_)}};
  }
  std::map<std::string, Tensor> optimizer_state(int) override {
    return {{"momentum", Tensor::of<float>({}, std::vector<float>{momentum_})},
            {"updates", Tensor::of<int64_t>({2}, std::vector<int64_t>{updates_, finals_seen_})}};
  }
  void load(const std::map<std::string, Tensor>& parameters, const std::map<std::string, Tensor>& state, int) override {
    if (!parameters.contains("actor,weights")) throw Error("lacks parameter 'actor,weights'");
    const auto weights = parameters.at("actor,weights").as<float>();
    weights_.assign(weights.begin(), weights.end());
    momentum_ = state.at("momentum").as<float>()[0];
    updates_ = state.at("updates").as<int64_t>()[0];
    finals_seen_ = state.at("updates").as<int64_t>()[1];
  }
  size_t bytes() const override { return arena_.bytes(); }

  int64_t not_finite_at = -1;  // the update that reports a loss of NaN
  int64_t broken_at = -1;      // the update after which a parameter is NaN
  int64_t unlike_at = -1;      // the update whose first ratio is not 1

 private:
  std::shared_ptr<Device> device_;
  Arena arena_;
  Rollout rollout_;
  Key key_;
  std::vector<float> weights_ = {0.25f, 0.0f};
  float momentum_ = 0;
  UpdateMetrics metrics_;
  int64_t updates_ = 0, finals_seen_ = 0;
};

inline std::unique_ptr<Learner> make_fake_learner(std::shared_ptr<Device> device, const EnvSpec& spec, int num_envs,
                                                  const std::vector<TrainConfig>& configs) {
  return std::make_unique<FakeLearner>(std::move(device), spec, num_envs, configs.at(0));
}

}  // namespace throng
