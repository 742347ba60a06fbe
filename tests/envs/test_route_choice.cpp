// The rules of route choice: the paradox of Braess, tolls, several pairs, and congestion by the BPR function.
#include "envs/route_choice/route_choice.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "algos/pareto.hpp"
#include "tests/envs/played.hpp"

namespace throng::route_choice {
namespace {

using Catch::Matchers::WithinRel;

// How many drivers take each route; in the order of the drivers.
std::vector<int32_t> choices(const std::vector<int>& drivers) {
  std::vector<int32_t> actions;
  for (size_t route = 0; route < drivers.size(); ++route) {
    actions.insert(actions.end(), drivers[route], static_cast<int32_t>(route));
  }
  return actions;
}

// From a to b there are two routes, of which one is the only one from a to c.
Params two_pairs() {
  Params p;
  p.num_agents = 40;
  p.free_flow_time = {3, {1, 2, 4}};
  p.time_per_driver = {3, {0, 0, 0}};
  p.congestion = {3, {0.15f, 0.15f, 1}};
  p.link_capacity = {3, {10, 20, 40}};
  p.power = {3, {4, 4, 1}};
  p.routes = {4, {0, 1, 2, 0}};
  p.route_lengths = {3, {2, 1, 1}};
  p.routes_per_pair = {2, {2, 1}};
  return p;
}

}  // namespace

TEST_CASE("the paradox of Braess", "[route_choice]") {
  Played<Env> game(params_of<Env>("route_choice/braess_1"));
  struct Known {
    std::vector<int> drivers;
    int agent;
    std::vector<float> reward;
    float travel_time;
  };
  const std::vector<Known> table = {
      {{4200, 0, 0}, 0, {-2.0f / 3, -2.0f / 3}, 20},
      {{0, 4200, 0}, 0, {-2.0f / 3, -1.0f / 3}, 20},
      {{0, 0, 4200}, 0, {-2.0f / 3, -1.0f / 3}, 20},
      {{0, 2100, 2100}, 0, {-0.5f, -1.0f / 6}, 15},  // the best for all
      {{0, 2100, 2100}, 4199, {-0.5f, -1.0f / 6}, 15},
  };
  for (const Known& known : table) {
    CHECK(game.step(choices(known.drivers)));
    check_near(game.reward(known.agent), known.reward, 1e-6);
    check_near(game.info(), {known.travel_time}, 2e-5);
  }
}

TEST_CASE("no drivers are lost, and other numbers are the first route", "[route_choice]") {
  Params p;
  p.num_agents = 1000;
  Played<Env> game(p);
  std::vector<int32_t> actions = choices({300, 200, 500});
  actions[0] = -1, actions[999] = 3;
  game.step(actions);
  const std::vector<int> flow = {800, 200, 301, 499, 501};
  for (int link = 0; link < 5; ++link) CHECK(game.env.s.flow[link] == flow[link]);
  CHECK(game.reward(0) == game.reward(999));
  CHECK(game.observation(0) == std::vector<float>{0});
  game.env.reset(Rng{});
  for (int link = 0; link < 5; ++link) CHECK(game.env.s.flow[link] == 0);
}

TEST_CASE("Pigou's two roads: a front between time and toll", "[route_choice]") {
  Played<Env> game(params_of<Env>("route_choice/pigou"));
  Points totals;
  for (int second = 0; second <= 100; ++second) {
    game.step(choices({100 - second, second}));
    Point total(2, 0.0);
    for (int a = 0; a < 100; ++a) {
      for (int j = 0; j < 2; ++j) total[j] += game.reward(a)[j] / 100;
    }
    totals.push_back(total);
  }
  const Points front = pareto_front(totals);
  REQUIRE(front.size() == 51);  // more than half on the crowded road is bad for all
  CHECK(std::abs(front.front()[kTime] + 0.75) < 1e-6);
  CHECK(std::abs(front.front()[kToll] + 0.25) < 1e-6);
  CHECK(std::abs(front.back()[kTime] + 1) < 1e-6);
  CHECK(front.back()[kToll] == 0);
}

TEST_CASE("several pairs, and congestion that grows with a power", "[route_choice]") {
  Played<Env> game(two_pairs());
  int first_pair = 0;
  for (int a = 0; a < 40; ++a) {
    const bool first = game.observation(a) == std::vector<float>{1, 0};
    first_pair += first;
    CHECK(game.legal(a) == (first ? std::vector<int>{0, 1} : std::vector<int>{0}));
  }
  CHECK((first_pair > 8 && first_pair < 32));
  std::vector<int32_t> actions(40, 0);
  int direct = 0;  // of the first pair, every second one takes the direct link
  for (int a = 0; a < 40; ++a) {
    if (game.env.s.pair[a] == 0 && direct++ % 2 == 0) actions[a] = 1;
  }
  direct = (direct + 1) / 2;
  game.step(actions);
  const auto time = [](double t, double a, double c, int b, double f) { return t * (1 + a * std::pow(f / c, b)); };
  const auto toll = [](double t, double a, double c, int b, double f) { return t * a * b * std::pow(f / c, b); };
  const double all = 40 - direct, over = first_pair - direct;  // on the first link, on the second
  const double longest = 2, most_time = time(1, .15, 10, 4, 40), most_toll = toll(1, .15, 10, 4, 40);
  for (int a = 0; a < 40; ++a) {
    double t = time(1, .15, 10, 4, all), c = toll(1, .15, 10, 4, all);
    if (game.env.s.pair[a] == 0) t += time(2, .15, 20, 4, over), c += toll(2, .15, 20, 4, over);
    if (actions[a] == 1) t = time(4, 1, 40, 1, direct), c = toll(4, 1, 40, 1, direct);
    check_near(game.reward(a), {float(-t / longest / most_time), float(-c / longest / most_toll)});
  }
}

// Of the graphs of Braess: from 0 over 1 .. k and k + 1 .. 2 k to 2 k + 1, as the files Braess_k_4200_10_c1 have them.
static Params braess(int k) {
  Params p;
  p.free_flow_time = p.time_per_driver = {};
  p.fastest_routes = 64;
  const auto link = [&](int from, int to, double fixed, double slope) {
    p.link_from.push_back(static_cast<uint8_t>(from));
    p.link_to.push_back(static_cast<uint8_t>(to));
    p.free_flow_time.push_back(static_cast<float>(fixed));
    p.time_per_driver.push_back(static_cast<float>(slope * 10 * k / 4200));
  };
  const int last = 2 * k + 1;
  for (int j = 1; j <= k; ++j) link(0, j, 0, k + 1 - j), link(j, k + j, 0, 0), link(k + j, last, 0, j);
  for (int j = 2; j <= k; ++j) link(j, k + j - 1, 10, 0);
  link(0, last - 1, 10, 0), link(1, last, 10, 0);
  p.pairs = {2, {0, static_cast<uint8_t>(last)}};
  return p;
}

// Of the same graphs with two pairs, as the files BBraess_k_2100_10_c1 have them: links, and the nodes of both pairs.
struct TwoPairs {
  int k;
  Nodes from, to;
  int pairs[4];
};
static const TwoPairs kTwoPairs[] = {
    {1, {8, {0, 1, 1, 2, 3, 5, 5, 7}}, {8, {1, 2, 4, 6, 0, 0, 7, 1}}, {3, 4, 5, 6}},
    {5,
     {24, {0, 1, 1, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 9, 9, 10, 11, 11, 11, 13, 13, 15, 15, 15}},
     {24, {1, 2, 6, 3, 4, 8, 5, 10, 12, 7, 2, 8, 9, 4, 10, 14, 0, 6, 8, 0, 15, 1, 2, 4}},
     {11, 12, 13, 14}},
    {7,
     {32, {0,  1,  1,  2,  3,  3,  4,  5,  5,  6,  7,  7,  8,  9,  9,  10,
           11, 11, 12, 13, 13, 14, 15, 15, 15, 15, 17, 17, 19, 19, 19, 19}},
     {32,
      {1, 2, 8, 3, 4, 10, 5, 6, 12, 7, 14, 16, 9, 2, 10, 11, 4, 12, 13, 6, 14, 18, 0, 8, 10, 12, 0, 19, 1, 2, 4, 6}},
     {15, 16, 17, 18}},
};

static int longest_of(const Params& p) {
  int longest = 0;
  for (int r = 0; r < p.num_routes; ++r) longest = std::max(longest, p.first_step[r + 1] - p.first_step[r]);
  return longest;
}

TEST_CASE("networks have the routes that they are known to have", "[route_choice]") {
  struct Known {
    std::string name;
    int links, pairs, routes, of_first_two, longest;
  };
  for (const Known& known :
       {Known{"bbraess_3", 16, 2, 10, 10, 8}, {"ow", 48, 4, 64, 32, 7}, {"sioux_falls", 76, 552, 8832, 32, 11}}) {
    INFO(known.name);
    const Params p = params_of<Env>("route_choice/" + known.name);
    CHECK(p.num_links() == known.links);
    CHECK(p.num_pairs == known.pairs);
    CHECK(p.num_routes == known.routes);
    CHECK(p.routes_of(0) + p.routes_of(1) == known.of_first_two);
    CHECK(longest_of(p) == known.longest);
  }
  const Params ow = params_of<Env>("route_choice/ow");
  CHECK_THAT(ow.time_scale, WithinRel(1 / (7 * 49.0f), 1e-5f));
  CHECK_THAT(ow.toll_scale, WithinRel(1 / (7 * 34.0f), 1e-5f));
}

TEST_CASE("the graphs of Braess have the routes that they are known to have", "[route_choice]") {
  for (int k = 1; k <= 7; ++k) {
    Params p = braess(k);
    p.check();
    CHECK(p.num_links() == 4 * k + 1);
    CHECK(p.num_routes == 2 * k + 1);
    CHECK(longest_of(p) == 3);
    if (k != 3) continue;
    const Params scenario = params_of<Env>("route_choice/braess_3");
    CHECK(scenario.num_routes == p.num_routes);
    CHECK_THAT(scenario.time_scale, WithinRel(p.time_scale, 1e-5f));
    CHECK_THAT(scenario.toll_scale, WithinRel(p.toll_scale, 1e-5f));
  }
  const int routes[][2] = {{1, 2}, {9, 20}, {25, 54}};
  for (int i = 0; i < 3; ++i) {
    const TwoPairs& graph = kTwoPairs[i];
    Params p = braess(1);
    p.link_from = graph.from, p.link_to = graph.to;
    p.free_flow_time = p.time_per_driver = {graph.from.size, {}};
    p.pairs.size = 0;
    for (int node : graph.pairs) p.pairs.push_back(static_cast<uint8_t>(node));
    for (float& slope : p.time_per_driver) slope = 1;
    p.check();
    CHECK(std::min(p.routes_of(0), p.routes_of(1)) == routes[i][0]);
    CHECK(std::max(p.routes_of(0), p.routes_of(1)) == routes[i][1]);
    CHECK(longest_of(p) == 2 * graph.k + 2);
  }
}

TEST_CASE("routes are found fastest first, through no node twice", "[route_choice]") {
  const Params p = params_of<Env>("route_choice/sioux_falls");
  for (int pair = 0; pair < p.num_pairs; ++pair) {
    float before = 0;
    for (int route = p.first_route[pair]; route < p.first_route[pair + 1]; ++route) {
      float time = 0;
      int node = p.origin[pair];
      std::vector<int> passed = {node};
      for (int step = p.first_step[route]; step < p.first_step[route + 1]; ++step) {
        const int link = p.step_link[step];
        REQUIRE(p.link_from[link] == node);
        node = p.link_to[link];
        REQUIRE(std::find(passed.begin(), passed.end(), node) == passed.end());
        passed.push_back(node);
        time += p.free_flow_time[link];
      }
      REQUIRE(node == p.destination[pair]);
      REQUIRE(time >= before);
      before = time;
    }
  }
}

TEST_CASE("with many routes and pairs drivers are counted by links", "[route_choice]") {
  Played<Env> game(params_of<Env>("route_choice/sioux_falls"));
  const Params& p = game.env.p;
  std::vector<int32_t> actions(p.num_agents);
  for (int a = 0; a < p.num_agents; ++a) actions[a] = a % 17 - 1;  // the first is no route
  game.step(actions);
  const auto route_of = [&](int a) { return p.first_route[game.env.s.pair[a]] + std::max(actions[a], 0); };
  std::vector<int> flow(p.num_links(), 0);
  for (int a = 0; a < p.num_agents; ++a) {
    for (int step = p.first_step[route_of(a)]; step < p.first_step[route_of(a) + 1]; ++step) ++flow[p.step_link[step]];
  }
  for (int link = 0; link < p.num_links(); ++link) CHECK(game.env.s.flow[link] == flow[link]);
  for (int a = 0; a < p.num_agents; a += 97) {
    float time = 0, toll = 0;
    for (int step = p.first_step[route_of(a)]; step < p.first_step[route_of(a) + 1]; ++step) {
      const int link = p.step_link[step];
      time += p.time_of(link, flow[link]), toll += p.toll_of(link, flow[link]);
    }
    check_near(game.reward(a), {-time * p.time_scale, -toll * p.toll_scale}, 1e-6);
    const std::vector<float> seen = game.observation(a);
    REQUIRE(seen.size() == 48);
    CHECK((seen[p.origin[game.env.s.pair[a]]] == 1 && seen[24 + p.destination[game.env.s.pair[a]]] == 1));
    CHECK(std::count(seen.begin(), seen.end(), 1.0f) == 2);
  }
}

TEST_CASE("random tolls are the time of the links that drew one", "[route_choice]") {
  Params p;
  p.toll_mode = kRandom;
  int refused = 0;
  for (p.seed = 0; p.seed < 60; ++p.seed) {
    p.semantics = common::kFixed;
    Played<Env> game(p);
    game.step(choices({0, 2100, 2100}));
    const Params& drawn = game.env.p;
    float toll = 0, most = 0;
    for (int link : {1, 4}) toll += drawn.tolled[link] ? drawn.time_of(link, game.env.s.flow[link]) : 0;
    for (int link = 0; link < 5; ++link) most = std::max(most, drawn.tolled[link] ? drawn.time_of(link, 4200) : 0);
    CHECK(most > 0);
    check_near({game.reward(0)[kToll]}, {-toll / most / 3});
    p.semantics = common::kMomaland;
    try {
      Params copy = p;
      copy.check();
    } catch (const Error&) {
      ++refused;
    }
  }
  // Three or four of the five links cost something: none has a toll in 0.9^4 of the draws, 39 of 60.
  CHECK((refused > 28 && refused < 50));
}

TEST_CASE("networks that fit together in no way are refused", "[route_choice]") {
  const auto refused = [](auto&& spoil) {
    Params p = two_pairs();
    spoil(p);
    CHECK_THROWS_AS(Played<Env>(p), Error);
  };
  refused([](Params& p) { p.routes[0] = 3; });
  refused([](Params& p) { p.route_lengths[0] = 3; });
  refused([](Params& p) { p.routes_per_pair = {1, {2}}; });
  refused([](Params& p) { p.power = {}; });
  refused([](Params& p) { p.link_capacity[1] = 0; });
  const auto refused_found = [](auto&& spoil) {
    Params p = braess(2);
    spoil(p);
    CHECK_THROWS_AS(Played<Env>(p), Error);
  };
  refused_found([](Params& p) { p.link_from.size = 3; });
  refused_found([](Params& p) { p.pairs[1] = 6; });
  refused_found([](Params& p) { p.pairs.size = 1; });
  refused_found([](Params& p) { p.pairs = {2, {5, 0}}; });  // one-way streets
}

}  // namespace throng::route_choice
