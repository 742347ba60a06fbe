// PPO: gradients against float64 finite differences, the first ratio, GAE against the naive sum, CPU against GPU.
#include "algos/ppo.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "algos/gae.hpp"
#include "tests/algos/synthetic.hpp"
#include "tests/devices.hpp"

using namespace throng;
using Catch::Approx;

namespace {

// The network and the loss once more, in double precision and with plain loops.
struct Reference {
  const Parameters& layout;
  Activation activation;

  std::vector<double> network(const std::vector<double>& block, const std::string& name, std::vector<double> x) const {
    std::vector<const Parameter*> pieces;
    for (const Parameter& piece : layout.pieces()) {
      if (piece.name.starts_with(name + ",")) pieces.push_back(&piece);
    }
    for (size_t layer = 0; layer * 2 < pieces.size(); ++layer) {
      const Parameter &kernel = *pieces[2 * layer], &bias = *pieces[2 * layer + 1];
      std::vector<double> y(kernel.shape[1]);
      for (int64_t j = 0; j < kernel.shape[1]; ++j) {
        y[j] = block[bias.offset + j];
        for (int64_t i = 0; i < kernel.shape[0]; ++i) y[j] += x[i] * block[kernel.offset + i * kernel.shape[1] + j];
        const bool last = (layer + 1) * 2 == pieces.size();
        if (!last) y[j] = activation == kTanh ? std::tanh(y[j]) : std::max(y[j], 0.0);
      }
      x = y;
    }
    return x;
  }
};

struct Batch {
  std::vector<std::vector<double>> obs;
  std::vector<std::vector<uint8_t>> avail;
  std::vector<PpoSample> samples;
};

double loss(const Reference& reference, const std::vector<double>& block, const Batch& batch, const TrainConfig& c) {
  double total = 0;
  for (size_t i = 0; i < batch.samples.size(); ++i) {
    const PpoSample& s = batch.samples[i];
    const auto logits = reference.network(block, "actor", batch.obs[i]);
    const double value = reference.network(block, "critic", batch.obs[i])[0];
    double sum = 0, entropy = 0;
    for (size_t a = 0; a < logits.size(); ++a) sum += batch.avail[i][a] ? std::exp(logits[a]) : 0.0;
    for (size_t a = 0; a < logits.size(); ++a) {
      const double log_prob = logits[a] - std::log(sum);
      if (batch.avail[i][a]) entropy -= std::exp(log_prob) * log_prob;
    }
    const double ratio = std::exp(logits[s.action] - std::log(sum) - s.log_prob);
    const double clipped = std::clamp(ratio, 1.0 - c.clip_coef, 1.0 + c.clip_coef);
    const double near = s.value + std::clamp(value - s.value, -double(c.clip_coef), double(c.clip_coef)) - s.target;
    const double far = value - s.target;
    const double value_loss = 0.5 * (c.clip_vloss ? std::max(far * far, near * near) : far * far);
    total += -std::min(ratio * s.advantage, clipped * s.advantage) - c.ent_coef * entropy + c.vf_coef * value_loss;
  }
  return total / double(batch.samples.size());
}

// What the learner's minibatch holds, read back.
Batch minibatch(const Rollout& r, Device& device, const std::vector<int>& pairs, const std::vector<float>& advantages) {
  Batch batch;
  const int64_t rows = r.rows();
  const auto obs = download(device, r.obs, r.num_steps * rows * r.obs_dim);
  const auto avail = download(device, r.avail_actions, r.num_steps * rows * r.num_actions);
  const auto actions = download(device, r.actions, r.num_steps * rows);
  const auto log_probs = download(device, r.log_probs, r.num_steps * rows);
  const auto values = download(device, r.values, r.num_steps * rows);
  const auto returns = download(device, r.returns, r.num_steps * rows);
  for (int pair : pairs) {
    for (int a = 0; a < r.num_agents; ++a) {
      const int64_t i = int64_t(pair) * r.num_agents + a;
      batch.obs.emplace_back(obs.begin() + i * r.obs_dim, obs.begin() + (i + 1) * r.obs_dim);
      batch.avail.emplace_back(avail.begin() + i * r.num_actions, avail.begin() + (i + 1) * r.num_actions);
      batch.samples.push_back({actions[i], log_probs[i], values[i], advantages[batch.samples.size()], returns[i]});
    }
  }
  return batch;
}

void check_gradients(TrainConfig config, float moved) {
  auto device = open_device("cpu");
  const EnvSpec spec = synthetic::spec();
  config.num_minibatches = 1;
  Ppo ppo(device, spec, config.num_envs, config);
  synthetic::fill(ppo, *device, key(11));
  ppo.compute_returns();
  // Parameters move away from those that acted, so that ratios differ from 1 and some are clipped.
  const auto start = download(*device, ppo.parameter_block(), ppo.layout().size());
  auto parameters = start;
  const auto noise = synthetic::numbers(parameters.size(), key(12), -moved, moved);
  for (size_t i = 0; i < parameters.size(); ++i) parameters[i] += noise[i];
  upload(*device, ppo.parameter_block(), parameters);

  const Rollout& r = ppo.rollout();
  const size_t pairs = size_t(r.num_steps) * r.num_envs;
  std::vector<int> order(pairs);
  ppo.shuffle(0);
  ppo.gather(0);
  ppo.normalise_advantages();
  std::vector<double> sums(kPpoTerms), norm(1);
  ppo.compute_loss(0, sums.data());
  ppo.compute_gradients(norm.data());
  const auto gradients = download(*device, ppo.gradient_block(), ppo.layout().size());

  // The order does not matter to a mean: the reference takes the pairs as they lie.
  for (size_t i = 0; i < pairs; ++i) order[i] = static_cast<int>(i);
  auto advantages = download(*device, r.advantages, r.num_steps * r.rows());
  double mean = 0, square = 0;
  for (float a : advantages) mean += a / double(advantages.size());
  for (float a : advantages) square += (a - mean) * (a - mean) / double(advantages.size());
  for (float& a : advantages) a = static_cast<float>((a - mean) / (std::sqrt(square) + 1e-8));
  const Batch batch = minibatch(r, *device, order, advantages);
  const Reference reference{ppo.layout(), Activation(config.activation)};

  double largest = 0, error = 0;
  std::vector<double> block(parameters.begin(), parameters.end());
  for (const Parameter& piece : ppo.layout().pieces()) {
    double of_piece = 0;
    for (int64_t i = piece.offset; i < piece.offset + piece.size(); ++i) {
      const double at = block[i], h = 1e-5;
      block[i] = at + h;
      const double up = loss(reference, block, batch, config);
      block[i] = at - h;
      const double down = loss(reference, block, batch, config);
      block[i] = at;
      const double expected = (up - down) / (2 * h);
      error = std::max(error, std::abs(expected - gradients[i]));
      of_piece = std::max(of_piece, std::abs(double(gradients[i])));
    }
    INFO(piece.name);
    CHECK(of_piece > 0);  // every layer learns
    largest = std::max(largest, of_piece);
  }
  CHECK(largest > 1e-2);
  CHECK(error < 2e-5 * std::max(1.0, largest));

  double square_sum = 0;
  for (float g : gradients) square_sum += double(g) * g;
  CHECK(norm[0] == Approx(square_sum).epsilon(1e-6));
}

}  // namespace

