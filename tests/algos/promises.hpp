// What every kind of learner promises, whatever its network, algorithm and game.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "tests/algos/synthetic.hpp"

namespace promises {

using namespace throng;

// What was sampled and what is trained agree: the first minibatch has ratio exactly 1.
inline void first_ratio_is_one(std::shared_ptr<Device> device, const EnvSpec& spec, const TrainConfig& config) {
  auto learner = make_learner(device, spec, config.num_envs, {config});
  for (int rollout = 0; rollout < 2; ++rollout) {  // the second begins with recurrent states that are not zero
    synthetic::fill(*learner, *device, key(3 + rollout));
    const UpdateMetrics metrics = learner->update(1e-3f)[0];
    CHECK(metrics.first_ratio_error == 0.0);
    CHECK(metrics.approx_kl > 0.0);  // later minibatches have moved
    CHECK(std::isfinite(metrics.policy_loss));
    CHECK(std::isfinite(metrics.value_loss));
  }
}

// From parameters and optimizer state a second learner goes on, bit for bit, as the first does.
inline void continues_bit_for_bit(std::shared_ptr<Device> device, const EnvSpec& spec, const TrainConfig& config) {
  auto straight = make_learner(device, spec, config.num_envs, {config});
  auto second = make_learner(device, spec, config.num_envs, {config});
  synthetic::fill(*straight, *device, key(41));
  straight->update(1e-3f);
  second->load(straight->parameters(), straight->optimizer_state());
  for (Learner* learner : {straight.get(), second.get()}) {
    synthetic::fill(*learner, *device, key(42));
    learner->update(5e-4f);
  }
  for (const auto& [path, tensor] : straight->parameters()) CHECK(second->parameters().at(path).data == tensor.data);
  for (const auto& [path, tensor] : straight->optimizer_state()) {
    CHECK(second->optimizer_state().at(path).data == tensor.data);
  }
}

}  // namespace promises
