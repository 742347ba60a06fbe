// Slots: where policies of a pool sit while a learner plays against them, a block of games for each.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "algos/learner.hpp"
#include "algos/teams.hpp"
#include "algos/trainer.hpp"

namespace throng {

// The games of one learner: first those in which it plays itself and learns from both sides; then those against slots, block
// after block, in which it sits at the first and the second side in turn. Its environments are its sides, num_envs all told.
struct SlotLayout {
  int self_games = 0;
  int slots = 0;
  int games_per_slot = 0;

  explicit SlotLayout(const TrainConfig& config);  // Error if num_envs cannot be divided so
  int games() const { return self_games + slots * games_per_slot; }
  int slot_of(int game) const { return (game - self_games) / games_per_slot; }  // of a game against one
  int learner_side(int game) const { return (game - self_games) % 2; }
  std::vector<Side> own() const;
};

// Takes the sides that SlotLayout::own() leaves.
class OpponentSlots final : public Opponent {
 public:
  OpponentSlots(const VecEnv& both, const SlotLayout& layout, const TrainConfig& config);

  std::span<float> weights(int slot) { return actor_->weights(slot); }

  void act(const Observations& seen, const uint8_t* ended, Key key, uint32_t draw, void* actions) override;
  std::map<std::string, Tensor> snapshot() override;
  void restore(const std::map<std::string, Tensor>& from) override;

 private:
  Device& device_;
  int64_t rows_;
  Arena arena_;
  std::unique_ptr<Learner> actor_;  // a group for each slot
  float* state_ = nullptr;          // [slot, row, state_dim]
};

// What `make` makes, for self-play: a learner's sides of games against slots; and to evaluate (batches that do not reset
// themselves) one side of each game against `eval_opponent`.
MakeEnv self_play_env(MakeEnv make, const TrainConfig& config);

// The same for what a run's settings say of its opponents, for evaluations: nothing, a saved policy, self-play.
std::unique_ptr<VecEnv> evaluation_view(std::unique_ptr<VecEnv> env, const TrainConfig& config);

// What a learner with these settings sees of a game.
EnvSpec learner_spec(const EnvSpec& game, const TrainConfig& config);

}  // namespace throng
