// Opponent: in a game of two teams a policy commands one, and what is left is an environment for the other.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/vec_env.hpp"

namespace throng {

// Chooses the actions of all agents of the second team: device pointers, `seen` and `ended` of [env, agent of that team].
// `ended`: the agent's episode ended in the step before, so what was remembered of it is over. `draw` numbers the call.
struct Opponent {
  virtual ~Opponent() = default;
  virtual void act(const Observations& seen, const uint8_t* ended, Key key, uint32_t draw, void* actions) = 0;
  virtual std::vector<StateArray> memory() { return {}; }  // what a snapshot has to keep, [.., env]
};

// How many agents the first team has: those whose names begin like the first one's, "ally_0", "ally_1". Error unless there
// are others, and all of them behind.
int first_team(const EnvSpec& spec);

// `both`, in which the agents are both teams, as an environment of the first team. Observations, masks, flags, rewards, final
// values and statistics are those of that team; the world state and the state are those of the whole game. The opponent's
// draws follow from the seed of reset(). Rows are copied once on their way, as both teams' lie side by side.
std::unique_ptr<VecEnv> against(std::unique_ptr<VecEnv> both, std::unique_ptr<Opponent> opponent);

}  // namespace throng
