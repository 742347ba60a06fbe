// Blocks of games and the policies that sit in them.
#include "algos/opponent_slots.hpp"

#include <cmath>
#include <utility>

#include "algos/saved_opponent.hpp"
#include "core/error.hpp"

namespace throng {
namespace {

EnvSpec spec_of_sides(const EnvSpec& both, bool zero_sum) { return team_spec(both, {{0, 0}, {0, 1}}, zero_sum); }

}  // namespace

SlotLayout::SlotLayout(const TrainConfig& config) {
  const double share = config.selfplay == kNaive ? config.pool_share : 1;
  if (share > 0) {
    slots = config.num_opponents;
    games_per_slot = std::max(1, static_cast<int>(std::lround(share * config.num_envs / slots)));
  }
  const int left = config.num_envs - slots * games_per_slot;
  self_games = left / 2;
  const bool fits = left >= 0 && left % 2 == 0 && (left == 0 || config.selfplay == kNaive) && config.num_envs > 1;
  if (fits) return;
  throw Error(
      "selfplay=" + std::string(kSelfPlays[config.selfplay]) + ": num_envs = " + std::to_string(config.num_envs) +
      " does not fit num_opponents = " + std::to_string(config.num_opponents) +
      (config.selfplay == kNaive ? " (what pool_share leaves must be an even number)" : ", which must divide it"));
}

std::vector<Side> SlotLayout::own() const {
  std::vector<Side> sides;
  for (int game = 0; game < self_games; ++game) sides.insert(sides.end(), {{game, 0}, {game, 1}});
  for (int game = self_games; game < games(); ++game) sides.push_back({game, learner_side(game)});
  return sides;
}

OpponentSlots::OpponentSlots(const VecEnv& both, const SlotLayout& layout, const TrainConfig& config)
    : device_(both.device()), arena_(both.shared_device()) {
  const EnvSpec spec = spec_of_sides(both.spec(), config.zero_sum);
  rows_ = int64_t(layout.slots) * layout.games_per_slot * spec.num_agents;
  TrainConfig acting = config;
  acting.num_steps = 0;  // it acts and does not learn
  actor_ =
      make_learner(both.shared_device(), spec, layout.games_per_slot, std::vector<TrainConfig>(layout.slots, acting));
  if (actor_->state_dim() > 0) arena_.want(state_, rows_ * actor_->state_dim());
  arena_.commit();
}

void OpponentSlots::act(const Observations& seen, const uint8_t* ended, Key key, uint32_t draw, void* actions) {
  actor_->act_on(seen, ended, state_, rows_, /*greedy=*/false, key, draw, static_cast<int32_t*>(actions));
}

std::map<std::string, Tensor> OpponentSlots::snapshot() {
  if (state_ == nullptr) return {};
  const int64_t dim = actor_->state_dim();
  return {{"state", Tensor::of<float>({rows_, dim}, download(device_, state_, rows_ * dim))}};
}

void OpponentSlots::restore(const std::map<std::string, Tensor>& from) {
  if (state_ == nullptr) return;
  const auto found = from.find("state");
  const std::vector<int64_t> shape = {rows_, actor_->state_dim()};
  if (found == from.end() || found->second.shape != shape) throw Error("the opponents' state is not in the snapshot");
  const auto values = found->second.as<float>();
  device_.copy(state_, values.data(), values.size_bytes());
  device_.synchronize();
}

MakeEnv self_play_env(MakeEnv make, const TrainConfig& config) {
  return [make = std::move(make), config](const std::string& id, std::shared_ptr<Device> device,
                                          const BatchOptions& options,
                                          const nlohmann::json& env_config) -> std::unique_ptr<VecEnv> {
    if (options.autoreset == Autoreset::disabled)
      return evaluation_view(make(id, std::move(device), options, env_config), config);
    const SlotLayout layout(config);
    BatchOptions batch = options;
    batch.num_envs = layout.games();
    auto both = make(id, std::move(device), batch, env_config);
    std::unique_ptr<Opponent> slots;
    if (layout.slots > 0) slots = std::make_unique<OpponentSlots>(*both, layout, config);
    return make_teams(std::move(both), {layout.own(), {}, config.zero_sum}, std::move(slots));
  };
}

std::unique_ptr<VecEnv> evaluation_view(std::unique_ptr<VecEnv> env, const TrainConfig& config) {
  if (config.selfplay != kNoSelfPlay) return against_bot(std::move(env), config.eval_opponent, config.zero_sum);
  if (!config.opponent_run.empty()) return against_run(std::move(env), config.opponent_run);
  return env;
}

EnvSpec learner_spec(const EnvSpec& game, const TrainConfig& config) {
  if (config.selfplay != kNoSelfPlay) return spec_of_sides(game, config.zero_sum);
  if (!config.opponent_run.empty()) return team_spec(game, {{0, 0}}, false);
  return game;
}

}  // namespace throng
