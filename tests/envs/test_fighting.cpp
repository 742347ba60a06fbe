// The fighting game as an environment: episodes, seats, rewards, observations, delay, built-in players.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/config.hpp"
#include "core/instance.hpp"
#include "envs/fighting/fighting.hpp"

using namespace throng;
using namespace throng::fighting;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::WithinAbs;

namespace {

Params settings(const nlohmann::json& config) {
  Params p;
  read_config(p, config, "fighting");
  p.check();
  return p;
}

// Starts as in an evaluation: full health, no meter, 128 pixels apart, ALDER twice.
nlohmann::json fixed(nlohmann::json more = nlohmann::json::object()) {
  nlohmann::json config = {{"fighter", "ALDER"},     {"opponent_fighter", "ALDER"}, {"separation_low", 128},
                           {"separation_high", 128}, {"start_offset", 0},           {"start_meter", 0},
                           {"start_health", 100}};
  config.update(more);
  return config;
}

struct Listed {
  std::vector<float> row;
  void operator()(float value) { row.push_back(value); }
};

struct Bout {
  HostInstance<Env> instance;
  std::vector<float> rewards = std::vector<float>(6, 7.0f);
  uint32_t t = 0;

  explicit Bout(const nlohmann::json& config, int seed = 0) : instance(settings(config)) {
    env().reset(Rng{fold_in(key(seed), 0)});
  }
  Env env() { return instance.env(); }
  bool step(int a = kNeutral, int b = kNeutral) {
    const int32_t actions[] = {a, b};
    ++t;
    rewards.assign(6, 0.0f);
    const int objectives = Env::spec(instance.params()).num_objectives;
    return env().step(Actions{actions}, Rewards{rewards.data(), objectives}, Rng{fold_in(key(1), t)});
  }
  // Both walk up to each other.
  Bout& meet() {
    for (int i = 0; i < 10; ++i) step(kForward, kForward);
    return *this;
  }
  std::vector<float> seen(int agent) {
    Listed out;
    env().prepare_views();
    env().observe(agent, out);
    return out.row;
  }
  std::vector<float> legal(int agent) {
    Listed out;
    env().prepare_views();
    env().avail(agent, out);
    return out.row;
  }
  std::vector<float> info() {
    Listed out;
    env().info(out);
    return out.row;
  }
  Fight fight() { return env().s.load(); }
  template <class Change>
  void change(Change change) {
    Fight f = fight();
    change(f);
    env().s.store(f);
  }
  void set_hp(int seat, int hp) {
    change([&](Fight& f) { f.fighter[seat].hp = static_cast<int16_t>(hp); });
  }
  void set_timer(int frames) {
    change([&](Fight& f) { f.timer = static_cast<int16_t>(frames); });
  }
};

}  // namespace

