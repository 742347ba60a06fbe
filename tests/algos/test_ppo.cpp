// PPO: the first ratio, recurrent states, GAE against the naive sum, CPU against GPU, going on bit for bit.
#include "algos/ppo.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "algos/gae.hpp"
#include "tests/algos/promises.hpp"
#include "tests/algos/synthetic.hpp"
#include "tests/devices.hpp"

using namespace throng;
using Catch::Approx;

namespace {

TrainConfig recurrent(TrainConfig config) {
  config.hidden_sizes = {16};
  config.gru_size = 12;
  config.head_sizes = {10};
  return config;
}

// One configuration of each kind.
std::vector<TrainConfig> kinds() {
  const TrainConfig plain = synthetic::config();
  TrainConfig shared = recurrent(plain), separate = recurrent(plain), central = plain,
              central_recurrent = recurrent(plain);
  shared.share_layers = true;
  central.algo = central_recurrent.algo = kMappo;
  TrainConfig fused = shared, fused_central = central_recurrent;  // sizes for which a GPU has kernels of all steps
  fused.gru_size = 64;
  fused_central.gru_size = 128;
  // And for which all layers can be in bfloat16: a trunk alone, with heads, and a first layer that is float32's.
  TrainConfig half = plain, half_shared = fused, half_central = fused_central;
  half.hidden_sizes = {24, 136};
  half_shared.hidden_sizes = {16, 64};
  half_shared.head_sizes = {16, 8};
  half_central.hidden_sizes = {128};
  half_central.head_sizes = {};
  return {plain, shared, separate, central, central_recurrent, fused, fused_central, half, half_shared, half_central};
}

// On a GPU, also those whose products round their operands.
std::vector<TrainConfig> kinds_of(const std::string& device) {
  std::vector<TrainConfig> all = kinds();
  if (device == "cpu") return all;
  for (const Precision precision : {kTf32, kBf16}) {
    for (TrainConfig config : kinds()) {
      config.precision = precision;
      all.push_back(config);
    }
  }
  return all;
}

std::string described(const TrainConfig& config) {
  return std::string(kAlgos[config.algo]) + ", " + kPrecisions[config.precision] +
         (config.gru_size > 0 ? ", recurrent " + std::to_string(config.gru_size) : "") +
         (config.share_layers ? ", shared" : "");
}

}  // namespace

TEST_CASE("the first minibatch has ratio exactly 1") {
  for (const std::string& name : test_devices()) {
    INFO(name);
    auto device = open_device(name);
    for (TrainConfig config : kinds_of(name)) {
      INFO(described(config));
      config.num_envs = 96;  // rollout and minibatch differ in size and neither is a whole number of row blocks
      promises::first_ratio_is_one(device, synthetic::spec(3, 8, 75, 3), config);
    }
  }
}

TEST_CASE("GAE equals the naive sum of discounted errors") {
  for (const std::string& name : test_devices()) {
    INFO(name);
    auto device = open_device(name);
    const TrainConfig config = synthetic::config();
    auto learner = make_learner(device, synthetic::spec(), config.num_envs, {config});
    synthetic::fill(*learner, *device, key(21));
    learner->update(0.0f);
    const Rollout& r = learner->rollout();
    const int64_t rows = r.rows();
    const auto values = download(*device, r.values, (r.num_steps + 1) * rows);
    const auto rewards = download(*device, r.rewards, r.num_steps * rows);
    const auto terminated = download(*device, r.terminated, r.num_steps * rows);
    const auto truncated = download(*device, r.truncated, r.num_steps * rows);
    const auto advantages = download(*device, r.advantages, r.num_steps * rows);
    const auto final_values = download(*device, r.final_values, r.finals_per_env * rows);
    const auto slots = download(*device, r.final_slot, r.num_steps * r.num_envs);
    int cut = 0;
    for (int64_t row = 0; row < rows; ++row) {
      for (int t = 0; t < r.num_steps; ++t) {
        double expected = 0, weight = 1;
        for (int u = t; u < r.num_steps; ++u) {
          const int64_t i = u * rows + row;
          double next = values[i + rows];
          if (terminated[i]) next = 0;
          if (truncated[i]) {
            const int slot = slots[u * r.num_envs + row / r.num_agents];
            REQUIRE(slot >= 0);
            next = final_values[slot * rows + row];
            ++cut;
          }
          expected += weight * (rewards[i] + config.gamma * next - values[i]);
          if (terminated[i] || truncated[i]) break;
          weight *= config.gamma * config.gae_lambda;
        }
        CHECK(advantages[t * rows + row] == Approx(expected).margin(1e-5));
      }
    }
    CHECK(cut > 0);
    CHECK(final_values[0] != values[rows]);  // truly the final observation's value, not the next episode's
  }
}

