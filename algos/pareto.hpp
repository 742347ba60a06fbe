// Pareto fronts: what is not dominated, how good a front is, and an archive of the policies that reached it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

// All objectives are maximised. A set of points is `[point][objective]`, all equally long; weights are `[weight][objective]`.
// Every function throws Error where lengths differ or a set that must not be empty is.
namespace throng {

using Point = std::vector<double>;  // [objective]
using Points = std::vector<Point>;

// At least as good in every objective and better in one.
bool dominates(const Point& a, const Point& b);

// The points that no other dominates, without repetitions, in descending order of the first objective, then the next.
Points pareto_front(const Points& points);

// --- how good is it? More is better, except for the last four.

// Volume of what the points dominate above `reference`; a point that is not above it in every objective adds nothing. Exact,
// and meant for up to 4 objectives: n points on the front cost n^2, for 4 objectives n^3 (256 of them some 10^7 steps).
double hypervolume(const Points& points, const Point& reference);
// The number of points on the front.
int cardinality(const Points& points);
// The mean over the weights of the best weighted sum: what somebody gets who chooses from this front.
double expected_utility(const Points& points, const Points& weights);
// The most that somebody with one of these weights gains from `best` over `points`.
double maximum_utility_loss(const Points& points, const Points& best, const Points& weights);
// Inverted generational distance: the mean over `best` of the distance to the closest point. In igd_plus only what a point
// lacks counts, so that no front is worse than one that it dominates.
double igd(const Points& points, const Points& best);
double igd_plus(const Points& points, const Points& best);
// R2: the mean over the weights of the least weighted Chebyshev distance to `utopia`, a point that nothing exceeds.
double r2(const Points& points, const Point& utopia, const Points& weights);
// Mean squared gap between neighbours of the front along each objective (Xu et al. 2020); 0 for a single point.
double sparsity(const Points& points);

// --- the archive

struct ArchiveEntry {
  Point value;                 // [objective], mean over episodes
  Point standard_error;        // [objective], of the mean; may be empty
  std::vector<float> weights;  // [objective], the preference that the policy was told or trained for
  std::string policy;          // where to find it again: a checkpoint, or empty if the weights are all
};

// The entries that no other dominates, at most `capacity`: beyond it the most crowded goes.
class ParetoArchive {
 public:
  explicit ParetoArchive(int capacity = 256);

  // False if an entry of the archive dominates this one or is its equal; then nothing changes.
  bool insert(ArchiveEntry entry);

  const std::vector<ArchiveEntry>& entries() const { return entries_; }  // in descending order, as pareto_front
  Points values() const;

 private:
  int most_crowded() const;

  int capacity_;
  std::vector<ArchiveEntry> entries_;
};

}  // namespace throng
