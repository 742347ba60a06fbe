// TrainConfig: every setting of a training run, by CleanRL's names; one list for JSON, flags, docs and checkpoints.
#pragma once

#include <cstdint>
#include <vector>

#include "core/error.hpp"

namespace throng {

inline constexpr const char* kAlgos[] = {"ippo"};
inline constexpr const char* kActivations[] = {"relu", "tanh"};
enum Activation : int { kRelu, kTanh };

// The defaults follow JaxMARL's IPPO for SMAX where it has a counterpart (specs in docs/algorithms.md).
struct TrainConfig {
  int algo = 0;
  uint64_t seed = 0;
  int64_t total_timesteps = 10'000'000;
  int num_envs = 128;
  int num_steps = 128;
  float learning_rate = 1e-3f;
  bool anneal_lr = true;
  float gamma = 0.99f;
  float gae_lambda = 0.95f;
  int num_minibatches = 4;
  int update_epochs = 4;
  bool norm_adv = true;
  float clip_coef = 0.2f;
  bool clip_vloss = true;
  float ent_coef = 0.01f;
  float vf_coef = 0.5f;
  float max_grad_norm = 0.5f;
  float adam_eps = 1e-5f;
  std::vector<int> hidden_sizes = {64, 64};
  int activation = kRelu;
  int eval_interval = 0;
  int eval_episodes = 512;
  int checkpoint_interval = 50;
  std::string opponent_run;

  template <class V>
  void fields(V&& v) {
    v("algo", algo, kAlgos, "learning algorithm");
    v("seed", seed, "seed of environments, initial weights, sampling and minibatch order");
    v("total_timesteps", total_timesteps,
      "environment steps of the whole run (all agents of one instance act = 1 step)");
    v("num_envs", num_envs, "environments side by side");
    v("num_steps", num_steps, "steps per environment and rollout");
    v("learning_rate", learning_rate, "Adam step size at the start");
    v("anneal_lr", anneal_lr, "lower the learning rate linearly to zero over the run");
    v("gamma", gamma, "discount per step");
    v("gae_lambda", gae_lambda, "lambda of generalised advantage estimation");
    v("num_minibatches", num_minibatches, "minibatches per epoch");
    v("update_epochs", update_epochs, "passes over each rollout");
    v("norm_adv", norm_adv, "normalise advantages within each minibatch");
    v("clip_coef", clip_coef, "clipping range of the probability ratio");
    v("clip_vloss", clip_vloss, "clip the value's change by clip_coef, too");
    v("ent_coef", ent_coef, "weight of the entropy bonus");
    v("vf_coef", vf_coef, "weight of the value loss");
    v("max_grad_norm", max_grad_norm, "gradients are scaled down to this global norm; 0 = never");
    v("adam_eps", adam_eps, "Adam's epsilon");
    v("hidden_sizes", hidden_sizes, "widths of the hidden layers of actor and critic");
    v("activation", activation, kActivations, "activation of the hidden layers");
    v("eval_interval", eval_interval, "updates between evaluations; 0 = only at the end");
    v("eval_episodes", eval_episodes, "episodes per evaluation");
    v("checkpoint_interval", checkpoint_interval, "updates between checkpoints; 0 = only at the end");
    v("opponent_run", opponent_run,
      "folder of a run whose policy commands the second team, where both teams are agents (smax: env.opponent=policy)");
  }

  int64_t steps_per_update() const { return int64_t(num_envs) * num_steps; }
  int64_t num_updates() const { return total_timesteps / steps_per_update(); }

  void check() const {
    auto at_least = [](const char* name, double value, double least) {
      if (!(value >= least)) {
        throw Error(std::string(name) + " must be at least " + number(least) + ", not " + number(value));
      }
    };
    at_least("num_envs", num_envs, 1);
    at_least("num_steps", num_steps, 1);
    at_least("num_minibatches", num_minibatches, 1);
    at_least("update_epochs", update_epochs, 1);
    at_least("eval_episodes", eval_episodes, 1);
    at_least("eval_interval", eval_interval, 0);
    at_least("checkpoint_interval", checkpoint_interval, 0);
    for (const auto& [name, value] : {std::pair{"learning_rate", learning_rate},
                                      {"gamma", gamma},
                                      {"gae_lambda", gae_lambda},
                                      {"clip_coef", clip_coef},
                                      {"ent_coef", ent_coef},
                                      {"vf_coef", vf_coef},
                                      {"max_grad_norm", max_grad_norm},
                                      {"adam_eps", adam_eps}}) {
      at_least(name, value, 0);
    }
    for (const auto& [name, value] : {std::pair{"gamma", gamma}, {"gae_lambda", gae_lambda}}) {
      if (value > 1) throw Error(std::string(name) + " must be at most 1, not " + number(value));
    }
    for (int width : hidden_sizes) at_least("hidden_sizes", width, 1);
    at_least("total_timesteps", static_cast<double>(total_timesteps), static_cast<double>(steps_per_update()));
    if (steps_per_update() % num_minibatches != 0) {
      throw Error("num_minibatches = " + std::to_string(num_minibatches) + " does not divide num_envs * num_steps = " +
                  std::to_string(num_envs) + " * " + std::to_string(num_steps));
    }
  }

 private:
  static std::string number(double value) {
    std::string text = std::to_string(value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
  }
};

}  // namespace throng
