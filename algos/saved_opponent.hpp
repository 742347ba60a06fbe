// A saved policy as an opponent: the run that it comes from, and the team that it commands.
#pragma once

#include <memory>
#include <string>

#include "algos/teams.hpp"

namespace throng {

// `both` as an environment of its first team, whose opponent is a run's policy: "runs/mine", its latest, or "runs/mine@best"
// (algos/policy.hpp). It draws its actions, by the mask of the other team. Error unless the policy sees and chooses as
// many things as an agent of that team.
std::unique_ptr<VecEnv> against_run(std::unique_ptr<VecEnv> both, const std::string& policy);

// Makes such environments of what `make` makes.
template <class Make>
Make against_run(const Make& make, const std::string& policy) {
  return [=](const auto&... what) { return against_run(make(what...), policy); };
}

}  // namespace throng
