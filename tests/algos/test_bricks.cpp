// The smaller learning bricks: permutation, categorical, orthogonal initialisation, sums, Adam.
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <set>

#include "algos/adam.hpp"
#include "algos/categorical.hpp"
#include "algos/grid.hpp"
#include "algos/matmul.hpp"
#include "algos/parameters.hpp"
#include "algos/permutation.hpp"
#include "algos/ppo_loss.hpp"
#include "tests/algos/synthetic.hpp"
#include "tests/devices.hpp"

using namespace throng;
using Catch::Approx;

TEST_CASE("a permutation visits everything once, and keys differ") {
  for (uint32_t n : {1u, 2u, 3u, 7u, 64u, 1000u, 4097u}) {
    std::set<uint32_t> seen;
    const Permutation permutation(n, key(9));
    for (uint32_t i = 0; i < n; ++i) seen.insert(permutation(i));
    CHECK(seen.size() == n);
    CHECK(*seen.rbegin() == n - 1);
  }
  int fixed = 0, same = 0;
  const Permutation a(1000, key(1)), b(1000, key(2));
  for (uint32_t i = 0; i < 1000; ++i) {
    fixed += a(i) == i;
    same += a(i) == b(i);
  }
  CHECK(fixed < 10);
  CHECK(same < 10);
}

TEST_CASE("every position of a permutation is equally likely") {
  constexpr int kN = 5, kKeys = 20000;
  int counts[kN][kN] = {};
  for (int k = 0; k < kKeys; ++k) {
    const Permutation permutation(kN, fold_in(key(77), k));
    for (uint32_t i = 0; i < kN; ++i) ++counts[i][permutation(i)];
  }
  for (auto& row : counts) {
    for (int count : row) CHECK(std::abs(count - kKeys / kN) < 5 * std::sqrt(kKeys / double(kN)));
  }
}

TEST_CASE("a masked categorical never chooses what is illegal and follows its probabilities") {
  const float logits[] = {100.0f, 1.0f, 0.0f, -1.0f, 2.0f};
  const uint8_t avail[] = {0, 1, 1, 0, 1};
  const Categorical policy(logits, avail, 5);
  double total = 0, expected_entropy = 0;
  for (int a = 0; a < 5; ++a) {
    total += policy.prob(a);
    if (avail[a]) expected_entropy -= policy.prob(a) * std::log(policy.prob(a));
  }
  CHECK(total == Approx(1).epsilon(1e-6));
  CHECK(policy.prob(0) == 0);
  CHECK(policy.entropy() == Approx(expected_entropy).epsilon(1e-5));
  CHECK(policy.mode() == 4);
  CHECK(policy.log_prob(4) == Approx(2 - std::log(std::exp(1) + 1 + std::exp(2))).epsilon(1e-6));
  int counts[5] = {};
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) ++counts[policy.sample(uniform(key(1), i))];
  for (int a = 0; a < 5; ++a) {
    const double p = policy.prob(a);
    CHECK(std::abs(counts[a] - kDraws * p) <= 5 * std::sqrt(kDraws * p * (1 - p)));
  }
  CHECK(policy.sample(0.99999994f) == 4);
}

TEST_CASE("orthogonal matrices are orthogonal") {
  for (auto [rows, columns] : {std::pair{12, 5}, {5, 12}, {8, 8}}) {
    const auto m = orthogonal(rows, columns, 2.0f, key(4));
    const int count = std::min(rows, columns);
    for (int i = 0; i < count; ++i) {
      for (int j = 0; j < count; ++j) {
        double dot = 0;
        for (int k = 0; k < std::max(rows, columns); ++k) {
          dot += rows < columns ? m[i * columns + k] * m[j * columns + k] : m[k * columns + i] * m[k * columns + j];
        }
        CHECK(dot == Approx(i == j ? 4.0 : 0.0).margin(1e-5));
      }
    }
  }
}

TEST_CASE("LeCun's normal numbers have variance 1 / rows and end at two standard deviations") {
  const auto m = lecun_normal(50, 400, key(6));
  double sum = 0, square = 0, largest = 0;
  for (float x : m) {
    sum += x;
    square += double(x) * x;
    largest = std::max(largest, std::abs(double(x)));
  }
  const double n = double(m.size());
  CHECK(std::abs(sum / n) < 5 * std::sqrt(1 / 50.0 / n));
  CHECK(square / n == Approx(1 / 50.0).epsilon(0.03));
  CHECK(largest < 2 / 0.8796 / std::sqrt(50.0) * 1.0001);
  CHECK(largest > 1.9 / 0.8796 / std::sqrt(50.0));
}

