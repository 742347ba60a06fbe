// Tradeoff: a game of one step whose outcomes are known vectors of two objectives - for tests of learning.
#pragma once

#include <cstdint>

#include "core/env.hpp"

namespace throng::tradeoff {

constexpr int kChoices = 5, kObjectives = 2;
enum Purpose : uint32_t { kDrawPlace };

// Five points of which none dominates another. Of a hollow front only the ends are on the convex hull.
struct Params {
  bool hollow = false;

  template <class V>
  void fields(V&& field) {
    field("hollow", hollow, "the front curves inwards");
  }
  THRONG_HD float outcome(int choice, int objective) const {
    const float round[] = {0, 0.38f, 0.71f, 0.92f, 1}, inwards[] = {0, 0.15f, 0.4f, 0.6f, 1};
    const int place = objective == 0 ? kChoices - 1 - choice : choice;
    return hollow ? inwards[place] : round[place];
  }
};

struct State {
  Field<float> place;  // [env]

  template <class V>
  THRONG_HD void fields(const Params&, V&& field) {
    field("place", place, 1);
  }
};

// One agent chooses an outcome.
struct Env {
  using Params = tradeoff::Params;
  using State = tradeoff::State;
  static constexpr const char* kVersion = "1";
  static constexpr const char* kObjectives[] = {"here", "there"};

  const Params& p;
  State s;
  Lanes lanes;

  THRONG_HD static Spec spec(const Params&) {
    Spec spec;
    spec.num_actions = kChoices;
    spec.num_objectives = tradeoff::kObjectives;
    return spec;
  }
  THRONG_HD void reset(Rng) { s.place[0] = 0; }
  THRONG_HD bool step(Actions actions, Rewards rewards, Rng) {
    for (int j = 0; j < tradeoff::kObjectives; ++j) rewards(0, j) = p.outcome(actions[0], j);
    return true;
  }
  THRONG_HD void observe(int, auto& out) const { out(1.0f); }
};
static_assert(Environment<Env>);

// One agent sees a place x and chooses numbers: the first objective wants the first number to be x, the second -x, and both want
// the second number to be 0.5.
struct Numbers {
  using Params = tradeoff::Params;
  using State = tradeoff::State;
  static constexpr const char* kVersion = "1";
  static constexpr const char* kObjectives[] = {"here", "there"};

  const Params& p;
  State s;
  Lanes lanes;

  THRONG_HD static Spec spec(const Params&) {
    Spec spec;
    spec.num_actions = 0;
    spec.continuous = 2;
    spec.num_objectives = tradeoff::kObjectives;
    return spec;
  }
  THRONG_HD void reset(Rng rng) { s.place[0] = rng.at(kDrawPlace).uniform(0, -1, 1); }
  THRONG_HD bool step(ContinuousActions actions, Rewards rewards, Rng) {
    const float x = s.place[0], a = actions(0, 0), b = actions(0, 1) - 0.5f;
    rewards(0, 0) = -(a - x) * (a - x) - b * b;
    rewards(0, 1) = -(a + x) * (a + x) - b * b;
    return true;
  }
  THRONG_HD void observe(int, auto& out) const { out(s.place[0]); }
};
static_assert(Environment<Numbers>);

}  // namespace throng::tradeoff
