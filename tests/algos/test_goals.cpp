// Several objectives: whose weights agents are told and when, what they earned, advantages, slopes and scales; numbers as actions.
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <set>

#include "algos/ppo.hpp"
#include "tests/algos/promises.hpp"
#include "tests/algos/synthetic.hpp"
#include "tests/devices.hpp"

using namespace throng;
using Catch::Approx;

namespace {

constexpr int kObjectives = 3;

EnvSpec several(EnvSpec spec = synthetic::spec()) {
  spec.num_objectives = kObjectives;
  spec.objectives = {"one", "two", "three"};
  return spec;
}

TrainConfig weighing(Algo algo = kMoIppo) {
  TrainConfig config = synthetic::config();
  config.algo = algo;
  config.norm_rewards = true;
  return config;
}

TrainConfig every_episode(TrainConfig config) {
  config.criterion = kEsr;
  config.utility = Scalarizer::kChebyshev;
  config.references = {kObjectives, {2, 1, 3}};
  return config;
}

// One of each kind, with a game that it is for.
std::vector<std::pair<TrainConfig, EnvSpec>> kinds() {
  TrainConfig of_each = weighing(), recurrent = weighing(kMoMappo), thresholded = weighing(kMoMappo),
              shared = every_episode(weighing());
  of_each.weights_per_agent = of_each.actor_id = true;
  recurrent.hidden_sizes = {16};
  recurrent.gru_size = 12;
  recurrent.actor_id = true;
  thresholded.utility = Scalarizer::kThresholded;
  thresholded.references = {kObjectives, {-2, 0.1f, 0.1f}};
  shared.share_layers = true;
  EnvSpec numbers = several();
  numbers.num_actions = 0;
  numbers.continuous = 2;
  EnvSpec codes = several(synthetic::spec(2, 5, 7, 3, 0));
  codes.obs_dtype = "U8";
  codes.obs_high = synthetic::kCodes - 1;
  return {{of_each, several()},     {recurrent, numbers}, {recurrent, codes},
          {thresholded, several()}, {shared, several()},  {shared, numbers}};
}

// On the CPU, after two rollouts, of which the second is not learned from yet.
std::unique_ptr<Ppo> second_rollout(const std::shared_ptr<Device>& device, const TrainConfig& config,
                                    const EnvSpec& spec) {
  auto ppo = std::make_unique<Ppo>(device, spec, config.num_envs, std::vector{config});
  synthetic::fill(*ppo, *device, key(3));
  ppo->learn(1e-3f);
  synthetic::fill(*ppo, *device, key(4));
  ppo->set_goals(config.num_steps);
  return ppo;
}

}  // namespace

TEST_CASE("weights are drawn when an episode begins, and stay until it ends") {
  auto device = open_device("cpu");
  TrainConfig config = weighing();
  for (const bool of_each : {false, true}) {
    config.weights_per_agent = of_each;
    const auto ppo = second_rollout(device, config, several());
    const Rollout& r = ppo->rollout();
    REQUIRE(r.goal.dim() == kObjectives);
    int drawn = 0;
    for (int64_t i = 0; i < (r.num_steps + 1) * r.rows(); ++i) {
      const float* goal = r.goals + i * kObjectives;
      float sum = 0;
      for (int j = 0; j < kObjectives; ++j) {
        CHECK(goal[j] >= 0);
        sum += goal[j];
      }
      CHECK(sum == Approx(1));
      if (i % 2 == 1) CHECK(std::equal(goal, goal + kObjectives, goal - kObjectives) == !of_each);  // two agents
      if (i < r.rows()) continue;
      const int64_t before = i - r.rows();
      const bool ended = r.terminated[before] || r.truncated[before];
      CHECK(std::equal(goal, goal + kObjectives, r.goals + before * kObjectives) == !ended);
      drawn += ended;
    }
    CHECK(drawn > 0);
  }
}