TEST_CASE("matrix products agree with plain loops, and a row does not depend on its place") {
  auto device = open_device("cpu");
  auto matmul = make_matmul(device);
  const int in = 75, out = 33;
  const int64_t rows = 1500, padded = Matmul::padded(rows);
  const auto x = synthetic::numbers(padded * in, key(1), -1, 1), w = synthetic::numbers(in * out, key(2), -1, 1);
  const auto dy = synthetic::numbers(padded * out, key(3), -1, 1);
  std::vector<float> y(padded * out), dx(padded * in), dw(in * out);
  const auto bias = synthetic::numbers(out, key(4), -1, 1);
  matmul->forward({}, rows, in, out, {x.data(), in}, w.data(), bias.data(), kIdentity, {y.data(), out});
  dx.assign(dx.size(), 1.0f);
  matmul->backward_input({}, rows, in, out, {dy.data(), out}, w.data(), {dx.data(), in}, /*add=*/true);
  matmul->backward_weight({}, rows, in, out, {x.data(), in}, {dy.data(), out}, dw.data());
  for (int64_t r : {0, 1, 127, 128, 700, 1499}) {
    for (int j = 0; j < out; ++j) {
      double sum = bias[j];
      for (int i = 0; i < in; ++i) sum += double(x[r * in + i]) * w[i * out + j];
      CHECK(y[r * out + j] == Approx(sum).margin(1e-4));
    }
    for (int i = 0; i < in; ++i) {
      double sum = 1;
      for (int j = 0; j < out; ++j) sum += double(dy[r * out + j]) * w[i * out + j];
      CHECK(dx[r * in + i] == Approx(sum).margin(1e-4));
    }
  }
  for (int i : {0, 40, 74}) {
    for (int j : {0, 32}) {
      double sum = 0;
      for (int64_t r = 0; r < rows; ++r) sum += double(x[r * in + i]) * dy[r * out + j];
      CHECK(dw[i * out + j] == Approx(sum).margin(1e-3));
    }
  }
  std::vector<float> shifted(padded * in), z(padded * out);
  std::copy(x.begin(), x.begin() + 100 * in, shifted.begin() + 517 * in);
  matmul->forward({}, 617, in, out, {shifted.data(), in}, w.data(), bias.data(), kIdentity, {z.data(), out});
  for (int k = 0; k < 100 * out; ++k) REQUIRE(z[517 * out + k] == y[k]);
}

TEST_CASE("sums of rows and columns are exact enough and do not depend on threads") {
  for (const std::string& name : test_devices()) {
    if (name != "cpu") continue;  // lambdas of this file are not for a GPU; the learner's tests go there
    auto device = open_device(name);
    Arena arena(device);
    Reducer reducer;
    reducer.want(arena, 1, 40);
    arena.commit();
    const int64_t rows = 100003;
    std::vector<double> out(2), again(2);
    std::vector<float> columns(40);
    auto body = [](int, int64_t row, double(&sums)[2]) {
      sums[0] += double(row);
      sums[1] += 0.1;
    };
    sum_rows<2>(*device, reducer, 1, rows, out.data(), 0, body);
    CHECK(out[0] == rows * (rows - 1) / 2.0);
    CHECK(out[1] == Approx(0.1 * rows).epsilon(1e-12));
    limit_cpu_threads(1);
    sum_rows<2>(*device, reducer, 1, rows, again.data(), 0, body);
    limit_cpu_threads(0);
    CHECK(again == out);
    sum_columns(*device, reducer, {}, rows, 40, columns.data(),
                [](int, int64_t row, int column) { return row % 7 == column ? 1.0f : 0.0f; });
    for (int c = 0; c < 40; ++c) CHECK(columns[c] == (c < 7 ? (rows + 6 - c) / 7 : 0));
  }
}

TEST_CASE("Adam's first steps and the clipping of gradient norms") {
  auto device = open_device("cpu");
  Arena arena(device);
  Adam adam;
  Schedule* schedule;
  float *parameters, *gradients;
  double* norms;
  const Groups one{1, 2};
  adam.want(arena, one, 1);
  arena.want(schedule, 1);
  arena.want(parameters, 2);
  arena.want(gradients, 2);
  arena.want(norms, 2);
  arena.commit();
  gradients[0] = 3;
  gradients[1] = -4;
  norms[0] = 9;
  norms[1] = 16;
  schedule->learning_rate = 0.1f;
  adam.prepare(*device, schedule, 1);
  adam.update(*device, one, parameters, gradients, {norms, 2, 1, true, 0.0f}, schedule, 0, 0.0f);
  CHECK(parameters[0] == Approx(-0.1));  // the first step is the learning rate, whatever the gradient
  CHECK(parameters[1] == Approx(0.1));
  CHECK(adam.first[0] == Approx(0.3));
  adam.first[0] = adam.first[1] = 0;
  adam.update(*device, one, parameters, gradients, {norms, 2, 1, true, 2.5f}, schedule, 0, 0.0f);
  CHECK(adam.first[0] == Approx(0.1 * 1.5));  // 3 * 2.5 / 5
  adam.first[0] = adam.first[1] = 0;
  adam.update(*device, one, parameters, gradients, {norms, 2, 1, false, 3.5f}, schedule, 0, 0.0f);
  CHECK(adam.first[0] == Approx(0.3));
  CHECK(adam.first[1] == Approx(-0.35));  // each by its own norm
  const float before = parameters[0];
  norms[1] = NAN;
  adam.update(*device, one, parameters, gradients, {norms, 2, 1, true, 2.5f}, schedule, 0, 0.0f);
  CHECK(parameters[0] == before);
}

TEST_CASE("a value that changed by less than the clipping range always has a gradient") {
  const PpoCoefficients coefficients{0.2f, 0.01f, 0.5f, true};
  const auto numbers = synthetic::numbers(3000, key(71), -0.1f, 0.1f);
  int rounded_up = 0;
  for (size_t i = 0; i < numbers.size(); i += 3) {
    const float value = numbers[i], target = 10 * numbers[i + 2];
    const float acting = numbers[i + 1];
    float gradient;
    value_loss(value, acting, target, coefficients, &gradient);
    CHECK(gradient == 0.5f * (value - target));
    rounded_up += std::abs(acting + (value - acting) - target) > std::abs(value - target);
  }
  CHECK(rounded_up > 10);  // where the clipped error is the larger one, by rounding alone
}
