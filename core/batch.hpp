// Batch: turns one game into a VecEnv - its memory, its launches, and its sizes counted by its own writers.
#pragma once

#include <algorithm>
#include <cstring>
#include <iterator>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "core/instance.hpp"
#include "core/launch.hpp"
#ifndef __CUDACC__
#include "core/side_by_side.hpp"
#endif
#include "core/picture.hpp"
#include "core/players.hpp"
#include "core/random_actions.hpp"
#include "core/stepper.hpp"
#include "core/varied.hpp"
#include "core/vec_env.hpp"

namespace throng {

template <class Env>
class Batch final : public VecEnv {
 public:
  using Params = typename Env::Params;
  using State = typename Env::State;

  Batch(std::shared_ptr<Device> device, EnvSpec spec, BatchOptions options, const Params& params)
      : VecEnv(std::move(device), std::move(spec), options), params_(params), varied_(device_), players_(device_) {
    state_fields_.fields(params_, [&](const char* name, auto& field, int count) {
      using T = typename std::remove_reference_t<decltype(field)>::Value;
      arena_.want(field.data, size_t(count) * num_envs());
      state_.push_back({name, dtype_of<T>(), count, sizeof(T), nullptr});
    });
    if constexpr (Backend::kCuda && kFarParams<Params>) arena_.want(far_params_, 1);
    allocate();
    if (far_params_) device_->copy(far_params_, &params_, sizeof(Params));
    auto array = state_.begin();
    state_fields_.fields(params_, [&](const char*, auto& field, int) { (array++)->data = field.data; });
#ifndef __CUDACC__
    packs_ = packs_of<Env>(params_, cpu_level());
#endif
    lanes_asked_ = options_.lanes;
    options_.lanes = lanes_for(num_envs());
  }

  void launch_over(const Call& call, const Memory& memory) override {
    State fields;
    auto array = memory.state.begin();
    fields.fields(params_,
                  [&](const char*, auto& field, int) { field.data = static_cast<decltype(field.data)>(*array++); });
    BatchOptions options = options_;
    options.num_envs = memory.num_envs;
    options.lanes = lanes_for(memory.num_envs);
    launch(call, {fields, memory.book, memory.finals, options});
  }

  void random_actions(const uint8_t* avail_actions, void* actions, Key key, uint32_t draw) override {
    random_actions(avail_actions, nullptr, actions, key, draw);
  }

  // Of all agents, or of those whose policy is number 0.
  void random_actions(const uint8_t* avail_actions, const int32_t* policies, void* actions, Key key, uint32_t draw) {
    const RandomActions<Env> random(spec_, avail_actions, policies, actions);
    const Key drawn = fold_in(key, draw);
    const int64_t rows = num_rows();
    constexpr int kRows = RandomActions<Env>::kRows;
    Backend::each(*device_, (rows + kRows - 1) / kRows,
                  [=] THRONG_HD(int64_t block) { random.choose_block(drawn, block, rows); });
  }

  // Every game has one kernel for this, and so has a variant in straight code; where its tile would be too large, a step is a
  // launch.
  void step_random(int steps, Key key, uint32_t draw) override {
    if (steps < 1) return;
    if constexpr (HasVariants<Env> && Backend::kCuda) {
      if (varied_.host.empty() && random_variant(typename Env::Variants{}, steps, key, draw)) return;
    }
    if (!varied_.host.empty() || !Backend::fits<Env, kRandomLanes>(params_)) {
      return VecEnv::step_random(steps, key, draw);
    }
    random_steps<Env, kRandomLanes>(params_, steps, key, draw);
  }

  void policy_actions(int policy, void* actions, Key key, uint32_t draw) override {
    if (policy == 0) return random_actions(observations_.avail_actions, actions, key, draw);
    act(policy - 1, nullptr, actions, key, draw);
  }

  void mixed_actions(const int32_t* policies, void* actions, Key key, uint32_t draw) override {
    random_actions(observations_.avail_actions, policies, actions, key, draw);
    act(0, policies, actions, key, draw);
  }

  const void* params() const override { return &params_; }

  void vary(const void* params) override {
    if constexpr (!Varies<Env>) return VecEnv::vary(params);
    if constexpr (Varies<Env>) {
      const auto* first = static_cast<const Params*>(params);
      const std::vector<Params> own(first, first + num_envs());
      check_sizes(own);
      if (!varied_.device) {
        varied_.arena.want(varied_.device, own.size());
        varied_.arena.want(varied_.time_limits, own.size());
        varied_.arena.commit();
      }
      upload(*device_, varied_.device, own);
      upload(*device_, varied_.time_limits, announce(own));
      varied_.host = own;
      if (started_) begin_all();
    }
  }

