// An environment of one team: both teams' rows are parted after every step. Compiled for CPU and CUDA.
#include "algos/opponent.hpp"

#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/launch.hpp"

#ifndef __CUDACC__
#include "core/cuda_loader.hpp"
#endif

namespace throng {

namespace {

// Environment e draws from fold_in(key(seed), e); no environment has this number.
constexpr uint32_t kOpponentStream = 0xfffffffdu;

// Where the rows of one team lie among those of all agents.
struct Part {
  int envs, agents, first, count;
};

// All rows of the part, or only those of environments whose flag is set: `dim` items each.
template <class T>
void take(Device& device, Part part, const T* all, T* own, int dim, const uint8_t* where = nullptr) {
  if (!all || !own || dim == 0) return;
  Backend::each(device, int64_t(part.envs) * part.count * dim, [=] THRONG_HD(int64_t i) {
    const int64_t block = int64_t(part.count) * dim, e = i / block;
    if (!where || where[e]) own[i] = all[(e * part.agents + part.first) * dim + i % block];
  });
}

template <class T>
void give(Device& device, Part part, const T* own, T* all, int dim) {
  Backend::each(device, int64_t(part.envs) * part.count * dim, [=] THRONG_HD(int64_t i) {
    const int64_t block = int64_t(part.count) * dim;
    all[(i / block * part.agents + part.first) * dim + i % block] = own[i];
  });
}

// Items of any size.
void take_items(Device& device, Part part, const void* all, void* own, int dim, size_t bytes,
                const uint8_t* where = nullptr) {
  if (bytes == 1) return take(device, part, static_cast<const uint8_t*>(all), static_cast<uint8_t*>(own), dim, where);
  if (bytes == 2) return take(device, part, static_cast<const uint16_t*>(all), static_cast<uint16_t*>(own), dim, where);
  take(device, part, static_cast<const uint32_t*>(all), static_cast<uint32_t*>(own), dim, where);
}

// Where an episode has just ended: flags of [env, agent] that were not raised before. `raised`, [env], remembers those that
// stay up.
void mark_ends(Device& device, Part part, const Outcomes& all, bool stay, uint8_t* raised, uint8_t* ends) {
  Backend::each(device, part.envs, [=] THRONG_HD(int64_t e) {
    const uint8_t flag = all.terminated[e * part.agents] | all.truncated[e * part.agents];
    ends[e] = flag && !raised[e];
    raised[e] = stay && flag;
  });
}

void lower(Device& device, int envs, const uint8_t* mask, uint8_t* raised) {
  Backend::each(device, envs, [=] THRONG_HD(int64_t e) {
    if (!mask || mask[e]) raised[e] = 0;
  });
}

// [3, env], the same for all environments, as everything in a snapshot is of environments.
void write_stream(Device& device, int envs, Key key, uint32_t draw, uint32_t* stream) {
  Backend::each(device, envs, [=] THRONG_HD(int64_t e) {
    stream[e] = key.hi;
    stream[envs + e] = key.lo;
    stream[2 * envs + e] = draw;
  });
}

// One flag for each of `count` agents.
void spread(Device& device, int envs, int count, const uint8_t* per_env, uint8_t* per_agent) {
  Backend::each(device, int64_t(envs) * count, [=] THRONG_HD(int64_t i) { per_agent[i] = per_env[i / count]; });
}

// As in Stepper::record: episodes, mean return of the team, length, info.
void add_totals(Device& device, int envs, int agents, int objectives, int info, const uint8_t* ends,
                const Finals& finals, float* totals) {
  Backend::each(device, envs, [=] THRONG_HD(int64_t e) {
    if (!ends[e]) return;
    float* total = totals + e;
    *total += 1.0f;
    for (int o = 0; o < objectives; ++o) {
      float sum = 0.0f;
      for (int a = 0; a < agents; ++a) sum += finals.episode_return[(e * agents + a) * objectives + o];
      *(total += envs) += sum / static_cast<float>(agents);
    }
    *(total += envs) += static_cast<float>(finals.episode_length[e]);
    for (int i = 0; i < info; ++i) *(total += envs) += finals.info[e * info + i];
  });
}

EnvSpec spec_of_first(EnvSpec spec, int agents) {
  spec.num_agents = agents;
  spec.agents.resize(static_cast<size_t>(agents));
  return spec;
}

class OneTeam final : public VecEnv {
 public:
  OneTeam(std::unique_ptr<VecEnv> both, std::unique_ptr<Opponent> opponent)
      : VecEnv(both->shared_device(), spec_of_first(both->spec(), first_team(both->spec())), both->options()),
        both_(std::move(both)),
        opponent_(std::move(opponent)),
        own_{num_envs(), both_->spec().num_agents, 0, spec_.num_agents},
        other_{num_envs(), own_.agents, own_.count, own_.agents - own_.count} {
    const size_t rows = size_t(num_envs()) * other_.count;
    arena_.want(other_obs_, rows * spec_.obs_dim * spec_.obs_item_bytes());
    arena_.want(other_avail_, rows * spec_.num_actions);
    arena_.want(other_active_, rows);
    arena_.want(other_ended_, rows);
    arena_.want(other_actions_, rows * spec_.action_dim());
    arena_.want(ends_, num_envs());
    arena_.want(stream_, 3 * num_envs());
    allocate();
    state_ = both_->state();
    // A snapshot keeps the game's book, what this class adds to it, and what the opponent remembers.
    const StateArray totals = book_arrays_.back();
    book_arrays_ = both_->book();
    for (StateArray& array : book_arrays_) array.name = "both." + array.name;
    book_arrays_.push_back(totals);
    book_arrays_.push_back({"raised", "U8", 1, 1, book_.ended});
    book_arrays_.push_back({"ends", "U8", 1, 1, ends_});
    book_arrays_.push_back({"stream", "U32", 3, 4, stream_});
    for (const StateArray& array : opponent_->memory()) book_arrays_.push_back(array);
  }

