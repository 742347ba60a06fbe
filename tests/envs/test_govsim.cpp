// The rules of govsim: rationing, months, measures, the newcomer and talk.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/instance.hpp"
#include "envs/govsim/govsim.hpp"

namespace throng::govsim {
namespace {

using Catch::Matchers::WithinAbs;

// Draws written by hand: one for each unit of a month.
struct Handed {
  std::vector<float> u;
  float another = 0;
  Pair ration(int k) const { return {u.at(2 * k), 2 * k + 1 < static_cast<int>(u.size()) ? u[2 * k + 1] : 0}; }
  float another_month() const { return another; }
};

Params checked(Params p = {}) {
  p.check();
  return p;
}

struct Village {
  HostInstance<Env> instance;
  Env env;
  std::vector<float> rewards;

  explicit Village(Params p = {}) : instance(checked(p)), env(instance.env()), rewards(env.p.num_agents) {
    env.reset(Rng{key(0)});
  }

  std::vector<int32_t> rows(const std::vector<int>& harvests, const std::vector<int>& messages) const {
    std::vector<int32_t> actions;
    for (size_t i = 0; i < harvests.size(); ++i) {
      actions.push_back(harvests[i]);
      if (env.p.vocab > 0) actions.push_back(i < messages.size() ? messages[i] : 0);
    }
    return actions;
  }
  int dim() const { return env.p.vocab > 0 ? 2 : 1; }
  bool step(const std::vector<int>& harvests, const Handed& draws, const std::vector<int>& messages = {}) {
    const auto actions = rows(harvests, messages);
    return env.step_with(Actions{actions.data(), dim()}, Rewards{rewards.data(), 1}, draws);
  }
  bool step(const std::vector<int>& harvests, uint32_t draw = 0, const std::vector<int>& messages = {}) {
    const auto actions = rows(harvests, messages);
    return env.step(Actions{actions.data(), dim()}, Rewards{rewards.data(), 1}, Rng{key(draw)});
  }
  int stock() const { return env.s.stock[0]; }
  std::vector<int> got() const {
    std::vector<int> all;
    for (int agent = 0; agent < env.p.num_agents; ++agent) all.push_back(env.s.got[agent]);
    return all;
  }
  std::map<std::string, float> measures() const {
    std::map<std::string, float> named;
    size_t next = 0;
    auto keep = [&](float value) { named[Env::kInfo[next++]] = value; };
    env.info(keep);
    return named;
  }
  std::vector<float> view(int agent) const {
    std::vector<float> features;
    auto list = [&](float value) { features.push_back(value); };
    env.observe(agent, list);
    return features;
  }
  std::vector<int> legal(int agent) const {
    std::vector<int> flags;
    auto list = [&](bool flag) { flags.push_back(flag); };
    env.avail(agent, list);
    return flags;
  }
};

// Mean measures of `games` in which agent i wants wants(env, i, draws) every month.
using Wants = std::function<int(const Env&, int agent, Rng)>;
std::map<std::string, double> play(int games, const Wants& wants, Params p = {}) {
  std::map<std::string, double> mean;
  Village v(p);
  for (int game = 0; game < games; ++game) {
    v.env.reset(Rng{});
    const Key stream = fold_in(key(3), game);
    for (int month = 0; month < v.env.p.months; ++month) {
      std::vector<int> harvests;
      const Rng rng{fold_in(fold_in(stream, 0), month)};
      for (int agent = 0; agent < v.env.p.num_agents; ++agent) harvests.push_back(wants(v.env, agent, rng));
      const auto actions = v.rows(harvests, {});
      const Rng draws{fold_in(fold_in(stream, 1), month)};
      if (v.env.step(Actions{actions.data(), v.dim()}, Rewards{v.rewards.data(), 1}, draws)) break;
    }
    for (const auto& [name, value] : v.measures()) mean[name] += value / games;
  }
  return mean;
}

}  // namespace

TEST_CASE("everybody gets what they want if there is enough, and the stock doubles", "[govsim]") {
  Village v;
  CHECK_FALSE(v.step({10, 20, 0, 5, 15}));
  CHECK(v.got() == std::vector<int>{10, 20, 0, 5, 15});
  CHECK(v.rewards == std::vector<float>{10, 20, 0, 5, 15});
  CHECK(v.stock() == 100);
  CHECK_FALSE(v.step({20, 20, 20, 0, 0}));
  CHECK(v.stock() == 80);
  CHECK(v.env.s.total[1] == 40);
  CHECK(v.env.s.month[0] == 2);
}

TEST_CASE("what is short goes unit by unit to those who still want some", "[govsim]") {
  Params p;
  p.num_agents = 3;
  p.start_stock = 5;
  Village v(p);
  // Agents 0, 1 and 2 want 1, 0 and 5: the first draw is among {0, 2}, after agent 0 has its unit all go to 2.
  CHECK(v.step({1, 0, 5}, Handed{{0.49f, 0.99f, 0.99f, 0.5f, 0.1f}}));
  CHECK(v.got() == std::vector<int>{1, 0, 4});
  Village w(p);
  CHECK(w.step({2, 3, 4},
               Handed{{0.34f, 0.0f, 0.67f, 0.33f, 0.9f}}));  // 1, 0, 2, 0 (which is enough), the last of {1, 2}
  CHECK(w.got() == std::vector<int>{2, 1, 2});
}

TEST_CASE("rationing is fair", "[govsim]") {
  double sum[5] = {}, squares = 0;
  for (uint32_t game = 0; game < 2000; ++game) {
    Village v;
    v.step({100, 100, 100, 100, 100}, game);
    for (int agent = 0; agent < 5; ++agent) sum[agent] += v.got()[agent];
    squares += (v.got()[0] - 20) * (v.got()[0] - 20);
  }
  for (double all : sum) CHECK_THAT(all / 2000, WithinAbs(20, 0.36));  // four standard errors
  CHECK_THAT(squares / 2000, WithinAbs(16, 2));                        // the variance of a binomial: 100 / 5 * 4 / 5
}

TEST_CASE("less than five left is a collapse, five are not", "[govsim]") {
  Village dead, alive;
  CHECK(dead.step({20, 20, 20, 20, 16}));
  CHECK(dead.measures()["collapsed"] == 1);
  CHECK(dead.measures()["survival_time"] == 1);
  CHECK_FALSE(alive.step({20, 20, 20, 20, 15}));
  CHECK(alive.stock() == 10);
  CHECK(alive.measures()["survived"] == 1);

  Params p;
  p.end_on_collapse = false;
  Village on(p);
  CHECK_FALSE(on.step({20, 20, 20, 20, 16}));
  CHECK(on.stock() == 0);
  CHECK_FALSE(on.step({20, 20, 20, 20, 16}));
  CHECK(on.rewards == std::vector<float>(5, 0));
  CHECK(on.measures()["survival_time"] == 1);
}

TEST_CASE("the worked values of the rules", "[govsim]") {
  const auto fixed = [](int units) { return [=](const Env&, int, Rng) { return units; }; };
  const auto all_but_one = [](int units) {
    return [=](const Env& env, int agent, Rng) { return agent == 0 ? units : env.fair_share(); };
  };
  const auto uniform = [](int most) {  // more than there is counts as everything
    return [=](const Env&, int agent, Rng rng) { return rng.below(agent, most + 1); };
  };
  const auto at_last = [](const Env& env, int, Rng) {
    return env.s.month[0] == 11 ? env.s.stock[0] : env.fair_share();
  };
  struct Row {
    const char* behaviour;
    Wants wants;
    double months, efficiency, equality, over_usage, gain;
    int games;
  };
  const Row rows[] = {
      {"all take 10", fixed(10), 12, 1, 1, 0, 120, 1},
      {"all take 11", fixed(11), 4, .325, .972, .97, 39, 1000},
      {"all take 12", fixed(12), 3, .267, .963, .98, 32, 1000},
      {"all take 20", fixed(20), 1, .167, 1, 1, 20, 1},
      {"all want everything", fixed(100), 1, .167, .90, .99, 20, 1000},
      {"one wants 20", all_but_one(20), 4, .307, .765, .20, 36.8, 1},
      {"one wants 15", all_but_one(15), 7, .460, .823, .20, 55.2, 1},
      {"one wants everything", all_but_one(100), 1, .167, .600, .20, 20, 1000},
      {"the fair share, everything in month 12", at_last, 12, 1, .985, .08, 130, 1000},
      {"uniform, 0 to the stock", uniform(100), 1.01, .167, .827, .89, 20, 4000},
      {"uniform, 0 to 20", uniform(20), 5.3, .413, .877, .61, 49.6, 4000},
      {"uniform, 0 to 10", uniform(10), 12, .5, .917, 0, 60, 1000},
  };
  for (const Row& row : rows) {
    INFO(row.behaviour);
    auto m = play(row.games, row.wants);
    std::printf("%s: months %.2f, efficiency %.3f, equality %.3f, over-usage %.3f, gain %.1f\n", row.behaviour,
                m["survival_time"], m["efficiency"], m["equality"], m["over_usage"], m["gain_mean"]);
    CHECK_THAT(m["survival_time"], WithinAbs(row.months, 0.12));
    CHECK_THAT(m["efficiency"], WithinAbs(row.efficiency, 0.006));
    CHECK_THAT(m["equality"], WithinAbs(row.equality, 0.006));
    CHECK_THAT(m["over_usage"], WithinAbs(row.over_usage, 0.011));
    CHECK_THAT(m["gain_mean"], WithinAbs(row.gain, row.games > 1 ? 0.8 : 0.05));
  }
  CHECK(play(1, at_last)["collapsed"] == 1);
}

TEST_CASE("a newcomer joins in its month, and the fair share knows it", "[govsim]") {
  Params p;
  p.newcomer_month = 3;
  p.months = 15;
  Village v(p);
  CHECK(v.env.fair_share() == 12);
  CHECK_FALSE(v.env.active(4));
  CHECK(v.view(4)[2] == 0);
  CHECK(v.view(4)[3] == 1);
  CHECK(v.view(3)[3] == 0);
  CHECK(v.legal(4) == [] {
    std::vector<int> none(101, 0);
    none[0] = 1;
    return none;
  }());
  for (int month = 0; month < 3; ++month) {
    v.step({12, 12, 12, 12, 50});
    CHECK(v.got()[4] == 0);
    CHECK(v.rewards[4] == 0);
  }
  CHECK(v.env.active(4));
  CHECK(v.env.fair_share() == 10);
  CHECK_FALSE(v.step({10, 10, 10, 10, 10}));
  CHECK(v.got()[4] == 10);
  CHECK(v.stock() == 100);
}

TEST_CASE("harvests as twentieths of the stock, and per head", "[govsim]") {
  Params p;
  p.harvest_actions = kFractions;
  p.start_stock = 90;
  Village bins(p);
  CHECK(Env::spec(bins.env.p).num_actions == 21);
  bins.step({0, 1, 2, 3, 4});
  CHECK(bins.got() == std::vector<int>{0, 4, 9, 13, 18});
  p.harvest_actions = kPerHead;
  p.start_stock = 7;
  Village heads(p);
  CHECK(heads.legal(0) == std::vector<int>{1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  heads.step({1, -3, 0, 0, 999}, Handed{std::vector<float>(8, 0.99f)});
  CHECK(heads.env.s.want[1] == 0);
  CHECK(heads.env.s.want[4] == 7);
}

TEST_CASE("messages are heard in the next month, and proposals are kept or not", "[govsim]") {
  Params p;
  p.vocab = 23;
  Village v(p);
  const Spec spec = Env::spec(v.env.p);
  CHECK(spec.heads.size == 2);
  CHECK(spec.num_actions == 101 + 23);
  CHECK(v.view(0).size() == 13 + 5 * 23);
  v.step({10, 10, 10, 10, 10}, 0, {12, 12, 12, 1, 99});  // three propose 10, one accuses, one is not understood
  const auto view = v.view(3);
  CHECK(view[11 + 1] == 1);            // oneself: an accusation
  CHECK(view[11 + 23 + 0] == 1);       // agent 4: silence
  CHECK(view[11 + 2 * 23 + 12] == 1);  // agent 0
  CHECK(v.env.median_proposal() == 10);
  CHECK(v.measures()["agreement"] == 1);   // three of five
  CHECK(v.measures()["compliance"] == 0);  // nothing to follow yet
  v.step({10, 11, 10, 9, 10}, 0, {2, 22, 0, 0, 0});
  CHECK_THAT(v.measures()["compliance"], WithinAbs(0.8, 1e-6));
  CHECK(v.measures()["agreement"] == 0.5f);
  CHECK(v.env.median_proposal() == 0);  // the lower one of two
}

TEST_CASE("with rounds of talk the stock grows after the last one", "[govsim]") {
  Params p;
  p.vocab = 23;
  p.talk_rounds = 2;
  Village v(p);
  CHECK(Env::spec(v.env.p).time_limit == 36);
  CHECK(v.legal(0)[50] == 1);
  CHECK(v.legal(0)[101 + 5] == 0);  // no talk while they harvest
  CHECK_FALSE(v.step({19, 19, 19, 19, 20}, 0, {5, 5, 5, 5, 5}));
  CHECK(v.env.s.message[0] == kSilent);
  CHECK(v.stock() == 4);
  CHECK(v.legal(0)[1] == 0);
  CHECK(v.legal(0)[101 + 5] == 1);
  CHECK_FALSE(v.step({50, 50, 0, 0, 0}, 0, {5, 5, 5, 5, 5}));
  CHECK(v.env.s.message[0] == 5);
  CHECK(v.rewards == std::vector<float>{19, 19, 19, 19, 20});  // not touched: the batch has set them to zero
  CHECK(v.env.s.total[0] == 19);
  CHECK(v.step({0, 0, 0, 0, 0}, 0, {5, 5, 5, 5, 5}));  // the collapse, after the talk
  CHECK(v.env.s.month[0] == 1);
}

TEST_CASE("horizons: the month is hidden, or another one comes by chance", "[govsim]") {
  Params p;
  Village fixed(p);
  fixed.step({0, 0, 0, 0, 0});
  CHECK_THAT(fixed.view(0)[1], WithinAbs(1 / 12., 1e-6));
  p.horizon = kHidden;
  Village hidden(p);
  hidden.step({0, 0, 0, 0, 0});
  CHECK(hidden.view(0)[1] == 0);
  p.horizon = kGeometric;
  Village chance(p);
  CHECK(Env::spec(chance.env.p).time_limit == 0);
  CHECK_FALSE(chance.step({10, 10, 10, 10, 10}, Handed{{}, 0.97f}));
  CHECK(chance.step({10, 10, 10, 10, 10}, Handed{{}, 0.98f}));
  CHECK(chance.measures()["survived"] == 1);
  CHECK(chance.measures()["efficiency"] == 1);  // of the two months that there were
}

TEST_CASE("growth and the sustainable harvest", "[govsim]") {
  Params p = checked();
  for (int stock = 0; stock <= 100; ++stock) CHECK(p.sustainable(stock) == stock / 2);
  p.growth = 1.5f;
  CHECK(p.grown(60) == 90);
  CHECK(p.grown(90) == 100);
  CHECK(p.sustainable(90) == 30);
  p.growth_law = kLogistic;
  p.growth = 1;
  CHECK(p.grown(50) == 75);
  CHECK(p.sustainable(75) == 25);
  CHECK(p.sustainable(100) == 0);
  Village wasted;
  wasted.step({0, 0, 0, 0, 10});
  CHECK(wasted.measures()["wasted"] == 80);
}

TEST_CASE("in proportion, rounded down", "[govsim]") {
  Params p;
  p.allocation = kProportional;
  Village v(p);
  v.step({100, 100, 50, 25, 25});
  CHECK(v.got() == std::vector<int>{33, 33, 16, 8, 8});
}

TEST_CASE("the scripted people", "[govsim]") {
  Village v;
  v.step({30, 0, 10, 0, 0});
  const auto want = [&](Player player, int agent) { return scripted_want(v.env, player, agent); };
  CHECK(want(kSustain, 0) == 10);
  CHECK(want(kGreedy, 0) == 100);
  CHECK(want(kMatch, 0) == 2);
  CHECK(want(kMatch, 1) == 10);
  v.env.reset(Rng{});
  CHECK(want(kMatch, 1) == 10);  // nothing to match yet
}

TEST_CASE("what cannot be played is refused", "[govsim]") {
  Params p;
  p.talk_rounds = 1;
  CHECK_THROWS_AS(p.check(), Error);  // no words to talk in
  p = {};
  p.num_agents = 17;
  CHECK_THROWS_AS(p.check(), Error);
  p = {};
  p.start_stock = 101;
  CHECK_THROWS_AS(p.check(), Error);
}

}  // namespace throng::govsim
