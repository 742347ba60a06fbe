// The rules of the beach, and its exact Pareto fronts: found by dynamic programming, then played.
#include "envs/beach/beach.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <map>
#include <numeric>
#include <random>

#include "algos/pareto.hpp"
#include "tests/envs/played.hpp"

namespace throng::beach {
namespace {

using Catch::Matchers::WithinAbs;
using Allocation = std::vector<std::vector<int>>;  // [type][section], people

// --- the exact front of two types by dynamic programming over sections

// What a section is worth, written once more and in double.
Point worth(int first, int second, int capacity, int sections) {
  const double x = first + second;
  return {x * std::exp(-x / capacity), x > 0 ? std::min(first, second) / x / sections : 0};
}

struct Plan {
  Point value;
  Allocation people;
};

// What nothing dominates, where differences in the last bits are none.
void keep_best(std::vector<Plan>& plans, Plan plan) {
  constexpr double kSame = 1e-12;
  const auto covers = [&](const Point& a, const Point& b) { return a[0] >= b[0] - kSame && a[1] >= b[1] - kSame; };
  for (const Plan& other : plans) {
    if (covers(other.value, plan.value)) return;
  }
  std::erase_if(plans, [&](const Plan& other) { return covers(plan.value, other.value); });
  plans.push_back(std::move(plan));
}

std::vector<Plan> exact_front(int first, int second, int sections, int capacity) {
  std::map<std::pair<int, int>, std::vector<Plan>> used = {{{0, 0}, {{{0, 0}, {{}, {}}}}}};  // plans by people placed
  for (int section = 0; section < sections; ++section) {
    std::map<std::pair<int, int>, std::vector<Plan>> next;
    for (const auto& [placed, plans] : used) {
      for (int a = 0; a <= first - placed.first; ++a) {
        for (int b = 0; b <= second - placed.second; ++b) {
          const std::pair<int, int> total(placed.first + a, placed.second + b);
          if (section == sections - 1 && total != std::pair(first, second)) continue;
          const Point here = worth(a, b, capacity, sections);
          for (Plan plan : plans) {
            plan.value[0] += here[0], plan.value[1] += here[1];
            plan.people[0].push_back(a), plan.people[1].push_back(b);
            keep_best(next[total], std::move(plan));
          }
        }
      }
    }
    used = std::move(next);
  }
  return used.at({first, second});
}

// --- playing an allocation: everybody walks to a section of its own

Point play(Played<Env>& beach, const Allocation& people) {
  const Params& p = beach.env.p;
  std::vector<int> goal(p.num_agents), taken(people.size(), 0);
  for (int a = 0; a < p.num_agents; ++a) {
    const int type = beach.env.s.type[a];
    int rank = taken[type]++, section = 0;
    while (rank >= people[type][section]) rank -= people[type][section++];
    goal[a] = section;
  }
  for (int t = 1; t <= p.num_timesteps; ++t) {
    std::vector<int32_t> actions(p.num_agents);
    for (int a = 0; a < p.num_agents; ++a) {
      const int here = beach.env.s.section[a];
      actions[a] = goal[a] < here ? kLeft : goal[a] > here ? kRight : kStay;
    }
    const bool over = beach.step(actions);
    REQUIRE(over == (t == p.num_timesteps));
    if (!over) REQUIRE(beach.rewards == std::vector<float>(beach.rewards.size(), 0.0f));
  }
  for (int a = 1; a < p.num_agents; ++a) REQUIRE(beach.reward(a) == beach.reward(0));
  return {beach.reward(0)[0], beach.reward(0)[1]};
}

struct Known {
  std::string id;
  int first, second;
  size_t size;
  double volume;
  Point most_capacity, most_mixture;
  Point tight;  // a reference point close to the front
  double tight_volume;
};

}  // namespace

TEST_CASE("the exact Pareto fronts of the beach are found and played", "[beach]") {
  const std::vector<Known> table = {
      {"beach/10_agents", 7, 3, 4, 0.723844, {1.880122, 0.305556}, {1.770240, 0.388889}, {1.7, 0.25}, 0.017703},
      {"beach/50_agents", 35, 15, 12, 1.980063, {4.414673, 0.324561}, {4.107372, 0.452381}, {4.0, 0.30}, 0.046137},
      {"beach/100_agents", 70, 30, 19, 3.347111, {7.357598, 0.375}, {5.362561, 0.456522}, {5.0, 0.35}, 0.239343},
  };
  for (const Known& known : table) {
    INFO(known.id);
    const Params p = params_of<Env>(known.id);
    Points played;
    for (const Plan& plan : exact_front(known.first, known.second, p.sections, p.capacity)) {
      Played<Env> beach(p);
      const Point reward = play(beach, plan.people);
      CHECK_THAT(reward[kCapacity], WithinAbs(plan.value[kCapacity], 2e-6));
      CHECK_THAT(reward[kMixture], WithinAbs(plan.value[kMixture], 1e-6));
      played.push_back(reward);
    }
    const Points front = pareto_front(played);
    REQUIRE(front.size() == known.size);
    CHECK_THAT(hypervolume(front, {0, 0}), WithinAbs(known.volume, 2e-6));
    CHECK_THAT(hypervolume(front, known.tight), WithinAbs(known.tight_volume, 2e-6));
    for (int j = 0; j < 2; ++j) {
      CHECK_THAT(front.front()[j], WithinAbs(known.most_capacity[j], 2e-6));
      CHECK_THAT(front.back()[j], WithinAbs(known.most_mixture[j], 2e-6));
    }
  }
}

TEST_CASE("the worth of a section", "[beach]") {
  Params p;
  p.num_agents = 10, p.sections = 2, p.exact_types = true;
  for (const auto& [capacity, best] : {std::pair{2, 0.7358f}, {3, 1.1036f}, {5, 1.8394f}, {7, 2.5752f}}) {
    p.capacity = capacity;
    Played<Env> beach(p);
    for (int a = 0; a < p.num_agents; ++a) beach.env.s.section[a] = a >= capacity;
    CHECK(beach.step(std::vector<int32_t>(10, kStay)));
    CHECK_THAT(beach.reward(0)[kCapacity], WithinAbs(best, 5e-5));
  }
}

TEST_CASE("each is paid for its own section, an empty one counts nothing", "[beach]") {
  Params p;
  p.num_agents = 4, p.sections = 3, p.capacity = 2, p.type_distribution = {2, {0.5f, 0.5f}}, p.exact_types = true;
  Played<Env> beach(p);  // types 0, 0, 1, 1
  for (int a = 0; a < 4; ++a) beach.env.s.section[a] = 0;
  beach.env.s.section[1] = 2;
  CHECK(beach.step({kStay, kStay, kStay, kStay}));
  const auto worth = [](double x) { return static_cast<float>(x * std::exp(-x / 2)); };
  check_near(beach.reward(0), {worth(3), 1.0f / 3});
  check_near(beach.reward(1), {worth(1), 0});
  check_near(beach.reward(2), beach.reward(0));
  check_near(beach.info(), {worth(3) + worth(1), 1.0f / 9});
  CHECK(beach.observation(2) == std::vector<float>{1, 0, 2, 3, 2.0f / 3});
}

TEST_CASE("nobody leaves the beach, and other numbers are stays", "[beach]") {
  Params p;
  p.num_agents = 2, p.sections = 2, p.num_timesteps = 5;
  Played<Env> beach(p);
  beach.env.s.section[0] = 0, beach.env.s.section[1] = 1;
  CHECK_FALSE(beach.step({kLeft, kRight}));
  CHECK((beach.env.s.section[0] == 0 && beach.env.s.section[1] == 1));
  beach.step({-1, 3});
  CHECK((beach.env.s.section[0] == 0 && beach.env.s.section[1] == 1));
  beach.step({kRight, kLeft});
  CHECK((beach.env.s.section[0] == 1 && beach.env.s.section[1] == 0));
}

TEST_CASE("people are drawn as the distributions say", "[beach]") {
  Params p;
  p.num_agents = 10000, p.sections = 3, p.position_distribution = {3, {0.2f, 0, 0.8f}};
  Played<Env> beach(p);
  int first_type = 0, first_section = 0;
  for (int a = 0; a < p.num_agents; ++a) {
    first_type += beach.env.s.type[a] == 0, first_section += beach.env.s.section[a] == 0;
    REQUIRE(beach.env.s.section[a] != 1);
  }
  CHECK_THAT(first_type / 10000.0, WithinAbs(0.3, 0.015));
  CHECK_THAT(first_section / 10000.0, WithinAbs(0.2, 0.015));
}

TEST_CASE("random play earns what it earns in the original", "[beach]") {
  std::mt19937 random(1);
  for (const auto& [id, capacity, mixture] : {std::tuple{"beach/10_agents", 1.712, 0.234},
                                              {"beach/50_agents", 2.05, 0.290},
                                              {"beach/100_agents", 2.11, 0.299}}) {
    INFO(id);
    Played<Env> beach(params_of<Env>(id));
    const int agents = beach.env.p.num_agents, episodes = 4000;
    std::vector<int32_t> order(agents), actions(agents);
    std::iota(order.begin(), order.end(), 0);
    double sum[2] = {};
    for (int episode = 0; episode < episodes; ++episode) {
      beach.env.reset(Rng{key(episode)});
      std::shuffle(order.begin(), order.end(), random);
      for (int a = 0; a < agents; ++a) beach.env.s.section[order[a]] = 2 * a < agents ? 0 : beach.env.p.sections - 1;
      for (int t = 0; t < beach.env.p.num_timesteps; ++t) {
        for (int32_t& action : actions) action = static_cast<int32_t>(random() % kActions);
        beach.step(actions);
      }
      for (int j = 0; j < 2; ++j) sum[j] += beach.reward(0)[j] / episodes;
    }
    CHECK_THAT(sum[kCapacity], WithinAbs(capacity, 0.02));
    CHECK_THAT(sum[kMixture], WithinAbs(mixture, 0.003));
  }
}

TEST_CASE("the exponential is the library's to the last bits", "[beach]") {
  for (double x = 0; x > -600; x = x * 1.01 - 1e-3) {
    CHECK_THAT(common::exponential(x), Catch::Matchers::WithinRel(std::exp(x), 5e-16));
  }
  CHECK(common::exponential(0) == 1);
  CHECK(common::exponential(-700) == 0);
}

TEST_CASE("what makes no beach is refused", "[beach]") {
  CHECK_THROWS_AS(params_of<Env>("beach/default", {{"type_distribution", {0.5, 0.4}}}), Error);
  CHECK_THROWS_AS(params_of<Env>("beach/default", {{"position_distribution", {0.5, 0.5}}}), Error);
  CHECK_THROWS_AS(params_of<Env>("beach/default", {{"num_agents", 0}}), Error);
}

}  // namespace throng::beach
