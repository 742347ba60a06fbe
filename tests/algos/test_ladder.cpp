// Ratings, equilibria and matchmaking against answers that are known.
#include "algos/ladder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <numeric>

#include "algos/matchmaker.hpp"
#include "algos/nash.hpp"
#include "core/error.hpp"

using namespace throng;
using Catch::Matchers::WithinAbs;

namespace {

const std::vector<double> kRps = {0, -1, 1, 1, 0, -1, -1, 1, 0};  // rock, paper, scissors

void check_near(const std::vector<double>& got, const std::vector<double>& want, double tolerance) {
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    INFO("element " << i);
    CHECK_THAT(got[i], WithinAbs(want[i], tolerance));
  }
}

}  // namespace

TEST_CASE("payoffs count draws as halves, decay, and are antisymmetric") {
  Payoffs payoffs(3);
  CHECK(payoffs.win_rate(0, 1) == 0.5);
  payoffs.record(0, 1, 6, 2, 2);
  CHECK_THAT(payoffs.win_rate(0, 1), WithinAbs(0.7, 1e-12));
  CHECK_THAT(payoffs.win_rate(1, 0), WithinAbs(0.3, 1e-12));
  check_near(payoffs.matrix(), {0, 0.4, 0, -0.4, 0, 0, 0, 0, 0}, 1e-12);
  payoffs.record(0, 1, 0, 0, 100, 0.5);  // the ten old games count half
  CHECK_THAT(payoffs.games(0, 1), WithinAbs(105, 1e-12));
  CHECK_THAT(payoffs.wins(0, 1), WithinAbs(3.5, 1e-12));
}

TEST_CASE("payoffs of a pool that grows, and from what was saved of them") {
  Payoffs payoffs(2);
  payoffs.record(0, 1, 3, 1, 0);
  CHECK(payoffs.add_player() == 2);
  CHECK(payoffs.wins(0, 1) == 3.5);
  CHECK(payoffs.games(1, 0) == 4);
  CHECK(payoffs.win_rate(2, 0) == 0.5);
  payoffs.record(2, 0, 1, 0, 0, 0.9);
  const Payoffs again(payoffs.all_wins(), payoffs.all_games());
  CHECK(again.players() == 3);
  CHECK(again.matrix() == payoffs.matrix());
  CHECK(again.games(0, 2) == 1);
  CHECK_THROWS_AS(Payoffs({1, 2, 3}, {1, 2, 3}), Error);
}

TEST_CASE("Wilson's interval") {
  const Interval i = wilson(7, 10);
  CHECK_THAT(i.low, WithinAbs(0.3968, 1e-4));
  CHECK_THAT(i.high, WithinAbs(0.8922, 1e-4));
  CHECK(wilson(0, 20).low == 0);
}

TEST_CASE("Elo expects 0.76 of 200 points more, and moves by K times the surprise") {
  CHECK_THAT(elo_expected(1200, 1000), WithinAbs(0.759747, 1e-6));
  double a = 1000, b = 1000;
  elo_update(a, b, 1, 32);
  CHECK(a == 1016);
  CHECK(b == 984);
}

TEST_CASE("Bradley-Terry finds the ratings that made the games") {
  const std::vector<double> ratings = {1000, 1150, 900, 1400};
  Payoffs payoffs(4);
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < i; ++j) {
      const double w = elo_expected(ratings[i], ratings[j]);
      payoffs.record(i, j, 1e6 * w, 0, 1e6 * (1 - w));
    }
  }
  check_near(bradley_terry(payoffs, 0, 1000, 0), ratings, 1e-3);
  Payoffs perfect(2);
  perfect.record(0, 1, 10, 0, 0);
  const double gap = bradley_terry(perfect)[0] - bradley_terry(perfect)[1];
  CHECK(std::isfinite(gap));
  CHECK_THAT(gap, WithinAbs(400 * std::log10(10.05 / 0.05), 1e-6));
}