  // The game draws for all rows, from its own masks, and a part of that is ours.
  void random_actions(const uint8_t*, void* actions, Key key, uint32_t draw) override {
    policy_actions(0, actions, key, draw);
  }
  void policy_actions(int policy, void* actions, Key key, uint32_t draw) override {
    both_->policy_actions(policy, both_->actions(), key, draw);
    take_items(*device_, own_, both_->actions(), actions, spec_.action_dim(), 4);
  }
  void reset_blocks(const std::vector<uint64_t>& seeds) override {
    if (seeds.size() != 1) throw Error(spec_.id + ": an opponent draws from one stream, so there is one seed");
    reset(seeds[0]);
  }
  Image render(int env, int size) override { return both_->render(env, size); }

 protected:
  void launch(const Call& call) override {
    switch (call.operation) {
      case Call::kReset:
        key_ = fold_in(call.seed_key, kOpponentStream);
        draw_ = 0;
        write_stream(*device_, num_envs(), key_, draw_, stream_);
        lower(*device_, num_envs(), nullptr, book_.ended);
        device_->fill_zero(ends_, num_envs());
        both_->reset(uint64_t{call.seed_key.hi} << 32 | call.seed_key.lo);
        break;
      case Call::kResetWhere:
        lower(*device_, num_envs(), call.mask, book_.ended);
        both_->reset_where(call.mask);
        break;
      case Call::kObserve:
        read_stream();
        both_->observe(both_->observations());
        break;
      case Call::kStep: step_both(call); break;
    }
    take(*device_, Part{num_envs(), 1, 0, 1}, both_->outcomes().ended, call.outcome.ended, 1);
    show(call.next);
  }

 private:
  void step_both(const Call& call) {
    spread(*device_, num_envs(), other_.count, ends_, other_ended_);
    opponent_->act({other_obs_, other_avail_, other_active_, both_->observations().world_state}, other_ended_, key_,
                   draw_++, other_actions_);
    write_stream(*device_, num_envs(), key_, draw_, stream_);
    const int dim = spec_.action_dim();
    auto* actions = static_cast<uint32_t*>(both_->actions());
    give(*device_, own_, static_cast<const uint32_t*>(call.actions), actions, dim);
    give(*device_, other_, other_actions_, actions, dim);
    both_->step(actions);
    take_outcome(call.outcome);
  }

