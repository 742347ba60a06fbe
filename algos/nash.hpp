// Equilibria of zero-sum matrix games: regret matching for mixtures over a pool, Nash averaging for rankings.
#pragma once

#include <vector>

namespace throng {

// A pair of mixtures. Neither side can gain more than `gap` all told by changing alone; it is computed, not assumed.
struct MatrixEquilibrium {
  std::vector<double> row, column;
  double value = 0;  // to the row player
  double gap = 0;
};

// Regret matching plus with linear averaging and alternating updates (Tammelin 2014). `payoff` is to the row player,
// [row * columns + column]. Stops when the gap is below `accuracy` times the range of the payoffs.
MatrixEquilibrium regret_matching(const std::vector<double>& payoff, int rows, double accuracy = 1e-4,
                                  int most_iterations = 1000000);

struct NashAverage {
  std::vector<double> mixture;  // the equilibrium of greatest entropy
  std::vector<double> skill;    // what each player scores against it: 0 within the equilibrium's support, less outside
  double gap = 0;               // the best skill: how far from an equilibrium the mixture is
};

// Nash averaging (Balduzzi et al. 2018) of an antisymmetric matrix, [a * n + b]: copies of a player change nothing. Follows the
// equilibria of p = softmax(A p / temperature) by Newton's method as the temperature falls; the gap is at most
// temperature * log n.
NashAverage nash_averaging(const std::vector<double>& matrix, double temperature = 1e-6);

}  // namespace throng
