// The rules of principal_agents: best responses, signals with shared noise, decisions, benchmarks and regret.
#include "envs/principal_agents/principal_agents.hpp"

#include <catch2/catch_test_macros.hpp>
#include <random>

#include "tests/envs/played.hpp"

namespace throng::principal_agents {
namespace {

using Catch::Matchers::WithinAbs;

// The action that pays worker i `match[i]` for a report that matches the state, and nothing else.
std::vector<float> match_contract(const Params& p, const std::vector<float>& match) {
  std::vector<float> actions;
  for (int i = 0; i < p.num_workers; ++i) {
    for (int report = 0; report < p.num_states; ++report) {
      for (int state = 0; state < p.num_states; ++state) {
        actions.push_back(report == state ? 2 * match[i] / p.max_payment - 1 : -1.0f);
      }
    }
  }
  return actions;
}

struct Mean {
  double decision = 0, payment = 0;
};

Mean play(Played<Env>& game, const std::vector<float>& actions, int rounds) {
  Mean mean;
  for (int t = 0; t < rounds; ++t) {
    game.fly(actions, Rng{fold_in(key(3), static_cast<uint32_t>(t))});
    mean.decision += game.rewards[kDecision] / double(rounds);
    mean.payment -= game.rewards[kPayment] / double(rounds);
  }
  return mean;
}

}  // namespace

TEST_CASE("the best contracts for matches are worth what they are known to be", "[principal_agents]") {
  for (const auto& [scenario, optimum] : {std::pair{"one_worker", 0.533333f},
                                          {"one_worker_capped", 0.5f},
                                          {"two_workers", 0.675f},
                                          {"three_workers", 0.746667f},
                                          {"shared_noise", 0.525f}}) {
    INFO(scenario);
    Played<Env> game(params_of<Env>(std::string("principal_agents/") + scenario));
    CHECK_THAT(game.env.s.benchmark[0], WithinAbs(optimum, 1e-6));
  }
  Played<Env> three(params_of<Env>("principal_agents/three_workers"));
  CHECK_THAT(three.env.worth_of_profile(7), WithinAbs(0.736, 1e-6));  // all work
}

TEST_CASE("a worker works if, and only if, that pays", "[principal_agents]") {
  Played<Env> game(params_of<Env>("principal_agents/one_worker"));
  game.fly(match_contract(game.env.p, {1.0f / 3}));
  CHECK(game.env.w.effort[0] == 1);
  CHECK((game.env.w.report[0] == 0 && game.env.w.report[1] == 1));
  CHECK_THAT(game.env.expected_utility(game.env.hired()), WithinAbs(0.533333, 1e-6));
  game.fly(match_contract(game.env.p, {0.33f}));
  CHECK(game.env.w.effort[0] == 0);
  CHECK_THAT(game.env.expected_utility(game.env.hired()), WithinAbs(0.5 - 0.5 * 0.33, 1e-6));
}

TEST_CASE("a worker says what pays, and the principal knows it", "[principal_agents]") {
  Played<Env> game(params_of<Env>("principal_agents/one_worker"));
  game.fly({1, 1, -1, -1});  // paid for saying 0
  CHECK((game.env.w.effort[0] == 0 && game.env.w.report[0] == 0 && game.env.w.report[1] == 0));
  CHECK_THAT(game.env.expected_utility(game.env.hired()), WithinAbs(0.5 - 1, 1e-6));
  CHECK(game.rewards[kPayment] == -1);
  game.fly({-1, 1, 1, -1});  // paid for the opposite of the truth: it works, and lies
  CHECK((game.env.w.effort[0] == 1 && game.env.w.report[0] == 1 && game.env.w.report[1] == 0));
  CHECK_THAT(game.env.expected_utility(game.env.hired()), WithinAbs(0.8 - 0.8, 1e-6));
}

TEST_CASE("what is expected is what happens on average", "[principal_agents]") {
  std::mt19937 random(2);
  std::uniform_real_distribution<float> number(-1, 1);
  for (const char* scenario : {"two_workers", "three_workers", "shared_noise", "drawn"}) {
    Params p = params_of<Env>(std::string("principal_agents/") + scenario);
    p.rounds = 65535;
    for (uint64_t trial = 0; trial < 3; ++trial) {
      INFO(scenario << ", trial " << trial);
      Played<Env> game(p, trial);
      std::vector<float> actions = match_contract(game.env.p, std::vector<float>(p.num_workers, 0.8f));
      if (trial > 0) {
        for (float& x : actions) x = number(random);
      }
      const Mean mean = play(game, actions, 20000);
      const Team team = game.env.hired();
      const float accuracy = decision_accuracy(team, game.env.s.prior, p.num_reports());
      CHECK_THAT(mean.decision, WithinAbs(accuracy, 0.012));
      CHECK_THAT(mean.payment, WithinAbs(accuracy - game.env.expected_utility(team), 0.02));
    }
  }
}

TEST_CASE("reports are a distribution, and no worker's depends on the efforts of others", "[principal_agents]") {
  Team team{3, 3, 0.6f, {}};
  for (int i = 0; i < 3; ++i) {
    for (int signal = 0; signal < 3; ++signal) team.of[i].report[signal] = i == 2 && signal == 1 ? 0 : signal;
  }
  team.of[0].accuracy = 0.5f, team.of[0].effort = 1;
  for (int efforts = 0; efforts < 4; ++efforts) {
    team.of[1].effort = efforts & 1, team.of[1].accuracy = efforts & 1 ? 0.7f : 1.0f / 3;
    team.of[2].effort = efforts >> 1, team.of[2].accuracy = efforts >> 1 ? 0.5f : 1.0f / 3;
    for (int state = 0; state < 3; ++state) {
      double total = 0, first[3] = {};
      for (int code = 0; code < 27; ++code) {
        const int reports[] = {code % 3, code / 3 % 3, code / 9};
        const double chance = reports_chance(team, reports, state);
        total += chance, first[reports[0]] += chance;
      }
      CHECK_THAT(total, WithinAbs(1, 1e-5));
      for (int report = 0; report < 3; ++report)
        CHECK_THAT(first[report], WithinAbs(report == state ? 0.5 : 0.25, 1e-5));
    }
  }
}

TEST_CASE("two who share all their noise say the same", "[principal_agents]") {
  Played<Env> game(params_of<Env>("principal_agents/shared_noise"));
  for (int t = 0; t < 50; ++t) {
    game.fly(match_contract(game.env.p, {0.5f, 0.5f}), Rng{key(t)});
    CHECK((game.rewards[kPayment] == 0 || game.rewards[kPayment] == -1));  // both are right or neither
  }
  CHECK_THAT(game.env.expected_utility(game.env.hired()), WithinAbs(0.7 - 0.7, 1e-5));
}

TEST_CASE("regret is what better contracts would have brought", "[principal_agents]") {
  Played<Env> game(params_of<Env>("principal_agents/two_workers"));
  for (int t = 0; t < 64; ++t) CHECK_FALSE(game.fly(match_contract(game.env.p, {0.25f, 0})));
  check_near(game.info(), {0, 0.675f, 0.675f, 1}, 1e-4);
  game.env.reset(Rng{key(1)});
  for (int t = 0; t < 64; ++t) game.fly(std::vector<float>(8, -1.0f));
  check_near(game.info(), {64 * 0.175f, 0.5f, 0.675f, 1}, 1e-4);
  const std::vector<float> seen = game.observation(0);
  REQUIRE(seen.size() == 17);
  CHECK_THAT(seen[0] + seen[1] + seen[2] + seen[3], WithinAbs(1, 1e-6));
  CHECK(seen.back() == 1);
}

TEST_CASE("no contract beats the benchmark with independent noise and equal states", "[principal_agents]") {
  std::mt19937 random(4);
  std::uniform_real_distribution<float> number(-1, 1);
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Played<Env> game(params_of<Env>("principal_agents/drawn", {{"shared_noise", 0}, {"num_workers", 2}}), seed);
    CHECK(game.env.s.benchmark[0] >= 1.0f / 3 - 1e-6);
    for (int trial = 0; trial < 20; ++trial) {
      std::vector<float> actions(game.env.p.table_size());
      for (float& x : actions) x = number(random);
      if (trial > 10) actions = match_contract(game.env.p, {0.02f * trial, 0.03f * trial});
      game.fly(actions);
      CHECK(game.env.expected_utility(game.env.hired()) <= game.env.s.benchmark[0] + 1e-5);
    }
  }
}

TEST_CASE("workers who make no sense are refused", "[principal_agents]") {
  const auto config = [](const nlohmann::json& changes) {
    return params_of<Env>("principal_agents/one_worker", changes);
  };
  CHECK_THROWS_AS(config({{"costs", {0.1, 0.2}}}), Error);
  CHECK_THROWS_AS(config({{"accuracies", {0.8, 0.5}}}), Error);
  CHECK_THROWS_AS(config({{"accuracies", {0.5}}}), Error);
  CHECK_THROWS_AS(config({{"prior", {0.5, 0.6}}}), Error);
}

}  // namespace throng::principal_agents
