// Stepper: what happens to one environment in one launch - the part that all games share, written once.
#pragma once

#include <cstdint>

#include "core/env.hpp"
#include "core/vec_env.hpp"

namespace throng {

// What was called for, and the shapes of what it works on.
struct Transition {
  Call call;
  Book book;
  Finals finals;
  RowShape obs, avail, world_state;
  int num_envs, first_env, agents, action_dim, objectives, time_limit, info_dim;
  bool rounded;                          // observations are bfloat16
  const int32_t* time_limits = nullptr;  // [env], if they differ
};

// The stream of an episode is fold_in(env key, episode); that of its step t is fold_in of the former with t, where t = 0 is
// the reset. All lanes of the environment run this together; what has no index is written by one of them.
template <class Env>
struct Stepper : Transition {
  // The lanes of a GPU write the parts of long rows side by side. A CPU has one lane and writes rows whole, unless its loops run
  // backwards, which is a test: both must be the same.
#ifdef __CUDACC__
  static constexpr bool kAlwaysInParts = true;
#else
  static constexpr bool kAlwaysInParts = false;
#endif
  static bool in_parts(const BatchOptions& options) { return kAlwaysInParts || options.backwards; }

  Stepper(const Call& call, const Book& book, const Finals& finals, const EnvSpec& spec, const BatchOptions& options)
      : Transition{call,
                   book,
                   finals,
                   {spec.num_agents, spec.obs_dim, in_parts(options) ? spec.obs_parts : 1, spec.obs_part_dim},
                   {spec.num_agents, spec.num_actions},
                   {1, spec.world_state_dim, in_parts(options) ? spec.world_state_parts : 1, spec.world_state_part_dim},
                   options.num_envs,
                   options.first_env,
                   spec.num_agents,
                   spec.action_dim(),
                   spec.num_objectives,
                   spec.time_limit,
                   static_cast<int>(spec.info.size()),
                   options.obs_bfloat16} {}
  THRONG_HD explicit Stepper(const Transition& transition) : Transition(transition) {}

  enum Task { kNothing, kBegins, kEnds };

  // `seat` is one environment and its lanes, see core/launch.hpp.
  template <class Seat>
  THRONG_HD void operator()(Seat& seat) const {
    (*this)(seat, call.next);
  }
  template <class Seat>
  THRONG_HD void operator()(Seat& seat, const Observations& next) const {
    see_to(seat, seat.taken() ? move_on(seat.env(), seat.e) : kNothing);
    observe(seat.neighbours(), next);
  }

  template <class Seat>
  THRONG_HD void see_to(Seat& seat, Task task) const {
    // Few episodes end or begin in a step: the lanes of several environments see to them together, one after the other.
    seat.one_by_one(task, [&](const auto& alone, int task) {
      Env env = alone.env(0);
      if (task == kEnds) {
        observe(alone, Observations{finals.obs, nullptr, nullptr, finals.world_state});
        record(env, alone.first);
      }
      if (task == kBegins || call.autoreset == Autoreset::same_step) begin(env, alone.first);
    });
  }

  // Does what was called for, and says what is left to do.
  THRONG_HD Task move_on(Env env, int e) const {
    const Lanes& lanes = env.lanes;
    switch (call.operation) {
      case Call::kReset:
        seed(lanes, e);
        write_ended(lanes, e, 0);
        return kBegins;
      case Call::kResetWhere:
        if (call.mask[e] == 0) return kNothing;
        write_ended(lanes, e, 0);
        return kBegins;
      case Call::kObserve: return kNothing;
      case Call::kStep: break;
    }
    const int ended = book.ended[e];
    if (!ended) return step(env, e) ? kEnds : kNothing;
    const bool begins = call.autoreset == Autoreset::next_step;
    write_outcome(lanes, e, begins ? 0 : ended);  // if not, it stands still until it is reset by mask
    return begins ? kBegins : kNothing;
  }

  THRONG_HD void seed(const Lanes& lanes, int e) const {
    lanes.once([&] {
      const Key key = fold_in(call.seed_key, static_cast<uint32_t>(first_env + e));
      book.key[e] = key.hi;
      book.key[num_envs + e] = key.lo;
      book.episode[e] = ~uint32_t(0);  // the next one is 0
    });
  }

