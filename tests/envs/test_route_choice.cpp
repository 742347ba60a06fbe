// The rules of route choice: the paradox of Braess, tolls, several pairs, and congestion by the BPR function.
#include "envs/route_choice/route_choice.hpp"

#include <catch2/catch_test_macros.hpp>

#include "algos/pareto.hpp"
#include "tests/envs/played.hpp"

namespace throng::route_choice {
namespace {

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
}

}  // namespace throng::route_choice
