// Games of two teams as environments of single sides: rows are parted after every step. Compiled for CPU and CUDA.
#include <algorithm>
#include <cstring>
#include <utility>

#include "algos/team_rows.hpp"
#include "core/error.hpp"

#ifndef __CUDACC__
#include "core/cuda_loader.hpp"
#endif

namespace throng {

using namespace team_rows;

namespace {

// Environment e draws from fold_in(key(seed), e); no environment has this number. Bots draw apart from the opponent.
constexpr uint32_t kOpponentStream = 0xfffffffdu, kBots = 0x626f7473;

// Those that `own` leaves, in the order of games and teams.
std::vector<Side> others(int games, const std::vector<Side>& own) {
  std::vector<uint8_t> taken(2 * size_t(games), 0);
  for (const Side& side : own) {
    if (side.game < 0 || side.game >= games || side.team < 0 || side.team > 1 || taken[2 * side.game + side.team]++)
      throw Error("teams: there is no side " + std::to_string(side.team) + " of game " + std::to_string(side.game) +
                  ", or it is taken twice");
  }
  std::vector<Side> left;
  for (int i = 0; i < 2 * games; ++i) {
    if (!taken[i]) left.push_back({i / 2, i % 2});
  }
  return left;
}

int measure(const EnvSpec& spec, const char* name) {
  const auto found = std::find(spec.info.begin(), spec.info.end(), name);
  return found == spec.info.end() ? -1 : static_cast<int>(found - spec.info.begin());
}

BatchOptions options_of(const VecEnv& both, size_t sides) {
  BatchOptions options = both.options();
  options.num_envs = static_cast<int>(sides);
  options.obs_bfloat16 = false;  // the rows are so already
  return options;
}

class TeamsOf final : public Teams {
 public:
  TeamsOf(std::unique_ptr<VecEnv> both, const TeamOptions& options, std::unique_ptr<Opponent> opponent)
      : Teams(both->shared_device(), team_spec(both->spec(), options.own, options.zero_sum),
              options_of(*both, options.own.size())),
        both_(std::move(both)),
        opponent_(std::move(opponent)),
        sides_(options.own),
        zero_sum_(options.zero_sum),
        games_(both_->num_envs()) {
    const std::vector<Side> left = others(games_, options.own);
    const int all = both_->spec().num_agents, first = first_team(both_->spec());
    own_ = {nullptr, num_envs(), spec_.num_agents, all, first};
    other_ = {nullptr, static_cast<int>(left.size()), team_spec(both_->spec(), left, false).num_agents, all, first};
    judge_ = {own_, both_->spec().num_objectives, static_cast<int>(spec_.info.size()), measure(spec_, "won"),
              measure(spec_, "drawn")};
    if (!opponent_ && options.bots.empty() && !left.empty()) throw Error("teams: a side is left, and no opponent");
    want_buffers(options);
    allocate();
    place(own_, own_sides_, options.own);
    place(other_, other_sides_, left);
    if (bots_) place_bots(options.bots);
    std::vector<int32_t> at(2 * size_t(games_), -1);
    for (size_t i = 0; i < options.own.size(); ++i)
      at[2 * options.own[i].game + options.own[i].team] = static_cast<int32_t>(i);
    upload(*device_, own_at_, at);
    judge_.rows = own_;
    state_ = both_->state();
  }

  VecEnv& games() override { return *both_; }
  Opponent* opponent() override { return opponent_.get(); }

  // The game draws for all rows, from its own masks, and a part of that is ours.
  void random_actions(const uint8_t*, void* actions, Key key, uint32_t draw) override {
    policy_actions(0, actions, key, draw);
  }
  void policy_actions(int policy, void* actions, Key key, uint32_t draw) override {
    both_->policy_actions(policy, both_->actions(), key, draw);
    take_items(*device_, own_, both_->actions(), actions, spec_.action_dim(), 4);
  }
  void mixed_actions(const int32_t*, void*, Key, uint32_t) override {
    throw Error(spec_.id + ": sides of games have one policy for all");
  }
  void reset_blocks(const std::vector<uint64_t>& seeds) override {
    if (seeds.size() != 1) throw Error(spec_.id + ": opponents draw from one stream, so there is one seed");
    reset(seeds[0]);
  }

