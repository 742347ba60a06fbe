// The rules of item gathering, and its exact Pareto fronts: found by playing every joint action.
#include "envs/item_gathering/item_gathering.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <tuple>

#include "algos/pareto.hpp"
#include "tests/envs/played.hpp"

namespace throng::item_gathering {
namespace {

using Catch::Matchers::WithinAbs;
enum { kUpward = kMove, kDownward, kLeft, kRight };

// Chance as the test wants it: the coins in the order of their tosses, then always the second loses.
struct Fixed {
  std::vector<bool> coins;
  float pickup_value = 0;
  bool coin(uint32_t toss) const { return toss < coins.size() ? coins[toss] : true; }
  float pickup(int) const { return pickup_value; }
  int row(int, int n) const { return n - 1; }
  int column(int, int n) const { return n - 1; }
  int place(int, int n) const { return n - 1; }
};

Params map_of(int columns, std::vector<int> codes) {
  Params p;
  p.columns = columns;
  p.initial_map = {};
  for (int code : codes) p.initial_map.push_back(static_cast<uint8_t>(code));
  return p;
}

std::vector<int> cells(const Env& env) {
  std::vector<int> cells;
  for (int a = 0; a < env.p.num_agents; ++a) cells.push_back(env.s.cell[a]);
  return cells;
}

using Position = std::tuple<int, int, uint64_t, uint64_t, uint64_t>;  // two agents, the items of three kinds

Position position(const Env& env) {
  return {env.s.cell[0], env.s.cell[1], env.s.items[0], env.s.items[1], env.s.items[2]};
}

void put(Env& env, const Position& at) {
  env.s.cell[0] = static_cast<uint8_t>(std::get<0>(at));
  env.s.cell[1] = static_cast<uint8_t>(std::get<1>(at));
  env.s.items[0] = std::get<2>(at), env.s.items[1] = std::get<3>(at), env.s.items[2] = std::get<4>(at);
}

}  // namespace

TEST_CASE("the exact Pareto fronts for 6 to 9 steps are found by playing everything", "[item_gathering]") {
  const std::vector<std::pair<Points, double>> known = {
      {{{3, 2, 1}, {1, 3, 1}}, 7},
      {{{3, 2, 1}, {3, 1, 2}, {2, 2, 2}, {1, 3, 1}}, 12},
      {{{3, 3, 1}, {3, 2, 2}, {2, 3, 2}}, 17},
      {{{3, 3, 2}}, 18},
  };
  Played<Env> game(params_of<Env>("item_gathering/team_6"));
  std::set<Position> reached = {position(game.env)};
  for (int t = 1; t <= 9; ++t) {
    std::set<Position> next;
    for (const Position& from : reached) {
      for (int32_t first = 0; first < kActions; ++first) {
        for (int32_t second = 0; second < kActions; ++second) {
          put(game.env, from);
          game.step_with({first, second}, Fixed{});
          next.insert(position(game.env));
        }
      }
    }
    reached = std::move(next);
    if (t < 6) continue;
    INFO(t << " steps");
    Points collected;
    for (const Position& at : reached) {
      const auto left = [](uint64_t items) { return common::count_bits(items); };
      collected.push_back({3.0 - left(std::get<2>(at)), 3.0 - left(std::get<3>(at)), 2.0 - left(std::get<4>(at))});
    }
    const auto& [front, volume] = known[t - 6];
    CHECK(pareto_front(collected) == front);
    CHECK(hypervolume(collected, {0, 0, 0}) == volume);
  }
}

TEST_CASE("the default map", "[item_gathering]") {
  Played<Env> game(params_of<Env>("item_gathering/default"));
  CHECK(cells(game.env) == std::vector<int>{7, 56});
  CHECK(game.spec.num_objectives == 3);
  const std::vector<float> seen = game.observation(1);
  REQUIRE(seen.size() == 65);
  CHECK(seen[0] == 5);  // agent 1
  const auto at = [&](int row, int column) { return seen[1 + row * 8 + column]; };
  CHECK((at(0, 7) == 4 && at(7, 0) == 5));
  CHECK((at(4, 3) == 1 && at(5, 2) == 1 && at(5, 3) == 1));
  CHECK((at(2, 5) == 2 && at(3, 2) == 2 && at(3, 4) == 2));
  CHECK((at(3, 5) == 3 && at(5, 5) == 3));
  CHECK(std::count(seen.begin(), seen.end(), 0.0f) == 54);
  CHECK(env_spec("item_gathering/default").objectives == std::vector<std::string>{"item_1", "item_2", "item_3"});
}

TEST_CASE("moves, borders, items and the end", "[item_gathering]") {
  Played<Env> game(map_of(3, {1, 7, 0,     //
                              0, 0, 4}));  // codes need not be neighbours: kinds 1 and 0
  CHECK_FALSE(game.step({kUpward}));
  CHECK_FALSE(game.step({kLeft}));
  CHECK_FALSE(game.step({99}));
  CHECK(cells(game.env) == std::vector<int>{0});
  CHECK_FALSE(game.step({kRight}));
  CHECK(game.rewards == std::vector<float>{0, 1});
  CHECK(game.info() == std::vector<float>{0.5f});
  CHECK_FALSE(game.step({kDownward}));
  CHECK(game.rewards == std::vector<float>{0, 0});
  CHECK(game.step({kRight}));
  CHECK(game.rewards == std::vector<float>{1, 0});
}

TEST_CASE("one of two gets the cell, as the coin says", "[item_gathering]") {
  for (bool second_loses : {false, true}) {
    Played<Env> game(map_of(3, {1, 2, 1}));
    CHECK(game.step_with({kRight, kLeft}, Fixed{{second_loses}}));
    CHECK(cells(game.env) == (second_loses ? std::vector<int>{1, 2} : std::vector<int>{0, 1}));
    CHECK(game.rewards == (second_loses ? std::vector<float>{1, 0} : std::vector<float>{0, 1}));
  }
}

TEST_CASE("who stands keeps its cell, chains bounce, and places can be swapped", "[item_gathering]") {
  Played<Env> game(map_of(4, {1, 1, 1, 2}));
  game.step_with({kRight, kRight, kStay},
                 Fixed{{false, false, true, false, true}});  // the coin errs and is tossed again
  CHECK(cells(game.env) == std::vector<int>{0, 1, 2});
  game.step({kRight, kLeft, kStay});
  CHECK(cells(game.env) == std::vector<int>{1, 0, 2});
}

TEST_CASE("of three that want one cell the last has the best odds", "[item_gathering]") {
  Played<Env> game(map_of(3, {0, 1, 0,  //
                              1, 0, 1,  //
                              0, 2, 0}));
  std::vector<int> got(3, 0);
  constexpr int kTrials = 20000;
  for (int trial = 0; trial < kTrials; ++trial) {
    game.env.reset(Rng{key(0)});
    game.step({kDownward, kRight, kLeft}, Rng{fold_in(key(9), static_cast<uint32_t>(trial))});
    int winners = 0;
    for (int a = 0; a < 3; ++a) {
      got[a] += game.env.s.cell[a] == 4;
      winners += game.env.s.cell[a] == 4;
    }
    REQUIRE(winners == 1);
  }
  CHECK_THAT(double(got[0]) / kTrials, WithinAbs(0.25, 0.012));
  CHECK_THAT(double(got[1]) / kTrials, WithinAbs(0.25, 0.012));
  CHECK_THAT(double(got[2]) / kTrials, WithinAbs(0.50, 0.012));
}

TEST_CASE("a team is paid together, and a pickup can fail", "[item_gathering]") {
  Params p = map_of(3, {1, 2, 1});
  p.reward_mode = common::kTeam;
  p.pickup_probabilities = {1, {0.5f}};
  Played<Env> game(p);
  CHECK_FALSE(game.step_with({kRight, kStay}, Fixed{{}, 0.5f}));
  CHECK(game.rewards == std::vector<float>{0, 0});
  CHECK(game.observation(0) == std::vector<float>{2, 0, 2, 3});  // the agent hides the item under it
  CHECK(game.step_with({kStay, kStay}, Fixed{{}, 0.49f}));
  CHECK(game.rewards == std::vector<float>{1, 1});
}

TEST_CASE("a shuffled map keeps its border and its rows", "[item_gathering]") {
  Params p = params_of<Env>("item_gathering/random");
  std::set<std::vector<float>> maps;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Played<Env> game(p, seed);
    CHECK(cells(game.env) == std::vector<int>{7, 56});
    CHECK(game.env.items_left() == 8);
    const std::vector<float> seen = game.observation(0);
    for (int cell = 0; cell < 64; ++cell) {
      const int row = cell / 8, column = cell % 8;
      if (row < 2 || row > 5 || column < 2 || column > 5) REQUIRE((seen[1 + cell] == 0 || seen[1 + cell] > 3));
    }
    std::multiset<int> per_row;
    for (int row = 2; row < 6; ++row) {
      per_row.insert(static_cast<int>(std::count_if(&seen[1 + row * 8], &seen[1 + row * 8 + 8],
                                                    [](float code) { return code >= 1 && code <= 3; })));
    }
    CHECK(per_row == std::multiset<int>{1, 1, 3, 3});
    maps.insert(seen);
  }
  CHECK(maps.size() > 45);
}

