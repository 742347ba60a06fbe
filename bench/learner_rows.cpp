// learner_rows: rows per second of a PPO update alone, without the environment: a row is one agent's step in one pass over the rollout.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "algos/learner.hpp"
#include "core/config.hpp"
#include "core/error.hpp"

using namespace throng;

namespace {

struct Options {
  std::string device = "cpu";
  int num_agents = 5, num_actions = 10, obs_dim = 127;  // those of smax/2s3z
  int updates = 5;                                      // of which the median counts
  TrainConfig train;

  template <class V>
  void fields(V&& v) {
    v("device", device, "where");
    v("num_agents", num_agents, "agents of an environment");
    v("num_actions", num_actions, "choices of an agent");
    v("obs_dim", obs_dim, "features of an observation");
    v("updates", updates, "timed updates");
  }
};

template <class T>
std::vector<T> random(size_t count, Key key, float low, float high) {
  std::vector<T> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<T>(uniform(key, static_cast<uint32_t>(i), low, high));
  return values;
}

// A rollout of random observations and rewards, in which every action is legal.
void fill(Learner& learner, Device& device) {
  const Rollout& r = learner.rollout();
  const size_t slab = static_cast<size_t>(r.rows()), slabs = static_cast<size_t>(r.num_steps) + 1;
  upload(device, reinterpret_cast<float*>(r.obs), random<float>(slabs * slab * r.obs_dim, key(1), -1, 1));
  upload(device, r.avail_actions, std::vector<uint8_t>(slabs * slab * r.num_actions, 1));
  upload(device, r.active, std::vector<uint8_t>(slabs * slab, 1));
  upload(device, r.rewards, random<float>((slabs - 1) * slab, key(2), -1, 1));
  for (int t = 0; t < r.num_steps; ++t) learner.act(t);
  device.synchronize();
}

nlohmann::ordered_json measure(const Options& options) {
  const TrainConfig& train = options.train;
  const auto device = open_device(options.device);
  EnvSpec spec;
  spec.num_agents = options.num_agents;
  spec.num_actions = options.num_actions;
  spec.obs_dim = options.obs_dim;
  spec.objectives = {"reward"};
  const auto learner = make_learner(device, spec, train.num_envs, {train});
  fill(*learner, *device);
  std::vector<double> seconds;
  for (int update = 0; update <= options.updates; ++update) {
    const auto began = std::chrono::steady_clock::now();
    learner->update(1e-4f);
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  }
  std::sort(seconds.begin() + 1, seconds.end());  // without the first, in which memory is touched for the first time
  const double rows = static_cast<double>(train.steps_per_update()) * spec.num_agents * train.update_epochs;
  return {{"type", "learner_rows"},
          {"device", device->name()},
          {"rows_per_s", rows / seconds[1 + options.updates / 2]},
          {"rows_per_s_max", rows / seconds[1]},
          {"seconds", seconds[1 + options.updates / 2]},
          {"rows", rows},
          {"num_agents", spec.num_agents},
          {"num_actions", spec.num_actions},
          {"obs_dim", spec.obs_dim},
          {"train", write_config(train)}};
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Options options;
    options.train.num_envs = 64;
    options.train.hidden_sizes = {128, 128};
    nlohmann::json own = nlohmann::json::object(), train = nlohmann::json::object();
    if (argc > 1) own = parse_json(argv[1], "OPTIONS");
    if (argc > 2) train = parse_json(argv[2], "TRAIN");
    read_config(options, own, "OPTIONS");
    read_config(options.train, train, "TRAIN");
    options.train.check();
    std::printf("%s\n", measure(options).dump().c_str());
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "learner_rows [OPTIONS [TRAIN]], both JSON: %s\n", problem.what());
    return 2;
  }
}
