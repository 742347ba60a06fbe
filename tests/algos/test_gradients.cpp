// PPO's gradients against finite differences of the reference in double precision: every parameter of every kind of network.
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "algos/ppo.hpp"
#include "tests/algos/reference.hpp"
#include "tests/algos/synthetic.hpp"

using namespace throng;
using Catch::Approx;
using reference::Vector;

namespace {

std::vector<Vector> rows_of(const std::vector<float>& numbers, int dim) {
  std::vector<Vector> rows;
  for (size_t i = 0; i + dim <= numbers.size(); i += dim)
    rows.emplace_back(numbers.begin() + i, numbers.begin() + i + dim);
  return rows;
}

std::vector<float> normalised(std::vector<float> advantages) {
  double mean = 0, square = 0;
  for (float a : advantages) mean += a / double(advantages.size());
  for (float a : advantages) square += (a - mean) * (a - mean) / double(advantages.size());
  for (float& a : advantages) a = static_cast<float>((a - mean) / (std::sqrt(square) + 1e-8));
  return advantages;
}

// What agents see as the networks' reference takes it: with one-hot codes, and of a central critic with the agent's number.
void append_id(std::vector<Vector>& rows, int agents) {
  for (size_t i = 0; i < rows.size(); ++i) {
    for (int agent = 0; agent < agents; ++agent) rows[i].push_back(static_cast<int>(i % agents) == agent);
  }
}

std::vector<Vector> seen_by_policy(const Rollout& r, const EnvSpec& spec) {
  const int64_t samples = r.num_steps * r.rows();
  const auto* obs = reinterpret_cast<const float*>(r.obs);
  if (spec.pixels) {
    std::vector<float> shares(samples * r.obs_dim);
    for (size_t i = 0; i < shares.size(); ++i) shares[i] = r.obs[i] / 255.0f;
    return rows_of(shares, r.obs_dim);
  }
  if (spec.obs_dtype == "F32") return rows_of({obs, obs + samples * r.obs_dim}, r.obs_dim);
  std::vector<Vector> rows(samples, Vector(r.obs_dim * synthetic::kCodes, 0.0));
  for (int64_t i = 0; i < samples * r.obs_dim; ++i)
    rows[i / r.obs_dim][i % r.obs_dim * synthetic::kCodes + r.obs[i]] = 1;
  return rows;
}

std::vector<Vector> seen_by_critic(const Rollout& r, const EnvSpec& spec, const TrainConfig& config) {
  const std::vector<Vector> own = seen_by_policy(r, spec);
  if (!config.central_critic()) return own;
  std::vector<Vector> rows;
  for (int64_t pair = 0; pair < int64_t(r.num_steps) * r.num_envs; ++pair) {
    Vector world;
    if (r.world_state_dim > 0) {
      world.assign(r.world_state + pair * r.world_state_dim, r.world_state + (pair + 1) * r.world_state_dim);
    } else {
      for (int a = 0; a < r.num_agents; ++a) {
        const Vector& one = own[pair * r.num_agents + a];
        world.insert(world.end(), one.begin(), one.end());
      }
    }
    rows.insert(rows.end(), r.num_agents, world);
  }
  if (config.agent_id) append_id(rows, r.num_agents);
  return rows;
}

// On the CPU everything is host memory.
reference::Batch whole_rollout(const Ppo& ppo, const EnvSpec& spec, const TrainConfig& config) {
  const Rollout& r = ppo.rollout();
  const int64_t samples = r.num_steps * r.rows();
  reference::Batch b;
  b.steps = r.num_steps;
  b.envs = r.num_envs;
  b.agents = r.num_agents;
  b.num_actions = r.num_actions;
  for (int h = 0; h < spec.num_heads(); ++h) b.heads.push_back(spec.choices(h));
  b.policy_image = {spec.obs_grid, spec.obs_dtype == "U8" && !spec.pixels ? synthetic::kCodes : 1};
  b.critic_image = b.policy_image;
  if (config.central_critic()) b.critic_image.grid.planes *= r.world_state_dim > 0 ? 0 : r.num_agents;
  b.policy_sees = seen_by_policy(r, spec);
  b.critic_sees = seen_by_critic(r, spec, config);
  if (config.actor_id) append_id(b.policy_sees, r.num_agents);
  if (config.actor_id && !config.central_critic()) append_id(b.critic_sees, r.num_agents);
  b.goals = r.goal.dim() > 0 ? rows_of({r.goals, r.goals + samples * r.goal.dim()}, r.goal.dim())
                             : std::vector<Vector>(samples);
  for (int n = 0; n < 2; ++n) {
    const float* states = ppo.start_states(n);
    const int dim = ppo.state_dim();
    b.states[n] = states ? rows_of({states, states + r.rows() * dim}, dim) : std::vector<Vector>(r.rows());
  }
  b.resets.assign(r.resets, r.resets + samples);
  b.avail.assign(r.avail_actions, r.avail_actions + samples * r.num_actions);
  if (spec.continuous > 0) {
    const auto* numbers = static_cast<const float*>(r.actions);
    b.numbers = rows_of({numbers, numbers + samples * r.action_dim}, r.action_dim);
  } else {
    const auto* actions = static_cast<const int32_t*>(r.actions);
    b.actions.assign(actions, actions + samples * r.action_dim);
  }
  b.log_probs.assign(r.log_probs, r.log_probs + samples);
  b.values = rows_of({r.values, r.values + samples * r.num_values}, r.num_values);
  b.returns = rows_of({r.returns, r.returns + samples * r.num_values}, r.num_values);
  b.advantages = normalised({r.advantages, r.advantages + samples});
  return b;
}

// The loss has kinks: clipping, the larger of two losses, relu. A sample may lie so near to one that rounding decides on which
// side it is; the derivative is then that of either side. So a gradient is held against the slopes to the left and to the right
// of a point: it has to be one of the two or between them, and away from kinks the two are the same.
struct Slopes {
  double left, right;
  double distance(double gradient) const {
    return std::max({0.0, std::min(left, right) - gradient, gradient - std::max(left, right)});
  }
};

class OneSided {
 public:
  OneSided(const Parameters& layout, const Vector& block, const reference::Batch& batch, const TrainConfig& config)
      : layout_(layout), batch_(batch), config_(config), here_(loss(block)) {}

