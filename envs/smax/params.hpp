// The settings of SMAX: who fights whom, on what map, and what each type of unit can do.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <type_traits>

#include "core/error.hpp"
#include "core/fixed_list.hpp"
#include "core/platform.hpp"

namespace throng::smax {

inline constexpr int kMaxTeam = 64;
enum UnitType : uint8_t { kMarine, kMarauder, kStalker, kZealot, kZergling, kHydralisk };
inline constexpr int kNumTypes = 6;
inline constexpr const char* kUnitTypes[kNumTypes] = {"marine", "marauder", "stalker",
                                                      "zealot", "zergling", "hydralisk"};

enum AttackMode : uint8_t { kClosest, kRandom };
inline constexpr const char* kAttackModes[] = {"closest", "random"};

// Who commands the enemies: a script, which attacks whom attack_mode says or (kHeuristicRandom) anybody in range, or, as
// agents of their own, whoever commands the allies; or (kPolicy) another policy, which to the game is the same.
enum Opponent : uint8_t { kHeuristic, kHeuristicRandom, kSelf, kPolicy };
inline constexpr const char* kOpponents[] = {"heuristic", "heuristic_random", "self", "policy"};

inline constexpr float kSpawnSpread = 2;  // units start within this of the point that the rules name

using Team = FixedList<uint8_t, kMaxTeam>;    // types of unit
using PerType = FixedList<float, kNumTypes>;  // [type]

struct Params {
  Team ally_units = {5, {}};
  Team enemy_units = {5, {}};
  bool smacv2_position_generation = false;
  bool smacv2_unit_type_generation = false;
  float map_width = 32;
  float map_height = 32;
  float time_per_step = 1.0f / 16;
  int world_steps_per_env_step = 8;
  int max_steps = 100;
  float won_battle_bonus = 1;
  bool see_enemy_actions = true;
  bool walls_cause_death = true;
  uint8_t opponent = kHeuristic;
  bool self_play_reward = false;
  bool components = false;
  bool enemy_shoots = true;
  uint8_t attack_mode = kClosest;
  bool spawn_clamp = false;
  bool legacy = false;
  //                       marine marauder stalker zealot zergling hydralisk
  PerType velocity = {6, {3.15f, 2.25f, 4.13f, 3.15f, 4.13f, 3.15f}};
  PerType damage = {6, {9, 10, 13, 8, 5, 12}};
  PerType attack_range = {6, {5, 6, 6, 2, 2, 5}};
  PerType sight_range = {6, {9, 10, 10, 9, 8, 9}};
  PerType radius = {6, {0.375f, 0.5625f, 0.625f, 0.5f, 0.375f, 0.625f}};
  PerType max_health = {6, {45, 125, 160, 150, 35, 80}};
  PerType weapon_cooldown = {6, {0.61f, 1.07f, 1.87f, 0.86f, 0.5f, 0.59f}};

  template <class V>
  void fields(V&& v) {
    v("ally_units", ally_units, kUnitTypes,
      "types of the allies, 1 to 64; with generated types only their number counts");
    v("enemy_units", enemy_units, kUnitTypes,
      "types of the enemies, 1 to 64; with generated types only their number counts");
    v("smacv2_position_generation", smacv2_position_generation, "start mirrored or surrounded anywhere, as in SMACv2");
    v("smacv2_unit_type_generation", smacv2_unit_type_generation, "draw the types anew in every episode, as in SMACv2");
    v("map_width", map_width, "x runs from 0 to this");
    v("map_height", map_height, "y runs from 0 to this");
    v("time_per_step", time_per_step, "seconds of a world step");
    v("world_steps_per_env_step", world_steps_per_env_step, "world steps in which an action is carried out");
    v("max_steps", max_steps,
      "index of the last step that is played: an episode is truncated after max_steps + 1 steps");
    v("won_battle_bonus", won_battle_bonus, "reward of every unit of a team for killing all others");
    v("see_enemy_actions", see_enemy_actions, "observations show what opponents just did and how their weapons are");
    v("walls_cause_death", walls_cause_death, "whoever reaches the border dies; otherwise it stops there");
    v("opponent", opponent, kOpponents,
      "who commands the enemies: a script; one that picks its targets at random; the agents themselves, so that both "
      "teams "
      "learn; or a saved policy (algos/teams.hpp)");
    v("self_play_reward", self_play_reward,
      "zero-sum: the bonus for the winners, its negative for the losers, no more");
    v("components", components, "rewards are vectors: damage done, survival of the own team, the bonus");
    v("enemy_shoots", enemy_shoots, "scripted units attack; otherwise they only move");
    v("attack_mode", attack_mode, kAttackModes, "whom a scripted unit attacks: the closest in range, or a random one");
    v("spawn_clamp", spawn_clamp, "units start within the map, a radius from its border at least");
    v("legacy", legacy, "as in JaxMARL 0.1.0: the dead walk on and are in the way, two features are not scaled");
    v("velocity", velocity, kUnitTypes, "by type, distance per second");
    v("damage", damage, kUnitTypes, "by type, health that a hit takes");
    v("attack_range", attack_range, kUnitTypes, "by type, targets are closer than this");
    v("sight_range", sight_range, kUnitTypes, "by type, what is closer than this is seen");
    v("radius", radius, kUnitTypes, "by type, units closer than their radii push each other apart");
    v("max_health", max_health, kUnitTypes, "by type");
    v("weapon_cooldown", weapon_cooldown, kUnitTypes,
      "by type, seconds from one hit to the next, give or take a world step or two");
  }