TEST_CASE("fixed weights are told in every episode") {
  auto device = open_device("cpu");
  TrainConfig config = weighing();
  config.weights = {kObjectives, {0.5f, 0.25f, 0.25f}};
  const auto ppo = second_rollout(device, config, several());
  const Rollout& r = ppo->rollout();
  for (int64_t i = 0; i < (r.num_steps + 1) * r.rows() * kObjectives; ++i)
    CHECK(r.goals[i] == config.weights[static_cast<int>(i % kObjectives)]);
}

TEST_CASE("what was earned is told in units of the scale, and begins at 0 with an episode") {
  auto device = open_device("cpu");
  const TrainConfig config = every_episode(weighing());
  const auto ppo = second_rollout(device, config, several());
  const Rollout& r = ppo->rollout();
  const int dim = 2 * kObjectives;
  REQUIRE(r.goal.dim() == dim);
  const float* scale = ppo->pursuit().scale;
  int ends = 0, cut = 0;
  for (int64_t row = 0; row < r.rows(); ++row) {
    for (int t = 1; t <= r.num_steps; ++t) {
      const int64_t i = t * r.rows() + row, before = i - r.rows();
      const bool ended = r.terminated[before] || r.truncated[before];
      const int slot = r.final_slot[(t - 1) * r.num_envs + row / r.num_agents];
      for (int j = 0; j < kObjectives; ++j) {
        const float had = r.goals[before * dim + kObjectives + j];
        const float has = had + r.rewards[before * kObjectives + j] * scale[j];
        CHECK(r.goals[i * dim + kObjectives + j] == (ended ? 0.0f : has));
        if (slot < 0) continue;
        CHECK(r.final_goals[(slot * r.rows() + row) * dim + kObjectives + j] == has);
        CHECK(r.final_goals[(slot * r.rows() + row) * dim + j] == r.goals[before * dim + j]);
        ++cut;
      }
      ends += ended;
    }
  }
  CHECK(scale[0] != 1.0f);
  CHECK(ends > 0);
  CHECK(cut > 0);
}

TEST_CASE("an advantage is the weighted sum of those of the objectives") {
  auto device = open_device("cpu");
  const TrainConfig config = weighing();
  const auto ppo = second_rollout(device, config, several());
  ppo->compute_values();
  ppo->compute_returns();
  const Rollout& r = ppo->rollout();
  REQUIRE(r.num_values == kObjectives);
  const float* scale = ppo->pursuit().scale;
  for (int64_t row = 0; row < r.rows(); ++row) {
    for (int t = 0; t < r.num_steps; ++t) {
      const int64_t i = t * r.rows() + row;
      double expected = 0;
      for (int j = 0; j < kObjectives; ++j) {
        double advantage = 0, weight = 1;
        for (int u = t; u < r.num_steps; ++u) {
          const int64_t k = u * r.rows() + row;
          double next = r.values[(k + r.rows()) * kObjectives + j];
          if (r.terminated[k]) next = 0;
          const int slot = r.final_slot[u * r.num_envs + row / r.num_agents];
          if (slot >= 0) next = r.final_values[(slot * r.rows() + row) * kObjectives + j];
          const double reward = r.rewards[k * kObjectives + j] * scale[j];
          advantage += weight * (reward + config.gamma * next - r.values[k * kObjectives + j]);
          if (r.terminated[k] || r.truncated[k]) break;
          weight *= config.gamma * config.gae_lambda;
        }
        CHECK(r.returns[i * kObjectives + j] == Approx(advantage + r.values[i * kObjectives + j]).margin(1e-5));
        expected += r.goals[i * kObjectives + j] * advantage;
      }
      CHECK(r.advantages[i] == Approx(expected).margin(1e-5));
    }
  }
}

