// The rules of harvest on hand-made states: growth, moves, beams, respawns and time outs.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <string>
#include <vector>

#include "tests/envs/harvest_orchard.hpp"

// The cases T1 to T19 are those on which an implementation of SocialJax's rules was agreed; each agrees with SocialJax v1.2.
namespace throng::harvest {
namespace {

// Action numbers under `sjx`, by the map (east: column + 1, south: row + 1), and under the other rules, by the heading.
constexpr int32_t kTurnLeft = 0, kTurnRight = 1, kEast = 2, kWest = 3, kSouth = 4, kNorth = 5, kStay = 6, kFire = 7;
constexpr int32_t kNothing = 0, kForward = 1, kBackward = 2, kLeft = 3, kRight = 4, kToLeft = 5, kToRight = 6;

Params clean(int num_agents) {
  Params p = rules("clean", num_agents);
  p.respawn_delay = 0;
  return p;
}

}  // namespace

TEST_CASE("T1 a train moves as one", "[harvest]") {
  Orchard o(rules("sjx", 3), {{10, 10, 0}, {10, 9, 1}, {10, 8, 2}});
  o.step({kEast, kEast, kEast});
  CHECK(o.at(0) == At{10, 11, 0});
  CHECK(o.at(1) == At{10, 10, 1});
  CHECK(o.at(2) == At{10, 9, 2});
}

TEST_CASE("T2 two agents cannot change places", "[harvest]") {
  Orchard o(rules("sjx", 2), {{10, 10, 0}, {10, 11, 0}});
  o.step({kEast, kWest});
  CHECK(o.at(0) == At{10, 10, 0});
  CHECK(o.at(1) == At{10, 11, 0});
}

TEST_CASE("T3 a contested cell goes to the larger priority", "[harvest]") {
  const bool reversed = GENERATE(false, true);
  Orchard o(rules("sjx", 3), {{10, 9, 0}, {3, 3, 0}, {10, 11, 0}});
  if (reversed) o.priority = {2, 1, 0};
  o.step({kEast, kStay, kWest});
  CHECK(o.at(0) == At{10, reversed ? 10 : 9, 0});
  CHECK(o.at(2) == At{10, reversed ? 11 : 10, 0});
}

TEST_CASE("T4 who is held up holds up others", "[harvest]") {
  Orchard o(rules("sjx", 3), {{10, 9, 0}, {10, 8, 0}, {10, 10, 1}});
  o.step({kEast, kEast, kStay});
  CHECK(o.at(0) == At{10, 9, 0});
  CHECK(o.at(1) == At{10, 8, 0});
}

TEST_CASE("T5 four agents rotate", "[harvest]") {
  Orchard o(rules("sjx", 4), {{10, 10, 0}, {10, 11, 0}, {11, 11, 0}, {11, 10, 0}});
  o.step({kEast, kSouth, kWest, kNorth});
  CHECK(o.at(0) == At{10, 11, 0});
  CHECK(o.at(1) == At{11, 11, 0});
  CHECK(o.at(2) == At{11, 10, 0});
  CHECK(o.at(3) == At{10, 10, 0});
}

TEST_CASE("T6 the four cells of a beam", "[harvest]") {
  Orchard o(rules("sjx", 4), {{8, 10, 0}, {9, 10, 0}, {10, 10, 2}, {9, 11, 3}});
  o.heading = {0, 1, 2, 0};
  o.step({kFire, kStay, kStay, kStay});
  CHECK(o.next(0) == At{8, 10, 0});
  CHECK(o.next(1) == At{13, 2, 1});
  CHECK(o.next(2) == At{13, 3, 2});
  CHECK(o.next(3) == At{13, 4, 0});
  CHECK(o.at(1) == At{9, 10, 0});  // still there
  CHECK(o.marks() == Places{{9, 9}});
}

TEST_CASE("T7 a beam reaches two cells", "[harvest]") {
  Orchard o(rules("sjx", 3), {{8, 10, 0}, {10, 10, 0}, {11, 10, 0}});
  o.step({kFire, kStay, kStay});
  CHECK(o.next(1) != o.at(1));
  CHECK(o.next(2) == o.at(2));
}

TEST_CASE("T8 last step's marks stop movement under sjx, and are gone afterwards", "[harvest]") {
  Orchard o(rules("sjx", 2), {{8, 10, 0}, {9, 13, 0}});
  o.step({kFire, kStay});
  CHECK(o.marks() == Places{{9, 9}, {9, 10}, {9, 11}, {10, 10}});
  o.step({kSouth, kStay});
  CHECK(o.at(0) == At{8, 10, 0});
  CHECK(o.marks().empty());
  o.step({kSouth, kStay});
  CHECK(o.at(0) == At{9, 10, 0});

  Orchard c(clean(2), {{8, 10, 0}, {9, 13, 0}});
  c.step({kZap, kNothing});
  CHECK(c.marks() == Places{{9, 9}, {9, 10}, {9, 11}, {10, 10}});
  c.step({kForward, kNothing});
  CHECK(c.at(0) == At{9, 10, 0});
}

TEST_CASE("T9 both can hit each other", "[harvest]") {
  Orchard o(rules("sjx", 2), {{10, 10, 1}, {10, 12, 3}});
  o.heading = {1, 2};
  o.step({kFire, kFire});
  CHECK(o.next(0) == At{13, 2, 1});
  CHECK(o.next(1) == At{13, 3, 2});
  CHECK(o.marks() == Places{{9, 11}, {10, 11}, {11, 11}});
}

TEST_CASE("T10 who eats and is hit has eaten", "[harvest]") {
  Orchard o(rules("sjx", 2), {{10, 10, 0}, {12, 9, 0}});
  o.apples({{12, 10}});
  o.heading = {0, 2};
  o.step({kFire, kEast});
  CHECK(o.at(1) == At{12, 10, 0});
  CHECK(o.rewards == std::vector<float>{0, 2});  // an apple is worth the number of agents
  CHECK(o.next(1) == At{13, 2, 2});
  CHECK(o.marks() == Places{{11, 9}, {11, 10}, {11, 11}});
  CHECK(o.apples().empty());
}

TEST_CASE("rewards as vectors: own apples, what is left of all, peace", "[harvest]") {
  Params p = rules("clean", 2);
  p.components = true;
  Orchard c(p, {{9, 10, 0}, {9, 13, 0}});
  c.apples({{10, 10}, {12, 12}, {5, 5}});
  c.step({kForward, kZap});
  const float left = 2.0f / static_cast<float>(c.env.p.ground.num_sites * 1000);
  CHECK(c.rewards == std::vector<float>{1, left, 0, 0, left, -1});
}

TEST_CASE("T11 an occupied spawn is skipped", "[harvest]") {
  Orchard o(rules("sjx", 2), {{13, 2, 0}, {15, 2, 2}});
  o.heading = {0, 1};
  o.step({kFire, kStay});
  CHECK(o.next(1) == At{13, 3, 1});
}

TEST_CASE("T12 the probabilities of growth", "[harvest]") {
  Orchard o(rules("sjx", 2), {{12, 10, 0}, {12, 12, 0}});
  o.apples({{7, 0}, {2, 7}});
  o.draw(7, 1) = 0.0009f;
  o.draw(7, 2) = 0.001f;
  o.draw(2, 8) = 0.0009f;
  o.draw(2, 6) = 0.0011f;
  o.step({kStay, kStay});
  CHECK(o.apples() == Places{{2, 7}, {2, 8}, {7, 0}, {7, 1}});
}

TEST_CASE("growth by the number of neighbours, at the edge of each class", "[harvest]") {
  struct Class {
    Places apples;
    float probability;
  };
  const Class classes[] = {{{}, 0},
                           {{{6, 2}}, 0.001f},
                           {{{6, 2}, {8, 2}}, 0.005f},
                           {{{6, 2}, {8, 2}, {7, 4}}, 0.025f},
                           {{{6, 1}, {6, 2}, {6, 3}, {7, 0}, {8, 3}}, 0.025f}};
  for (const Class& c : classes) {
    for (bool below : {true, false}) {
      Orchard o(rules("clean", 1), {{12, 10, 0}});
      o.apples(c.apples);
      o.draw(7, 2) = below ? c.probability - 0x1p-23f : c.probability;
      o.step({kNothing});
      const bool grown = has_bit(o.env.s.apple[7], 2);
      CHECK(grown == (below && c.probability > 0));
    }
  }
}

TEST_CASE("T13 an apple that grows can be eaten in the same step", "[harvest]") {
  Orchard o(rules("sjx", 1), {{7, 3, 0}});
  o.apples({{7, 0}, {7, 1}, {8, 1}});
  o.draw(7, 2) = 0.02f;
  o.step({kWest});
  CHECK(o.at(0) == At{7, 2, 0});
  CHECK(o.rewards[0] == 1);
}

TEST_CASE("T14 SocialJax overlooks one neighbour in the last column", "[harvest]") {
  const bool sjx = GENERATE(true, false);
  Orchard o(rules(sjx ? "sjx" : "clean", 2), {{12, 10, 0}, {12, 12, 0}});
  o.apples({{1, 20}});
  o.draw(0, 20) = o.draw(0, 21) = o.draw(1, 21) = 0.0005f;
  o.step({sjx ? kStay : 0, sjx ? kStay : 0});
  CHECK(o.apples() == (sjx ? Places{{0, 20}, {1, 20}, {1, 21}} : Places{{0, 20}, {0, 21}, {1, 20}, {1, 21}}));
}

TEST_CASE("T15 movement ends at the border", "[harvest]") {
  Orchard o(rules("sjx", 2), {{0, 0, 0}, {15, 21, 0}});
  o.step({kNorth, kEast});
  CHECK(o.at(0) == At{0, 0, 0});
  CHECK(o.at(1) == At{15, 21, 0});
}

TEST_CASE("T16 a zap over the upper border hits the other side under sjx", "[harvest]") {
  Orchard o(rules("sjx", 3), {{0, 5, 2}, {15, 5, 0}, {14, 5, 0}});
  o.step({kFire, kStay, kStay});
  CHECK(o.next(1) != o.at(1));
  CHECK(o.next(2) != o.at(2));
  CHECK(o.marks().empty());

  Orchard c(clean(3), {{0, 5, 2}, {15, 5, 0}, {14, 5, 0}});
  c.step({kZap, kNothing, kNothing});
  CHECK(c.next(1) == c.at(1));
  CHECK(c.next(2) == c.at(2));
}

TEST_CASE("T17 a zap over the lower border hits the shooter under sjx", "[harvest]") {
  Orchard o(rules("sjx", 1), {{15, 5, 0}});
  o.step({kFire});
  CHECK(o.next(0) == At{13, 2, 0});
  Orchard c(clean(1), {{15, 5, 0}});
  c.step({kZap});
  CHECK(c.next(0) == c.at(0));
}

TEST_CASE("T18 SocialJax loses the reward of the last step", "[harvest]") {
  const bool sjx = GENERATE(true, false);
  Params p = rules(sjx ? "sjx" : "clean", 1);
  p.time_limit = 2;
  Orchard o(p, {{10, 10, 0}});
  o.apples({{11, 10}, {12, 10}});
  CHECK_FALSE(o.step({sjx ? kSouth : kForward}));
  CHECK(o.rewards[0] == 1);
  CHECK_FALSE(o.step({sjx ? kSouth : kForward}));
  CHECK(o.rewards[0] == (sjx ? 0 : 1));
  CHECK(o.env.s.eaten[0] == 2);
}

TEST_CASE("T19 apples grow before those who were hit leave", "[harvest]") {
  Orchard o(rules("sjx", 1), {{7, 1, 0}});
  o.env.s.next[0] = Orchard::pose({13, 2, 0});
  o.apples({{7, 0}, {7, 2}, {8, 1}});
  o.draw(7, 1) = 0.001f;
  o.step({kStay});
  CHECK(o.at(0) == At{13, 2, 0});
  CHECK(o.apples() == Places{{7, 0}, {7, 2}, {8, 1}});
  o.step({kStay});
  CHECK(o.apples() == Places{{7, 0}, {7, 1}, {7, 2}, {8, 1}});
}

TEST_CASE("moves and turns, by map and by heading", "[harvest]") {
  for (int heading = 0; heading < 4; ++heading) {
    Orchard o(rules("sjx", 1), {{10, 10, heading}});
    o.step({kTurnLeft});
    CHECK(o.at(0) == At{10, 10, (heading + 1) % 4});
    o.step({kTurnRight});
    CHECK(o.at(0) == At{10, 10, heading});
    o.step({kNorth});
    CHECK(o.at(0) == At{9, 10, heading});

    Orchard c(clean(1), {{10, 10, heading}});
    c.step({kToLeft});
    CHECK(c.at(0) == At{10, 10, (heading + 1) % 4});
    c.step({kToRight});
    const int row = row_step(heading), column = column_step(heading);
    for (auto [action, back] : {std::pair{kForward, kBackward}, {kLeft, kRight}}) {
      c.step({action});
      if (action == kForward) CHECK(c.at(0) == At{10 + row, 10 + column, heading});
      if (action == kLeft)
        CHECK(c.at(0) == At{10 + row_step((heading + 1) % 4), 10 + column_step((heading + 1) % 4), heading});
      c.step({back});
      CHECK(c.at(0) == At{10, 10, heading});
    }
  }
}

TEST_CASE("an action outside the range is a stay", "[harvest]") {
  for (const char* name : {"sjx", "clean", "mp"}) {
    Orchard o(rules(name, 1), {{10, 10, 1}});
    for (int action : {-1, 8, 2147483647}) {
      o.step({action});
      CHECK(o.at(0) == At{10, 10, 1});
      CHECK(o.marks().empty());
    }
  }
}
}  // namespace throng::harvest
