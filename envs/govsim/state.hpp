// What govsim remembers of one environment.
#pragma once

#include <cstdint>

#include "core/field.hpp"
#include "core/platform.hpp"
#include "envs/govsim/params.hpp"

namespace throng::govsim {

// Messages: silence, an accusation, and from kPropose on a limit per head.
enum Message : uint8_t { kSilent, kAccuse, kPropose };
THRONG_HD constexpr int limit_of(int message) { return message - kPropose; }

// Sums over the months of an episode.
enum Tally { kAlive, kAgentMonths, kOver, kWasted, kTalked, kAgreed, kAdvised, kComplied, kTallies };

struct State {
  Field<int16_t> stock;    // [env], what there is now
  Field<int16_t> month;    // [env], from 0
  Field<uint8_t> phase;    // [env], 0 harvest, then the rounds of talk
  Field<uint8_t> fallen;   // [env], the stock has collapsed
  Field<int16_t> want;     // [agent, env], of the last harvest
  Field<int16_t> got;      // [agent, env]
  Field<int32_t> total;    // [agent, env], of the episode
  Field<uint8_t> message;  // [agent, env], the last one
  Field<float> trace;      // [agent, env], fading sum of rewards, for inequity aversion
  Field<int32_t> tally;    // [tally, env], by Tally: months before a collapse, months of all agents, those above the
      // threshold, regrowth lost to the capacity, months with talk, with agreement, and catches that
      // could follow a proposal, and did

  template <class V>
  THRONG_HD void fields(const Params& p, V&& v) {
    v("stock", stock, 1);
    v("month", month, 1);
    v("phase", phase, 1);
    v("fallen", fallen, 1);
    v("want", want, p.num_agents);
    v("got", got, p.num_agents);
    v("total", total, p.num_agents);
    v("message", message, p.num_agents);
    v("trace", trace, p.social.traces() ? p.num_agents : 0);
    v("tally", tally, kTallies);
  }
};

}  // namespace throng::govsim
