// The window of an agent of harvest: the map drawn as bytes, which line of the window lies where, and how bytes become codes.
#pragma once

#include <cstdint>
#include <cstring>

#include "envs/harvest/beam.hpp"
#include "envs/harvest/state.hpp"

namespace throng::harvest {

inline constexpr int kFirstAgent = 4;  // the codes below it are those of the map

// A drawn cell is 0 floor, 1 wall, 2 mark, 3 apple, or an agent: kDrawnAgent + heading, and kDrawnSign if there is something
// about it to be seen.
inline constexpr int kDrawnAgent = 128, kDrawnSign = 4;

// Draws the cells of a row: bit c of the two digits is that of column c. Beyond the width there are walls.
THRONG_HD inline void draw_row(DrawnRow& row, int width, uint32_t low, uint32_t high) {
  const auto spread = [](uint32_t four) { return (four * 0x00204081u) & 0x01010101u; };  // a bit to each byte
  row.fill_with_walls();
  if (width < kMaxSide) low |= ~uint32_t(0) << width;
  for (int c = 0; c < width; c += 8, low >>= 8, high >>= 8) {
    const uint32_t eight[] = {spread(low & 15) + 2 * spread(high & 15),
                              spread(low >> 4 & 15) + 2 * spread(high >> 4 & 15)};
    std::memcpy(row.cell + DrawnRow::kBorder + c, eight, 8);
  }
}

// The eleven cells of a line of a window, four in a word: as they are drawn, then as codes.
struct Line {
  uint32_t word[3] = {};

  THRONG_HD static Line of(const uint8_t* cell, int step) {
    Line line;
    for (int k = 0; k < 3; ++k) {
      for (int i = 0; i < 4 && 4 * k + i < kViewSide; ++i, cell += step) line.word[k] |= uint32_t(*cell) << 8 * i;
    }
    return line;
  }

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

  THRONG_HD bool shows_agents() const { return ((word[0] | word[1] | word[2]) & 0x80808080u) != 0; }
};

// What drawn agents become in the eyes of one whose heading is `heading`: first + r << shift, where r is how much more their
// heading is, and `sign` more if there is something to be seen. Of all cells of a word at once, and without a product.
struct Codes {
  uint32_t heading, first, sign;  // four times side by side
  int shift;
  int own;  // what oneself is more than another with r = 0

  template <class P>
  THRONG_HD static Codes of(const P& p, int heading) {
    const uint32_t four = 0x01010101u, h = static_cast<uint32_t>(heading) * four;
    if (p.rule.mistaken_self) return {h, kFirstAgent * four, four, 1, 8};
    return {h, (kFirstAgent + 1) * four, p.rule.in_turn ? 5 * four : 0, 0, -1};
  }

  THRONG_HD uint32_t operator()(uint32_t cells) const {
    const auto all = [](uint32_t ones) { return (ones << 8) - ones; };  // of each byte that is 1
    const uint32_t agents = cells >> 7 & 0x01010101u, of_agents = all(agents), signs = all(cells >> 2 & agents);
    const uint32_t relative = ((cells | 0x04040404u) - (heading & of_agents)) & of_agents & 0x03030303u;
    return (cells & ~of_agents) + (first & of_agents) + (relative << shift) + (sign & signs);
  }
};

// The map, within walls: a line of a window whose middle is at most one cell off the map stays on the drawing.
template <class Env>
THRONG_HD void draw_map(const Env& env) {
  const int height = env.p.height;
  env.lanes.each(height + 2 * kViewAside, [&](int line) {
    const int row = line - kViewAside;
    DrawnRow& drawn = env.w.drawn[line];
    if (row < 0 || row >= height) return drawn.fill_with_walls();
    const uint32_t apples = env.s.apple[row];
    draw_row(drawn, env.p.width, env.p.ground.wall[row] | apples, env.s.mark[row] | apples);
  });
}

// Something about an agent that is shown: under `mp` an apple below it; otherwise that it has eaten, which SocialJax counts in
// a signed byte.
template <class Env>
THRONG_HD bool shows_sign(const Env& env, int agent) {
  const int place = place_of(env.s.pose[agent]);
  return env.p.rule.in_turn ? has_bit(env.s.apple[row_of(place)], column_of(place))
                            : static_cast<int8_t>(env.s.eaten[agent]) > 0;
}

template <class Env>
THRONG_HD void draw_agent(const Env& env, int agent) {
  const int pose = env.s.pose[agent], place = place_of(pose);
  env.w.drawn[row_of(place) + kViewAside].cell[column_of(place) + DrawnRow::kBorder] =
      static_cast<uint8_t>(kDrawnAgent + heading_of(pose) + (shows_sign(env, agent) ? kDrawnSign : 0));
}

// The window of an agent. Line 0 is the farthest ahead, line 9 the agent's own; cells go from left to right. SocialJax shows
// two of the four headings upside down. Lines follow each other along the rows of the map, or along its columns, and cells
// across them; `along` and `across` are what the agent's row and column are to it.
struct Window {
  int heading, own_line;
  bool by_rows;        // lines are rows
  int along, down;     // down is 1 or -1: lines go to larger numbers, or to smaller ones
  int across, right;   // so do cells
  int last;            // along
  const uint8_t* map;  // the drawing's cell (0, 0)
  int row_bytes;       // of the drawing

