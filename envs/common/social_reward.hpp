// What an agent makes of its own and the others' rewards: nothing, the sum, envy and guilt, an angle, or a mixture.
#pragma once

#include <cstdint>
#include <string>

#include "core/error.hpp"
#include "core/fixed_list.hpp"
#include "core/platform.hpp"
#include "envs/common/angle.hpp"

namespace throng::common {

enum SocialMode : uint8_t { kIndividualReward, kSharedReward, kInequity, kSvo, kInterest };
inline constexpr const char* kSocialModes[] = {"individual", "shared", "inequity", "svo", "interest"};

// Settings of a game with social rewards; part of its Params.
struct SocialReward {
  static constexpr int kMaxAgents = 64;

  uint8_t reward = kIndividualReward;
  float inequity_envy = 5;
  float inequity_guilt = 0.05f;
  float inequity_trace = 0.95f;
  float svo_weight = 0.5f;
  float svo_angle = 45;
  float self_interest = 0.5f;
  FixedList<uint8_t, kMaxAgents> shaped_agents;
  uint64_t shaped = ~uint64_t(0);  // made of the list by check()

  template <class V>
  void fields(V&& v) {
    v("reward", reward, kSocialModes,
      "individual; shared: the sum of all; inequity: less envy and guilt (Hughes et al. 2018); svo: less the distance "
      "from a "
      "social value orientation (McKee et al. 2020); interest: a mixture of one's own and the others'");
    v("inequity_envy", inequity_envy, "inequity: price of another agent having one more, shared among all others");
    v("inequity_guilt", inequity_guilt, "inequity: price of another agent having one less");
    v("inequity_trace", inequity_trace,
      "inequity: what is compared are sums of rewards that fade by this factor per step; 0 = the rewards of the step");
    v("svo_weight", svo_weight, "svo: price of a radian between the angle of (own, others' mean) reward and svo_angle");
    v("svo_angle", svo_angle, "svo: degrees; 0 is selfish, 45 fair, 90 altruistic");
    v("self_interest", self_interest, "interest: share of the own reward; the others' mean has the rest");
    v("shaped_agents", shaped_agents, "agents whose reward is not individual; empty = all");
  }

  void check(const std::string& game, int num_agents) {
    auto check_range = [&](const char* key, float value, float low, float high) {
      if (value >= low && value <= high) return;  // false for NaN
      throw Error(game + ": " + key + " is " + std::to_string(value) + "; valid: " + std::to_string(low) + " to " +
                  std::to_string(high));
    };
    check_range("inequity_envy", inequity_envy, -1e3f, 1e3f);
    check_range("inequity_guilt", inequity_guilt, -1e3f, 1e3f);
    check_range("inequity_trace", inequity_trace, 0, 0.9999f);
    check_range("svo_weight", svo_weight, 0, 1e3f);
    check_range("svo_angle", svo_angle, 0, 90);
    check_range("self_interest", self_interest, 0, 1);
    shaped = shaped_agents.size == 0 ? ~uint64_t(0) : 0;
    for (int agent : shaped_agents) {
      check_range("an agent of shaped_agents", static_cast<float>(agent), 0, static_cast<float>(num_agents - 1));
      shaped |= uint64_t(1) << agent;
    }
    if (num_agents == 1 && reward > kSharedReward) throw Error(game + ": social rewards need at least two agents");
  }

  // A running sum per agent is needed.
  THRONG_HD bool traces() const { return reward == kInequity && inequity_trace > 0; }
  THRONG_HD bool shapes(int agent) const { return reward != kIndividualReward && (shaped >> agent & 1); }
};

// The reward of agent `i` of `n`, when earned(j) is what agent j earned, worth `scale` each to its own; compared(j) is what
// inequity looks at: scale * earned(j), or a trace of it.
template <class Earned, class Compared>
THRONG_HD float social_reward(const SocialReward& social, int i, int n, float scale, const Earned& earned,
                              const Compared& compared) {
  const float own = scale * earned(i);
  if (!social.shapes(i)) return own;
  const float others_number = static_cast<float>(n - 1);
  float others = 0, envy = 0, guilt = 0;
  for (int j = 0; j < n; ++j) {
    if (j == i) continue;
    others += earned(j);
    if (social.reward != kInequity) continue;
    const float more = compared(j) - compared(i);
    (more > 0 ? envy : guilt) += more > 0 ? more : -more;
  }
  const float mean = scale * others / others_number;
  switch (social.reward) {
    case kSharedReward: return earned(i) + others;
    case kInequity: return own - (social.inequity_envy * envy + social.inequity_guilt * guilt) / others_number;
    case kSvo: {
      const float off = angle_of(mean, own) - social.svo_angle * (kPi / 180);
      return own - scale * social.svo_weight * (off < 0 ? -off : off);
    }
    default: return social.self_interest * own + (1 - social.self_interest) * mean;
  }
}

}  // namespace throng::common
