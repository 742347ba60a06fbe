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

  THRONG_HD void write(auto& out) const {
    uint8_t codes[12];
    std::memcpy(codes, word, 12);
    out.run(codes, kViewSide);
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

}  // namespace throng::harvest
