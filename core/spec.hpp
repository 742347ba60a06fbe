// Spec: the numbers that describe a game to everything outside it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/fixed_list.hpp"

namespace throng {

// Observations that are a picture: planes one after the other, each row by row. It is what a CNN takes them for.
struct ObsGrid {
  int planes = 0, height = 0, width = 0;  // 0 planes: it is none
  int cells() const { return height * width; }
};

// What a game says of itself; known before any state exists.
struct Spec {
  int num_agents = 1;
  int num_actions = 1;  // discrete choices of an agent, all heads together
  FixedList<int, 4>
      heads;  // choices of each head, where an action is several choices; empty: one head, 0 .. num_actions - 1
  int continuous = 0;      // not 0: an action is this many float32 in [-1, 1], and num_actions is 0
  int num_objectives = 1;  // length of the reward vector
  int time_limit = 0;      // steps after which an episode is truncated; 0 = never
  float obs_low = -1.0f;   // bounds of every observation feature; obs_high of a game with codes is its highest code
  float obs_high = 1.0f;
  ObsGrid obs_grid;     // planes * height * width is then obs_dim
  bool pixels = false;  // observations of 8 bits are brightnesses up to 255, not codes
  int lanes = 1;        // GPU threads that can share one environment without idling
};

// Spec plus what the batch adds: names, and sizes that are counted by running the game's own writers once.
struct EnvSpec : Spec {
  std::string id;       // "smax/3m"
  std::string version;  // of the rules: "jaxmarl-0.2.0"
  int obs_dim = 0;
  std::string obs_dtype = "F32";        // "F32"; "U8": codes, not numbers; "BF16": on request, BatchOptions
  int world_state_dim = 0;              // 0: the game has none
  int obs_parts = 1, obs_part_dim = 0;  // rows are written in parts of this length, the last may differ
  int world_state_parts = 1, world_state_part_dim = 0;
  bool renders = false;                 // the game draws pictures
  bool renders_views = false;           // and others of what an agent sees
  std::vector<std::string> agents;      // possible_agents, [agent]
  std::vector<std::string> objectives;  // [objective]
  std::vector<std::string> info;        // per-episode measures, [info]
  std::vector<std::string> policies;    // players that need no learning, [policy]: "random", and the game's own

  int num_heads() const { return continuous > 0 ? 0 : heads.size > 0 ? heads.size : 1; }
  int choices(int head) const { return heads.size > 0 ? heads[head] : num_actions; }
  int action_dim() const { return continuous > 0 ? continuous : num_heads(); }  // numbers that one action is made of
  size_t obs_item_bytes() const { return obs_dtype == "U8" ? 1 : obs_dtype == "BF16" ? 2 : 4; }
};

}  // namespace throng
