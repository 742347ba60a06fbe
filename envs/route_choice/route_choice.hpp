// Route choice: drivers choose among routes through a road network, and all who share a road slow each other down.
#pragma once

#include <cstdint>

#include "core/env.hpp"
#include "envs/common/tally.hpp"
#include "envs/route_choice/params.hpp"  // the network

// The rules are those of MOMAland's moroute_choice_v0 (Felten et al. 2024, https://arxiv.org/abs/2407.16312), after Ramos et al.
// (2020). One step is an episode.
//
// Differs: where there are several pairs of origin and destination, a driver observes its own; the original shows nothing.
// Differs: an action that is not a route of the own pair is its first route; the original's is undefined.
// Differs: the pairs of the drivers are drawn from `seed`, alike in all environments, and stay.
namespace throng::route_choice {

enum Objective { kTime, kToll, kNumObjectives };

struct State {
  Field<int32_t> flow;   // [link, env], drivers on it in this episode; 0 before they have chosen
  Field<uint16_t> pair;  // [agent, env], origin and destination; not kept where there is one only

  template <class V>
  THRONG_HD void fields(const Params& p, V&& v) {
    v("flow", flow, p.num_links());
    v("pair", pair, p.num_pairs > 1 ? p.num_agents : 0);
  }
};

struct Scratch {
  Field<uint16_t> partial;  // [part, route], see tally; or of links, if there are many routes
  Field<uint16_t> drivers;  // [route]
  Field<float> cost;        // [link * 2 + objective], time and toll
  Field<float> worth;       // [route * 2 + objective], what its drivers are paid

  template <class V>
  THRONG_HD void fields(const Params& p, V&& v) {
    const int few = p.few_routes() ? p.num_routes : 0;
    v("partial", partial, common::tally_parts(p.num_agents) * (few > 0 ? few : p.num_links()));
    v("drivers", drivers, few);
    v("cost", cost, p.num_links() * kNumObjectives);
    v("worth", worth, few * kNumObjectives);
  }
};

struct Env {
  using Params = route_choice::Params;
  using State = route_choice::State;
  using Scratch = route_choice::Scratch;
  static constexpr const char* kVersion = "momaland-0.2.0";
  static constexpr const char* kObjectives[] = {"time", "toll"};
  static constexpr const char* kInfo[] = {"travel_time"};  // mean over the drivers, not scaled

  const Params& p;
  State s;
  Scratch w;
  Lanes lanes;

  THRONG_HD static Spec spec(const Params& p) {
    Spec spec;
    spec.num_agents = p.num_agents;
    spec.num_actions = p.most_routes;
    spec.num_objectives = kNumObjectives;
    spec.obs_low = 0;
    spec.lanes = p.num_agents;
    return spec;
  }

  THRONG_HD void reset(Rng) {
    lanes.each(p.num_links(), [&](int link) { s.flow[link] = 0; });
    if (p.num_pairs == 1) return;
    const Rng drawn{key(static_cast<uint64_t>(p.seed))};
    lanes.each(p.num_agents, [&](int a) { s.pair[a] = static_cast<uint16_t>(drawn.below(a, p.num_pairs)); });
  }

  THRONG_HD bool step(Actions actions, Rewards rewards, Rng) {
    const auto chosen = [&](int agent) { return route_of(agent, actions[agent]); };
    if (p.few_routes()) {
      common::tally(lanes, p.num_agents, p.num_routes, w.partial, w.drivers, chosen);
      lanes.each(p.num_links(), [&](int link) { s.flow[link] = flow_of(link); });
    } else {
      common::tally_all(lanes, p.num_agents, p.num_links(), w.partial, s.flow,
                        [&](int agent, const auto& count) { each_link(chosen(agent), count); });
    }
    lanes.each(p.num_links(), [&](int link) {
      w.cost[link * kNumObjectives + kTime] = p.time_of(link, s.flow[link]);
      w.cost[link * kNumObjectives + kToll] = p.toll_of(link, s.flow[link]);
    });
    if (p.few_routes()) {
      lanes.each(p.num_routes, [&](int route) {
        for (int j = 0; j < kNumObjectives; ++j) w.worth[route * kNumObjectives + j] = worth_of(route, j);
      });
    }
    lanes.each(p.num_agents, [&](int a) {
      const int route = chosen(a);
      for (int j = 0; j < kNumObjectives; ++j)
        rewards(a, j) = p.few_routes() ? w.worth[route * kNumObjectives + j] : worth_of(route, j);
    });
    return true;
  }

  THRONG_HD int pair_of(int agent) const { return p.num_pairs == 1 ? 0 : s.pair[agent]; }

  THRONG_HD int route_of(int agent, int action) const {
    const int pair = pair_of(agent);
    return p.first_route[pair] + (action >= 0 && action < p.routes_of(pair) ? action : 0);
  }

  template <class Visit>
  THRONG_HD void each_link(int route, const Visit& visit) const {
    for (int step = p.first_step[route]; step < p.first_step[route + 1]; ++step) visit(p.step_link[step]);
  }

  THRONG_HD int flow_of(int link) const {
    int flow = 0;
    for (int route = 0; route < p.num_routes; ++route) {
      each_link(route, [&](int on_route) { flow += on_route == link ? w.drivers[route] : 0; });
    }
    return flow;
  }

  // Time or toll of a route, negative, as a share of the most that it could be on any route.
  THRONG_HD float worth_of(int route, int objective) const {
    float cost = 0;
    each_link(route, [&](int link) { cost += w.cost[link * kNumObjectives + objective]; });
    return -cost * (objective == kTime ? p.time_scale : p.toll_scale);
  }

  // The own pair, one-hot; of many pairs origin and destination, one-hot both; a constant 0 where there is one pair only.
  THRONG_HD void observe(int agent, auto& out) const {
    if (p.num_pairs == 1) return out(0.0f);
    const int own = pair_of(agent);
    if (p.few_pairs()) {
      for (int pair = 0; pair < p.num_pairs; ++pair) out(pair == own ? 1.0f : 0.0f);
    } else {
      for (int node = 0; node < p.num_nodes; ++node) out(node == p.origin[own] ? 1.0f : 0.0f);
      for (int node = 0; node < p.num_nodes; ++node) out(node == p.destination[own] ? 1.0f : 0.0f);
    }
  }

  THRONG_HD void avail(int agent, auto& out) const {
    const int routes = p.routes_of(pair_of(agent));
    for (int action = 0; action < p.most_routes; ++action) out(action < routes);
  }

  THRONG_HD void info(auto& out) const {
    float time = 0;
    for (int link = 0; link < p.num_links(); ++link) {
      time += p.time_of(link, s.flow[link]) * static_cast<float>(s.flow[link]);
    }
    out(time / static_cast<float>(p.num_agents));
  }
};

static_assert(Environment<Env>);

}  // namespace throng::route_choice
