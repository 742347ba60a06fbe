// The window of an agent of harvest: the map drawn as bytes, which line of the window lies where, and how bytes become codes.
#pragma once

#include <cstdint>
#include <cstring>

#include "envs/harvest/beam.hpp"
#include "envs/harvest/state.hpp"

namespace throng::harvest {

inline constexpr int kViewSide = 11, kViewAhead = 9;  // cells in all, and ahead
inline constexpr int kFirstAgent = 4;                 // the codes below it are those of the map

// A drawn cell is 0 floor, 1 wall, 2 mark, 3 apple, or an agent: kDrawnAgent + heading, and kDrawnSign if there is something
// about it to be seen.
inline constexpr int kDrawnAgent = 128, kDrawnSign = 4;

// Draws a row: bit c of the two digits is that of column c.
THRONG_HD inline void draw_row(DrawnRow& row, int cells, uint64_t low, uint64_t high) {
  const auto spread = [](uint32_t four) { return (four * 0x00204081u) & 0x01010101u; };  // a bit to each byte
  for (int i = 0; i < cells; i += 8, low >>= 8, high >>= 8) {
    const uint32_t l = static_cast<uint32_t>(low), h = static_cast<uint32_t>(high);
    const uint32_t eight[] = {spread(l & 15) + 2 * spread(h & 15), spread(l >> 4 & 15) + 2 * spread(h >> 4 & 15)};
    std::memcpy(row.cell + i, eight, 8);
  }
}

// The eleven cells of a line of a window, four in a word: as they are drawn, then as codes.
struct Line {
  uint32_t word[3] = {};

  THRONG_HD static Line of(const uint8_t* cell, int step) {
    Line line;
#ifndef __CUDA_ARCH__  // cells side by side are read at once; a twelfth comes along
    if (step == 1) std::memcpy(line.word, cell, 12);
    if (step == -1) {
      std::memcpy(line.word, cell - 11, 12);
      line = {{__builtin_bswap32(line.word[2]), __builtin_bswap32(line.word[1]), __builtin_bswap32(line.word[0])}};
    }
    if (step == 1 || step == -1) return line;
#endif
    for (int k = 0; k < 3; ++k) {
      for (int i = 0; i < 4 && 4 * k + i < kViewSide; ++i, cell += step) line.word[k] |= uint32_t(*cell) << 8 * i;
    }
    return line;
  }
  THRONG_HD static Line walls() { return {{0x01010101u, 0x01010101u, 0x00010101u}}; }

  // Eight and three: a CPU waits for what it reads back in other pieces than it was written in.
  THRONG_HD void write(auto& out) const {
    const uint64_t first = word[0] | uint64_t(word[1]) << 32;
    uint8_t codes[8];
    std::memcpy(codes, &first, 8);
    out.run(codes, 8);
    std::memcpy(codes, &word[2], 4);
    out.run(codes, kViewSide - 8);
  }

  THRONG_HD void add(int i, int number) {
    for (int k = 0; k < 3; ++k) word[k] += i / 4 == k ? static_cast<uint32_t>(number) << 8 * (i % 4) : 0;
  }

  // The drawn agents become first + each * r + sign * (there is something to be seen), where r is how much more their
  // heading is than `heading`; all cells of a word at once.
  THRONG_HD void relate(int heading, uint32_t first, uint32_t each, uint32_t sign) {
    if (((word[0] | word[1] | word[2]) & 0x80808080u) == 0) return;
    for (uint32_t& cells : word) {
      const uint32_t agents = cells >> 7 & 0x01010101u;
      const uint32_t relative = (cells - static_cast<uint32_t>(heading) * agents) & (3 * agents);
      const uint32_t of_map = cells & 0x03030303u & ~(3 * agents), signs = cells >> 2 & agents;
      cells = of_map + first * agents + each * relative + sign * signs;
    }
  }
};

// Where the window of an agent lies on the drawing. Line 0 is the farthest ahead, line 9 the agent's own; cells go from left to
// right. SocialJax shows two of the four headings upside down.
struct Window {
  int down;      // heading in which lines follow each other
  int right;     // heading in which cells do
  int own_line;  // of the agent

