// The settings of harvest: the map, whose rules it is played by, and what agents are rewarded for.
#pragma once

#include <cstdint>
#include <string>

#include "core/error.hpp"
#include "core/fixed_list.hpp"
#include "core/platform.hpp"
#include "envs/common/social_reward.hpp"
#include "envs/harvest/map.hpp"

namespace throng::harvest {

using namespace common;

inline constexpr int kMaxAgents = SocialReward::kMaxAgents;
inline constexpr int kMapLetters = kMaxSide * (kMaxSide + 1);

enum RuleSet : uint8_t { kClean, kSjx, kMp };
inline constexpr const char* kRuleSets[] = {"clean", "sjx", "mp"};

// What the rule sets disagree about. The defaults are `clean`: the game of SocialJax without its oddities, and with a time
// out for those who are hit.
struct Rules {
  bool absolute_moves = false;  // moves go along the axes of the map, not along the heading
  bool in_turn = false;      // agents move one after the other; apples grow last, even under agents, eaten on entering
  bool beam_blocks = false;  // the marks of the last step's beams stop movement
  bool through_walls = false;     // beams ignore walls
  bool blind_corner = false;      // counting apples, one diagonal neighbour is tested against the wrong border
  bool border_wraps = false;      // what is aimed over a border hits the other side or, past the end, the last cell
  bool marks_are_lost = false;    // agents that do not zap wipe marks just made by agents of lower index
  bool mistaken_self = false;     // observers take the next agent for themselves
  bool upside_down = false;       // half of the headings see the world turned by 180 degrees
  bool idle_is_envied = false;    // inequity: everybody is punished when nobody eats; no traces
  bool last_reward_lost = false;  // the rewards of the last step are zero
  bool times_agents = false;      // an apple of one's own is worth as many as there are agents
  bool ends_by_chance = false;    // from step 1000 on, every 100 steps, with probability 0.15
  int headings = 4;               // that those who spawn draw from
  int respawn_delay = 25;         // steps out of play after a hit; 0: play goes on from another place
  int zap_cooldown = 0;           // steps after a zap in which the agent cannot zap
  int beam_length = 0;            // cells of each of three lanes; 0: the four cells of SocialJax
  int time_limit = 1000;
  float regrowth[3] = {0.001f, 0.005f, 0.025f};  // probability with 1, 2, more apples nearby

  friend bool operator==(const Rules&, const Rules&) = default;
};

inline constexpr Rules kRules[] = {
    {},  // clean
    {    // sjx: SocialJax v1.2
     .absolute_moves = true,
     .beam_blocks = true,
     .through_walls = true,
     .blind_corner = true,
     .border_wraps = true,
     .marks_are_lost = true,
     .mistaken_self = true,
     .upside_down = true,
     .idle_is_envied = true,
     .last_reward_lost = true,
     .times_agents = true,
     .headings = 3,
     .respawn_delay = 0},
    {// mp: Melting Pot, all but its map "open"
     .in_turn = true,
     .ends_by_chance = true,
     .respawn_delay = 100,
     .zap_cooldown = 1,
     .beam_length = 4,
     .time_limit = 5000},
};

struct Params {
  int num_agents = 7;
  FixedList<char, kMapLetters> map = {4, {'o', 'p', 'e', 'n'}};
  uint8_t rules = kClean;
  int time_limit = -1;
  int respawn_delay = -1;
  int zap_cooldown = -1;
  int beam_length = -1;
  FixedList<float, 3> regrowth;
  float zap_cost = 0;
  float hit_penalty = 0;
  bool components = false;
  SocialReward social;

  template <class V>
  void fields(V&& v) {
    v("num_agents", num_agents, "at most as many as the map has outer spawns, and 64");
    v("map", map, "a name, @file, or text (lines): # wall, o apple, s spawn, i inner spawn, . floor; up to 32 x 32");
    v("rules", rules, kRuleSets,
      "clean; sjx: SocialJax v1.2 with its oddities; mp: numbers and movement of Melting Pot");
    v("time_limit", time_limit, "steps after which an episode is truncated; -1 = as the rules have it, here and below");
    v("respawn_delay", respawn_delay, "steps that a hit agent is out of play");
    v("zap_cooldown", zap_cooldown, "steps after a zap in which the agent cannot zap");
    v("beam_length", beam_length, "cells of a beam's three lanes; 0 = four cells: two ahead, two beside the first");
    v("regrowth", regrowth,
      "probability per step that an apple grows, with 1, 2, and more apples nearby; empty = rules");
    v("zap_cost", zap_cost, "subtracted from the reward of who zaps");
    v("hit_penalty", hit_penalty, "subtracted from the reward of who is hit");
    v("components", components, "rewards are vectors: own apples, what is left of all, peace");
    social.fields(v);
  }

