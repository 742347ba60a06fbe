// The rules of Breakthrough: moves, captures, both rules of the left, ends and rewards.
#include "envs/breakthrough/breakthrough.hpp"

#include <catch2/catch_test_macros.hpp>

#include "tests/envs/played.hpp"

namespace throng::breakthrough {
namespace {

using Catch::Matchers::WithinAbs;

int action(int x, int y, Way way) { return (x * 8 + y) * kWays + way; }

// A board with nothing on it but what the test puts there.
struct Board : Played<Env> {
  explicit Board(uint8_t semantics = common::kFixed, int objectives = kMaxObjectives)
      : Played(with(semantics, objectives)) {
    for (int i = 0; i < 16; ++i) env.s.pawns[i] = 0;
  }
  static Params with(uint8_t semantics, int objectives) {
    Params p;
    p.semantics = semantics, p.num_objectives = objectives;
    return p;
  }
  Board& put(int player, int x, int y) {
    env.s.pawns[player * 8 + x] |= 1u << y;
    return *this;
  }
  bool move(int x, int y, Way way) { return step({action(x, y, way), action(x, y, way)}); }
};

}  // namespace

TEST_CASE("the legal first moves", "[breakthrough]") {
  Played<Env> game({});
  CHECK(game.legal(0) == std::vector<int>{4,  5,   27,  28,  29,  51,  52,  53,  75,  76,  77,
                                          99, 100, 101, 123, 124, 125, 147, 148, 149, 171, 172});
  CHECK(game.legal(1) == std::vector<int>{0});
  CHECK_FALSE(game.step({4, 0}));
  CHECK(game.legal(0) == std::vector<int>{0});
  CHECK(game.legal(1).size() == 22);
}

TEST_CASE("ahead only where nobody is, to the sides also onto opponents", "[breakthrough]") {
  Board board;
  board.put(0, 3, 3).put(1, 2, 4).put(1, 3, 4).put(1, 4, 4);
  CHECK(board.legal(0) == std::vector<int>{action(3, 3, kLeft), action(3, 3, kRight)});
  CHECK_FALSE(board.move(3, 3, kLeft));
  CHECK(board.reward(0) == std::vector<float>{0, 0, 1.0f / 16, 0});
  CHECK(board.reward(1) == std::vector<float>{0, 0, 0, -1.0f / 16});
  CHECK((board.env.pawn(0, 2, 4) && !board.env.pawn(1, 2, 4) && !board.env.pawn(0, 3, 3)));
  board.put(0, 4, 3).put(0, 5, 3);  // own pawns are in the way
  CHECK(board.legal(1) == std::vector<int>{action(3, 4, kLeft), action(3, 4, kStraight), action(3, 4, kRight),
                                           action(4, 4, kLeft), action(4, 4, kRight)});
}

TEST_CASE("the original looks for the opponent on the wrong side", "[breakthrough]") {
  Board board(common::kMomaland);
  board.put(0, 3, 3).put(1, 2, 4).put(1, 3, 4);
  CHECK(board.legal(0) == std::vector<int>{action(3, 3, kRight)});  // no capture to the left
  board.put(1, 4, 4).put(0, 1, 2);
  CHECK(board.legal(0) == std::vector<int>{action(1, 2, kLeft), action(1, 2, kStraight), action(1, 2, kRight),
                                           action(3, 3, kLeft), action(3, 3, kRight)});
  Board own(common::kMomaland);
  own.put(0, 3, 3).put(0, 2, 4).put(1, 4, 4).put(1, 0, 7);
  CHECK_FALSE(own.move(3, 3, kLeft));  // onto an own pawn, which counts as a capture
  CHECK(own.reward(0) == std::vector<float>{0, 0, 1.0f / 16, 0});
  CHECK(own.reward(1) == std::vector<float>{0, 0, 0, -1.0f / 16});
  CHECK((own.env.pawn(0, 2, 4) && own.env.s.pawns[3] == 0));
  Board stuck(common::kMomaland);
  stuck.put(0, 7, 3).put(1, 7, 4).put(1, 6, 4);
  CHECK(stuck.legal(0) == std::vector<int>{0});
  CHECK_FALSE(stuck.step({0, 0}));
  CHECK(stuck.env.pawn(0, 7, 3));
  CHECK(stuck.env.on_turn() == 1);
}

TEST_CASE("who reaches the far row wins, and so does who takes the last pawn", "[breakthrough]") {
  Board board;
  board.put(0, 0, 6).put(1, 5, 5);
  board.env.s.moves[0] = 20;
  CHECK(board.move(0, 6, kRight));
  check_near(board.reward(0), {1, 1 - 21.0f / 161, 0, 0});
  check_near(board.reward(1), {-1, -(1 - 21.0f / 161), 0, 0});
  CHECK(board.info() == std::vector<float>{1});

  Board last;
  last.put(0, 2, 2).put(0, 0, 0).put(1, 3, 3);
  last.env.s.moves[0] = 1;
  CHECK_FALSE(last.move(3, 3, kLeft));
  CHECK_FALSE(last.move(0, 0, kStraight));
  CHECK_FALSE(last.move(2, 2, kLeft));
  CHECK(last.move(0, 1, kRight) == false);
  CHECK(last.move(1, 1, kStraight));  // player 1 reaches y = 0
  CHECK(last.reward(1)[kWin] == 1);

  Board taken(common::kFixed, 1);
  taken.put(0, 2, 2).put(1, 3, 3);
  CHECK(taken.move(2, 2, kRight));
  CHECK(taken.rewards == std::vector<float>{1, -1});
}

TEST_CASE("a move that is not legal is the first legal one", "[breakthrough]") {
  Played<Env> game({});
  game.step({0, 0});
  CHECK((game.env.pawn(0, 0, 2) && !game.env.pawn(0, 0, 1)));
  game.step({0, 1000});
  CHECK(game.env.pawn(1, 0, 5));
}

TEST_CASE("boards need not be square, and are seen from both sides", "[breakthrough]") {
  Played<Env> game(params_of<Env>("breakthrough/5x6"));
  const std::vector<float> seen = game.observation(1);
  REQUIRE(seen.size() == 30);
  for (int x = 0; x < 5; ++x) {
    CHECK(std::vector<float>(&seen[x * 6], &seen[x * 6] + 6) == std::vector<float>{2, 2, 0, 0, 1, 1});
  }
}

TEST_CASE("random games are as long as in the original", "[breakthrough]") {
  for (const char* id : {"breakthrough/8x8", "breakthrough/8x8_momaland"}) {
    INFO(id);
    const EpisodeStatistics statistics = random_play(id, 300, 700);
    CHECK(statistics.episodes > 2500);
    if (std::string(id) == "breakthrough/8x8_momaland") CHECK_THAT(statistics.length, WithinAbs(63.6, 1.2));
    CHECK(statistics.returns[kCaptures] > 0.1);
    CHECK_THAT(statistics.returns[kCaptures] + statistics.returns[kLosses], WithinAbs(0, 1e-6));
    CHECK_THAT(statistics.returns[kWin], WithinAbs(0, 1e-6));
  }
}

}  // namespace throng::breakthrough
