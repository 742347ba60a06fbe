// Tiny: two agents on a line meet at a goal - the smallest whole environment, for tests and docs/add_an_environment.md.
#pragma once

#include <cstdint>
#include <string>

#include "core/env.hpp"
#include "core/error.hpp"

namespace throng::tiny {

constexpr int kAgents = 2;
enum Action { kLeft, kStay, kRight, kActions };
enum Purpose : uint32_t { kDrawCells, kDrawGoal };  // each kind of draw has a random stream of its own

struct Params {
  int length = 7;       // cells
  int time_limit = 20;  // steps

  template <class V>
  void fields(V&& field) {
    field("length", length, "cells of the line");
    field("time_limit", time_limit, "steps after which an episode is truncated");
  }

  void check() {
    if (length < 2 || length > 1000) throw Error("length must be 2 to 1000, not " + std::to_string(length));
    if (time_limit < 1) throw Error("time_limit must be at least 1, not " + std::to_string(time_limit));
  }
};

struct State {
  Field<int16_t> cell;  // [agent, env]
  Field<int16_t> goal;  // [env]

  template <class V>
  THRONG_HD void fields(const Params&, V&& field) {
    field("cell", cell, kAgents);
    field("goal", goal, 1);
  }
};

struct Env {
  using Params = tiny::Params;
  using State = tiny::State;
  static constexpr const char* kVersion = "1";
  static constexpr const char* const kInfo[] = {"met"};

  const Params& p;
  State s;
  Lanes lanes;

  THRONG_HD static Spec spec(const Params& p) {
    Spec spec;
    spec.num_agents = kAgents;
    spec.num_actions = kActions;
    spec.time_limit = p.time_limit;
    return spec;
  }

  THRONG_HD void reset(Rng rng) {
    lanes.each(kAgents, [&](int a) { s.cell[a] = static_cast<int16_t>(rng.at(kDrawCells).below(a, p.length)); });
    lanes.once([&] { s.goal[0] = static_cast<int16_t>(rng.at(kDrawGoal).below(0, p.length)); });
  }

  // The episode ends when both stand on the goal, with reward 1 for each. An action that is not legal counts as kStay.
  THRONG_HD bool step(Actions actions, Rewards rewards, Rng) {
    lanes.each(kAgents, [&](int a) {
      const int next = s.cell[a] + (actions[a] == kRight) - (actions[a] == kLeft);
      if (next >= 0 && next < p.length) s.cell[a] = static_cast<int16_t>(next);
    });
    const bool ended = met();
    lanes.each(kAgents, [&](int a) { rewards(a) = ended ? 1.0f : 0.0f; });
    return ended;
  }

  // How far it is to the goal, and where each of the two stands: first oneself, then the other.
  THRONG_HD void observe(int agent, auto& out) const {
    const float unit = 1.0f / static_cast<float>(p.length - 1);
    for (int a : {agent, 1 - agent}) {
      out(static_cast<float>(s.goal[0] - s.cell[a]) * unit);
      out(static_cast<float>(s.cell[a]) * unit);
    }
  }

  THRONG_HD void avail(int agent, auto& out) const {
    out(s.cell[agent] > 0);
    out(true);
    out(s.cell[agent] < p.length - 1);
  }

  THRONG_HD void info(auto& out) const { out(met()); }

  THRONG_HD bool met() const { return s.cell[0] == s.goal[0] && s.cell[1] == s.goal[0]; }
};
static_assert(Environment<Env>);

}  // namespace throng::tiny
