// The table of presets.
#include "algos/presets.hpp"

#include <nlohmann/json.hpp>

#include "core/config.hpp"
#include "core/error.hpp"

namespace throng {

// JaxMARL's are those of baselines/IPPO/ippo_rnn_smax.yaml and baselines/MAPPO/mappo_rnn_smax.yaml, version 0.2.0, and what the
// scripts beside them fix. Where the scripts' handling of episodes is at fault, ours stands: reset_at_episode_end and
// bootstrap_truncated (docs/algorithms.md).
const std::vector<Preset>& presets() {
  static const std::vector<Preset> all = {
      {"ippo", "independent PPO, feed-forward", R"({"algo": "ippo"})"},
      {"mappo", "PPO with a central critic, feed-forward", R"({"algo": "mappo"})"},
      {"mo_ippo", "the same for several objectives, told their weights",
       R"({"algo": "mo_ippo", "norm_rewards": true})"},
      {"mo_mappo", "with a central critic", R"({"algo": "mo_mappo", "norm_rewards": true})"},
      {"ippo_jaxmarl", "JaxMARL's recurrent IPPO for SMAX", R"({
         "algo": "ippo", "total_timesteps": 10000000, "num_envs": 128, "num_steps": 128,
         "learning_rate": 0.004, "anneal_lr": true, "gamma": 0.99, "gae_lambda": 0.95,
         "num_minibatches": 4, "update_epochs": 4, "norm_adv": true, "clip_coef": 0.05, "clip_vloss": true,
         "ent_coef": 0.01, "vf_coef": 0.5, "max_grad_norm": 0.25, "joint_grad_norm": true, "adam_eps": 1e-5,
         "hidden_sizes": [128], "gru_size": 128, "head_sizes": [128], "share_layers": true, "activation": "relu"})"},
      {"ippo_socialjax", "SocialJax's IPPO with its large CNN, for observations on a grid", R"({
         "algo": "ippo", "total_timesteps": 100000000, "num_envs": 256, "num_steps": 1000,
         "learning_rate": 0.0005, "anneal_lr": true, "gamma": 0.99, "gae_lambda": 0.95,
         "num_minibatches": 500, "update_epochs": 2, "norm_adv": true, "clip_coef": 0.2, "clip_vloss": true,
         "ent_coef": 0.01, "vf_coef": 0.5, "max_grad_norm": 0.5, "joint_grad_norm": true, "adam_eps": 1e-5,
         "cnn": [32, 32, 32], "cnn_kernels": [5, 3, 3], "cnn_strides": [1], "cnn_padding": "same",
         "hidden_sizes": [64], "head_sizes": [64], "share_layers": true, "activation": "relu"})"},
      {"mappo_jaxmarl", "JaxMARL's recurrent MAPPO for SMAX", R"({
         "algo": "mappo", "total_timesteps": 10000000, "num_envs": 128, "num_steps": 128,
         "learning_rate": 0.002, "anneal_lr": true, "gamma": 0.99, "gae_lambda": 0.95,
         "num_minibatches": 4, "update_epochs": 4, "norm_adv": true, "clip_coef": 0.2, "clip_vloss": true,
         "ent_coef": 0.0, "vf_coef": 0.5, "max_grad_norm": 0.25, "joint_grad_norm": false, "adam_eps": 1e-5,
         "hidden_sizes": [128], "gru_size": 128, "head_sizes": [128], "agent_id": true, "activation": "relu"})"},
      {"selfplay", "self-play in games of two teams, with an entropy bonus that keeps policies mixed", R"({
         "algo": "ippo", "total_timesteps": 100000000, "num_envs": 16384, "num_steps": 32,
         "learning_rate": 0.0003, "anneal_lr": true, "gamma": 0.99, "gae_lambda": 0.95,
         "num_minibatches": 16, "update_epochs": 2, "norm_adv": true, "clip_coef": 0.15, "clip_vloss": true,
         "ent_coef": 0.03, "vf_coef": 0.5, "max_grad_norm": 0.5, "hidden_sizes": [256, 256], "selfplay": "naive"})"},
  };
  return all;
}

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const Preset& preset : presets()) names.push_back(preset.name);
  return names;
}

std::string default_preset(const TrainConfig& config) {
  return config.selfplay != kNoSelfPlay ? "selfplay" : kAlgos[config.algo];
}

TrainConfig preset_config(const std::string& name, const nlohmann::json& of_env) {
  for (const Preset& preset : presets()) {
    if (name != preset.name) continue;
    TrainConfig config;
    read_config(config, nlohmann::json::parse(preset.settings), "preset " + name);
    read_config(config, of_env, "preset " + name + " of the environment");
    return config;
  }
  throw_unknown("preset", name, preset_names());
}

}  // namespace throng
