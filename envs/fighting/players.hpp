// Who can sit at a seat: agents, and the built-in opponents from a random one to the planner.
#pragma once

#include <cstdint>

#include "core/platform.hpp"
#include "envs/fighting/input.hpp"

namespace throng::fighting {

enum Player : uint8_t {
  kAgent,
  kRung,          // the opponent of the present rung of the ladder
  kRandomPlayer,  // any of the 24 actions
  kCrouchBlocker,
  kFirstLevel,                          // rule bots of levels 1 to 8
  kFirstDifficulty = kFirstLevel + 8,   // rule bots that plan some of their decisions, 1 to 12
  kFirstScript = kFirstDifficulty + 12  // walk forward, press one move when it is in reach, guard in block-stun
};
inline constexpr int kNumLevels = 8, kNumDifficulties = 12, kNumScripts = 9;
inline constexpr int kNumPlayers = kFirstScript + kNumScripts;
inline constexpr const char* kPlayers[kNumPlayers] = {
    "agent",        "rung",         "random",          "crouch_block",  "level_1",       "level_2",
    "level_3",      "level_4",      "level_5",         "level_6",       "level_7",       "level_8",
    "difficulty_1", "difficulty_2", "difficulty_3",    "difficulty_4",  "difficulty_5",  "difficulty_6",
    "difficulty_7", "difficulty_8", "difficulty_9",    "difficulty_10", "difficulty_11", "difficulty_12",
    "script_5L",    "script_5M",    "script_5H",       "script_2L",     "script_2M",     "script_2H",
    "script_6H",    "script_throw", "script_special_a"};

// How well a rule bot does each thing, in per cent; `react` in frames.
struct Level {
  uint8_t react, block, height, anti_air, tech, punish, combo, anti_shot, random, reversal;
};

THRONG_HD constexpr Level level_of(int level) {
  constexpr Level kLevels[kNumLevels] = {
      {30, 10, 50, 5, 2, 5, 5, 10, 45, 0},      {26, 20, 55, 12, 6, 12, 12, 20, 34, 2},
      {22, 32, 60, 20, 12, 22, 22, 32, 26, 5},  {20, 45, 65, 30, 18, 35, 35, 45, 19, 8},
      {18, 58, 70, 42, 26, 50, 50, 58, 13, 12}, {16, 70, 76, 55, 34, 65, 65, 70, 8, 18},
      {14, 80, 82, 68, 42, 78, 80, 80, 5, 24},  {12, 90, 88, 80, 50, 90, 92, 90, 2, 30}};
  return kLevels[level - 1];
}

THRONG_HD constexpr int level_of_difficulty(int difficulty) { return smaller(difficulty, kNumLevels); }

THRONG_HD constexpr int script_action(int player) {
  constexpr uint8_t kActions[kNumScripts] = {kAct5L, kAct5M,       kAct5H,    kAct2L, kAct2M,
                                             kAct2H, kActOverhead, kActThrow, kActA};
  return kActions[player - kFirstScript];
}

// The ladder: rung r is difficulty r with this fighter.
inline constexpr int kNumRungs = 12;
inline constexpr const char* kRungFighters[kNumRungs] = {"ALDER", "HUSK", "EMBER", "BRISK", "GALE", "FLINT",
                                                         "IVORY", "LYNX", "DRIFT", "KELP",  "JOLT", "CAIRN"};

}  // namespace throng::fighting
