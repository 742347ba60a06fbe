// Known answers of the measures of a front, and what an archive keeps.
#include "algos/pareto.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <random>

#include "algos/scalarize.hpp"
#include "core/error.hpp"

using namespace throng;
using Catch::Matchers::WithinAbs;

namespace {

const Points kA = {{4, 1}, {3, 3}, {1, 4}}, kBest = {{4, 2}, {3, 3}, {2, 4}};

Points eleven_weights() {
  Points weights;
  for (const std::vector<float>& w : simplex_grid(2, 10)) weights.push_back({w.begin(), w.end()});
  return weights;
}

// Volume by counting cells of a unit grid, for points with whole coordinates.
double counted(const Points& points, int side) {
  const size_t d = points[0].size();
  double cells = 0;
  std::vector<int> cell(d, 0);
  for (size_t axis = 0; axis < d;) {
    for (const Point& p : points) {
      bool inside = true;
      for (size_t j = 0; j < d; ++j) inside = inside && cell[j] < p[j];
      if (inside) {
        ++cells;
        break;
      }
    }
    for (axis = 0; axis < d && ++cell[axis] == side; ++axis) cell[axis] = 0;
  }
  return cells;
}

ArchiveEntry entry(Point value, const std::string& policy = "") { return {std::move(value), {}, {}, policy}; }

}  // namespace

TEST_CASE("a front holds what nothing dominates, once") {
  CHECK(dominates({1, 2}, {1, 1}));
  CHECK_FALSE(dominates({1, 2}, {1, 2}));
  CHECK_FALSE(dominates({2, 1}, {1, 2}));
  CHECK(pareto_front({{1, 1}, {1, 4}, {3, 3}, {4, 1}, {3, 3}, {3, 2}}) == Points{{4, 1}, {3, 3}, {1, 4}});
  CHECK(pareto_front({}).empty());
}

TEST_CASE("hypervolumes are exact") {
  CHECK(hypervolume(kA, {0, 0}) == 11);
  CHECK(hypervolume(kA, {-1, -1}) == 20);
  CHECK(hypervolume({{3, 1, 1}, {2, 2, 2}, {1, 3, 3}}, {0, 0, 0}) == 14);
  CHECK(hypervolume({{4, 1, 2, 3}, {1, 4, 3, 2}, {2, 2, 2, 2}, {3, 3, 1, 1}}, {0, 0, 0, 0}) == 51);
  CHECK(hypervolume({{5, 0.5}, {2, 1}, {1, 9}}, {1, 0}) == 4 * 0.5 + 1 * 0.5);  // one on the border adds nothing
  CHECK(hypervolume({}, {0, 0}) == 0);
  CHECK_THROWS_AS(hypervolume(kA, {0, 0, 0}), Error);
}

TEST_CASE("hypervolumes are those of counted cells") {
  std::mt19937 random(1);
  for (int trial = 0; trial < 60; ++trial) {
    const size_t d = 1 + random() % 5;
    Points points(1 + random() % 12, Point(d));
    for (Point& point : points) {
      for (double& x : point) x = 1 + random() % 7;
    }
    CHECK(hypervolume(points, Point(d, 0.0)) == counted(points, 7));
  }
}

TEST_CASE("the other measures have their known values") {
  const Points weights = eleven_weights();
  REQUIRE(weights.size() == 11);
  CHECK_THAT(expected_utility(kA, weights), WithinAbs(3.4, 1e-6));
  CHECK_THAT(expected_utility(kBest, weights), WithinAbs(3.5454545, 1e-6));
  CHECK_THAT(maximum_utility_loss(kA, kBest, weights), WithinAbs(0.3, 1e-6));
  CHECK_THAT(igd(kA, kBest), WithinAbs(0.6666667, 1e-6));
  CHECK_THAT(r2(kA, {5, 5}, weights), WithinAbs(1.0181818, 1e-6));
  CHECK(cardinality({{4, 1}, {3, 3}, {1, 4}, {3, 2}, {4, 1}}) == 3);
  CHECK(sparsity(kA) == 5);
  CHECK(sparsity({{3, 1, 1}, {2, 2, 2}, {1, 3, 3}}) == 3);
  CHECK_THAT(sparsity({{4, 1, 2, 3}, {1, 4, 3, 2}, {2, 2, 2, 2}, {3, 3, 1, 1}}), WithinAbs(3.3333333, 1e-6));
  CHECK(sparsity({{1, 2}}) == 0);
  CHECK(igd_plus(kBest, kA) == 0);  // nothing is lacking
  CHECK(igd(kBest, kA) > 0);
  CHECK_THROWS_AS(expected_utility({}, weights), Error);
}

