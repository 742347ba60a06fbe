// Charts: a small writer of SVG.
#include "core/chart.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

#include "core/error.hpp"

namespace throng {
namespace {

constexpr double kWidth = 640, kHeight = 420, kLeft = 70, kRight = 20, kTop = 40, kBottom = 50;
constexpr double kCell = 46;
// Okabe and Ito's colours, told apart by colour-blind readers, too.
constexpr std::array kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"};

std::string number(double x, const char* format = "%.6g") {
  char text[32];
  std::snprintf(text, sizeof text, format, x);
  return text;
}

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) safe += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
  return safe;
}

std::string at(double x, double y) { return number(x, "%.1f") + "," + number(y, "%.1f"); }

std::string text_at(double x, double y, const std::string& text, const std::string& more) {
  return "<text x='" + number(x, "%.1f") + "' y='" + number(y, "%.1f") + "' " + more + ">" + escaped(text) +
         "</text>\n";
}

std::string rotated(double x, double y, int degrees) {
  return "transform='rotate(" + std::to_string(degrees) + " " + number(x, "%.1f") + " " + number(y, "%.1f") + ")'";
}

std::string page(double width, double height, const std::string& body) {
  return "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 " + number(width) + " " + number(height) + "' width='" +
         number(width) + "' height='" + number(height) + "' font-family='sans-serif' font-size='12'>\n" +
         "<rect width='100%' height='100%' fill='white'/>\n" + body + "</svg>\n";
}

// The numbers of one direction, and where they stand on the page.
struct Axis {
  double low = std::numeric_limits<double>::infinity(), high = -low, from, to;

  void include(const std::vector<double>& values) {
    for (const double x : values) {
      if (std::isfinite(x)) low = std::min(low, x), high = std::max(high, x);
    }
  }
  void leave_room() {
    if (!(low <= high)) low = 0, high = 1;
    const double room = high > low ? 0.04 * (high - low) : std::max(0.5, 0.1 * std::fabs(high));
    low -= room, high += room;
  }
  double place(double x) const { return from + (x - low) / (high - low) * (to - from); }
  // 1, 2 or 5 times a power of ten, so that there are four to ten marks.
  std::vector<double> marks() const {
    const double power = std::pow(10.0, std::floor(std::log10((high - low) / 4)));
    const double times = (high - low) / 4 / power;
    const double step = power * (times >= 5 ? 5 : times >= 2 ? 2 : 1);
    std::vector<double> marks;
    for (double k = std::ceil(low / step); k * step <= high; ++k) marks.push_back(k * step + 0.0);  // no -0
    return marks;
  }
};

std::string draw_axes(const Chart& chart, const Axis& x, const Axis& y) {
  std::string body;
  for (const double mark : x.marks()) {
    const double place = x.place(mark);
    body += "<path d='M" + at(place, y.from) + " V" + number(y.to) + "' stroke='#ddd'/>\n";
    body += text_at(place, y.from + 18, number(mark), "text-anchor='middle'");
  }
  for (const double mark : y.marks()) {
    const double place = y.place(mark);
    body += "<path d='M" + at(x.from, place) + " H" + number(x.to) + "' stroke='#ddd'/>\n";
    body += text_at(x.from - 8, place + 4, number(mark), "text-anchor='end'");
  }
  body += "<path d='M" + at(x.from, y.to) + " V" + number(y.from) + " H" + number(x.to) +
          "' fill='none' stroke='black'/>\n";
  body += text_at(kWidth / 2, 22, chart.title, "text-anchor='middle' font-size='15'");
  body += text_at((x.from + x.to) / 2, kHeight - 12, chart.x_label, "text-anchor='middle'");
  const double middle = (y.from + y.to) / 2;
  return body + text_at(18, middle, chart.y_label, "text-anchor='middle' " + rotated(18, middle, -90));
}

std::string draw_band(const Series& s, const Axis& x, const Axis& y, const std::string& colour) {
  std::string there, back;
  for (size_t i = 0; i < s.low.size(); ++i) {
    if (!std::isfinite(s.x[i]) || !std::isfinite(s.low[i]) || !std::isfinite(s.high[i])) continue;
    there += at(x.place(s.x[i]), y.place(s.high[i])) + " ";
    back = at(x.place(s.x[i]), y.place(s.low[i])) + " " + back;
  }
  if (there.empty()) return "";
  return "<polygon points='" + there + back + "' fill='" + colour + "' fill-opacity='0.18'/>\n";
}

