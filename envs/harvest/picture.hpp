// Pictures of harvest, in the colours of SocialJax's: from above, turned so that heading 0 looks up, and as an agent sees it.
#pragma once

#include <cmath>

#include "core/canvas.hpp"
#include "core/rows.hpp"
#include "envs/harvest/beam.hpp"
#include "envs/harvest/state.hpp"
#include "envs/harvest/view.hpp"

namespace throng::harvest {

inline constexpr Color kFloorColor = {210, 190, 140}, kWallColor = {127, 127, 127}, kBeamColor = {188, 189, 34},
                       kAppleColor = {214, 39, 40}, kOtherColor = {60, 60, 60};

// The colour of an agent: hues around the circle, four fifths saturated and bright.
inline Color agent_color(int agent, int num_agents) {
  const float hue = 6 * static_cast<float>(agent) / static_cast<float>(num_agents);
  const auto channel = [&](float shift) {
    const float at = std::fmod(hue + shift, 6.0f), ramp = at < 1 ? at : at < 3 ? 1 : at < 4 ? 4 - at : 0;
    return static_cast<uint8_t>(255 * 0.8f * (1 - 0.8f * (1 - ramp)) + 0.5f);
  };
  return {channel(2), channel(0), channel(4)};
}

// What lies in a cell, on a canvas whose y grows downwards.
struct Tile {
  Canvas& canvas;
  float x, y;  // its middle

  void fill(Color color) const { canvas.rectangle(x - 0.5f, y - 0.5f, x + 0.5f, y + 0.5f, color); }
  void apple() const { canvas.disc(x, y, 0.31f, kAppleColor); }
  // Heading 0 is up, and each further one a quarter turn to the left.
  void agent(int heading, Color color) const {
    const float ax = -static_cast<float>(column_step(heading)), ay = -static_cast<float>(row_step(heading));
    canvas.triangle(x + 0.37f * ax, y + 0.37f * ay, x - 0.38f * ax - 0.31f * ay, y - 0.38f * ay + 0.31f * ax,
                    x - 0.38f * ax + 0.31f * ay, y - 0.38f * ay - 0.31f * ax, color);
  }
};

template <class Env>
bool is_seen(const Env& env, Cell cell) {
  for (int agent = 0; agent < env.p.num_agents; ++agent) {
    if (!env.in_play(agent)) continue;
    const int heading = heading_of(env.s.pose[agent]);
    const Cell here = cell_of(env.s.pose[agent]);
    const int row = cell.row - here.row, column = cell.column - here.column;
    const int ahead = row * row_step(heading) + column * column_step(heading);
    const int aside = row * column_step(heading) - column * row_step(heading);
    if (ahead <= kViewAhead && ahead >= kViewAhead + 1 - kViewSide && std::abs(aside) <= kViewAside) return true;
  }
  return false;
}

template <class Env>
void draw_orchard(const Env& env, Canvas& canvas) {
  const Map& map = env.p.ground;
  const auto tile = [&](int row, int column) {
    return Tile{canvas, static_cast<float>(map.width - 1 - column) + 0.5f,
                static_cast<float>(map.height - 1 - row) + 0.5f};
  };
  canvas.view(-1, -1, static_cast<float>(map.width + 1), static_cast<float>(map.height + 1), kWallColor);
  for (int row = 0; row < map.height; ++row) {
    for (int column = 0; column < map.width; ++column) {
      const Tile at = tile(row, column);
      at.fill(map.wall_at(row, column) ? kWallColor : has_bit(env.s.mark[row], column) ? kBeamColor : kFloorColor);
      if (has_bit(env.s.apple[row], column)) at.apple();
      if (is_seen(env, {row, column})) at.fill(Color{255, 255, 255}.faded(0.3f));
    }
  }
  for (int agent = 0; agent < env.p.num_agents; ++agent) {
    if (!env.in_play(agent)) continue;
    const Cell here = cell_of(env.s.pose[agent]);
    tile(here.row, here.column).agent(heading_of(env.s.pose[agent]), agent_color(agent, env.p.num_agents));
  }
}

// The codes of an agent's window, and nothing that is not in them: others look alike, and who is out of play sees an empty
// floor. Itself has the colour that it has from above; under `sjx` so has the agent that it takes for itself.
template <class Env>
void draw_window(const Env& env, int agent, Canvas& canvas) {
  const auto& rule = env.p.rule;
  uint8_t codes[kViewSide * kViewSide];
  Writer<uint8_t> out{codes};
  env.prepare_views();
  env.observe(agent, out);
  const int up = Window::of(env, agent).own_line == kViewAhead ? 0 : 2;
  canvas.view(0, 0, kViewSide, kViewSide, kFloorColor);
  for (int i = 0; i < kViewSide * kViewSide; ++i) {
    const Tile at{canvas, static_cast<float>(i % kViewSide) + 0.5f, static_cast<float>(i / kViewSide) + 0.5f};
    const Code seen = Code::of(rule, codes[i]);
    if (seen.kind == Code::kWall) at.fill(kWallColor);
    if (seen.kind == Code::kMark) at.fill(kBeamColor);
    if (seen.kind == Code::kApple || (rule.in_turn && seen.sign)) at.apple();
    if (seen.kind != Code::kAgent) continue;
    at.agent(turned(up, seen.turn), seen.itself ? agent_color(agent, env.p.num_agents) : kOtherColor);
  }
}

}  // namespace throng::harvest