TEST_CASE("gradients agree with finite differences in double precision") {
  TrainConfig config = synthetic::config();
  SECTION("tanh") { check_gradients(config, 0.05f); }
  SECTION("relu") {
    config.activation = kRelu;
    check_gradients(config, 0.05f);
  }
  SECTION("clipping is felt") { check_gradients(config, 0.4f); }
  SECTION("without value clipping, with a strong entropy bonus") {
    config.clip_vloss = false;
    config.ent_coef = 0.5f;
    check_gradients(config, 0.2f);
  }
}

TEST_CASE("the first minibatch has ratio exactly 1") {
  for (const std::string& name : test_devices()) {
    INFO(name);
    auto device = open_device(name);
    TrainConfig config = synthetic::config();
    config.num_envs = 96;  // rollout and minibatch differ in size and neither is a whole number of row blocks
    config.hidden_sizes = {64, 32};
    auto learner = make_learner(device, synthetic::spec(3, 8, 75, 3), config.num_envs, config);
    synthetic::fill(*learner, *device, key(3));
    const UpdateMetrics metrics = learner->update(1e-3f);
    CHECK(metrics.first_ratio_error == 0.0);
    CHECK(metrics.approx_kl > 0.0);  // later minibatches have moved
    CHECK(std::isfinite(metrics.policy_loss));
  }
}

