// Pareto fronts: dominance, exact hypervolume by slabs, and the other measures of a front.
#include "algos/pareto.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "core/error.hpp"

namespace throng {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void check_lengths(const Points& points, size_t objectives, const char* what) {
  for (const Point& point : points) {
    if (point.size() == objectives) continue;
    throw Error(std::string(what) + " has " + std::to_string(point.size()) + " objectives, not " +
                std::to_string(objectives));
  }
}

void check_pair(const Points& a, const Points& b, const char* what) {
  if (a.empty() || b.empty()) throw Error(std::string(what) + " needs at least one point and one to compare it with");
  check_lengths(a, b[0].size(), what);
  check_lengths(b, b[0].size(), what);
}

double dot(const Point& a, const Point& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

double best_utility(const Points& points, const Point& weights) {
  double best = -kInfinity;
  for (const Point& point : points) best = std::max(best, dot(point, weights));
  return best;
}

// Mean over `best` of the distance to the closest point, where `gap` is what counts of a difference.
template <class Gap>
double mean_distance(const Points& points, const Points& best, Gap gap) {
  check_pair(points, best, "a distance between fronts");
  double sum = 0;
  for (const Point& goal : best) {
    double closest = kInfinity;
    for (const Point& point : points) {
      double square = 0;
      for (size_t j = 0; j < goal.size(); ++j) square += gap(goal[j] - point[j]) * gap(goal[j] - point[j]);
      closest = std::min(closest, square);
    }
    sum += std::sqrt(closest);
  }
  return sum / static_cast<double>(best.size());
}

// The area below a growing set of points of two objectives.
class Staircase {
 public:
  double add(double x, double y) {
    const auto covers = [](const auto& a, const auto& b) { return a.first >= b.first && a.second >= b.second; };
    const std::pair step(x, y);
    if (std::any_of(steps_.begin(), steps_.end(), [&](const auto& s) { return covers(s, step); })) return area_;
    std::erase_if(steps_, [&](const auto& s) { return covers(step, s); });
    steps_.insert(std::lower_bound(steps_.begin(), steps_.end(), step), step);  // by ascending x, so by descending y
    area_ = 0;
    double left = 0;
    for (const auto& [right, height] : steps_) {
      area_ += (right - left) * height;
      left = right;
    }
    return area_;
  }

 private:
  std::vector<std::pair<double, double>> steps_;
  double area_ = 0;
};

// Of points above the origin. Slabs along the last objective, from above: within one, the points that reach it matter, and of
// them the other objectives.
double volume(Points points) {
  if (points.empty()) return 0;
  const size_t objectives = points[0].size();
  std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.back() > b.back(); });
  if (objectives == 1) return points[0][0];
  Staircase staircase;
  Points reach;  // without their last objective
  double sum = 0, widest = 0;
  for (size_t k = 0; k < points.size(); ++k) {
    const double below = k + 1 < points.size() ? points[k + 1].back() : 0, height = points[k].back() - below;
    double base = 0;
    if (objectives == 2) base = widest = std::max(widest, points[k][0]);
    if (objectives == 3) base = staircase.add(points[k][0], points[k][1]);
    if (objectives > 3) {
      reach.emplace_back(points[k].begin(), points[k].end() - 1);
      if (height > 0) base = volume(reach);
    }
    sum += height * base;
  }
  return sum;
}

}  // namespace

bool dominates(const Point& a, const Point& b) {
  bool better = false;
  for (size_t j = 0; j < a.size(); ++j) {
    if (a[j] < b[j]) return false;
    better = better || a[j] > b[j];
  }
  return better;
}

Points pareto_front(const Points& points) {
  if (!points.empty()) check_lengths(points, points[0].size(), "a front");
  Points sorted = points, front;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  // Nothing is dominated by what comes after it in descending order.
  for (Point& point : sorted) {
    const bool beaten = std::any_of(front.begin(), front.end(), [&](const Point& f) { return dominates(f, point); });
    if (!beaten) front.push_back(std::move(point));
  }
  return front;
}

double hypervolume(const Points& points, const Point& reference) {
  check_lengths(points, reference.size(), "a hypervolume");
  if (reference.empty()) throw Error("a hypervolume needs at least one objective");
  Points above;
  for (Point point : points) {
    bool counts = true;
    for (size_t j = 0; j < point.size(); ++j) {
      point[j] -= reference[j];
      counts = counts && point[j] > 0;
    }
    if (counts) above.push_back(std::move(point));
  }
  return volume(pareto_front(above));
}

