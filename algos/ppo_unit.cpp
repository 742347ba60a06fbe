// PPO set up, saved and loaded; g++ makes the CPU learner of this and its two sisters, nvcc the CUDA learner.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "algos/ppo.hpp"
#include "core/error.hpp"

#ifndef __CUDACC__
#include "core/cuda_loader.hpp"
#endif

namespace throng {

namespace {

Goal goal_of(const EnvSpec& spec, const TrainConfig& config) {
  if (!config.multi_objective()) return {};
  return {spec.num_objectives, config.criterion == kEsr ? spec.num_objectives : 0};
}

View policy_view(const EnvSpec& spec, const TrainConfig& config) {
  View view;
  view.dim = spec.obs_dim;
  view.num_ids = config.actor_id && spec.num_agents > 1 ? spec.num_agents : 0;
  view.goal_dim = goal_of(spec, config).dim();
  if (spec.obs_dtype == "U8") view.num_codes = static_cast<int>(spec.obs_high) + 1;
  return view;
}

// The whole environment in one row: its own world state, or without one the observations of all agents side by side.
View world_view(const EnvSpec& spec, const TrainConfig& config) {
  View view = policy_view(spec, config);
  view.dim *= spec.num_agents;
  if (spec.world_state_dim > 0) {
    view.dim = spec.world_state_dim;
    view.num_codes = 0;
  }
  view.sharing = spec.num_agents;
  view.num_ids = config.agent_id && spec.num_agents > 1 ? spec.num_agents : 0;
  return view;
}

Rollout rollout_of(const EnvSpec& spec, int num_envs, const TrainConfig& config) {
  Rollout rollout = Rollout::of(spec, num_envs, config.num_steps, config.central_critic());
  rollout.goal = goal_of(spec, config);
  if (config.multi_objective() && config.criterion == kSer) rollout.num_values = spec.num_objectives;
  return rollout;
}

Heads heads_of(const EnvSpec& spec) {
  Heads heads;
  if (spec.continuous > 0) return heads;
  heads.count = spec.num_heads();
  for (int h = 0; h < heads.count; ++h) heads.sizes[h] = spec.choices(h);
  return heads;
}

// Error, naming the game, if its objectives and the settings do not go together.
void check_objectives(const EnvSpec& spec, const TrainConfig& config) {
  const int d = spec.num_objectives;
  if (!config.multi_objective() && d != 1) {
    throw Error(spec.id + " has " + std::to_string(d) + " objectives; " + kAlgos[config.algo] +
                " learns from one (mo_" + kAlgos[config.algo] + " learns from all)");
  }
  if (d > kMaxObjectives)
    throw Error(spec.id + " has " + std::to_string(d) + " objectives; at most " + std::to_string(kMaxObjectives));
  for (const auto& [name, size] : {std::pair{"weights", config.weights.size}, {"references", config.references.size}}) {
    if (size == 0 || size == d) continue;
    throw Error(std::string(name) + " must be one for each of the " + std::to_string(d) + " objectives of " + spec.id +
                ", not " + std::to_string(size));
  }
  if (config.utility != Scalarizer::kLinear && config.references.size == 0)
    throw Error(std::string("utility=") + kUtilities[config.utility] + " needs references, one for each objective");
}

int64_t product(const std::vector<int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t(1), std::multiplies<>());
}

std::vector<Output> policy_outputs(const EnvSpec& spec, const TrainConfig& config) {
  const Rollout rollout = rollout_of(spec, 1, config);
  std::vector<Output> outputs = {{rollout.num_outputs, 0.01f}};
  if (config.share_layers) outputs.push_back({rollout.num_values, 1.0f});
  return outputs;
}

}  // namespace

Ppo::Ppo(std::shared_ptr<Device> device, const EnvSpec& spec, int num_envs, const TrainConfig& config)
    : device_(std::move(device)),
      config_(config),
      rollout_(rollout_of(spec, num_envs, config)),
      heads_(heads_of(spec)),
      policy_(config.share_layers ? "params" : "actor", policy_view(spec, config), policy_outputs(spec, config), config,
              layout_),
      log_std_(spec.continuous > 0 ? layout_.add("actor,log_std", {spec.continuous}, Init::zeros()) : 0),
      critic_begins_(layout_.size()),
      matmul_(make_matmul(device_, Precision(config.precision))),
      arena_(device_),
      key_(fold_in(key(config.seed), 0x70706f)) {  // apart from the environments' streams, which fold in 0, 1, 2, ...
  check_objectives(spec, config);
  if (spec.obs_dtype == "BF16") throw Error(spec.id + " has observations of dtype BF16; learners take F32 or U8");
  if (!config.share_layers)
    critic_.emplace("critic", mappo() ? world_view(spec, config) : policy_view(spec, config),
                    std::vector<Output>{{rollout_.num_values, 1.0f}}, config, layout_);
  want();
  arena_.commit();
  upload(*device_, parameters_, layout_.initial(fold_in(key_, kInitialise)));
  const bool linear = config.utility == Scalarizer::kLinear, esr = config.criterion == kEsr;
  pursuit_ = {esr, !linear && !esr, scale_, slopes_, utility_};
  scale_objectives();
  begin_goals();
}