  // Along parameter i; `block` is as it was afterwards.
  Slopes at(Vector& block, int64_t i) const {
    constexpr double kStep = 1e-6;  // small, so that what bends the loss between the two sides is far below rounding
    const double before = block[i];
    block[i] = before + kStep;
    const double up = loss(block);
    block[i] = before - kStep;
    const double down = loss(block);
    block[i] = before;
    return {(here_ - down) / kStep, (up - here_) / kStep};
  }

 private:
  double loss(const Vector& block) const { return reference::loss(layout_, block, batch_, config_); }

  const Parameters& layout_;
  const reference::Batch& batch_;
  const TrainConfig& config_;
  double here_;
};

// Two rollouts, so that recurrent states do not begin at zero; then parameters move away from those that acted, so that ratios
// differ from 1 and some are clipped.
void check_gradients(TrainConfig config, const EnvSpec& spec, float moved) {
  auto device = open_device("cpu");
  const size_t first_of_second_head = spec.num_heads() > 0 ? spec.choices(0) % spec.num_actions : 0;
  config.num_minibatches = 1;
  Ppo ppo(device, spec, config.num_envs, {config});
  synthetic::fill(ppo, *device, key(10), first_of_second_head);
  ppo.learn(0.0f);
  synthetic::fill(ppo, *device, key(11), first_of_second_head);
  ppo.mark_resets(config.num_steps);
  ppo.set_goals(config.num_steps);
  ppo.compute_values();
  ppo.compute_slopes();
  ppo.compute_returns();
  std::vector<float> parameters(ppo.parameter_block(), ppo.parameter_block() + ppo.layout().size());
  const auto noise = synthetic::numbers(parameters.size(), key(12), -moved, moved);
  for (size_t i = 0; i < parameters.size(); ++i) parameters[i] += noise[i];
  upload(*device, ppo.parameter_block(), parameters);

  ppo.set_order(0);
  ppo.gather(0);
  ppo.sum_advantages(0);
  std::vector<double> sums(kPpoTerms), norms(2);
  ppo.compute_loss(0, sums.data());
  ppo.compute_gradients(norms.data());
  const float* gradients = ppo.gradient_block();

  const reference::Batch batch = whole_rollout(ppo, spec, config);
  Vector block(parameters.begin(), parameters.end());
  const OneSided one_sided(ppo.layout(), block, batch, config);
  double largest = 0, error = 0, error_if_wrong = 0, square = 0;
  for (const Parameter& piece : ppo.layout().pieces()) {
    double of_piece = 0;
    for (int64_t k = 0; k < piece.size(); ++k) {
      const int64_t i = piece.at(k);
      const Slopes slopes = one_sided.at(block, i);
      error = std::max(error, slopes.distance(gradients[i]));
      error_if_wrong = std::max(error_if_wrong, slopes.distance(1.1 * gradients[i]));
      of_piece = std::max(of_piece, std::abs(double(gradients[i])));
      square += double(gradients[i]) * gradients[i];
    }
    INFO(piece.name);
    CHECK(of_piece > 0);  // every layer learns
    largest = std::max(largest, of_piece);
  }
  const double rounding = 2e-5 * std::max(1.0, largest);
  CHECK(largest > 1e-2);
  CHECK(error < rounding);
  CHECK(error_if_wrong > 2 * rounding);  // gradients wrong by a tenth would be found out
  CHECK(norms[0] + norms[1] == Approx(square).epsilon(1e-6));
  CHECK((norms[1] > 0) == !config.share_layers);
}

EnvSpec with_codes(EnvSpec spec) {
  spec.obs_dtype = "U8";
  spec.obs_high = synthetic::kCodes - 1;
  return spec;
}

EnvSpec with_numbers(EnvSpec spec) {
  spec.num_actions = 0;
  spec.continuous = 3;
  return spec;
}

EnvSpec with_objectives(EnvSpec spec) {
  spec.num_objectives = 3;
  spec.objectives = {"one", "two", "three"};
  return spec;
}

EnvSpec with_heads(EnvSpec spec) {
  spec.heads = {2, {2, spec.num_actions - 2}};
  return spec;
}

EnvSpec with_grid(EnvSpec spec, ObsGrid grid) {
  spec.obs_grid = grid;
  spec.obs_dim = grid.planes * grid.cells();
  return spec;
}

TrainConfig with_cnn(TrainConfig config) {
  config.cnn = {4, 4};
  config.hidden_sizes = {6};
  return config;
}

TrainConfig recurrent() {
  TrainConfig config = synthetic::config();
  config.num_envs = 4;
  config.hidden_sizes = {6};
  config.gru_size = 8;
  config.head_sizes = {5};
  return config;
}

}  // namespace

