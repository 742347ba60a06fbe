// Matching: a game of cell codes in which an action is two choices - for tests of learning.
#pragma once

#include <cstdint>

#include "core/env.hpp"
#include "core/error.hpp"

namespace throng::matching {

constexpr int kAgents = 2, kCells = 3, kColours = 4;
constexpr int kSteps = 8;  // of an episode
enum Purpose : uint32_t { kDrawCells };

struct Params {
  int colours = kColours;

  template <class V>
  void fields(V&& field) {
    field("colours", colours, "colours that a cell can have");
  }
  void check() {
    if (colours < 2 || colours > kColours) throw Error("colours must be 2 to 4, not " + std::to_string(colours));
  }
};

struct State {
  Field<uint8_t> cell;  // [agent * cell, env]

  template <class V>
  THRONG_HD void fields(const Params&, V&& field) {
    field("cell", cell, kAgents * kCells);
  }
};

// Every agent sees three cells. Its first choice should be the colour of the first cell, its second whether the other two are of
// one colour; either is worth 1 / 16, so that a faultless episode is worth 1.
struct Env {
  using Params = matching::Params;
  using State = matching::State;
  using Obs = uint8_t;
  static constexpr const char* kVersion = "1";

  const Params& p;
  State s;
  Lanes lanes;

  THRONG_HD static Spec spec(const Params&) {
    Spec spec;
    spec.num_agents = kAgents;
    spec.num_actions = kColours + 2;
    spec.heads = {2, {kColours, 2}};
    spec.time_limit = kSteps;
    spec.obs_low = 0;
    spec.obs_high = kColours - 1;
    return spec;
  }

  THRONG_HD void reset(Rng rng) { draw(rng); }

  THRONG_HD bool step(Actions actions, Rewards rewards, Rng rng) {
    lanes.each(kAgents, [&](int a) {
      const auto cell = [&](int c) { return s.cell[a * kCells + c]; };
      const bool colour = actions(a, 0) == cell(0), same = actions(a, 1) == (cell(1) == cell(2));
      rewards(a) = static_cast<float>(colour + same) / (2 * kSteps);
    });
    draw(rng);
    return false;
  }

  THRONG_HD void observe(int agent, auto& out) const {
    for (int c = 0; c < kCells; ++c) out(s.cell[agent * kCells + c]);
  }

  THRONG_HD void avail(int, auto& out) const {
    for (int a = 0; a < kColours + 2; ++a) out(true);
  }

 private:
  THRONG_HD void draw(Rng rng) {
    lanes.each(kAgents * kCells,
               [&](int i) { s.cell[i] = static_cast<uint8_t>(rng.at(kDrawCells).below(i, p.colours)); });
  }
};
static_assert(Environment<Env>);

}  // namespace throng::matching