  // A step lists the units that are alive when it begins, and loops over those.
  static constexpr bool kListsFighters = true;
  static constexpr bool kUnrolls = false;
  static constexpr int kWidth = 1;

  THRONG_HD int num_allies() const { return ally_units.size; }
  THRONG_HD int num_enemies() const { return enemy_units.size; }
  THRONG_HD int num_units() const { return ally_units.size + enemy_units.size; }
  // The agents are the first of the units; all of them can name as many targets as the larger of their teams needs.
  THRONG_HD bool self_play() const { return opponent >= kSelf; }
  THRONG_HD int num_agents() const { return self_play() ? num_units() : num_allies(); }
  THRONG_HD int num_slots() const { return self_play() && num_allies() > num_enemies() ? num_allies() : num_enemies(); }

  // Made of the above by check(), so that the rules compare squares instead of taking roots and multiply instead of
  // dividing. Squared ranges are thresholds: d² < attack_range2 is exactly sqrt(d²) < attack_range.
  struct Derived {
    using Table = float[8];  // by type; as long as a vector, for quick lookups
    Table stride;            // distance per world step
    Table attack_range2, sight_range2;
    Table per_sight;              // 1 / sight_range
    Table per_health;             // 1 / max_health
    Table per_cooldown;           // 1 / weapon_cooldown
    float per_action[2];          // 1 / the largest action of an ally, of an enemy
    float per_width, per_height;  // 1 / map_width, 1 / map_height
    float obs_low, obs_high;      // bounds of features
  } derived = {};

  // Refuses what cannot be played, and derives.
  void check() {
    check_team("ally_units", ally_units);
    check_team("enemy_units", enemy_units);
    if (components && self_play_reward) throw Error("smax: with components there is no self_play_reward");
    // The ordinary starting points keep kSpawnSpread from the border of such a map.
    check_number("map_width", map_width, 4 * kSpawnSpread, 1e4f);
    check_number("map_height", map_height, 4 * kSpawnSpread, 1e4f);
    check_number("time_per_step", time_per_step, 1e-4f, 10);
    check_number("world_steps_per_env_step", world_steps_per_env_step, 1, 1000);
    check_number("max_steps", max_steps, 0, 1000000);
    check_number("won_battle_bonus", won_battle_bonus, -1e6f, 1e6f);
    check_table("velocity", velocity, 0, 1e4f);
    check_table("damage", damage, 0, 1e6f);
    check_table("attack_range", attack_range, 1e-3f, 1e4f);
    check_table("sight_range", sight_range, 1e-3f, 1e4f);
    check_table("radius", radius, 1e-3f, 1e3f);
    check_table("max_health", max_health, 1e-3f, 1e6f);
    check_table("weapon_cooldown", weapon_cooldown, 1e-3f, 1e4f);
    if (spawn_clamp) {
      const double room = 0.49 * (map_width < map_height ? map_width : map_height);
      check_table("radius (with spawn_clamp)", radius, 1e-3f, room);
    }
    if (opponent == kHeuristicRandom) attack_mode = kRandom;
    derive();
  }

 private:
  static std::string text(double number) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.7g", number);
    return digits;
  }

  static void check_number(const std::string& key, double value, double lowest, double highest) {
    if (value >= lowest && value <= highest) return;  // false for NaN
    throw Error("smax: " + key + " is " + text(value) + "; valid: " + text(lowest) + " to " + text(highest));
  }

  static void check_team(const std::string& key, const Team& team) {
    if (team.size < 1 || team.size > kMaxTeam) {
      throw Error("smax: " + key + " has " + text(team.size) + " units; valid: 1 to " + text(kMaxTeam));
    }
    for (int type : team) check_number(key + ": a type", type, 0, kNumTypes - 1);
  }

