// The progress line: what fits, when it is due, and what a terminal needs to rewrite it.
#include "bindings/cli/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "bindings/cli/console.hpp"

namespace throng {
namespace {

constexpr double kTerminalSeconds = 0.1;  // between two redraws
constexpr double kLogSeconds = 10;        // between two lines of a log
constexpr size_t kLogWidth = 1000;
constexpr const char* kEraseLine = "\r\x1b[K";

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value;
}

bool stderr_is_terminal() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) && term && std::string(term) != "dumb";
}

size_t terminal_width() {
  winsize size = {};
  constexpr size_t kUsual = 80;
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

std::string percent(double share, int digits) { return fixed(100 * share, digits) + "%"; }

std::string returns_text(const std::vector<double>& returns) {
  std::vector<std::string> words;
  for (double value : returns) words.push_back(fixed(value, 2));
  return joined(words);
}

}  // namespace

std::string progress_text(const Progress& progress, const EpisodeStatistics& episodes, size_t width) {
  const double total = std::max<double>(static_cast<double>(progress.total_timesteps), 1);
  const auto steps = static_cast<double>(progress.timesteps);
  std::vector<std::string> parts = {percent(steps / total, 0), compact(steps) + " of " + compact(total) + " steps",
                                    compact(progress.sps) + " SPS"};
  const auto won = episodes.info.find("won");
  const bool any = episodes.episodes > 0;
  if (won != episodes.info.end()) parts.push_back("win rate " + (any ? percent(won->second, 1) : "-"));
  parts.push_back("return " + (any ? returns_text(episodes.returns) : "-"));
  parts.push_back(duration(progress.seconds_left) + " left");
  std::string text;
  for (const std::string& part : parts) {
    if (text.size() + 2 + part.size() > width) break;
    text += (text.empty() ? "" : "  ") + part;
  }
  return text;
}

ProgressLine::ProgressLine(bool quiet)
    : quiet_(quiet), terminal_(stderr_is_terminal()), color_(terminal_ && !is_set("NO_COLOR")) {}

ProgressLine::~ProgressLine() { end(); }

void ProgressLine::end() {
  if (drawn_) std::fputc('\n', stderr);
  drawn_ = false;
}

bool ProgressLine::due(const Progress& progress) const {
  const bool last = progress.update == progress.num_updates;
  return last || progress.seconds - last_shown_ >= (terminal_ ? kTerminalSeconds : kLogSeconds);
}

void ProgressLine::show(const Progress& progress) {
  if (progress.episodes.episodes > 0 || episodes_.episodes == 0) episodes_ = progress.episodes;
  if (quiet_ || !due(progress)) return;
  last_shown_ = progress.seconds;
  redraw(progress);
}

void ProgressLine::redraw(const Progress& progress) {
  if (!terminal_) return say(progress_text(progress, episodes_, kLogWidth));
  // One column stays free: a full line would make some terminals wrap.
  const std::string text = progress_text(progress, episodes_, terminal_width() - 1);
  std::fprintf(stderr, "%s%s%s%s", kEraseLine, color_ ? "\x1b[32m" : "", text.c_str(), color_ ? "\x1b[0m" : "");
  std::fflush(stderr);
  drawn_ = true;
}

void ProgressLine::say_above(const std::string& line) {
  if (quiet_) return;
  if (drawn_) std::fputs(kEraseLine, stderr);
  drawn_ = false;
  say(line);
}

}  // namespace throng
