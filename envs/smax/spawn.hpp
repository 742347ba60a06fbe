// How an episode of SMAX begins: the type of every unit and the place where it appears.
#pragma once

#include "core/pack.hpp"
#include "envs/smax/params.hpp"

namespace throng::smax {

struct Point {
  float x, y;
};

template <class Real>
THRONG_HD Real clamp(Real x, float low, float high) {
  return select(x < low, low, select(x > high, high, x));
}

// Generated teams mirror each other: enemy k is of the type of ally k.
// Differs: surplus enemies draw a type; the original draws it, too, but loses it, so that they all become marines.
template <class D>
THRONG_HD int spawn_type(const Params& p, const D& draws, int unit) {
  const int allies = p.num_allies();
  if (p.smacv2_unit_type_generation) return draws.type(unit >= allies && unit < 2 * allies ? unit - allies : unit);
  return unit < allies ? p.ally_units[unit] : p.enemy_units[unit - allies];
}

// The teams face each other, a quarter of the map's width from either side.
template <class D>
THRONG_HD Point facing_point(const Params& p, const D& draws, int unit) {
  const float side = unit < p.num_allies() ? 0.25f : 0.75f;
  return {side * p.map_width + draws.noise(unit, 0), 0.5f * p.map_height + draws.noise(unit, 1)};
}

// Allies anywhere in the left half, enemies as their mirror images; those without an ally anywhere in the right half.
template <class D>
THRONG_HD Point reflected_point(const Params& p, const D& draws, int unit) {
  const int allies = p.num_allies();
  const float half = 0.5f * p.map_width;
  const bool is_image = unit >= allies && unit < 2 * allies;
  const int drawn = is_image ? unit - allies : unit;
  const float x = draws.scatter(drawn, 0) * half, y = draws.scatter(drawn, 1) * p.map_height;
  return {unit < allies ? x : is_image ? p.map_width - x : x + half, y};
}

// One team in the centre, the other in four groups around it, each somewhere between its corner and the centre. Nothing
// keeps a unit that appears near a corner on the map; who is outside dies in the first world step, unless it steps back in.
template <class D>
THRONG_HD Point surrounded_point(const Params& p, const D& draws, int unit) {
  const float centre_x = 0.5f * p.map_width, centre_y = 0.5f * p.map_height;
  if ((unit < p.num_allies()) == draws.allies_inside()) {
    return {centre_x + draws.inside_noise(unit, 0), centre_y + draws.inside_noise(unit, 1)};
  }
  const int corner = draws.corner(unit);  // (0, 0), (0, H), (W, 0), (W, H)
  const float corner_x = corner < 2 ? 0 : p.map_width, corner_y = corner % 2 == 0 ? 0 : p.map_height;
  const float t = draws.closing(corner);
  return {t * centre_x + (1 - t) * corner_x + draws.outside_noise(unit, 0),
          t * centre_y + (1 - t) * corner_y + draws.outside_noise(unit, 1)};
}

template <class D>
THRONG_HD Point spawn_point(const Params& p, const D& draws, int unit) {
  if (!p.smacv2_position_generation) return facing_point(p, draws, unit);
  return draws.surround() ? surrounded_point(p, draws, unit) : reflected_point(p, draws, unit);
}

// With spawn_clamp a unit begins on the map, the whole of it.
THRONG_HD inline Point settled(const Params& p, Point point, int type) {
  if (!p.spawn_clamp) return point;
  const float radius = p.radius[type];
  return {clamp(point.x, radius, p.map_width - radius), clamp(point.y, radius, p.map_height - radius)};
}

}  // namespace throng::smax
