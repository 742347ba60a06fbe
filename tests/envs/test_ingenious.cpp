// The rules of Ingenious: the board, the first round, lines, both rules of the highest score, racks and the bag.
#include "envs/ingenious/ingenious.hpp"

#include <catch2/catch_test_macros.hpp>
#include <numeric>
#include <random>

#include "tests/envs/played.hpp"

namespace throng::ingenious {
namespace {

using Catch::Matchers::WithinAbs;

Params sized(int board_size, int players = 2, uint8_t semantics = common::kFixed) {
  Params p;
  p.board_size = board_size, p.num_agents = players, p.semantics = semantics;
  return p;
}

int cell_at(const Params& p, int q, int r) {
  for (int cell = 0; cell < p.num_cells; ++cell) {
    if (p.q[cell] == q && p.r[cell] == r) return cell;
  }
  return kNoCell;
}

int tile_of(const Params& p, int low, int high) {
  for (int tile = 0; tile < p.num_tiles; ++tile) {
    if (p.low[tile] == low && p.high[tile] == high) return tile;
  }
  return kNoTile;
}

// A game in which the test lays what it wants where it wants.
struct Table : Played<Env> {
  using Played::Played;

  void colour(int q, int r, int value) { env.s.colour[cell_at(env.p, q, r)] = static_cast<uint8_t>(value); }

