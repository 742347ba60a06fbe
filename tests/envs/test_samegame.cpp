// The rules of SameGame: groups, falling, closing up, whose turn it is and who is paid.
#include "envs/samegame/samegame.hpp"

#include <catch2/catch_test_macros.hpp>
#include <random>

#include "tests/envs/played.hpp"

namespace throng::samegame {
namespace {

using Catch::Matchers::WithinAbs;

Params sized(int width, int height, int colours, int players = 1) {
  Params p;
  p.board_width = width, p.board_height = height, p.num_colours = colours, p.num_agents = players;
  return p;
}

// Rows from the top, as in "2112/1211".
void put(Env& env, const std::string& rows) {
  int cell = 0;
  for (char c : rows) {
    if (c != '/') env.s.tile[cell++] = static_cast<uint8_t>(c - '0');
  }
  env.find_legal();
}

std::string board(const Env& env) {
  std::string rows;
  for (int cell = 0; cell < env.p.grid().num_cells(); ++cell) {
    if (cell > 0 && cell % env.p.board_width == 0) rows += '/';
    rows += static_cast<char>('0' + env.s.tile[cell]);
  }
  return rows;
}

}  // namespace

TEST_CASE("a game of two players on four by four", "[samegame]") {
  Played<Env> game(sized(4, 4, 2, 2));
  put(game.env, "2112/1211/1211/1211");
  CHECK(game.legal(1) == std::vector<int>{0});
  CHECK_FALSE(game.step({1, 0}));
  CHECK(game.rewards == std::vector<float>{64, 0, 0, 0});
  CHECK(board(game.env) == "2000/1200/1200/1220");
  CHECK(game.legal(0) == std::vector<int>{0});
  CHECK(game.legal(1) == std::vector<int>{4, 5, 8, 9, 12, 13, 14});
  CHECK_FALSE(game.step({0, 4}));
  CHECK(game.rewards == std::vector<float>{0, 0, 9, 0});
  CHECK(board(game.env) == "0000/0200/0200/2220");
  CHECK(game.step({5, 0}));
  CHECK(game.rewards == std::vector<float>{0, 25, 0, 0});
  CHECK(board(game.env) == "0000/0000/0000/0000");
  CHECK(game.info() == std::vector<float>{0});
}

TEST_CASE("columns close up to the left", "[samegame]") {
  Played<Env> game(sized(5, 3, 3));
  put(game.env, "12130/12130/32123");
  CHECK_FALSE(game.step({2}));  // three of colour 1 in the middle; the column closes
  CHECK(game.rewards == std::vector<float>{9, 0, 0});
  CHECK(board(game.env) == "12300/12300/32230");
  CHECK(game.observation(0).size() == 15);
}

TEST_CASE("groups wind through the board", "[samegame]") {
  Played<Env> game(sized(7, 5, 2));
  put(game.env, "1111111/2222221/1111111/1222222/1111111");
  CHECK_FALSE(game.step({0}));
  CHECK(game.rewards[0] == 23 * 23);
  CHECK(board(game.env) == "0000000/0000000/0000000/0222220/2222222");
}

TEST_CASE("who is paid, and for what", "[samegame]") {
  Params p = sized(3, 3, 3, 2);
  p.team_rewards = true;
  Played<Env> team(p);
  put(team.env, "123/231/331");
  team.step({6, 0});
  CHECK(team.rewards == std::vector<float>{0, 0, 9, 0, 0, 9});
  p.colour_rewards = false, p.team_rewards = false;
  Played<Env> single(p);
  put(single.env, "123/231/331");
  single.step({6, 0});
  CHECK(single.rewards == std::vector<float>{9, 0});
}

TEST_CASE("a move that is not legal is the first legal one, and a dead board ends", "[samegame]") {
  Played<Env> game(sized(3, 3, 3));
  put(game.env, "121/212/133");
  CHECK(game.legal(0) == std::vector<int>{7, 8});
  CHECK_FALSE(game.step({0}));
  CHECK(game.rewards == std::vector<float>{0, 0, 4});
  CHECK(board(game.env) == "100/221/112");
  put(game.env, "121/212/121");
  CHECK(game.legal(0) == std::vector<int>{0});
  CHECK(game.step({0}));
  CHECK(game.rewards == std::vector<float>{0, 0, 0});
}

TEST_CASE("tiles are neither made nor lost", "[samegame]") {
  std::mt19937 random(3);
  for (const Params& p : {sized(15, 15, 5), sized(3, 30, 2), sized(30, 3, 4)}) {
    Played<Env> game(p);
    int tiles = p.board_width * p.board_height;
    for (bool over = false; !over;) {
      const std::vector<int> legal = game.legal(0);
      over = game.step({legal[random() % legal.size()]});
      float reward = 0;
      for (float r : game.rewards) reward += r;
      tiles -= static_cast<int>(std::sqrt(reward) + 0.5f);
      REQUIRE_THAT(game.info()[0] * p.board_width * p.board_height, WithinAbs(tiles, 1e-3));
      // Nothing hangs in the air, and no column right of an empty one stands.
      for (int cell = 0; cell < p.grid().num_cells(); ++cell) {
        const int below = p.grid().neighbour(cell, common::kDown), left = p.grid().neighbour(cell, common::kLeftward);
        if (game.env.s.tile[cell] == 0) continue;
        if (below >= 0) REQUIRE(game.env.s.tile[below] != 0);
        if (below < 0 && left >= 0) REQUIRE(game.env.s.tile[left] != 0);
      }
    }
  }
}

TEST_CASE("every episode has a board of its own, with all colours alike", "[samegame]") {
  std::vector<int> count(6, 0);
  Params p;
  Played<Env> first(p, 1), second(p, 2);
  CHECK(board(first.env) != board(second.env));
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Played<Env> game(p, seed);
    for (int cell = 0; cell < 225; ++cell) ++count[game.env.s.tile[cell]];
  }
  CHECK(count[0] == 0);
  for (int colour = 1; colour <= 5; ++colour) CHECK_THAT(count[colour] / 9000.0, WithinAbs(0.2, 0.02));
}

TEST_CASE("the original's numbers of actions are for square boards", "[samegame]") {
  CHECK_THROWS_AS(params_of<Env>("samegame/8x5", {{"semantics", "momaland"}}), Error);
  CHECK_NOTHROW(params_of<Env>("samegame/15x15", {{"semantics", "momaland"}}));
}

}  // namespace throng::samegame
