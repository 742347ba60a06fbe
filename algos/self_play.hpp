// Self-play: one pool of policies, one table of who meets whom, and learners that play against it; methods are settings of that.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "algos/ladder.hpp"
#include "algos/matchmaker.hpp"
#include "algos/metrics.hpp"
#include "algos/opponent_slots.hpp"
#include "algos/pool.hpp"
#include "algos/run.hpp"

namespace throng {

// The learners of a run in one: to the trainer it is the first of them, whose policy is the run's result. An iteration draws
// opponents, lets every learner play and learn, counts who won, and takes snapshots into the pool.
//
// Players are numbered as in League: learners first, then the pool's snapshots as they were taken.
class SelfPlay final : public Learner {
 public:
  // `make_games` makes the game of both teams; `spec` and `num_envs` are of the first learner's environments.
  SelfPlay(std::shared_ptr<Device> device, const EnvSpec& spec, const Run& run, MakeEnv make_games,
           const MakeLearner& make_learner);

  void keep_in(const std::string& run_folder) override;
  void iterate(VecEnv& env, float learning_rate) override;

  Device& device() const override { return *device_; }
  const Rollout& rollout() const override { return first().rollout(); }
  void begin_rollout() override { first().begin_rollout(); }
  void act(int t) override { first().act(t); }
  void keep_finals(int t, const Finals& finals) override { first().keep_finals(t, finals); }
  void learn(float learning_rate) override { first().learn(learning_rate); }
  size_t num_sums() const override { return first().num_sums(); }
  void send_metrics(double* sums) override { first().send_metrics(sums); }
  std::vector<UpdateMetrics> metrics_of(const double* sums) const override { return first().metrics_of(sums); }
  int state_dim() const override { return first().state_dim(); }
  void act_on(const Observations& seen, const uint8_t* ended, float* state, int64_t rows, bool greedy, Key key,
              uint32_t draw, void* actions, int group = kAllGroups, const float* goals = nullptr) override {
    first().act_on(seen, ended, state, rows, greedy, key, draw, actions, group, goals);
  }
  std::span<float> weights(int group = 0) override { return first().weights(group); }
  std::map<std::string, Tensor> parameters(int group = 0) override { return first().parameters(group); }
  std::map<std::string, Tensor> optimizer_state(int group = 0) override;
  void load(const std::map<std::string, Tensor>& parameters, const std::map<std::string, Tensor>& optimizer_state,
            int group = 0) override;
  std::string not_finite(int group = 0) override;
  size_t bytes() const override;
  std::vector<std::pair<std::string, size_t>> memory_plan() const override;

  const League& league() const { return league_; }
  const Payoffs& payoffs() const { return payoffs_; }
  // The distribution that a learner's next opponents are drawn from, [player].
  std::vector<double> chances(int learner) const;
  // What the run's result is a mixture of, [player]; all 0: it is the first learner.
  std::vector<double> result() const;

 private:
  struct Player {
    std::unique_ptr<Learner> learner;
    std::unique_ptr<VecEnv> own_env;  // null: the trainer's
    Teams* env = nullptr;
    float rate = 1;             // its learning rate, as a factor
    double steps = 0;           // since its last snapshot
    std::vector<int> opponent;  // [slot], a player; -1 before the first draw
    bool slab_is_current = false;
  };

  Learner& first() const { return *players_[0].learner; }
  bool pooled() const { return config_.selfplay == kFictitious || config_.selfplay == kPsro; }
  int num_learners() const { return static_cast<int>(players_.size()); }
  OpponentSlots& slots(const Player& player) const { return *dynamic_cast<OpponentSlots*>(player.env->opponent()); }
  void add_learner(Role role, const MakeLearner& make_learner, const EnvSpec& spec);
  void add_envs(VecEnv& env);
  void fill_pool();
  void read_victim();
  void draw_opponents(int learner);
  void seat_opponents(int learner);
  void record(int learner);
  bool due(int learner) const;
  void take_snapshot(int learner);
  void begin_again(int learner);
  void enter(const PoolEntry& entry, Role role, int parent);
  void measure_newest();
  void write_pool();
  void tell(int learner);

  std::shared_ptr<Device> device_;
  Run run_;
  TrainConfig config_;
  SlotLayout layout_;
  MakeEnv make_games_;
  std::string folder_;
  EnvSpec spec_;
  Key key_;

  std::vector<Player> players_;
  Pool initial_;  // weights of the learners at the beginning, [learner]
  Pool pool_;     // [snapshot]
  std::vector<PoolEntry> entries_;
  League league_;
  Payoffs payoffs_{0};
  std::vector<double> mixture_;     // psro: the meta-strategy, [snapshot]
  double gain_ = 0;                 // psro: of the newest best response over the mixture that it was trained against
  std::unique_ptr<Learner> actor_;  // psro: plays for the pool
  int64_t updates_ = 0;
  std::unique_ptr<MetricsFile> log_;
};

// Makes the learners of a run that plays against itself; what a trainer takes in place of make_learner.
MakeLearner self_play_learner(const Run& run, const MakeEnv& make_games, const MakeLearner& make_learner);

}  // namespace throng
