// A map of harvest, read from text.
#pragma once

#include <cstdint>
#include <string>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/platform.hpp"
#include "envs/common/bits.hpp"
#include "envs/harvest/maps.hpp"

namespace throng::harvest {

using namespace common;

inline constexpr int kMaxSide = 1 << 5;  // a row is the bits of one word

// A place is row * 32 + column, a number that fits 10 bits.
inline constexpr int kNowhere = 0x3fff;
THRONG_HD constexpr int place_at(int row, int column) { return row * kMaxSide + column; }
THRONG_HD constexpr int row_of(int place) { return place >> 5; }
THRONG_HD constexpr int column_of(int place) { return place & (kMaxSide - 1); }

struct Map {
  int height = 0, width = 0;
  uint32_t wall[kMaxSide] = {};          // [row], bit c: a wall at column c
  uint32_t orchard[kMaxSide] = {};       // [row], where apples grow
  uint16_t sites_before[kMaxSide] = {};  // [row], apple sites in the rows above
  int num_sites = 0, num_outer = 0, num_inner = 0;
  uint16_t place[kMaxSide * kMaxSide] = {};  // apple sites, outer spawns, inner spawns, each in row-major order

  THRONG_HD bool inside(int row, int column) const {
    return static_cast<unsigned>(row) < static_cast<unsigned>(height) &&
           static_cast<unsigned>(column) < static_cast<unsigned>(width);
  }
  THRONG_HD bool wall_at(int row, int column) const { return !inside(row, column) || has_bit(wall[row], column); }
  THRONG_HD int site_place(int site) const { return place[site]; }
  THRONG_HD int outer_place(int spawn) const { return place[num_sites + spawn]; }
  THRONG_HD int inner_place(int spawn) const { return place[num_sites + num_outer + spawn]; }
  THRONG_HD int site_at(int row, int column) const {
    return sites_before[row] + count_bits(orchard[row] & (bit(column) - 1));
  }
};

// The text of a map: `said` is a name, "@" and the name of a file, or the text itself.
inline std::string map_text(const std::string& said) {
  for (const NamedMap& map : kMaps) {
    if (said == map.name) return map.text;
  }
  if (said.starts_with("@")) return read_file(said.substr(1));
  if (said.find('\n') != std::string::npos) return said;
  std::vector<std::string> names;
  for (const NamedMap& map : kMaps) names.push_back(map.name);
  throw_unknown("map", said, names, "harvest");
}

inline Map read_map(const std::string& text) {
  Map map;
  auto refuse = [](const std::string& why) { throw Error("harvest: map: " + why); };
  std::vector<std::string> rows(1);
  for (char letter : text) {
    if (letter == '\n') rows.emplace_back();
    if (letter != '\n' && letter != '\r') rows.back() += letter;
  }
  while (!rows.empty() && rows.back().empty()) rows.pop_back();
  map.height = static_cast<int>(rows.size());
  map.width = rows.empty() ? 0 : static_cast<int>(rows[0].size());
  if (map.height < 1 || map.width < 1 || map.height > kMaxSide || map.width > kMaxSide) {
    refuse("is " + std::to_string(map.height) + " x " + std::to_string(map.width) +
           "; valid: 1 to 32 rows and columns");
  }
  auto gather = [&](char letter) {  // appends the places that hold it
    static_assert(kMaxSide * kMaxSide <= 1024);
    int found = 0;
    for (int row = 0; row < map.height; ++row) {
      for (int column = 0; column < map.width; ++column) {
        if (rows[row][column] != letter) continue;
        map.place[map.num_sites + map.num_outer + map.num_inner + found++] =
            static_cast<uint16_t>(place_at(row, column));
      }
    }
    return found;
  };
  for (int row = 0; row < map.height; ++row) {
    const std::string number = std::to_string(row + 1);
    if (static_cast<int>(rows[row].size()) != map.width) refuse("row " + number + " is not as long as the first");
    for (int column = 0; column < map.width; ++column) {
      const char letter = rows[row][column];
      if (std::string("#osi.").find(letter) == std::string::npos) {
        refuse("row " + number + " holds '" + letter + "'; valid: # wall, o apple, s spawn, i inner spawn, . floor");
      }
      if (letter == '#') map.wall[row] |= bit(column);
      if (letter == 'o') map.orchard[row] |= bit(column);
    }
    map.sites_before[row] =
        static_cast<uint16_t>(row == 0 ? 0 : map.sites_before[row - 1] + count_bits(map.orchard[row - 1]));
  }
  map.num_sites = gather('o');
  map.num_outer = gather('s');
  map.num_inner = gather('i');
  if (map.num_sites == 0) refuse("no apple ('o') grows there");
  return map;
}

}  // namespace throng::harvest