  template <class P>
  THRONG_HD static Window of(const P& p, int heading) {
    const bool flipped = p.rule.upside_down && heading % 2 == 0;
    return {turned(heading, flipped ? 0 : 2), turned(heading, flipped ? 1 : 3),
            flipped ? kViewSide - 1 - kViewAhead : kViewAhead};
  }
};

// The map, with a border of walls as wide as a window is to either side: a line of a window whose middle is on the map stays
// on the drawing.
template <class Env>
THRONG_HD void draw_map(const Env& env) {
  const int height = env.p.height, width = env.p.width;
  const uint64_t border = ~(((uint64_t(1) << width) - 1) << kViewAside);
  env.lanes.each(height + 2 * kViewAside, [&](int line) {
    const int row = line - kViewAside;
    DrawnRow& drawn = env.w.drawn[line];
    if (row < 0 || row >= height) return drawn.fill_with_walls();
    const uint32_t apples = env.s.apple[row];
    draw_row(drawn, width + 2 * kViewAside, border | uint64_t(env.p.ground.wall[row] | apples) << kViewAside,
             uint64_t(env.s.mark[row] | apples) << kViewAside);
  });
}

// An agent on the drawing, and where its window lies.
template <class Env>
THRONG_HD void draw_agent(const Env& env, int agent) {
  const auto& p = env.p;
  const auto& w = env.w;
  const int pose = env.s.pose[agent], heading = heading_of(pose), row_bytes = w.drawn.stride * int(sizeof(DrawnRow));
  const Cell here = cell_of(pose);
  const Window window = Window::of(p, heading);
  const auto step = [&](int heading) { return row_step(heading) * row_bytes + column_step(heading); };
  const int at = (here.row + kViewAside) * row_bytes + here.column + kViewAside;
  // Signs: under `mp` an apple below it; otherwise that it has eaten, which SocialJax counts in a signed byte.
  const bool sign =
      p.rule.in_turn ? has_bit(env.s.apple[here.row], here.column) : static_cast<int8_t>(env.s.eaten[agent]) > 0;
  w.drawn[0].cell[at] = static_cast<uint8_t>(kDrawnAgent + heading + (sign ? kDrawnSign : 0));
  w.itself[agent] = at;
  w.down[agent] = step(window.down);
  w.right[agent] = step(window.right);
  w.window[agent] = at - window.own_line * w.down[agent] - kViewAside * w.right[agent];
  // The lines that are on the map: as many as there are cells to the border, in their direction and in the opposite one.
  const int along = heading % 2 == 0 ? here.row : here.column, last = (heading % 2 == 0 ? p.height : p.width) - 1;
  const int before = window.down < 2 ? along : last - along;
  w.first_line[agent] = static_cast<uint8_t>(before < window.own_line ? window.own_line - before : 0);
  w.end_line[agent] = static_cast<uint8_t>(window.own_line + last - before + 1);
}

// What draw_agent has noted of an agent in play; all lines of its window need it.
struct Sight {
  int heading, itself, window, down, right, first_line, end_line;

  template <class Env>
  THRONG_HD static Sight of(const Env& env, int agent) {
    const auto& w = env.w;
    return {heading_of(env.s.pose[agent]), w.itself[agent],  w.window[agent], w.down[agent], w.right[agent],
            w.first_line[agent],           w.end_line[agent]};
  }
};

// A line of the window of an agent that is in play. Codes: 0 floor, 1 wall, 2 mark, 3 apple, 4 oneself, 5 + r another agent
// whose heading is r more than one's own; 5 more for an agent with an apple under it, which only `mp` knows. Under `sjx`: 4 +
// 2 r for an agent, r = 4 for oneself, 1 more if it has eaten, 10 more for the agent that the observer takes for itself, the
// next one, so that SocialJax's planes can be made of it.
template <class Env>
THRONG_HD Line look(const Env& env, int agent, const Sight& sight, int line) {
  const auto& p = env.p;
  const auto& w = env.w;
  if (line < sight.first_line || line >= sight.end_line) return Line::walls();
  const int first = sight.window + line * sight.down;
  Line seen = Line::of(w.drawn[0].cell + first, sight.right);
  const bool own = first + kViewAside * sight.right == sight.itself;
  if (!p.rule.mistaken_self) {
    seen.relate(sight.heading, kFirstAgent + 1, 1, p.rule.in_turn ? 5 : 0);
    if (own) seen.add(kViewAside, -1);
    return seen;
  }
  seen.relate(sight.heading, kFirstAgent, 2, 1);
  if (own) seen.add(kViewAside, 8);
  const int next = agent + 1 < p.num_agents ? agent + 1 : agent;
  for (int i = 0; env.in_play(next) && i < kViewSide; ++i)
    seen.add(i, first + i * sight.right == w.itself[next] ? 10 : 0);
  return seen;
}

// A code of a window, read again: what is in the cell, and of an agent whether it is oneself, or taken for oneself, how much
// more its heading is, and the sign.
struct Code {
  enum Kind { kFloor, kWall, kMark, kApple, kAgent } kind;
  bool itself = false, sign = false;
  int turn = 0;

  static Code of(const Rules& rule, int code) {
    if (code < kFirstAgent) return {static_cast<Kind>(code)};
    const int agent = code - kFirstAgent;
    if (!rule.mistaken_self) return {kAgent, agent % 5 == 0, agent >= 5, agent % 5 == 0 ? 0 : agent % 5 - 1};
    const int relative = agent % 10 / 2;
    return {kAgent, agent >= 10 || relative == 4, agent % 2 != 0, relative % 4};
  }
};

}  // namespace throng::harvest