TEST_CASE("GAE equals the naive sum of discounted errors") {
  for (const std::string& name : test_devices()) {
    INFO(name);
    auto device = open_device(name);
    const TrainConfig config = synthetic::config();
    auto learner = make_learner(device, synthetic::spec(), config.num_envs, config);
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

TEST_CASE("the same seed gives the same parameters") {
  for (const std::string& name : test_devices()) {
    auto train = [&](uint64_t seed) {
      auto device = open_device(name);
      TrainConfig config = synthetic::config();
      config.seed = seed;
      auto learner = make_learner(device, synthetic::spec(), config.num_envs, config);
      for (int update = 0; update < 3; ++update) {
        synthetic::fill(*learner, *device, key(31 + update));
        learner->update(1e-3f);
      }
      return learner->parameters();
    };
    INFO(name);
    const auto once = train(1), again = train(1), other = train(2);
    for (const auto& [path, tensor] : once) CHECK(tensor.data == again.at(path).data);
    CHECK(once.at("actor,Dense_1,kernel").data != other.at("actor,Dense_1,kernel").data);
  }
}

TEST_CASE("CPU and GPU agree on gradients and on the step they lead to") {
  if (test_devices().size() == 1) SKIP(cuda_status());
  auto one_update = [](const std::string& name) {
    auto device = open_device(name);
    TrainConfig config = synthetic::config();
    config.update_epochs = config.num_minibatches = 1;
    auto learner = make_learner(device, synthetic::spec(), config.num_envs, config);
    synthetic::fill(*learner, *device, key(31));
    learner->update(1e-3f);
    return std::pair{learner->parameters(), learner->optimizer_state()};
  };
  const auto cpu = one_update("cpu"), gpu = one_update("cuda:0");
  for (const auto& [path, tensor] : cpu.first) {
    INFO(path);
    const auto expected = tensor.as<float>(), got = gpu.first.at(path).as<float>();
    const auto moment = cpu.second.at("first," + path).as<float>(),
               gpu_moment = gpu.second.at("first," + path).as<float>();
    for (size_t i = 0; i < expected.size(); ++i) {
      CHECK(got[i] == Approx(expected[i]).margin(1e-5));
      CHECK(gpu_moment[i] == Approx(moment[i]).margin(1e-6));  // a tenth of the gradient
    }
  }
}

TEST_CASE("a learner continues from parameters and optimizer state bit for bit") {
  for (const std::string& name : test_devices()) {
    auto device = open_device(name);
    const TrainConfig config = synthetic::config();
    auto straight = make_learner(device, synthetic::spec(), config.num_envs, config);
    auto second = make_learner(device, synthetic::spec(), config.num_envs, config);
    synthetic::fill(*straight, *device, key(41));
    straight->update(1e-3f);
    second->load(straight->parameters(), straight->optimizer_state());
    for (Learner* learner : {straight.get(), second.get()}) {
      synthetic::fill(*learner, *device, key(42));
      learner->update(5e-4f);
    }
    for (const auto& [path, tensor] : straight->parameters()) CHECK(second->parameters().at(path).data == tensor.data);
  }
}

TEST_CASE("parameters of another network are refused") {
  auto device = open_device("cpu");
  TrainConfig config = synthetic::config();
  auto learner = make_learner(device, synthetic::spec(), config.num_envs, config);
  config.hidden_sizes = {9, 7};
  auto other = make_learner(device, synthetic::spec(), config.num_envs, config);
  CHECK_THROWS_AS(learner->load(other->parameters(), {}), Error);
  config.hidden_sizes = {9};
  auto shallow = make_learner(device, synthetic::spec(), config.num_envs, config);
  CHECK_THROWS_AS(learner->load(shallow->parameters(), {}), Error);
}
