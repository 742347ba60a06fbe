// PPO with several objectives: whose weights and earnings networks are told, slopes of utilities, the scale of rewards.
#include "algos/ppo.hpp"

namespace throng {

// ---- goals ----

Preference Ppo::preference() const {
  return {rollout_.goal,
          config_.weights.size > 0 ? fixed_weights_ : nullptr,
          config_.weights_per_agent ? 1 : rollout_.num_agents,
          num_rows(),
          keys_ + kPrefer,
          kPurposes};
}

void Ppo::begin_goals() {
  const Rollout r = rollout_;
  if (r.goal.dim() == 0) return;
  const Preference preference = this->preference();
  float* to = r.goals_at(r.num_steps);
  Backend::each(*device_, r.rows(),
                [=] THRONG_BODY(int64_t row) { preference.begin(row, 0, 0, to + row * r.goal.dim()); });
}

void Ppo::set_goals(int t) {
  const Rollout r = rollout_;
  const int dim = r.goal.dim();
  if (dim == 0 || t == 0) return;
  const Preference preference = this->preference();
  const Pursuit pursuit = pursuit_;
  const float* from = r.goals_at(t - 1);
  float* to = r.goals_at(t);
  const int64_t before = (t - 1) * r.rows();
  const Schedule* schedule = schedule_;
  Backend::each(*device_, r.rows(), [=] THRONG_BODY(int64_t row) {
    float* goal = to + row * dim;
    if (r.terminated[before + row] || r.truncated[before + row])
      return preference.begin(row, schedule->updates, t, goal);
    for (int k = 0; k < dim; ++k) goal[k] = from[row * dim + k];
    pursuit.add_earned(r, before + row, goal);
  });
}

// Where step t cut an episode short: the goals as they would have gone on.
void Ppo::keep_final_goals(int t) {
  const Rollout r = rollout_;
  const int dim = r.goal.dim();
  if (dim == 0) return;
  const Pursuit pursuit = pursuit_;
  const float* from = r.goals_at(t);
  Backend::each(*device_, r.rows(), [=] THRONG_BODY(int64_t row) {
    const int slot = r.final_slot[int64_t(t) * r.num_envs + row / r.num_agents];
    if (slot < 0) return;
    float* goal = r.final_goals + (slot * r.rows() + row) * dim;
    for (int k = 0; k < dim; ++k) goal[k] = from[row * dim + k];
    pursuit.add_earned(r, t * r.rows() + row, goal);
  });
}

// Of the rows from `first` on, for a policy that acts on other buffers.
void Ppo::copy_goals(int64_t first, int64_t count, const float* goals) {
  const Goal goal = rollout_.goal;
  const int dim = goal.dim();
  if (dim == 0) return;
  if (goals) return copy(batch_goals_, goals + first * dim, sizeof(float) * count * dim);
  float* to = batch_goals_;
  each_element(*device_, 1, count, dim, [=] THRONG_BODY(int, int64_t row, int k) {
    to[row * dim + k] = k < goal.weights ? 1.0f / static_cast<float>(goal.weights) : 0.0f;
  });
}

void Ppo::add_earned(int64_t rows, const float* rewards, float* goals, int group) {
  const Goal goal = rollout_.goal;
  const float* scale = scale_ + group * rollout_.num_objectives;
  if (goal.earned == 0) return;
  each_element(*device_, 1, rows, goal.earned, [=] THRONG_BODY(int, int64_t row, int j) {
    goals[row * goal.dim() + goal.weights + j] += rewards[row * goal.earned + j] * scale[j];
  });
}

// ---- utilities that are not linear ----

// The slope of a mean outcome's utility, with the critic's values of an episode's first observation as the mean outcome.
void Ppo::compute_slopes() {
  if (!pursuit_.slopes_vary) return;
  const Rollout r = rollout_;
  const int d = r.num_objectives;
  const Pursuit pursuit = pursuit_;
  const Schedule* schedule = schedule_;
  float *first_values = first_values_, *slopes = slopes_;
  Backend::each(*device_, r.rows(), [=] THRONG_BODY(int64_t row) {
    float* first = first_values + row * d;
    for (int t = 0; t < r.num_steps; ++t) {
      const int64_t i = t * r.rows() + row;
      const bool begins = t == 0 ? schedule->updates == 0 : r.terminated[i - r.rows()] || r.truncated[i - r.rows()];
      for (int j = 0; begins && j < d; ++j) first[j] = r.values[i * d + j];
      pursuit.utility[pursuit.group_of(r, row)].gradient(r.goals + i * r.goal.dim(), first, slopes + i * d);
    }
    const int64_t last = (r.num_steps - 1) * r.rows() + row, next = last + r.rows();
    if (!r.terminated[last] && !r.truncated[last]) return;
    for (int j = 0; j < d; ++j) first[j] = r.values[next * d + j];
  });
}

// ---- the scale of rewards ----

void Ppo::measure_returns() {
  if (!config_.norm_rewards) return;
  const Rollout r = rollout_;
  const float gamma = config_.gamma;
  const int64_t own_rows = num_rows();
  float* running = running_;
  for (int j = 0; j < r.num_objectives; ++j) {
    auto add_row = [=] THRONG_BODY(int group, int64_t own_row, double(&sums)[3]) {
      const int64_t row = group * own_rows + own_row;
      float sum = running[row * r.num_objectives + j];
      for (int t = 0; t < r.num_steps; ++t) {
        const int64_t i = t * r.rows() + row;
        sum = gamma * sum + r.rewards[i * r.num_objectives + j];
        sums[0] += 1;
        sums[1] += sum;
        sums[2] += double(sum) * sum;
        if (r.terminated[i] || r.truncated[i]) sum = 0;
      }
      running[row * r.num_objectives + j] = sum;
    };
    sum_rows<3>(*device_, reducer_, groups_.count, own_rows, new_spread_ + 3 * j, 3 * r.num_objectives, add_row);
  }
}

// An objective that has never varied keeps the scale 1.
void Ppo::scale_objectives() {
  const bool normalise = config_.norm_rewards;
  const int d = rollout_.num_objectives;
  Scalarizer utility;
  utility.kind = static_cast<Scalarizer::Kind>(config_.utility);
  utility.num_objectives = d;
  for (int j = 0; j < config_.references.size; ++j) utility.reference[j] = config_.references[j];
  Scalarizer* utilities = utility_;
  double *spread = spread_, *new_spread = new_spread_;
  float* scale = scale_;
  each_element(*device_, groups_.count, 1, 1, [=] THRONG_BODY(int group, int64_t, int) {
    Scalarizer& own = utilities[group] = utility;
    for (int j = 0; j < d; ++j) {
      double *all = spread + 3 * (group * d + j), *last = new_spread + 3 * (group * d + j);
      for (int k = 0; normalise && k < 3; ++k) {
        all[k] += last[k];
        last[k] = 0;
      }
      const double mean = all[0] > 0 ? all[1] / all[0] : 0, variance = all[0] > 0 ? all[2] / all[0] - mean * mean : 0;
      const float now = variance > 1e-12 ? static_cast<float>(1 / sqrt(variance)) : 1.0f;
      scale[group * d + j] = now;
      own.reference[j] *= now;
    }
  });
}

}  // namespace throng