int64_t Ppo::most_sequences() const {
  return std::max({rollout_.rows(), minibatch_sequences(), int64_t(Matmul::kRowBlock)});
}

int64_t Ppo::most_rows() const { return std::max(most_sequences(), minibatch_rows()); }

void Ppo::want() {
  const bool train = config_.num_steps > 0;
  const int64_t rows = rollout_.rows(), padded_rows = Matmul::padded(rows);
  size_t before = 0;
  auto planned = [&](const char* purpose) {
    plan_.emplace_back(purpose, arena_.bytes() - before);
    before = arena_.bytes();
  };
  arena_.want(schedule_, 1);
  arena_.want(parameters_, layout_.size());
  planned("parameters");
  arena_.want(gradients_, layout_.size());
  adam_.want(arena_, layout_.size(), config_.update_epochs * config_.num_minibatches);
  planned("gradients and Adam's moments");
  rollout_.want(arena_, Matmul::kRowBlock * (mappo() ? rollout_.num_agents : 1));
  planned("rollout");
  policy_.want(arena_, most_rows(), most_sequences(), train);
  if (critic_) critic_->want(arena_, most_rows(), most_sequences(), train);
  planned("activations and their gradients");
  for (int n = 0; recurrent() && n < (critic_ ? 2 : 1); ++n) {
    arena_.want(states_[n].start, padded_rows * state_dim());
    arena_.want(states_[n].next, padded_rows * state_dim());
    arena_.want(states_[n].finals, (rollout_.finals_per_env * rows + Matmul::kRowBlock) * state_dim());
  }
  if (recurrent()) arena_.want(batch_state_, Matmul::padded(most_sequences()) * state_dim());
  planned("recurrent states");
  arena_.want(order_, num_pairs());
  arena_.want(batch_obs_, Matmul::padded(most_rows()) * rollout_.obs_bytes);
  if (rollout_.world_state_dim > 0)
    arena_.want(batch_world_, Matmul::padded(minibatch_pairs()) * rollout_.world_state_dim);
  arena_.want(batch_resets_, most_rows());
  arena_.want(batch_goals_, most_rows() * rollout_.goal.dim());
  if (rollout_.num_actions == 0) arena_.want(d_log_std_, most_rows() * rollout_.action_dim);
  planned("the present minibatch");
  reducer_.want(arena_, std::max(policy_.columns_summed(), critic_ ? critic_->columns_summed() : 0));
  arena_.want(moments_, 2);
  arena_.want(slots_, slots());
  arena_.want(variances_, 4);
  planned("sums");
  const int64_t objectives = rollout_.num_objectives;
  arena_.want(scale_, objectives);
  arena_.want(utility_, 1);
  arena_.want(spread_, 3 * objectives);
  arena_.want(new_spread_, 3 * objectives);
  if (config_.norm_rewards) arena_.want(running_, rows * objectives);
  if (config_.utility != Scalarizer::kLinear && config_.criterion == kSer) {
    arena_.want(slopes_, config_.num_steps * rows * objectives);
    arena_.want(first_values_, rows * objectives);
  }
  planned("scale and slopes of objectives");
  plan_.emplace_back("working memory of matrix products", matmul_->workspace());
}

// visit(name, pointer, shape) for what a resumed run needs besides parameters, moments and counters.
template <class Visit>
void Ppo::visit_kept(Visit&& visit) {
  const int64_t envs = rollout_.num_envs, agents = rollout_.num_agents, objectives = rollout_.num_objectives;
  if (recurrent()) {
    visit("state,actor", states_[0].next, {envs, agents, state_dim()});
    if (critic_) visit("state,critic", states_[1].next, {envs, agents, state_dim()});
    visit("state,resets", rollout_.resets + rollout_.num_steps * rollout_.rows(), {envs, agents});
  }
  if (rollout_.goal.dim() > 0)
    visit("state,goals", rollout_.goals_at(rollout_.num_steps), {envs, agents, rollout_.goal.dim()});
  if (pursuit_.slopes_vary) visit("state,first_values", first_values_, {envs, agents, objectives});
  if (config_.norm_rewards) {
    visit("state,returns", running_, {envs, agents, objectives});
    visit("returns,spread", spread_, {objectives, 3});
  }
}

