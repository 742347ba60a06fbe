// Players: the policies that a game brings along, run for every agent of a batch in one launch.
#pragma once

#include <memory>
#include <type_traits>

#include "core/env.hpp"
#include "core/launch.hpp"

namespace throng {

struct NoMemory {
  template <class Params, class V>
  THRONG_HD void fields(const Params&, V&&) {}
};

template <class Env>
struct MemoryOf {
  using Type = NoMemory;
};
template <HasMemory Env>
struct MemoryOf<Env> {
  using Type = typename Env::Memory;
};

struct PlayersCall {
  int policy;  // of the game's own
  const int32_t*
      policies;  // [env, agent], or null: a policy for each, numbered as in EnvSpec, where "random" comes first
  Key key;
  uint32_t draw;
  int first_env, num_envs, agents, action_dim;
};

// One agent chooses. Its environment is seen in the memory of the batch, where it stands, without scratch.
template <class Env>
struct Choose {
  using Memory = typename MemoryOf<Env>::Type;
  PlayersCall call;
  typename Env::Params shared;
  const typename Env::Params* own;  // [env], or null
  typename Env::State state;
  Memory memory;
  ActionOf<Env>* actions;  // [env, agent, action_dim]

  THRONG_HD void operator()(int64_t row) const {
    const int policy = call.policies ? call.policies[row] - 1 : call.policy;
    if (policy < 0) return;
    const int e = static_cast<int>(row / call.agents), agent = static_cast<int>(row % call.agents);
    const typename Env::Params& params = own ? own[e] : shared;
    const auto seen = [&](auto fields) {
      fields.fields(params, [&](const char*, auto& field, int) {
        field.data += e;
        field.stride = call.num_envs;
      });
      return fields;
    };
    const Key own = fold_in(call.key, static_cast<uint32_t>(call.first_env + e));
    const Rng rng{fold_in(own, call.draw)};
    Writer<ActionOf<Env>> out{actions + row * call.action_dim};
    if constexpr (HasScratch<Env>) {
      const Env env{params, seen(state), {}, {}};
      choose(env, policy, agent, seen(memory), out, rng);
    } else {
      const Env env{params, seen(state), {}};
      choose(env, policy, agent, seen(memory), out, rng);
    }
  }

  THRONG_HD void choose(const Env& env, int policy, int agent, const Memory& remembered, auto& out, Rng rng) const {
    if constexpr (HasMemory<Env>) {
      env.act(policy, agent, remembered, out, rng);
    } else {
      env.act(policy, agent, out, rng);
    }
  }
};

// Where an episode begins, nothing is remembered. `data`: [count, env].
template <class T>
void forget(Device& device, T* data, int count, int num_envs, const int32_t* step) {
  Backend::each(device, int64_t(count) * num_envs, [=] THRONG_HD(int64_t i) {
    if (step[i % num_envs] == 0) data[i] = T{};
  });
}

template <class Env>
class Players {
 public:
  explicit Players(std::shared_ptr<Device> device) : arena_(std::move(device)) {}

  void act(Device& device, const PlayersCall& call, const typename Env::Params& params, const typename Env::Params* own,
           const typename Env::State& state, const int32_t* step, ActionOf<Env>* actions) {
    if constexpr (HasMemory<Env>) remember(device, call, params, step);
    Backend::each(device, int64_t(call.num_envs) * call.agents,
                  Choose<Env>{call, params, own, state, memory_, actions});
  }

 private:
  // Memory is asked for by the first call, and empty in environments whose episode begins.
  void remember(Device& device, const PlayersCall& call, const typename Env::Params& params, const int32_t* step) {
    if (arena_.bytes() == 0) {
      memory_.fields(
          params, [&](const char*, auto& field, int count) { arena_.want(field.data, size_t(count) * call.num_envs); });
      arena_.commit();
    }
    memory_.fields(
        params, [&](const char*, auto& field, int count) { forget(device, field.data, count, call.num_envs, step); });
  }

  Arena arena_;
  typename MemoryOf<Env>::Type memory_;
};

}  // namespace throng
