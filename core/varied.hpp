// Varied: environments of one batch with parameters of their own, for curricula and domain randomisation.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "core/env.hpp"
#include "core/instance.hpp"
#include "core/stepper.hpp"

namespace throng {

// A game that allows it says so: static constexpr bool kVaries = true. It costs a second kernel, so not all do.
template <class E>
concept Varies = requires {
  requires E::kVaries;
};

// The environment under its own parameters.
template <class Env>
THRONG_HD Env with_params(Env env, const typename Env::Params& params) {
  if constexpr (HasScratch<Env>) {
    auto& [shared, state, scratch, lanes] = env;
    return Env{params, state, scratch, lanes};
  } else {
    auto& [shared, state, lanes] = env;
    return Env{params, state, lanes};
  }
}

// A group and a seat (core/launch.hpp) whose environments have parameters of their own, [env].
template <class Env, class Group>
struct OwnGroup {
  const typename Env::Params* params;
  Group group;
  int first = group.first, size = group.size;
  Stage stage = group.stage;
  Lanes lanes = group.lanes;

  THRONG_HD Env env(int k) const { return with_params(group.env(k), params[first + k]); }
};

template <class Env, class Seat>
struct OwnSeat {
  const typename Env::Params* params;
  Seat& seat;
  int e = seat.e;

  THRONG_HD bool taken() const { return seat.taken(); }
  THRONG_HD Env env() const { return with_params(seat.env(), params[e]); }
  THRONG_HD auto neighbours() const { return own(seat.neighbours()); }
  template <class Body>
  THRONG_HD void one_by_one(int task, const Body& body) const {
    seat.one_by_one(task, [&](const auto& alone, int task) { body(own(alone), task); });
  }

 private:
  template <class Group>
  THRONG_HD OwnGroup<Env, Group> own(const Group& group) const {
    return {params, group};
  }
};

template <class Env>
struct Varied {
  const typename Env::Params* params;  // [env]
  Stepper<Env> stepper;

  template <class Seat>
  THRONG_HD void operator()(Seat& seat) const {
    OwnSeat<Env, Seat> own{params, seat};
    stepper(own);
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