  Image render(int env, int size, int agent) override {
    check_picture(env, size, agent);
    const Side side = sides_[env];
    return both_->render(side.game, size, agent != kWhole && side.team ? own_.first + agent : agent);
  }

  // The opponent answers as it will in the step, and then forgets it.
  std::vector<Image> render_step(int env, const void* actions, int size) override {
    check_picture(env, size);
    std::map<std::string, Tensor> before;
    if (opponent_) before = opponent_->snapshot();
    choose_others();
    if (opponent_) opponent_->restore(before);
    const Side side = sides_[env];
    const int dim = spec_.action_dim(), of_first = own_.first, of_team = side.team ? own_.all - of_first : of_first;
    const size_t game = size_t(own_.all) * dim, own = size_t(side.team ? of_first : 0) * dim;
    auto all = download(*device_, static_cast<const uint32_t*>(both_->actions()) + side.game * game, game);
    std::memcpy(all.data() + own, actions, size_t(of_team) * dim * sizeof(uint32_t));
    return both_->render_step(side.game, all.data(), size);
  }

  std::vector<uint64_t> state_hashes() override { return both_->state_hashes(); }

  std::map<std::string, Tensor> snapshot() override {
    std::map<std::string, Tensor> all;
    for (auto& [name, tensor] : both_->snapshot()) all["games." + name] = std::move(tensor);
    if (opponent_) {
      for (auto& [name, tensor] : opponent_->snapshot()) all["opponent." + name] = std::move(tensor);
    }
    for (const Kept& kept : kept_) {
      all[kept.name] = {
          kept.dtype, {kept.count}, download(*device_, static_cast<const std::byte*>(kept.data), kept.bytes)};
    }
    all["stream"] = Tensor::of<uint32_t>({3}, std::vector<uint32_t>{key_.hi, key_.lo, draw_});
    return all;
  }

  void restore(const std::map<std::string, Tensor>& from) override {
    const auto part = [&](const std::string& prefix) {
      std::map<std::string, Tensor> all;
      for (const auto& [name, tensor] : from) {
        if (name.starts_with(prefix)) all[name.substr(prefix.size())] = tensor;
      }
      return all;
    };
    const auto one = [&](const std::string& name, const std::string& dtype, int64_t count) -> const Tensor& {
      const auto found = from.find(name);
      if (found == from.end() || found->second.dtype != dtype || found->second.shape != std::vector<int64_t>{count})
        throw Error("snapshot of " + spec_.id + " lacks '" + name + "', or it is of another size");
      return found->second;
    };
    const auto stream = one("stream", "U32", 3).as<uint32_t>();
    for (const Kept& kept : kept_) one(kept.name, kept.dtype, kept.count);
    if (opponent_) opponent_->restore(part("opponent."));
    both_->restore(part("games."));
    for (const Kept& kept : kept_) device_->copy(kept.data, from.at(kept.name).data.data(), kept.bytes);
    device_->synchronize();
    key_ = {stream[0], stream[1]};
    draw_ = stream[2];
    show(observations_);
  }

  std::vector<Score> take_scores() override {
    const auto counts = download(*device_, scores_, 3 * size_t(games_));
    device_->fill_zero(scores_, counts.size() * sizeof(int32_t));
    std::vector<Score> scores(games_);
    for (int g = 0; g < games_; ++g) scores[g] = {{counts[g], counts[games_ + g]}, counts[2 * size_t(games_) + g]};
    return scores;
  }

  void restart(const std::vector<uint8_t>& games) override {
    upload(*device_, mask_, games);
    restart_masked();
    show(observations_);
  }

 protected:
  void launch(const Call& call) override {
    switch (call.operation) {
      case Call::kReset:
        key_ = fold_in(call.seed_key, kOpponentStream);
        draw_ = 0;
        device_->fill_zero(scores_, 3 * size_t(games_) * sizeof(int32_t));
        begin_anew(*device_, games_, nullptr, raised_, ends_);
        both_->reset(uint64_t{call.seed_key.hi} << 32 | call.seed_key.lo);
        break;
      case Call::kResetWhere:
        gather_mask(*device_, games_, own_at_, call.mask, mask_);
        restart_masked();
        break;
      case Call::kObserve: both_->observe(both_->observations()); break;
      case Call::kStep: step_both(call); break;
    }
    take_of_game(*device_, own_, both_->outcomes().ended, call.outcome.ended, 1);
    show(call.next);
  }