  THRONG_HD void begin(Env& env, int e) const {
    const Key key{book.key[e], book.key[num_envs + e]};
    const uint32_t episode = book.episode[e] + 1;
    env.lanes.sync();
    env.lanes.once([&] {
      book.episode[e] = episode;
      book.step[e] = 0;
      book.ended[e] = 0;
    });
    env.lanes.each(agents * objectives, [&](int i) { book.returns[int64_t(i) * num_envs + e] = 0.0f; });
    env.reset(Rng{fold_in(fold_in(key, episode), 0)});
  }

  // True if the episode ends.
  THRONG_HD bool step(Env& env, int e) const {
    const Key key{book.key[e], book.key[num_envs + e]};
    const uint32_t episode = book.episode[e];
    const int t = book.step[e] + 1;
    write_rewards(env.lanes, e);
    float* rewards = call.outcome.rewards + int64_t(e) * agents * objectives;
    const auto* actions = static_cast<const ActionOf<Env>*>(call.actions) + int64_t(e) * agents * action_dim;
    const bool terminated = env.step(ActionRows<ActionOf<Env>>{actions, action_dim}, Rewards{rewards, objectives},
                                     Rng{fold_in(fold_in(key, episode), static_cast<uint32_t>(t))});
    return settle(env.lanes, e, t, terminated);
  }

  // Books step number t, which has been taken. True if the episode ends.
  THRONG_HD bool settle(const Lanes& lanes, int e, int t, bool terminated) const {
    const float* rewards = call.outcome.rewards + int64_t(e) * agents * objectives;
    const int limit = time_limits ? time_limits[e] : time_limit;
    const int ended = terminated ? 1 : limit > 0 && t >= limit ? 2 : 0;
    lanes.once([&] {
      book.step[e] = t;
      book.ended[e] = static_cast<uint8_t>(ended);
    });
    lanes.each(agents * objectives, [&](int i) { book.returns[int64_t(i) * num_envs + e] += rewards[i]; });
    write_flags(lanes, e, ended);
    return ended != 0;
  }

  // The measures of the episode that has just ended: its own row, and the running totals (episodes, returns, length, info).
  THRONG_HD void record(Env& env, int e) const {
    env.lanes.each(agents * objectives, [&](int i) {
      finals.episode_return[int64_t(e) * agents * objectives + i] = book.returns[int64_t(i) * num_envs + e];
    });
    float* info = finals.info + int64_t(e) * info_dim;
    env.lanes.once([&] {
      finals.episode_length[e] = book.step[e];
      if constexpr (HasInfo<Env>) {
        Writer<float> out{info};
        env.info(out);
      }
    });
    env.lanes.each(2 + objectives + info_dim, [&](int k) {
      float value = 1;
      if (k > 1 + objectives) {
        value = info[k - 2 - objectives];
      } else if (k == 1 + objectives) {
        value = static_cast<float>(book.step[e]);
      } else if (k > 0) {
        value = mean_return(e, k - 1);
      }
      book.totals[int64_t(k) * num_envs + e] += value;
    });
  }

  THRONG_HD float mean_return(int e, int objective) const {
    float sum = 0.0f;
    for (int a = 0; a < agents; ++a) sum += book.returns[int64_t(a * objectives + objective) * num_envs + e];
    return sum / static_cast<float>(agents);
  }

  THRONG_HD void write_outcome(const Lanes& lanes, int e, int ended) const {
    write_rewards(lanes, e);
    write_flags(lanes, e, ended);
  }

  THRONG_HD void write_rewards(const Lanes& lanes, int e) const {
    float* rewards = call.outcome.rewards + int64_t(e) * agents * objectives;
    lanes.each(agents * objectives, [&](int i) { rewards[i] = 0.0f; });
  }

  THRONG_HD void write_flags(const Lanes& lanes, int e, int ended) const {
    lanes.each(agents, [&](int a) {
      call.outcome.terminated[int64_t(e) * agents + a] = ended == 1;
      call.outcome.truncated[int64_t(e) * agents + a] = ended == 2;
    });
    write_ended(lanes, e, ended);
  }

  THRONG_HD void write_ended(const Lanes& lanes, int e, int ended) const {
    if (call.outcome.ended) lanes.once([&] { call.outcome.ended[e] = ended != 0; });
  }

