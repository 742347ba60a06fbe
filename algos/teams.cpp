// Who is on which team, and what a team sees.
#include "algos/teams.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace throng {

int first_team(const EnvSpec& spec) {
  if (spec.agents.size() == 2) return 1;
  const auto team = [](const std::string& agent) { return agent.substr(0, agent.rfind('_')); };
  size_t own = 0;
  while (own < spec.agents.size() && team(spec.agents[own]) == team(spec.agents[0])) ++own;
  for (size_t i = own; i < spec.agents.size(); ++i) {
    if (team(spec.agents[i]) == team(spec.agents[0])) own = spec.agents.size();
  }
  if (own < spec.agents.size()) return static_cast<int>(own);
  throw Error(spec.id + ": an opponent needs a second team of agents; they are " + spec.agents.front() + " to " +
              spec.agents.back() + " (smax: env.opponent=policy, fighting: fighting/versus)");
}

EnvSpec team_spec(const EnvSpec& both, const std::vector<Side>& own, bool zero_sum) {
  EnvSpec spec = both;
  const int first = first_team(both), second = both.num_agents - first;
  bool of_team[2] = {};
  for (const Side& seat : own) of_team[seat.team != 0] = true;
  const bool like_second = of_team[1] && (!of_team[0] || second > first);
  spec.num_agents = like_second ? second : first;
  spec.agents.assign(both.agents.begin() + (like_second ? first : 0),
                     both.agents.begin() + (like_second ? both.num_agents : first));
  if (of_team[1]) spec.world_state_dim = 0;
  if (zero_sum) {
    spec.num_objectives = 1;
    spec.objectives.resize(1);
  }
  return spec;
}

}  // namespace throng
