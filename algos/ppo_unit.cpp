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
  view.grid = spec.obs_grid;
  view.pixels = spec.pixels;
  if (spec.obs_dtype == "U8" && !spec.pixels) view.num_codes = static_cast<int>(spec.obs_high) + 1;
  return view;
}

// The whole environment in one row: its own world state, or without one the observations of all agents side by side.
View world_view(const EnvSpec& spec, const TrainConfig& config) {
  View view = policy_view(spec, config);
  view.dim *= spec.num_agents;
  view.grid.planes *= spec.num_agents;
  if (spec.world_state_dim > 0) {
    view = View{spec.world_state_dim};
    view.goal_dim = goal_of(spec, config).dim();
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

// Apart from the environments' streams, which fold in 0, 1, 2, ...
Key Ppo::key_of(const TrainConfig& config, Purpose purpose) {
  return fold_in(fold_in(key(config.seed), 0x70706f), purpose);
}

Ppo::Ppo(std::shared_ptr<Device> device, const EnvSpec& spec, int num_envs, const std::vector<TrainConfig>& configs)
    : device_(std::move(device)),
      config_(configs.at(0)),
      rollout_(rollout_of(spec, num_envs * static_cast<int>(configs.size()), config_)),
      heads_(heads_of(spec)),
      policy_(config_.share_layers ? "params" : "actor", policy_view(spec, config_), policy_outputs(spec, config_),
              config_, layout_),
      log_std_(spec.continuous > 0 ? layout_.add("actor,log_std", {spec.continuous}, Init::zeros()) : 0),
      critic_begins_(layout_.size()),
      matmul_(make_matmul(device_, Precision(config_.precision))),
      arena_(device_) {
  const TrainConfig& config = config_;
  for (const TrainConfig& group : configs) check_objectives(spec, group);
  if (spec.obs_dtype == "BF16") throw Error(spec.id + " has observations of dtype BF16; learners take F32 or U8");
  if (!config.cnn.empty() && spec.obs_grid.planes == 0)
    throw Error("cnn: the observations of " + spec.id + " are no grid");
  if (config.cnn.empty() && spec.pixels) throw Error("the observations of " + spec.id + " are pixels: they need cnn");
  if (!config.share_layers)
    critic_.emplace("critic", mappo() ? world_view(spec, config) : policy_view(spec, config),
                    std::vector<Output>{{rollout_.num_values, 1.0f}}, config, layout_);
  groups_ = {static_cast<int>(configs.size()), layout_.size()};
  want();
  arena_.commit();
  std::vector<float> parameters;
  std::vector<Key> keys;
  for (const TrainConfig& group : configs) {
    const std::vector<float> own = layout_.initial(key_of(group, kInitialise));
    parameters.insert(parameters.end(), own.begin(), own.end());
    for (uint32_t purpose = 0; purpose < kPurposes; ++purpose) keys.push_back(key_of(group, Purpose(purpose)));
  }
  upload(*device_, parameters_, parameters);
  upload(*device_, keys_, keys);
  std::vector<float> weights;
  for (const TrainConfig& group : configs) weights.insert(weights.end(), group.weights.begin(), group.weights.end());
  upload(*device_, fixed_weights_, weights);
  const bool linear = config.utility == Scalarizer::kLinear, esr = config.criterion == kEsr;
  pursuit_ = {esr, !linear && !esr, num_rows(), scale_, slopes_, utility_};
  scale_objectives();
  begin_goals();
}

int64_t Ppo::most_sequences() const {
  return std::max({num_rows(), minibatch_sequences(), int64_t(Matmul::kRowBlock)});
}

int64_t Ppo::most_rows() const { return std::max(most_sequences(), minibatch_rows()); }

void Ppo::want() {
  const bool train = config_.num_steps > 0;
  const int groups = groups_.count;
  const int64_t rows = rollout_.rows(), block = Matmul::kRowBlock;
  const int64_t padding = block * (mappo() ? rollout_.num_agents : 1);  // rows of agents that a critic sees as one
  size_t before = 0;
  auto planned = [&](const char* purpose) {
    plan_.emplace_back(purpose, arena_.bytes() - before);
    before = arena_.bytes();
  };
  arena_.want(schedule_, 1);
  arena_.want(keys_, groups * kPurposes);
  arena_.want(parameters_, groups * layout_.size());
  planned("parameters");
  arena_.want(gradients_, groups * layout_.size());
  adam_.want(arena_, groups_, num_minibatches());
  planned("gradients and Adam's moments");
  rollout_.want(arena_, padding);
  planned("rollout");
  policy_.want(arena_, groups, most_rows(), most_sequences(), train);
  if (critic_) critic_->want(arena_, groups, most_rows(), most_sequences(), train);
  planned("activations and their gradients");
  for (int n = 0; recurrent() && n < (critic_ ? 2 : 1); ++n) {
    arena_.want(states_[n].start, (rows + block) * state_dim());
    arena_.want(states_[n].next, (rows + block) * state_dim());
    arena_.want(states_[n].finals, (rollout_.finals_per_env * rows + block) * state_dim());
  }
  if (recurrent()) arena_.want(batch_state_, (groups * most_sequences() + block) * state_dim());
  planned("recurrent states");
  arena_.want(order_, groups * num_pairs());
  arena_.want(batch_obs_, (groups * most_rows() + padding) * rollout_.obs_bytes);
  if (train && policy_.sees_half())
    arena_.want(batch_half_, groups * minibatch_rows() * ((rollout_.obs_dim + 7) / 8 * 8));
  if (rollout_.world_state_dim > 0)
    arena_.want(batch_world_, (groups * minibatch_pairs() + block) * rollout_.world_state_dim);
  arena_.want(batch_resets_, groups * most_rows());
  arena_.want(batch_goals_, groups * most_rows() * rollout_.goal.dim());
  if (rollout_.num_actions == 0) arena_.want(d_log_std_, groups * most_rows() * rollout_.action_dim);
  planned("the present minibatch");
  reducer_.want(arena_, groups, std::max(policy_.columns_summed(), critic_ ? critic_->columns_summed() : 0));
  arena_.want(moments_, 2 * groups);
  arena_.want(slots_, slots());
  arena_.want(variances_, variances());
  planned("sums");
  const int64_t objectives = rollout_.num_objectives;
  arena_.want(fixed_weights_, groups * config_.weights.size);
  arena_.want(scale_, groups * objectives);
  arena_.want(utility_, groups);
  arena_.want(spread_, groups * 3 * objectives);
  arena_.want(new_spread_, groups * 3 * objectives);
  if (config_.norm_rewards) arena_.want(running_, rows * objectives);
  if (config_.utility != Scalarizer::kLinear && config_.criterion == kSer) {
    arena_.want(slopes_, config_.num_steps * rows * objectives);
    arena_.want(first_values_, rows * objectives);
  }
  planned("scale and slopes of objectives");
  plan_.emplace_back("working memory of matrix products", matmul_->workspace());
}

// ---- one group as named tensors ----

template <class T>
static std::vector<T> values_of(const std::map<std::string, Tensor>& from, const std::string& name, size_t count) {
  const auto found = from.find(name);
  if (found == from.end()) throw Error("the checkpoint lacks '" + name + "'");
  const auto values = found->second.as<T>();
  if (values.size() != count) throw Error("the checkpoint's '" + name + "' is of another size");
  return {values.begin(), values.end()};
}

// visit(name, pointer, shape) for what a resumed run needs besides parameters, moments and counters.
template <class Visit>
void Ppo::visit_kept(int group, Visit&& visit) {
  const int64_t envs = num_envs(), agents = rollout_.num_agents, objectives = rollout_.num_objectives;
  const int64_t row = group * num_rows(), next_row = rollout_.num_steps * rollout_.rows() + row;
  if (recurrent()) {
    visit("state,actor", states_[0].next + row * state_dim(), {envs, agents, state_dim()});
    if (critic_) visit("state,critic", states_[1].next + row * state_dim(), {envs, agents, state_dim()});
    visit("state,resets", rollout_.resets + next_row, {envs, agents});
  }
  const int64_t goal = rollout_.goal.dim();
  if (goal > 0) visit("state,goals", rollout_.goals + next_row * goal, {envs, agents, goal});
  if (pursuit_.slopes_vary) visit("state,first_values", first_values_ + row * objectives, {envs, agents, objectives});
  if (config_.norm_rewards) {
    visit("state,returns", running_ + row * objectives, {envs, agents, objectives});
    visit("returns,spread", spread_ + group * 3 * objectives, {objectives, 3});
  }
}

std::map<std::string, Tensor> Ppo::parameters(int group) {
  auto all = layout_.split(download(*device_, compute(group).parameters, layout_.size()));
  if (config_.norm_rewards) {  // what policies have earned is told them in these units
    const int64_t objectives = rollout_.num_objectives;
    const float* scale = scale_ + group * objectives;
    all["rewards,scale"] = Tensor::of<float>({objectives}, download(*device_, scale, objectives));
  }
  return all;
}

std::map<std::string, Tensor> Ppo::optimizer_state(int group) {
  std::map<std::string, Tensor> all;
  for (const auto& [prefix, moments] : {std::pair{"first,", adam_.first}, {"second,", adam_.second}}) {
    for (auto& [name, tensor] : layout_.split(download(*device_, moments + group * groups_.apart, layout_.size())))
      all[prefix + name] = std::move(tensor);
  }
  const Schedule schedule = download(*device_, schedule_, 1)[0];
  all["steps"] = Tensor::of<int64_t>({}, std::vector<int64_t>{schedule.steps});
  all["updates"] = Tensor::of<int64_t>({}, std::vector<int64_t>{schedule.updates});
  visit_kept(group, [&]<class T>(const std::string& name, T* data, const std::vector<int64_t>& shape) {
    all[name] = Tensor::of<T>(shape, download(*device_, data, product(shape)));
  });
  return all;
}

void Ppo::load(const std::map<std::string, Tensor>& parameters, const std::map<std::string, Tensor>& optimizer_state,
               int group) {
  const int64_t begins = group * groups_.apart, objectives = rollout_.num_objectives;
  std::vector<std::function<void()>> uploads;  // done when all is known to fit
  auto part = [&]<class T>(const std::map<std::string, Tensor>& from, const std::string& name, T* to, size_t count) {
    uploads.push_back([this, to, values = values_of<T>(from, name, count)] { upload(*device_, to, values); });
  };
  auto block = [&](const std::map<std::string, Tensor>& from, const std::string& prefix, float* to) {
    uploads.push_back([this, to, values = layout_.join(from, prefix)] { upload(*device_, to, values); });
  };
  block(parameters, "", parameters_ + begins);
  if (config_.norm_rewards) part(parameters, "rewards,scale", scale_ + group * objectives, objectives);
  if (!optimizer_state.empty()) {
    block(optimizer_state, "first,", adam_.first + begins);
    block(optimizer_state, "second,", adam_.second + begins);
    const int64_t updates = values_of<int64_t>(optimizer_state, "updates", 1)[0];
    const Schedule schedule{0, static_cast<uint32_t>(updates), values_of<int64_t>(optimizer_state, "steps", 1)[0]};
    visit_kept(group, [&]<class T>(const std::string& name, T* data, const std::vector<int64_t>& shape) {
      part(optimizer_state, name, data, product(shape));
    });
    uploads.push_back([=, this] { upload(*device_, schedule_, std::vector<Schedule>{schedule}); });
  }
  for (const auto& upload_it : uploads) upload_it();
  if (!optimizer_state.empty()) scale_objectives();
}

std::string Ppo::not_finite(int group) {
  const Compute own = compute(group);
  for (const auto& [what, block] : {std::pair{"parameter", own.parameters}, {"gradient of", own.gradients}}) {
    const std::string name = layout_.first_not_finite(download(*device_, block, layout_.size()));
    if (!name.empty()) return std::string(what) + " '" + name + "'";
  }
  return "";
}

#ifdef __CUDACC__

extern "C" THRONG_API Learner* throng_cuda_make_ppo(std::shared_ptr<Device> device, const EnvSpec& spec, int num_envs,
                                                    const std::vector<TrainConfig>& configs) {
  return new Ppo(std::move(device), spec, num_envs, configs);
}

#else

std::unique_ptr<Learner> make_learner(std::shared_ptr<Device> device, const EnvSpec& spec, int num_envs,
                                      const std::vector<TrainConfig>& configs) {
  if (!device->is_cuda()) return std::make_unique<Ppo>(std::move(device), spec, num_envs, configs);
  using Make = Learner*(std::shared_ptr<Device>, const EnvSpec&, int, const std::vector<TrainConfig>&);
  return std::unique_ptr<Learner>(
      cuda_function<Make>("throng_cuda_make_ppo")(std::move(device), spec, num_envs, configs));
}

#endif

}  // namespace throng
