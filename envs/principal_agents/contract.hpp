// The game of mode `contract`: the principal announces payments, and workers respond as well as they can; a step is a round.
#pragma once

#include <cstdint>

#include "core/env.hpp"
#include "envs/common/draw.hpp"
#include "envs/principal_agents/params.hpp"   // settings
#include "envs/principal_agents/workers.hpp"  // what workers do

// The principal is the one agent that learns.
//
// Differs: contracts are uncorrelated: what a worker is paid depends on its own report and the state, and nobody is told what
// effort is expected.
namespace throng::principal_agents {

enum Objective { kDecision, kPayment, kNumObjectives };

struct State {
  Field<float> prior;      // [state, env]
  Field<float> cost;       // [worker * efforts + effort, env]
  Field<float> accuracy;   // [worker * efforts + effort, env]
  Field<float> benchmark;  // [env], the expected utility of the best contract that pays for matches
  Field<float> payment;    // [(worker * states + report) * states + state, env], the contract of the last round
  Field<uint16_t> seen;    // the same index, how often it was paid in this episode
  Field<uint16_t> time;    // [env], rounds that were played
  Field<uint16_t> truths;  // [env], reports that were true to the signal
  Field<float>
      utility;  // [env], sum of what the contracts were worth in expectation; in a market, of what came of them
  // Of a market only, of the present round:
  Field<uint8_t> phase;    // [env]
  Field<uint8_t> truth;    // [env], the state of the world
  Field<uint8_t> scale;    // [worker, env], the offered payment, of `levels`
  Field<uint8_t> advice;   // [worker, env], the effort that the principal recommends
  Field<uint8_t> effort;   // [worker, env]
  Field<uint8_t> signal;   // [worker, env]
  Field<uint8_t> report;   // [worker, env]
  Field<uint16_t> obeyed;  // [env], efforts that were as recommended, in this episode
  Field<float> rent;       // [env], sum of what workers were paid, less their costs

  template <class V>
  THRONG_HD void fields(const Params& p, V&& v) {
    v("prior", prior, p.num_states);
    v("cost", cost, p.num_workers * p.num_efforts);
    v("accuracy", accuracy, p.num_workers * p.num_efforts);
    v("benchmark", benchmark, 1);
    v("payment", payment, p.table_size());
    v("seen", seen, p.table_size());
    v("time", time, 1);
    v("truths", truths, 1);
    v("utility", utility, 1);
    const int one = p.market(), each = p.market() ? p.num_workers : 0;
    v("phase", phase, one);
    v("truth", truth, one);
    v("scale", scale, each);
    v("advice", advice, each);
    v("effort", effort, each);
    v("signal", signal, each);
    v("report", report, each);
    v("obeyed", obeyed, one);
    v("rent", rent, one);
  }
};

struct Scratch {
  Field<float> worth;     // [profile], of the best contract for these efforts
  Field<float> accuracy;  // [worker], of the effort that it chose
  Field<uint8_t> effort;  // [worker]
  Field<uint8_t> report;  // [worker * states + signal]

  template <class V>
  THRONG_HD void fields(const Params& p, V&& v) {
    v("worth", worth, p.num_profiles());
    v("accuracy", accuracy, p.num_workers);
    v("effort", effort, p.num_workers);
    v("report", report, p.num_workers * p.num_states);
  }
};

// Parts of the state, as the functions of workers.hpp take them.
struct PriorList {
  Field<float> shares;
  int size;
  THRONG_HD float operator[](int state) const { return shares[state]; }
};
struct PaymentTable {
  Field<float> values;
  int first, states;
  THRONG_HD float operator()(int report, int state) const { return values[first + report * states + state]; }
};
struct EffortRow {
  Field<float> values;
  int first;
  THRONG_HD float operator()(int effort) const { return values[first + effort]; }
};

// Where chance enters, in a round and at the start of an episode.
struct Draws {
  Rng rng;
  enum Purpose : uint32_t { kState, kNoise, kCoin, kWrong, kCost, kAccuracy };

