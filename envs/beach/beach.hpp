// Beach: people spread over sections of a beach so that none is crowded and each has a mixture of types.
#pragma once

#include <cstdint>
#include <string>

#include "core/draws.hpp"
#include "core/env.hpp"
#include "core/fixed_list.hpp"
#include "envs/common/choices.hpp"
#include "envs/common/draw.hpp"
#include "envs/common/exponential.hpp"
#include "envs/common/tally.hpp"

// The beach problem domain of Mannion et al. (2018) by the rules of MOMAland's mobeach_v0 (Felten et al. 2024,
// https://arxiv.org/abs/2407.16312). Its mixture of the whole beach is the mean over sections, not their sum as in the paper.
//
// Differs: with exact_types there are exactly as many of each type as type_distribution says; the original always draws.
// Differs: an action outside the range is a stay; the original's is undefined.
namespace throng::beach {

inline constexpr int kMaxAgents = 10000, kMaxSections = 64, kMaxTypes = 8;
enum Action : int32_t { kLeft, kStay, kRight, kActions };
enum Objective { kCapacity, kMixture, kNumObjectives };

struct Params {
  int num_timesteps = 1;
  int num_agents = 100;
  uint8_t reward_mode = common::kIndividual;
  int sections = 6;
  int capacity = 7;
  FixedList<float, kMaxTypes> type_distribution = {2, {0.3f, 0.7f}};
  FixedList<float, kMaxSections> position_distribution = {};
  bool exact_types = false;

  template <class V>
  void fields(V&& v) {
    v("num_timesteps", num_timesteps, "steps of an episode; rewards come with the last");
    v("num_agents", num_agents, "people on the beach");
    v("reward_mode", reward_mode, common::kRewardModes, "each is paid for its own section, or all for the whole beach");
    v("sections", sections, "sections of the beach, in a row");
    v("capacity", capacity, "people at whom a section is worth most");
    v("type_distribution", type_distribution, "share of each type");
    v("position_distribution", position_distribution, "share of people who start in each section; empty: all equal");
    v("exact_types", exact_types, "fixed numbers of each type, in order of agents; otherwise every type is drawn");
  }

  THRONG_HD int num_types() const { return type_distribution.size; }
  THRONG_HD int num_bins() const { return sections * num_types(); }

  int type_end[kMaxTypes] = {};  // derived: agents below this, and not below the one before, are of the type

  void check() {
    common::check_range("beach", "num_timesteps", num_timesteps, 1, 65535);
    common::check_range("beach", "num_agents", num_agents, 1, kMaxAgents);
    common::check_range("beach", "sections", sections, 2, kMaxSections);
    common::check_range("beach", "capacity", capacity, 1, kMaxAgents);
    common::check_distribution("beach", "type_distribution", type_distribution);
    if (position_distribution.size > 0) {
      common::check_distribution("beach", "position_distribution", position_distribution);
      common::check_range("beach", "length of position_distribution", position_distribution.size, sections, sections);
    }
    double sum = 0;
    for (int type = 0; type < num_types(); ++type) {
      sum += type_distribution[type];
      type_end[type] = type == num_types() - 1 ? num_agents : static_cast<int>(sum * num_agents + 0.5);
    }
  }
};

struct State {
  Field<uint8_t> type;     // [agent, env]
  Field<uint8_t> section;  // [agent, env]
  Field<uint16_t> count;   // [section * types + type, env], people there of that type
  Field<uint16_t> time;    // [env], steps of this episode: the rewards depend on it

  template <class V>
  THRONG_HD void fields(const Params& p, V&& v) {
    v("type", type, p.num_agents);
    v("section", section, p.num_agents);
    v("count", count, p.num_bins());
    v("time", time, 1);
  }
};

struct Scratch {
  Field<uint16_t> partial;  // [part, section * types + type], see tally
  Field<float> worth;       // [section * 2 + objective], of each section
  Field<float> people;      // [section], as they are seen
  Field<float> share;       // [section * types + type], of the people there
  template <class V>
  THRONG_HD void fields(const Params& p, V&& v) {
    v("partial", partial, common::tally_parts(p.num_agents) * p.num_bins());
    v("worth", worth, p.sections * kNumObjectives);
    v("people", people, p.sections);
    v("share", share, p.num_bins());
  }
};

struct Env {
  using Params = beach::Params;
  using State = beach::State;
  using Scratch = beach::Scratch;
  static constexpr const char* kVersion = "momaland-0.2.0";
  static constexpr const char* kObjectives[] = {"capacity", "mixture"};
  static constexpr const char* kInfo[] = {"beach_capacity", "beach_mixture"};  // of the whole beach, at the end

  const Params& p;
  State s;
  Scratch w;
  Lanes lanes;

  THRONG_HD static Spec spec(const Params& p) {
    const int largest = p.num_agents > p.capacity ? p.num_agents : p.capacity;
    Spec spec;
    spec.num_agents = p.num_agents;
    spec.num_actions = kActions;
    spec.num_objectives = kNumObjectives;
    spec.obs_low = 0;
    spec.obs_high = static_cast<float>(largest > p.sections ? largest : p.sections);
    spec.lanes = p.num_agents;
    return spec;
  }

