// What the commands say: results on stdout, a line at a time and checked; everything else on stderr.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "core/error.hpp"

namespace throng {

// The reader of stdout has had enough, as `head` has: nobody's mistake, and nothing to say. Where the signal SIGPIPE is not
// ignored (Python ignores it) it has ended the program already.
struct ReaderGone {};

// One line of the result, handed to the system at once, so that a reader of the pipe sees it now. MachineError if it
// cannot be written (a full disk).
inline void print_line(const std::string& line) {
  errno = 0;
  const bool written =
      std::fwrite(line.data(), 1, line.size(), stdout) == line.size() && std::fputc('\n', stdout) == '\n';
  if (written && std::fflush(stdout) == 0) return;
  if (errno == EPIPE) throw ReaderGone();
  throw MachineError("write to stdout", std::strerror(errno));
}

// One line for the person who looks on.
inline void say(const std::string& line) { std::fprintf(stderr, "throng: %s\n", line.c_str()); }

// `value` with `digits` after the point.
inline std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

// 950, 1.31k, 10.0M: three digits are enough to look at.
inline std::string compact(double value) {
  const char* const units[] = {"", "k", "M", "G", "T"};
  int unit = 0;
  while (std::abs(value) >= 999.5 && unit < 4) {
    value /= 1000;
    ++unit;
  }
  const double size = std::abs(value);
  const int digits = unit == 0 && size == std::floor(size) ? 0 : size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
  return fixed(value, digits) + units[unit];
}

// 0.4 s, 12 s, 3 min 12 s, 2 h 05 min.
inline std::string duration(double seconds) {
  if (seconds < 9.95) return fixed(std::max(seconds, 0.0), 1) + " s";
  const auto whole = static_cast<long long>(std::lround(std::min(seconds, 1e15)));
  char text[64];
  if (whole < 60) {
    std::snprintf(text, sizeof text, "%lld s", whole);
  } else if (whole < 3600) {
    std::snprintf(text, sizeof text, "%lld min %02lld s", whole / 60, whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%lld h %02lld min", whole / 3600, whole / 60 % 60);
  }
  return text;
}

inline std::string joined(const std::vector<std::string>& words, const std::string& between = ", ") {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : between) + word;
  return all;
}

// Rows of text as lines with aligned columns, two spaces apart. Text of several bytes per character counts its characters.
inline std::vector<std::string> table(const std::vector<std::vector<std::string>>& rows) {
  const auto width_of = [](const std::string& text) {
    return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
  };
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i] + (i + 1 < row.size() ? std::string(widths[i] - width_of(row[i]) + 2, ' ') : "");
    }
    lines.push_back(line.substr(0, line.find_last_not_of(' ') + 1));
  }
  return lines;
}

}  // namespace throng