TEST_CASE("with the utility of every episode, rewards add up to it") {
  auto device = open_device("cpu");
  const TrainConfig config = every_episode(weighing());
  const auto ppo = second_rollout(device, config, several());
  const Rollout& r = ppo->rollout();
  const Pursuit& pursuit = ppo->pursuit();
  CHECK(r.num_values == 1);
  int whole = 0;
  for (int64_t row = 0; row < r.rows(); ++row) {
    double earned[kObjectives] = {}, utility = 0;
    bool begun = false;
    for (int t = 0; t < r.num_steps; ++t) {
      const int64_t i = t * r.rows() + row;
      utility += pursuit.reward(r, i, 0);
      for (int j = 0; j < kObjectives; ++j) earned[j] += r.rewards[i * kObjectives + j];
      if (!r.terminated[i] && !r.truncated[i]) continue;
      if (begun) {
        const float* weights = r.goals + i * r.goal.dim();
        double now = 0, before = 0;
        for (int j = 0; j < kObjectives; ++j) {
          now = std::max(now, double(weights[j]) * std::abs(config.references[j] - earned[j]) * pursuit.scale[j]);
          before = std::max(before, double(weights[j]) * config.references[j] * pursuit.scale[j]);
        }
        CHECK(utility == Approx(before - now).margin(1e-5));
        ++whole;
      }
      begun = true;
      utility = earned[0] = earned[1] = earned[2] = 0;
    }
  }
  CHECK(whole > 0);
}

TEST_CASE("slopes of a utility are its derivatives, at the values of the episode's first observation") {
  auto device = open_device("cpu");
  TrainConfig config = every_episode(weighing());
  config.criterion = kSer;
  const auto ppo = second_rollout(device, config, several());
  ppo->compute_values();
  ppo->compute_slopes();
  const Rollout& r = ppo->rollout();
  const Pursuit& pursuit = ppo->pursuit();
  int begun = 0;
  for (int64_t row = 0; row < r.rows(); ++row) {
    const float* first = nullptr;
    for (int t = 1; t < r.num_steps; ++t) {
      const int64_t i = t * r.rows() + row, before = i - r.rows();
      if (r.terminated[before] || r.truncated[before]) first = r.values + i * kObjectives;
      if (!first) continue;
      ++begun;
      for (int j = 0; j < kObjectives; ++j) {
        float up[kObjectives], down[kObjectives];
        std::copy_n(first, kObjectives, up);
        std::copy_n(first, kObjectives, down);
        up[j] += 1e-3f;
        down[j] -= 1e-3f;
        const float* weights = r.goals + i * r.goal.dim();
        const double slope = ((*pursuit.utility)(weights, up) - (*pursuit.utility)(weights, down)) / 2e-3;
        CHECK(pursuit.slope(r, i, j) == Approx(slope).margin(2e-3));
      }
    }
  }
  CHECK(begun > 0);
}

TEST_CASE("rewards are divided by the deviation of the returns so far") {
  auto device = open_device("cpu");
  const TrainConfig config = weighing();
  Ppo ppo(device, several(), config.num_envs, {config});
  const Rollout& r = ppo.rollout();
  double n = 0;
  std::vector<double> sum(kObjectives), squares(kObjectives), running(r.rows() * kObjectives);
  for (int update = 0; update < 2; ++update) {
    synthetic::fill(ppo, *device, key(60 + update));
    for (int64_t row = 0; row < r.rows(); ++row) {
      for (int t = 0; t < r.num_steps; ++t) {
        const int64_t i = t * r.rows() + row;
        for (int j = 0; j < kObjectives; ++j) {
          double& now = running[row * kObjectives + j];
          now = config.gamma * now + r.rewards[i * kObjectives + j];
          sum[j] += now;
          squares[j] += now * now;
          if (r.terminated[i] || r.truncated[i]) now = 0;
        }
        ++n;
      }
    }
    ppo.learn(1e-3f);
    for (int j = 0; j < kObjectives; ++j)
      CHECK(ppo.pursuit().scale[j] == Approx(1 / std::sqrt(squares[j] / n - sum[j] / n * (sum[j] / n))).epsilon(1e-4));
  }
}