  enum Purpose : uint32_t { kDrawType, kDrawSection };

  THRONG_HD void reset(Rng rng) {
    if (p.exact_types) {
      lanes.each(p.num_agents, [&](int a) {
        int type = 0;
        while (a >= p.type_end[type]) ++type;
        s.type[a] = static_cast<uint8_t>(type);
      });
    } else {
      each_draw(lanes, rng.at(kDrawType), p.num_agents, [&](int a, uint32_t drawn) {
        s.type[a] = static_cast<uint8_t>(common::pick(p.type_distribution, uniform_of(drawn)));
      });
    }
    each_draw(lanes, rng.at(kDrawSection), p.num_agents, [&](int a, uint32_t drawn) {
      const bool anywhere = p.position_distribution.size == 0;
      s.section[a] = static_cast<uint8_t>(anywhere ? below_of(drawn, p.sections)
                                                   : common::pick(p.position_distribution, uniform_of(drawn)));
    });
    lanes.once([&] { s.time[0] = 0; });
    count_people();
  }

  // All move at once; who would leave the beach stays. In the last step the beach is judged.
  THRONG_HD bool step(Actions actions, Rewards rewards, Rng) {
    lanes.each(p.num_agents, [&](int a) {
      const int to = s.section[a] + (actions[a] == kRight) - (actions[a] == kLeft);
      if (to >= 0 && to < p.sections) s.section[a] = static_cast<uint8_t>(to);
    });
    lanes.once([&] { ++s.time[0]; });
    count_people();
    if (s.time[0] < p.num_timesteps) return false;
    pay(rewards);
    return true;
  }

  THRONG_HD void count_people() {
    common::tally(lanes, p.num_agents, p.num_bins(), w.partial, s.count,
                  [&](int a) { return s.section[a] * p.num_types() + s.type[a]; });
  }

  THRONG_HD void pay(Rewards rewards) {
    lanes.each(p.sections, [&](int section) {
      w.worth[section * kNumObjectives + kCapacity] = capacity_of(section);
      w.worth[section * kNumObjectives + kMixture] = mixture_of(section);
    });
    const bool team = p.reward_mode == common::kTeam;
    float capacity = 0, mixture = 0;
    for (int section = 0; team && section < p.sections; ++section) {
      capacity += w.worth[section * kNumObjectives + kCapacity];
      mixture += w.worth[section * kNumObjectives + kMixture];
    }
    mixture /= static_cast<float>(p.sections);
    lanes.each(p.num_agents, [&](int a) {
      const int own = s.section[a] * kNumObjectives;
      rewards(a, kCapacity) = team ? capacity : w.worth[own + kCapacity];
      rewards(a, kMixture) = team ? mixture : w.worth[own + kMixture];
    });
  }

  // --- what a section is worth

  THRONG_HD int people_in(int section) const {
    int people = 0;
    for (int type = 0; type < p.num_types(); ++type) people += s.count[section * p.num_types() + type];
    return people;
  }

  // x exp(-x / capacity), which is largest when as many are here as the section holds.
  THRONG_HD float capacity_of(int section) const {
    const double people = people_in(section);
    return static_cast<float>(people * common::exponential(-people / p.capacity));
  }

  // The share of the rarest type.
  THRONG_HD float mixture_of(int section) const {
    const int people = people_in(section);
    int rarest = people;
    for (int type = 0; type < p.num_types(); ++type) {
      const int count = s.count[section * p.num_types() + type];
      rarest = count < rarest ? count : rarest;
    }
    return people == 0 ? 0.0f : static_cast<float>(rarest) / static_cast<float>(people);
  }

  // --- what is seen

  THRONG_HD void prepare_views() const {
    lanes.each(p.sections, [&](int section) {
      const auto people = static_cast<float>(people_in(section));
      w.people[section] = people;
      for (int bin = section * p.num_types(); bin < (section + 1) * p.num_types(); ++bin)
        w.share[bin] = people > 0 ? static_cast<float>(s.count[bin]) / people : 0;
    });
  }

  // Type, section, capacity, the people in the section, and the share of the own type among them.
  THRONG_HD void observe(int agent, auto& out) const {
    const int section = s.section[agent], type = s.type[agent];
    out(static_cast<float>(type));
    out(static_cast<float>(section));
    out(static_cast<float>(p.capacity));
    out(w.people[section]);
    out(w.share[section * p.num_types() + type]);
  }

  // The share of all people that is in each section, type by type; then the share of the episode that is over.
  THRONG_HD void world_state(auto& out) const {
    const auto people = static_cast<float>(p.num_agents);
    for (int bin = 0; bin < p.num_bins(); ++bin) out(static_cast<float>(s.count[bin]) / people);
    out(static_cast<float>(s.time[0]) / static_cast<float>(p.num_timesteps));
  }

  THRONG_HD void info(auto& out) const {
    float capacity = 0, mixture = 0;
    for (int section = 0; section < p.sections; ++section) {
      capacity += capacity_of(section);
      mixture += mixture_of(section);
    }
    out(capacity);
    out(mixture / static_cast<float>(p.sections));
  }
};

static_assert(Environment<Env>);

}  // namespace throng::beach
