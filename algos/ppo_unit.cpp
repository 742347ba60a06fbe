// PPO set up, saved and loaded; g++ makes the CPU learner of this and its two sisters, nvcc the CUDA learner.
#include <algorithm>
#include <cmath>

#include "algos/ppo.hpp"
#include "core/error.hpp"

#ifndef __CUDACC__
#include "core/cuda_loader.hpp"
#endif

namespace throng {

namespace {

View policy_view(const EnvSpec& spec) {
  View view;
  view.dim = spec.obs_dim;
  view.grid = spec.obs_grid;
  view.pixels = spec.pixels;
  if (spec.obs_dtype == "U8" && !spec.pixels) view.num_codes = static_cast<int>(spec.obs_high) + 1;
  return view;
}

// The whole environment in one row: its own world state, or without one the observations of all agents side by side.
View world_view(const EnvSpec& spec, bool agent_id) {
  View view = policy_view(spec);
  view.dim *= spec.num_agents;
  view.grid.planes *= spec.num_agents;
  if (spec.world_state_dim > 0) view = View{spec.world_state_dim};
  view.sharing = spec.num_agents;
  view.agent_id = agent_id && spec.num_agents > 1;
  return view;
}

Heads heads_of(const EnvSpec& spec) {
  Heads heads;
  heads.count = spec.num_heads();
  for (int h = 0; h < heads.count; ++h) heads.sizes[h] = spec.choices(h);
  return heads;
}

std::vector<Output> policy_outputs(const EnvSpec& spec, const TrainConfig& config) {
  std::vector<Output> outputs = {{spec.num_actions, 0.01f}};
  if (config.share_layers) outputs.push_back({1, 1.0f});
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
      rollout_(Rollout::of(spec, num_envs * static_cast<int>(configs.size()), config_.num_steps, mappo())),
      heads_(heads_of(spec)),
      policy_(config_.share_layers ? "params" : "actor", policy_view(spec), policy_outputs(spec, config_), config_,
              layout_),
      critic_begins_(layout_.size()),
      matmul_(make_matmul(device_, Precision(config_.precision))),
      arena_(device_) {
  const TrainConfig& config = config_;
  if (spec.num_objectives != 1) {
    throw Error(spec.id + " has " + std::to_string(spec.num_objectives) + " objectives; " + kAlgos[config.algo] +
                " learns from one");
  }
  if (spec.obs_dtype == "BF16") throw Error(spec.id + " has observations of dtype BF16; learners take F32 or U8");
  if (!config.cnn.empty() && spec.obs_grid.planes == 0)
    throw Error("cnn: the observations of " + spec.id + " are no grid");
  if (config.cnn.empty() && spec.pixels) throw Error("the observations of " + spec.id + " are pixels: they need cnn");
  if (spec.continuous > 0) throw Error(spec.id + " has actions of numbers; learners know choices only");
  if (!config.share_layers)
    critic_.emplace("critic", mappo() ? world_view(spec, config.agent_id) : policy_view(spec),
                    std::vector<Output>{{1, 1.0f}}, config, layout_);
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
  if (rollout_.world_state_dim > 0)
    arena_.want(batch_world_, (groups * minibatch_pairs() + block) * rollout_.world_state_dim);
  arena_.want(batch_resets_, groups * most_rows());
  planned("the present minibatch");
  reducer_.want(arena_, groups, std::max(policy_.columns_summed(), critic_ ? critic_->columns_summed() : 0));
  arena_.want(moments_, 2 * groups);
  arena_.want(slots_, slots());
  arena_.want(variances_, variances());
  planned("sums");
  plan_.emplace_back("working memory of matrix products", matmul_->workspace());
}

// ---- one group as named tensors ----

std::map<std::string, Tensor> Ppo::parameters(int group) {
  return layout_.split(download(*device_, compute(group).parameters, layout_.size()));
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
  if (!recurrent()) return all;
  const std::vector<int64_t> shape = {num_envs(), rollout_.num_agents, state_dim()};
  auto states = [&](const States& of) {
    return Tensor::of<float>(shape, download(*device_, of_slab(of.next).at(group, 0), num_rows() * state_dim()));
  };
  all["state,actor"] = states(states_[0]);
  if (critic_) all["state,critic"] = states(states_[1]);
  const uint8_t* resets = rollout_.resets + rollout_.num_steps * rollout_.rows() + group * num_rows();
  all["state,resets"] = Tensor::of<uint8_t>({num_envs(), rollout_.num_agents}, download(*device_, resets, num_rows()));
  return all;
}

void Ppo::load(const std::map<std::string, Tensor>& parameters, const std::map<std::string, Tensor>& optimizer_state,
               int group) {
  const std::vector<float> block = layout_.join(parameters, "");
  const int64_t begins = group * groups_.apart;
  if (optimizer_state.empty()) return upload(*device_, parameters_ + begins, block);
  const auto first = layout_.join(optimizer_state, "first,"), second = layout_.join(optimizer_state, "second,");
  auto part = [&]<class T>(const std::string& name, T, size_t count) {
    const auto found = optimizer_state.find(name);
    if (found == optimizer_state.end()) throw Error("optimizer state lacks '" + name + "'");
    const auto values = found->second.as<T>();
    if (values.size() != count) throw Error("optimizer state '" + name + "' is of another size");
    return std::vector<T>(values.begin(), values.end());
  };
  Schedule schedule;
  schedule.steps = part("steps", int64_t(), 1)[0];
  schedule.updates = static_cast<uint32_t>(part("updates", int64_t(), 1)[0]);
  const int64_t rows = num_rows();
  std::vector<float> states[2];
  std::vector<uint8_t> resets;
  if (recurrent()) {
    states[0] = part("state,actor", float(), rows * state_dim());
    if (critic_) states[1] = part("state,critic", float(), rows * state_dim());
    resets = part("state,resets", uint8_t(), rows);
  }
  upload(*device_, parameters_ + begins, block);
  upload(*device_, adam_.first + begins, first);
  upload(*device_, adam_.second + begins, second);
  upload(*device_, schedule_, std::vector<Schedule>{schedule});
  for (int n = 0; n < 2; ++n) {
    if (!states[n].empty()) upload(*device_, states_[n].next + group * rows * state_dim(), states[n]);
  }
  if (!resets.empty()) upload(*device_, rollout_.resets + rollout_.num_steps * rollout_.rows() + group * rows, resets);
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