TEST_CASE("alpha-rank: a cycle is even, two players have a closed form, the best takes all in the end") {
  check_near(alpha_rank(kRps, 1), {1.0 / 3, 1.0 / 3, 1.0 / 3}, 1e-12);
  const std::vector<double> two = {0, 0.1, -0.1, 0};
  const double x = 0.5 * 50 / 49 * 0.1, odds = std::exp(49 * x);
  check_near(alpha_rank(two, 0.5), {odds / (1 + odds), 1 / (1 + odds)}, 1e-12);
  const std::vector<double> ladder = {0, 0.2, 0.4, -0.2, 0, 0.2, -0.4, -0.2, 0};
  check_near(alpha_rank(ladder, 100), {1, 0, 0}, 1e-9);
  CHECK_THROWS_AS(alpha_rank({1, 2, 3}, 1), Error);
}

TEST_CASE("the cyclic share of a cycle is 1, of a ladder 0") {
  CHECK_THAT(cyclic_share(kRps), WithinAbs(1, 1e-12));
  CHECK_THAT(cyclic_share({0, 0.2, 0.4, -0.2, 0, 0.2, -0.4, -0.2, 0}), WithinAbs(0, 1e-12));
}

TEST_CASE("regret matching solves the wake-up situation of the fighting game") {
  // Rows: meaty low, throw, overhead, shimmy, bait. Columns: block low, block high, tech, riser, mash, back-dash, jump back.
  const std::vector<double> wakeup = {0,   25, 0,    -100, 178, 25, 25,  //
                                      120, 0,  0,    -100, -25, 0,  0,   //
                                      70,  0,  70,   -119, 83,  70, 70,  //
                                      0,   0,  0,    177,  -25, 0,  0,   //
                                      0,   0,  -120, 177,  0,   0,  0};
  const MatrixEquilibrium e = regret_matching(wakeup, 5, 1e-6);
  CHECK(e.gap <= 1e-6 * 298);
  CHECK_THAT(e.value, WithinAbs(10.9, 0.05));
  CHECK_THAT(e.row[0], WithinAbs(0.43, 0.01));
  CHECK_THAT(e.row[2], WithinAbs(0.15, 0.01));
  CHECK_THAT(e.row[3] + e.row[4], WithinAbs(0.41, 0.01));
  CHECK_THAT(e.column[1], WithinAbs(0.68, 0.05));
  check_near(regret_matching(kRps, 3).row, {1.0 / 3, 1.0 / 3, 1.0 / 3}, 1e-3);
  CHECK_THROWS_AS(regret_matching({1, 2, 3}, 2), Error);
}

TEST_CASE("Nash averaging: copies share, the dominant takes all, and the gap is what it says") {
  check_near(nash_averaging(kRps).mixture, {1.0 / 3, 1.0 / 3, 1.0 / 3}, 1e-6);
  // Rock twice.
  const std::vector<double> copied = {0, 0, -1, 1, 0, 0, -1, 1, 1, 1, 0, -1, -1, -1, 1, 0};
  check_near(nash_averaging(copied).mixture, {1.0 / 6, 1.0 / 6, 1.0 / 3, 1.0 / 3}, 1e-6);
  check_near(nash_averaging({0, 0.2, 0.4, -0.2, 0, 0.2, -0.4, -0.2, 0}).mixture, {1, 0, 0}, 1e-6);
  // A cycle of unequal edges, and one that all beat.
  const std::vector<double> uneven = {0, -0.5, 0.2, 0.3, 0.5, 0, -0.8, 0.1, -0.2, 0.8, 0, 0.4, -0.3, -0.1, -0.4, 0};
  const NashAverage average = nash_averaging(uneven);
  check_near(average.mixture, {0.8 / 1.5, 0.2 / 1.5, 0.5 / 1.5, 0}, 1e-5);
  CHECK(average.gap < 1e-5);
  CHECK(average.skill[3] < -0.1);
  CHECK_THROWS_AS(nash_averaging({0, 1, 1, 0}), Error);
}

TEST_CASE("Nash averaging of a large random matrix has a small gap") {
  const int n = 40;
  std::vector<double> a(n * n, 0.0);
  uint32_t state = 1;
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < i; ++j) {
      state = state * 1664525u + 1013904223u;
      a[i * n + j] = double(state >> 8) / double(1 << 23) - 1;
      a[j * n + i] = -a[i * n + j];
    }
  }
  const NashAverage average = nash_averaging(a);
  CHECK(average.gap < 1e-5);
  CHECK_THAT(std::accumulate(average.mixture.begin(), average.mixture.end(), 0.0), WithinAbs(1, 1e-12));
}

