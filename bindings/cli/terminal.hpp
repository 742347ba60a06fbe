// Terminal: keys as they are pressed and pictures of colored half blocks, and the terminal as it was before at every end.
#pragma once

#include <termios.h>

#include <string>
#include <vector>

#include "core/canvas.hpp"

namespace throng {

// While one lives, the terminal is raw and shows a screen of its own. One at a time.
class Terminal {
 public:
  // Error if standard input or output is no terminal that can move its cursor.
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // Keys pressed since the last call, in their order: "a", "space", "up", "down", "left", "right", "ctrl-c".
  std::vector<std::string> keys();

  int columns() const { return columns_; }
  int rows() const { return rows_; }
  // Asks how large the window is now; what was drawn is forgotten if that has changed.
  void measure();
  // The largest picture, by its longer side, of such a shape that leaves `lines` of text below.
  int fitting_size(int width, int height, int lines) const;
  // Draws what differs from the picture before: two pixels above each other to a character.
  void show(const Image& image);
  // Text below the picture; `line` counts from the top of the window.
  void write(int line, const std::string& text);
  void flush();

 private:
  struct Cell {
    uint32_t above, below;
    bool operator==(const Cell&) const = default;
  };
  std::string paint(const Cell& cell) const;

  termios before_;
  bool many_colors_;  // 24 bits; 256 colors otherwise
  int columns_ = 0, rows_ = 0;
  std::vector<Cell> cells_;  // [row, column], as shown
  int shown_columns_ = 0;
  std::string out_;
};

// Splits what a terminal sends into keys.
std::vector<std::string> keys_of(const std::string& bytes);

}  // namespace throng
