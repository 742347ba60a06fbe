// The settings of route choice: a road network with its routes, and how its roads are tolled.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fixed_list.hpp"
#include "core/rng.hpp"
#include "envs/common/choices.hpp"
#include "envs/route_choice/network.hpp"  // which routes there are

namespace throng::route_choice {

inline constexpr int kMaxAgents = 60000, kMaxLinks = 128, kMaxRoutes = 9216, kMaxPairs = 600, kMaxSteps = 1 << 16;
inline constexpr int kFewRoutes = 128;  // drivers are counted by routes, up to this; of more routes by links
inline constexpr int kFewPairs = 64;    // drivers see which pair is theirs; of more pairs, its two nodes

enum TollMode : uint8_t { kMarginalCost, kRandom };
inline constexpr const char* kTollModes[] = {"mct", "random"};

using PerLink = FixedList<float, kMaxLinks>;
using Nodes = FixedList<uint8_t, kMaxLinks>;  // [link]

// The network of the default is Braess_1_4200_10_c1: from 1 over 2 and 3 to 4. Its links are 1-2, 1-3, 2-3, 2-4, 3-4. Routes are
// listed, or found: the fastest from the first to the second node of each pair.
struct Params {
  int num_agents = 4200;
  PerLink free_flow_time = {5, {0, 10, 0, 10, 0}};
  PerLink time_per_driver = {5, {0.00238095238095f, 0, 0, 0, 0.00238095238095f}};
  PerLink congestion = {};
  PerLink link_capacity = {};
  PerLink power = {};
  FixedList<uint8_t, 1024> routes = {7, {0, 2, 4, 1, 4, 0, 3}};
  FixedList<uint8_t, kFewRoutes> route_lengths = {3, {3, 2, 2}};
  FixedList<uint8_t, kFewPairs> routes_per_pair = {1, {3}};
  int fastest_routes = 0;
  Nodes link_from = {};
  Nodes link_to = {};
  FixedList<uint8_t, 2 * kFewPairs> pairs = {};
  uint8_t toll_mode = kMarginalCost;
  float random_toll_percentage = 0.1f;
  int seed = 42;
  uint8_t semantics = common::kFixed;

  template <class V>
  void fields(V&& v) {
    v("num_agents", num_agents, "drivers");
    v("free_flow_time", free_flow_time, "by link, t: what it takes without traffic");
    v("time_per_driver", time_per_driver, "by link, m: what each driver on it adds");
    v("congestion", congestion, "by link, a: in all, a link takes t + m f + t a (f / c)^b with f drivers; empty: 0");
    v("link_capacity", link_capacity, "by link, c; needed with congestion");
    v("power", power, "by link, b, a whole number; needed with congestion");
    v("routes", routes, "links of all routes, one route after the other");
    v("route_lengths", route_lengths, "by route, its number of links");
    v("routes_per_pair", routes_per_pair,
      "by pair of origin and destination, how many of the routes, in order, are its");
    v("fastest_routes", fastest_routes,
      "find so many routes of each pair, those that are fastest without traffic; 0: use `routes`");
    v("link_from", link_from, "with fastest_routes: by link, the node where it begins");
    v("link_to", link_to, "with fastest_routes: by link, the node where it ends");
    v("pairs", pairs, "with fastest_routes: origin and destination of each pair; empty: all that a route connects");
    v("toll_mode", toll_mode, kTollModes, "tolls at marginal cost, or as high as the time on links drawn at random");
    v("random_toll_percentage", random_toll_percentage, "with random tolls, the share of links that have one");
    v("seed", seed, "of what is drawn once and for all: pairs of the drivers, links with a toll");
    v("semantics", semantics, common::kSemantics,
      "draw random tolls until one costs something; momaland refuses a draw without");
  }

