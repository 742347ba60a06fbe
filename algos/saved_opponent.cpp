// Loads the policy of a run, and lets it act for the second team.
#include "algos/saved_opponent.hpp"

#include "algos/checkpoint.hpp"
#include "algos/learner.hpp"
#include "algos/run.hpp"
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
  SavedOpponent(const VecEnv& both, const std::string& folder)
      : device_(both.device()),
        spec_(spec_of_second(both.spec())),
        rows_(int64_t(both.num_envs()) * spec_.num_agents),
        arena_(both.shared_device()) {
    const Run run = Run::load(folder);
    learner_ = make_learner(both.shared_device(), spec_, both.num_envs(), {run.train});
    if (learner_->state_dim() > 0) arena_.want(state_, rows_ * learner_->state_dim());
    arena_.commit();
    const Checkpoint checkpoint = read_checkpoint(latest_checkpoint(folder));
    try {
      learner_->load(checkpoint.parameters, {});  // it does not learn, and its recurrent state is its own
    } catch (const Error& error) {
      throw Error("opponent " + folder + " (trained in " + run.env + "): " + error.what());
    }
  }

  void act(const Observations& seen, const uint8_t* ended, Key key, uint32_t draw, void* actions) override {
    learner_->act_on(seen, ended, state_, rows_, /*greedy=*/false, key, draw, actions);
  }

  std::map<std::string, Tensor> snapshot() override {
    if (state_ == nullptr) return {};
    const int64_t dim = learner_->state_dim();
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
  std::unique_ptr<Learner> learner_;
};

}  // namespace

std::unique_ptr<VecEnv> against_run(std::unique_ptr<VecEnv> both, const std::string& folder) {
  auto opponent = std::make_unique<SavedOpponent>(*both, folder);
  return against(std::move(both), std::move(opponent));
}

}  // namespace throng