  THRONG_HD float state() const { return rng.at(kState).uniform(0); }
  THRONG_HD float noise(int source) const {
    return rng.at(kNoise).uniform(source);
  }  // 0 is shared, i + 1 worker i's own
  THRONG_HD float coin() const { return rng.at(kCoin).uniform(0); }
  THRONG_HD int wrong(int source, int n) const { return rng.at(kWrong).below(source, n); }
  THRONG_HD float cost(int worker) const { return rng.at(kCost).uniform(worker); }
  THRONG_HD float accuracy(int worker) const { return rng.at(kAccuracy).uniform(worker); }
};

struct Contract {
  using Params = principal_agents::Params;
  using State = principal_agents::State;
  using Scratch = principal_agents::Scratch;
  static constexpr const char* kVersion = "1";
  static constexpr int kMostLanes = 4;
  static constexpr const char* kObjectives[] = {"decision", "payment"};
  // Of an episode: the sum of benchmark - expected utility over rounds; means over rounds; the share of true reports.
  static constexpr const char* kInfo[] = {"regret", "expected_utility", "benchmark", "truthfulness"};

  const Params& p;
  State s;
  Scratch w;
  Lanes lanes;

  THRONG_HD static Spec spec(const Params& p) {
    Spec spec;
    spec.num_agents = 1;
    spec.num_actions = 0;
    spec.continuous = p.table_size();
    spec.num_objectives = kNumObjectives;
    spec.time_limit = p.rounds;
    spec.obs_low = 0;
    spec.lanes = p.num_workers;
    return spec;
  }

  static std::string agent_name(const Params&, int) { return "principal"; }

  // --- the beginning of an episode

  THRONG_HD void reset(Rng rng) {
    const Draws draws{rng};
    lanes.each(p.num_states, [&](int state) {
      s.prior[state] = p.prior.size > 0 ? p.prior[state] : 1 / static_cast<float>(p.num_states);
    });
    lanes.each(p.num_workers, [&](int worker) { meet(worker, draws); });
    lanes.each(p.table_size(), [&](int i) { s.payment[i] = 0, s.seen[i] = 0; });
    lanes.each(p.num_profiles(), [&](int profile) { w.worth[profile] = worth_of_profile(profile); });
    lanes.once([&] {
      float best = w.worth[0];
      for (int profile = 1; profile < p.num_profiles(); ++profile)
        best = w.worth[profile] > best ? w.worth[profile] : best;
      s.benchmark[0] = best;
      s.utility[0] = 0;
      s.time[0] = s.truths[0] = 0;
    });
  }

  // Drawn workers: every effort brings half of what is left to the full accuracy, at a cost that grows evenly.
  THRONG_HD void meet(int worker, const Draws& draws) {
    const float guess = 1 / static_cast<float>(p.num_states);
    const float reach = draws.accuracy(worker) * (p.highest_accuracy - guess),
                price = draws.cost(worker) * p.highest_cost;
    float lacking = 1;
    for (int effort = 0; effort < p.num_efforts; ++effort, lacking *= 0.5f) {
      const int i = worker * p.num_efforts + effort;
      const float level = static_cast<float>(effort) / static_cast<float>(p.num_efforts - 1);
      s.cost[i] = p.draw_workers ? level * price : p.costs[i];
      s.accuracy[i] = p.draw_workers ? guess + reach * (1 - lacking) : p.accuracies[i];
    }
  }

  // What the cheapest contract for these efforts is worth that pays for reports that match the state.
  THRONG_HD float worth_of_profile(int profile) const {
    Team team = no_team();
    float paid = 0;
    for (int i = 0; i < p.num_workers; ++i, profile /= p.num_efforts) {
      const int effort = profile % p.num_efforts;
      const float payment = least_match_payment(effort, p.num_efforts, accuracy_of(i), cost_of(i));
      if (payment < 0 || payment > p.max_payment) return 0;
      team.of[i].effort = effort;
      team.of[i].accuracy = accuracy_of(i)(effort);
      for (int signal = 0; signal < p.num_states; ++signal) team.of[i].report[signal] = signal;
      paid += team.of[i].accuracy * payment;
    }
    return decision_accuracy(team, s.prior, p.num_reports()) - paid;
  }

  // --- a round: contract, efforts, signals, reports, decision, payment

