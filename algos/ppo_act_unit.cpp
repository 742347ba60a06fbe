// PPO acting: from a slab of observations to actions, in a rollout and elsewhere.
#include <algorithm>

#include "algos/ppo.hpp"
#include "core/error.hpp"

namespace throng {

void Ppo::begin_rollout() {
  const Rollout& r = rollout_;
  const int last = r.num_steps;
  const int64_t rows = r.rows();
  copy(r.obs, r.obs_at(last), rows * r.obs_bytes);
  copy(r.avail_actions, r.avail_actions + last * rows * r.num_actions, rows * r.num_actions);
  if (r.world_state) copy(r.world_state, r.world_state_at(last), sizeof(float) * r.num_envs * r.world_state_dim);
  copy(r.goals, r.goals_at(last), sizeof(float) * rows * r.goal.dim());
  device_->fill_zero(r.final_count, sizeof(int32_t) * r.num_envs);
  if (!recurrent()) return;
  copy(r.active, r.active + last * rows, rows);
  copy(r.resets, r.resets + last * rows, rows);
  for (const States& states : states_) {
    if (states.start) copy(states.start, states.next, sizeof(float) * rows * state_dim());
  }
}

// Recurrent state begins anew where the episode ended in the step before, and as long as an agent is not active.
void Ppo::mark_resets(int t) {
  if (!recurrent() || t == 0) return;
  const Rollout r = rollout_;
  const int64_t here = t * r.rows(), before = (t - 1) * r.rows();
  const bool at_end = config_.reset_at_episode_end;
  Backend::each(*device_, r.rows(), [=] THRONG_BODY(int64_t row) {
    const bool ended = r.terminated[before + row] || r.truncated[before + row];
    r.resets[here + row] = (at_end && ended) || !r.active[here + row];
  });
}

Distribution Ppo::distribution() const {
  return {heads_, {rollout_.num_actions == 0 ? rollout_.action_dim : 0, groups_.apart, parameters_ + log_std_}};
}

void Ppo::act(int t) {
  const Rollout r = rollout_;
  const Distribution distribution = this->distribution();
  const int64_t rows = num_rows(), here = t * r.rows();
  const States& states = states_[0];
  mark_resets(t);
  set_goals(t);
  policy_.forward(compute(), 1, rows, seen_by_policy(t), r.resets + here, of_slab(states.next));
  void* actions = r.actions_at(t);
  const Rows output = policy_.output(0), values = critic_ ? Rows{} : policy_.output(1);
  const Schedule* schedule = schedule_;
  const Key* keys = keys_;
  Backend::each(*device_, r.rows(), [=] THRONG_BODY(int64_t at) {
    const auto group = static_cast<int>(at / rows);
    const int64_t row = at - group * rows, i = here + at;
    const Key sampling = keys[group * kPurposes + kSample];
    const Key drawn = fold_in(fold_in(sampling, schedule->updates), static_cast<uint32_t>(t));
    r.log_probs[i] = distribution.of(group).choose(output.at(group, row), r.avail_actions + i * r.num_actions,
                                                   /*greedy=*/false, drawn, row, distribution.at(actions, at));
    if (r.num_actions == 0) distribution.bound(distribution.at(actions, at), r.bounded + at * r.action_dim);
    for (int v = 0; values.data && v < r.num_values; ++v) r.values[i * r.num_values + v] = values.at(group, row)[v];
  });
  if (recurrent()) copy_rows(states.next, policy_.new_states(), groups_.count, rows);
}

// To where groups follow each other without padding.
void Ppo::copy_rows(float* to, Rows from, int groups, int64_t rows) {
  const auto width = static_cast<int>(from.stride);
  if (groups == 1) return copy(to, from.data, sizeof(float) * rows * width);
  each_element(*device_, groups, rows, width,
               [=] THRONG_BODY(int g, int64_t row, int k) { to[(g * rows + row) * width + k] = from.at(g, row)[k]; });
}

void Ppo::keep_finals(int t, const Finals& finals) {
  const Rollout r = rollout_;
  if (r.finals_per_env == 0) return;
  const auto* final_obs = static_cast<const uint8_t*>(finals.obs);
  const float *final_world = finals.world_state, *states = states_[0].next;
  float* final_states = critic_ ? nullptr : states_[0].finals;  // a critic of its own sees its states later
  const int state_dim = this->state_dim();
  Backend::each(*device_, r.num_envs, [=] THRONG_BODY(int64_t e) {
    const int64_t row = e * r.num_agents;
    const bool cut = r.truncated[t * r.rows() + row];
    const int slot = cut ? r.final_count[e]++ : -1;
    r.final_slot[int64_t(t) * r.num_envs + e] = slot;
    if (!cut) return;
    const int64_t to = slot * r.rows() + row, obs = int64_t(r.num_agents) * r.obs_bytes;
    for (int64_t i = 0; i < obs; ++i) r.final_obs[to * r.obs_bytes + i] = final_obs[row * r.obs_bytes + i];
    for (int64_t i = 0; i < r.world_state_dim; ++i) {
      r.final_world_state[(int64_t(slot) * r.num_envs + e) * r.world_state_dim + i] =
          final_world[e * r.world_state_dim + i];
    }
    for (int a = 0; a < r.num_agents; ++a) r.final_resets[to + a] = !r.active[t * r.rows() + row + a];
    const int64_t numbers = final_states ? int64_t(r.num_agents) * state_dim : 0;
    for (int64_t i = 0; i < numbers; ++i) final_states[to * state_dim + i] = states[row * state_dim + i];
  });
  keep_final_goals(t);
}

void Ppo::act_on(const Observations& seen, const uint8_t* ended, float* state, int64_t rows, bool greedy, Key key,
                 uint32_t draw, void* actions, int group, const float* goals) {
  const Rollout r = rollout_;
  const Distribution distribution = this->distribution();
  const int first_group = group == kAllGroups ? 0 : group;
  const Compute c = group == kAllGroups ? compute() : compute(group);
  const int64_t most = most_sequences() / r.num_agents * r.num_agents * c.groups.count;  // whole environments
  const Key drawn = fold_in(key, draw);
  if (rows % c.groups.count != 0 || (c.groups.count > 1 && rows > most))
    throw Error("act_on: no room for " + std::to_string(rows) + " rows of " + std::to_string(c.groups.count) +
                " groups");
  const bool at_end = config_.reset_at_episode_end;
  for (int64_t first = 0; first < rows; first += most) {
    const int64_t count = std::min(most, rows - first), own = count / c.groups.count;
    copy(batch_obs_, static_cast<const uint8_t*>(seen.obs) + first * r.obs_bytes, count * r.obs_bytes);
    copy_goals(first, count, goals);
    if (recurrent()) {
      uint8_t* resets = batch_resets_;
      copy(batch_state_, state + first * state_dim(), sizeof(float) * count * state_dim());
      Backend::each(*device_, count, [=] THRONG_BODY(int64_t i) {
        resets[i] = (at_end && ended && ended[first + i]) || (seen.active && !seen.active[first + i]);
      });
    }
    policy_.forward(c, 1, own, {batch_obs_, batch_goals_}, batch_resets_,
                    {batch_state_, state_dim(), own * state_dim()});
    const Rows output = policy_.output(0);
    Backend::each(*device_, count, [=] THRONG_BODY(int64_t i) {
      const int64_t row = first + i;
      const auto group = static_cast<int>(i / own);
      void* action = distribution.at(actions, row);
      distribution.of(first_group + group)
          .choose(output.at(group, i - group * own), seen.avail_actions + row * r.num_actions, greedy, drawn, row,
                  action);
      if (r.num_actions == 0) distribution.bound(action, static_cast<float*>(action));
    });
    if (recurrent()) copy_rows(state + first * state_dim(), policy_.new_states(), c.groups.count, own);
  }
}

void Ppo::iterate(VecEnv& env, float learning_rate) {
  if (!env.replayable()) return Learner::iterate(env, learning_rate);
  if (recorded_ != &env) iteration_.forget();
  recorded_ = &env;
  set_learning_rate(learning_rate);
  iteration_.run(*device_, [&] {
    collect(env);
    learn_from_rollout();
  });
}

}  // namespace throng