TEST_CASE("replaying a rollout gives the recurrent states of acting, bit for bit") {
  auto device = open_device("cpu");
  TrainConfig config = recurrent(synthetic::config());
  config.num_minibatches = 1;
  Ppo ppo(device, synthetic::spec(), config.num_envs, {config});
  synthetic::fill(ppo, *device, key(7));
  ppo.learn(1e-3f);
  synthetic::fill(ppo, *device, key(8));
  const Rollout& r = ppo.rollout();
  const auto after_acting = ppo.optimizer_state().at("state,actor");
  std::vector<float> logged(r.log_probs, r.log_probs + r.num_steps * r.rows());
  ppo.set_order(Ppo::kAsTheyLie);
  ppo.gather(0);
  ppo.compute_loss(0, std::vector<double>(kPpoTerms).data());
  const size_t numbers = r.rows() * ppo.state_dim();
  const float* states = ppo.policy().states().rows.data;
  const float* last = states + (r.num_steps - 1) * numbers;
  CHECK(std::equal(last, last + numbers, after_acting.as<float>().begin()));
  // Acting step by step from the same beginning, on buffers elsewhere: the same states at every time.
  std::vector<float> state(ppo.start_states(0), ppo.start_states(0) + numbers);
  std::vector<float> replayed(states, states + r.num_steps * numbers);
  std::vector<int32_t> actions(r.rows());
  for (int t = 0; t < r.num_steps; ++t) {
    for (int64_t row = 0; row < r.rows(); ++row) {
      if (r.resets[t * r.rows() + row]) std::fill_n(&state[row * ppo.state_dim()], ppo.state_dim(), 0.0f);
    }
    Observations seen = r.observations(t);
    seen.active = nullptr;
    ppo.act_on(seen, nullptr, state.data(), r.rows(), true, key(0), 0, actions.data());
    CHECK(std::equal(state.begin(), state.end(), replayed.begin() + t * numbers));
  }
}

TEST_CASE("recurrent state begins anew when an episode ends and while an agent is not active") {
  auto device = open_device("cpu");
  TrainConfig config = recurrent(synthetic::config());
  for (const bool at_end : {true, false}) {
    config.reset_at_episode_end = at_end;
    Ppo ppo(device, synthetic::spec(), config.num_envs, {config});
    synthetic::fill(ppo, *device, key(9));
    ppo.mark_resets(config.num_steps);
    const Rollout& r = ppo.rollout();
    int ends = 0, deaths = 0;
    for (int64_t i = r.rows(); i < (r.num_steps + 1) * r.rows(); ++i) {
      const bool ended = r.terminated[i - r.rows()] || r.truncated[i - r.rows()], dead = !r.active[i];
      ends += ended && !dead;
      deaths += dead;
      CHECK(bool(r.resets[i]) == ((at_end && ended) || dead));
    }
    CHECK(ends > 0);
    CHECK(deaths > 0);
  }
}

TEST_CASE("a truncated episode is worth its final observation, seen with the recurrent state of that moment") {
  auto device = open_device("cpu");
  for (const bool share : {true, false}) {
    TrainConfig config = recurrent(synthetic::config());
    config.share_layers = share;
    config.num_minibatches = 1;
    Ppo ppo(device, synthetic::spec(), config.num_envs, {config});
    synthetic::fill(ppo, *device, key(9));
    ppo.learn(0.0f);
    const Rollout& r = ppo.rollout();
    // Environment 0 is truncated at t = 2: with the final observation in place of slab 3's the value is the same as there.
    REQUIRE(r.final_slot[2 * r.num_envs] == 0);
    const std::vector<float> finals(r.final_values, r.final_values + r.num_agents);
    std::copy(r.final_obs, r.final_obs + r.num_agents * r.obs_bytes, r.obs_at(3));
    std::copy(r.final_resets, r.final_resets + r.num_agents, r.resets + 3 * r.rows());
    ppo.set_order(Ppo::kAsTheyLie);
    ppo.gather(0);
    ppo.compute_loss(0, std::vector<double>(kPpoTerms).data());
    const float* values = ppo.values_of_batch().data + 3 * r.rows();
    for (int a = 0; a < r.num_agents; ++a) CHECK(values[a] == finals[a]);
  }
}

TEST_CASE("the same seed gives the same parameters") {
  for (const std::string& name : test_devices()) {
    for (TrainConfig config : kinds_of(name)) {
      auto train = [&](uint64_t seed) {
        auto device = open_device(name);
        config.seed = seed;
        auto learner = make_learner(device, synthetic::spec(), config.num_envs, {config});
        for (int update = 0; update < 3; ++update) {
          synthetic::fill(*learner, *device, key(31 + update));
          learner->update(1e-3f);
        }
        return learner->parameters();
      };
      INFO(name << ", " << described(config));
      const auto once = train(1), again = train(1), other = train(2);
      for (const auto& [path, tensor] : once) CHECK(tensor.data == again.at(path).data);
      const std::string path = config.share_layers ? "params,Dense_1,kernel" : "actor,Dense_1,kernel";
      CHECK(once.at(path).data != other.at(path).data);
    }
  }
}

