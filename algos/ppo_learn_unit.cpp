// PPO learning from a rollout: values, advantages, minibatches, losses and their gradients, the optimizer's steps.
#include <algorithm>
#include <cmath>

#include "algos/gae.hpp"
#include "algos/permutation.hpp"
#include "algos/ppo.hpp"

namespace throng {

namespace {

struct alignas(16) Sixteen {
  uint32_t words[4];
};

}  // namespace

void Ppo::set_learning_rate(float learning_rate) {
  Schedule* schedule = schedule_;
  Backend::each(*device_, 1, [=] THRONG_BODY(int64_t) { schedule->learning_rate = learning_rate; });
}

void Ppo::learn(float learning_rate) {
  set_learning_rate(learning_rate);
  learn_from_rollout();
}

void Ppo::learn_from_rollout() {
  mark_resets(rollout_.num_steps);
  set_goals(rollout_.num_steps);
  compute_values();
  compute_slopes();
  compute_returns();
  measure_returns();
  const int steps = num_minibatches();
  adam_.prepare(*device_, schedule_, steps);
  for (int step = 0; step < steps; ++step) {
    const int64_t first = step % config_.num_minibatches * minibatch_pairs();
    double* slot = slots_ + step * groups_.count * kSlot;
    if (first == 0) set_order(step / config_.num_minibatches);
    gather(first);
    if (config_.norm_adv) sum_advantages(first);
    compute_loss(first, slot);
    compute_gradients(slot + kPpoTerms);
    const Adam::Norms norms{slot + kPpoTerms, kSlot, split(), config_.joint_grad_norm, config_.max_grad_norm};
    adam_.update(*device_, groups_, parameters_, gradients_, norms, schedule_, step, config_.adam_eps);
  }
  count_update(steps);
  scale_objectives();
}

// ---- values and advantages ----

Seen Ppo::seen_by_critic(int t) const {
  if (!rollout_.world_state) return seen_by_policy(t);
  return {rollout_.world_state_at(t), rollout_.goals_at(t)};
}

Seen Ppo::finals_seen_by_critic(int k) const {
  const Rollout& r = rollout_;
  const float* goals = r.final_goals + k * r.rows() * r.goal.dim();
  if (r.world_state) return {r.final_world_state + int64_t(k) * r.num_envs * r.world_state_dim, goals};
  return {r.final_obs + k * r.rows() * r.obs_bytes, goals};
}

Seen Ppo::batch_seen_by_critic() const {
  return rollout_.world_state ? Seen{batch_world_, batch_goals_} : batch_seen_by_policy();
}

// A critic of its own has not been asked yet: it goes through the rollout in pieces as long as a minibatch. Then the slab that
// the next rollout begins with, and the final observations.
void Ppo::compute_values() {
  const Rollout r = rollout_;
  const int64_t rows = r.rows(), own = minibatch_rows(), pairs = num_pairs();
  Network& network = value_network();
  States& states = value_states();
  if (critic_) {
    set_order(kAsTheyLie);
    for (int64_t first = 0; first < num_pairs(); first += minibatch_pairs()) {
      gather(first);
      critic_->forward(compute(), minibatch_steps(), minibatch_sequences(), batch_seen_by_critic(), batch_resets_,
                       initial_of(*critic_));
      const int32_t* order = order_ + first;
      const Rows values = critic_->output(0);
      each_element(*device_, groups_.count, own, 1, [=] THRONG_BODY(int g, int64_t row, int) {
        const int64_t pair = order[g * pairs + row / r.num_agents];
        float* to = r.values + (pair * r.num_agents + row % r.num_agents) * r.num_values;
        for (int v = 0; v < r.num_values; ++v) to[v] = values.at(g, row)[v];
      });
      if (recurrent()) keep_final_states(first);
    }
  }
  const int64_t slab = rows * r.num_values;
  auto values_of = [&](const Seen& seen, const uint8_t* resets, const float* before, float* to) {
    network.forward(compute(), 1, num_rows(), seen, resets, of_slab(before));
    copy_rows(to, network.output(value_output()), groups_.count, num_rows());
  };
  values_of(seen_by_critic(r.num_steps), r.resets + r.num_steps * rows, states.next, r.values + r.num_steps * slab);
  for (int k = 0; k < r.finals_per_env; ++k) {
    values_of(finals_seen_by_critic(k), r.final_resets + k * rows, states.finals + k * rows * state_dim(),
              r.final_values + k * slab);
  }
}

// Of the critic's states in the present minibatch: those after the last step, and those before final observations.
void Ppo::keep_final_states(int64_t first) {
  const Rollout r = rollout_;
  const int32_t* order = order_ + first;
  const int dim = state_dim();
  const int64_t pairs = num_pairs();
  const StateRows states = critic_->states();
  float *next = states_[1].next, *finals = states_[1].finals;
  each_element(*device_, groups_.count, minibatch_rows(), 1, [=] THRONG_BODY(int g, int64_t row, int) {
    const int pair = order[g * pairs + row / r.num_agents], t = pair / r.num_envs, env = pair % r.num_envs;
    const int64_t of_slab = int64_t(env) * r.num_agents + row % r.num_agents;
    const int slot = r.finals_per_env > 0 ? r.final_slot[pair] : -1;
    if (slot >= 0) {
      for (int k = 0; k < dim; ++k) finals[(slot * r.rows() + of_slab) * dim + k] = states.at(g, row, k);
    }
    if (t == r.num_steps - 1) {
      for (int k = 0; k < dim; ++k) next[of_slab * dim + k] = states.at(g, row, k);
    }
  });
}

void Ppo::compute_returns() {
  const Rollout r = rollout_;
  const float gamma = config_.gamma, gae_lambda = config_.gae_lambda;
  const bool bootstrap_truncated = config_.bootstrap_truncated;
  const Pursuit pursuit = pursuit_;
  Backend::each(*device_, r.rows(), [=] THRONG_BODY(int64_t row) {
    const auto env = static_cast<int>(row / r.num_agents), agent = static_cast<int>(row % r.num_agents);
    for (int value = 0; value < r.num_values; ++value)
      gae_column(r, env, agent, value, pursuit, gamma, gae_lambda, bootstrap_truncated);
  });
}

// ---- minibatches ----

void Ppo::set_order(int epoch) {
  const Schedule* schedule = schedule_;
  const Key* keys = keys_;
  const int64_t all_envs = rollout_.num_envs, envs = num_envs(), pairs = num_pairs(), batch = minibatch_pairs();
  const int64_t of_batch = std::max<int64_t>(1, envs / config_.num_minibatches);
  const bool sequences = recurrent(), shuffled = epoch != kAsTheyLie;
  const auto units = static_cast<uint32_t>(sequences ? envs : pairs);
  int32_t* order = order_;
  Backend::each(*device_, groups_.count * pairs, [=] THRONG_BODY(int64_t at) {
    const int64_t group = at / pairs, i = at - group * pairs;
    auto unit = static_cast<uint32_t>(sequences ? i / batch * of_batch + i % batch % of_batch : i);
    if (shuffled) {
      const Key shuffling = keys[group * kPurposes + kShuffle];
      const Key key = fold_in(fold_in(shuffling, schedule->updates), static_cast<uint32_t>(epoch));
      unit = Permutation(units, key)(unit);
    }
    const int64_t time = sequences ? i % batch / of_batch : unit / envs, env = sequences ? unit : unit % envs;
    order[at] = static_cast<int32_t>(time * all_envs + group * envs + env);
  });
}

void Ppo::gather(int64_t first) {
  const Rollout r = rollout_;
  if (policy_.sees_half()) gather_half(first);
  const bool critic_too = critic_ && !r.world_state && !critic_->sees_half();
  if (!policy_.sees_half() || critic_too) gather_pairs(first, r.obs, batch_obs_, int64_t(r.num_agents) * r.obs_bytes);
  if (r.world_state) gather_pairs(first, r.world_state, batch_world_, int64_t(sizeof(float)) * r.world_state_dim);
  gather_pairs(first, r.goals, batch_goals_, int64_t(sizeof(float)) * r.num_agents * r.goal.dim());
  if (!recurrent()) return;
  gather_pairs(first, r.resets, batch_resets_, r.num_agents);
  gather_states(first, states_[0].start, initial_of(policy_));
  if (critic_) gather_states(first, states_[1].start, initial_of(*critic_));
}

// Observations rounded to bfloat16 on the way.
void Ppo::gather_half([[maybe_unused]] int64_t first) {
#ifdef __CUDACC__
  const Rollout r = rollout_;
  const int32_t* order = order_ + first;
  const int64_t rows = minibatch_rows(), pairs = num_pairs();
  auto row_of = [=] THRONG_BODY(int g, int64_t row) {
    const int64_t pair = order[g * pairs + row / r.num_agents];
    return reinterpret_cast<const float*>(r.obs + (pair * r.num_agents + row % r.num_agents) * r.obs_bytes);
  };
  pack_rows(*device_, groups_.count, rows, r.obs_dim, row_of, half_rows(batch_half_, rows, r.obs_dim));
#endif
}

void Ppo::gather_pairs(int64_t first, const void* from, void* to, int64_t bytes) {
  gather_rows(first, minibatch_pairs(), from, to, bytes, minibatch_pairs() * bytes);
}

// The first pairs of a minibatch are those of time 0, where pair and environment are one.
void Ppo::gather_states(int64_t first, const float* from, OutRows to) {
  const int64_t of_env = int64_t(sizeof(float)) * rollout_.num_agents * state_dim();
  gather_rows(first, minibatch_pairs() / rollout_.num_steps, from, to.data, of_env, int64_t(sizeof(float)) * to.apart);
}

// Row i of `to` in each group is row order[first + i] of `from`, both `bytes` long; groups are `apart` bytes apart. It is done in
// the largest words that rows are made of.
void Ppo::gather_rows(int64_t first, int64_t rows, const void* from, void* to, int64_t bytes, int64_t apart) {
  if (bytes % 16 == 0 && apart % 16 == 0) return gather_words<Sixteen>(first, rows, from, to, bytes, apart);
  if (bytes % 4 == 0) return gather_words<uint32_t>(first, rows, from, to, bytes, apart);
  gather_words<uint8_t>(first, rows, from, to, bytes, apart);
}

template <class Word>
void Ppo::gather_words(int64_t first, int64_t rows, const void* from, void* to, int64_t bytes, int64_t apart) {
  const auto words = static_cast<int>(bytes / int64_t(sizeof(Word)));
  const int64_t words_apart = apart / int64_t(sizeof(Word)), pairs = num_pairs();
  const int32_t* order = order_ + first;
  const auto* source = static_cast<const Word*>(from);
  auto* target = static_cast<Word*>(to);
  each_element(*device_, groups_.count, rows, words, [=] THRONG_BODY(int g, int64_t row, int word) {
    target[g * words_apart + row * words + word] = source[int64_t(order[g * pairs + row]) * words + word];
  });
}

// ---- losses, gradients ----

void Ppo::sum_advantages(int64_t first) {
  const Rollout r = rollout_;
  const int32_t* order = order_ + first;
  const int64_t pairs = num_pairs();
  sum_rows<2>(*device_, reducer_, groups_.count, minibatch_rows(), moments_, 2,
              [=] THRONG_BODY(int g, int64_t row, double(&sums)[2]) {
                const int64_t pair = order[g * pairs + row / r.num_agents];
                const double a = r.advantages[pair * r.num_agents + row % r.num_agents];
                sums[0] += a;
                sums[1] += a * a;
              });
}

void Ppo::compute_loss(int64_t first, double* sums) {
  const Rollout r = rollout_;
  const Distribution distribution = this->distribution();
  const int64_t rows = minibatch_rows(), pairs = num_pairs();
  policy_.forward(compute(), minibatch_steps(), minibatch_sequences(), batch_seen_by_policy(), batch_resets_,
                  initial_of(policy_));
  if (critic_) {
    critic_->forward(compute(), minibatch_steps(), minibatch_sequences(), batch_seen_by_critic(), batch_resets_,
                     initial_of(*critic_));
  }
  const PpoCoefficients coefficients{config_.clip_coef, config_.ent_coef, config_.vf_coef, config_.clip_vloss};
  const float scale = 1.0f / static_cast<float>(rows);
  const bool norm_adv = config_.norm_adv, anneal_ent = config_.anneal_ent;
  const float full_rate = config_.learning_rate;
  const Schedule* schedule = schedule_;
  const int32_t* order = order_ + first;
  const double* all_moments = moments_;
  Network& of_values = value_network();
  const Rows output = policy_.output(0), values = of_values.output(value_output());
  const OutRows d_output = policy_.output_gradient(0, rows), d_values = of_values.output_gradient(value_output(), rows);
  float* d_log_std = d_log_std_;
  const float of_value = scale / static_cast<float>(r.num_values);
  auto add_loss = [=] THRONG_BODY(int g, int64_t row, double(&terms)[kPpoTerms]) {
    const int64_t pair = order[g * pairs + row / r.num_agents], from = pair * r.num_agents + row % r.num_agents;
    const Distribution own = distribution.of(g);
    const float* of_row = output.at(g, row);
    const uint8_t* avail = r.avail_actions + from * r.num_actions;
    const void* action = own.at(r.actions, from);
    PpoSample sample{r.log_probs[from], r.advantages[from]};
    if (norm_adv) {
      const double* moments = all_moments + 2 * g;
      const double mean = moments[0] / rows, variance = moments[1] / rows - mean * mean;
      sample.advantage = static_cast<float>((sample.advantage - mean) / (sqrt(variance > 0 ? variance : 0) + 1e-8));
    }
    float log_prob, entropy;
    PpoGradient gradient;
    own.evaluate(of_row, avail, action, &log_prob, &entropy);
    PpoCoefficients present = coefficients;
    if (anneal_ent) present.ent_coef *= schedule->learning_rate / full_rate;
    PpoTerms t = policy_loss(log_prob, entropy, sample, present, &gradient);
    own.backward(of_row, avail, action, scale * gradient.log_prob, scale * gradient.entropy, d_output.at(g, row),
                 d_log_std + (g * rows + row) * r.action_dim);
    for (int v = 0; v < r.num_values; ++v) {
      const int64_t k = from * r.num_values + v;
      float slope;
      t.value_loss += value_loss(values.at(g, row)[v], r.values[k], r.returns[k], coefficients, &slope);
      d_values.at(g, row)[v] = of_value * slope;
    }
    t.value_loss /= static_cast<float>(r.num_values);
    const float all[kPpoTerms] = {t.policy_loss, t.value_loss, t.entropy, t.approx_kl, t.clipfrac, t.ratio_error};
    for (int k = 0; k < kPpoTerms; ++k) terms[k] += all[k];
  };
  sum_rows<kPpoTerms>(*device_, reducer_, groups_.count, rows, sums, kSlot, add_loss);
}

void Ppo::compute_gradients(double* square_norms) {
  policy_.backward(compute(), minibatch_steps(), minibatch_sequences(), batch_seen_by_policy(), batch_resets_);
  if (rollout_.num_actions == 0) {
    const int dim = rollout_.action_dim;
    const int64_t rows = minibatch_rows();
    const float* d = d_log_std_;
    sum_columns(*device_, reducer_, groups_, rows, dim, gradients_ + log_std_,
                [=] THRONG_BODY(int g, int64_t row, int k) { return d[(g * rows + row) * dim + k]; });
  }
  if (critic_) {
    critic_->backward(compute(), minibatch_steps(), minibatch_sequences(), batch_seen_by_critic(), batch_resets_);
  }
  const float* gradients = gradients_;
  const int64_t split = this->split(), apart = groups_.apart;
  sum_rows<2>(*device_, reducer_, groups_.count, layout_.size(), square_norms, kSlot,
              [=] THRONG_BODY(int g, int64_t i, double(&sums)[2]) {
                const double of = gradients[g * apart + i];
                sums[i >= split] += of * of;
              });
}

// After the last step: what the run counts, and how well the values at acting time explained the returns.
void Ppo::count_update(int steps) {
  const Rollout r = rollout_;
  Schedule* schedule = schedule_;
  Backend::each(*device_, 1, [=] THRONG_BODY(int64_t) {
    ++schedule->updates;
    schedule->steps += steps;
  });
  const int64_t rows = num_rows() * r.num_values, all_rows = r.rows() * r.num_values;
  sum_rows<4>(*device_, reducer_, groups_.count, r.num_steps * rows, variances_, 4,
              [=] THRONG_BODY(int g, int64_t sample, double(&sums)[4]) {
                const int64_t t = sample / rows, i = t * all_rows + g * rows + sample % rows;
                const double value = r.returns[i], error = r.returns[i] - r.values[i];
                sums[0] += value;
                sums[1] += value * value;
                sums[2] += error;
                sums[3] += error * error;
              });
}

void Ppo::send_metrics(double* sums) {
  copy(sums, slots_, slots() * sizeof(double));
  copy(sums + slots(), variances_, variances() * sizeof(double));
}

std::vector<UpdateMetrics> Ppo::metrics_of(const double* sums) const {
  const int minibatches = num_minibatches();
  const double samples = static_cast<double>(minibatch_rows()) * minibatches;
  const double n = static_cast<double>(num_pairs()) * rollout_.num_agents * rollout_.num_values;
  std::vector<UpdateMetrics> all(groups_.count);
  for (int group = 0; group < groups_.count; ++group) {
    UpdateMetrics& m = all[group];
    for (int i = 0; i < minibatches; ++i) {
      const double* slot = sums + (size_t(i) * groups_.count + group) * kSlot;
      m.policy_loss += slot[0] / samples;
      m.value_loss += slot[1] / samples;
      m.entropy += slot[2] / samples;
      m.approx_kl += slot[3] / samples;
      m.clipfrac += slot[4] / samples;
      m.grad_norm += std::sqrt(slot[kPpoTerms] + slot[kPpoTerms + 1]) / minibatches;
      if (i == 0) m.first_ratio_error = slot[5] / static_cast<double>(minibatch_rows());
    }
    const double* of = sums + slots() + 4 * group;
    const double of_returns = of[1] / n - of[0] / n * (of[0] / n), of_errors = of[3] / n - of[2] / n * (of[2] / n);
    m.explained_variance = of_returns > 0 ? 1 - of_errors / of_returns : 0;
  }
  return all;
}

}  // namespace throng