TEST_CASE("what cannot be played is refused by name") {
  auto refusal = [](const nlohmann::json& config) {
    try {
      settings(config);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK_THAT(refusal({{"fighter", "ALDR"}}), ContainsSubstring("unknown fighter 'ALDR': did you mean 'ALDER'"));
  CHECK_THAT(refusal({{"opponent", "difficulty_13"}}), ContainsSubstring("difficulty_12"));
  CHECK_THAT(refusal({{"player", "level_3"}}), ContainsSubstring("exchange"));
  CHECK_THAT(refusal({{"episode", "run"}}), ContainsSubstring("rung"));
  CHECK_THAT(refusal({{"reaction_delay", 6}}), ContainsSubstring("multiple of frame_skip"));
  CHECK_THAT(refusal({{"roster", "no/such.json"}}), ContainsSubstring("no/such.json"));
  CHECK_THAT(refusal({{"rung_weights", {1, 2}}}), ContainsSubstring("12"));
  CHECK_THAT(refusal({{"separation_low", 200}}), ContainsSubstring("separation_high"));
}

TEST_CASE("both see the same of each other, mirrored") {
  Bout bout(fixed());
  CHECK(bout.seen(0).size() == 184);
  CHECK(bout.seen(0) == bout.seen(1));  // they stand alike
  const auto row = bout.seen(0);
  CHECK_THAT(row[0], WithinAbs(-64.0 / 192, 1e-6));  // own place, 64 pixels behind the middle
  CHECK(row[4] == 1);                                // health
  CHECK(row[9 + kStand] == 1);
  CHECK(row[61] == 1);  // faces the opponent
  CHECK_THAT(row[152], WithinAbs(128.0 / 192, 1e-6));
  CHECK(row[158] == 1);       // ALDER
  CHECK(row[158 + 12] == 1);  // and ALDER
  bout.step(kForward, kAct5M);
  const auto left = bout.seen(0), right = bout.seen(1);
  CHECK(left != right);
  for (int i = 0; i < 62; ++i) {
    const bool x_wise = i == 0 || i == 2 || i == 8;  // seen along the look of the observer
    CHECK(left[i + 62] == (x_wise ? -right[i] : right[i]));
    CHECK(right[i + 62] == (x_wise ? -left[i] : left[i]));
  }
  CHECK(right[45 + k5M] == 1);
}

TEST_CASE("a seat is a side, and the side changes nothing that is seen") {
  Bout left(fixed({{"side", "left"}})), right(fixed({{"side", "right"}}));
  CHECK(left.env().s.seat[0] == 0);
  CHECK(right.env().s.seat[0] == 1);
  for (int i = 0; i < 60; ++i) {
    const int a = below(key(3), 2 * i, kNumActions), b = below(key(3), 2 * i + 1, kNumActions);
    left.step(a, b), right.step(a, b);
    REQUIRE(left.seen(0) == right.seen(0));
    REQUIRE(left.seen(1) == right.seen(1));
    REQUIRE(left.rewards == right.rewards);
    REQUIRE(left.legal(0) == right.legal(0));
  }
}

TEST_CASE("the mask forbids what cannot begin") {
  Bout bout(fixed());
  auto mask = bout.legal(0);
  CHECK(mask.size() == 24);
  CHECK(mask[kAct5L] == 1);
  CHECK(mask[kActA] == 1);
  CHECK(mask[kActSuper] == 0);
  CHECK(mask[kActReversal] == 0);
  bout.change([](Fight& f) { f.fighter[0].meter = 200; });
  CHECK(bout.legal(0)[kActSuper] == 1);
  for (int i = 0; i < 4; ++i) bout.step(kActA, kBack);
  mask = bout.legal(0);
  CHECK(mask[kActA] == 0);  // its bolt flies
  CHECK(mask[kActB] == 1);
}

TEST_CASE("damage is paid as shares of full health, and sums to zero") {
  Bout bout(fixed());
  bout.meet();
  bout.step(kAct5M, kNeutral);
  float first = bout.rewards[0];
  bout.step(), first += bout.rewards[0];
  CHECK_THAT(first, WithinAbs(60.0 / 950, 1e-6));
  Bout sums(fixed());
  for (int i = 0; i < 200; ++i) {
    sums.step(below(key(4), 2 * i, kNumActions), below(key(4), 2 * i + 1, kNumActions));
    REQUIRE(sums.rewards[0] + sums.rewards[1] == 0);
  }
}

TEST_CASE("the other rewards") {
  auto last_blow = [](const char* reward, int hp, int episode_rounds = 1) {
    Bout bout(fixed({{"reward", reward}, {"episode", episode_rounds == 1 ? "round" : "match"}}));
    bout.meet();
    bout.set_hp(1, hp);
    bout.step(kAct5M), bout.step();
    return bout;
  };
  CHECK(last_blow("sparse", 900).rewards[0] == 0);
  CHECK(last_blow("sparse", 20).rewards[0] == 1);
  CHECK(last_blow("sparse", 20).rewards[1] == -1);
  CHECK_THAT(last_blow("damage", 19).rewards[0], WithinAbs(1 + 19.0 / 950, 1e-6));
  CHECK_THAT(last_blow("aggressive", 900).rewards[0], WithinAbs(3 * 60.0 / 950, 1e-6));
  CHECK_THAT(last_blow("aggressive", 900).rewards[1], WithinAbs(-60.0 / 950, 1e-6));
  CHECK_THAT(last_blow("fightladder", 900).rewards[0], WithinAbs(0.001 * 3 * 176 * 60 / 950, 1e-6));
  CHECK_THAT(last_blow("fightladder", 20).rewards[0], WithinAbs(0.001 * 3 * 176, 1e-5));  // full health at the end
  CHECK_THAT(last_blow("fightladder", 20).rewards[1], WithinAbs(-0.001 * 176, 1e-5));
  CHECK(last_blow("match", 20, 2).rewards[0] == 0);  // one round of a match
  const auto parts = last_blow("components", 19).rewards;
  CHECK_THAT(parts[0], WithinAbs(19.0 / 950, 1e-6));
  CHECK(parts[1] == 0);
  CHECK(parts[2] == 1);
  CHECK(parts[3] == 0);
  CHECK_THAT(parts[4], WithinAbs(-19.0 / 950, 1e-6));
  CHECK(parts[5] == -1);
}

TEST_CASE("a match is won by two rounds; health returns, meter stays") {
  Bout bout(fixed({{"reward", "match"}}));
  auto win = [&](int seat) {
    bout.set_hp(1 - seat, 1);
    for (int i = 0; i < 40; ++i) {
      const bool near = magnitude(bout.fight().fighter[0].x - bout.fight().fighter[1].x) < 50 * kPixel;
      const int a = near ? int(kAct5L) : int(kForward);
      const int rounds = bout.env().s.rounds[0];
      const bool ended = bout.step(seat == 0 ? a : int(kNeutral), seat == 1 ? a : int(kNeutral));
      if (ended || bout.env().s.rounds[0] != rounds) return ended;
    }
    FAIL("nobody won");
    return false;
  };
  CHECK_FALSE(win(0));
  CHECK(bout.fight().fighter[1].hp == 950);
  CHECK(bout.fight().fighter[0].meter > 0);
  CHECK(bout.seen(0)[60] == 0.5f);
  CHECK_FALSE(win(1));
  CHECK(bout.rewards[0] == 0);
  CHECK(win(0));
  CHECK(bout.rewards[0] == 1);
  CHECK(bout.rewards[1] == -1);
  CHECK(bout.info()[0] == 1);
  CHECK(bout.info()[2] == 3);
}

TEST_CASE("five rounds without a winner are a draw") {
  Bout bout(fixed());
  bool ended = false;
  for (int round = 0; round < 5; ++round) {
    CHECK_FALSE(ended);
    bout.set_timer(3);
    ended = bout.step();
  }
  CHECK(ended);
  CHECK(bout.info()[1] == 1);
}

TEST_CASE("a delayed opponent is seen as it was") {
  Bout now(fixed()), late(fixed({{"reaction_delay", 8}}));
  std::vector<std::vector<float>> rows = {now.seen(0)};
  for (int i = 0; i < 30; ++i) {
    const int a = below(key(5), 2 * i, kNumActions), b = below(key(5), 2 * i + 1, kNumActions);
    now.step(a, b), late.step(a, b);
    rows.push_back(now.seen(0));
    const auto row = late.seen(0);
    const auto& then = rows[rows.size() < 3 ? 0 : rows.size() - 3];
    for (int k = 0; k < 60; ++k) REQUIRE(row[k] == rows.back()[k]);      // oneself, now
    for (int k = 62 + 9; k < 62 + 28; ++k) REQUIRE(row[k] == then[k]);   // the other's state, two decisions ago
    for (int k = 62 + 45; k < 62 + 60; ++k) REQUIRE(row[k] == then[k]);  // and its move
  }
}

TEST_CASE("hidden features are zero") {
  Bout bout(fixed({{"hide", {"meter", "move"}}, {"start_meter", 100}}), 3);
  bout.step(kNeutral, kAct5H);
  const auto row = bout.seen(0), open = bout.seen(1);
  CHECK(open[5] > 0);
  CHECK(row[62 + 5] == 0);
  CHECK(open[45 + k5H] == 1);
  for (int k = 62 + 45; k < 62 + 60; ++k) CHECK(row[k] == 0);
}

TEST_CASE("against a built-in there is one agent, and built-ins alone play by themselves") {
  Bout ladder({{"opponent", "rung"}, {"rung", 3}, {"episode", "round"}});
  CHECK(Env::spec(ladder.instance.params()).num_agents == 1);
  CHECK(std::string(ladder.instance.params().fighters.fighters[ladder.fight().fighter[1].who].name) == "EMBER");
  CHECK(ladder.env().player_of(1) == kFirstDifficulty + 2);
  Bout alone({{"player", "script_2M"}, {"opponent", "crouch_block"}, {"episode", "round"}});
  CHECK(alone.legal(0)[0] == 1);
  CHECK(alone.legal(0)[1] == 0);
  int steps = 0;
  while (!alone.step(steps % kNumActions) && steps < 2000) ++steps;
  CHECK(steps < 1000);
  CHECK(alone.info()[4] > alone.info()[5]);
}

TEST_CASE("a run climbs the ladder with every match that is won and ends with the first that is not") {
  Bout bout({{"opponent", "rung"}, {"episode", "run"}, {"rung", 1}, {"fighter", "ALDER"}}, 2);
  CHECK(bout.env().s.rung[0] == 1);
  for (int round = 0; round < 2; ++round) {
    bout.set_hp(0, 950);
    bout.set_hp(1, 1);
    bout.set_timer(2);  // time decides
    CHECK_FALSE(bout.step());
  }
  CHECK(bout.env().s.rung[0] == 2);
  CHECK(std::string(bout.instance.params().fighters.fighters[bout.fight().fighter[1].who].name) == "HUSK");
  bool ended = false;
  for (int round = 0; round < 2; ++round) {
    bout.set_hp(0, 1);
    bout.set_hp(1, 900);
    bout.set_timer(2);
    ended = bout.step();
  }
  CHECK(ended);
  CHECK(bout.info()[0] == 0);
  CHECK(bout.info()[3] == 2);
}

TEST_CASE("a run may begin at a drawn rung, and goes on from there") {
  nlohmann::json weights(12, 0);
  weights[6] = 1;
  Bout bout({{"opponent", "rung"}, {"episode", "run"}, {"rung_weights", weights}}, 2);
  CHECK(bout.env().s.rung[0] == 7);
  for (int round = 0; round < 2; ++round) {
    bout.set_hp(1, 1);
    bout.set_timer(2);
    CHECK_FALSE(bout.step());
  }
  CHECK(bout.env().s.rung[0] == 8);
}

TEST_CASE("rungs are drawn by their weights") {
  nlohmann::json weights = nlohmann::json::array();
  for (int r = 1; r <= 12; ++r) weights.push_back(r == 4 ? 3 : r == 9 ? 1 : 0);
  int fourth = 0;
  for (int seed = 0; seed < 400; ++seed) {
    Bout bout({{"opponent", "rung"}, {"rung_weights", weights}}, seed);
    REQUIRE((bout.env().s.rung[0] == 4 || bout.env().s.rung[0] == 9));
    fourth += bout.env().s.rung[0] == 4;
  }
  CHECK(fourth > 260);
  CHECK(fourth < 340);
}

TEST_CASE("starts are drawn within their ranges, for both alike") {
  int lowest = 1000, highest = 0, least_hp = 100;
  for (int seed = 0; seed < 300; ++seed) {
    Bout bout(nlohmann::json::object(), seed);
    const Fight f = bout.fight();
    const int apart = (f.fighter[1].x - f.fighter[0].x) / kPixel;
    lowest = std::min(lowest, apart), highest = std::max(highest, apart);
    for (int seat = 0; seat < 2; ++seat) {
      const int full = bout.instance.params().fighters.fighters[f.fighter[seat].who].hp;
      least_hp = std::min<int>(least_hp, f.fighter[seat].hp * 100 / full);
      CHECK(f.fighter[seat].hp <= full);
      CHECK(f.fighter[seat].meter <= 100);
    }
  }
  CHECK(lowest >= 96);
  CHECK(lowest < 100);
  CHECK(highest <= 191);
  CHECK(highest > 187);
  CHECK(least_hp >= 69);
  CHECK(least_hp < 73);
}

TEST_CASE("in motion mode an action is a direction and a button") {
  Bout bout(fixed({{"inputs", "motion"}}));
  const Spec spec = Env::spec(bout.instance.params());
  CHECK(spec.num_actions == 15);
  REQUIRE(spec.heads.size == 2);
  auto stick = [&](int direction, int button) {
    const int32_t actions[] = {direction - 1, button, 4, kNoButton};
    bout.env().step(Actions{actions, 2}, Rewards{bout.rewards.data(), 1}, Rng{});
    return bout.fight();
  };
  for (int direction : {2, 3}) stick(direction, kNoButton);
  CHECK(stick(6, kButtonLight).fighter[0].move == kSA);
  for (int i = 0; i < 30; ++i) stick(5, kNoButton);
  CHECK(stick(6, kButtonHeavy).fighter[0].move == k6H);
  for (int i = 0; i < 30; ++i) stick(5, kNoButton);
  CHECK(stick(2, kButtonMedium).fighter[0].move == k2M);
  for (int i = 0; i < 30; ++i) stick(5, kNoButton);
  stick(6, kNoButton), stick(5, kNoButton);
  CHECK(stick(6, kNoButton).fighter[0].state == kDashForward);
  CHECK(bout.legal(0).size() == 15);
}

TEST_CASE("objectives have names") {
  CHECK(Env::objective_name(settings({{"reward", "components"}}), 1) == "damage_taken");
  CHECK(Env::objective_name(settings(nlohmann::json::object()), 0) == "reward");
}
