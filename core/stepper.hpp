// Stepper: what happens to one environment in one launch - the part that all games share, written once.
#pragma once

#include <cstdint>

#include "core/env.hpp"
#include "core/vec_env.hpp"

namespace throng {

// The stream of an episode is fold_in(env key, episode); that of its step t is fold_in of the former with t, where t = 0 is
// the reset. All lanes of the environment run this together; what has no index is written by one of them.
template <class Env>
struct Stepper {
  Call call;
  Book book;
  Finals finals;
  int agents, objectives, time_limit, num_actions, obs_dim, world_state_dim, info_dim;
  int num_envs, first_env;

  Stepper(const Call& call, const Book& book, const Finals& finals, const EnvSpec& spec, const BatchOptions& options)
      : call(call),
        book(book),
        finals(finals),
        agents(spec.num_agents),
        objectives(spec.num_objectives),
        time_limit(spec.time_limit),
        num_actions(spec.num_actions),
        obs_dim(spec.obs_dim),
        world_state_dim(spec.world_state_dim),
        info_dim(static_cast<int>(spec.info.size())),
        num_envs(options.num_envs),
        first_env(options.first_env) {}

  THRONG_HD void operator()(Env& env, int e) const {
    switch (call.operation) {
      case Call::kReset:
        begin_first_episode(env, e);
        break;
      case Call::kResetWhere:
        if (call.mask[e]) begin_next_episode(env, e);
        break;
      case Call::kStep:
        step(env, e);
        break;
      case Call::kObserve:
        break;
    }
    observe(env, e, call.next);
  }

  THRONG_HD void begin_first_episode(Env& env, int e) const {
    env.lanes.sync();
    env.lanes.once([&] {
      const Key key = fold_in(call.seed_key, static_cast<uint32_t>(first_env + e));
      book.key[e] = key.hi;
      book.key[num_envs + e] = key.lo;
    });
    begin(env, e, 0);
  }

  THRONG_HD void begin_next_episode(Env& env, int e) const { begin(env, e, book.episode[e] + 1); }

  THRONG_HD void begin(Env& env, int e, uint32_t episode) const {
    const Key key{book.key[e], book.key[num_envs + e]};
    env.lanes.sync();
    env.lanes.once([&] {
      book.episode[e] = episode;
      book.step[e] = 0;
      book.ended[e] = 0;
      for (int i = 0; i < agents * objectives; ++i) book.returns[int64_t(i) * num_envs + e] = 0.0f;
    });
    env.reset(Rng{fold_in(fold_in(key, episode), 0)});
  }

  THRONG_HD void step(Env& env, int e) const {
    const bool had_ended = book.ended[e] != 0;
    if (had_ended && call.autoreset == Autoreset::next_step) {
      write_outcome(env, e, 0);
      return begin_next_episode(env, e);
    }
    if (had_ended) return write_outcome(env, e, book.ended[e]);  // stands still until it is reset by mask

    const Key key{book.key[e], book.key[num_envs + e]};
    const uint32_t episode = book.episode[e];
    const int t = book.step[e] + 1;
    write_outcome(env, e, 0);
    float* rewards = call.outcome.rewards + int64_t(e) * agents * objectives;
    const bool terminated = env.step(Actions{call.actions + int64_t(e) * agents}, Rewards{rewards, objectives},
                                     Rng{fold_in(fold_in(key, episode), static_cast<uint32_t>(t))});
    const int ended = terminated ? 1 : time_limit > 0 && t >= time_limit ? 2 : 0;
    env.lanes.once([&] {
      book.step[e] = t;
      for (int i = 0; i < agents * objectives; ++i) book.returns[int64_t(i) * num_envs + e] += rewards[i];
    });
    if (ended) end(env, e, ended, t);
  }

  THRONG_HD void end(Env& env, int e, int ended, int length) const {
    write_flags(env, e, ended);
    observe(env, e, {finals.obs, nullptr, nullptr, finals.world_state});
    env.lanes.once([&] { record(env, e, ended, length); });
    if (call.autoreset == Autoreset::same_step) begin_next_episode(env, e);
  }

  // The measures of the episode that has just ended: its own row, and the running totals.
  THRONG_HD void record(Env& env, int e, int ended, int length) const {
    float* total = book.totals + e;
    *total += 1.0f;
    for (int o = 0; o < objectives; ++o) {
      float sum = 0.0f;
      for (int a = 0; a < agents; ++a) {
        const float value = book.returns[int64_t(a * objectives + o) * num_envs + e];
        finals.episode_return[(int64_t(e) * agents + a) * objectives + o] = value;
        sum += value;
      }
      *(total += num_envs) += sum / static_cast<float>(agents);
    }
    finals.episode_length[e] = length;
    *(total += num_envs) += static_cast<float>(length);
    if constexpr (HasInfo<Env>) {
      float* info = finals.info + int64_t(e) * info_dim;
      {
        RowWriter<float> out(info);
        env.info(out);
      }
      for (int i = 0; i < info_dim; ++i) *(total += num_envs) += info[i];
    }
    book.ended[e] = static_cast<uint8_t>(ended);
  }

  THRONG_HD void write_outcome(Env& env, int e, int ended) const {
    float* rewards = call.outcome.rewards + int64_t(e) * agents * objectives;
    env.lanes.each(agents * objectives, [&](int i) { rewards[i] = 0.0f; });
    write_flags(env, e, ended);
  }

  THRONG_HD void write_flags(Env& env, int e, int ended) const {
    env.lanes.each(agents, [&](int a) {
      call.outcome.terminated[int64_t(e) * agents + a] = ended == 1;
      call.outcome.truncated[int64_t(e) * agents + a] = ended == 2;
    });
  }

  THRONG_HD void observe(Env& env, int e, const Observations& to) const {
    env.lanes.each(agents, [&](int a) {
      const int64_t row = int64_t(e) * agents + a;
      if (to.obs) {
        RowWriter<float> out(to.obs + row * obs_dim);
        env.observe(a, out);
      }
      if (to.avail_actions) write_avail(env, a, to.avail_actions + row * num_actions);
      if (to.active) {
        if constexpr (HasActive<Env>) {
          to.active[row] = env.active(a);
        } else {
          to.active[row] = 1;
        }
      }
    });
    if constexpr (HasWorldState<Env>) {
      if (to.world_state) {
        env.lanes.once([&] {
          RowWriter<float> out(to.world_state + int64_t(e) * world_state_dim);
          env.world_state(out);
        });
      }
    }
  }

  THRONG_HD void write_avail(Env& env, int agent, uint8_t* row) const {
    if constexpr (HasAvail<Env>) {
      RowWriter<uint8_t> out(row);
      env.avail(agent, out);
    } else {
      for (int i = 0; i < num_actions; ++i) row[i] = 1;
    }
  }
};

}  // namespace throng