 private:
  // What of this class a snapshot keeps.
  struct Kept {
    std::string name, dtype;
    int64_t count;
    size_t bytes;
    void* data;
  };

  void want_buffers(const TeamOptions& options) {
    const size_t rows = other_.count(), games = games_;
    arena_.want(own_sides_, own_.sides);
    arena_.want(other_sides_, other_.sides);
    arena_.want(own_at_, 2 * games);
    if (!options.bots.empty()) arena_.want(bots_, games * own_.all);
    arena_.want(other_obs_, rows * spec_.obs_dim * spec_.obs_item_bytes());
    arena_.want(other_avail_, rows * spec_.num_actions);
    arena_.want(other_active_, rows);
    arena_.want(other_ended_, rows);
    arena_.want(other_actions_, rows * spec_.action_dim());
    arena_.want(mask_, games);
    arena_.want(results_, games);
    arena_.want(raised_, games);
    arena_.want(ends_, games);
    arena_.want(scores_, 3 * games);
  }

  void place(Rows& rows, int32_t* sides, const std::vector<Side>& from) {
    std::vector<int32_t> words;
    for (const Side& side : from) words.push_back(2 * side.game + side.team);
    upload(*device_, sides, words);
    rows.side = sides;
    if (&rows != &own_) return;
    const int64_t totals = int64_t(num_totals()) * num_envs();
    kept_ = {{"raised", "U8", games_, size_t(games_), raised_},
             {"ends", "U8", games_, size_t(games_), ends_},
             {"scores", "I32", 3 * int64_t(games_), 3 * size_t(games_) * sizeof(int32_t), scores_},
             {"totals", "F32", totals, size_t(totals) * sizeof(float), book_.totals}};
  }

  void place_bots(const std::vector<int32_t>& of_sides) {
    if (of_sides.size() != 2 * size_t(games_)) throw Error("teams: bots must be [2 * game + team]");
    std::vector<int32_t> of_rows;
    for (int g = 0; g < games_; ++g) {
      for (int a = 0; a < own_.all; ++a) of_rows.push_back(of_sides[2 * g + (a >= own_.first)]);
    }
    upload(*device_, bots_, of_rows);
  }

  void restart_masked() {
    begin_anew(*device_, games_, mask_, raised_, ends_);
    both_->reset_where(mask_);
  }

  void step_both(const Call& call) {
    auto* actions = static_cast<uint32_t*>(both_->actions());
    give(*device_, own_, static_cast<const uint32_t*>(call.actions), actions, spec_.action_dim());
    choose_others();
    ++draw_;
    both_->step(actions);
    take_outcome(call.outcome);
  }

  // What the other sides do next, in both_->actions().
  void choose_others() {
    auto* actions = static_cast<uint32_t*>(both_->actions());
    if (opponent_) {
      spread(*device_, other_, ends_, other_ended_);
      opponent_->act({other_obs_, other_avail_, other_active_, nullptr}, other_ended_, key_, draw_, other_actions_);
      give(*device_, other_, other_actions_, actions, spec_.action_dim());
    }
    if (bots_) both_->mixed_actions(bots_, actions, fold_in(key_, kBots), draw_);
  }

  void take_outcome(const Outcomes& to) {
    Device& device = *device_;
    const Outcomes& all = both_->outcomes();
    const Finals& from = both_->finals();
    const int objectives = both_->spec().num_objectives;
    mark_ends(device, own_, games_, all, options_.autoreset == Autoreset::disabled, raised_, ends_);
    judge(device, judge_, games_, ends_, all, from, results_, scores_);
    take(device, own_, all.terminated, to.terminated, 1);
    take(device, own_, all.truncated, to.truncated, 1);
    if (own_.fills_up()) fill_flags(device, own_, all, to);
    if (zero_sum_) {
      take_zero_sum(device, own_, all.rewards, objectives, to.rewards);
      take_zero_sum(device, own_, from.episode_return, objectives, finals_.episode_return, ends_);
    } else {
      take(device, own_, all.rewards, to.rewards, objectives);
      take(device, own_, from.episode_return, finals_.episode_return, objectives, ends_);
    }
    take_items(device, own_, from.obs, finals_.obs, spec_.obs_dim, spec_.obs_item_bytes(), ends_);
    take_of_game(device, own_, from.episode_length, finals_.episode_length, 1, ends_);
    take_of_game(device, own_, from.world_state, finals_.world_state, spec_.world_state_dim, ends_);
    take_info(device, judge_, own_, from.info, results_, finals_.info, ends_);
    add_totals(device, own_, spec_.num_objectives, judge_.info_dim, ends_, finals_, book_.totals);
  }

