// Equilibria of zero-sum matrix games.
#include "algos/nash.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace throng {
namespace {

// Positive parts as a distribution; uniform if there are none.
std::vector<double> matched(const std::vector<double>& regret) {
  double sum = 0;
  for (double q : regret) sum += q;
  std::vector<double> x(regret.size());
  for (size_t i = 0; i < x.size(); ++i) x[i] = sum > 0 ? regret[i] / sum : 1.0 / double(x.size());
  return x;
}

// One side's update: regrets against `values`, and the running average with weight t.
void regret_step(std::vector<double>& regret, std::vector<double>& average, const std::vector<double>& strategy,
                 const std::vector<double>& values, double t) {
  double mean = 0;
  for (size_t i = 0; i < values.size(); ++i) mean += strategy[i] * values[i];
  for (size_t i = 0; i < values.size(); ++i) {
    regret[i] = std::max(0.0, regret[i] + values[i] - mean);
    average[i] += t * strategy[i];
  }
}

std::vector<double> normalised(std::vector<double> x) {
  double sum = 0;
  for (double v : x) sum += v;
  for (double& v : x) v /= sum;
  return x;
}

// What each row, or each column (negated), earns against a mixture of the other side.
std::vector<double> row_values(const std::vector<double>& a, const std::vector<double>& y, int rows) {
  std::vector<double> values(rows, 0.0);
  for (int i = 0; i < rows; ++i) {
    for (size_t j = 0; j < y.size(); ++j) values[i] += a[i * y.size() + j] * y[j];
  }
  return values;
}
std::vector<double> column_values(const std::vector<double>& a, const std::vector<double>& x, int columns) {
  std::vector<double> values(columns, 0.0);
  for (size_t i = 0; i < x.size(); ++i) {
    for (int j = 0; j < columns; ++j) values[j] -= a[i * columns + j] * x[i];
  }
  return values;
}

// Solves m z = b in place by elimination with row pivots; false if m is singular.
bool solve(std::vector<double> m, std::vector<double>& b) {
  const int n = static_cast<int>(b.size());
  for (int k = 0; k < n; ++k) {
    int pivot = k;
    for (int i = k + 1; i < n; ++i) {
      if (std::abs(m[size_t(i) * n + k]) > std::abs(m[size_t(pivot) * n + k])) pivot = i;
    }
    if (m[size_t(pivot) * n + k] == 0) return false;
    if (pivot != k) {
      std::swap_ranges(&m[size_t(k) * n], &m[size_t(k) * n] + n, &m[size_t(pivot) * n]);
      std::swap(b[k], b[pivot]);
    }
    for (int i = k + 1; i < n; ++i) {
      const double factor = m[size_t(i) * n + k] / m[size_t(k) * n + k];
      if (factor == 0) continue;
      for (int j = k; j < n; ++j) m[size_t(i) * n + j] -= factor * m[size_t(k) * n + j];
      b[i] -= factor * b[k];
    }
  }
  for (int k = n - 1; k >= 0; --k) {
    for (int j = k + 1; j < n; ++j) b[k] -= m[size_t(k) * n + j] * b[j];
    b[k] /= m[size_t(k) * n + k];
  }
  return true;
}

std::vector<double> softmax(const std::vector<double>& z) {
  const double top = *std::max_element(z.begin(), z.end());
  std::vector<double> p(z.size());
  double sum = 0;
  for (size_t i = 0; i < z.size(); ++i) sum += p[i] = std::exp(z[i] - top);
  for (double& x : p) x /= sum;
  return p;
}

// z - A softmax(z) / t, which is zero at the equilibrium of temperature t.
std::vector<double> residual(const std::vector<double>& a, const std::vector<double>& z, double t) {
  std::vector<double> g = row_values(a, softmax(z), static_cast<int>(z.size()));
  for (size_t i = 0; i < z.size(); ++i) g[i] = z[i] - g[i] / t;
  return g;
}

double norm(const std::vector<double>& v) {
  double sum = 0;
  for (double x : v) sum += x * x;
  return std::sqrt(sum);
}

// Newton's method with halved steps from z; true if it got there.
bool settle(const std::vector<double>& a, std::vector<double>& z, double t) {
  constexpr int kSteps = 60, kHalvings = 40;
  constexpr double kExact = 1e-9;
  const int n = static_cast<int>(z.size());
  std::vector<double> g = residual(a, z, t);
  for (int step = 0; step < kSteps; ++step) {
    if (norm(g) < kExact * (1 + norm(z))) return true;
    const std::vector<double> p = softmax(z), ap = row_values(a, p, n);
    std::vector<double> jacobian(size_t(n) * n), move = g;
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) jacobian[size_t(i) * n + j] = (i == j) - p[j] * (a[size_t(i) * n + j] - ap[i]) / t;
    }
    if (!solve(std::move(jacobian), move)) return false;
    double length = 1;
    for (int halving = 0;; ++halving, length /= 2) {
      if (halving == kHalvings) return norm(g) < 1e-6 * (1 + norm(z));
      std::vector<double> trial = z;
      for (int i = 0; i < n; ++i) trial[i] -= length * move[i];
      const std::vector<double> after = residual(a, trial, t);
      if (norm(after) < norm(g)) {
        z = trial, g = after;
        break;
      }
    }
  }
  return norm(g) < 1e-6 * (1 + norm(z));
}

}  // namespace

