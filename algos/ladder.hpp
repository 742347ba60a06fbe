// Rating players by the games they played: payoff tables, win intervals, Elo, Bradley-Terry, alpha-rank.
#pragma once

#include <cstddef>
#include <vector>

namespace throng {

// Who beat whom how often. A draw is half a win for both.
class Payoffs {
 public:
  explicit Payoffs(int players) : players_(players), wins_(size_t(players) * players), games_(wins_) {}
  // From what all_wins() and all_games() of another gave.
  Payoffs(std::vector<double> wins, std::vector<double> games);

  int players() const { return players_; }
  int add_player();  // who has not met anybody yet; gives its number
  // Adds games of a against b. Before, their old counts shrink by decay for each hundred of these games (1 = never).
  void record(int a, int b, double wins, double draws, double losses, double decay = 1);
  double wins(int a, int b) const { return wins_[index(a, b)]; }  // draws count half
  double games(int a, int b) const { return games_[index(a, b)]; }
  const std::vector<double>& all_wins() const { return wins_; }  // [a * players + b]
  const std::vector<double>& all_games() const { return games_; }
  // The share that a won against b; 0.5 for those who never met.
  double win_rate(int a, int b) const { return games(a, b) > 0 ? wins(a, b) / games(a, b) : 0.5; }
  // 2 * win_rate - 1, [a * players + b]: antisymmetric, what the solvers below take.
  std::vector<double> matrix() const;

 private:
  size_t index(int a, int b) const { return size_t(a) * players_ + b; }
  int players_;
  std::vector<double> wins_, games_;  // [a * players + b]
};

// Wilson's interval for a win rate; z = 1.96 covers 95 per cent.
struct Interval {
  double low, high;
};
Interval wilson(double wins, double games, double z = 1.96);

// Elo: what a is expected to score against b, and both ratings after a game. For live displays: it depends on the order.
double elo_expected(double rating_a, double rating_b);
void elo_update(double& rating_a, double& rating_b, double score_of_a, double k = 32);

// Ratings of greatest likelihood on Elo's scale (Bradley-Terry, Hunter's MM): 400 log10 of the strength, with `anchor` at
// `anchor_rating`. Every pair counts `prior` draws more, so that ratings stay finite.
std::vector<double> bradley_terry(const Payoffs& payoffs, int anchor = 0, double anchor_rating = 1000,
                                  double prior = 0.1);

// The stationary distribution of alpha-rank for one population (Omidshafiei et al. 2019), a mass for each player. `matrix` is
// antisymmetric, [a * n + b]; m is the size of the population.
std::vector<double> alpha_rank(const std::vector<double>& matrix, double alpha, int m = 50);

// The share of an antisymmetric matrix that no rating explains: 0 for a ladder, 1 for rock, paper, scissors.
double cyclic_share(const std::vector<double>& matrix);

}  // namespace throng