  // Made of the above by check().
  Rules rule;
  Map ground;
  int height = 0, width = 0;  // of the ground

  THRONG_HD bool traces() const { return social.traces(); }  // sums of rewards are kept

  void check() {
    const std::string said(map.items, static_cast<size_t>(map.size)), text = map_text(said);
    if (said.starts_with("@")) keep_map(text);  // a file may change; what was played stays with the settings
    ground = read_map(text);
    rule = kRules[rules];
    if (rules == kMp) as_in_melting_pot(said);
    height = ground.height;
    width = ground.width;
    rule.time_limit = chosen("time_limit", time_limit, rule.time_limit, 65535);
    rule.respawn_delay = chosen("respawn_delay", respawn_delay, rule.respawn_delay, 255);
    rule.zap_cooldown = chosen("zap_cooldown", zap_cooldown, rule.zap_cooldown, 255);
    rule.beam_length = chosen("beam_length", beam_length, rule.beam_length, kMaxSide);
    if (regrowth.size != 0 && regrowth.size != 3) refuse("regrowth has " + std::to_string(regrowth.size), "3 numbers");
    for (int i = 0; i < regrowth.size; ++i) {
      if (!(regrowth[i] >= 0 && regrowth[i] <= 1)) refuse("a regrowth is " + std::to_string(regrowth[i]), "0 to 1");
      rule.regrowth[i] = regrowth[i];
    }
    const int room = ground.num_outer < kMaxAgents ? ground.num_outer : kMaxAgents;
    if (num_agents < 1 || num_agents > room) {
      refuse("num_agents is " + std::to_string(num_agents), "1 to " + std::to_string(room) + " on this map");
    }
    social.check("harvest", num_agents);
    if (rule.idle_is_envied) social.inequity_trace = 0;
  }

 private:
  [[noreturn]] static void refuse(const std::string& found, const std::string& valid) {
    throw Error("harvest: " + found + "; valid: " + valid);
  }

  static int chosen(const std::string& key, int value, int by_rules, int highest) {
    if (value == -1) return by_rules;
    const int lowest = key == "time_limit";
    if (value >= lowest && value <= highest) return value;
    refuse(key + " is " + std::to_string(value), std::to_string(lowest) + " to " + std::to_string(highest) + ", -1");
  }

  void keep_map(const std::string& text) {
    if (text.size() > kMapLetters) refuse("the map has " + std::to_string(text.size()) + " letters", "1056 at most");
    map = {};
    for (char letter : text) map.push_back(letter);
  }

  // Melting Pot has other numbers for "open", and full rows of spawns on the two maps where SocialJax has none.
  void as_in_melting_pot(const std::string& name) {
    if (name == "open") {
      rule.regrowth[0] = 0.0025f;
      rule.beam_length = 3;
      rule.zap_cooldown = 2;
      rule.respawn_delay = 4;
    }
    if (name != "closed" && name != "partnership") return;
    std::string text = map_text(name);
    const std::string rows = map_text("open");
    const size_t last_three = rows.size() - 3 * static_cast<size_t>(ground.width + 1);
    ground = read_map(text.substr(0, last_three) + rows.substr(last_three));
  }
};

// Settings whose sizes the compiler knows: seven agents on a map of SocialJax's size.
struct Sized : Params {
  static constexpr bool kUnrolls = false;
  static constexpr int num_agents = 7, height = 16, width = 22;
  static constexpr bool components = false;

  THRONG_HD explicit Sized(const Params& p) : Params(p) {}
  static bool fits(const Params& p) {
    const bool sized = p.num_agents == num_agents && p.height == height && p.width == width;
    return sized && !p.traces() && !p.components;
  }
  THRONG_HD static constexpr bool traces() { return false; }
};
// And those whose rules it knows.
struct SizedClean : Sized {
  static constexpr Rules rule = kRules[kClean];

  THRONG_HD explicit SizedClean(const Params& p) : Sized(p) {}
  static bool fits(const Params& p) { return Sized::fits(p) && p.rule == rule; }
};

}  // namespace throng::harvest
