// Loads the policy of a run, and lets it act for the second team.
#include "algos/saved_opponent.hpp"

#include "algos/policy.hpp"
#include "core/error.hpp"

namespace throng {
namespace {

EnvSpec spec_of_second(EnvSpec spec) {
  const int first = first_team(spec);
  spec.agents.erase(spec.agents.begin(), spec.agents.begin() + first);
  spec.num_agents -= first;
  return spec;
}

class SavedOpponent final : public Opponent {
 public:
  SavedOpponent(const VecEnv& both, const std::string& text)
      : device_(both.device()),
        spec_(spec_of_second(both.spec())),
        rows_(int64_t(both.num_envs()) * spec_.num_agents),
        arena_(both.shared_device()) {
    const PolicyName name(text);
    const Run run = Run::load(name.folder);
    try {
      policy_ = std::make_unique<Policy>(run, name.checkpoint, spec_, both.shared_device(), both.num_envs());
    } catch (const Error& error) {
      throw Error("opponent " + text + " (trained in " + run.env + "): " + error.what());
    }
    if (policy_->state_dim() > 0) arena_.want(state_, rows_ * policy_->state_dim());
    arena_.commit();
  }

  void act(const Observations& seen, const uint8_t* ended, Key key, uint32_t draw, void* actions) override {
    policy_->act(seen, ended, state_, rows_, /*greedy=*/false, key, draw, actions);
  }

  std::map<std::string, Tensor> snapshot() override {
    if (state_ == nullptr) return {};
    const int64_t dim = policy_->state_dim();
    return {{"state", Tensor::of<float>({rows_, dim}, download(device_, state_, rows_ * dim))}};
  }

  void restore(const std::map<std::string, Tensor>& from) override {
    if (state_ == nullptr) return;
    const auto values = from.at("state").as<float>();
    device_.copy(state_, values.data(), values.size_bytes());
    device_.synchronize();
  }

 private:
  Device& device_;
  EnvSpec spec_;
  int64_t rows_;
  Arena arena_;
  float* state_ = nullptr;  // [env, agent, state_dim], recurrent
  std::unique_ptr<Policy> policy_;
};

}  // namespace

std::unique_ptr<VecEnv> against_run(std::unique_ptr<VecEnv> both, const std::string& policy) {
  auto opponent = std::make_unique<SavedOpponent>(*both, policy);
  return against(std::move(both), std::move(opponent));
}

}  // namespace throng
