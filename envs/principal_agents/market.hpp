// The game of mode `market`: the principal and its workers all learn; a round is four steps, in each of which some have a choice.
#pragma once

#include <cstdint>
#include <string>

#include "core/env.hpp"
#include "envs/principal_agents/contract.hpp"  // the state, and how an episode begins

// Announce: the principal offers every worker a payment, and may recommend an effort to it in secret. Effort: workers choose theirs,
// pay for it, and get their signals. Report: workers say what they have seen. Decide: the principal sees the reports and decides;
// the state shows, and workers are paid. Who has nothing to choose in a phase has the single legal action 0.
namespace throng::principal_agents {

enum Phase : uint8_t { kAnnounce, kEffort, kReport, kDecide, kPhases };
enum Side {
  kGain,
  kPrice
};  // objectives: of the principal decisions and what it pays, of a worker its pay and its costs

struct Market {
  using Params = principal_agents::Params;
  using State = principal_agents::State;
  using Scratch = principal_agents::Scratch;
  static constexpr const char* kVersion = "1";
  static constexpr int kMostLanes = 4;
  static constexpr const char* kObjectives[] = {"gain", "price"};
  // Of an episode: the sum of benchmark - what came to the principal over rounds; means over rounds; shares of true reports, of
  // efforts as recommended; what a worker was left with in a round.
  static constexpr const char* kInfo[] = {"regret", "utility", "benchmark", "truthfulness", "obedience", "rent"};

  const Params& p;
  State s;
  Scratch w;
  Lanes lanes;

  THRONG_HD static bool shows(const Params& p) { return p.market(); }

  // A head for every worker, for what it is offered; the first one is also for all other choices.
  THRONG_HD static Spec spec(const Params& p) {
    Spec spec;
    spec.num_agents = 1 + p.num_workers;
    spec.num_actions = 0;
    for (int head = 0; head < p.num_workers; ++head) {
      if (p.num_workers > 1) spec.heads.items[spec.heads.size++] = choices(p, head);
      spec.num_actions += choices(p, head);
    }
    spec.num_objectives = kNumObjectives;
    spec.time_limit = kPhases * p.rounds;
    spec.obs_low = 0;
    spec.obs_high = p.draw_workers ? p.highest_cost : 1;
    for (float cost : p.costs) spec.obs_high = cost > spec.obs_high && !p.draw_workers ? cost : spec.obs_high;
    if (spec.obs_high < 1) spec.obs_high = 1;
    spec.lanes = p.num_workers;
    return spec;
  }
  THRONG_HD static int choices(const Params& p, int head) {
    int most = p.offers();
    if (head == 0 && p.num_efforts > most) most = p.num_efforts;
    if (head == 0 && p.num_states > most) most = p.num_states;
    return most;
  }

  static std::string agent_name(const Params&, int agent) {
    return agent == 0 ? "principal" : "worker_" + std::to_string(agent - 1);
  }

  THRONG_HD Contract rules() const { return {p, s, w, lanes}; }

  THRONG_HD void reset(Rng rng) {
    rules().reset(rng);
    lanes.each(p.num_workers, [&](int i) { s.scale[i] = s.advice[i] = s.effort[i] = s.signal[i] = s.report[i] = 0; });
    lanes.once([&] {
      s.phase[0] = kAnnounce;
      s.truth[0] = 0;
      s.obeyed[0] = 0;
      s.rent[0] = 0;
    });
  }

  // --- a phase

  THRONG_HD bool step(Actions actions, Rewards rewards, Rng rng) {
    switch (s.phase[0]) {
      case kAnnounce: lanes.each(p.num_workers, [&](int i) { offer(i, chosen(actions, 0, i)); }); break;
      case kEffort: lanes.once([&] { work(actions, rewards, Draws{rng}); }); break;
      case kReport: lanes.once([&] { listen(actions); }); break;
      default: lanes.once([&] { conclude(chosen(actions, 0, 0), rewards); });
    }
    lanes.once([&] { s.phase[0] = static_cast<uint8_t>((s.phase[0] + 1) % kPhases); });
    return false;
  }

