// The body of PPO; g++ makes the CPU learner of it, nvcc the CUDA learner.
#include <algorithm>
#include <cmath>

#include "algos/categorical.hpp"
#include "algos/gae.hpp"
#include "algos/permutation.hpp"
#include "algos/ppo.hpp"
#include "core/error.hpp"

#ifndef __CUDACC__
#include "core/cuda_loader.hpp"
#endif

namespace throng {

namespace {

constexpr int kSlot = kPpoTerms + 1;  // sums kept of a minibatch: its terms, and the squared gradient norm
constexpr int kMaxColumns = 8;        // of any sum_rows here

std::vector<int> widths(int in, const std::vector<int>& hidden, int out) {
  std::vector<int> all = {in};
  all.insert(all.end(), hidden.begin(), hidden.end());
  all.push_back(out);
  return all;
}

}  // namespace

Ppo::Ppo(std::shared_ptr<Device> device, const EnvSpec& spec, int num_envs, const TrainConfig& config)
    : device_(std::move(device)),
      config_(config),
      rollout_(Rollout::of(spec, num_envs, config.num_steps)),
      actor_("actor", widths(spec.obs_dim, config.hidden_sizes, spec.num_actions), Activation(config.activation), 0.01f,
             layout_),
      critic_("critic", widths(spec.obs_dim, config.hidden_sizes, 1), Activation(config.activation), 1.0f, layout_),
      matmul_(make_matmul(device_)),
      arena_(device_),
      key_(fold_in(key(config.seed), 0x70706f)) {  // apart from the environments' streams, which fold in 0, 1, 2, ...
  if (spec.num_objectives != 1) {
    throw Error(spec.id + " has " + std::to_string(spec.num_objectives) + " objectives; ippo learns from one");
  }
  if (spec.obs_dtype != "F32")
    throw Error(spec.id + " has observations of dtype " + spec.obs_dtype + "; ippo learns from F32");
  if (spec.num_heads() != 1)
    throw Error(spec.id + " has actions of several choices or of numbers; ippo learns one choice");
  const int64_t batch = minibatch_rows(), most = std::max({rollout_.rows(), batch, Matmul::kRowBlock});
  arena_.want(parameters_, layout_.size());
  arena_.want(gradients_, layout_.size());
  adam_.want(arena_, layout_.size());
  rollout_.want(arena_, Matmul::kRowBlock);
  actor_.want(arena_, most, config.num_steps > 0);
  critic_.want(arena_, most, config.num_steps > 0);
  arena_.want(order_, num_pairs());
  arena_.want(batch_obs_, Matmul::padded(most) * spec.obs_dim);
  arena_.want(advantages_, batch);
  arena_.want(terms_, batch * kPpoTerms);
  arena_.want(partial_, kSumParts * kMaxColumns);
  arena_.want(moments_, 2);
  arena_.want(slots_, size_t(config.update_epochs) * config.num_minibatches * kSlot);
  arena_.commit();
  upload(*device_, parameters_, layout_.initial(fold_in(key_, kInitialise)));
}

void Ppo::begin_rollout() {
  const Rollout& r = rollout_;
  device_->copy(r.obs, r.observations(r.num_steps).obs, sizeof(float) * r.rows() * r.obs_dim);
  device_->copy(r.avail_actions, r.observations(r.num_steps).avail_actions, r.rows() * r.num_actions);
  device_->fill_zero(r.final_count, sizeof(int32_t) * r.num_envs);
}

void Ppo::act(int t) {
  const Rollout r = rollout_;
  const int64_t rows = r.rows();
  const Observations seen = r.observations(t);
  compute_values(rows, r.obs_at(t), r.values + t * rows);
  const float* logits = actor_.forward(*device_, *matmul_, parameters_, rows, r.obs_at(t));
  const Key drawn = fold_in(fold_in(fold_in(key_, kSample), static_cast<uint32_t>(updates_)), static_cast<uint32_t>(t));
  Backend::each(*device_, rows, [=] THRONG_HD(int64_t row) {
    const Categorical policy(logits + row * r.num_actions, seen.avail_actions + row * r.num_actions, r.num_actions);
    const int action = policy.sample(uniform(drawn, static_cast<uint32_t>(row)));
    r.actions[t * rows + row] = action;
    r.log_probs[t * rows + row] = policy.log_prob(action);
  });
}

void Ppo::act_on(const Observations& seen, int64_t rows, bool greedy, Key key, uint32_t draw, int32_t* actions) {
  const int num_actions = rollout_.num_actions, obs_dim = rollout_.obs_dim;
  const int64_t most = std::max<int64_t>({rollout_.rows(), minibatch_rows(), Matmul::kRowBlock});
  const Key drawn = fold_in(key, draw);
  for (int64_t first = 0; first < rows; first += most) {
    const int64_t count = std::min(most, rows - first);
    device_->copy(batch_obs_, static_cast<const float*>(seen.obs) + first * obs_dim, sizeof(float) * count * obs_dim);
    const float* logits = actor_.forward(*device_, *matmul_, parameters_, count, batch_obs_);
    Backend::each(*device_, count, [=] THRONG_HD(int64_t i) {
      const int64_t row = first + i;
      const Categorical policy(logits + i * num_actions, seen.avail_actions + row * num_actions, num_actions);
      actions[row] = greedy ? policy.mode() : policy.sample(uniform(drawn, static_cast<uint32_t>(row)));
    });
  }
}

void Ppo::keep_finals(int t, const Finals& finals) {
  const Rollout r = rollout_;
  if (r.finals_per_env == 0) return;
  Backend::each(*device_, r.num_envs, [=] THRONG_HD(int64_t e) {
    const int64_t row = e * r.num_agents;
    const bool cut = r.truncated[t * r.rows() + row];
    r.final_slot[int64_t(t) * r.num_envs + e] = cut ? r.final_count[e] : -1;
    if (!cut) return;
    const int64_t size = int64_t(r.num_agents) * r.obs_dim;
    float* to = r.final_obs + (r.final_count[e] * r.rows() + row) * r.obs_dim;
    for (int64_t i = 0; i < size; ++i) to[i] = static_cast<const float*>(finals.obs)[row * r.obs_dim + i];
    ++r.final_count[e];
  });
}

void Ppo::compute_values(int64_t rows, const float* obs, float* values) {
  const float* out = critic_.forward(*device_, *matmul_, parameters_, rows, obs);
  device_->copy(values, out, sizeof(float) * rows);
}

void Ppo::compute_returns() {
  const Rollout r = rollout_;
  const int64_t rows = r.rows();
  compute_values(rows, r.obs_at(r.num_steps), r.values + r.num_steps * rows);
  for (int k = 0; k < r.finals_per_env; ++k)
    compute_values(rows, r.final_obs + k * rows * r.obs_dim, r.final_values + k * rows);
  const float gamma = config_.gamma, gae_lambda = config_.gae_lambda;
  Backend::each(*device_, rows, [=] THRONG_HD(int64_t row) {
    gae_column(r, static_cast<int>(row / r.num_agents), static_cast<int>(row % r.num_agents), gamma, gae_lambda);
  });
}

void Ppo::shuffle(int epoch) {
  const Key key =
      fold_in(fold_in(fold_in(key_, kShuffle), static_cast<uint32_t>(updates_)), static_cast<uint32_t>(epoch));
  const Permutation permutation(static_cast<uint32_t>(num_pairs()), key);
  int32_t* order = order_;
  Backend::each(*device_, num_pairs(),
                [=] THRONG_HD(int64_t i) { order[i] = static_cast<int32_t>(permutation(static_cast<uint32_t>(i))); });
}

void Ppo::gather(int64_t first) {
  const Rollout r = rollout_;
  const int32_t* order = order_ + first;
  float *obs = batch_obs_, *advantages = advantages_;
  each_element(*device_, minibatch_rows(), r.obs_dim, [=] THRONG_HD(int64_t row, int i) {
    const int64_t from = int64_t(order[row / r.num_agents]) * r.num_agents + row % r.num_agents;
    obs[row * r.obs_dim + i] = r.obs[from * r.obs_dim + i];
  });
  Backend::each(*device_, minibatch_rows(), [=] THRONG_HD(int64_t row) {
    advantages[row] = r.advantages[int64_t(order[row / r.num_agents]) * r.num_agents + row % r.num_agents];
  });
}

void Ppo::normalise_advantages() {
  const int64_t rows = minibatch_rows();
  float* advantages = advantages_;
  double* moments = moments_;
  sum_rows(*device_, rows, 1, partial_, moments, [=] THRONG_HD(int64_t row, int) { return double(advantages[row]); });
  sum_rows(*device_, rows, 1, partial_, moments + 1, [=] THRONG_HD(int64_t row, int) {
    const double deviation = advantages[row] - moments[0] / rows;
    return deviation * deviation;
  });
  Backend::each(*device_, rows, [=] THRONG_HD(int64_t row) {
    const float mean = static_cast<float>(moments[0] / rows), std = static_cast<float>(sqrt(moments[1] / rows));
    advantages[row] = (advantages[row] - mean) / (std + 1e-8f);
  });
}

void Ppo::compute_loss(int64_t first, double* sums) {
  const Rollout r = rollout_;
  const int64_t rows = minibatch_rows();
  const float* logits = actor_.forward(*device_, *matmul_, parameters_, rows, batch_obs_);
  const float* values = critic_.forward(*device_, *matmul_, parameters_, rows, batch_obs_);
  const PpoCoefficients coefficients{config_.clip_coef, config_.ent_coef, config_.vf_coef, config_.clip_vloss};
  const float scale = 1.0f / static_cast<float>(rows);
  const int32_t* order = order_ + first;
  const float* advantages = advantages_;
  float *d_logits = actor_.output_gradient(), *d_values = critic_.output_gradient(), *terms = terms_;
  Backend::each(*device_, rows, [=] THRONG_HD(int64_t row) {
    const int64_t from = int64_t(order[row / r.num_agents]) * r.num_agents + row % r.num_agents;
    const Categorical policy(logits + row * r.num_actions, r.avail_actions + from * r.num_actions, r.num_actions);
    const PpoSample sample{r.actions[from], r.log_probs[from], r.values[from], advantages[row], r.returns[from]};
    const PpoTerms t =
        ppo_loss(policy, values[row], sample, coefficients, scale, d_logits + row * r.num_actions, d_values + row);
    const float all[kPpoTerms] = {t.policy_loss, t.value_loss, t.entropy, t.approx_kl, t.clipfrac, t.ratio_error};
    for (int k = 0; k < kPpoTerms; ++k) terms[row * kPpoTerms + k] = all[k];
  });
  sum_rows(*device_, rows, kPpoTerms, partial_, sums,
           [=] THRONG_HD(int64_t row, int k) { return double(terms[row * kPpoTerms + k]); });
}

void Ppo::compute_gradients(double* square_norm) {
  actor_.backward(*device_, *matmul_, parameters_, gradients_, minibatch_rows(), batch_obs_);
  critic_.backward(*device_, *matmul_, parameters_, gradients_, minibatch_rows(), batch_obs_);
  const float* g = gradients_;
  sum_rows(*device_, layout_.size(), 1, partial_, square_norm,
           [=] THRONG_HD(int64_t i, int) { return double(g[i]) * g[i]; });
}

UpdateMetrics Ppo::update(float learning_rate) {
  compute_returns();
  double* slot = slots_;
  for (int epoch = 0; epoch < config_.update_epochs; ++epoch) {
    shuffle(epoch);
    for (int m = 0; m < config_.num_minibatches; ++m, slot += kSlot) {
      const int64_t first = m * minibatch_pairs();
      gather(first);
      if (config_.norm_adv) normalise_advantages();
      compute_loss(first, slot);
      compute_gradients(slot + kPpoTerms);
      adam_.update(*device_, layout_.size(), parameters_, gradients_, slot + kPpoTerms, learning_rate, config_.adam_eps,
                   config_.max_grad_norm);
    }
  }
  ++updates_;
  return average(download(*device_, slots_, size_t(slot - slots_)));
}

UpdateMetrics Ppo::average(const std::vector<double>& slots) const {
  const size_t minibatches = slots.size() / kSlot;
  const double samples = static_cast<double>(minibatch_rows()) * static_cast<double>(minibatches);
  UpdateMetrics m;
  for (size_t i = 0; i < minibatches; ++i) {
    const double* slot = &slots[i * kSlot];
    m.policy_loss += slot[0] / samples;
    m.value_loss += slot[1] / samples;
    m.entropy += slot[2] / samples;
    m.approx_kl += slot[3] / samples;
    m.clipfrac += slot[4] / samples;
    m.grad_norm += std::sqrt(slot[kPpoTerms]) / static_cast<double>(minibatches);
  }
  m.first_ratio_error = slots[5] / static_cast<double>(minibatch_rows());
  const auto sums = const_cast<Ppo*>(this)->explained_variance_sums();
  const double n = static_cast<double>(num_pairs()) * rollout_.num_agents;
  const double of_returns = sums[1] / n - sums[0] / n * (sums[0] / n),
               of_errors = sums[3] / n - sums[2] / n * (sums[2] / n);
  m.explained_variance = of_returns > 0 ? 1 - of_errors / of_returns : 0;
  return m;
}

// Over the rollout: the returns R, R^2, and the errors R - V of the values at acting time, (R - V)^2.
std::vector<double> Ppo::explained_variance_sums() {
  const Rollout r = rollout_;
  sum_rows(*device_, num_pairs() * r.num_agents, 4, partial_, partial_ + 4 * kSumParts,
           [=] THRONG_HD(int64_t i, int column) {
             const double x = column < 2 ? r.returns[i] : r.returns[i] - r.values[i];
             return column % 2 == 0 ? x : x * x;
           });
  return download(*device_, partial_ + 4 * kSumParts, 4);
}

std::map<std::string, Tensor> Ppo::parameters() {
  const std::vector<float> block = download(*device_, parameters_, layout_.size());
  return layout_.split(block);
}

std::map<std::string, Tensor> Ppo::optimizer_state() {
  std::map<std::string, Tensor> all;
  for (const auto& [prefix, moments] : {std::pair{"first,", adam_.first}, {"second,", adam_.second}}) {
    for (auto& [name, tensor] : layout_.split(download(*device_, moments, layout_.size())))
      all[prefix + name] = std::move(tensor);
  }
  all["steps"] = Tensor::of<int64_t>({}, std::span(&adam_.steps, 1));
  all["updates"] = Tensor::of<int64_t>({}, std::span(&updates_, 1));
  return all;
}

void Ppo::load(const std::map<std::string, Tensor>& parameters, const std::map<std::string, Tensor>& optimizer_state) {
  const std::vector<float> block = layout_.join(parameters, "");
  std::vector<float> first, second;
  int64_t steps = 0, updates = 0;
  if (!optimizer_state.empty()) {
    first = layout_.join(optimizer_state, "first,");
    second = layout_.join(optimizer_state, "second,");
    for (auto& [name, value] : {std::pair{"steps", &steps}, {"updates", &updates}}) {
      const auto found = optimizer_state.find(name);
      if (found == optimizer_state.end()) throw Error(std::string("optimizer state lacks '") + name + "'");
      *value = found->second.as<int64_t>()[0];
    }
  }
  upload(*device_, parameters_, block);
  if (first.empty()) return;
  upload(*device_, adam_.first, first);
  upload(*device_, adam_.second, second);
  adam_.steps = steps;
  updates_ = updates;
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
