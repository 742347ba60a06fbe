// The optimal mechanism of principal_agents by linear programming (CLP): the oracle of the benchmarks, for small cases.
#include <coin/Clp_C_Interface.h>
#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <vector>

#include "envs/principal_agents/principal_agents.hpp"
#include "tests/envs/played.hpp"

namespace throng::principal_agents {
namespace {

using Catch::Matchers::WithinAbs;

// A linear programme that is written down row by row: maximise value * x, lower <= row * x <= upper, x >= 0.
class Programme {
 public:
  int variable(double value = 0) {
    const double zero = 0, infinity = 1e30;
    Clp_addColumns(model_.get(), 1, &zero, &infinity, &value, kNothing, nullptr, nullptr);
    return count_++;
  }
  void row(double lower, double upper, const std::vector<std::pair<int, double>>& terms) {
    std::vector<int> columns;
    std::vector<double> elements;
    for (const auto& [variable, factor] : terms) columns.push_back(variable), elements.push_back(factor);
    const CoinBigIndex starts[] = {0, static_cast<CoinBigIndex>(terms.size())};
    Clp_addRows(model_.get(), 1, &lower, &upper, starts, columns.data(), elements.data());
  }
  double maximum() {
    Clp_setLogLevel(model_.get(), 0);
    Clp_setOptimizationDirection(model_.get(), -1);
    Clp_initialSolve(model_.get());
    REQUIRE(Clp_status(model_.get()) == 0);
    return Clp_objectiveValue(model_.get());
  }
  double value(int variable) const { return Clp_primalColumnSolution(model_.get())[variable]; }