int cardinality(const Points& points) { return static_cast<int>(pareto_front(points).size()); }

double expected_utility(const Points& points, const Points& weights) {
  check_pair(points, weights, "the expected utility");
  double sum = 0;
  for (const Point& w : weights) sum += best_utility(points, w);
  return sum / static_cast<double>(weights.size());
}

double maximum_utility_loss(const Points& points, const Points& best, const Points& weights) {
  check_pair(points, weights, "the maximum utility loss");
  check_pair(best, weights, "the maximum utility loss");
  double loss = -kInfinity;
  for (const Point& w : weights) loss = std::max(loss, best_utility(best, w) - best_utility(points, w));
  return loss;
}

double igd(const Points& points, const Points& best) {
  return mean_distance(points, best, [](double lack) { return lack; });
}

double igd_plus(const Points& points, const Points& best) {
  return mean_distance(points, best, [](double lack) { return std::max(lack, 0.0); });
}

double r2(const Points& points, const Point& utopia, const Points& weights) {
  check_pair(points, weights, "R2");
  check_lengths({utopia}, weights[0].size(), "the utopian point");
  double sum = 0;
  for (const Point& w : weights) {
    double closest = kInfinity;
    for (const Point& point : points) {
      double farthest = 0;
      for (size_t j = 0; j < w.size(); ++j) farthest = std::max(farthest, w[j] * std::abs(utopia[j] - point[j]));
      closest = std::min(closest, farthest);
    }
    sum += closest;
  }
  return sum / static_cast<double>(weights.size());
}

double sparsity(const Points& points) {
  const Points front = pareto_front(points);
  if (front.size() < 2) return 0;
  double sum = 0;
  for (size_t j = 0; j < front[0].size(); ++j) {
    std::vector<double> sorted;
    for (const Point& point : front) sorted.push_back(point[j]);
    std::sort(sorted.begin(), sorted.end());
    for (size_t i = 1; i < sorted.size(); ++i) sum += (sorted[i] - sorted[i - 1]) * (sorted[i] - sorted[i - 1]);
  }
  return sum / static_cast<double>(front.size() - 1);
}

// --- the archive

ParetoArchive::ParetoArchive(int capacity) : capacity_(capacity) {
  if (capacity < 2) throw Error("an archive holds at least 2 entries, not " + std::to_string(capacity));
}

bool ParetoArchive::insert(ArchiveEntry entry) {
  if (!entries_.empty()) check_lengths({entry.value}, entries_[0].value.size(), "an archive's entry");
  for (const ArchiveEntry& kept : entries_) {
    if (kept.value == entry.value || dominates(kept.value, entry.value)) return false;
  }
  std::erase_if(entries_, [&](const ArchiveEntry& kept) { return dominates(entry.value, kept.value); });
  const auto place = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const ArchiveEntry& kept) { return kept.value < entry.value; });
  entries_.insert(place, std::move(entry));
  if (static_cast<int>(entries_.size()) > capacity_) entries_.erase(entries_.begin() + most_crowded());
  return true;
}

Points ParetoArchive::values() const {
  Points values;
  for (const ArchiveEntry& entry : entries_) values.push_back(entry.value);
  return values;
}

// The entry with the least crowding distance (Deb et al. 2002): the sum over objectives of the gap between its two neighbours,
// as a share of the whole range. The best of an objective is never crowded.
int ParetoArchive::most_crowded() const {
  std::vector<double> distance(entries_.size(), 0.0);
  std::vector<int> order(entries_.size());
  for (size_t j = 0; j < entries_[0].value.size(); ++j) {
    std::iota(order.begin(), order.end(), 0);
    const auto value = [&](size_t rank) { return entries_[order[rank]].value[j]; };
    std::sort(order.begin(), order.end(), [&](int a, int b) { return entries_[a].value[j] < entries_[b].value[j]; });
    const size_t last = order.size() - 1;
    const double range = std::max(value(last) - value(0), std::numeric_limits<double>::min());
    distance[order[0]] = distance[order[last]] = kInfinity;
    for (size_t rank = 1; rank < last; ++rank) distance[order[rank]] += (value(rank + 1) - value(rank - 1)) / range;
  }
  return static_cast<int>(std::min_element(distance.begin(), distance.end()) - distance.begin());
}

}  // namespace throng
