// Rating players by the games they played.
#include "algos/ladder.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <utility>

#include "core/error.hpp"

namespace throng {
namespace {

int side_of(const std::vector<double>& matrix) {
  const int n = static_cast<int>(std::lround(std::sqrt(double(matrix.size()))));
  if (size_t(n) * n != matrix.size() || n == 0) throw Error("a payoff matrix must be square");
  return n;
}

// The stationary distribution of a chain, [from * n + to], by the method of Grassmann, Taksar and Heyman: elimination without
// a subtraction, so that even tiny probabilities keep their digits. The diagonal is not read.
std::vector<double> stationary(std::vector<double> p, int n) {
  for (int k = n - 1; k > 0; --k) {
    double out = 0;
    for (int j = 0; j < k; ++j) out += p[size_t(k) * n + j];
    for (int i = 0; i < k; ++i) p[size_t(i) * n + k] /= out;
    for (int i = 0; i < k; ++i) {
      for (int j = 0; j < k; ++j) {
        if (i != j) p[size_t(i) * n + j] += p[size_t(i) * n + k] * p[size_t(k) * n + j];
      }
    }
  }
  std::vector<double> mass(n, 0.0);
  mass[0] = 1;
  for (int k = 1; k < n; ++k) {
    for (int i = 0; i < k; ++i) mass[k] += mass[i] * p[size_t(i) * n + k];
    // The largest stays 1, so that nothing overflows.
    const double largest = *std::max_element(mass.begin(), mass.begin() + k + 1);
    for (int i = 0; i <= k; ++i) mass[i] /= largest;
  }
  double sum = 0;
  for (double x : mass) sum += x;
  for (double& x : mass) x /= sum;
  return mass;
}

// That one mutant with advantage x takes over a population of m.
double fixation(double x, int m) {
  constexpr double kLeast = 1e-280;
  if (std::abs(x) < 1e-12) return 1.0 / m;
  if (x > 0) return -std::expm1(-x) / -std::expm1(-m * x);
  return std::max(kLeast, std::exp((m - 1) * x) * -std::expm1(x) / -std::expm1(m * x));
}

}  // namespace

Payoffs::Payoffs(std::vector<double> wins, std::vector<double> games)
    : players_(wins.empty() ? 0 : side_of(wins)), wins_(std::move(wins)), games_(std::move(games)) {
  if (wins_.size() != games_.size()) throw Error("payoffs: wins and games are of different sizes");
}

int Payoffs::add_player() {
  Payoffs larger(players_ + 1);
  for (int a = 0; a < players_; ++a) {
    for (int b = 0; b < players_; ++b) {
      larger.wins_[larger.index(a, b)] = wins(a, b);
      larger.games_[larger.index(a, b)] = games(a, b);
    }
  }
  *this = std::move(larger);
  return players_ - 1;
}

void Payoffs::record(int a, int b, double wins, double draws, double losses, double decay) {
  const double games = wins + draws + losses, keep = decay == 1 ? 1 : std::pow(decay, games / 100);
  const double score = wins + draws / 2;
  if (a == b) return;
  for (auto [one, other, won] : {std::tuple{a, b, score}, std::tuple{b, a, double(games - score)}}) {
    wins_[index(one, other)] = wins_[index(one, other)] * keep + won;
    games_[index(one, other)] = games_[index(one, other)] * keep + games;
  }
}

std::vector<double> Payoffs::matrix() const {
  std::vector<double> a(wins_.size());
  for (int i = 0; i < players_; ++i) {
    for (int j = 0; j < players_; ++j) a[index(i, j)] = i == j ? 0 : 2 * win_rate(i, j) - 1;
  }
  return a;
}

Interval wilson(double wins, double games, double z) {
  if (games <= 0) return {0, 1};
  const double p = wins / games, share = z * z / games;
  const double centre = (p + share / 2) / (1 + share);
  const double half = z / (1 + share) * std::sqrt(p * (1 - p) / games + share / (4 * games));
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

double elo_expected(double rating_a, double rating_b) { return 1 / (1 + std::pow(10, (rating_b - rating_a) / 400)); }

void elo_update(double& rating_a, double& rating_b, double score_of_a, double k) {
  const double change = k * (score_of_a - elo_expected(rating_a, rating_b));
  rating_a += change;
  rating_b -= change;
}

std::vector<double> bradley_terry(const Payoffs& payoffs, int anchor, double anchor_rating, double prior) {
  constexpr int kIterations = 100000;
  constexpr double kExact = 1e-12;
  const int n = payoffs.players();
  std::vector<double> strength(n, 1.0), next(n);
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    double change = 0;
    for (int i = 0; i < n; ++i) {
      double wins = 0, weight = 0;
      for (int j = 0; j < n; ++j) {
        if (i == j) continue;
        wins += payoffs.wins(i, j) + prior / 2;
        weight += (payoffs.games(i, j) + prior) / (strength[i] + strength[j]);
      }
      next[i] = weight > 0 ? wins / weight : strength[i];
    }
    for (int i = 0; i < n; ++i) {
      const double scaled = next[i] / next[anchor];
      change = std::max(change, std::abs(std::log(scaled / strength[i])));
      strength[i] = scaled;
    }
    if (change < kExact) break;
  }
  std::vector<double> ratings(n);
  for (int i = 0; i < n; ++i) ratings[i] = anchor_rating + 400 * std::log10(strength[i]);
  return ratings;
}

std::vector<double> alpha_rank(const std::vector<double>& matrix, double alpha, int m) {
  const int n = side_of(matrix);
  if (n == 1) return {1};
  if (m < 2) throw Error("alpha_rank: a population of " + std::to_string(m) + "; valid: 2 or more");
  std::vector<double> chain(matrix.size(), 0.0);  // [resident * n + mutant]
  for (int s = 0; s < n; ++s) {
    for (int r = 0; r < n; ++r) {
      if (r != s) chain[size_t(s) * n + r] = fixation(alpha * m / (m - 1) * matrix[size_t(r) * n + s], m) / (n - 1);
    }
  }
  return stationary(std::move(chain), n);
}

double cyclic_share(const std::vector<double>& matrix) {
  const int n = side_of(matrix);
  std::vector<double> rating(n, 0.0);
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) rating[i] += matrix[size_t(i) * n + j] / n;
  }
  double explained = 0, all = 0;
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) {
      explained += (rating[i] - rating[j]) * (rating[i] - rating[j]);
      all += matrix[size_t(i) * n + j] * matrix[size_t(i) * n + j];
    }
  }
  return all > 0 ? 1 - explained / all : 0;
}

}  // namespace throng
