// A picture of a battle of SMAX: the map from above, north at the top.
#pragma once

#include "core/canvas.hpp"
#include "envs/smax/params.hpp"
#include "envs/smax/spawn.hpp"
#include "envs/smax/state.hpp"

namespace throng::smax {

inline constexpr const char* kTypeLetters[kNumTypes] = {"m", "M", "s", "Z", "z", "h"};

// A disc as large as the unit: its bright part is its health, its letter its type, the bar below it the time until its
// weapon is ready.
template <class Env>
void draw_unit(const Env& env, int unit, Canvas& canvas) {
  const Params& p = env.p;
  const int type = env.s.type[unit];
  const Color team = env.is_ally(unit) ? colors::kBlue : colors::kOrange;
  const float x = env.s.x[unit], y = env.s.y[unit], radius = p.radius[type], edge = 1.5f * canvas.pixel();
  canvas.disc(x, y, radius + edge, colors::kGround);
  canvas.disc(x, y, radius, team.faded(0.35f));
  canvas.pie(x, y, radius, env.health_share(unit), team);
  canvas.text(x, y, 0.8f * radius, kTypeLetters[type], colors::kGround);
  const float wait = clamp(env.s.cooldown[unit] / p.weapon_cooldown[type], 0, 1), below = y - radius - 2 * edge;
  if (wait > 0)
    canvas.rectangle(x - radius, below, x - radius + 2 * radius * wait, below - 1.2f * edge, colors::kWhite);
}

// From whom to whom; thick if a shot has just been fired.
template <class Env>
void draw_attack(const Env& env, int unit, Canvas& canvas) {
  if (!env.alive(unit) || env.s.action[unit] < kFirstAttack) return;
  const Params& p = env.p;
  const int type = env.s.type[unit], target = env.unit_in_slot(unit, env.s.action[unit] - kFirstAttack);
  const bool fired = env.s.cooldown[unit] > p.weapon_cooldown[type] - 2 * p.time_per_step;
  if (!fired && !env.alive(target)) return;
  const Color team = env.is_ally(unit) ? colors::kBlue : colors::kOrange;
  canvas.line(env.s.x[unit], env.s.y[unit], env.s.x[target], env.s.y[target], (fired ? 2.5f : 1) * canvas.pixel(),
              team.faded(fired ? 0.9f : 0.5f));
}

template <class Env>
void draw_battle(const Env& env, Canvas& canvas) {
  const Params& p = env.p;
  constexpr float kMargin = 1;
  canvas.view(-kMargin, p.map_height + kMargin, p.map_width + kMargin, -kMargin, colors::kGround);
  canvas.rectangle(0, 0, p.map_width, p.map_height, colors::kGrid.faded(0.35f));
  for (float x = 4; x < p.map_width; x += 4) canvas.line(x, 0, x, p.map_height, canvas.pixel(), colors::kGrid);
  for (float y = 4; y < p.map_height; y += 4) canvas.line(0, y, p.map_width, y, canvas.pixel(), colors::kGrid);

  for (int unit = 0; unit < p.num_units(); ++unit) {  // the dead: a cross where they fell
    if (env.alive(unit)) continue;
    const float x = env.s.x[unit], y = env.s.y[unit], arm = 0.25f, width = 1.5f * canvas.pixel();
    const Color team = (env.is_ally(unit) ? colors::kBlue : colors::kOrange).faded(0.5f);
    canvas.line(x - arm, y - arm, x + arm, y + arm, width, team);
    canvas.line(x - arm, y + arm, x + arm, y - arm, width, team);
  }
  for (int unit = 0; unit < p.num_units(); ++unit) draw_attack(env, unit, canvas);
  for (int unit = 0; unit < p.num_units(); ++unit) {
    if (env.alive(unit)) draw_unit(env, unit, canvas);
  }
}

}  // namespace throng::smax