TEST_CASE("numbers beyond the border are learned from as drawn and played as the border") {
  auto device = open_device("cpu");
  EnvSpec spec = synthetic::spec();
  spec.num_actions = 0;
  spec.continuous = 3;
  TrainConfig config = synthetic::config();
  config.num_envs = 500;
  Ppo ppo(device, spec, config.num_envs, {config});
  synthetic::fill(ppo, *device, key(5));
  const Rollout& r = ppo.rollout();
  const int last = r.num_steps - 1;
  const auto* drawn = static_cast<const float*>(r.actions_at(last));
  const auto* played = static_cast<const float*>(r.env_actions(last));
  double mean = 0, square = 0;
  int beyond = 0;
  const auto count = static_cast<double>(r.rows() * 3);
  for (int64_t k = 0; k < r.rows() * 3; ++k) {
    CHECK(played[k] == std::min(1.0f, std::max(-1.0f, drawn[k])));
    beyond += std::abs(drawn[k]) > 1;
    mean += drawn[k] / count;
    square += drawn[k] * drawn[k] / count;
  }
  CHECK(std::abs(mean) < 0.1);  // a policy that has not learned: a standard normal distribution
  CHECK(square == Approx(1).margin(0.1));
  CHECK(beyond / count == Approx(0.317).margin(0.04));
}

TEST_CASE("with several objectives, and with numbers as actions, the first minibatch has ratio exactly 1") {
  for (const std::string& name : test_devices()) {
    INFO(name);
    auto device = open_device(name);
    for (auto& [config, spec] : kinds()) {
      INFO(kAlgos[config.algo] << " " << spec.continuous << " " << spec.obs_dtype << " " << config.gru_size);
      promises::first_ratio_is_one(device, spec, config);
    }
  }
}

TEST_CASE("a learner of several objectives continues bit for bit") {
  for (const std::string& name : test_devices()) {
    auto device = open_device(name);
    for (const auto& [config, spec] : kinds()) {
      INFO(name << " " << kAlgos[config.algo] << " " << spec.continuous << " " << config.gru_size);
      promises::continues_bit_for_bit(device, spec, config);
    }
  }
}

TEST_CASE("CPU and GPU agree on learning from several objectives and on numbers as actions") {
  if (test_devices().size() == 1) SKIP(cuda_status());
  for (auto& [config, spec] : kinds()) {
    auto one_update = [&config = config, &spec = spec](const std::string& name) {
      auto device = open_device(name);
      config.update_epochs = config.num_minibatches = 1;
      auto learner = make_learner(device, spec, config.num_envs, {config});
      synthetic::fill(*learner, *device, key(31));
      learner->update(1e-3f);
      return learner->parameters();
    };
    const auto cpu = one_update("cpu"), gpu = one_update("cuda:0");
    for (const auto& [path, tensor] : cpu) {
      INFO(path);
      const auto expected = tensor.as<float>(), got = gpu.at(path).as<float>();
      for (size_t i = 0; i < expected.size(); ++i) CHECK(got[i] == Approx(expected[i]).margin(1e-5));
    }
  }
}

TEST_CASE("settings that do not go with the objectives are refused") {
  auto device = open_device("cpu");
  auto refused = [&](TrainConfig config, const EnvSpec& spec) {
    CHECK_THROWS_AS(make_learner(device, spec, config.num_envs, {config}), Error);
  };
  refused(synthetic::config(), several());
  TrainConfig config = weighing();
  config.weights = {2, {0.5f, 0.5f}};
  refused(config, several());
  config = every_episode(weighing());
  config.references = {};
  refused(config, several());
  config = synthetic::config();
  config.weights = {1, {1}};
  CHECK_THROWS_AS(config.check(), Error);
}
