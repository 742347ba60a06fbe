// What workers do under a contract: the signals they get, the best they can make of their payments, what reports then tell.
#pragma once

#include "core/platform.hpp"
#include "envs/principal_agents/params.hpp"

namespace throng::principal_agents {

// What one worker does in a round.
struct Behaviour {
  float accuracy = 0;        // of its signal
  int effort = 0;            // 0: idle
  int report[kMaxStates]{};  // [signal], what it says
};

// All workers.
struct Team {
  int workers, states;
  float shared_noise;
  Behaviour of[kMaxWorkers];
};

// P(signal | state) of one worker; wrong signals are all as likely.
THRONG_HD inline float signal_chance(const Team& team, int worker, int signal, int state) {
  const float q = team.of[worker].accuracy;
  return signal == state ? q : (1 - q) / static_cast<float>(team.states - 1);
}

// P(report | state) of one worker.
THRONG_HD inline float report_chance(const Team& team, int worker, int report, int state) {
  float sum = 0;
  for (int signal = 0; signal < team.states; ++signal) {
    if (team.of[worker].report[signal] == report) sum += signal_chance(team, worker, signal, state);
  }
  return sum;
}

// P(these reports | state) when all who work share their noise: one uniform number, below its accuracy who is right, and one
// wrong signal for all who are not. The idle have noise of their own.
THRONG_HD inline float shared_chance(const Team& team, const int* reports, int state) {
  float idle = 1;
  for (int i = 0; i < team.workers; ++i) {
    if (team.of[i].effort == 0) idle *= report_chance(team, i, reports[i], state);
  }
  // The number falls between two neighbouring accuracies; all that is above is right.
  float sum = 0, low = 0;
  while (low < 1) {
    float high = 1;
    for (int i = 0; i < team.workers; ++i) {
      const float q = team.of[i].accuracy;
      if (team.of[i].effort > 0 && q > low && q < high) high = q;
    }
    int fits = 0;  // wrong signals under which all say what they are to say
    for (int wrong = 0; wrong < team.states; ++wrong) {
      bool all = wrong != state;
      for (int i = 0; i < team.workers; ++i) {
        const Behaviour& who = team.of[i];
        all = all && (who.effort == 0 || who.report[who.accuracy >= high ? state : wrong] == reports[i]);
      }
      fits += all;
    }
    sum += (high - low) * static_cast<float>(fits) / static_cast<float>(team.states - 1);
    low = high;
  }
  return idle * sum;
}

// P(these reports | state).
THRONG_HD inline float reports_chance(const Team& team, const int* reports, int state) {
  float apart = 1;
  for (int i = 0; i < team.workers; ++i) apart *= report_chance(team, i, reports[i], state);
  if (team.shared_noise == 0) return apart;
  return (1 - team.shared_noise) * apart + team.shared_noise * shared_chance(team, reports, state);
}

// The decision by Bayes' rule, and how likely these reports come together with the state that it guesses.
struct Decision {
  int state = 0;
  float chance = 0;
};

template <class Prior>
THRONG_HD Decision decide(const Team& team, const Prior& prior, const int* reports) {
  Decision best;
  for (int state = 0; state < team.states; ++state) {
    const float chance = prior[state] * reports_chance(team, reports, state);
    if (state == 0 || chance > best.chance) best = {state, chance};
  }
  return best;
}

// The probability that the decision is right.
template <class Prior>
THRONG_HD float decision_accuracy(const Team& team, const Prior& prior, int num_reports) {
  float sum = 0;
  for (int code = 0; code < num_reports; ++code) {
    int reports[kMaxWorkers] = {}, rest = code;
    for (int i = 0; i < team.workers; ++i, rest /= team.states) reports[i] = rest % team.states;
    sum += decide(team, prior, reports).chance;
  }
  return sum;
}

// What a worker expects to be paid when it behaves like this; payment(report, state).
template <class Prior, class Payment>
THRONG_HD float expected_payment(const Team& team, int worker, const Prior& prior, const Payment& payment) {
  float sum = 0;
  for (int state = 0; state < team.states; ++state) {
    for (int signal = 0; signal < team.states; ++signal) {
      const int report = team.of[worker].report[signal];
      sum += prior[state] * signal_chance(team, worker, signal, state) * payment(report, state);
    }
  }
  return sum;
}

// The best that a worker can do: for every signal the report that pays most, and the effort that leaves most. Of what is
// equally good, within kTie, it does what the principal wants: the highest effort, the truth. Returns its value.
template <class Prior, class Payment, class Accuracy, class Cost>
THRONG_HD float respond(Team& team, int worker, int efforts, const Prior& prior, const Payment& payment,
                        const Accuracy& accuracy, const Cost& cost) {
  constexpr float kTie = 1e-6f;
  Behaviour best;
  float best_value = 0;
  for (int effort = efforts - 1; effort >= 0; --effort) {
    Behaviour& now = team.of[worker];
    now.effort = effort;
    now.accuracy = accuracy(effort);
    for (int signal = 0; signal < team.states; ++signal) {
      const auto worth = [&](int report) {
        float sum = 0;
        for (int state = 0; state < team.states; ++state) {
          sum += prior[state] * signal_chance(team, worker, signal, state) * payment(report, state);
        }
        return sum;
      };
      int say = signal;
      for (int report = 0; report < team.states; ++report) {
        if (worth(report) > worth(say) + kTie) say = report;
      }
      now.report[signal] = say;
    }
    const float value = expected_payment(team, worker, prior, payment) - cost(effort);
    if (effort == efforts - 1 || value > best_value + kTie) best = now, best_value = value;
  }
  team.of[worker] = best;
  return best_value;
}

// The least payment for a report that matches the state, and nothing else, at which a worker chooses this effort; below 0 if
// there is none.
template <class Accuracy, class Cost>
THRONG_HD float least_match_payment(int effort, int efforts, const Accuracy& accuracy, const Cost& cost) {
  float least = 0, most = 1e30f;
  for (int other = 0; other < efforts; ++other) {
    const float gain = accuracy(effort) - accuracy(other), price = cost(effort) - cost(other);
    if (gain > 0 && price > least * gain) least = price / gain;
    if (gain < 0 && price > most * gain) most = price / gain;
    if (gain == 0 && price > 0) return -1;
  }
  return least <= most ? least : -1;
}

}  // namespace throng::principal_agents
