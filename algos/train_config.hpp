// TrainConfig: every setting of a training run, by CleanRL's names; one list for JSON, flags, docs and checkpoints.
#pragma once

#include <cstdint>
#include <vector>

#include "algos/activation.hpp"
#include "algos/matchmaker.hpp"
#include "algos/matmul.hpp"
#include "algos/scalarize.hpp"
#include "algos/sliding.hpp"
#include "core/error.hpp"
#include "core/fixed_list.hpp"

namespace throng {

// What the critic sees tells ippo and mappo apart: the agent's own observation, or the state of the whole environment. The
// multi-objective two learn a value for each objective and are told the weights that they shall act by.
inline constexpr const char* kAlgos[] = {"ippo", "mappo", "mo_ippo", "mo_mappo"};
enum Algo : int { kIppo, kMappo, kMoIppo, kMoMappo };

// Of which outcome the utility is taken: of the mean over episodes, or of every single episode.
inline constexpr const char* kCriteria[] = {"ser", "esr"};
enum Criterion : int { kSer, kEsr };

// Who the policies play in a game of two teams (algos/self_play.hpp).
inline constexpr const char* kSelfPlays[] = {"none", "naive",         "fictitious",   "league",
                                             "psro", "two_timescale", "best_response"};
enum SelfPlayKind : int { kNoSelfPlay, kNaive, kFictitious, kLeague, kPsro, kTwoTimescale, kBestResponse };

// Presets that lie over these defaults are in algos/presets.hpp.
struct TrainConfig {
  int algo = kIppo;
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
  bool anneal_ent = false;
  float vf_coef = 0.5f;
  float max_grad_norm = 0.5f;
  float adam_eps = 1e-5f;
  bool joint_grad_norm = true;
  std::vector<int> cnn = {};
  std::vector<int> cnn_kernels = {3};
  std::vector<int> cnn_strides = {1};
  int cnn_padding = kSame;
  std::vector<int> hidden_sizes = {64, 64};
  int gru_size = 0;
  std::vector<int> head_sizes = {};
  bool share_layers = false;
  bool agent_id = true;
  bool actor_id = false;
  int activation = kRelu;
  int precision = kFp32;
  bool reset_at_episode_end = true;
  bool bootstrap_truncated = true;
  bool self_test = true;
  int eval_interval = 0;
  int eval_episodes = 512;
  int checkpoint_interval = 50;
  std::string opponent_run;
  FixedList<float, kMaxObjectives> weights = {};
  bool weights_per_agent = false;
  int utility = Scalarizer::kLinear;
  FixedList<float, kMaxObjectives> references = {};
  int criterion = kSer;
  bool norm_rewards = false;
  int selfplay = kNoSelfPlay;
  int num_opponents = 16;
  int opponent_steps = 2048;
  float pool_share = 0.2f;
  int pfsp = 0;
  int64_t snapshot_steps = 20'000'000;
  float snapshot_win_rate = 0.7f;
  int main_agents = 1;
  int main_exploiters = 1;
  int league_exploiters = 2;
  int psro_games = 4096;
  float rate_ratio = 10.0f;
  bool zero_sum = true;
  std::string eval_opponent = "random";

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
    v("anneal_ent", anneal_ent, "lower it with the learning rate");
    v("vf_coef", vf_coef, "weight of the value loss");
    v("max_grad_norm", max_grad_norm, "gradients are scaled down to this global norm; 0 = never");
    v("adam_eps", adam_eps, "Adam's epsilon");
    v("joint_grad_norm", joint_grad_norm, "one norm for actor and critic together; false = each its own");
    v("cnn", cnn, "filters of the convolutions that come first, where observations are a grid; [] = none");
    v("cnn_kernels", cnn_kernels, "side of the convolutions' kernels: one for all, or one for each");
    v("cnn_strides", cnn_strides, "how far the kernels move: one for all, or one for each");
    v("cnn_padding", cnn_padding, kPaddings, "same = zeros around the grid keep its size; valid = none");
    v("hidden_sizes", hidden_sizes, "widths of the layers that come first, before the GRU");
    v("gru_size", gru_size, "width of the recurrent core, a GRU; 0 = feed-forward");
    v("head_sizes", head_sizes, "widths of the hidden layers after the GRU, of actor and critic each");
    v("share_layers", share_layers, "actor and critic share all layers but the heads (ippo only)");
    v("agent_id", agent_id, "mappo: the critic is told the agent's number");
    v("actor_id", actor_id, "the actor, and ippo's critic, are told the agent's number");
    v("activation", activation, kActivations, "activation of the hidden layers");
    v("precision", precision, kPrecisions, "of the operands of matrix products on a GPU; all else is float32");
    v("reset_at_episode_end", reset_at_episode_end,
      "recurrent state begins anew with an episode; false = only at death");
    v("bootstrap_truncated", bootstrap_truncated,
      "a truncated episode is worth its final observation; false = nothing");
    v("self_test", self_test, "stop if the first probability ratio is not exactly 1");
    v("eval_interval", eval_interval, "updates between evaluations; 0 = only at the end");
    v("eval_episodes", eval_episodes, "episodes per evaluation");
    v("checkpoint_interval", checkpoint_interval, "updates between checkpoints; 0 = only at the end");
    v("opponent_run", opponent_run,
      "folder of a run whose policy commands the second team, where both teams are agents (smax: env.opponent=policy)");
    v("weights", weights, "mo: one fixed weight for each objective; empty: every episode draws its own");
    v("weights_per_agent", weights_per_agent, "mo: every agent draws weights of its own");
    v("utility", utility, kUtilities, "mo: what an agent with these weights strives for");
    v("references", references,
      "mo: one for each objective: chebyshev: the best there is; thresholded: the lowest of the first, then "
      "thresholds");
    v("criterion", criterion, kCriteria, "mo: utility of the mean outcome, or mean utility of every episode");
    v("norm_rewards", norm_rewards, "divide rewards of each objective by the deviation of its returns");
    v("selfplay", selfplay, kSelfPlays, "in a game of two teams, who the policy plays while it learns");
    v("num_opponents", num_opponents, "self-play: policies of the pool that are met at a time, each in as many games");
    v("opponent_steps", opponent_steps, "self-play: steps with an opponent before another one is drawn");
    v("pool_share", pool_share, "naive self-play: share of the experience that comes from games against old selves");
    v("pfsp", pfsp, kPfsps, "fictitious self-play: who of the pool is met more often, by the share won against it");
    v("snapshot_steps", snapshot_steps, "self-play: steps of a learner before a copy of it enters the pool");
    v("snapshot_win_rate", snapshot_win_rate,
      "fictitious, league: it waits until this share is won against each that counts, but at most twice as long");
    v("main_agents", main_agents, "league: learners that are to be good; the first is the run's result");
    v("main_exploiters", main_exploiters, "league: learners that look for weaknesses of main agents");
    v("league_exploiters", league_exploiters, "league: learners that look for weaknesses of the whole pool");
    v("psro_games", psro_games, "psro: games between a new member of the pool and each other one");
    v("rate_ratio", rate_ratio, "two_timescale: how many times faster the opponent learns");
    v("zero_sum", zero_sum, "self-play: the reward is the first objective, less the other team's, halved");
    v("eval_opponent", eval_opponent, "self-play: who evaluations are against: a player that comes with the game");
  }

