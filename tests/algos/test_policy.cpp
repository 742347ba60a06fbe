// Policy: a run's folder becomes what acted in it - the same actions and recurrent states, of any of its checkpoints.
#include "algos/policy.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "tests/algos/tiny_run.hpp"
#include "tests/devices.hpp"

using namespace throng;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

namespace {

// A run with PPO, not a stand-in, and with memory or without.
Run ppo_run(const std::string& folder, const std::string& device, int gru_size) {
  Run run = tiny_run(folder);
  run.device = device;
  run.train.eval_interval = 0;  // or the best would be kept beside the last two
  run.train.hidden_sizes = {8};
  run.train.gru_size = gru_size;
  run.train.algo = gru_size > 0 ? kMappo : kIppo;
  return run;
}

// What `learner` does in `steps` steps of `env` from reset(seed): its actions of each step, and at the end its states.
std::vector<std::vector<int32_t>> play(VecEnv& env, Learner& learner, bool greedy, std::vector<float>& states) {
  constexpr int kSteps = 12;  // episodes end at 10
  env.reset(5);
  Arena arena(env.shared_device());
  float* state = nullptr;
  arena.want(state, env.num_rows() * learner.state_dim() + 1);
  arena.commit();
  const uint8_t* ended = nullptr;
  std::vector<std::vector<int32_t>> all;
  for (int t = 0; t < kSteps; ++t) {
    auto* actions = static_cast<int32_t*>(env.actions());
    learner.act_on(env.observations(), ended, state, env.num_rows(), greedy, key(9), static_cast<uint32_t>(t), actions);
    all.push_back(download(env.device(), actions, static_cast<size_t>(env.num_rows())));
    env.step(actions);
    ended = env.outcomes().truncated;
  }
  states = download(env.device(), state, static_cast<size_t>(env.num_rows()) * learner.state_dim());
  return all;
}

}  // namespace

TEST_CASE("a loaded policy acts as the run's own, whatever it has room for") {
  for (const std::string name : {"cpu"}) {  // the CUDA library does not know the game of the tests
    for (const int gru_size : {0, 8}) {
      INFO(name << ", gru_size " << gru_size);
      const Folder folder;
      const Run run = ppo_run(folder.file("run"), name, gru_size);
      Trainer trainer(run, make_tiny);
      update(trainer, 6);  // a checkpoint was made after each third
      const auto device = open_device(name);
      BatchOptions options;
      options.num_envs = 100;  // more rows than a policy for one environment takes at once
      const auto env = make_tiny(run.env, device, options, run.env_config);
      Policy policy(Run::load(run.folder), "latest", env->spec(), device);
      CHECK(policy.timesteps() == trainer.timesteps());
      CHECK(policy.state_dim() == gru_size);
      for (const bool greedy : {true, false}) {
        std::vector<float> expected_states, states;
        const auto theirs = play(*env, trainer.learner(), greedy, expected_states);
        CHECK(play(*env, policy.learner(), greedy, states) == theirs);
        CHECK(states == expected_states);
      }
      // Three updates before it was another.
      Policy before(Run::load(run.folder), "step_96.safetensors", env->spec(), device);
      CHECK(before.timesteps() == 96);
      CHECK(before.learner().parameters().at("actor,Dense_0,kernel").data !=
            policy.learner().parameters().at("actor,Dense_0,kernel").data);
    }
  }
}

TEST_CASE("a policy acts through `act` as its learner does") {
  const Folder folder;
  const Run run = ppo_run(folder.file("run"), "cpu", 8);
  Trainer trainer(run, make_tiny);
  update(trainer, 3);
  Policy policy(Run::load(run.folder), "latest", trainer.env().spec(), open_device("cpu"));
  const Observations seen = trainer.env().observations();
  const auto rows = static_cast<size_t>(trainer.env().num_rows());
  std::vector<float> state(rows * 8), other(rows * 8);
  std::vector<int32_t> actions(rows, -1), expected(rows, -2);
  const std::vector<uint8_t> ended(rows, 1);
  policy.act(seen, nullptr, state.data(), static_cast<int64_t>(rows), false, key(1), 7, actions.data());
  trainer.learner().act_on(seen, nullptr, other.data(), static_cast<int64_t>(rows), false, key(1), 7, expected.data());
  CHECK(actions == expected);
  const std::vector<float> first = state;
  CHECK(first != std::vector<float>(rows * 8));
  policy.act(seen, ended.data(), state.data(), static_cast<int64_t>(rows), false, key(1), 7, actions.data());
  CHECK(state == first);  // the end of an episode makes it forget, so the same is seen for the first time again
  policy.act(seen, nullptr, state.data(), static_cast<int64_t>(rows), false, key(1), 7, actions.data());
  CHECK(state != first);
}

TEST_CASE("a policy of another network, or none at all, is refused") {
  const Folder folder;
  const Run run = ppo_run(folder.file("run"), "cpu", 0);
  Trainer trainer(run, make_tiny);
  const EnvSpec spec = trainer.env().spec();
  CHECK_THROWS_AS(Policy(run, "latest", spec, open_device("cpu")), Error);  // nothing is saved yet
  update(trainer, 3);
  CHECK_THROWS_MATCHES(Policy(run, "step_7.safetensors", spec, open_device("cpu")), Error,
                       MessageMatches(ContainsSubstring("step_7.safetensors")));
  EnvSpec wider = spec;
  ++wider.obs_dim;
  CHECK_THROWS_MATCHES(Policy(run, "latest", wider, open_device("cpu")), Error,
                       MessageMatches(ContainsSubstring("another shape")));
}
