// What a tournament says of who is how good.
#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "algos/tournament.hpp"

namespace throng {

Payoffs Tournament::payoffs() const {
  Payoffs payoffs(players);
  for (int a = 0; a < players; ++a) {
    for (int b = 0; b < players; ++b) {
      const Score& score = scores[size_t(a) * players + b];
      payoffs.record(a, b, double(score.wins[0]), double(score.draws), double(score.wins[1]));
    }
  }
  return payoffs;
}

std::pair<std::vector<double>, double> settled_alpha_rank(const std::vector<double>& matrix) {
  constexpr double kMost = 4096;
  constexpr int kEnough = 3;
  const auto order_of = [](const std::vector<double>& mass) {
    std::vector<int> order(mass.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return mass[a] > mass[b]; });
    return order;
  };
  double alpha = 1;
  std::vector<double> mass = alpha_rank(matrix, alpha);
  std::vector<int> order = order_of(mass);
  for (int same = 0; same < kEnough && alpha < kMost;) {
    alpha *= 2;
    mass = alpha_rank(matrix, alpha);
    const std::vector<int> next = order_of(mass);
    same = next == order ? same + 1 : 0;
    order = next;
  }
  return {mass, alpha};
}

Ratings rate(const Payoffs& payoffs, int anchor) {
  const std::vector<double> matrix = payoffs.matrix();
  Ratings ratings;
  ratings.anchor = anchor;
  ratings.elo = bradley_terry(payoffs, anchor);
  ratings.nash = nash_averaging(matrix);
  std::tie(ratings.alpha_rank, ratings.alpha) = settled_alpha_rank(matrix);
  ratings.cyclic = cyclic_share(matrix);
  return ratings;
}

nlohmann::ordered_json to_json(const Tournament& tournament, const std::vector<Entrant>& entrants,
                               const Ratings& ratings) {
  using nlohmann::ordered_json;
  const Payoffs payoffs = tournament.payoffs();
  const int n = tournament.players;
  ordered_json players = ordered_json::array(), rates = ordered_json::array(), lows = ordered_json::array(),
               highs = ordered_json::array(), draws = ordered_json::array(), first = ordered_json::array();
  for (int a = 0; a < n; ++a) {
    double won = 0, games = 0;
    std::vector<ordered_json> row, low, high, drawn, as_first;
    for (int b = 0; b < n; ++b) {
      const Score& here = tournament.scores[size_t(a) * n + b];
      const Score& there = tournament.scores[size_t(b) * n + a];
      const Interval interval = wilson(payoffs.wins(a, b), payoffs.games(a, b));
      const bool same = a == b || payoffs.games(a, b) == 0;
      won += same ? 0 : payoffs.wins(a, b);
      games += same ? 0 : payoffs.games(a, b);
      row.push_back(same ? ordered_json() : ordered_json(payoffs.win_rate(a, b)));
      low.push_back(same ? ordered_json() : ordered_json(interval.low));
      high.push_back(same ? ordered_json() : ordered_json(interval.high));
      drawn.push_back(same ? ordered_json() : ordered_json(here.draws + there.draws));
      as_first.push_back(same ? ordered_json()

                         : here.games() == 0
                             ? ordered_json()
                             : ordered_json((double(here.wins[0]) + double(here.draws) / 2) / double(here.games())));
    }
    rates.push_back(row), lows.push_back(low), highs.push_back(high), draws.push_back(drawn), first.push_back(as_first);
    ordered_json player = {{"name", entrants[a].name}};
    if (entrants[a].learner) player["timesteps"] = entrants[a].timesteps;
    if (entrants[a].pool) player["members"] = entrants[a].pool->size();
    player.update({{"elo", ratings.elo[a]},
                   {"win_rate", games > 0 ? won / games : 0.5},
                   {"nash", ratings.nash.mixture[a]},
                   {"nash_skill", ratings.nash.skill[a]},
                   {"alpha_rank", ratings.alpha_rank[a]}});
    players.push_back(player);
  }
  return {{"rounds", tournament.rounds},
          {"steps", tournament.steps},
          {"players", players},
          {"anchor", entrants[ratings.anchor].name},
          {"win_rate", rates},
          {"win_rate_low", lows},
          {"win_rate_high", highs},
          {"draws", draws},
          {"win_rate_as_first", first},
          {"cyclic_share", ratings.cyclic},
          {"nash_gap", ratings.nash.gap},
          {"alpha", ratings.alpha}};
}

}  // namespace throng