TEST_CASE("gradients of feed-forward networks agree with finite differences") {
  TrainConfig config = synthetic::config();
  SECTION("tanh") { check_gradients(config, synthetic::spec(), 0.05f); }
  SECTION("relu") {
    config.activation = kRelu;
    check_gradients(config, synthetic::spec(), 0.05f);
  }
  SECTION("clipping is felt") { check_gradients(config, synthetic::spec(), 0.4f); }
  SECTION("without value clipping, with a strong entropy bonus") {
    config.clip_vloss = false;
    config.ent_coef = 0.5f;
    check_gradients(config, synthetic::spec(), 0.2f);
  }
  SECTION("shared layers with heads") {
    config.share_layers = true;
    config.head_sizes = {6};
    check_gradients(config, synthetic::spec(), 0.1f);
  }
  SECTION("a central critic on the world state") {
    config.algo = kMappo;
    check_gradients(config, synthetic::spec(), 0.07f);
  }
  SECTION("a central critic on all observations, without the agents' numbers") {
    config.algo = kMappo;
    config.agent_id = false;
    check_gradients(config, synthetic::spec(3, 4, 5, 3, 0), 0.1f);
  }
}

TEST_CASE("gradients with several choices per action, and of codes, agree with finite differences") {
  TrainConfig config = synthetic::config();
  SECTION("heads") { check_gradients(config, with_heads(synthetic::spec()), 0.06f); }
  SECTION("codes") { check_gradients(config, with_codes(synthetic::spec()), 0.1f); }
  SECTION("codes of all agents, seen by a central critic") {
    config.algo = kMappo;
    check_gradients(config, with_codes(synthetic::spec(2, 4, 5, 3, 0)), 0.1f);
  }
  SECTION("all of it") {
    config = recurrent();
    config.algo = kMappo;
    check_gradients(config, with_heads(with_codes(synthetic::spec(2, 5, 5, 3, 0))), 0.1f);
  }
}