  static void check_table(const std::string& key, const PerType& table, double lowest, double highest) {
    if (table.size != kNumTypes) {
      throw Error("smax: " + key + " has " + text(table.size) + " values; valid: 6, one for each type of unit");
    }
    for (int type = 0; type < kNumTypes; ++type)
      check_number(key + " of " + kUnitTypes[type], table[type], lowest, highest);
  }

  // The smallest float whose square root rounds to `range` or more.
  static float squared(float range) {
    float square = range * range;
    while (std::sqrt(square) >= range) square = std::nextafter(square, 0.0f);
    while (std::sqrt(square) < range) square = std::nextafter(square, INFINITY);
    return square;
  }

  void derive() {
    float largest = 0;
    for (float r : radius) largest = r > largest ? r : largest;
    for (int type = 0; type < kNumTypes; ++type) {
      derived.stride[type] = velocity[type] * time_per_step;
      derived.attack_range2[type] = squared(attack_range[type]);
      derived.sight_range2[type] = squared(sight_range[type]);
      derived.per_sight[type] = 1 / sight_range[type];
      derived.per_health[type] = 1 / max_health[type];
      derived.per_cooldown[type] = 1 / weapon_cooldown[type];
    }
    derived.per_action[0] = legacy ? 1 : 1 / static_cast<float>(4 + num_enemies());
    derived.per_action[1] = legacy ? 1 : 1 / static_cast<float>(4 + num_allies());
    derived.per_width = 1 / map_width;
    derived.per_height = 1 / map_height;
    derive_bounds(largest);
  }

  // All features lie in [-1, 1] but for the own position, in shares of the map: a unit that lives is on the map before it is
  // pushed, or where it began; each other one pushes it by less than half the sum of their radii.
  void derive_bounds(float largest_radius) {
    const float spawn = smacv2_position_generation && !spawn_clamp ? kSpawnSpread : 0;
    const float overhang = spawn + static_cast<float>(num_units() - 1) * largest_radius;
    const float outside = overhang / (map_width < map_height ? map_width : map_height);
    derived.obs_low = outside > 1 ? -outside : -1;
    derived.obs_high = 1 + outside;
    if (!legacy) return;
    // Numbers of actions and seconds: a weapon that is never used cools from the first to the last step.
    const float step = time_per_step * static_cast<float>(world_steps_per_env_step);
    const float idle = -step * static_cast<float>(max_steps + 2);
    derived.obs_low = idle < derived.obs_low ? idle : derived.obs_low;
    float most = static_cast<float>(4 + (num_allies() > num_enemies() ? num_allies() : num_enemies()));
    for (float c : weapon_cooldown) most = c + 2 * time_per_step > most ? c + 2 * time_per_step : most;
    derived.obs_high = most > derived.obs_high ? most : derived.obs_high;
  }
};

// Settings whose sizes the compiler knows, for GPU kernels: loops over few units become straight code, and a list of the
// living would cost more than it saves.
template <int kAllies, int kEnemies>
struct Sized : Params {
  static constexpr bool kListsFighters = false;
  static constexpr bool kUnrolls = kAllies + kEnemies <= 10;  // of more, the code would be too long
  static constexpr bool legacy = false, components = false;

  THRONG_HD explicit Sized(const Params& p) : Params(p) {}
  static bool fits(const Params& p) {
    const bool usual = !p.legacy && !p.self_play() && !p.components;
    return usual && p.num_allies() == kAllies && p.num_enemies() == kEnemies;
  }

  THRONG_HD static constexpr int num_allies() { return kAllies; }
  THRONG_HD static constexpr int num_enemies() { return kEnemies; }
  THRONG_HD static constexpr int num_units() { return kAllies + kEnemies; }
  THRONG_HD static constexpr bool self_play() { return false; }
  THRONG_HD static constexpr int num_agents() { return kAllies; }
  THRONG_HD static constexpr int num_slots() { return kEnemies; }
};

// The settings of so many battles side by side. Of those who are dead in one some may live in another, so none are listed.
template <int W, class P = Params>
struct Abreast : P {
  static constexpr bool kListsFighters = false;
  static constexpr int kWidth = W;

  explicit Abreast(const Params& p) : P(p) {}
  static bool suits(const Params& p) {
    if constexpr (std::is_same_v<P, Params>) return !p.legacy;
    if constexpr (!std::is_same_v<P, Params>) return P::fits(p);
  }
};

}  // namespace throng::smax
