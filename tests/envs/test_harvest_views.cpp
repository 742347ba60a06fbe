// What agents of harvest see, may do and are paid, and the rules of `clean` and `mp` that SocialJax does not have.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <map>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "tests/envs/harvest_orchard.hpp"

namespace throng::harvest {
namespace {

using Catch::Matchers::WithinAbs;
using Seen = std::map<std::pair<int, int>, int>;  // (line, i) -> code

// A wall at (5, 10) and nothing else: the map of the observation test.
Params one_wall(const std::string& name) {
  std::string text;
  for (int row = 0; row < 16; ++row) {
    std::string line(22, '.');
    if (row == 0) line[0] = line[1] = 'o';
    if (row == 15) line[0] = line[1] = 's';
    if (row == 5) line[10] = '#';
    if (row == 8) line[13] = 'o';
    text += line + "\n";
  }
  Params p = rules(name, 2, text);
  p.respawn_delay = name == "mp" ? 2 : 0;
  return p;
}

// What is not floor, without walls off the map.
Seen seen(Orchard& o, int agent) {
  Seen found;
  const std::vector<int> view = o.view(agent);
  REQUIRE(view.size() == 121);
  for (int i = 0; i < 121; ++i) {
    if (view[i] != 0) found[{i / 11, i % 11}] = view[i];
  }
  return found;
}

void without_border(Seen& found, const Seen& kept) {
  for (auto cell = found.begin(); cell != found.end();) {
    cell = cell->second == 1 && !kept.count(cell->first) ? found.erase(cell) : std::next(cell);
  }
}

std::vector<int> legal(const Env& env, int agent) {
  std::vector<int> flags;
  auto list = [&](bool flag) { flags.push_back(flag); };
  env.avail(agent, list);
  return flags;
}

}  // namespace

TEST_CASE("the window of each heading under sjx", "[harvest]") {
  // Codes: 4 + 2 r for an agent, r = 4 for the observer; 10 more for the agent that the observer takes for itself.
  const Seen want[] = {{{{1, 5}, 12}, {{3, 6}, 16}, {{1, 8}, 3}},
                       {{{9, 5}, 12}, {{8, 7}, 14}, {{6, 5}, 3}, {{9, 2}, 1}},
                       {{{1, 5}, 12}, {{1, 2}, 3}, {{4, 5}, 1}},
                       {{{9, 5}, 12}, {{10, 3}, 18}, {{9, 8}, 1}}};
  for (int heading = 0; heading < 4; ++heading) {
    Orchard o(one_wall("sjx"), {{8, 10, heading}, {10, 11, 1}});
    o.apples({{8, 13}});
    Seen found = seen(o, 0);
    without_border(found, want[heading]);
    INFO("heading " << heading);
    CHECK(found == want[heading]);
  }
}

TEST_CASE("the window of each heading looks ahead under clean", "[harvest]") {
  const Seen want[] = {{{{9, 5}, 4}, {{7, 4}, 6}, {{9, 2}, 3}},
                       {{{9, 5}, 4}, {{8, 7}, 5}, {{6, 5}, 3}, {{9, 2}, 1}},
                       {{{9, 5}, 4}, {{9, 8}, 3}, {{6, 5}, 1}},
                       {{{9, 5}, 4}, {{10, 3}, 7}, {{9, 8}, 1}}};
  for (int heading = 0; heading < 4; ++heading) {
    Orchard o(one_wall("clean"), {{8, 10, heading}, {10, 11, 1}});
    o.apples({{8, 13}});
    Seen found = seen(o, 0);
    without_border(found, want[heading]);
    INFO("heading " << heading);
    CHECK(found == want[heading]);
  }
}

TEST_CASE("cells off the map are walls, and a mark is seen", "[harvest]") {
  Orchard o(rules("clean", 1), {{0, 0, 3}});  // in the corner, looking out
  const std::vector<int> view = o.view(0);
  for (int line = 0; line < 11; ++line) {
    for (int i = 0; i < 11; ++i) {
      // Heading 3 looks to lower columns; to the right of it are lower rows.
      const int row = 5 - i, column = line - 9;
      const int code = row < 0 || column < 0 ? 1 : row == 0 && column == 0 ? 4 : 0;
      CHECK(view[line * 11 + i] == code);
    }
  }
  Orchard zapped(rules("clean", 1), {{8, 10, 1}});
  zapped.step({kZap});
  CHECK(zapped.view(0)[8 * 11 + 5] == 2);
  CHECK(zapped.view(0)[7 * 11 + 5] == 2);
  CHECK(zapped.view(0)[8 * 11 + 4] == 2);
  CHECK(zapped.view(0)[9 * 11 + 4] == 0);
}

TEST_CASE("the picture of a window shows its codes, oneself looking up", "[harvest]") {
  Orchard o(one_wall("clean"), {{8, 10, 1}, {10, 11, 1}});  // see above: a wall, an apple, the other at {8, 7}
  o.apples({{8, 13}});
  const auto pixels = [&](int agent) {
    Canvas canvas(11 * 20);
    o.env.render_view(agent, canvas);
    return [image = canvas.image()](int line, int i, int down = 10, int right = 10) {  // within the cell
      const auto* rgb = image.rgb.data() + 3 * ((line * 20 + down) * image.width + i * 20 + right);
      return std::vector<int>(rgb, rgb + 3);
    };
  };
  const auto rgb = [](Color color) { return std::vector<int>{color.red, color.green, color.blue}; };
  const auto of_first = pixels(0);
  CHECK(of_first(9, 2) == rgb(kWallColor));
  CHECK(of_first(6, 5) == rgb(kAppleColor));
  CHECK(of_first(5, 5) == rgb(kFloorColor));
  CHECK(of_first(9, 5) == rgb(agent_color(0, 2)));
  CHECK(of_first(9, 5, 7, 10) == rgb(agent_color(0, 2)));  // narrow ahead, wide behind
  CHECK(of_first(9, 5, 7, 6) == rgb(kFloorColor));
  CHECK(of_first(9, 5, 16, 6) == rgb(agent_color(0, 2)));
  CHECK(of_first(8, 7) == rgb(kOtherColor));
  o.put(1, {10, 11, 2});  // it turns to the left
  const auto turned_left = pixels(0);
  CHECK(turned_left(8, 7, 10, 7) == rgb(kOtherColor));
  CHECK(turned_left(8, 7, 6, 7) == rgb(kFloorColor));
  CHECK(turned_left(8, 7, 6, 16) == rgb(kOtherColor));
  o.put(0, {0, 0, 3});  // looks off the map
  CHECK(pixels(0)(0, 0) == rgb(kWallColor));
  o.env.s.pose[0] = kNoPose;
  CHECK(pixels(0)(9, 5) == rgb(kFloorColor));
}

TEST_CASE("a code of a window says what it was made of", "[harvest]") {
  for (const char* name : {"clean", "mp", "sjx"}) {
    Orchard o(one_wall(name), {{8, 10, 1}, {10, 11, 3}});
    o.env.s.eaten[1] = 1;
    o.apples({{10, 11}});
    const std::string set = name;
    const Code itself = Code::of(o.env.p.rule, o.view(0)[9 * 11 + 5]);
    const Code other = Code::of(o.env.p.rule, o.view(0)[8 * 11 + 7]);
    INFO(name);
    CHECK((itself.kind == Code::kAgent && itself.itself && !itself.sign && itself.turn == 0));
    CHECK((other.kind == Code::kAgent && other.itself == (set == "sjx") && other.turn == 2));
    CHECK(other.sign == (set != "clean"));
  }
}

TEST_CASE("sjx shows who has eaten, counted in a signed byte", "[harvest]") {
  Orchard o(one_wall("sjx"), {{8, 10, 1}, {8, 12, 1}});
  const std::pair<int, int> other = {7, 5}, itself = {9, 5};
  for (auto [eaten, shown] : {std::pair{0, 0}, {1, 1}, {127, 1}, {128, 0}, {255, 0}, {256, 0}, {257, 1}}) {
    o.env.s.eaten[0] = o.env.s.eaten[1] = static_cast<uint16_t>(eaten);
    CHECK(seen(o, 0)[itself] == 12 + shown);
    CHECK(seen(o, 0)[other] == 14 + shown);
  }
  CHECK(seen(o, 1)[itself] == 22 + 1);  // the last agent knows itself
}

TEST_CASE("who is hit is out for as many steps as the delay says", "[harvest]") {
  Params p = rules("clean", 2);
  p.respawn_delay = 3;
  Orchard o(p, {{8, 10, 0}, {9, 10, 0}});
  o.heading = {0, 3};
  o.step({kZap, 0});
  for (int step = 0; step < 3; ++step) {
    CHECK(o.env.active(0));
    CHECK_FALSE(o.env.active(1));
    CHECK(legal(o.env, 1) == std::vector<int>{1, 0, 0, 0, 0, 0, 0, 0});
    CHECK(o.view(1) == std::vector<int>(121, 0));
    CHECK(seen(o, 0).count({8, 5}) == 0);
    o.step({0, kZap});  // whatever it does, it does not happen
    CHECK(o.marks().empty());
    CHECK(o.rewards[1] == 0);
  }
  CHECK(o.env.active(1));
  CHECK(o.at(1) == At{13, 2, 3});
  CHECK(o.next(1) == o.at(1));
  CHECK(o.env.s.tally[kStepsAway] == 3);
  CHECK(o.view(1)[9 * 11 + 5] == 4);
}

TEST_CASE("walls shield under clean", "[harvest]") {
  std::string text;
  for (const char* row : {"so.....", ".......", ".......", "...#...", ".......", "s......", "s......"})
    text += row + std::string("\n");
  Params p = rules("clean", 3, text);
  p.respawn_delay = 0;
  Orchard behind(p, {{2, 3, 0}, {4, 3, 0}, {3, 4, 0}});  // a wall ahead: not beyond it, but beside it
  behind.step({kZap, 0, 0});
  CHECK(behind.next(1) == behind.at(1));
  CHECK(behind.next(2) != behind.at(2));
  CHECK(behind.marks() == Places{{3, 2}});

  for (char letter : {'#', '.'}) {
    std::string corner = text;
    corner[2 * 8 + 4] = letter;  // beside the shooter, to its left
    Params q = rules("clean", 3, corner);
    q.respawn_delay = 0;
    Orchard o(q, {{2, 3, 0}, {6, 6, 0}, {3, 4, 0}});
    o.step({kZap, 0, 0});
    CHECK((o.next(2) == o.at(2)) == (letter == '#'));
  }
}

TEST_CASE("the beam of mp has three lanes that end at walls and agents", "[harvest]") {
  Params p = rules("mp", 3);  // the map "open": length 3
  Orchard o(p, {{8, 10, 0}, {9, 10, 0}, {10, 10, 0}});
  o.step({kZap, 0, 0});
  CHECK_FALSE(o.env.active(1));
  CHECK(o.env.active(2));  // behind the first
  CHECK(o.marks() == Places{{8, 9}, {8, 11}, {9, 9}, {9, 11}, {10, 9}, {10, 11}});
  CHECK(legal(o.env, 0)[kZap] == 0);  // two steps of waiting
  o.step({kZap, 0, 0});
  CHECK(o.marks().empty());
  CHECK(legal(o.env, 0)[kZap] == 0);
  o.step({kZap, 0, 0});
  CHECK(legal(o.env, 0)[kZap] == 1);
  o.step({kZap, 0, 0});
  CHECK_FALSE(o.marks().empty());
}

TEST_CASE("under mp agents move in turn", "[harvest]") {
  const bool leader_first = GENERATE(true, false);
  Orchard o(rules("mp", 2), {{10, 10, 1}, {10, 11, 1}});
  o.priority = {leader_first ? 0 : 1, leader_first ? 1 : 0};
  o.step({1, 1});  // agent 0 follows agent 1
  CHECK(o.at(1) == At{10, 12, 1});
  CHECK(o.at(0) == At{10, leader_first ? 11 : 10, 1});
}

TEST_CASE("under mp apples grow after the moves, under agents as well, and are eaten on entering", "[harvest]") {
  Orchard o(rules("mp", 2), {{7, 2, 1}, {12, 2, 1}});
  o.apples({{6, 2}, {8, 2}, {7, 1}});
  o.draw(7, 2) = 0.02f;
  o.step({0, 0});
  CHECK(has_bit(o.env.s.apple[7], 2));
  CHECK(o.view(0)[9 * 11 + 5] == 9);  // oneself with an apple under it
  o.step({0, 0});
  CHECK(o.rewards[0] == 0);
  o.step({1, 0});
  o.step({2, 0});
  CHECK(o.rewards[0] == 1);
}

TEST_CASE("under mp an episode can end every 100 steps from step 1000 on", "[harvest]") {
  HostInstance<Env> instance([] {
    Params p = rules("mp", 1);
    p.check();
    return p;
  }());
  Env env = instance.env();
  int ended = 0, asked = 0;
  for (uint32_t t = 0; t < 2000; ++t) {
    env.reset(Rng{key(t)});
    float reward = 0;
    const int32_t action = 0;
    env.s.tally[kSteps] = t < 100 ? 899 : t < 200 ? 1048 : 1099 + 100 * (t % 7);
    const bool end = env.step(Actions{&action}, Rewards{&reward, 1}, Rng{key(t)});
    if (t < 200) CHECK_FALSE(end);
    asked += t >= 200;
    ended += end;
  }
  CHECK_THAT(static_cast<double>(ended) / asked, WithinAbs(0.15, 0.03));  // three standard deviations are 0.025
}

TEST_CASE("rewards: one of three agents eats, or nobody", "[harvest]") {
  struct Case {
    const char* rules;
    SocialMode mode;
    float angle, interest;
    std::vector<float> one_eats, idle;
  };
  const Case cases[] = {
      {"sjx", kIndividualReward, 45, .5f, {3, 0, 0}, {0, 0, 0}},
      {"sjx", kSharedReward, 45, .5f, {1, 1, 1}, {0, 0, 0}},
      {"sjx", kInequity, 45, .5f, {2.85f, -7.5f, -7.5f}, {-10.1f, -10.1f, -10.1f}},
      {"sjx", kSvo, 90, .5f, {.6438f, 0, 0}, {-2.3562f, -2.3562f, -2.3562f}},
      {"sjx", kInterest, 45, .25f, {.75f, 1.125f, 1.125f}, {0, 0, 0}},
      {"clean", kIndividualReward, 45, .5f, {1, 0, 0}, {0, 0, 0}},
      {"clean", kSharedReward, 45, .5f, {1, 1, 1}, {0, 0, 0}},
      {"clean", kInequity, 45, .5f, {.95f, -2.5f, -2.5f}, {0, 0, 0}},
      {"clean", kInterest, 45, .25f, {.25f, .375f, .375f}, {0, 0, 0}},
  };
  for (const Case& c : cases) {
    for (bool eats : {true, false}) {
      Params p = rules(c.rules, 3);
      p.social.reward = c.mode;
      p.social.svo_angle = c.angle;
      p.social.self_interest = c.interest;
      p.social.inequity_trace = 0;
      Orchard o(p, {{7, 5, 1}, {12, 8, 1}, {12, 12, 1}});
      if (eats) o.apples({{7, 4}});
      const int back = std::string(c.rules) == "sjx" ? 3 : 2, stay = std::string(c.rules) == "sjx" ? 6 : 0;
      o.step({back, stay, stay});
      for (int agent = 0; agent < 3; ++agent) {
        INFO(c.rules << ", mode " << c.mode << ", agent " << agent << (eats ? ", one eats" : ", nobody eats"));
        CHECK_THAT(o.rewards[agent], WithinAbs((eats ? c.one_eats : c.idle)[agent], 1e-4));
      }
    }
  }
}

TEST_CASE("envy fades by the trace, and only shaped agents feel it", "[harvest]") {
  Params p = rules("clean", 2);
  p.social.reward = kInequity;
  p.social.inequity_trace = 0.5f;
  p.social.shaped_agents.push_back(1);
  p.zap_cost = 0.25f;
  Orchard o(p, {{7, 5, 1}, {12, 8, 1}});
  o.apples({{7, 4}});
  o.step({2, 0});
  CHECK(o.rewards == std::vector<float>{1, -5});
  o.step({0, 0});
  CHECK(o.rewards == std::vector<float>{0, -2.5f});
  o.step({0, kZap});
  CHECK(o.rewards == std::vector<float>{0, -1.5f});
}

TEST_CASE("the four maps of a page of rules, and what is refused", "[harvest]") {
  struct Facts {
    const char* name;
    int height, width, sites, outer, inner;
  };
  for (const Facts& f : {Facts{"open", 16, 22, 64, 60, 2},
                         {"closed", 16, 22, 64, 19, 2},
                         {"partnership", 16, 22, 64, 19, 2},
                         {"orchard-open", 18, 24, 62, 27, 2},
                         {"orchard-gated", 18, 24, 60, 27, 2},
                         {"orchard-twin-gate", 18, 24, 60, 27, 2},
                         {"mini", 7, 9, 10, 3, 0}}) {
    INFO(f.name);
    const Map map = read_map(map_text(f.name));
    CHECK(map.height == f.height);
    CHECK(map.width == f.width);
    CHECK(map.num_sites == f.sites);
    CHECK(map.num_outer == f.outer);
    CHECK(map.num_inner == f.inner);
  }
  const Map open = read_map(map_text("open"));
  CHECK(open.site_place(4) == place_at(0, 14));
  CHECK(open.site_place(63) == place_at(9, 19));
  CHECK(open.site_at(9, 19) == 63);
  CHECK(open.outer_place(0) == place_at(13, 2));
  CHECK(open.inner_place(1) == place_at(6, 15));
  CHECK_THROWS_AS(map_text("opne"), Error);
  CHECK_THROWS_AS(read_map("so\n...\n"), Error);
  CHECK_THROWS_AS(read_map("sox\n"), Error);
  CHECK_THROWS_AS(read_map("s..\n"), Error);
  CHECK_THROWS_AS(rules("clean", 4, "mini").check(), Error);
  Params mp = rules("mp", 7, "closed");
  mp.check();
  CHECK(mp.ground.num_outer == 60);
  CHECK(mp.rule.respawn_delay == 100);
}

}  // namespace throng::harvest
