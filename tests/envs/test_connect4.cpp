// The rules of Connect Four: rows of four, full boards, rewards of the columns, turns.
#include "envs/connect4/connect4.hpp"

#include <catch2/catch_test_macros.hpp>

#include "tests/envs/played.hpp"

namespace throng::connect4 {
namespace {

using Catch::Matchers::WithinAbs;

// Both players are told the column; who waits ignores it. True if the game is over.
bool drop(Played<Env>& game, int column) {
  const int player = game.env.on_turn();
  CHECK(game.legal(1 - player) == std::vector<int>{0});
  return game.step({column, column});
}

bool drop_all(Played<Env>& game, const std::vector<int>& columns) {
  bool over = false;
  for (int column : columns) {
    REQUIRE_FALSE(over);
    over = drop(game, column);
    if (!over) CHECK(game.rewards == std::vector<float>(game.rewards.size(), 0.0f));
  }
  return over;
}

}  // namespace

TEST_CASE("a game that player 0 wins at move 7", "[connect4]") {
  Played<Env> game({});
  CHECK(drop_all(game, {3, 3, 4, 4, 2, 2, 5}));
  check_near(game.reward(0), {1, 0.8333333f, 0, 0, 0, 0, 0, 1, 0});
  check_near(game.reward(1), {-1, -0.8333333f, 0, 0, 0, 0, 0, -1, 0});
  CHECK(game.info() == std::vector<float>{1, 0});
  std::vector<float> board(42, 0.0f);
  board[5 * 7 + 2] = board[5 * 7 + 3] = board[5 * 7 + 4] = board[5 * 7 + 5] = 1;
  board[4 * 7 + 2] = board[4 * 7 + 3] = board[4 * 7 + 4] = 2;
  CHECK(game.observation(0) == board);
  for (float& code : board) code = code == 0 ? 0 : 3 - code;
  CHECK(game.observation(1) == board);
}

TEST_CASE("four in a row in every direction", "[connect4]") {
  for (const std::vector<int>& columns : std::vector<std::vector<int>>{{0, 1, 0, 1, 0, 1, 0},  // upright
                                                                       {6, 0, 5, 0, 4, 0, 3},  // to the border
                                                                       {0, 1, 1, 2, 2, 3, 2, 3, 3, 6, 3},     // rising
                                                                       {6, 5, 5, 4, 4, 3, 4, 3, 3, 0, 3}}) {  // falling
    Played<Env> game({});
    CHECK(drop_all(game, columns));
    CHECK(game.reward(0)[kWin] == 1);
    check_near({game.reward(0)[kSpeed]}, {1 - static_cast<float>(columns.size()) / 42});
  }
}

TEST_CASE("a full board without a row is a draw that still pays columns", "[connect4]") {
  Params p;
  p.board_width = p.board_height = 4;
  Played<Env> game(p);
  CHECK(drop_all(game, {0, 0, 0, 0, 1, 1, 1, 1, 3, 2, 2, 2, 2, 3, 3, 3}));
  CHECK(game.reward(0) == std::vector<float>{0, 0, 0, 0, 0, 0});
  CHECK(game.info() == std::vector<float>{0, 1});
}

TEST_CASE("a column in a draw goes to who has more of it", "[connect4]") {
  Params p;
  p.board_width = 4, p.board_height = 5;
  Played<Env> game(p);
  game.env.s.tokens[0] = 0b10110, game.env.s.tokens[4] = 0b01001;
  game.env.s.tokens[1] = 0b01001, game.env.s.tokens[5] = 0b10110;
  game.env.s.tokens[2] = 0b10110, game.env.s.tokens[6] = 0b01001;
  game.env.s.tokens[3] = 0b00101, game.env.s.tokens[7] = 0b01010;
  game.env.s.moves[0] = 19;
  CHECK(game.legal(1) == std::vector<int>{3});
  CHECK(game.step({0, 3}));
  CHECK(game.reward(0) == std::vector<float>{0, 0, 1, -1, 1, -1});
  CHECK(game.reward(1) == std::vector<float>{0, 0, -1, 1, -1, 1});
}

TEST_CASE("a full column is not legal, and such a move is the first legal one", "[connect4]") {
  Played<Env> game({});
  drop_all(game, {0, 0, 0, 0, 0, 0});
  CHECK(game.legal(0) == std::vector<int>{1, 2, 3, 4, 5, 6});
  CHECK_FALSE(drop(game, 0));
  CHECK(game.env.height(1) == 1);
  drop(game, -5);
  drop(game, 7);
  CHECK(game.env.height(1) == 3);
}

TEST_CASE("random games are as long, and are won as often, as in the original", "[connect4]") {
  const EpisodeStatistics statistics = random_play("connect4/7x6", 1000, 220);
  CHECK(statistics.episodes > 9000);
  CHECK_THAT(statistics.length, WithinAbs(21.1, 0.6));
  CHECK_THAT(statistics.info.at("won"), WithinAbs(0.551, 0.02));
  CHECK_THAT(statistics.info.at("drawn"), WithinAbs(0.001, 0.002));
  CHECK(env_spec("connect4/7x6_two_objectives").objectives == std::vector<std::string>{"win", "speed"});
}

}  // namespace throng::connect4
