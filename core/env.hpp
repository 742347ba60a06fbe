// READ THIS FIRST: what a game must offer to become an environment. Everything else in core/ serves this page.
#pragma once

#include <cstdint>
#include <type_traits>

#include "core/field.hpp"
#include "core/lanes.hpp"
#include "core/pack.hpp"
#include "core/platform.hpp"
#include "core/rng.hpp"
#include "core/rows.hpp"
#include "core/spec.hpp"

namespace throng {

// A game is one header with a namespace of its own and three plain structs (docs/add_an_environment.md builds one):
//
//   struct Params {                         // settings: defaults, JSON keys and CLI flags in one list
//     template <class V> void fields(V&& v);          // v("name", member, "what it is")
//     void check();                                   // optional, host: throw Error, derive members
//   };
//   struct State {                          // one environment: allocation, names, hash and snapshot in one list
//     Field<float> health;                            // [unit, env]
//     template <class V> THRONG_HD void fields(const Params&, V&& v);   // v("health", health, num_units)
//   };
//   struct Env {                            // the rules, seen from one environment
//     using Params = ...; using State = ...;
//     const Params& p;  State s;  Lanes lanes;
//     static constexpr const char* kVersion = "...";
//     THRONG_HD static Spec spec(const Params&);
//     THRONG_HD void reset(Rng);                      // begin an episode
//     THRONG_HD bool step(Actions, Rewards, Rng);     // one transition; true = the episode ended by the rules;
//                                                     // or step(ContinuousActions, Rewards, Rng)
//     THRONG_HD void observe(int agent, auto& out) const;           // out(value), feature by feature
//   };
//
// Hooks that may be left out:
//     void avail(int agent, auto& out) const;         // out(legal) per action; default: everything is legal
//     bool active(int agent) const;                   // takes part (is alive); default: true
//     void world_state(auto& out) const;              // what a central critic may see
//     static int observe_parts(const Params&);  void observe_part(int agent, int part, auto& out) const;
//                                                     // long rows in parts that GPU threads write side by side; all are
//                                                     // equally long but the last, and together they are observe().
//                                                     // The same for world_state.
//     void prepare_views() const;                     // all lanes, before rows are written: may fill Scratch for them
//     void info(auto& out) const;                     // per-episode measures, named by kInfo (const char* const[])
//     struct Scratch { fields as in State };          // working memory of one step; a fourth member before `lanes`
//     using Obs = uint8_t;                            // observations are codes (of cells, say); default: float
//     void act(int policy, int agent, auto& out, Rng) const;        // a player that comes with the game, named by kPolicies
//                                                     // (const char* const[]): out(choice), head by head, always legal.
//                                                     // It sees State but no Scratch.
//     struct Memory { fields as in State };           // what it remembers of an episode, at first zeros:
//                                                     // act(policy, agent, const Memory&, out, rng)
//     static constexpr bool kVaries = true;           // environments of a batch can have parameters of their own
//     void render(Canvas&) const;                     // a picture of the state, drawn on the host (core/canvas.hpp)
//     void render_view(int agent, Canvas&) const;     // a picture of what an agent sees of it; may use Scratch
//     static int frames(const Params&);  static Params until_frame(const Params&, int frame);
//                                                     // pictures within a step: the rules that end it at frame 1, 2, ...
//     using Variants = Types<...>;                    // the same rules for settings that a compiler gains from knowing: an
//                                                     // Env with the same State, whose Params are made from these Params if
//                                                     // Variant::Params::fits(params);
//                                                     // Params::kUnrolls: its loops over Scratch have constant bounds, and
//                                                     // only a GPU gains from it
//     template <int W> using Packs = Types<...>;      // the same rules for W environments side by side, on the SIMD units of a CPU,
//                                                     // in packs (core/pack.hpp): the first whose Params::suits(params). The name of
//                                                     // the game then stands in packed_names of envs/meson.build, too
//     using Views = Types<...>;                       // the same game seen otherwise (as pixels of another Obs, say): an Env with
//                                                     // the same Params and State, for settings of which View::shows(params)
//     static constexpr int kMostLanes = 4;            // more would idle, and every number of lanes is a kernel; default 32
//     static std::string agent_name(const Params&, int);            // default "agent_<i>"
//     static constexpr const char* kObjectives[];     // default "reward"; where their number depends on the parameters:
//     static std::string objective_name(const Params&, int);
//
// A game never counts its own steps, never resets itself and never meets another environment: the time limit, statistics,
// auto-reset and memory are written once, in core/batch.hpp.

class Canvas;

template <class... T>
struct Types {};

// The actions of one environment, [agent, dim]: one choice per agent, several (Spec::heads), or numbers (Spec::continuous).
// Of W environments side by side (core/pack.hpp) they lie `distance` apart.
template <class T, int W = 1>
struct ActionRows {
  const T* row;
  int dim = 1;
  int distance = 0;
  THRONG_HD Pack<T, W> operator[](int agent) const { return (*this)(agent, 0); }
  THRONG_HD Pack<T, W> operator()(int agent, int i) const { return spaced_out<T, W>(row + agent * dim + i, distance); }
};
using Actions = ActionRows<int32_t>;
using ContinuousActions = ActionRows<float>;

// The rewards of one environment, [agent, objective]; the batch has set them to zero.
template <int W>
struct RewardsOf {
  float* row;
  int num_objectives;
  int distance = 0;
  THRONG_HD decltype(auto) operator()(int agent, int objective = 0) const {
    return spaced_out<float, W>(row + agent * num_objectives + objective, distance);
  }
};
using Rewards = RewardsOf<1>;

template <class E>
concept HasAvail = requires(const E& e, Counter& out) {
  e.avail(0, out);
};
template <class E>
concept HasActive = requires(const E& e) {
  e.active(0);
};
template <class E>
concept HasWorldState = requires(const E& e, Counter& out) {
  e.world_state(out);
};
template <class E>
concept HasObserveParts = requires(const E& e, const typename E::Params& p, Counter& out) {
  E::observe_parts(p);
  e.observe_part(0, 0, out);
};
template <class E>
concept HasWorldStateParts = requires(const E& e, const typename E::Params& p, Counter& out) {
  E::world_state_parts(p);
  e.world_state_part(0, out);
};
template <class E>
concept HasPrepareViews = requires(const E& e) {
  e.prepare_views();
};
template <class E>
concept HasInfo = requires(const E& e, Counter& out) {
  e.info(out);
};
template <class E>
concept HasScratch = requires {
  typename E::Scratch;
};
template <class E>
concept HasContinuousActions = requires(E e, ContinuousActions actions, Rewards rewards, Rng rng) {
  e.step(actions, rewards, rng);
};

template <class E>
concept HasVariants = requires {
  typename E::Variants;
};
template <class E>
concept IsVariant = requires {
  &E::Params::fits;
};

template <class E>
concept HasPacks = requires {
  typename E::template Packs<4>;
};

template <class E>
concept HasViews = requires {
  typename E::Views;
};

template <class E>
concept HasPolicies = requires {
  E::kPolicies;
};
template <class E>
concept HasMemory = requires {
  typename E::Memory;
};
template <class E>
concept HasRender = requires(const E& e, Canvas& canvas) {
  e.render(canvas);
};
template <class E>
concept HasRenderView = requires(const E& e, Canvas& canvas) {
  e.render_view(0, canvas);
};
template <class E>
concept HasFrames = requires(const typename E::Params& p) {
  E::frames(p);
  E::until_frame(p, 1);
};

namespace detail {
template <class E>
struct ObsOf {
  using Type = float;
};
template <class E>
  requires requires { typename E::Obs; }
struct ObsOf<E> {
  using Type = typename E::Obs;
};

struct AnyField {
  template <class... T>
  THRONG_HD void operator()(T&&...) const {}
};
}  // namespace detail

template <class E>
constexpr int most_lanes() {
  if constexpr (requires { E::kMostLanes; }) return E::kMostLanes;
  return 32;
}

// How many environments an Env is, side by side.
template <class E>
constexpr int width_of() {
  if constexpr (requires { E::kWidth; }) return E::kWidth;
  return 1;
}

template <class E>
using ObsOf = typename detail::ObsOf<E>::Type;
template <class E>
using ActionOf = std::conditional_t<HasContinuousActions<E>, float, int32_t>;

template <class E>
concept Environment = requires(E env, const E& seen, typename E::Params params, typename E::State state, Rng rng,
                               ActionRows<ActionOf<E>> actions, Rewards rewards, Counter& out) {
  params.fields(detail::AnyField{});
  state.fields(params, detail::AnyField{});
  {E::spec(params)};
  {E::kVersion};
  env.reset(rng);
  {env.step(actions, rewards, rng)};
  seen.observe(0, out);
};

// What of the outside an environment is built from; hides whether the game asked for scratch memory.
template <class E>
THRONG_HD E make_env(const typename E::Params& params, const typename E::State& state, const auto& scratch,
                     Lanes lanes) {
  if constexpr (HasScratch<E>) {
    return E{params, state, scratch, lanes};
  } else {
    return E{params, state, lanes};
  }
}

}  // namespace throng
