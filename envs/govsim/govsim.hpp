// Govsim: a stock that doubles every month, and people who each take what they want of it. Too much, and it is gone.
#pragma once

#include <cstdint>
#include <string>

#include "core/env.hpp"
#include "envs/common/bits.hpp"
#include "envs/common/measures.hpp"
#include "envs/govsim/draws.hpp"    // chance
#include "envs/govsim/params.hpp"   // settings
#include "envs/govsim/players.hpp"  // scripted people
#include "envs/govsim/state.hpp"    // what is remembered

// GovSim (Piatti et al. 2024, https://arxiv.org/abs/2404.16698; https://github.com/giorgiopiatti/GovSim) as numbers: its
// fishery, pasture and pollution are one game in three wordings, and so they are here. An action that is not legal counts as
// the nearest one that is: a harvest is cut to 0 .. stock, an unknown message is silence.
//
// Differs: the sustainable share is that of the agents who are there; GovSim's counts those of the start, and 10 in month 0.
// Differs: a reward is what the month brought; GovSim's is the sum so far.
// Differs: a collapse terminates, the last month truncates; GovSim does not tell them apart.
// Differs: what is said are tokens; GovSim's talk is text, of which one number is kept. Texts are made outside the game.
namespace throng::govsim {

struct Env {
  using Params = govsim::Params;
  using State = govsim::State;

  const Params& p;
  State s;
  Lanes lanes;

  static constexpr const char* kVersion = "1";
  static constexpr int kMostLanes = 4;
  static constexpr const char* kInfo[] = {"survival_time", "survived",  "collapsed",  "gain_mean",
                                          "efficiency",    "equality",  "over_usage", "total_harvest",
                                          "wasted",        "agreement", "compliance"};
  static constexpr const char* kPolicies[] = {"sustain", "greedy", "match"};

  THRONG_HD static Spec spec(const Params& p) {
    Spec spec;
    spec.num_agents = p.num_agents;
    spec.num_actions = p.harvest_choices() + p.vocab;
    if (p.vocab > 0) {
      spec.heads.size = 2;
      spec.heads[0] = p.harvest_choices();
      spec.heads[1] = p.vocab;
    }
    spec.time_limit = p.horizon == kGeometric ? 0 : p.months * (1 + p.talk_rounds);
    spec.obs_low = 0;
    spec.obs_high = 2 * static_cast<float>(p.num_agents);  // of the own total, in fair shares
    spec.lanes = 3;
    return spec;
  }

  static std::string agent_name(const Params& p, int agent) {
    const char* const names[] = {"fisher_", "shepherd_", "owner_"};
    return names[p.wording] + std::to_string(agent);
  }

  // --- the beginning of an episode

  THRONG_HD void reset(Rng) {
    lanes.each(p.num_agents, [&](int agent) {
      s.want[agent] = s.got[agent] = 0;
      s.total[agent] = 0;
      s.message[agent] = kSilent;
      if (p.social.traces()) s.trace[agent] = 0;
    });
    lanes.each(kTallies, [&](int tally) { s.tally[tally] = 0; });
    lanes.once([&] {
      s.stock[0] = static_cast<int16_t>(p.start_stock);
      s.month[0] = 0;
      s.phase[0] = s.fallen[0] = 0;
    });
  }

  // --- one step: a harvest, with a word said along with it, or a round of talk

  THRONG_HD bool step(Actions actions, Rewards rewards, Rng rng) { return step_with(actions, rewards, Draws(rng)); }

  template <class D>
  THRONG_HD bool step_with(Actions actions, Rewards rewards, const D& draws) {
    const bool harvests = s.phase[0] == 0, ends_month = s.phase[0] == p.talk_rounds;
    if (harvests) {
      lanes.each(p.num_agents, [&](int agent) { s.want[agent] = wanted(agent, actions(agent, 0)); });
      lanes.once([&] { harvest(draws); });
      lanes.each(p.num_agents, [&](int agent) { digest(agent); });
      lanes.each(p.num_agents, [&](int agent) { rewards(agent) = reward(agent); });
    }
    if (p.vocab > 0 && (!harvests || p.talk_rounds == 0)) {
      lanes.each(p.num_agents, [&](int agent) { s.message[agent] = said(agent, actions(agent, 1)); });
    }
    lanes.once([&] {
      if (ends_month) end_month();
      s.phase[0] = static_cast<uint8_t>(ends_month ? 0 : s.phase[0] + 1);
    });
    if (!ends_month) return false;
    if (s.fallen[0] && p.end_on_collapse) return true;
    return p.horizon == kGeometric && draws.another_month() >= p.continuation;
  }

  THRONG_HD int16_t wanted(int agent, int action) const {
    const int stock = s.stock[0], largest = p.harvest_choices() - 1;
    if (!active(agent) || action < 0) return 0;
    const int choice = action < largest ? action : largest;
    const int units = p.harvest_actions == kFractions ? choice * stock / kBins : choice;
    return static_cast<int16_t>(units < stock ? units : stock);
  }