TEST_CASE("weights of prioritised self-play") {
  const std::vector<double> w = {0.2, 0.5, 1.0};
  check_near(pfsp(w, Pfsp::hard), {0.64 / 0.89, 0.25 / 0.89, 0}, 1e-12);
  check_near(pfsp(w, Pfsp::linear), {0.8 / 1.3, 0.5 / 1.3, 0}, 1e-12);
  check_near(pfsp(w, Pfsp::capped), {0.5, 0.5, 0}, 1e-12);
  check_near(pfsp(w, Pfsp::even), {0.16 / 0.41, 0.25 / 0.41, 0}, 1e-12);
  check_near(pfsp({1, 1}, Pfsp::hard), {0.5, 0.5}, 1e-12);
  CHECK(pfsp({}, Pfsp::hard).empty());
}

TEST_CASE("the monotone tail is cut") {
  CHECK(without_monotone_tail({0.9, 0.8, 0.7}) == 0);
  CHECK(without_monotone_tail({0.5, 0.9, 0.8, 0.7}) == 2);
  CHECK(without_monotone_tail({0.5, 0.6}) == 2);
  CHECK(without_monotone_tail({0.5}) == 0);
}

TEST_CASE("a league's main agents, exploiters and snapshots meet by the rules") {
  League league;
  league.members = {{Role::main, false, -1},
                    {Role::main_exploiter, false, -1},
                    {Role::league_exploiter, false, -1},
                    {Role::main, true, 0},
                    {Role::main, true, 0},
                    {Role::main_exploiter, true, 1}};
  Payoffs payoffs(6);
  payoffs.record(0, 3, 60, 0, 40);
  payoffs.record(0, 4, 80, 0, 20);
  payoffs.record(0, 5, 20, 0, 80);
  payoffs.record(1, 0, 5, 0, 95);
  payoffs.record(1, 3, 50, 0, 50);
  payoffs.record(1, 4, 10, 0, 90);
  payoffs.record(2, 3, 90, 0, 10);
  // Main: half against snapshots by (1 - w)^2; an exploiter beats it, so verification is all for that; the rest is self-play.
  const double sum = 0.16 + 0.04 + 0.64;
  check_near(opponents(league, payoffs, 0), {0.35, 0, 0, 0.5 * 0.16 / sum, 0.5 * 0.04 / sum, 0.5 * 0.64 / sum + 0.15},
             1e-12);
  // Its exploiter is too weak for it, so it meets the snapshots by w (1 - w).
  check_near(opponents(league, payoffs, 1), {0, 0, 0, 0.25 / 0.34, 0.09 / 0.34, 0}, 1e-12);
  // The league exploiter: all snapshots by min(1/2, 1 - w); two it never met.
  check_near(opponents(league, payoffs, 2), {0, 0, 0, 0.1 / 1.1, 0.5 / 1.1, 0.5 / 1.1}, 1e-12);
  CHECK_THROWS_AS(opponents(league, payoffs, 4), Error);
  // Without the exploiter's snapshot, verification looks at the old selves: 0.6, 0.8 has no tail, the least is below 0.7.
  league.members.pop_back();
  Payoffs fewer(5);
  fewer.record(0, 3, 60, 0, 40);
  fewer.record(0, 4, 80, 0, 20);
  check_near(opponents(league, fewer, 0), {0.35, 0, 0, 0.65 * 0.8, 0.65 * 0.2}, 1e-12);
}

TEST_CASE("snapshots are due by wins or by time, and exploiters start anew") {
  League league;
  league.members = {{Role::main, false, -1}, {Role::main_exploiter, false, -1}, {Role::main, true, 0}};
  Payoffs payoffs(3);
  payoffs.record(0, 2, 75, 0, 25);
  payoffs.record(1, 0, 60, 0, 40);
  CHECK_FALSE(snapshot_due(league, payoffs, 0, 1e7));
  CHECK(snapshot_due(league, payoffs, 0, 2e7));
  CHECK_FALSE(snapshot_due(league, payoffs, 1, 3e7));
  CHECK(snapshot_due(league, payoffs, 1, 4e7));
  CHECK(reset_probability(Role::main) == 0);
  CHECK(reset_probability(Role::main_exploiter) == 1);
  CHECK(reset_probability(Role::league_exploiter) == 0.25);
}
