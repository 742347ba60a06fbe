// make_entry: from a game's header to its line in the table of environments.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "core/batch.hpp"
#include "core/config.hpp"
#include "core/cuda_loader.hpp"
#include "core/env_entry.hpp"

namespace throng {

// What the CUDA library exports for an environment: throng_cuda_make_<id>.
using MakeCudaBatch = VecEnv*(std::shared_ptr<Device>, const EnvSpec&, const BatchOptions&, const void* params);

template <class Env>
typename Env::Params params_from(const nlohmann::json& config, const std::string& where) {
  static_assert(Environment<Env>);
  typename Env::Params params;
  read_config(params, config, where);
  if constexpr (requires { params.check(); }) params.check();
  return params;
}

template <class Env>
std::unique_ptr<VecEnv> make_env_batch(std::shared_ptr<Device> device, const nlohmann::json& config,
                                       const std::string& id, const BatchOptions& options) {
  const auto params = params_from<Env>(config, id);
  const EnvSpec spec = measure<Env>(params, id);
  if (!device->is_cuda()) return std::unique_ptr<VecEnv>(make_batch<Env>(std::move(device), spec, options, &params));
  const std::string name = id.substr(0, id.find('/'));
  return std::unique_ptr<VecEnv>(
      cuda_function<MakeCudaBatch>("throng_cuda_make_" + name)(std::move(device), spec, options, &params));
}

template <class Env>
void vary_batch(VecEnv& env, const nlohmann::json& values) {
  using Params = typename Env::Params;
  const std::string& id = env.spec().id;
  if (!values.is_object()) throw Error(id + ": parameters of environments must be an object of lists");
  const auto envs = static_cast<size_t>(env.num_envs());
  for (const auto& [key, list] : values.items()) {
    if (list.is_array() && list.size() == envs) continue;
    throw Error(id + ": '" + key + "' must be a list of " + std::to_string(envs) + " values, one for each environment");
  }
  if (!env.params()) env.vary(nullptr);  // says that it cannot
  std::vector<Params> params(envs, *static_cast<const Params*>(env.params()));
  for (size_t e = 0; e < envs; ++e) {
    nlohmann::json own = nlohmann::json::object();
    for (const auto& [key, list] : values.items()) own[key] = list[e];
    read_config(params[e], own, id + ", environment " + std::to_string(e));
    if constexpr (requires { params[e].check(); }) params[e].check();
  }
  env.vary(params.data());
}

template <class Env>
EnvEntry make_entry(const std::string& id, const char* settings) {
  EnvEntry entry;
  entry.id = id;
  entry.version = Env::kVersion;
  entry.settings = settings;
  entry.resolve = [](const nlohmann::json& config, const std::string& where) {
    return write_config(params_from<Env>(config, where));
  };
  entry.describe = [](const nlohmann::json& config, const std::string& where) {
    return describe_config(params_from<Env>(config, where));
  };
  entry.spec = [](const nlohmann::json& config, const std::string& id) {
    return measure<Env>(params_from<Env>(config, id), id);
  };
  entry.vary = vary_batch<Env>;
  entry.make = make_env_batch<Env>;
  return entry;
}

}  // namespace throng