std::string draw_series(const Series& s, const Axis& x, const Axis& y, const std::string& colour) {
  std::string body = draw_band(s, x, y, colour), path, points;
  bool going = false;
  for (size_t i = 0; i < s.x.size(); ++i) {
    if (!std::isfinite(s.x[i]) || !std::isfinite(s.y[i])) {
      going = false;
      continue;
    }
    const double px = x.place(s.x[i]), py = y.place(s.y[i]);
    if (s.style == Series::kSteps && going) path.append("H").append(number(px, "%.1f"));
    path.append(going ? "L" : "M").append(at(px, py));
    points +=
        "<circle cx='" + number(px, "%.1f") + "' cy='" + number(py, "%.1f") + "' r='3.5' fill='" + colour + "'/>\n";
    going = true;
  }
  if (s.style == Series::kPoints) return body + points;
  return body + "<path d='" + path + "' fill='none' stroke='" + colour + "' stroke-width='1.8'/>\n";
}

}  // namespace

std::string Chart::svg() const {
  Axis x{.from = kLeft, .to = kWidth - kRight}, y{.from = kHeight - kBottom, .to = kTop};
  for (const Series& s : series) {
    if (s.x.size() != s.y.size() || s.low.size() != s.high.size() || (!s.low.empty() && s.low.size() != s.x.size()))
      throw Error("chart '" + title + "': series '" + s.name + "' has arrays of different sizes");
    x.include(s.x);
    for (const auto* values : {&s.y, &s.low, &s.high}) y.include(*values);
  }
  x.leave_room(), y.leave_room();
  std::string body = draw_axes(*this, x, y);
  for (size_t k = 0; k < series.size(); ++k) body += draw_series(series[k], x, y, kColours[k % kColours.size()]);
  double line = kTop + 14;
  for (size_t k = 0; k < series.size(); ++k) {
    if (series[k].name.empty()) continue;
    body += "<rect x='" + number(kLeft + 10) + "' y='" + number(line - 9) + "' width='12' height='10' fill='" +
            kColours[k % kColours.size()] + "'/>\n";
    body += text_at(kLeft + 27, line, series[k].name, "");
    line += 16;
  }
  return page(kWidth, kHeight, body);
}

std::string MatrixChart::svg() const {
  bool fits = values.size() == rows.size();
  for (const auto& row : values) fits = fits && row.size() == columns.size();
  if (!fits)
    throw Error("chart '" + title + "': " + std::to_string(rows.size()) + " x " + std::to_string(columns.size()) +
                " names do not match the values");
  size_t longest = 4;
  for (const auto* names : {&rows, &columns}) {
    for (const std::string& name : *names) longest = std::max(longest, name.size());
  }
  const double left = 20 + 7.0 * longest, top = 40 + 5.0 * longest;
  std::string body = text_at(20, 22, title, "font-size='15'");
  for (size_t c = 0; c < columns.size(); ++c) {
    const double x = left + (c + 0.5) * kCell, y = top - 6;
    body += text_at(x, y, columns[c], rotated(x, y, -40));
  }
  for (size_t r = 0; r < rows.size(); ++r) {
    const double y = top + r * kCell;
    body += text_at(left - 8, y + kCell / 2 + 4, rows[r], "text-anchor='end'");
    for (size_t c = 0; c < columns.size(); ++c) {
      const double value = values[r][c], part = std::clamp((value - low) / (high - low), 0.0, 1.0);
      const int fade = int(std::lround(245 - 140 * std::fabs(2 * part - 1)));
      const std::string paled = std::to_string(fade), full = "245";
      const std::string colour = !std::isfinite(value) ? "#eee"
                                 : part < 0.5          ? "rgb(" + paled + "," + paled + "," + full + ")"
                                                       : "rgb(" + full + "," + paled + "," + paled + ")";
      const double x = left + c * kCell;
      body += "<rect x='" + number(x) + "' y='" + number(y) + "' width='" + number(kCell - 1) + "' height='" +
              number(kCell - 1) + "' fill='" + colour + "'/>\n";
      if (std::isfinite(value))
        body += text_at(x + kCell / 2, y + kCell / 2 + 4, number(value, "%.2f"), "text-anchor='middle'");
    }
  }
  return page(left + columns.size() * kCell + 20 + 3.0 * longest, top + rows.size() * kCell + 20, body);
}

}  // namespace throng