  // `group` is some neighbouring environments and lanes that work on all of them, see core/launch.hpp.
  template <class Group>
  THRONG_HD void observe(const Group& group, const Observations& to) const {
    const Env any = group.env(0);
    const RowShape obs = obs_shape(any), avail = avail_shape(any);
    const int64_t row = int64_t(group.first) * obs.rows;
    if constexpr (HasPrepareViews<Env>) {
      for (int e = 0; e < group.size; ++e) group.env(e).prepare_views();
    }
    if (to.obs) {
      write_rows(group.lanes, group.stage, RowsOut<ObsOf<Env>>(to.obs, rounded, row * obs.dim), group.size, obs,
                 [&](int e, int agent, int part, auto& out) { observe_part(group.env(e), agent, part, out); });
    }
    if (to.avail_actions && avail.dim > 0) {
      write_rows(group.lanes, group.stage, RowsOut(to.avail_actions + row * avail.dim), group.size, avail,
                 [&](int e, int agent, int, auto& out) { write_avail(group.env(e), agent, avail.dim, out); });
    }
    if constexpr (width_of<Env>() > 1) {
      if (to.active)
        write_rows(group.lanes, group.stage, RowsOut(to.active + row), 1, RowShape(obs.rows, 1),
                   [&](int, int agent, int, auto& out) { out(active(any, agent)); });
    } else if (to.active) {
      group.lanes.each(group.size * obs.rows, [&](int i) {
        const int e = obs.by_rows(i);
        to.active[row + i] = active(group.env(e), i - e * obs.rows);
      });
    }
    if constexpr (HasWorldState<Env>) {
      if (to.world_state) {
        const RowShape shape = world_state_shape(any);
        write_rows(group.lanes, group.stage, RowsOut(to.world_state + int64_t(group.first) * shape.dim), group.size,
                   shape, [&](int e, int, int part, auto& out) { world_state_part(group.env(e), part, out); });
      }
    }
  }

  // The shapes of rows. Of a variant the compiler can count them itself.
  THRONG_HD RowShape obs_shape([[maybe_unused]] const Env& env) const {
    if constexpr (IsVariant<Env> && kAlwaysInParts) {
      Counter row, part;
      env.observe(0, row);
      observe_part(env, 0, 0, part);
      int parts = 1;
      if constexpr (HasObserveParts<Env>) parts = Env::observe_parts(env.p);
      return RowShape(Env::spec(env.p).num_agents, row.count, parts, part.count);
    }
    return obs;
  }
  THRONG_HD RowShape avail_shape([[maybe_unused]] const Env& env) const {
    if constexpr (IsVariant<Env> && kAlwaysInParts)
      return RowShape(Env::spec(env.p).num_agents, Env::spec(env.p).num_actions);
    return avail;
  }
  THRONG_HD RowShape world_state_shape([[maybe_unused]] const Env& env) const {
    if constexpr (IsVariant<Env> && kAlwaysInParts) {
      Counter row, part;
      env.world_state(row);
      world_state_part(env, 0, part);
      int parts = 1;
      if constexpr (HasWorldStateParts<Env>) parts = Env::world_state_parts(env.p);
      return RowShape(1, row.count, parts, part.count);
    }
    return world_state;
  }

  THRONG_HD static void write_avail(const Env& env, int agent, int num_actions, auto& out) {
    if constexpr (HasAvail<Env>) {
      env.avail(agent, out);
    } else {
      for (int action = 0; action < num_actions; ++action) out(true);
    }
  }

  THRONG_HD static auto active(const Env& env, int agent) {
    if constexpr (HasActive<Env>) {
      return env.active(agent);
    } else {
      return true;
    }
  }

  THRONG_HD void observe_part(const Env& env, int agent, int part, auto& out) const {
    if constexpr (HasObserveParts<Env>) {
      if (kAlwaysInParts || obs.parts > 1) return env.observe_part(agent, part, out);
    }
    env.observe(agent, out);
  }

  THRONG_HD void world_state_part(const Env& env, int part, auto& out) const {
    if constexpr (HasWorldStateParts<Env>) {
      if (kAlwaysInParts || world_state.parts > 1) return env.world_state_part(part, out);
    }
    env.world_state(out);
  }
};

}  // namespace throng