  THRONG_HD uint8_t said(int agent, int message) const {
    return static_cast<uint8_t>(active(agent) && message > 0 && message < p.vocab ? message : kSilent);
  }

  // Everybody gets what they want if there is enough for all; otherwise it is rationed. What is left stays in `stock`.
  template <class D>
  THRONG_HD void harvest(const D& draws) {
    const int stock = s.stock[0], share = fair_share();
    int demand = 0;
    for (int agent = 0; agent < p.num_agents; ++agent) demand += s.want[agent];
    for (int agent = 0; agent < p.num_agents; ++agent) {
      const int want = s.want[agent];
      const int part = p.allocation == kProportional && demand > 0 ? want * stock / demand : 0;
      s.got[agent] = static_cast<int16_t>(demand <= stock ? want : part);
    }
    if (demand > stock && p.allocation == kStochastic) ration(draws);
    int taken = 0;
    for (int agent = 0; agent < p.num_agents; ++agent) {
      taken += s.got[agent];
      s.tally[kOver] += s.got[agent] > share;
      s.tally[kAgentMonths] += active(agent);
    }
    s.tally[kAlive] += !s.fallen[0];
    count_compliance();
    s.stock[0] = static_cast<int16_t>(stock - taken);
  }

  // Unit after unit goes to one of those who have not got what they want, each as likely as the others.
  template <class D>
  THRONG_HD void ration(const D& draws) {
    uint32_t unmet = 0;
    int number = 0;
    for (int agent = 0; agent < p.num_agents; ++agent) {
      if (s.want[agent] == 0) continue;
      unmet |= bit(agent);
      ++number;
    }
    const int stock = s.stock[0];
    Pair pair = {};
    for (int unit = 0; unit < stock; ++unit) {
      if (unit % 2 == 0) pair = draws.ration(unit / 2);
      const float draw = unit % 2 == 0 ? pair.first : pair.second;
      uint32_t behind = unmet;
      for (int skip = static_cast<int>(draw * static_cast<float>(number)); skip > 0; --skip) behind &= behind - 1;
      const int agent = lowest_bit(behind);
      s.got[agent] += 1;
      if (s.got[agent] < s.want[agent]) continue;
      unmet &= ~bit(agent);
      --number;
    }
  }

  // Catches are held against the median of the last proposals.
  THRONG_HD void count_compliance() {
    if (p.vocab <= kPropose) return;
    const int median = median_proposal();
    if (median < 0) return;
    for (int agent = 0; agent < p.num_agents; ++agent) {
      s.tally[kAdvised] += active(agent);
      s.tally[kComplied] += active(agent) && s.got[agent] <= median;
    }
  }

  // The lower one of two; -1 if nobody has proposed anything.
  THRONG_HD int median_proposal() const {
    int proposals = 0, before = 0;
    for (int agent = 0; agent < p.num_agents; ++agent) proposals += s.message[agent] >= kPropose;
    if (proposals == 0) return -1;
    for (int limit = 0;; ++limit) {
      before += proposing(limit);
      if (2 * before >= proposals) return limit;
    }
  }
  THRONG_HD int proposing(int limit) const {
    int number = 0;
    for (int agent = 0; agent < p.num_agents; ++agent) {
      number += s.message[agent] >= kPropose && limit_of(s.message[agent]) == limit;
    }
    return number;
  }

  THRONG_HD void digest(int agent) {
    s.total[agent] += s.got[agent];
    if (p.social.traces()) {
      s.trace[agent] = p.social.inequity_trace * s.trace[agent] + static_cast<float>(s.got[agent]);
    }
  }

  THRONG_HD float reward(int agent) const {
    const auto got = [&](int a) { return static_cast<float>(s.got[a]); };
    const auto compared = [&](int a) { return p.social.traces() ? s.trace[a] : got(a); };
    return active(agent) ? social_reward(p.social, agent, p.num_agents, 1, got, compared) : 0;
  }

  // The stock grows, even after a collapse that ends the game, and a newcomer joins.
  THRONG_HD void end_month() {
    const int left = s.stock[0];
    if (left < p.collapse_level) s.fallen[0] = 1;
    const int stock = s.fallen[0] && !p.end_on_collapse ? 0 : p.grown(left);
    if (p.growth_law == kFactor && p.growth * static_cast<float>(left) > static_cast<float>(p.capacity)) {
      s.tally[kWasted] += static_cast<int>(p.growth * static_cast<float>(left)) - p.capacity;
    }
    s.stock[0] = static_cast<int16_t>(stock);
    if (p.vocab > kPropose) {
      int most = 0, people = number_active();
      for (int limit = 0; limit <= limit_of(p.vocab - 1); ++limit)
        most = proposing(limit) > most ? proposing(limit) : most;
      s.tally[kTalked] += 1;
      s.tally[kAgreed] += 2 * most >= people;
    }
    s.month[0] += 1;
  }

  // --- what is so

  THRONG_HD bool is_newcomer(int agent) const { return p.newcomer_month >= 0 && agent == p.num_agents - 1; }
  THRONG_HD bool active(int agent) const { return !is_newcomer(agent) || s.month[0] >= p.newcomer_month; }
  THRONG_HD int number_active() const { return p.num_agents - !active(p.num_agents - 1); }

