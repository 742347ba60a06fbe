// dump_update DEVICE SETTINGS OUT: a rollout of random numbers and what PPO makes of it, as safetensors for tests/python/test_torch.py.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/config.hpp"
#include "tests/algos/synthetic.hpp"

using namespace throng;

namespace {

// Everything that a loss depends on. Parameters are moved after they have acted, so that ratios are not 1; the learning rate is
// 0, one minibatch is all there is and no norm is too large, so Adam's first moment is a tenth of the gradient.
SafeTensors dump(const std::string& device_name, TrainConfig config) {
  config.num_minibatches = config.update_epochs = 1;
  config.max_grad_norm = 0;
  const auto device = open_device(device_name);
  const EnvSpec spec = synthetic::spec(3, 5, 7, 3, 6);
  const auto learner = make_learner(device, spec, config.num_envs, {config});
  synthetic::fill(*learner, *device, key(10));
  learner->update(0.0f);
  const auto before = learner->optimizer_state();  // recurrent states that are not zero
  SafeTensors file;
  auto add = [&](const std::string& prefix, const std::map<std::string, Tensor>& tensors) {
    for (const auto& [name, tensor] : tensors) file.tensors[prefix + name] = tensor;
  };
  auto acting = learner->parameters();
  add("acting,", acting);
  for (const auto& [name, tensor] : before) {
    if (name.starts_with("state,")) file.tensors["before," + name.substr(6)] = tensor;
  }
  synthetic::fill(*learner, *device, key(11));
  auto state = learner->optimizer_state();
  for (auto& [name, tensor] : state) {
    if (name.starts_with("first,") || name.starts_with("second,")) tensor.data.assign(tensor.data.size(), std::byte{0});
  }
  uint32_t piece = 0;
  for (auto& [name, tensor] : acting) {
    auto values = tensor.as<float>();
    const auto noise = synthetic::numbers(values.size(), fold_in(key(12), piece++), -0.05f, 0.05f);
    std::vector<float> moved(values.begin(), values.end());
    for (size_t i = 0; i < moved.size(); ++i) moved[i] += noise[i];
    tensor = Tensor::of<float>(tensor.shape, moved);
  }
  learner->load(acting, state);
  add("", acting);
  const UpdateMetrics losses = learner->update(0.0f)[0];
  state = learner->optimizer_state();
  for (const auto& [name, tensor] : state) {
    if (name.starts_with("first,")) file.tensors["tenth_of_gradient," + name.substr(6)] = tensor;
  }
  file.tensors["losses"] = Tensor::of<double>(
      {5},
      std::vector<double>{losses.policy_loss, losses.value_loss, losses.entropy, losses.approx_kl, losses.clipfrac});

  const Rollout& r = learner->rollout();
  const int64_t t = r.num_steps, e = r.num_envs, a = r.num_agents;
  auto slabs = [&]<class T>(const std::string& name, const T* from, std::vector<int64_t> shape) {
    size_t count = 1;
    for (const int64_t n : shape) count *= static_cast<size_t>(n);
    file.tensors["rollout," + name] = Tensor::of<T>(shape, download(*device, from, count));
  };
  slabs("obs", reinterpret_cast<const float*>(r.obs), {t, e, a, r.obs_dim});
  if (r.world_state) slabs("world_state", r.world_state, {t, e, r.world_state_dim});
  slabs("avail_actions", r.avail_actions, {t, e, a, r.num_actions});
  slabs("actions", static_cast<const int32_t*>(r.actions), {t, e, a});
  slabs("resets", r.resets, {t, e, a});
  slabs("log_probs", r.log_probs, {t, e, a});
  slabs("values", r.values, {t, e, a});
  slabs("advantages", r.advantages, {t, e, a});
  slabs("returns", r.returns, {t, e, a});
  file.metadata["config"] = write_config(config).dump();
  return file;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::fprintf(stderr, "dump_update DEVICE SETTINGS OUT\n"), 2;
  try {
    TrainConfig config = synthetic::config();
    read_config(config, parse_json(argv[2], "SETTINGS"), "SETTINGS");
    write_safetensors(argv[3], dump(argv[1], config));
  } catch (const std::exception& problem) {
    return std::fprintf(stderr, "dump_update: %s\n", problem.what()), 1;
  }
}