  template <class Env>
  THRONG_HD static Window of(const Env& env, int agent) {
    const int pose = env.s.pose[agent], heading = heading_of(pose);
    const int row = row_of(place_of(pose)), column = column_of(place_of(pose));
    const bool by_rows = heading % 2 == 0, flipped = env.p.rule.upside_down && by_rows;
    const int up = heading < 2 ? 1 : -1,
              left = heading == 0 || heading == 3 ? 1 : -1;  // larger numbers ahead, to the left
    return {heading,
            flipped ? kViewSide - 1 - kViewAhead : kViewAhead,
            by_rows,
            by_rows ? row : column,
            flipped ? up : -up,
            by_rows ? column : row,
            flipped ? left : -left,
            by_rows ? env.p.height : env.p.width,
            env.w.drawn[kViewAside].cell + DrawnRow::kBorder,
            env.w.drawn.stride * int(sizeof(DrawnRow))};
  }

  // Where a line begins on the drawing, and the step from cell to cell. All rows off the map look like the first of them.
  THRONG_HD const uint8_t* begin(int line) const {
    const int there = along + down * (line - own_line), first = across - right * kViewAside;
    if (!by_rows) return map + first * row_bytes + there;
    return map + (there < -1 ? -1 : there > last ? last : there) * row_bytes + first;
  }
  THRONG_HD int step() const { return by_rows ? right : right * row_bytes; }

  // Where a place would be seen.
  struct Spot {
    int line, i;
    THRONG_HD bool inside() const {
      return static_cast<unsigned>(line) < unsigned(kViewSide) && static_cast<unsigned>(i) < unsigned(kViewSide);
    }
  };
  THRONG_HD Spot spot(int place) const {
    const int row = row_of(place), column = column_of(place);
    return {own_line + down * ((by_rows ? row : column) - along),
            kViewAside + right * ((by_rows ? column : row) - across)};
  }
};

// Whom SocialJax's observers take for themselves.
template <class P>
THRONG_HD int mistaken_for(const P& p, int agent) {
  return agent + 1 < p.num_agents ? agent + 1 : agent;
}

// A line of the window of an agent that is in play. Codes: 0 floor, 1 wall, 2 mark, 3 apple, 4 oneself, 5 + r another agent
// whose heading is r more than one's own; 5 more for an agent with an apple under it, which only `mp` knows. Under `sjx`: 4 +
// 2 r for an agent, r = 4 for oneself, 1 more if it has eaten, 10 more for the agent that the observer takes for itself, so
// that SocialJax's planes can be made of it.
template <class Env>
THRONG_HD Line look(const Env& env, int agent, int line) {
  const Window window = Window::of(env, agent);
  const Codes codes = Codes::of(env.p, window.heading);
  Line seen = Line::of(window.begin(line), window.step());
  if (seen.shows_agents()) {
    for (uint32_t& cells : seen.word) cells = codes(cells);
  }
  if (line == window.own_line) seen.add(kViewAside, codes.own);
  if (env.p.rule.mistaken_self) {
    const auto spot = window.spot(place_of(env.s.pose[mistaken_for(env.p, agent)]));
    if (spot.line == line && spot.inside()) seen.add(spot.i, 10);
  }
  return seen;
}

#ifndef __CUDACC__

// A CPU looks at a whole window at once.

// The line of which the first cell lies last.
inline void copy_backwards(uint8_t* to, const uint8_t* from) {
  uint64_t eight;
  uint32_t four;
  std::memcpy(&eight, from - 7, 8);
  std::memcpy(&four, from - 10, 4);
  eight = __builtin_bswap64(eight), four = __builtin_bswap32(four);
  std::memcpy(to, &eight, 8);
  std::memcpy(to + 7, &four, 4);
}

// Rows become columns: interleaved four times, the sixteen rows are the sixteen columns.
struct Block {
  using Row = uint8_t __attribute__((vector_size(16)));
  Row row[16] = {};

  void transpose() {
    for (int round = 0; round < 4; ++round) {
      const Block from = *this;
      for (int i = 0; i < 8; ++i) {
        const Row a = from.row[i], b = from.row[i + 8];
        row[2 * i] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        row[2 * i + 1] = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      }
    }
  }
};

// The map as an agent sees it, line after line: of rows, forwards or backwards, or of columns. May write 5 cells more.
inline void look_at_map(const Window& window, uint8_t* cells) {
  if (!window.by_rows) {
    Block block;
    const uint8_t* from = window.begin(window.down > 0 ? 0 : kViewSide - 1);
    for (int i = 0; i < kViewSide; ++i) std::memcpy(&block.row[i], from + i * window.step(), sizeof(Block::Row));
    block.transpose();
    for (int line = 0; line < kViewSide; ++line, cells += kViewSide) {
      const auto& row = block.row[window.down > 0 ? line : kViewSide - 1 - line];
      std::memcpy(cells, &row, sizeof row);  // the next line covers what is too much
    }
    return;
  }
  for (int line = 0; line < kViewSide; ++line, cells += kViewSide) {
    if (window.right > 0) {
      std::memcpy(cells, window.begin(line), kViewSide);
    } else {
      copy_backwards(cells, window.begin(line));
    }
  }
}

// All lines of the window of an agent that is in play.
template <class Env>
void look(const Env& env, int agent, auto& out) {
  uint32_t words[32] = {};
  auto* seen = reinterpret_cast<uint8_t*>(words);
  const Window window = Window::of(env, agent);
  const Codes codes = Codes::of(env.p, window.heading);
  look_at_map(window, seen);
  for (uint32_t& cells : words) cells = codes(cells);
  const auto add = [&](int at, int number) { seen[at] = static_cast<uint8_t>(seen[at] + number); };
  add(window.own_line * kViewSide + kViewAside, codes.own);
  if (env.p.rule.mistaken_self) {
    const auto spot = window.spot(place_of(env.s.pose[mistaken_for(env.p, agent)]));
    if (spot.inside()) add(spot.line * kViewSide + spot.i, 10);
  }
  out.run(seen, kViewSide * kViewSide);
}

#endif

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
