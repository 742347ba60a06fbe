// Varied: environments of one batch with parameters of their own, for curricula and domain randomisation.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "core/env.hpp"
#include "core/instance.hpp"

namespace throng {

// A game that allows it says so: static constexpr bool kVaries = true. It costs a second kernel, so not all do.
template <class E>
concept Varies = requires {
  requires E::kVaries;
};

// The same body, on the same environment, under the environment's own parameters.
template <class Env, class Body>
struct Varied {
  const typename Env::Params* params;  // [env]
  Body body;

  THRONG_HD void operator()(Env& env, int e, Stage stage) const {
    if constexpr (HasScratch<Env>) {
      auto& [shared, state, scratch, lanes] = env;
      Env own{params[e], state, scratch, lanes};
      body(own, e, stage);
    } else {
      auto& [shared, state, lanes] = env;
      Env own{params[e], state, lanes};
      body(own, e, stage);
    }
  }
};

// How much memory an environment takes and how long its rows are: what must not differ within a batch.
template <class Env>
std::vector<int> sizes_of(const typename Env::Params& params) {
  std::vector<int> sizes;
  const auto count = [&](const char*, auto&, int count) { sizes.push_back(count); };
  typename Env::State state;
  state.fields(params, count);
  if constexpr (HasScratch<Env>) {
    typename Env::Scratch scratch;
    scratch.fields(params, count);
  }
  const Spec spec = Env::spec(params);
  sizes.insert(sizes.end(), {spec.num_agents, spec.num_actions, spec.continuous, spec.num_objectives});
  sizes.insert(sizes.end(), spec.heads.begin(), spec.heads.end());
  HostInstance<Env> instance(params);
  Env env = instance.env();
  env.reset(Rng{key(0)});
  Counter obs, world_state;
  env.observe(0, obs);
  if constexpr (HasWorldState<Env>) env.world_state(world_state);
  sizes.insert(sizes.end(), {obs.count, world_state.count});
  return sizes;
}

}  // namespace throng
