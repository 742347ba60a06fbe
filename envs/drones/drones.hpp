// Drones: a swarm surrounds a target that stands, escorts one that travels, or catches one that flees, and keeps apart.
#pragma once

#include <cstdint>

#include "core/env.hpp"
#include "core/fixed_list.hpp"
#include "envs/common/choices.hpp"
#include "envs/common/vector3.hpp"

// The tasks surround, escort and catch of CrazyRL (Felten, https://github.com/ffelten/CrazyRL) by the rules of MOMAland (Felten et
// al. 2024, https://arxiv.org/abs/2407.16312).
//
// Differs: with `fixed` semantics actions are clipped to [-1, 1] and a fleeing target that hesitates goes in any direction; in the
// original, and with `momaland`, they are not, and it goes up, right and forward.
// Differs: positions are float32; the original's are float64, so a distance very close to a threshold can fall on its other side.
namespace throng::drones {

using common::Vector3;

enum Task : uint8_t { kSurround, kEscort, kCatch };
inline constexpr const char* kTasks[] = {"surround", "escort", "catch"};
enum Objective { kApproach, kSpread, kNumObjectives };

inline constexpr int kMaxDrones = 16;
inline constexpr float kStride = 0.2f;    // how far an action of 1 moves along an axis
inline constexpr float kTooClose = 0.1f;  // to another drone, to the target, to the ground
inline constexpr float kHesitation =
    0.2f;  // a target that the middle of the swarm is this close to does not know where to flee
inline constexpr float kCeiling = 3, kTargetFloor = 0.2f;
inline constexpr float kCrash = -10;  // both rewards of a drone that came too close

struct Params {
  uint8_t task = kSurround;
  float size = 3;
  FixedList<float, 3 * kMaxDrones> start = {12, {0, 0, 1, 1, 1, 1, 0, 1, 1, 2, 2, 1}};
  FixedList<float, 3> target = {3, {1, 1, 2.5f}};
  float target_speed = 0.1f;
  FixedList<float, 3> final_target = {3, {-2, -2, 3}};
  int num_intermediate_points = 50;
  int max_steps = 200;
  uint8_t semantics = common::kFixed;

  template <class V>
  void fields(V&& v) {
    v("task", task, kTasks, "what the target does: it stands, it travels, or it flees");
    v("size", size, "x and y run from minus this to this; z from 0 to 3");
    v("start", start, "x, y and z of every drone; their number is the number of agents");
    v("target", target, "x, y and z of the target at the start");
    v("target_speed", target_speed, "catch: how far the target flees in a step");
    v("final_target", final_target, "escort: where the target travels");
    v("num_intermediate_points", num_intermediate_points, "escort: stops on its way");
    v("max_steps", max_steps, "steps after which an episode is truncated");
    v("semantics", semantics, common::kSemantics, "clipped actions and aimless hesitation, or as in the original");
  }

  THRONG_HD int num_drones() const { return start.size / 3; }

  void check() {
    const std::string game = "drones";
    common::check_range(game, "size", size, 0.5, 1000);
    common::check_range(game, "length of start", start.size, 6, 3 * kMaxDrones);
    if (start.size % 3 != 0) throw Error("drones: start needs three numbers for every drone");
    common::check_range(game, "length of target", target.size, 3, 3);
    common::check_range(game, "length of final_target", final_target.size, 3, 3);
    for (float x : start)
      common::check_range(game, "start", x, -size < 0 ? -size : 0, size < kCeiling ? kCeiling : size);
    for (float x : target) common::check_range(game, "target", x, -1000, 1000);
    for (float x : final_target) common::check_range(game, "final_target", x, -1000, 1000);
    common::check_range(game, "target_speed", target_speed, 0, 1000);
    common::check_range(game, "num_intermediate_points", num_intermediate_points, 0, 60000);
    common::check_range(game, "max_steps", max_steps, 1, 60000);
  }
};

struct State {
  Field<float> x, y, z;  // [drone, env]
  Field<float> target;   // [axis, env]
  Field<uint16_t> time;  // [env], steps of this episode: where a travelling target is

  template <class V>
  THRONG_HD void fields(const Params& p, V&& v) {
    v("x", x, p.num_drones());
    v("y", y, p.num_drones());
    v("z", z, p.num_drones());
    v("target", target, 3);
    v("time", time, 1);
  }
};

struct Scratch {
  Field<float> distance;  // [drone], to where the target was, before the drones move

  template <class V>
  THRONG_HD void fields(const Params& p, V&& v) {
    v("distance", distance, p.num_drones());
  }
};

struct Env {
  using Params = drones::Params;
  using State = drones::State;
  using Scratch = drones::Scratch;
  static constexpr const char* kVersion = "momaland-0.2.0";
  static constexpr int kMostLanes = 8;
  static constexpr const char* kObjectives[] = {"approach", "spread"};
  static constexpr const char* kInfo[] = {"too_close"};  // 1: some drone came too close to something

  const Params& p;
  State s;
  Scratch w;
  Lanes lanes;