  void show(const Observations& to) {
    const Observations& all = both_->observations();
    show(own_, all, to);
    show(other_, all, {other_obs_, other_avail_, other_active_, nullptr});
    take_of_game(*device_, own_, all.world_state, to.world_state, spec_.world_state_dim);
  }

  void show(Rows rows, const Observations& all, const Observations& to) {
    if (rows.count() == 0) return;
    take_items(*device_, rows, all.obs, to.obs, spec_.obs_dim, spec_.obs_item_bytes());
    if (spec_.num_actions > 0) take(*device_, rows, all.avail_actions, to.avail_actions, spec_.num_actions);
    take(*device_, rows, all.active, to.active, 1);
    if (to.avail_actions && rows.fills_up()) allow_nothing(*device_, rows, spec_, to.avail_actions);
  }

  std::unique_ptr<VecEnv> both_;
  std::unique_ptr<Opponent> opponent_;
  std::vector<Side> sides_;  // own
  bool zero_sum_;
  int games_;
  Rows own_, other_;
  Judge judge_;
  std::vector<Kept> kept_;
  int32_t *own_sides_ = nullptr, *other_sides_ = nullptr;  // [side], see Rows
  int32_t* own_at_ = nullptr;                              // [game, 2], the number of an own side, or -1
  int32_t* bots_ = nullptr;                                // [game, agent], or null
  uint8_t *other_obs_ = nullptr, *other_avail_ = nullptr, *other_active_ = nullptr, *other_ended_ = nullptr;
  uint32_t* other_actions_ = nullptr;  // [other side, agent, action_dim], int32 or float32
  uint8_t *mask_ = nullptr, *results_ = nullptr;
  uint8_t *raised_ = nullptr, *ends_ = nullptr;  // [game], flags that stay up; episodes that ended in the last step
  int32_t* scores_ = nullptr;                    // [3, game], by Result
  Key key_;
  uint32_t draw_ = 0;
};

}  // namespace

#ifdef __CUDACC__

extern "C" THRONG_API Teams* throng_cuda_make_teams(std::unique_ptr<VecEnv>* both, const TeamOptions* options,
                                                    std::unique_ptr<Opponent>* opponent) {
  return new TeamsOf(std::move(*both), *options, std::move(*opponent));
}

#else

std::unique_ptr<Teams> make_teams(std::unique_ptr<VecEnv> both, const TeamOptions& options,
                                  std::unique_ptr<Opponent> opponent) {
  if (!both->device().is_cuda()) return std::make_unique<TeamsOf>(std::move(both), options, std::move(opponent));
  using Make = Teams*(std::unique_ptr<VecEnv>*, const TeamOptions*, std::unique_ptr<Opponent>*);
  return std::unique_ptr<Teams>(cuda_function<Make>("throng_cuda_make_teams")(&both, &options, &opponent));
}

std::unique_ptr<Teams> against(std::unique_ptr<VecEnv> both, std::unique_ptr<Opponent> opponent) {
  TeamOptions options;
  for (int game = 0; game < both->num_envs(); ++game) options.own.push_back({game, 0});
  return make_teams(std::move(both), options, std::move(opponent));
}

std::unique_ptr<Teams> against_bot(std::unique_ptr<VecEnv> both, const std::string& policy, bool zero_sum) {
  TeamOptions options;
  options.zero_sum = zero_sum;
  options.bots.assign(2 * size_t(both->num_envs()), both->policy_named(policy));
  for (int game = 0; game < both->num_envs(); ++game) {
    options.own.push_back({game, game % 2});
    options.bots[2 * game + game % 2] = -1;
  }
  return make_teams(std::move(both), options, nullptr);
}

#endif

}  // namespace throng