  // The player on turn lays a tile of these colours on (q, r) and the cell in this direction.
  bool lay(int q, int r, int direction, int first, int second) {
    const int player = env.s.turn[0];
    env.s.rack[player * env.p.rack_size] = static_cast<uint8_t>(tile_of(env.p, first, second));
    const int action = (cell_at(env.p, q, r) * kDirections + direction) * env.p.rack_size;
    return step(std::vector<int32_t>(env.p.num_agents, action));
  }
};

int pairs(Table& table) { return static_cast<int>(table.legal(0).size()) / table.env.p.rack_size; }

}  // namespace

TEST_CASE("boards of every size, and the pairs of cells that are legal at first", "[ingenious]") {
  struct Known {
    int side, cells, normal, first_round;
  };
  for (const Known& known : {Known{3, 19, 48, 48},
                             {4, 37, 144, 96},
                             {5, 61, 276, 108},
                             {6, 91, 444, 108},
                             {7, 127, 648, 108},
                             {8, 169, 888, 108},
                             {9, 217, 1164, 108},
                             {10, 271, 1476, 108}}) {
    INFO("side " << known.side);
    Table table(sized(known.side));
    CHECK(table.env.p.num_cells == known.cells);
    CHECK(pairs(table) == known.first_round);
    table.env.s.round[0] = 1;
    CHECK(pairs(table) == known.normal);
    CHECK(table.legal(1) == std::vector<int>{0});
  }
}

TEST_CASE("bags", "[ingenious]") {
  const auto tiles = [](int colours, int side) {
    Params p = sized(side);
    p.num_colours = colours;
    Played<Env> game(p);
    return std::accumulate(game.env.p.copies, game.env.p.copies + game.env.p.num_tiles, 0);
  };
  CHECK(tiles(6, 6) == 120);
  CHECK(tiles(6, 9) == 240);
  for (int colours : {2, 3, 4, 5}) CHECK(tiles(colours, 6) == 120);
  Played<Env> game({});
  CHECK(game.env.tiles_in_bag() == 120 - 12);
}

TEST_CASE("in the first round every corner is used once", "[ingenious]") {
  Table table(sized(6));
  const int corner_q = 5, corner_r = 0;  // corner 0, colour 1
  REQUIRE(cell_at(table.env.p, corner_q, corner_r) == table.env.p.corner[0]);
  CHECK_FALSE(table.lay(4, 0, 3, 1, 2));  // next to the corner, away from it
  CHECK(table.reward(0) == std::vector<float>{1, 0, 0, 0, 0, 0});
  CHECK(table.env.s.used[0] == 1);
  CHECK(static_cast<int>(table.legal(1).size()) / 6 == 90);
  CHECK_FALSE(table.lay(0, 0, 0, 1, 2));  // not legal in this round: the first that is
  CHECK(table.env.s.colour[cell_at(table.env.p, 0, 0)] == 0);
  CHECK((table.env.s.round[0] == 1 && table.env.s.turn[0] == 0));
  CHECK_FALSE(table.lay(0, 0, 0, 1, 2));
  CHECK(table.env.s.colour[cell_at(table.env.p, 0, 0)] == 1);
}

TEST_CASE("lines of both halves are counted, but not through the tile itself", "[ingenious]") {
  Table table(sized(6));
  table.env.s.round[0] = 1;
  for (int q : {1, 2, 4}) table.colour(q, 0, 3);   // two in a row, a gap, one more
  table.colour(0, -1, 3), table.colour(0, -2, 3);  // and two more
  table.colour(-2, 0, 4), table.colour(-1, 1, 4), table.colour(-1, -1, 3);
  CHECK_FALSE(table.lay(0, 0, 3, 3, 4));  // 3 on (0, 0), 4 on (-1, 0)
  CHECK(table.reward(0) == std::vector<float>{0, 0, 4, 2, 0, 0});
  CHECK(table.reward(1) == std::vector<float>{0, 0, 0, 0, 0, 0});
  CHECK(table.env.s.turn[0] == 1);

  Table twice(sized(6));  // both halves of one colour
  twice.env.s.round[0] = 1;
  twice.colour(2, 0, 5), twice.colour(-1, 0, 5), twice.colour(0, 1, 5);
  twice.lay(0, 0, 0, 5, 5);
  CHECK(twice.reward(0)[4] == 3 + 1);  // (0, 1) touches (0, 0) and, from (1, 0), in direction (-1, 1)
}

TEST_CASE("the highest score", "[ingenious]") {
  const auto with_score = [](uint8_t semantics, int score) {
    auto table = std::make_unique<Table>(sized(6, 2, semantics));
    table->env.s.round[0] = 1;
    table->env.score(0, 3) = static_cast<int16_t>(score);
    for (int q : {1, 2}) table->colour(q, 0, 3);
    table->lay(0, 0, 3, 3, 4);  // worth 2
    return table;
  };
  struct Known {
    uint8_t semantics;
    int before, reward, after;
    bool again;
  };
  for (const Known& known : {Known{common::kFixed, 10, 2, 12, false},
                             {common::kFixed, 16, 2, 18, true},
                             {common::kFixed, 17, 1, 18, true},
                             {common::kFixed, 18, 0, 18, false},
                             {common::kMomaland, 16, 2, 18, false},
                             {common::kMomaland, 17, 1, 18, true},
                             {common::kMomaland, 18, 2, 20, false},
                             {common::kMomaland, 20, -2, 18, true}}) {
    INFO("semantics " << int(known.semantics) << ", before " << known.before);
    const auto table = with_score(known.semantics, known.before);
    CHECK(table->reward(0)[2] == known.reward);
    CHECK(table->env.score(0, 3) == known.after);
    CHECK(table->env.s.turn[0] == (known.again ? 0 : 1));
  }
}

TEST_CASE("who is paid", "[ingenious]") {
  for (const auto& [mode, paid] : {std::pair{kCompetitive, std::vector<float>{0, 1, 0, 0}},
                                   {kCollaborative, {1, 1, 1, 1}},
                                   {kTwoTeams, {0, 1, 0, 1}}}) {
    Params p = sized(6, 4);
    p.reward_mode = mode;
    Table table(p);
    CHECK(table.env.p.highest_score == (mode == kCompetitive ? 18 : mode == kTwoTeams ? 36 : 72));
    table.env.s.turn[0] = 1, table.env.s.round[0] = 1;
    table.colour(1, 0, 3);
    table.lay(0, 0, 3, 3, 4);
    for (int agent = 0; agent < 4; ++agent) CHECK(table.reward(agent)[2] == paid[agent]);
  }
}

TEST_CASE("racks move up and are filled, and useless ones are exchanged", "[ingenious]") {
  Table table(sized(6));
  table.env.s.round[0] = 1;
  const auto rack = [&] {
    std::vector<int> tiles;
    for (int slot = 0; slot < 6; ++slot) tiles.push_back(table.env.s.rack[slot]);
    return tiles;
  };
  std::vector<int> before = rack();
  const int place = cell_at(table.env.p, 0, 0) * kDirections;
  table.step({place * 6 + 2, 0});
  before.erase(before.begin() + 2);
  std::vector<int> after = rack();
  after.pop_back();
  CHECK(after == before);

  Table poor(sized(6));
  poor.env.s.round[0] = 1;
  const int useless = tile_of(poor.env.p, 1, 1);
  for (int slot = 0; slot < 6; ++slot) poor.env.s.rack[slot] = static_cast<uint8_t>(useless);
  for (int tile = 0; tile < poor.env.p.num_tiles; ++tile) poor.env.s.bag[tile] = tile == useless ? 1 : 0;
  poor.env.s.bag[tile_of(poor.env.p, 2, 3)] = 6;
  poor.env.score(0, 1) = 5;  // the only colour that it holds is not its lowest
  struct First {             // the last tile in the bag for the refill
    int tile(int draw, int count) const { return draw == 0 ? 0 : count - 1; }
  };
  poor.step_with({place * 6, 0}, First{});
  for (int slot = 0; slot < 6; ++slot) CHECK(poor.env.s.rack[slot] == tile_of(poor.env.p, 2, 3));
  CHECK(poor.env.s.bag[useless] == 6);
}

TEST_CASE("tiles are neither made nor lost, and games end when no pair of cells is empty", "[ingenious]") {
  std::mt19937 random(5);
  for (const char* id : {"ingenious/2_players", "ingenious/4_players", "ingenious/2_players_small"}) {
    INFO(id);
    Table table(params_of<Env>(id));
    const Params& p = table.env.p;
    int laid = 0;
    for (bool over = false; !over; ++laid) {
      const int player = table.env.s.turn[0];
      const std::vector<int> legal = table.legal(player);
      REQUIRE(legal.size() > 0);
      std::vector<int32_t> actions(p.num_agents, 0);
      actions[player] = legal[random() % legal.size()];
      over = table.step(actions, Rng{key(random())});
      int held = 0, coloured = 0;
      for (int i = 0; i < p.num_agents * p.rack_size; ++i) held += table.env.s.rack[i] != kNoTile;
      for (int cell = 0; cell < p.num_cells; ++cell) coloured += table.env.s.colour[cell] != 0;
      REQUIRE(coloured == 6 + 2 * (laid + 1));
      REQUIRE(held + table.env.tiles_in_bag() + laid + 1 == 120);
      for (float reward : table.rewards) REQUIRE(reward >= 0);
    }
    CHECK(!table.env.any_pair());
    CHECK(table.env.s.rack[(table.env.s.turn[0] + p.num_agents - 1) % p.num_agents * p.rack_size + p.rack_size - 1] ==
          kNoTile);
  }
}

TEST_CASE("players see themselves first", "[ingenious]") {
  Params p = sized(4, 3);
  p.fully_obs = true, p.rack_size = 2, p.num_colours = 3;
  Table table(p);
  table.env.score(2, 1) = 7;
  const std::vector<float> seen = table.observation(2);
  REQUIRE(seen.size() == 49 + 3 * 4 + 9);
  CHECK(seen[49 + 12] == 7);
  CHECK(seen[49] == table.env.p.low[table.env.s.rack[2 * 2]]);
  CHECK(seen[6 * 7 + 3] == 1);                    // corner 0: q = 3, r = 0
  CHECK((seen[0] == 0 && seen[6 * 7 + 6] == 0));  // outside
}

TEST_CASE("random games are as long as in the original", "[ingenious]") {
  const EpisodeStatistics statistics = random_play("ingenious/2_players_momaland", 100, 400);
  CHECK(statistics.episodes > 900);
  CHECK_THAT(statistics.length, WithinAbs(38.1, 0.8));
}

}  // namespace throng::ingenious
