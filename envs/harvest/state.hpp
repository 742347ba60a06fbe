// What harvest remembers of one environment.
#pragma once

#include <cstdint>
#include <cstring>

#include "core/field.hpp"
#include "core/platform.hpp"
#include "envs/harvest/params.hpp"

namespace throng::harvest {

// Headings 0 to 3: towards higher rows, higher columns, lower rows, lower columns; left of h is h + 1, right is h - 1.
THRONG_HD constexpr int row_step(int heading) { return (1 - heading) & ((heading & 1) - 1); }
THRONG_HD constexpr int column_step(int heading) { return (2 - heading) & -(heading & 1); }
static_assert(row_step(0) == 1 && row_step(1) == 0 && row_step(2) == -1 && row_step(3) == 0);
static_assert(column_step(0) == 0 && column_step(1) == 1 && column_step(2) == 0 && column_step(3) == -1);
THRONG_HD constexpr int turned(int heading, int by) { return (heading + by) & 3; }

// A pose is where an agent stands and where it looks: place * 4 + heading. Who is out of play has kNoPose.
inline constexpr uint16_t kNoPose = kNowhere * 4;
THRONG_HD constexpr uint16_t pose_at(int place, int heading) { return static_cast<uint16_t>(place * 4 + heading); }
THRONG_HD constexpr int place_of(int pose) { return pose >> 2; }
THRONG_HD constexpr int heading_of(int pose) { return pose & 3; }

enum Tally { kSteps, kZaps, kHits, kStepsAway, kDepleted, kTallies };

// A cell holds one thing: a wall, an apple, a beam mark or an agent; only under `mp` apples can grow under agents.
struct State {
  Field<uint32_t> apple;     // [row, env], bit c: an apple at column c
  Field<uint32_t> mark;      // [row, env], marks of the last step's beams
  Field<uint16_t> pose;      // [agent, env]
  Field<uint16_t> next;      // [agent, env], its pose when the next step begins: another one if it was hit
  Field<uint8_t> away;       // [agent, env], steps that it will be out of play
  Field<uint8_t> cooldown;   // [agent, env], steps until it can zap
  Field<uint16_t> eaten;     // [agent, env], apples
  Field<uint32_t> eaten_at;  // [agent, env], sum of the numbers of the steps in which it ate, from 1
  Field<float> trace;        // [agent, env], fading sum of rewards, for inequity aversion
  Field<uint32_t> tally;  // [tally, env], by Tally: steps, zaps, hits, steps away, and the first step without an apple

  template <class P, class V>
  THRONG_HD void fields(const P& p, V&& v) {
    v("apple", apple, p.height);
    v("mark", mark, p.height);
    v("pose", pose, p.num_agents);
    v("next", next, p.num_agents);
    v("away", away, p.rule.respawn_delay > 0 ? p.num_agents : 0);
    v("cooldown", cooldown, p.rule.zap_cooldown > 0 ? p.num_agents : 0);
    v("eaten", eaten, p.num_agents);
    v("eaten_at", eaten_at, p.num_agents);
    v("trace", trace, p.traces() ? p.num_agents : 0);
    v("tally", tally, kTallies);
  }
};

// A row of the map within walls, so wide that no window reaches beyond them; above and below are rows of walls for half of one.
inline constexpr int kViewSide = 11, kViewAhead = 9,
                     kViewAside = 5;  // cells of a window in all, ahead, and to either side
struct alignas(4) DrawnRow {
  static constexpr int kBorder = 12;
  uint8_t cell[60];
  THRONG_HD void fill_with_walls() {
    const uint32_t four = 0x01010101u;
    for (int i = 0; i < int(sizeof cell); i += 4) std::memcpy(cell + i, &four, 4);
  }
};
static_assert(DrawnRow::kBorder >= kViewAhead && sizeof(DrawnRow) >= DrawnRow::kBorder + kMaxSide + kViewAhead);

// Working memory of a step, and of what is seen after it.
struct Scratch {
  Field<uint32_t> grown;  // [row], sites where an apple grows in this step
  Field<uint32_t> beam;   // [row], cells that a beam reaches
  Field<uint16_t> goal;   // [agent], place where it wants to be
  Field<uint8_t> moving;  // [agent], the goal is another place, and nobody is known to prevent it
  Field<uint8_t> fails;   // [agent], somebody prevents it
  Field<uint8_t> turn;    // [agent], when it moves, if agents move in turn
  Field<uint8_t> zaps;    // [agent]
  Field<uint8_t> ate;     // [agent]
  Field<uint8_t> hit;     // [agent]
  Field<DrawnRow> drawn;  // [row + kViewAside], the map and the agents on it: what is seen (view.hpp)

  template <class P, class V>
  THRONG_HD void fields(const P& p, V&& v) {
    v("grown", grown, p.height);
    v("beam", beam, p.height);
    v("goal", goal, p.num_agents);
    v("moving", moving, p.num_agents);
    v("fails", fails, p.num_agents);
    v("turn", turn, p.rule.in_turn ? p.num_agents : 0);
    v("zaps", zaps, p.num_agents);
    v("ate", ate, p.num_agents);
    v("hit", hit, p.num_agents);
    v("drawn", drawn, p.height + 2 * kViewAside);
  }
};

}  // namespace throng::harvest