  // The threshold per head: if nobody takes more, the stock does not shrink.
  THRONG_HD int fair_share() const { return p.sustainable(s.stock[0]) / number_active(); }

  // --- what is seen

  THRONG_HD void observe(int agent, auto& out) const {
    const float per_unit = 1 / static_cast<float>(p.capacity);
    const auto units = [&](int number) { return static_cast<float>(number) * per_unit; };
    const int n = p.num_agents;
    out(units(s.stock[0]));
    out(p.horizon == kFixed ? static_cast<float>(s.month[0]) / static_cast<float>(p.months) : 0);
    out(active(agent) ? 1.0f : 0.0f);
    out(is_newcomer(agent) && !p.newcomer_hidden ? 1.0f : 0.0f);
    out(units(s.want[agent]));
    out(units(s.got[agent]));
    const float most = 2 * static_cast<float>(n);
    const float total = units(s.total[agent]) * most / static_cast<float>(p.months);
    out(total < most ? total : most);
    for (int i = 1; i < n; ++i) out(p.observe_others ? units(s.got[after(agent, i)]) : 0);
    for (int i = 0; i < n; ++i) write_one_hot(s.message[after(agent, i)], p.vocab, out);
    out(p.universalization ? units(fair_share()) : 0);
    out(p.universalization ? units(p.sustainable(s.stock[0])) : 0);
    if (p.talk_rounds > 0) write_one_hot(s.phase[0], 1 + p.talk_rounds, out);
  }

  // The i-th after an agent, in the circle of all.
  THRONG_HD int after(int agent, int i) const {
    return agent + i < p.num_agents ? agent + i : agent + i - p.num_agents;
  }

  THRONG_HD static void write_one_hot(int value, int size, auto& out) {
    for (int i = 0; i < size; ++i) out(i == value ? 1.0f : 0.0f);
  }

  // A harvest of at most the stock, and any message; only silence and nothing for who is not there, and where it is not
  // the time for it.
  THRONG_HD void avail(int agent, auto& out) const {
    const bool harvests = s.phase[0] == 0 && active(agent);
    const bool talks = active(agent) && (s.phase[0] > 0 || p.talk_rounds == 0);
    const int most = !harvests ? 0 : p.harvest_actions == kFractions ? kBins : s.stock[0];
    for (int action = 0; action < p.harvest_choices(); ++action) out(action <= most);
    for (int message = 0; message < p.vocab; ++message) out(message == kSilent || talks);
  }

  // Everything: stock, month, phase, then of all agents who is there, totals, last wants, catches and messages.
  THRONG_HD void world_state(auto& out) const {
    const float per_unit = 1 / static_cast<float>(p.capacity);
    out(static_cast<float>(s.stock[0]) * per_unit);
    out(static_cast<float>(s.month[0]) / static_cast<float>(p.months));
    out(static_cast<float>(s.phase[0]) / static_cast<float>(1 + p.talk_rounds));
    for (int agent = 0; agent < p.num_agents; ++agent) {
      out(active(agent) ? 1.0f : 0.0f);
      out(static_cast<float>(s.total[agent]) * per_unit / static_cast<float>(p.months));
      out(static_cast<float>(s.want[agent]) * per_unit);
      out(static_cast<float>(s.got[agent]) * per_unit);
      write_one_hot(s.message[agent], p.vocab, out);
    }
  }

  // --- what is measured

  THRONG_HD void info(auto& out) const {
    const auto share = [](float part, float whole, float if_none) { return whole > 0 ? part / whole : if_none; };
    const auto tally = [&](Tally which) { return static_cast<float>(s.tally[which]); };
    int all = 0;
    for (int agent = 0; agent < p.num_agents; ++agent) all += s.total[agent];
    // With a geometric horizon, what counts is the time that there was.
    const int months = p.horizon == kGeometric ? s.month[0] : p.months;
    const float total = static_cast<float>(all), most = static_cast<float>(months * p.sustainable(p.start_stock));
    out(tally(kAlive));
    out(s.fallen[0] ? 0.0f : 1.0f);
    out(s.fallen[0] ? 1.0f : 0.0f);
    out(total / static_cast<float>(p.num_agents));
    out(total < most ? share(total, most, 1) : 1);
    out(equality(p.num_agents, [&](int agent) { return static_cast<float>(s.total[agent]); }));
    out(share(tally(kOver), tally(kAgentMonths), 0));
    out(total);
    out(tally(kWasted));
    out(share(tally(kAgreed), tally(kTalked), 0));
    out(share(tally(kComplied), tally(kAdvised), 0));
  }

  // --- who plays

  // A player that comes with the game; see players.hpp.
  THRONG_HD void act(int policy, int agent, auto& out, Rng) const {
    out(action_for(*this, agent, scripted_want(*this, policy, agent)));
    if (p.vocab > 0) out(kSilent);
  }
};

static_assert(Environment<Env>);

}  // namespace throng::govsim
