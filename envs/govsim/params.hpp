// The settings of govsim: the stock and how it grows, the people, what they say, and how a game ends.
#pragma once

#include <cstdint>
#include <string>

#include "core/error.hpp"
#include "core/platform.hpp"
#include "envs/common/social_reward.hpp"

namespace throng::govsim {

using namespace common;

inline constexpr int kMaxAgents = 16;
inline constexpr int kMaxCapacity = 1000;
inline constexpr int kBins = 20;         // of the stock, for harvests in fractions
inline constexpr int kMostPerHead = 20;  // of the small action space, and of proposals

enum Wording : uint8_t { kFishery, kPasture, kPollution };
inline constexpr const char* kWordings[] = {"fishery", "pasture", "pollution"};
enum Growth : uint8_t { kFactor, kLogistic };
inline constexpr const char* kGrowths[] = {"factor", "logistic"};
enum Horizon : uint8_t { kFixed, kGeometric, kHidden };
inline constexpr const char* kHorizons[] = {"fixed", "geometric", "hidden"};
enum Allocation : uint8_t { kStochastic, kProportional };
inline constexpr const char* kAllocations[] = {"stochastic", "proportional"};
enum HarvestActions : uint8_t { kUnits, kFractions, kPerHead };
inline constexpr const char* kHarvestActions[] = {"units", "bins", "per_head"};

struct Params {
  uint8_t wording = kFishery;
  int num_agents = 5;
  int capacity = 100;
  int start_stock = 100;
  uint8_t growth_law = kFactor;
  float growth = 2;
  int collapse_level = 5;
  int months = 12;
  uint8_t horizon = kFixed;
  float continuation = 0.98f;
  uint8_t allocation = kStochastic;
  uint8_t harvest_actions = kUnits;
  bool observe_others = true;
  bool universalization = false;
  int vocab = 0;
  int talk_rounds = 0;
  int newcomer_month = -1;
  bool newcomer_hidden = false;
  bool end_on_collapse = true;
  SocialReward social;

  template <class V>
  void fields(V&& v) {
    v("wording", wording, kWordings, "what the numbers are called in texts; the game is the same");
    v("num_agents", num_agents, "1 to 16, a newcomer included");
    v("capacity", capacity, "most that the stock can be, up to 1000; the largest harvest that can be asked for");
    v("start_stock", start_stock, "stock of the first month");
    v("growth_law", growth_law, kGrowths,
      "factor: growth * stock; logistic: stock + growth * stock * (1 - stock / capacity)");
    v("growth", growth, "by the growth law, rounded down");
    v("collapse_level", collapse_level, "the game is over when less than this is left after a harvest");
    v("months", months, "after which an episode is truncated");
    v("horizon", horizon, kHorizons,
      "fixed; hidden: the month is not observed; geometric: every month ends the episode with probability 1 - "
      "continuation");
    v("continuation", continuation, "geometric horizon: probability that another month comes");
    v("allocation", allocation, kAllocations,
      "when more is wanted than there is: unit by unit at random, or in proportion, rounded down");
    v("harvest_actions", harvest_actions, kHarvestActions,
      "units: 0 to capacity; bins: 0 to 20 twentieths of the stock; per_head: 0 to 20 units");
    v("observe_others", observe_others, "agents see what the others caught last");
    v("universalization", universalization, "agents are told how much may be taken if the stock shall not shrink");
    v("vocab", vocab, "messages: 0 = no talk; else 0 silent, 1 accuse, 2 + n: let us all take at most n; at most 23");
    v("talk_rounds", talk_rounds,
      "steps after each harvest in which agents only talk; 0 = they talk while they harvest");
    v("newcomer_month", newcomer_month, "month in which the last agent joins, from 0; -1 = it is there from the start");
    v("newcomer_hidden", newcomer_hidden, "the newcomer is not told that it is one");
    v("end_on_collapse", end_on_collapse, "a collapse ends the episode; otherwise it goes on without a stock");
    social.fields(v);
  }

  void check() {
    auto check_range = [](const std::string& key, double value, double low, double high) {
      if (value >= low && value <= high) return;  // false for NaN
      throw Error("govsim: " + key + " is " + std::to_string(value) + "; valid: " + std::to_string(low) + " to " +
                  std::to_string(high));
    };
    check_range("num_agents", num_agents, 1, kMaxAgents);
    check_range("capacity", capacity, 1, kMaxCapacity);
    check_range("start_stock", start_stock, 1, capacity);
    check_range("growth", growth, 0, 1000);
    check_range("collapse_level", collapse_level, 0, capacity);
    check_range("months", months, 1, 10000);
    check_range("continuation", continuation, 0, 0.9999);
    check_range("vocab", vocab, 0, 3 + kMostPerHead);
    check_range("talk_rounds", talk_rounds, 0, vocab > 0 ? 9 : 0);
    check_range("newcomer_month", newcomer_month, -1, months - 1);
    if (newcomer_month >= 0 && num_agents < 2) throw Error("govsim: a newcomer needs somebody to join");
    social.check("govsim", num_agents);
  }

  THRONG_HD int harvest_choices() const {
    return harvest_actions == kUnits ? capacity + 1 : harvest_actions == kFractions ? kBins + 1 : kMostPerHead + 1;
  }

  // What `left` grows to in a month.
  THRONG_HD int grown(int left) const {
    const float stock = static_cast<float>(left), most = static_cast<float>(capacity);
    const float next = growth_law == kFactor ? growth * stock : stock + growth * stock * (1 - stock / most);
    return next >= most ? capacity : next <= 0 ? 0 : static_cast<int>(next);
  }

  // The most that can be taken from `stock` so that it is as large again in the next month.
  THRONG_HD int sustainable(int stock) const {
    if (growth_law == kFactor && growth == 2) return stock / 2;
    int taken = stock;
    while (taken > 0 && grown(stock - taken) < stock) --taken;
    return taken;
  }
};

}  // namespace throng::govsim