  // Any number that is not legal counts as 0.
  THRONG_HD int chosen(Actions actions, int agent, int head) const {
    const int action = actions(agent, head);
    return action >= 0 && action < num_legal(agent, head) ? action : 0;
  }

  THRONG_HD int num_legal(int agent, int head) const {
    const int phase = s.phase[0];
    if (agent == 0 && phase == kAnnounce) return p.offers();
    if (head > 0) return 1;
    if (agent == 0) return phase == kDecide ? p.num_states : 1;
    return phase == kEffort ? p.num_efforts : phase == kReport ? p.num_states : 1;
  }

  // The contract follows from one number. By the quadratic rule a report counts as the beliefs of who has done its best.
  THRONG_HD void offer(int worker, int choice) {
    s.scale[worker] = static_cast<uint8_t>(p.recommends ? choice / p.num_efforts : choice);
    s.advice[worker] = static_cast<uint8_t>(p.recommends ? choice % p.num_efforts : p.num_efforts - 1);
    const float most = p.max_payment * static_cast<float>(s.scale[worker]) / static_cast<float>(p.levels - 1);
    const float right = s.accuracy[worker * p.num_efforts + p.num_efforts - 1];
    const float wrong = (1 - right) / static_cast<float>(p.num_states - 1);
    for (int report = 0; report < p.num_states; ++report) {
      for (int state = 0; state < p.num_states; ++state) {
        float share = report == state ? 1.0f : 0.0f;
        if (p.rule == kQuadratic) {
          float distance = 0;  // squared, from the beliefs to the state
          for (int k = 0; k < p.num_states; ++k) {
            const float off = (k == state ? 1.0f : 0.0f) - (k == report ? right : wrong);
            distance += off * off;
          }
          share = 1 - 0.5f * distance;
        }
        s.payment[rules().index(worker, report, state)] = share * most;
      }
    }
  }

  THRONG_HD void work(Actions actions, Rewards rewards, const Draws& draws) {
    s.truth[0] = static_cast<uint8_t>(common::pick(PriorList{s.prior, p.num_states}, draws.state()));
    const bool shared = draws.coin() < p.shared_noise;
    for (int i = 0; i < p.num_workers; ++i) {
      const int effort = chosen(actions, 1 + i, 0), entry = i * p.num_efforts + effort;
      const int source = shared && effort > 0 ? 0 : i + 1;
      s.effort[i] = static_cast<uint8_t>(effort);
      s.signal[i] = static_cast<uint8_t>(rules().signal_of(s.accuracy[entry], source, s.truth[0], draws));
      s.obeyed[0] = static_cast<uint16_t>(s.obeyed[0] + (effort == s.advice[i]));
      s.rent[0] -= s.cost[entry];
      rewards(1 + i, kPrice) = -s.cost[entry];
    }
  }

  THRONG_HD void listen(Actions actions) {
    for (int i = 0; i < p.num_workers; ++i) {
      s.report[i] = static_cast<uint8_t>(chosen(actions, 1 + i, 0));
      s.truths[0] = static_cast<uint16_t>(s.truths[0] + (s.report[i] == s.signal[i]));
    }
  }

  THRONG_HD void conclude(int decision, Rewards rewards) {
    const bool pays = p.rule != kAgree || all_agree();
    float paid = 0;
    for (int i = 0; i < p.num_workers; ++i) {
      const int entry = rules().index(i, s.report[i], s.truth[0]);
      const float payment = pays ? s.payment[entry] : 0;
      ++s.seen[entry];
      paid += payment;
      rewards(1 + i, kGain) = payment;
    }
    rewards(0, kGain) = decision == s.truth[0] ? 1.0f : 0.0f;
    rewards(0, kPrice) = -paid;
    s.utility[0] += rewards(0, kGain) - paid;
    s.rent[0] += paid;
    ++s.time[0];
  }

  // All who were asked to work say the same.
  THRONG_HD bool all_agree() const {
    int said = -1;
    for (int i = 0; i < p.num_workers; ++i) {
      if (s.advice[i] == 0) continue;
      if (said >= 0 && said != s.report[i]) return false;
      said = s.report[i];
    }
    return true;
  }