TEST_CASE("gradients of numbers as actions agree with finite differences") {
  TrainConfig config = synthetic::config();
  SECTION("feed-forward") { check_gradients(config, with_numbers(synthetic::spec()), 0.05f); }
  SECTION("recurrent, clipping is felt, a strong entropy bonus") {
    config = recurrent();
    config.ent_coef = 0.5f;
    check_gradients(config, with_numbers(synthetic::spec()), 0.3f);
  }
}

TEST_CASE("gradients with several objectives agree with finite differences") {
  TrainConfig config = synthetic::config();
  config.algo = kMoIppo;
  config.norm_rewards = true;
  const EnvSpec spec = with_objectives(synthetic::spec());
  SECTION("weights told") { check_gradients(config, spec, 0.07f); }
  SECTION("agents know their numbers and have weights of their own") {
    config.actor_id = config.weights_per_agent = true;
    check_gradients(config, spec, 0.07f);
  }
  SECTION("shared layers, utility of every episode") {
    config.share_layers = true;
    config.criterion = kEsr;
    config.utility = Scalarizer::kChebyshev;
    config.references = {3, {1, 1, 1}};
    check_gradients(config, spec, 0.07f);
  }
  SECTION("a central critic, utility of the mean") {
    config.algo = kMoMappo;
    config.utility = Scalarizer::kThresholded;
    config.references = {3, {-2, 0.1f, 0.1f}};
    check_gradients(config, spec, 0.07f);
  }
  SECTION("codes of all agents, a central critic, numbers, recurrent") {
    config = recurrent();
    config.algo = kMoMappo;
    config.actor_id = true;
    check_gradients(config, with_numbers(with_objectives(with_codes(synthetic::spec(2, 5, 5, 3, 0)))), 0.1f);
  }
}

TEST_CASE("gradients of convolutions agree with finite differences") {
  TrainConfig config = with_cnn(synthetic::config());
  config.num_envs = 3;
  SECTION("of codes, shared") {
    config.share_layers = true;
    check_gradients(config, with_grid(with_codes(synthetic::spec()), {1, 4, 5}), 0.1f);
  }
  SECTION("of planes of numbers, with kernels and strides of their own, without a border") {
    config.cnn_kernels = {3, 2};
    config.cnn_strides = {2, 1};
    config.cnn_padding = kValid;
    check_gradients(config, with_grid(synthetic::spec(), {2, 7, 6}), 0.1f);
  }
  SECTION("strides with a border that is not the same on both sides") {
    config.cnn_kernels = {4, 3};
    config.cnn_strides = {2};
    config.activation = kRelu;
    check_gradients(config, with_grid(synthetic::spec(), {1, 5, 6}), 0.1f);
  }
  SECTION("of pixels") {
    EnvSpec spec = with_grid(with_codes(synthetic::spec()), {2, 6, 5});
    spec.pixels = true;
    config.cnn_strides = {2, 1};
    check_gradients(config, spec, 0.4f);
  }
  SECTION("of codes of all agents, seen by a central critic, before a recurrent core") {
    config.algo = kMappo;
    config.num_envs = 4;
    config.gru_size = 4;
    config.cnn = {4};
    check_gradients(config, with_grid(with_codes(synthetic::spec(2, 4, 5, 3, 0)), {1, 3, 3}), 0.1f);
  }
  SECTION("of the policy, while the critic sees the world state") {
    config.algo = kMappo;
    check_gradients(config, with_grid(with_codes(synthetic::spec()), {1, 3, 4}), 0.1f);
  }
}

TEST_CASE("gradients of recurrent networks agree with finite differences") {
  TrainConfig config = recurrent();
  SECTION("shared, as JaxMARL's IPPO") {
    config.share_layers = true;
    check_gradients(config, synthetic::spec(), 0.05f);
  }
  SECTION("shared, relu") {
    config.share_layers = true;
    config.activation = kRelu;
    check_gradients(config, synthetic::spec(), 0.2f);
  }
  SECTION("separate, a deeper trunk and no layers after the core") {
    config.hidden_sizes = {6, 7};
    config.head_sizes = {};
    check_gradients(config, synthetic::spec(), 0.1f);
  }
  SECTION("central critic, as JaxMARL's MAPPO") {
    config.algo = kMappo;
    check_gradients(config, synthetic::spec(3, 4, 5, 3, 6), 0.1f);
  }
}
