// A picture of harvest from above, turned so that heading 0 looks up, in the colours of SocialJax's.
#pragma once

#include <cmath>

#include "core/canvas.hpp"
#include "envs/harvest/beam.hpp"
#include "envs/harvest/state.hpp"
#include "envs/harvest/view.hpp"

namespace throng::harvest {

// The colour of an agent: hues around the circle, four fifths saturated and bright.
inline Color agent_color(int agent, int num_agents) {
  const float hue = 6 * static_cast<float>(agent) / static_cast<float>(num_agents);
  const auto channel = [&](float shift) {
    const float at = std::fmod(hue + shift, 6.0f), ramp = at < 1 ? at : at < 3 ? 1 : at < 4 ? 4 - at : 0;
    return static_cast<uint8_t>(255 * 0.8f * (1 - 0.8f * (1 - ramp)) + 0.5f);
  };
  return {channel(2), channel(0), channel(4)};
}

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
  constexpr Color kFloor = {210, 190, 140}, kWall = {127, 127, 127}, kBeam = {188, 189, 34}, kApple = {214, 39, 40};
  const Map& map = env.p.ground;
  const auto x = [&](int column) { return static_cast<float>(map.width - 1 - column) + 0.5f; };
  const auto y = [&](int row) { return static_cast<float>(map.height - 1 - row) + 0.5f; };
  canvas.view(-1, -1, static_cast<float>(map.width + 1), static_cast<float>(map.height + 1), kWall);
  for (int row = 0; row < map.height; ++row) {
    for (int column = 0; column < map.width; ++column) {
      const float cx = x(column), cy = y(row);
      const auto tile = [&](Color color) { canvas.rectangle(cx - 0.5f, cy - 0.5f, cx + 0.5f, cy + 0.5f, color); };
      tile(map.wall_at(row, column) ? kWall : has_bit(env.s.mark[row], column) ? kBeam : kFloor);
      if (has_bit(env.s.apple[row], column)) canvas.disc(cx, cy, 0.31f, kApple);
      if (is_seen(env, {row, column})) tile(Color{255, 255, 255}.faded(0.3f));
    }
  }
  for (int agent = 0; agent < env.p.num_agents; ++agent) {
    if (!env.in_play(agent)) continue;
    const int heading = heading_of(env.s.pose[agent]);
    const Cell here = cell_of(env.s.pose[agent]);
    const float cx = x(here.column), cy = y(here.row);
    const float ax = -static_cast<float>(column_step(heading)), ay = -static_cast<float>(row_step(heading));
    canvas.triangle(cx + 0.37f * ax, cy + 0.37f * ay, cx - 0.38f * ax - 0.31f * ay, cy - 0.38f * ay + 0.31f * ax,
                    cx - 0.38f * ax + 0.31f * ay, cy - 0.38f * ay - 0.31f * ax, agent_color(agent, env.p.num_agents));
  }
}

}  // namespace throng::harvest