  // After a restore they come from the snapshot.
  void read_stream() {
    const auto word = [&](int i) { return download(*device_, stream_ + i * num_envs(), 1)[0]; };
    key_ = {word(0), word(1)};
    draw_ = word(2);
  }

  void take_outcome(const Outcomes& to) {
    Device& device = *device_;
    const Outcomes& all = both_->outcomes();
    const Finals& from = both_->finals();
    const size_t info = spec_.info.size();
    take(device, own_, all.rewards, to.rewards, spec_.num_objectives);
    take(device, own_, all.terminated, to.terminated, 1);
    take(device, own_, all.truncated, to.truncated, 1);
    mark_ends(device, own_, all, options_.autoreset == Autoreset::disabled, book_.ended, ends_);
    take_items(device, own_, from.obs, finals_.obs, spec_.obs_dim, spec_.obs_item_bytes(), ends_);
    take(device, own_, from.episode_return, finals_.episode_return, spec_.num_objectives, ends_);
    const Part whole{num_envs(), 1, 0, 1};
    take(device, whole, from.episode_length, finals_.episode_length, 1, ends_);
    take(device, whole, from.info, finals_.info, static_cast<int>(info), ends_);
    take(device, whole, from.world_state, finals_.world_state, spec_.world_state_dim, ends_);
    add_totals(device, num_envs(), own_.count, spec_.num_objectives, static_cast<int>(info), ends_, finals_,
               book_.totals);
  }

  void show(const Observations& to) {
    Device& device = *device_;
    const Observations& all = both_->observations();
    for (const auto& [part, rows] :
         {std::pair{own_, to}, std::pair{other_, Observations{other_obs_, other_avail_, other_active_, nullptr}}}) {
      take_items(device, part, all.obs, rows.obs, spec_.obs_dim, spec_.obs_item_bytes());
      take(device, part, all.avail_actions, rows.avail_actions, spec_.num_actions);
      take(device, part, all.active, rows.active, 1);
    }
    take(device, Part{num_envs(), 1, 0, 1}, all.world_state, to.world_state, spec_.world_state_dim);
  }

  std::unique_ptr<VecEnv> both_;
  std::unique_ptr<Opponent> opponent_;
  Part own_, other_;
  uint8_t *other_obs_ = nullptr, *other_avail_ = nullptr, *other_active_ = nullptr, *other_ended_ = nullptr;
  uint8_t* ends_ = nullptr;            // [env], in the last step
  uint32_t* other_actions_ = nullptr;  // [env, agent of the other team, action_dim], int32 or float32
  uint32_t* stream_ = nullptr;         // [3, env], key_ and draw_
  Key key_;
  uint32_t draw_ = 0;
};

}  // namespace

int first_team(const EnvSpec& spec) {
  const auto team = [](const std::string& agent) { return agent.substr(0, agent.rfind('_')); };
  size_t own = 0;
  while (own < spec.agents.size() && team(spec.agents[own]) == team(spec.agents[0])) ++own;
  for (size_t i = own; i < spec.agents.size(); ++i) {
    if (team(spec.agents[i]) == team(spec.agents[0])) own = spec.agents.size();
  }
  if (own < spec.agents.size()) return static_cast<int>(own);
  throw Error(spec.id + ": an opponent needs a second team of agents; they are " + spec.agents.front() + " to " +
              spec.agents.back() + " (smax: env.opponent=policy)");
}

#ifdef __CUDACC__

extern "C" THRONG_API VecEnv* throng_cuda_make_against(std::unique_ptr<VecEnv>* both,
                                                       std::unique_ptr<Opponent>* opponent) {
  return new OneTeam(std::move(*both), std::move(*opponent));
}

#else

std::unique_ptr<VecEnv> against(std::unique_ptr<VecEnv> both, std::unique_ptr<Opponent> opponent) {
  if (!both->device().is_cuda()) return std::make_unique<OneTeam>(std::move(both), std::move(opponent));
  using Make = VecEnv*(std::unique_ptr<VecEnv>*, std::unique_ptr<Opponent>*);
  return std::unique_ptr<VecEnv>(cuda_function<Make>("throng_cuda_make_against")(&both, &opponent));
}

#endif

}  // namespace throng