 private:
  struct Delete {
    void operator()(Clp_Simplex* model) const { Clp_deleteModel(model); }
  };
  static constexpr CoinBigIndex kNothing[] = {0, 0};
  std::unique_ptr<Clp_Simplex, Delete> model_{Clp_newModel()};
  int count_ = 0;
};

// Digits of a profile of efforts, or of signals.
int digit(int code, int worker, int base) {
  for (; worker > 0; --worker) code /= base;
  return code % base;
}
int with_digit(int code, int worker, int base, int value) {
  int place = 1;
  for (int i = 0; i < worker; ++i) place *= base;
  return code + (value - digit(code, worker, base)) * place;
}

struct Optimum {
  double utility;
  std::vector<double> profiles;  // probability of each profile of efforts
};

// P(signals | efforts, state) of all workers, [profile, signals, state].
std::vector<double> signal_law(const Env& env) {
  const Params& p = env.p;
  const int n = p.num_workers, k = p.num_states, l = p.num_efforts;
  std::vector<double> chances;
  for (int b = 0; b < p.num_profiles(); ++b) {
    Team team = env.no_team();
    for (int i = 0; i < n; ++i) {
      team.of[i].effort = digit(b, i, l);
      team.of[i].accuracy = env.s.accuracy[i * l + digit(b, i, l)];
      for (int signal = 0; signal < k; ++signal) team.of[i].report[signal] = signal;
    }
    for (int s = 0; s < p.num_reports(); ++s) {
      int reports[kMaxWorkers] = {};
      for (int i = 0; i < n; ++i) reports[i] = digit(s, i, k);
      for (int t = 0; t < k; ++t) chances.push_back(reports_chance(team, reports, t));
    }
  }
  return chances;
}

// Efforts b are drawn and recommended, signals s reported, the state t is seen. mu(b), x(b, s, a) = mu(b) * decision,
// y(i, b, s, t) = mu(b) * payment, and z(i, b_i, b_i', s_i) bounds the best report after a deviation from b_i to b_i'.
Optimum optimal_mechanism(Env env) {
  const Params& p = env.p;
  const int n = p.num_workers, k = p.num_states, l = p.num_efforts, profiles = p.num_profiles(),
            signals = p.num_reports();
  const auto prior = [&](int t) { return double(env.s.prior[t]); };
  const auto cost = [&](int i, int effort) { return double(env.s.cost[i * l + effort]); };
  const std::vector<double> chances = signal_law(env);
  const auto chance = [&](int b, int s, int t) { return prior(t) * chances[(b * signals + s) * k + t]; };

  Programme lp;
  std::vector<int> mu, x, y, z;
  for (int b = 0; b < profiles; ++b) mu.push_back(lp.variable());
  for (int i = 0; i < profiles * signals * k; ++i)
    x.push_back(lp.variable(chance(i / k / signals, i / k % signals, i % k)));
  for (int i = 0; i < n * profiles * signals * k; ++i) {
    y.push_back(lp.variable(-chance(i / k / signals % profiles, i / k % signals, i % k)));
  }
  for (int i = 0; i < n * l * l * k; ++i) z.push_back(lp.variable());
  const auto paid = [&](int i, int b, int s, int t) { return y[((i * profiles + b) * signals + s) * k + t]; };
  const auto bound = [&](int i, int told, int does, int signal) { return z[((i * l + told) * l + does) * k + signal]; };

  std::vector<std::pair<int, double>> terms;
  for (int b = 0; b < profiles; ++b) terms.emplace_back(mu[b], 1);
  lp.row(1, 1, terms);
  for (int b = 0; b < profiles; ++b) {
    for (int s = 0; s < signals; ++s) {
      terms = {{mu[b], -1}};
      for (int a = 0; a < k; ++a) terms.emplace_back(x[(b * signals + s) * k + a], 1);
      lp.row(0, 0, terms);
      for (int i = 0; i < n; ++i) {
        for (int t = 0; t < k; ++t) lp.row(-1e30, 0, {{paid(i, b, s, t), 1}, {mu[b], -p.max_payment}});
      }
    }
  }
  for (int i = 0; i < n; ++i) {
    for (int told = 0; told < l; ++told) {
      for (int does = 0; does < l; ++does) {
        std::vector<std::pair<int, double>> obey;  // value of obedience - best deviation >= 0
        for (int signal = 0; signal < k; ++signal) {
          obey.emplace_back(bound(i, told, does, signal), -1);
          for (int report = 0; report < k; ++report) {
            terms = {{bound(i, told, does, signal), 1}};
            for (int b = 0; b < profiles; ++b) {
              if (digit(b, i, l) != told) continue;
              for (int s = 0; s < signals; ++s) {
                if (digit(s, i, k) != signal) continue;
                for (int t = 0; t < k; ++t) {
                  const double c = chance(with_digit(b, i, l, does), s, t);
                  terms.emplace_back(paid(i, b, with_digit(s, i, k, report), t), -c);
                }
              }
            }
            lp.row(0, 1e30, terms);
          }
        }
        for (int b = 0; b < profiles; ++b) {
          if (digit(b, i, l) != told) continue;
          obey.emplace_back(mu[b], cost(i, does) - cost(i, told));
          for (int s = 0; s < signals; ++s) {
            for (int t = 0; t < k; ++t) obey.emplace_back(paid(i, b, s, t), chance(b, s, t));
          }
        }
        lp.row(0, 1e30, obey);
      }
    }
  }
  Optimum optimum{lp.maximum(), {}};
  for (int b : mu) optimum.profiles.push_back(lp.value(b));
  return optimum;
}

}  // namespace

TEST_CASE("optimal mechanisms are worth what they are known to be", "[principal_agents]") {
  for (const auto& [scenario, optimum] : {std::pair{"one_worker", 0.533333},
                                          {"one_worker_capped", 0.5},
                                          {"two_workers", 0.675},
                                          {"three_workers", 0.746667},
                                          {"shared_noise", 0.594737}}) {
    INFO(scenario);
    Played<Env> game(params_of<Env>(std::string("principal_agents/") + scenario));
    CHECK_THAT(optimal_mechanism(game.env).utility, WithinAbs(optimum, 2e-6));
  }
}

TEST_CASE("with shared noise mostly one is asked, and rarely both", "[principal_agents]") {
  struct Known {
    double max_payment, utility, both;
  };
  for (const Known& known :
       {Known{1, 0.594737, 1.0 / 19}, {0.3, 0.58, 0.2}, {0.5, 0.588889, 0.1111}, {2, 0.597436, 0.0256}}) {
    Played<Env> game(params_of<Env>("principal_agents/shared_noise", {{"max_payment", known.max_payment}}));
    const Optimum optimum = optimal_mechanism(game.env);
    CHECK_THAT(optimum.utility, WithinAbs(known.utility, 2e-6));
    CHECK_THAT(optimum.profiles[3], WithinAbs(known.both, 1e-4));
    CHECK(optimum.utility > game.env.s.benchmark[0] + 0.05);  // which is without correlation
  }
}

TEST_CASE("with independent noise and equal states the benchmark is the optimum", "[principal_agents]") {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    INFO("seed " << seed);
    const nlohmann::json config = {{"shared_noise", 0}, {"num_workers", 2}, {"num_states", 2 + seed % 2}};
    Played<Env> game(params_of<Env>("principal_agents/drawn", config), seed);
    CHECK_THAT(optimal_mechanism(game.env).utility, WithinAbs(game.env.s.benchmark[0], 2e-5));
  }
}

}  // namespace throng::principal_agents
