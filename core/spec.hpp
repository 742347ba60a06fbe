// Spec: the numbers that describe a game to everything outside it.
#pragma once

#include <string>
#include <vector>

namespace throng {

// What a game says of itself; known before any state exists.
struct Spec {
  int num_agents = 1;
  int num_actions = 1;     // discrete actions 0 .. num_actions - 1, the same range for every agent
  int num_objectives = 1;  // length of the reward vector
  int time_limit = 0;      // steps after which an episode is truncated; 0 = never
  float obs_low = -1.0f;   // bounds of every observation feature
  float obs_high = 1.0f;
  int lanes = 1;  // GPU threads that can share one environment without idling
};

// Spec plus what the batch adds: names, and sizes that are counted by running the game's own writers once.
struct EnvSpec : Spec {
  std::string id;       // "smax/3m"
  std::string version;  // of the rules: "jaxmarl-0.2.0"
  int obs_dim = 0;
  std::string obs_dtype = "F32";
  int world_state_dim = 0;              // 0: the game has none
  int obs_parts = 1, obs_part_dim = 0;  // rows are written in parts of this length, the last may differ
  int world_state_parts = 1, world_state_part_dim = 0;
  std::vector<std::string> agents;      // possible_agents, [agent]
  std::vector<std::string> objectives;  // [objective]
  std::vector<std::string> info;        // per-episode measures, [info]
};

}  // namespace throng