  Image render(int e, int size, int agent) override {
    if constexpr (!HasRender<Env>) return VecEnv::render(e, size, agent);
    if constexpr (HasRender<Env>) {
      check_picture(e, size, agent);
      HostInstance<Env> instance(params_of(e));
      fetch(*device_, state_fields_, num_envs(), e, instance);
      return draw(instance, size, agent);
    }
  }

  std::vector<Image> render_step(int e, const void* actions, int size) override {
    if constexpr (!HasRender<Env>) return VecEnv::render_step(e, actions, size);
    if constexpr (HasRender<Env>) {
      check_picture(e, size);
      HostInstance<Env> instance(params_of(e));
      fetch(*device_, state_fields_, num_envs(), e, instance);
      const int rewards = spec_.num_agents * spec_.num_objectives;
      return draw_step(instance,
                       ActionRows<ActionOf<Env>>{static_cast<const ActionOf<Env>*>(actions), spec_.action_dim()},
                       rewards, spec_.num_objectives, next_rng(e), size);
    }
  }

 protected:
  void launch(const Call& call) override {
    if constexpr (Varies<Env>) {
      if (varied_.device) return launch_varied(call);
    }
    launch(call, {state_fields_, book_, finals_, options_});
  }

 private:
  // Where a launch works: in the batch's own memory, or in a caller's.
  struct Place {
    const State& fields;
    const Book& book;
    const Finals& finals;
    const BatchOptions& options;
  };

  void act([[maybe_unused]] int policy, [[maybe_unused]] const int32_t* policies, [[maybe_unused]] void* actions,
           [[maybe_unused]] Key key, [[maybe_unused]] uint32_t draw) {
    if constexpr (HasPolicies<Env>) {
      players_.act(*device_,
                   {policy, policies, key, draw, options_.first_env, num_envs(), spec_.num_agents, spec_.action_dim()},
                   params_, varied_.device, state_fields_, book_.step, static_cast<ActionOf<Env>*>(actions));
    }
  }

  void launch(const Call& call, const Place& place) {
    if constexpr (HasVariants<Env>) {
      if (!has_packs() && launch_variant(typename Env::Variants{}, call, place)) return;
    }
    launch_as<Env>(params_, call, place);
  }

  static constexpr int kVariedLanes = 8;  // one kernel is enough
  static constexpr int kRandomLanes = most_lanes<Env>() < 8 ? most_lanes<Env>() : 8;

  const Params& params_of(int e) const { return varied_.host.empty() ? params_ : varied_.host[e]; }

  void check_sizes(const std::vector<Params>& all) const {
    const std::vector<int> wanted = sizes_of<Env>(params_);
    for (size_t e = 0; e < all.size(); ++e) {
      if (sizes_of<Env>(all[e]) == wanted) continue;
      throw Error(spec_.id + ": environment " + std::to_string(e) +
                  " would be of another size; all of a batch have equally many agents, actions and features");
    }
  }

  // Bounds that hold for all, and the time limit of each.
  std::vector<int32_t> announce(const std::vector<Params>& all) {
    std::vector<int32_t> limits;
    spec_.obs_low = spec_.obs_high = 0;
    for (const Params& params : all) {
      const Spec spec = Env::spec(params);
      spec_.obs_low = std::min(spec_.obs_low, spec.obs_low);
      spec_.obs_high = std::max(spec_.obs_high, spec.obs_high);
      limits.push_back(options_.time_limit >= 0 ? options_.time_limit : spec.time_limit);
    }
    const bool endless = std::find(limits.begin(), limits.end(), 0) != limits.end();
    spec_.time_limit = endless ? 0 : *std::max_element(limits.begin(), limits.end());
    return limits;
  }

  // What the next step of environment `e` will draw from; see Stepper.
  Rng next_rng(int e) {
    auto one = [&](auto* from) { return download(*device_, from, 1)[0]; };
    const Key key{one(book_.key + e), one(book_.key + num_envs() + e)};
    return {fold_in(fold_in(key, one(book_.episode + e)), static_cast<uint32_t>(one(book_.step + e) + 1))};
  }