  // Derived by check().
  uint8_t step_link[kMaxSteps] = {};                            // the links of all routes, one route after the other
  int first_step[kMaxRoutes + 1] = {};                          // [route], where its links begin, and one past the last
  int first_route[kMaxPairs + 1] = {};                          // [pair], and one past the last
  uint8_t origin[kMaxPairs] = {}, destination[kMaxPairs] = {};  // [pair], nodes
  uint8_t tolled[kMaxLinks] = {};                               // [link], has a random toll
  int num_nodes = 0, num_pairs = 0, num_routes = 0;
  int most_routes = 0;                   // of a pair
  float time_scale = 0, toll_scale = 0;  // 1 / (links of the longest route * the most that a link can take, or cost)

  THRONG_HD int num_links() const { return free_flow_time.size; }
  THRONG_HD int routes_of(int pair) const { return first_route[pair + 1] - first_route[pair]; }
  THRONG_HD bool few_routes() const { return num_routes <= kFewRoutes; }
  THRONG_HD bool few_pairs() const { return num_pairs <= kFewPairs; }

  // Time that `flow` drivers spend on a link, each.
  THRONG_HD float time_of(int link, int flow) const {
    const auto f = static_cast<float>(flow);
    return free_flow_time[link] + time_per_driver[link] * f + crowding(link, f);
  }

  // What each of them pays there: the time that it costs the others, or with random tolls the time itself.
  THRONG_HD float toll_of(int link, int flow) const {
    const auto f = static_cast<float>(flow);
    if (toll_mode == kRandom) return tolled[link] ? time_of(link, flow) : 0.0f;
    return time_per_driver[link] * f + (power.size > 0 ? power[link] * crowding(link, f) : 0.0f);
  }

  THRONG_HD float crowding(int link, float flow) const {
    if (congestion.size == 0) return 0;
    float crowding = free_flow_time[link] * congestion[link];
    for (int i = 0; i < static_cast<int>(power[link]); ++i) crowding *= flow / link_capacity[link];
    return crowding;
  }

  void check() {
    const std::string game = kGame;
    common::check_range(game, "num_agents", num_agents, 1, kMaxAgents);
    common::check_range(game, "links", num_links(), 1, kMaxLinks);
    common::check_range(game, "random_toll_percentage", random_toll_percentage, 0, 1);
    same_length("time_per_driver", time_per_driver);
    for (float time : free_flow_time) common::check_range(game, "free_flow_time", time, 0, 1e9);
    for (float slope : time_per_driver) common::check_range(game, "time_per_driver", slope, 0, 1e9);
    if (congestion.size > 0) {
      same_length("congestion", congestion), same_length("link_capacity", link_capacity), same_length("power", power);
      for (float c : link_capacity) common::check_range(game, "link_capacity", c, 1e-6, 1e9);
      for (float b : power) common::check_range(game, "power", b, 0, 16);
    }
    num_pairs = num_routes = 0;
    if (fastest_routes > 0) {
      find_routes();
    } else {
      take_routes();
    }
    int longest = 0;
    for (int r = 0; r < num_routes; ++r) {
      const int length = first_step[r + 1] - first_step[r];
      longest = length > longest ? length : longest;
    }
    most_routes = 0;
    for (int pair = 0; pair < num_pairs; ++pair)
      most_routes = routes_of(pair) > most_routes ? routes_of(pair) : most_routes;
    common::check_range(game, "most routes of a pair", most_routes, 2, kFewRoutes);
    draw_tolls();
    time_scale = scale(longest, [&](int link) { return time_of(link, num_agents); });
    toll_scale = scale(longest, [&](int link) { return toll_of(link, num_agents); });
  }

 private:
  static constexpr const char* kGame = "route_choice";

