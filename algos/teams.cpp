// Who is on which team, and what a team sees.
#include "algos/teams.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace throng {

std::vector<int> team_sizes(const EnvSpec& spec) {
  const auto team = [](const std::string& agent) { return agent.substr(0, agent.rfind('_')); };
  const auto all = static_cast<int>(spec.agents.size());
  if (all == 2) return {1, 1};
  int own = 0;
  while (own < all && team(spec.agents[own]) == team(spec.agents[0])) ++own;
  for (int i = own; i < all; ++i) {
    if (team(spec.agents[i]) == team(spec.agents[0])) return {};
  }
  if (own == all) return {};
  return {own, all - own};
}

int first_team(const EnvSpec& spec) {
  const std::vector<int> sizes = team_sizes(spec);
  if (!sizes.empty()) return sizes[0];
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