std::map<std::string, Tensor> Ppo::parameters() {
  auto all = layout_.split(download(*device_, parameters_, layout_.size()));
  if (config_.norm_rewards) {  // what policies have earned is told them in these units
    const int64_t objectives = rollout_.num_objectives;
    all["rewards,scale"] = Tensor::of<float>({objectives}, download(*device_, scale_, objectives));
  }
  return all;
}

std::map<std::string, Tensor> Ppo::optimizer_state() {
  std::map<std::string, Tensor> all;
  for (const auto& [prefix, moments] : {std::pair{"first,", adam_.first}, {"second,", adam_.second}}) {
    for (auto& [name, tensor] : layout_.split(download(*device_, moments, layout_.size())))
      all[prefix + name] = std::move(tensor);
  }
  const Schedule schedule = download(*device_, schedule_, 1)[0];
  all["steps"] = Tensor::of<int64_t>({}, std::vector<int64_t>{schedule.steps});
  all["updates"] = Tensor::of<int64_t>({}, std::vector<int64_t>{schedule.updates});
  visit_kept([&]<class T>(const std::string& name, T* data, const std::vector<int64_t>& shape) {
    all[name] = Tensor::of<T>(shape, download(*device_, data, product(shape)));
  });
  return all;
}

void Ppo::load(const std::map<std::string, Tensor>& parameters, const std::map<std::string, Tensor>& optimizer_state) {
  const std::vector<float> block = layout_.join(parameters, "");
  auto part = [&]<class T>(const std::map<std::string, Tensor>& from, const std::string& name, T*, size_t count) {
    const auto found = from.find(name);
    if (found == from.end()) throw Error("the checkpoint lacks '" + name + "'");
    const auto values = found->second.as<T>();
    if (values.size() != count) throw Error("the checkpoint's '" + name + "' is of another size");
    return std::vector<T>(values.begin(), values.end());
  };
  const size_t objectives = config_.norm_rewards ? rollout_.num_objectives : 0;
  std::vector<float> scale;
  if (objectives > 0) scale = part(parameters, "rewards,scale", scale_, objectives);
  std::vector<std::function<void()>> uploads;  // done when all is known to fit
  if (!optimizer_state.empty()) {
    Schedule schedule;
    schedule.steps = part(optimizer_state, "steps", &schedule.steps, 1)[0];
    int64_t updates = 0;
    schedule.updates = static_cast<uint32_t>(part(optimizer_state, "updates", &updates, 1)[0]);
    uploads.push_back([=, this] { upload(*device_, schedule_, std::vector<Schedule>{schedule}); });
    for (const auto& [prefix, moments] : {std::pair{"first,", adam_.first}, {"second,", adam_.second}}) {
      uploads.push_back([this, moments = moments, values = layout_.join(optimizer_state, prefix)] {
        upload(*device_, moments, values);
      });
    }
    visit_kept([&]<class T>(const std::string& name, T* data, const std::vector<int64_t>& shape) {
      uploads.push_back(
          [this, data, values = part(optimizer_state, name, data, product(shape))] { upload(*device_, data, values); });
    });
  }
  upload(*device_, parameters_, block);
  for (const auto& upload_it : uploads) upload_it();
  if (!scale.empty()) upload(*device_, scale_, scale);
  if (!scale.empty() && !optimizer_state.empty()) scale_objectives();
}

std::string Ppo::not_finite() {
  for (const auto& [what, block] : {std::pair{"parameter", parameters_}, {"gradient of", gradients_}}) {
    const std::string name = layout_.first_not_finite(download(*device_, block, layout_.size()));
    if (!name.empty()) return std::string(what) + " '" + name + "'";
  }
  return "";
}

#ifdef __CUDACC__

extern "C" THRONG_API Learner* throng_cuda_make_ppo(std::shared_ptr<Device> device, const EnvSpec& spec, int num_envs,
                                                    const TrainConfig& config) {
  return new Ppo(std::move(device), spec, num_envs, config);
}

#else

std::unique_ptr<Learner> make_learner(std::shared_ptr<Device> device, const EnvSpec& spec, int num_envs,
                                      const TrainConfig& config) {
  if (!device->is_cuda()) return std::make_unique<Ppo>(std::move(device), spec, num_envs, config);
  using Make = Learner*(std::shared_ptr<Device>, const EnvSpec&, int, const TrainConfig&);
  return std::unique_ptr<Learner>(
      cuda_function<Make>("throng_cuda_make_ppo")(std::move(device), spec, num_envs, config));
}

#endif

}  // namespace throng
