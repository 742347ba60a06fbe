// Raw mode, escape sequences and half blocks.
#include "bindings/cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "core/error.hpp"

namespace throng {
namespace {

constexpr const char* kEnter = "\x1b[?1049h\x1b[?25l\x1b[2J";  // a screen of its own, no cursor, empty
constexpr const char* kLeave = "\x1b[0m\x1b[?25h\x1b[?1049l";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// All of it, to a terminal that may take its time. What nobody can read any more is lost.
void send(const std::string& text) {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::write(STDOUT_FILENO, text.data() + done, text.size() - done);
    if (n < 0 && errno != EINTR && errno != EAGAIN) return;
    if (n > 0) done += static_cast<size_t>(n);
  }
}

// The nearest of the 6 x 6 x 6 colors that every terminal of 256 has.
int color_of_256(uint32_t rgb) {
  const auto level = [&](int shift) { return static_cast<int>(((rgb >> shift & 255) * 5 + 127) / 255); };
  return 16 + 36 * level(16) + 6 * level(8) + level(0);
}

}  // namespace

std::vector<std::string> keys_of(const std::string& bytes) {
  constexpr const char* kArrows[] = {"up", "down", "right", "left"};
  std::vector<std::string> keys;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    const bool sequence = c == '\x1b' && i + 2 < bytes.size() && (bytes[i + 1] == '[' || bytes[i + 1] == 'O');
    if (sequence) {
      i += 2;
      if (bytes[i] >= 'A' && bytes[i] <= 'D') keys.push_back(kArrows[bytes[i] - 'A']);
      while (i < bytes.size() && !(bytes[i] >= '@' && bytes[i] <= '~')) ++i;  // to the end of one that we do not know
    } else if (c == '\x03') {
      keys.push_back("ctrl-c");
    } else if (c == ' ') {
      keys.push_back("space");
    } else if (c > ' ' && c < '\x7f') {
      keys.push_back(std::string(1, c));
    }
  }
  return keys;
}

Terminal::Terminal() {
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1) {
    throw Error("playing needs a terminal: standard input and output must both be one");
  }
  if (variable("TERM").empty() || variable("TERM") == "dumb") {
    throw Error("playing needs a terminal that can move its cursor; TERM is '" + variable("TERM") + "'");
  }
  if (::tcgetattr(STDIN_FILENO, &before_) != 0) throw MachineError("tcgetattr", std::strerror(errno));
  const std::string colors = variable("COLORTERM");
  many_colors_ = colors == "truecolor" || colors == "24bit";
  termios raw = before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG | IEXTEN);  // Ctrl-C comes as a key
  raw.c_iflag &= ~static_cast<tcflag_t>(IXON | ICRNL);
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  if (::tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) != 0) throw MachineError("tcsetattr", std::strerror(errno));
  send(kEnter);
  measure();
}

Terminal::~Terminal() {
  send(kLeave);
  ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
}

std::vector<std::string> Terminal::keys() {
  char bytes[256];
  const ssize_t n = ::read(STDIN_FILENO, bytes, sizeof bytes);
  return n > 0 ? keys_of(std::string(bytes, static_cast<size_t>(n))) : std::vector<std::string>{};
}

void Terminal::measure() {
  winsize size = {};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) size.ws_col = 80, size.ws_row = 24;
  if (size.ws_col == columns_ && size.ws_row == rows_) return;
  columns_ = size.ws_col;
  rows_ = size.ws_row;
  cells_.clear();
  out_ += "\x1b[0m\x1b[2J";
}

int Terminal::fitting_size(int width, int height, int lines) const {
  const int room = std::max(2 * (rows_ - lines), 2), longer = std::max(width, height);
  return std::max(8, std::min(columns_ * longer / width, room * longer / height));
}

std::string Terminal::paint(const Cell& cell) const {
  std::string codes = "\x1b[";
  for (const auto& [what, rgb] : {std::pair{"38", cell.above}, std::pair{"48", cell.below}}) {
    codes += what;
    if (many_colors_) {
      for (const char* sep = ";2;"; int shift : {16, 8, 0}) {
        codes += sep + std::to_string(rgb >> shift & 255);
        sep = ";";
      }
    } else {
      codes += ";5;" + std::to_string(color_of_256(rgb));
    }
    codes += *what == '3' ? ";" : "m";
  }
  return codes + "▀";
}

void Terminal::show(const Image& image) {
  const int width = std::min(image.width, columns_), height = std::min((image.height + 1) / 2, rows_);
  if (shown_columns_ != width || cells_.size() != size_t(width) * height) {
    cells_.assign(size_t(width) * height, {~0u, ~0u});
    shown_columns_ = width;
  }
  const auto pixel = [&](int row, int column) {
    if (row >= image.height) return 0u;
    const uint8_t* rgb = &image.rgb[3 * (size_t(row) * image.width + column)];
    return uint32_t{rgb[0]} << 16 | uint32_t{rgb[1]} << 8 | rgb[2];
  };
  const int margin = (columns_ - width) / 2;
  const Cell* brush = nullptr;  // the colors that the terminal writes with
  out_ += "\x1b[0m";
  for (int row = 0; row < height; ++row) {
    int cursor = -1;  // the column where the terminal would write next
    for (int column = 0; column < width; ++column) {
      const Cell cell = {pixel(2 * row, column), pixel(2 * row + 1, column)};
      Cell& old = cells_[size_t(row) * width + column];
      if (cell == old) continue;
      old = cell;
      if (cursor != column) {
        out_ += "\x1b[" + std::to_string(row + 1) + ";" + std::to_string(margin + column + 1) + "H";
      }
      out_ += brush && *brush == cell ? "▀" : paint(cell);
      brush = &old;
      cursor = column + 1;
    }
  }
}

void Terminal::write(int line, const std::string& text) {
  if (line >= rows_) return;
  out_ += "\x1b[" + std::to_string(line + 1) + ";1H\x1b[0m\x1b[K" + text.substr(0, static_cast<size_t>(columns_));
}

void Terminal::flush() {
  send(out_);
  out_.clear();
}

}  // namespace throng