TEST_CASE("an archive keeps what is not dominated, and whose it is") {
  ParetoArchive archive;
  CHECK(archive.insert(entry({1, 4}, "a")));
  CHECK(archive.insert(entry({3, 2}, "b")));
  CHECK_FALSE(archive.insert(entry({3, 2}, "again")));
  CHECK_FALSE(archive.insert(entry({0, 4}, "worse")));
  CHECK(archive.insert(entry({4, 2}, "c")));
  CHECK(archive.values() == Points{{4, 2}, {1, 4}});
  CHECK(archive.entries()[0].policy == "c");
  CHECK(archive.entries()[1].policy == "a");
  CHECK_THROWS_AS(archive.insert(entry({1, 2, 3})), Error);
}

TEST_CASE("a full archive drops the most crowded, never the best of an objective") {
  ParetoArchive archive(3);
  for (const Point& value : Points{{0, 10}, {10, 0}, {5, 5}, {5.5, 4}}) CHECK(archive.insert(entry(value)));
  CHECK(archive.values() == Points{{10, 0}, {5, 5}, {0, 10}});
}

TEST_CASE("weights on the simplex are a lattice") {
  CHECK(simplex_grid(3, 2) == std::vector<std::vector<float>>{
                                  {1, 0, 0}, {0.5f, 0.5f, 0}, {0.5f, 0, 0.5f}, {0, 1, 0}, {0, 0.5f, 0.5f}, {0, 0, 1}});
  CHECK(simplex_grid(2, 100).size() == 101);
  CHECK(simplex_grid(3, 13).size() == 105);
  CHECK(simplex_grid(4, 6).size() == 84);
}

TEST_CASE("sampled weights are uniform on the simplex, and strata cover it evenly") {
  for (int d : {2, 3, 4}) {
    std::vector<double> mean(d, 0.0), square(d, 0.0);
    constexpr int kSamples = 20000;
    for (int i = 0; i < kSamples; ++i) {
      float w[kMaxObjectives];
      sample_weights(Rng{key(3)}, i, d, w);
      float sum = 0;
      for (int j = 0; j < d; ++j) {
        REQUIRE(w[j] >= 0);
        sum += w[j], mean[j] += w[j], square[j] += w[j] * w[j];
      }
      REQUIRE(std::abs(sum - 1) < 1e-6);
    }
    for (int j = 0; j < d; ++j) {
      CHECK_THAT(mean[j] / kSamples, WithinAbs(1.0 / d, 2e-3));
      CHECK_THAT(square[j] / kSamples, WithinAbs(2.0 / (d * (d + 1)), 3e-3));  // Dirichlet(1, ..., 1)
    }
  }
  std::vector<int> count(kStrata, 0);  // two objectives: 64 in a row fall into 64 intervals
  for (int i = 640; i < 640 + kStrata; ++i) {
    float w[kMaxObjectives];
    sample_weights(Rng{key(4)}, i, 2, w);
    ++count[std::min(static_cast<int>(w[0] * kStrata), kStrata - 1)];
  }
  CHECK(count == std::vector<int>(kStrata, 1));
}

TEST_CASE("scalarizations") {
  const float weights[] = {0.25f, 0.75f}, values[] = {4, 2};
  Scalarizer utility;
  utility.num_objectives = 2;
  CHECK(utility(weights, values) == 2.5f);
  utility.kind = Scalarizer::kChebyshev;
  utility.reference[0] = 6, utility.reference[1] = 3;
  CHECK(utility(weights, values) == -0.75f);
  utility.kind = Scalarizer::kThresholded;
  utility.reference[1] = 2;
  CHECK(utility(weights, values) == 4);  // the threshold is reached
  utility.reference[1] = 3, utility.reference[0] = -10;
  CHECK(utility(weights, values) == -10.75f);  // 1 short, at weight 0.75
}
