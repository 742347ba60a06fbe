// The market of principal_agents: four phases, who has a choice in each, what offers are worth, and that no money is lost.
#include <catch2/catch_test_macros.hpp>

#include "envs/principal_agents/principal_agents.hpp"
#include "tests/envs/played.hpp"

namespace throng::principal_agents {
namespace {

using Catch::Matchers::WithinAbs;

Params market(const std::string& scenario = "market") { return params_of<Env>("principal_agents/" + scenario); }

// The choices of all agents where only the first head is used.
std::vector<int32_t> choose(const Played<Market>& game, const std::vector<int>& first) {
  const int heads = game.spec.heads.size > 0 ? game.spec.heads.size : 1;
  std::vector<int32_t> actions(first.size() * heads, 0);
  for (size_t agent = 0; agent < first.size(); ++agent) actions[agent * heads] = first[agent];
  return actions;
}

Rng round_rng(int t) { return Rng{fold_in(key(5), static_cast<uint32_t>(t))}; }

// A round in which all workers make this effort and tell the truth, and the principal believes the first.
void play_round(Played<Market>& game, const std::vector<int>& offers, int effort, int t, std::vector<double>& sums) {
  const int workers = game.env.p.num_workers;
  const auto add = [&] {
    sums.resize(game.rewards.size());
    for (size_t i = 0; i < game.rewards.size(); ++i) sums[i] += game.rewards[i];
  };
  std::vector<int32_t> actions = choose(game, std::vector<int>(1 + workers, 0));
  for (int i = 0; i < workers; ++i) actions[i] = offers[i];
  game.step(actions), add();
  game.step(choose(game, std::vector<int>(1 + workers, effort)), round_rng(t)), add();
  std::vector<int> reports = {0};
  for (int i = 0; i < workers; ++i) reports.push_back(game.env.s.signal[i]);
  game.step(choose(game, reports)), add();
  std::vector<int> decision(1 + workers, 0);
  decision[0] = game.env.s.report[0];
  game.step(choose(game, decision)), add();
}

}  // namespace

TEST_CASE("a round of the market, phase by phase", "[principal_agents]") {
  Played<Market> game(market());
  REQUIRE(game.spec.num_agents == 3);
  REQUIRE((game.spec.heads.size == 2 && game.spec.heads[0] == 11 && game.spec.heads[1] == 11));
  std::vector<int> offers(22);
  for (int i = 0; i < 22; ++i) offers[i] = i;
  CHECK(game.legal(0) == offers);
  CHECK(game.legal(1) == std::vector<int>{0, 11});  // nothing to choose in either head
  game.step({5, 4, 9, 9, 9, 9});
  CHECK(game.env.s.scale[0] == 5);
  CHECK(game.env.s.scale[1] == 4);
  CHECK_THAT(game.env.s.payment[game.env.rules().index(0, 1, 1)], WithinAbs(0.5, 1e-6));
  CHECK(game.env.s.payment[game.env.rules().index(0, 1, 0)] == 0);
  CHECK(game.rewards == std::vector<float>(6, 0.0f));

  CHECK(game.legal(0) == std::vector<int>{0, 11});
  CHECK(game.legal(2) == std::vector<int>{0, 1, 11});
  game.step(choose(game, {0, 1, 0}));  // the first works
  CHECK(game.rewards == std::vector<float>{0, 0, 0, -0.1f, 0, 0});
  CHECK(game.env.s.phase[0] == kReport);

  const int signal = game.env.s.signal[0], truth = game.env.s.truth[0];
  game.step(choose(game, {1, signal, 1 - truth}));
  CHECK(game.legal(0) == std::vector<int>{0, 1, 11});
  game.step(choose(game, {truth, 1, 1}));
  const float paid = signal == truth ? 0.5f : 0.0f;
  CHECK(game.rewards == std::vector<float>{1, -paid, paid, 0, 0, 0});
  CHECK(game.env.s.phase[0] == kAnnounce);
  CHECK(game.env.s.time[0] == 1);
  CHECK(game.env.s.seen[game.env.rules().index(0, signal, truth)] == 1);
}

TEST_CASE("who sees what in the market", "[principal_agents]") {
  Played<Market> game(market("market_advice"));
  game.step({4 * 2 + 1, 3 * 2, 0, 0, 0, 0});  // the first is asked to work for 0.4, the second not to for 0.3
  CHECK(
      (game.env.s.scale[0] == 4 && game.env.s.advice[0] == 1 && game.env.s.scale[1] == 3 && game.env.s.advice[1] == 0));
  constexpr int kOffers = 6, kReports = kOffers + 4,
                kSignal = kReports + 4 + 8;  // after the phase, the role and the time
  const auto near = [](const std::vector<float>& row, int first, const std::vector<float>& want) {
    check_near({row.begin() + first, row.begin() + first + static_cast<int>(want.size())}, want);
  };
  near(game.observation(0), kOffers, {0.4f, 1, 0.3f, 0});
  near(game.observation(1), kOffers, {0.4f, 1, 0, 0});
  near(game.observation(2), kOffers, {0, 0, 0.3f, 0});
  near(game.observation(1), kSignal, {0, 0, 0, 0.5f, 0.05f, 0.7f});
  near(game.observation(0), kSignal, {0, 0, 0, 0, 0, 0});
  game.step(choose(game, {0, 1, 1}));
  const int signal = game.env.s.signal[0];
  near(game.observation(1), kSignal, {signal == 0 ? 1.0f : 0.0f, signal == 1 ? 1.0f : 0.0f});
  near(game.observation(0), kReports, {0, 0, 0, 0});
  game.step(choose(game, {0, 1, 0}));
  near(game.observation(0), kReports, {0, 1, 1, 0});
  near(game.observation(1), kReports, {0, 0, 0, 0});
  CHECK(game.env.s.obeyed[0] == 1);
}

TEST_CASE("the market pays what the contract says, and what one pays another gets", "[principal_agents]") {
  Played<Market> game(market());
  std::vector<double> sums;
  const int rounds = 4000;
  for (int t = 0; t < rounds; ++t) play_round(game, {4, 0}, 1, t, sums);
  for (double& sum : sums) sum /= rounds;
  CHECK_THAT(sums[0], WithinAbs(0.9, 0.02));         // the first worker's accuracy
  CHECK_THAT(sums[1], WithinAbs(-0.9 * 0.4, 0.01));  // its pay
  CHECK_THAT(sums[1] + sums[2] + sums[4], WithinAbs(0, 1e-5));
  CHECK_THAT(sums[3], WithinAbs(-0.1, 1e-5));
  CHECK_THAT(sums[5], WithinAbs(-0.05, 1e-5));
  const std::vector<float> info = game.info();
  CHECK_THAT(info[1], WithinAbs(sums[0] + sums[1], 1e-3));
  CHECK_THAT(info[0], WithinAbs(rounds * (0.675 - sums[0] - sums[1]), 1));
  check_near({info[3], info[4]}, {1, 1});
  CHECK_THAT(info[5], WithinAbs((0.9 * 0.4 - 0.15) / 2, 0.01));
}

TEST_CASE("by the quadratic rule the truth pays best", "[principal_agents]") {
  Params p = market();
  p.rule = kQuadratic;
  Played<Market> game(p);
  game.step({10, 10, 0, 0, 0, 0});
  const auto expected = [&](int report, float right) {  // who has seen a 1
    return right * game.env.s.payment[game.env.rules().index(0, report, 1)] +
           (1 - right) * game.env.s.payment[game.env.rules().index(0, report, 0)];
  };
  CHECK(expected(1, 0.9f) > expected(0, 0.9f) + 0.1f);
  CHECK_THAT(expected(1, 0.9f), WithinAbs(0.9 * (1 - 0.01) + 0.1 * (1 - 0.81), 1e-6));
}

TEST_CASE("with the rule agree only those are paid who say the same", "[principal_agents]") {
  Params p = market("market_advice");
  for (const int second : {0, 1}) {  // is the second asked to work?
    Played<Market> game(p);
    game.step({10 * 2 + 1, 10 * 2 + second, 0, 0, 0, 0});
    game.step(choose(game, {0, 1, 1}));
    const int truth = game.env.s.truth[0];
    game.step(choose(game, {0, truth, 1 - truth}));
    game.step(choose(game, {truth, 0, 0}));
    CHECK(game.reward(1)[kGain] == (second == 1 ? 0.0f : 1.0f));
    CHECK(game.reward(2)[kGain] == 0);
  }
}

}  // namespace throng::principal_agents