  THRONG_HD bool step(ContinuousActions actions, Rewards rewards, Rng rng) {
    lanes.each(p.table_size(), [&](int i) {
      const float x = actions(0, i), share = x >= -1 ? (x <= 1 ? 0.5f + 0.5f * x : 1) : 0;
      s.payment[i] = share * p.max_payment;
    });
    lanes.each(p.num_workers, [&](int worker) { choose(worker); });
    lanes.once([&] {
      const Draws draws{rng};
      const Team team = hired();
      const int state = common::pick(PriorList{s.prior, p.num_states}, draws.state());
      const bool shared = draws.coin() < p.shared_noise;
      int reports[kMaxWorkers] = {};
      float paid = 0;
      for (int i = 0; i < p.num_workers; ++i) {
        const int signal = signal_of(team.of[i].accuracy, shared && team.of[i].effort > 0 ? 0 : i + 1, state, draws);
        reports[i] = team.of[i].report[signal];
        const int entry = index(i, reports[i], state);
        s.truths[0] = static_cast<uint16_t>(s.truths[0] + (reports[i] == signal));
        ++s.seen[entry];
        paid += s.payment[entry];
      }
      rewards(0, kDecision) = decide(team, s.prior, reports).state == state ? 1.0f : 0.0f;
      rewards(0, kPayment) = -paid;
      s.utility[0] += expected_utility(team);
      ++s.time[0];
    });
    return false;
  }

  THRONG_HD void choose(int worker) {
    Team team = no_team();
    respond(team, worker, p.num_efforts, s.prior, payment_of(worker), accuracy_of(worker), cost_of(worker));
    w.effort[worker] = static_cast<uint8_t>(team.of[worker].effort);
    w.accuracy[worker] = team.of[worker].accuracy;
    for (int signal = 0; signal < p.num_states; ++signal) {
      w.report[worker * p.num_states + signal] = static_cast<uint8_t>(team.of[worker].report[signal]);
    }
  }

  // What the contract is worth to the principal when workers behave like this.
  THRONG_HD float expected_utility(const Team& team) const {
    float worth = decision_accuracy(team, s.prior, p.num_reports());
    for (int i = 0; i < p.num_workers; ++i) worth -= expected_payment(team, i, s.prior, payment_of(i));
    return worth;
  }

  THRONG_HD int signal_of(float accuracy, int source, int state, const Draws& draws) const {
    if (draws.noise(source) < accuracy) return state;
    const int wrong = draws.wrong(source, p.num_states - 1);
    return wrong < state ? wrong : wrong + 1;
  }

  // --- what is so

  THRONG_HD int index(int worker, int report, int state) const {
    return (worker * p.num_states + report) * p.num_states + state;
  }
  THRONG_HD PaymentTable payment_of(int worker) const { return {s.payment, index(worker, 0, 0), p.num_states}; }
  THRONG_HD EffortRow accuracy_of(int worker) const { return {s.accuracy, worker * p.num_efforts}; }
  THRONG_HD EffortRow cost_of(int worker) const { return {s.cost, worker * p.num_efforts}; }

  THRONG_HD Team no_team() const { return Team{p.num_workers, p.num_states, p.shared_noise, {}}; }

  THRONG_HD Team hired() const {
    Team team = no_team();
    for (int i = 0; i < p.num_workers; ++i) {
      team.of[i].effort = w.effort[i];
      team.of[i].accuracy = w.accuracy[i];
      for (int signal = 0; signal < p.num_states; ++signal)
        team.of[i].report[signal] = w.report[i * p.num_states + signal];
    }
    return team;
  }

  // --- what is seen

  // How often each report met each state, as a share of the rounds so far; the last contract, as shares of the largest payment;
  // how much of the episode is over. Costs, accuracies and efforts are hidden.
  THRONG_HD void observe(int, auto& out) const {
    const auto rounds = static_cast<float>(s.time[0] > 0 ? s.time[0] : 1);
    for (int i = 0; i < p.table_size(); ++i) out(static_cast<float>(s.seen[i]) / rounds);
    for (int i = 0; i < p.table_size(); ++i) out(s.payment[i] / p.max_payment);
    out(static_cast<float>(s.time[0]) / static_cast<float>(p.rounds));
  }

  // The same, and what is hidden.
  THRONG_HD void world_state(auto& out) const {
    observe(0, out);
    for (int i = 0; i < p.num_workers * p.num_efforts; ++i) out(s.cost[i]);
    for (int i = 0; i < p.num_workers * p.num_efforts; ++i) out(s.accuracy[i]);
  }

  THRONG_HD void info(auto& out) const {
    const auto rounds = static_cast<float>(s.time[0] > 0 ? s.time[0] : 1);
    out(s.benchmark[0] * static_cast<float>(s.time[0]) - s.utility[0]);
    out(s.utility[0] / rounds);
    out(s.benchmark[0]);
    out(static_cast<float>(s.truths[0]) / (rounds * static_cast<float>(p.num_workers)));
  }
};

}  // namespace throng::principal_agents