MatrixEquilibrium regret_matching(const std::vector<double>& payoff, int rows, double accuracy, int most_iterations) {
  if (rows < 1 || payoff.empty() || payoff.size() % rows != 0) throw Error("regret_matching: not a matrix");
  const int columns = static_cast<int>(payoff.size()) / rows;
  const auto [low, high] = std::minmax_element(payoff.begin(), payoff.end());
  const double enough = accuracy * std::max(*high - *low, 1e-12);
  std::vector<double> row_regret(rows), column_regret(columns), row_sum(rows), column_sum(columns);
  MatrixEquilibrium found;
  for (int t = 1; t <= most_iterations; ++t) {
    const std::vector<double> y = matched(column_regret);
    regret_step(row_regret, row_sum, matched(row_regret), row_values(payoff, y, rows), t);
    const std::vector<double> x = matched(row_regret);
    regret_step(column_regret, column_sum, y, column_values(payoff, x, columns), t);
    if (t % 100 != 0 && t != most_iterations) continue;
    found.row = normalised(row_sum), found.column = normalised(column_sum);
    const std::vector<double> by_row = row_values(payoff, found.column, rows);
    const std::vector<double> by_column = column_values(payoff, found.row, columns);
    const double best_row = *std::max_element(by_row.begin(), by_row.end());
    const double best_column = *std::max_element(by_column.begin(), by_column.end());
    found.gap = best_row + best_column;
    found.value = 0;
    for (int i = 0; i < rows; ++i) found.value += found.row[i] * by_row[i];
    if (found.gap <= enough) break;
  }
  return found;
}

NashAverage nash_averaging(const std::vector<double>& matrix, double temperature) {
  const int n = static_cast<int>(std::lround(std::sqrt(double(matrix.size()))));
  if (n < 1 || size_t(n) * n != matrix.size()) throw Error("nash_averaging: the matrix must be square");
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) {
      if (std::abs(matrix[size_t(i) * n + j] + matrix[size_t(j) * n + i]) > 1e-9)
        throw Error("nash_averaging: the matrix must be antisymmetric");
    }
  }
  std::vector<double> z(n, 0.0);
  double t = 1, fall = 0.5;
  settle(matrix, z, t);
  while (t > temperature && fall < 0.999) {
    const double next = std::max(t * fall, temperature);
    std::vector<double> trial = z;
    for (double& v : trial) v *= t / next;  // exponents grow as the temperature falls
    std::vector<double> plain = z;
    if (settle(matrix, trial, next)) {
      z = trial, t = next, fall = std::max(fall * fall, 0.5);
    } else if (settle(matrix, plain, next)) {
      z = plain, t = next, fall = std::max(fall * fall, 0.5);
    } else {
      fall = std::sqrt(fall);  // a shorter way down
    }
  }
  NashAverage average;
  average.mixture = softmax(z);
  average.skill = row_values(matrix, average.mixture, n);
  average.gap = *std::max_element(average.skill.begin(), average.skill.end());
  return average;
}

}  // namespace throng