  int64_t steps_per_update() const { return int64_t(num_envs) * num_steps; }
  int64_t num_updates() const { return total_timesteps / steps_per_update(); }
  bool central_critic() const { return algo == kMappo || algo == kMoMappo; }
  bool multi_objective() const { return algo == kMoIppo || algo == kMoMappo; }

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
    at_least("num_opponents", num_opponents, 1);
    at_least("opponent_steps", opponent_steps, 1);
    at_least("pool_share", pool_share, 0);
    at_least("snapshot_steps", static_cast<double>(snapshot_steps), 1);
    at_least("main_agents", main_agents, 1);
    at_least("main_exploiters", main_exploiters, 0);
    at_least("league_exploiters", league_exploiters, 0);
    at_least("psro_games", psro_games, 1);
    at_least("rate_ratio", rate_ratio, 0);
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
    for (const auto& [name, numbers] : {std::pair{"cnn_kernels", &cnn_kernels}, {"cnn_strides", &cnn_strides}}) {
      if (numbers->size() != 1 && numbers->size() != cnn.size())
        throw Error(std::string(name) + " must have one number, or one for each layer of cnn");
      for (int n : *numbers) at_least(name, n, 1);
    }
    for (int filters : cnn) {
      at_least("cnn", filters, 1);
      if (filters % 4 != 0) throw Error("cnn must be multiples of 4, not " + std::to_string(filters));
    }
    if (hidden_sizes.empty()) throw Error("hidden_sizes must name at least one layer");
    for (int width : hidden_sizes) at_least("hidden_sizes", width, 1);
    for (int width : head_sizes) at_least("head_sizes", width, 1);
    at_least("gru_size", gru_size, 0);
    if (gru_size % 4 != 0) throw Error("gru_size must be a multiple of 4, not " + std::to_string(gru_size));
    if (share_layers && central_critic())
      throw Error("share_layers goes with ippo: mappo's critic sees something else than its actor");
    if (multi_objective() && selfplay != kNoSelfPlay)
      throw Error(std::string("selfplay goes with ippo and mappo, not ") + kAlgos[algo]);
    if (!multi_objective() && (weights.size > 0 || utility != Scalarizer::kLinear || criterion != kSer)) {
      throw Error(std::string("weights, utility and criterion go with mo_ippo and mo_mappo, not ") + kAlgos[algo]);
    }
    at_least("total_timesteps", static_cast<double>(total_timesteps), static_cast<double>(steps_per_update()));
    if (gru_size > 0 && num_envs % num_minibatches != 0) {
      throw Error("num_minibatches = " + std::to_string(num_minibatches) + " does not divide num_envs = " +
                  std::to_string(num_envs) + ": a recurrent policy learns from whole sequences");
    }
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