  void launch_varied(const Call& call) {
    Stepper<Env> stepper(call, book_, finals_, spec_, options_);
    stepper.time_limits = varied_.time_limits;
    Backend::tiles_of<Env, kVariedLanes>(*device_, num_envs(), {kVariedLanes, options_.backwards, far_params_}, params_,
                                         state_fields_, Varied<Env>{varied_.device, stepper});
  }

  template <class Rules>
  void launch_as(const typename Rules::Params& params, const Call& call, const Place& place) {
    const BatchOptions& options = place.options;
    const Stepper<Rules> stepper(call, place.book, place.finals, spec_, options);
    Backend::tiles<Rules>(*device_, options.num_envs, shape_of<Rules>(options), params, place.fields,
                          side_by_side(stepper));
  }

  template <class Rules, int kLanes>
  void random_steps(const typename Rules::Params& params, int steps, Key key, uint32_t draw) {
    const Stepper<Rules> stepper(step_call(actions_, observations_, outcomes_), book_, finals_, spec_, options_);
    const auto inner = side_by_side(stepper);
    const RandomActions<Rules> random(spec_, observations_.avail_actions, nullptr, actions_);
    const RandomSteps<Rules, std::remove_const_t<decltype(inner)>> body{inner, random, observations_, spec_.num_agents,
                                                                        key,   draw,   steps};
    Backend::tiles_of<Rules, kLanes>(*device_, num_envs(), shape_of<Rules>(options_), params, state_fields_, body);
  }

  template <class... Variant>
  bool random_variant(Types<Variant...>, int steps, Key key, uint32_t draw) {
    return ((random_as<Variant>(steps, key, draw)) || ...);
  }
  template <class Variant>
  bool random_as([[maybe_unused]] int steps, [[maybe_unused]] Key key, [[maybe_unused]] uint32_t draw) {
    if constexpr (Variant::Params::kUnrolls) {
      if (!Variant::Params::fits(params_)) return false;
      random_steps<Variant, 1>(typename Variant::Params(params_), steps, key, draw);
      return true;
    }
    return false;
  }

  template <class Rules>
  TileShape shape_of(const BatchOptions& options) const {
    return {options.lanes, options.backwards, std::is_same_v<Rules, Env> ? far_params_ : nullptr};
  }

  bool has_packs() const {
#ifndef __CUDACC__
    return packs_.width > 0 && !options_.backwards;
#else
    return false;
#endif
  }

  // A CPU takes neighbouring environments side by side where it can, but not backwards.
  template <class Rules>
  auto side_by_side(const Stepper<Rules>& stepper) const {
#ifndef __CUDACC__
    if constexpr (HasPacks<Rules>) {
      return PackedStepper<Rules>{stepper, has_packs() ? packs_ : PackFunctions<Params> {}};
    }
#endif
    if constexpr (Backend::kCuda || !HasPacks<Rules>) return stepper;
  }

  // The first of the variants that fits; false if none does. Those that unroll are for registers that a CPU does not have.
  template <class... Variant>
  bool launch_variant(Types<Variant...>, const Call& call, const Place& place) {
    return (((Backend::kCuda || !Variant::Params::kUnrolls) && Variant::Params::fits(params_) &&
             place.options.lanes <= most_lanes<Variant>() &&
             (launch_as<Variant>(typename Variant::Params(params_), call, place), true)) ||
            ...);
  }

  // Few environments get many lanes, so that the GPU is busy; many environments get few, so that no lane idles. The numbers
  // are those that measured best on SMAX with 6 to 57 units and 4,096 to 131,072 environments (docs/benchmarks.md).
  int lanes_for(int64_t envs) const {
    constexpr int64_t kFewThreads = 131072;
    const bool unrolls = unrolled_variant_fits(params_);  // one lane does it in straight code
    const int64_t enough_threads = unrolls ? 50000 : 200000;
    int widest = 1;  // lanes that can all be of use
    while (widest < spec_.lanes && widest < 32) widest *= 2;
    if (widest > spec_.lanes && envs * widest > kFewThreads) widest /= 2;
    int lanes = 1;
    while (lanes < widest && (envs * lanes < enough_threads || (!unrolls && lanes * 3 < spec_.lanes))) lanes *= 2;
    return Backend::fitting_lanes<Env>(params_, lanes_asked_ != 0 ? lanes_asked_ : lanes);
  }

  static bool unrolled_variant_fits(const Params& params) {
    if constexpr (HasVariants<Env> && Backend::kCuda) {
      return [&]<class... Variant>(Types<Variant...>) {
        return ((Variant::Params::kUnrolls && Variant::Params::fits(params)) || ...);
      }(typename Env::Variants{});
    }
    return false;
  }

