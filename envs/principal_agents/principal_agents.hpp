// Principal and agents: a principal pays workers for reports on a state of the world, so that they look, tell the truth, and cost
// little.
#pragma once

#include "envs/principal_agents/contract.hpp"  // only the principal learns
#include "envs/principal_agents/market.hpp"    // all learn

// After F. Cacciamani, M. Castiglioni, N. Gatti, "Online Information Acquisition: Hiring Multiple Agents" (ICLR 2024,
// https://arxiv.org/abs/2307.06210). The paper has no experiments; the instances, the signals and the actions are ours.
namespace throng::principal_agents {

struct Env : Contract {
  using Views = Types<Market>;
};

static_assert(Environment<Env>);
static_assert(Environment<Market>);

}  // namespace throng::principal_agents