TEST_CASE("maps that cannot be played are refused", "[item_gathering]") {
  CHECK_THROWS_AS(Played<Env>(map_of(3, {1, 2, 0, 0})), Error);  // a row is not full
  CHECK_THROWS_AS(Played<Env>(map_of(2, {0, 2})), Error);        // nobody
  CHECK_THROWS_AS(Played<Env>(map_of(2, {0, 1})), Error);        // nothing to gather
}

TEST_CASE("scattered, a map has the same items, inside of the border, and nothing lies on another",
          "[item_gathering]") {
  Params p;
  p.scatter = true;
  std::set<uint64_t> maps;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Played<Env> game(p, seed);
    const int items[] = {3, 3, 2};
    uint64_t all = 0;
    for (int kind = 0; kind < 3; ++kind) {
      const uint64_t cells = game.env.s.items[kind];
      CHECK(common::count_bits(cells) == items[kind]);
      CHECK((all & cells) == 0);
      all |= cells;
    }
    for (int cell = 0; cell < 64; ++cell) {
      const int row = cell / 8, column = cell % 8;
      if (row < 2 || row > 5 || column < 2 || column > 5) CHECK_FALSE(common::has_bit(all, cell));
    }
    for (int a = 0; a < 2; ++a) CHECK_FALSE(common::has_bit(all, game.env.s.cell[a]));
    CHECK(game.env.s.cell[0] != game.env.s.cell[1]);
    maps.insert(all);
  }
  CHECK(maps.size() > 45);
  p.randomise = true;
  CHECK_THROWS_AS(p.check(), Error);
  p.randomise = false;
  for (uint8_t& code : p.initial_map) code = code == 1 ? 1 : 2;  // more than fit
  CHECK_THROWS_AS(p.check(), Error);
}

}  // namespace throng::item_gathering