  struct OwnParams {
    explicit OwnParams(std::shared_ptr<Device> device) : arena(std::move(device)) {}
    Arena arena;
    Params* device = nullptr;        // [env]
    int32_t* time_limits = nullptr;  // [env]
    std::vector<Params> host;        // [env], empty as long as all have the same
  };

  Params params_;
  Params* far_params_ = nullptr;  // in device memory, if they are large
  State state_fields_;
  int lanes_asked_ = 0;
  OwnParams varied_;
  Players<Env> players_;
#ifndef __CUDACC__
  PackFunctions<Params> packs_;
#endif
};

// Calls use(type of the Env) for the view that the parameters ask for (Env::Views), or for the game itself.
template <class Env, class Use>
auto as_seen(const typename Env::Params& params, const Use& use) {
  decltype(use(std::type_identity<Env>{})) made{};
  bool other = false;
  if constexpr (HasViews<Env>) {
    [&]<class... View>(Types<View...>) {
      other = ((View::shows(params) && (made = use(std::type_identity<View>{}), true)) || ...);
    }(typename Env::Views{});
  }
  if (!other) made = use(std::type_identity<Env>{});
  return made;
}

template <class Env>
VecEnv* make_batch(std::shared_ptr<Device> device, const EnvSpec& spec, const BatchOptions& options,
                   const void* params) {
  const auto& own = *static_cast<const typename Env::Params*>(params);
  return as_seen<Env>(own, [&]<class Seen>(std::type_identity<Seen>) -> VecEnv* {
    return new Batch<Seen>(std::move(device), spec, options, own);
  });
}

template <class Write>
int count_values(Write&& write) {
  Counter counter;
  write(counter);
  return counter.count;
}

// Fills in what the game knows of itself; the sizes are counted with the game's own writers.
template <class Env>
EnvSpec measure_as(const typename Env::Params& params, const std::string& id) {
  EnvSpec spec;
  static_cast<Spec&>(spec) = Env::spec(params);
  spec.id = id;
  spec.version = Env::kVersion;
  spec.obs_dtype = dtype_of<ObsOf<Env>>();
  HostInstance<Env> instance(params);
  Env env = instance.env();
  env.reset(Rng{key(0)});
  spec.obs_dim = count_values([&](Counter& out) { env.observe(0, out); });
  if constexpr (HasObserveParts<Env>) {
    spec.obs_parts = Env::observe_parts(params);
    spec.obs_part_dim = count_values([&](Counter& out) { env.observe_part(0, 0, out); });
  }
  if constexpr (HasWorldState<Env>) spec.world_state_dim = count_values([&](Counter& out) { env.world_state(out); });
  if constexpr (HasWorldStateParts<Env>) {
    spec.world_state_parts = Env::world_state_parts(params);
    spec.world_state_part_dim = count_values([&](Counter& out) { env.world_state_part(0, out); });
  }
  spec.renders = HasRender<Env>;
  spec.renders_views = HasRenderView<Env>;
  spec.policies = {"random"};
  if constexpr (HasPolicies<Env>) {
    spec.policies.insert(spec.policies.end(), std::begin(Env::kPolicies), std::end(Env::kPolicies));
  }
  if constexpr (HasInfo<Env>) spec.info.assign(std::begin(Env::kInfo), std::end(Env::kInfo));
  if constexpr (requires { Env::kObjectives; }) {
    spec.objectives.assign(std::begin(Env::kObjectives), std::end(Env::kObjectives));
  } else if constexpr (requires { Env::objective_name(params, 0); }) {
    for (int o = 0; o < spec.num_objectives; ++o) spec.objectives.push_back(Env::objective_name(params, o));
  } else {
    spec.objectives = {"reward"};
  }
  for (int agent = 0; agent < spec.num_agents; ++agent) {
    if constexpr (requires { Env::agent_name(params, agent); }) {
      spec.agents.push_back(Env::agent_name(params, agent));
    } else {
      spec.agents.push_back("agent_" + std::to_string(agent));
    }
  }
  return spec;
}

template <class Env>
EnvSpec measure(const typename Env::Params& params, const std::string& id) {
  return as_seen<Env>(params, [&]<class Seen>(std::type_identity<Seen>) { return measure_as<Seen>(params, id); });
}

}  // namespace throng