TEST_CASE("CPU and GPU agree on gradients and on the step they lead to") {
  if (test_devices().size() == 1) SKIP(cuda_status());
  EnvSpec coded = synthetic::spec(2, 5, 7, 3, 0);  // its central critic sees the codes of all agents
  coded.obs_dtype = "U8";
  coded.obs_high = synthetic::kCodes - 1;
  coded.heads = {2, {2, 3}};
  std::vector<std::pair<TrainConfig, EnvSpec>> cases;
  for (const TrainConfig& config : kinds_of("cuda:0")) {
    cases.emplace_back(config, synthetic::spec());
    cases.emplace_back(config, coded);
  }
  for (auto& [config, spec] : cases) {
    INFO(described(config) << ", " << spec.obs_dtype);
    auto one_update = [&config = config, &spec = spec](const std::string& name) {
      auto device = open_device(name);
      TrainConfig here = config;
      if (name == "cpu") here.precision = kFp32;
      here.update_epochs = here.num_minibatches = 1;
      auto learner = make_learner(device, spec, here.num_envs, {here});
      synthetic::fill(*learner, *device, key(31), spec.choices(0) % spec.num_actions);
      learner->update(1e-3f);
      return std::pair{learner->parameters(), learner->optimizer_state()};
    };
    const auto cpu = one_update("cpu"), gpu = one_update("cuda:0");
    const double rounding[] = {0, 4e-3, 4e-2};  // of the largest number of a tensor
    for (const auto& [path, tensor] : cpu.first) {
      INFO(path);
      const auto expected = tensor.as<float>(), got = gpu.first.at(path).as<float>();
      const auto moment = cpu.second.at("first," + path).as<float>(),
                 gpu_moment = gpu.second.at("first," + path).as<float>();
      double largest = 0;
      for (const float m : moment) largest = std::max(largest, std::fabs(double(m)));
      const double margin = 1e-6 + rounding[config.precision] * largest;
      for (size_t i = 0; i < expected.size(); ++i) {
        CHECK(gpu_moment[i] == Approx(moment[i]).margin(margin));  // a tenth of the gradient
        if (config.precision == kFp32) CHECK(got[i] == Approx(expected[i]).margin(1e-5));
      }
    }
  }
}

TEST_CASE("layers in bfloat16 learn as those in float32 do where rows are many") {
  if (test_devices().size() == 1) SKIP(cuda_status());
  auto device = open_device("cuda:0");
  for (TrainConfig config : kinds()) {
    INFO(described(config));
    config.num_envs = 2403;  // more rows than the GPU takes at a time
    config.update_epochs = config.num_minibatches = 1;
    auto moments = [&](Precision precision) {
      config.precision = precision;
      auto learner = make_learner(device, synthetic::spec(3, 8, 75, 3), config.num_envs, {config});
      synthetic::fill(*learner, *device, key(61));
      CHECK(learner->update(1e-3f)[0].first_ratio_error == 0.0);
      return learner->optimizer_state();
    };
    const auto exact = moments(kFp32), rounded = moments(kBf16);
    for (const auto& [path, tensor] : exact) {
      if (!path.starts_with("first,")) continue;
      INFO(path);
      const auto a = tensor.as<float>(), b = rounded.at(path).as<float>();
      double largest = 0, error = 0;
      for (size_t i = 0; i < a.size(); ++i) {
        largest = std::max(largest, std::fabs(double(a[i])));
        error = std::max(error, std::fabs(double(a[i]) - b[i]));
      }
      CHECK(largest > 0);
      CHECK(error < 4e-2 * largest);
    }
  }
}

TEST_CASE("a learner continues from parameters and optimizer state bit for bit") {
  for (const std::string& name : test_devices()) {
    auto device = open_device(name);
    for (const TrainConfig& config : kinds()) {
      INFO(name << ", " << described(config));
      promises::continues_bit_for_bit(device, synthetic::spec(), config);
    }
  }
}

TEST_CASE("a gradient that is not finite changes no parameter, and its name is told") {
  for (const std::string& name : test_devices()) {
    auto device = open_device(name);
    const TrainConfig config = synthetic::config();
    auto learner = make_learner(device, synthetic::spec(), config.num_envs, {config});
    synthetic::fill(*learner, *device, key(51));
    const auto before = learner->parameters();
    const Rollout& r = learner->rollout();
    upload(*device, r.rewards, std::vector<float>(r.num_steps * r.rows(), INFINITY));
    const UpdateMetrics metrics = learner->update(1e-3f)[0];
    CHECK_FALSE(std::isfinite(metrics.value_loss));
    CHECK(learner->not_finite().starts_with("gradient of '"));
    for (const auto& [path, tensor] : learner->parameters()) CHECK(tensor.data == before.at(path).data);
  }
}

TEST_CASE("parameters of another network are refused") {
  auto device = open_device("cpu");
  TrainConfig config = synthetic::config();
  auto learner = make_learner(device, synthetic::spec(), config.num_envs, {config});
  config.hidden_sizes = {9, 7};
  auto other = make_learner(device, synthetic::spec(), config.num_envs, {config});
  CHECK_THROWS_AS(learner->load(other->parameters(), {}), Error);
  config.hidden_sizes = {9};
  auto shallow = make_learner(device, synthetic::spec(), config.num_envs, {config});
  CHECK_THROWS_AS(learner->load(shallow->parameters(), {}), Error);
}