  // --- what is seen

  THRONG_HD void avail(int agent, auto& out) const {
    for (int head = 0; head < p.num_workers; ++head) {
      for (int choice = 0; choice < choices(p, head); ++choice) out(choice < num_legal(agent, head));
    }
  }

  // The phase; who one is; the share of the episode that is over; offers and recommendations, the principal's all, a worker's own;
  // the principal: the reports, when they are there, and how often each has met each state; a worker: its signal, when it is there,
  // and what its efforts cost and bring.
  THRONG_HD void observe(int agent, auto& out) const {
    const bool principal = agent == 0;
    const int own = agent - 1, phase = s.phase[0];
    write_one_hot(phase, kPhases, true, out);
    out(principal ? 1.0f : 0.0f);
    write_time(out);
    for (int i = 0; i < p.num_workers; ++i) write_offer(i, phase > kAnnounce && (principal || i == own), out);
    for (int i = 0; i < p.num_workers; ++i)
      write_one_hot(s.report[i], p.num_states, principal && phase == kDecide, out);
    write_history(principal, out);
    write_one_hot(principal ? 0 : s.signal[own], p.num_states, !principal && phase >= kReport, out);
    for (int effort = 0; effort < p.num_efforts; ++effort) {
      const bool known = !principal && p.knows_itself;
      out(known ? s.cost[own * p.num_efforts + effort] : 0.0f);
      out(known ? s.accuracy[own * p.num_efforts + effort] : 0.0f);
    }
  }

  // All that there is, also what is hidden.
  THRONG_HD void world_state(auto& out) const {
    const int phase = s.phase[0];
    write_one_hot(phase, kPhases, true, out);
    write_time(out);
    write_one_hot(s.truth[0], p.num_states, phase > kEffort, out);
    for (int i = 0; i < p.num_workers; ++i) {
      write_offer(i, phase > kAnnounce, out);
      write_one_hot(s.effort[i], p.num_efforts, phase > kEffort, out);
      write_one_hot(s.signal[i], p.num_states, phase > kEffort, out);
      write_one_hot(s.report[i], p.num_states, phase > kReport, out);
    }
    write_history(true, out);
    for (int i = 0; i < p.num_workers * p.num_efforts; ++i) out(s.cost[i]);
    for (int i = 0; i < p.num_workers * p.num_efforts; ++i) out(s.accuracy[i]);
  }

  THRONG_HD static void write_one_hot(int value, int count, bool known, auto& out) {
    for (int i = 0; i < count; ++i) out(known && i == value ? 1.0f : 0.0f);
  }
  THRONG_HD void write_time(auto& out) const { out(static_cast<float>(s.time[0]) / static_cast<float>(p.rounds)); }
  THRONG_HD void write_offer(int worker, bool known, auto& out) const {
    out(known ? static_cast<float>(s.scale[worker]) / static_cast<float>(p.levels - 1) : 0.0f);
    out(known && p.recommends ? static_cast<float>(s.advice[worker]) / static_cast<float>(p.num_efforts - 1) : 0.0f);
  }
  THRONG_HD void write_history(bool known, auto& out) const {
    const auto rounds = static_cast<float>(s.time[0] > 0 ? s.time[0] : 1);
    for (int i = 0; i < p.table_size(); ++i) out(known ? static_cast<float>(s.seen[i]) / rounds : 0.0f);
  }

  THRONG_HD void info(auto& out) const {
    const auto rounds = static_cast<float>(s.time[0] > 0 ? s.time[0] : 1);
    const float efforts = rounds * static_cast<float>(p.num_workers);
    out(s.benchmark[0] * static_cast<float>(s.time[0]) - s.utility[0]);
    out(s.utility[0] / rounds);
    out(s.benchmark[0]);
    out(static_cast<float>(s.truths[0]) / efforts);
    out(static_cast<float>(s.obeyed[0]) / efforts);
    out(s.rent[0] / efforts);
  }
};

}  // namespace throng::principal_agents