  // As they are listed.
  void take_routes() {
    common::check_range(kGame, "routes: all links", routes.size, 1, routes.kCapacity);
    int step = 0, route = 0;
    for (int length : route_lengths) step += length;
    common::check_range(kGame, "sum of route_lengths", step, routes.size, routes.size);
    for (int count : routes_per_pair) {
      common::check_range(kGame, "routes_per_pair", count, 1, route_lengths.size);
      route += count;
    }
    common::check_range(kGame, "sum of routes_per_pair", route, route_lengths.size, route_lengths.size);
    step = route = 0;
    for (int count : routes_per_pair) {
      for (int i = 0; i < count; ++i) {
        const uint8_t* links = routes.items + step;
        add_route(std::vector<int>(links, links + route_lengths[route]));
        step += route_lengths[route++];
      }
      end_pair(0, 0);
    }
  }

  // Those that are fastest without traffic.
  void find_routes() {
    common::check_range(kGame, "fastest_routes", fastest_routes, 1, kFewRoutes);
    common::check_range(kGame, "length of link_from", link_from.size, num_links(), num_links());
    common::check_range(kGame, "length of link_to", link_to.size, num_links(), num_links());
    common::check_range(kGame, "length of pairs, of which each has two nodes", pairs.size % 2, 0, 0);
    const Network network(link_from, link_to, free_flow_time);
    num_nodes = network.num_nodes();
    const auto add_pair = [&](int from, int to) {
      const auto found = network.fastest(from, to, fastest_routes);
      for (const std::vector<int>& route : found) add_route(route);
      if (!found.empty()) end_pair(from, to);
    };
    for (int i = 0; i < pairs.size; i += 2) {
      for (int node : {pairs[i], pairs[i + 1]}) common::check_range(kGame, "pairs: a node", node, 0, num_nodes - 1);
      add_pair(pairs[i], pairs[i + 1]);
    }
    for (int i = 0; pairs.size == 0 && i < num_nodes * num_nodes; ++i) {
      if (i / num_nodes != i % num_nodes) add_pair(i / num_nodes, i % num_nodes);
    }
    common::check_range(kGame, "pairs that a route connects", num_pairs, 1, kMaxPairs);
  }

  void add_route(const std::vector<int>& links) {
    common::check_range(kGame, "routes, all together", num_routes + 1, 1, kMaxRoutes);
    int step = first_step[num_routes];
    for (int link : links) {
      common::check_range(kGame, "routes: a link", link, 0, num_links() - 1);
      common::check_range(kGame, "links of all routes", step + 1, 1, kMaxSteps);
      step_link[step++] = static_cast<uint8_t>(link);
    }
    first_step[++num_routes] = step;
  }

  // The routes since the last pair are this one's.
  void end_pair(int from, int to) {
    common::check_range(kGame, "pairs", num_pairs + 1, 1, kMaxPairs);
    origin[num_pairs] = static_cast<uint8_t>(from);
    destination[num_pairs] = static_cast<uint8_t>(to);
    first_route[++num_pairs] = num_routes;
  }

  void same_length(const std::string& key, const PerLink& list) const {
    common::check_range(kGame, "length of " + key, list.size, num_links(), num_links());
  }

  void draw_tolls() {
    if (toll_mode != kRandom) return;
    for (uint32_t draw = 0; draw < 1000; ++draw) {
      float most = 0;
      for (int link = 0; link < num_links(); ++link) {
        tolled[link] = Rng{fold_in(throng::key(seed), draw)}.uniform(link) < random_toll_percentage;
        const float toll = toll_of(link, num_agents);
        most = toll > most ? toll : most;
      }
      if (most > 0) return;
      if (semantics == common::kMomaland) break;
    }
    throw Error("route_choice: no link that takes time has drawn a toll; choose another seed, or more tolls");
  }

  template <class PerLinkValue>
  float scale(int longest, const PerLinkValue& value) const {
    float most = 0;
    for (int link = 0; link < num_links(); ++link) most = value(link) > most ? value(link) : most;
    return most > 0 ? 1 / (static_cast<float>(longest) * most) : 0.0f;
  }
};

}  // namespace throng::route_choice