  THRONG_HD static Spec spec(const Params& p) {
    float farthest = p.size > kCeiling ? p.size : kCeiling;
    for (int axis = 0; axis < 3; ++axis) {
      for (const float x : {p.target[axis], p.final_target[axis]}) {
        farthest = x > farthest ? x : -x > farthest ? -x : farthest;
      }
    }
    Spec spec;
    spec.num_agents = p.num_drones();
    spec.num_actions = 0;
    spec.continuous = 3;
    spec.num_objectives = kNumObjectives;
    spec.time_limit = p.max_steps;
    spec.obs_low = -farthest;
    spec.obs_high = farthest;
    spec.lanes = p.num_drones();
    return spec;
  }

  THRONG_HD void reset(Rng) {
    lanes.each(p.num_drones(), [&](int i) { place(i, {p.start[3 * i], p.start[3 * i + 1], p.start[3 * i + 2]}); });
    lanes.once([&] {
      place_target({p.target[0], p.target[1], p.target[2]});
      s.time[0] = 0;
    });
  }

  // The target moves first, then all drones.
  THRONG_HD bool step(ContinuousActions actions, Rewards rewards, Rng rng) {
    const Vector3 target = target_now();
    lanes.each(p.num_drones(), [&](int i) { w.distance[i] = length(drone(i) - target); });
    lanes.once([&] {
      ++s.time[0];
      if (p.task == kEscort) travel();
      if (p.task == kCatch) flee(rng);
    });
    lanes.each(p.num_drones(), [&](int i) { fly(i, {actions(i, 0), actions(i, 1), actions(i, 2)}); });
    lanes.each(p.num_drones(), [&](int i) {
      const bool crash = too_close(i);
      rewards(i, kApproach) = crash ? kCrash : w.distance[i] - length(drone(i) - target);
      rewards(i, kSpread) = crash ? kCrash : mean_distance(i);
    });
    return anybody_too_close();
  }

  THRONG_HD void fly(int i, Vector3 action) {
    if (p.semantics == common::kFixed) action = clamp(action, {-1, -1, -1}, {1, 1, 1});
    place(i, clamp(drone(i) + kStride * action, {-p.size, -p.size, 0}, {p.size, p.size, kCeiling}));
  }

  // --- the target

  // In equal steps towards the final target, of which the last is not made.
  THRONG_HD void travel() {
    const int last = p.num_intermediate_points + 1, steps = s.time[0] < last ? s.time[0] : last;
    const Vector3 from{p.target[0], p.target[1], p.target[2]};
    const Vector3 to{p.final_target[0], p.final_target[1], p.final_target[2]};
    place_target(from + static_cast<float>(steps) / static_cast<float>(last + 1) * (to - from));
  }

  // Away from the middle of the swarm; if that is close, a little to anywhere.
  THRONG_HD void flee(Rng rng) {
    Vector3 sum;
    for (int i = 0; i < p.num_drones(); ++i) sum = sum + drone(i);
    const Vector3 target = target_now(), away = target - 1 / static_cast<float>(p.num_drones()) * sum;
    const float distance = length(away), low = p.semantics == common::kFixed ? -1.0f : 0.0f;
    const Vector3 move =
        distance > kHesitation
            ? p.target_speed / distance * away
            : 0.1f * p.target_speed * Vector3{rng.uniform(0, low, 1), rng.uniform(1, low, 1), rng.uniform(2, low, 1)};
    place_target(clamp(target + move, {-p.size, -p.size, kTargetFloor}, {p.size, p.size, kCeiling}));
  }

  // --- where things are

  THRONG_HD Vector3 drone(int i) const { return {s.x[i], s.y[i], s.z[i]}; }
  THRONG_HD Vector3 target_now() const { return {s.target[0], s.target[1], s.target[2]}; }
  THRONG_HD void place(int i, Vector3 at) { s.x[i] = at.x, s.y[i] = at.y, s.z[i] = at.z; }
  THRONG_HD void place_target(Vector3 at) { s.target[0] = at.x, s.target[1] = at.y, s.target[2] = at.z; }

  THRONG_HD bool too_close(int i) const {
    if (s.z[i] < kTooClose || length(drone(i) - target_now()) < kTooClose) return true;
    for (int j = 0; j < p.num_drones(); ++j) {
      if (j != i && length(drone(i) - drone(j)) < kTooClose) return true;
    }
    return false;
  }

  THRONG_HD bool anybody_too_close() const {
    for (int i = 0; i < p.num_drones(); ++i) {
      if (too_close(i)) return true;
    }
    return false;
  }

  THRONG_HD float mean_distance(int i) const {
    float sum = 0;
    for (int j = 0; j < p.num_drones(); ++j) sum += length(drone(i) - drone(j));
    return sum / static_cast<float>(p.num_drones() - 1);
  }

  // --- what is seen

  // The own position, the target's, and those of the others in order.
  THRONG_HD void observe(int agent, auto& out) const {
    write(drone(agent), out);
    write(target_now(), out);
    for (int i = 0; i < p.num_drones(); ++i) {
      if (i != agent) write(drone(i), out);
    }
  }

  THRONG_HD void world_state(auto& out) const {
    write(target_now(), out);
    for (int i = 0; i < p.num_drones(); ++i) write(drone(i), out);
  }

  THRONG_HD static void write(Vector3 a, auto& out) {
    out(a.x);
    out(a.y);
    out(a.z);
  }

  THRONG_HD void info(auto& out) const { out(anybody_too_close() ? 1.0f : 0.0f); }
};

static_assert(Environment<Env>);

}  // namespace throng::drones
