// PPO with several objectives: whose weights and earnings networks are told, slopes of utilities, the scale of rewards.
#include "algos/ppo.hpp"

namespace throng {

namespace {

// Where the weights of an agent's new episode come from: fixed ones, or a draw from the simplex, of all agents of an
// environment together or of each.
struct Preference {
  Goal goal;
  FixedList<float, kMaxObjectives> fixed;
  int sharing;  // agents of one draw
  Key key;

  THRONG_HD void begin(int64_t row, uint32_t updates, int t, float* to) const {
    if (fixed.size == 0 && goal.weights > 0) {
      const Rng rng{fold_in(fold_in(key, updates), static_cast<uint32_t>(t))};
      sample_weights(rng, static_cast<uint32_t>(row / sharing), goal.weights, to);
    }
    for (int j = 0; j < fixed.size; ++j) to[j] = fixed[j];
    for (int j = 0; j < goal.earned; ++j) to[goal.weights + j] = 0;
  }
};

Preference preference_of(const TrainConfig& config, const Rollout& r, Key key) {
  return {r.goal, config.weights, config.weights_per_agent ? 1 : r.num_agents, key};
}

}  // namespace

// ---- goals ----

void Ppo::begin_goals() {
  const Rollout r = rollout_;
  if (r.goal.dim() == 0) return;
  const Preference preference = preference_of(config_, r, fold_in(key_, kPrefer));
  float* to = r.goals_at(r.num_steps);
  Backend::each(*device_, r.rows(),
                [=] THRONG_BODY(int64_t row) { preference.begin(row, 0, 0, to + row * r.goal.dim()); });
}

void Ppo::set_goals(int t) {
  const Rollout r = rollout_;
  const int dim = r.goal.dim();
  if (dim == 0 || t == 0) return;
  const Preference preference = preference_of(config_, r, fold_in(key_, kPrefer));
  const float *from = r.goals_at(t - 1), *scale = scale_;
  float* to = r.goals_at(t);
  const int64_t before = (t - 1) * r.rows();
  const Schedule* schedule = schedule_;
  Backend::each(*device_, r.rows(), [=] THRONG_BODY(int64_t row) {
    float* goal = to + row * dim;
    if (r.terminated[before + row] || r.truncated[before + row])
      return preference.begin(row, schedule->updates, t, goal);
    for (int k = 0; k < dim; ++k) goal[k] = from[row * dim + k];
    for (int j = 0; j < r.goal.earned; ++j)
      goal[r.goal.weights + j] += r.rewards[(before + row) * r.num_objectives + j] * scale[j];
  });
}

// Where step t cut an episode short: the goals as they would have gone on.
void Ppo::keep_final_goals(int t) {
  const Rollout r = rollout_;
  const int dim = r.goal.dim();
  if (dim == 0) return;
  const float *from = r.goals_at(t), *scale = scale_;
  Backend::each(*device_, r.rows(), [=] THRONG_BODY(int64_t row) {
    const int slot = r.final_slot[int64_t(t) * r.num_envs + row / r.num_agents];
    if (slot < 0) return;
    float* goal = r.final_goals + (slot * r.rows() + row) * dim;
    for (int k = 0; k < dim; ++k) goal[k] = from[row * dim + k];
    for (int j = 0; j < r.goal.earned; ++j)
      goal[r.goal.weights + j] += r.rewards[(t * r.rows() + row) * r.num_objectives + j] * scale[j];
  });
}

// Of the rows from `first` on, for a policy that acts on other buffers.
void Ppo::copy_goals(int64_t first, int64_t count, const float* goals) {
  const Goal goal = rollout_.goal;
  const int dim = goal.dim();
  if (dim == 0) return;
  if (goals) return copy(batch_goals_, goals + first * dim, sizeof(float) * count * dim);
  float* to = batch_goals_;
  each_element(*device_, count, dim, [=] THRONG_BODY(int64_t row, int k) {
    to[row * dim + k] = k < goal.weights ? 1.0f / static_cast<float>(goal.weights) : 0.0f;
  });
}

void Ppo::add_earned(int64_t rows, const float* rewards, float* goals) {
  const Goal goal = rollout_.goal;
  const float* scale = scale_;
  if (goal.earned == 0) return;
  each_element(*device_, rows, goal.earned, [=] THRONG_BODY(int64_t row, int j) {
    goals[row * goal.dim() + goal.weights + j] += rewards[row * goal.earned + j] * scale[j];
  });
}

// ---- utilities that are not linear ----

// The slope of a mean outcome's utility, with the critic's values of an episode's first observation as the mean outcome.
void Ppo::compute_slopes() {
  if (!pursuit_.slopes_vary) return;
  const Rollout r = rollout_;
  const int d = r.num_objectives;
  const Scalarizer* utility = utility_;
  const Schedule* schedule = schedule_;
  float *first_values = first_values_, *slopes = slopes_;
  Backend::each(*device_, r.rows(), [=] THRONG_BODY(int64_t row) {
    float* first = first_values + row * d;
    for (int t = 0; t < r.num_steps; ++t) {
      const int64_t i = t * r.rows() + row;
      const bool begins = t == 0 ? schedule->updates == 0 : r.terminated[i - r.rows()] || r.truncated[i - r.rows()];
      for (int j = 0; begins && j < d; ++j) first[j] = r.values[i * d + j];
      utility->gradient(r.goals + i * r.goal.dim(), first, slopes + i * d);
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
  for (int j = 0; j < r.num_objectives; ++j) {
    float* running = running_;
    sum_rows<3>(*device_, reducer_, r.rows(), new_spread_ + 3 * j, [=] THRONG_BODY(int64_t row, double(&sums)[3]) {
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
    });
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
  Scalarizer* scaled = utility_;
  double *spread = spread_, *new_spread = new_spread_;
  float* scale = scale_;
  Backend::each(*device_, 1, [=] THRONG_BODY(int64_t) {
    *scaled = utility;
    for (int j = 0; j < d; ++j) {
      double* s = spread + 3 * j;
      for (int k = 0; normalise && k < 3; ++k) {
        s[k] += new_spread[3 * j + k];
        new_spread[3 * j + k] = 0;
      }
      const double mean = s[0] > 0 ? s[1] / s[0] : 0, variance = s[0] > 0 ? s[2] / s[0] - mean * mean : 0;
      scale[j] = variance > 1e-12 ? static_cast<float>(1 / sqrt(variance)) : 1.0f;
      scaled->reference[j] = utility.reference[j] * scale[j];
    }
  });
}

}  // namespace throng
