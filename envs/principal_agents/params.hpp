// The settings of principal_agents: who can be hired, what they can find out, and what that costs them.
#pragma once

#include <cstdint>
#include <string>

#include "core/fixed_list.hpp"
#include "envs/common/choices.hpp"

namespace throng::principal_agents {

inline constexpr int kMaxWorkers = 4, kMaxStates = 4, kMaxEfforts = 4;

using PerEffort = FixedList<float, kMaxWorkers * kMaxEfforts>;

enum Mode : uint8_t { kContract, kMarket };
inline constexpr const char* kModes[] = {"contract", "market"};

// What an offer of one number is: pay it for a report that matches the state; share it by the quadratic scoring rule, which is
// highest in expectation for who tells the truth; or pay it for a match if all who were asked to work say the same.
enum Rule : uint8_t { kMatch, kQuadratic, kAgree };
inline constexpr const char* kRules[] = {"match", "quadratic", "agree"};

struct Params {
  uint8_t mode = kContract;
  int num_workers = 1;
  int num_states = 2;
  int num_efforts = 2;
  FixedList<float, kMaxStates> prior = {};
  PerEffort costs = {2, {0, 0.1f}};
  PerEffort accuracies = {2, {0.5f, 0.8f}};
  float shared_noise = 0;
  float max_payment = 1;
  int rounds = 64;
  bool draw_workers = false;
  float highest_cost = 0.2f;
  float highest_accuracy = 0.95f;
  int levels = 11;
  uint8_t rule = kMatch;
  bool recommends = false;
  bool knows_itself = true;

  template <class V>
  void fields(V&& v) {
    v("mode", mode, kModes,
      "contract: only the principal learns; market: so do the workers, and a round is four steps");
    v("num_workers", num_workers, "agents that the principal can hire");
    v("num_states", num_states, "states of the world, and as many signals, reports and decisions");
    v("num_efforts", num_efforts, "levels of effort, from idle on");
    v("prior", prior, "probability of each state; empty: all equal");
    v("costs", costs, "of each effort, worker by worker; not used when workers are drawn");
    v("accuracies", accuracies, "probability that the signal is the state, for each effort, worker by worker");
    v("shared_noise", shared_noise, "probability, in a round, that all who work err together");
    v("max_payment", max_payment, "the most that a worker can be paid for a report");
    v("rounds", rounds, "rounds of an episode, which the principal learns in");
    v("draw_workers", draw_workers, "draw costs and accuracies anew for every episode");
    v("highest_cost", highest_cost, "drawn workers: bound on the cost of full effort");
    v("highest_accuracy", highest_accuracy, "drawn workers: bound on the accuracy of full effort");
    v("levels", levels, "market: payments that the principal can offer a worker, evenly from 0 to max_payment");
    v("rule", rule, kRules,
      "market: what is paid for: a match, by the quadratic scoring rule, or a match on which all agree");
    v("recommends", recommends, "market: the principal tells each worker, in secret, what effort it wants");
    v("knows_itself", knows_itself, "market: a worker sees what its efforts cost and bring");
  }

  THRONG_HD int table_size() const {
    return num_workers * num_states * num_states;
  }  // payments by worker, report, state
  THRONG_HD bool market() const { return mode == kMarket; }
  THRONG_HD int offers() const { return recommends ? levels * num_efforts : levels; }  // to one worker
  THRONG_HD int num_profiles() const { return power(num_efforts, num_workers); }
  THRONG_HD int num_reports() const { return power(num_states, num_workers); }

  void check() {
    const std::string game = "principal_agents";
    common::check_range(game, "num_workers", num_workers, 1, kMaxWorkers);
    common::check_range(game, "num_states", num_states, 2, kMaxStates);
    common::check_range(game, "num_efforts", num_efforts, 2, kMaxEfforts);
    common::check_range(game, "shared_noise", shared_noise, 0, 1);
    common::check_range(game, "max_payment", max_payment, 1e-3, 1e3);
    common::check_range(game, "rounds", rounds, 1, 65535);
    common::check_range(game, "levels", levels, 2, 64);
    common::check_range(game, "highest_cost", highest_cost, 0, 1e3);
    common::check_range(game, "highest_accuracy", highest_accuracy, 1.0 / num_states, 1);
    if (prior.size > 0) {
      common::check_distribution(game, "prior", prior);
      common::check_range(game, "length of prior", prior.size, num_states, num_states);
    }
    if (draw_workers) return;
    const int size = num_workers * num_efforts;
    common::check_range(game, "length of costs", costs.size, size, size);
    common::check_range(game, "length of accuracies", accuracies.size, size, size);
    for (int i = 0; i < size; ++i) {
      const bool idle = i % num_efforts == 0;
      common::check_range(game, idle ? "costs: of the lowest effort" : "costs", costs[i], idle ? 0 : costs[i - 1],
                          idle ? 0 : 1e3);
      common::check_range(game, "accuracies", accuracies[i], idle ? 1.0 / num_states - 1e-6 : accuracies[i - 1], 1);
    }
  }

 private:
  THRONG_HD static int power(int base, int exponent) {
    int product = 1;
    for (int i = 0; i < exponent; ++i) product *= base;
    return product;
  }
};

}  // namespace throng::principal_agents
