// Gem mining: villages send their workers to mines that hold several kinds of gem, each kind an objective.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "core/draws.hpp"
#include "core/env.hpp"
#include "envs/common/choices.hpp"

// MOMAland's mogem_mining_v0 (Felten et al. 2024, https://arxiv.org/abs/2407.16312) as it is described, after Bargiacchi et al.
// (2018) and Roijers (2016). One step is an episode.
//
// Differs: gems are found; in the original (0.1.0 to 0.2.0) a rounding makes every probability, and so every reward, 0.
// Differs: w workers have a bonus of w_bonus^(w - 1) with `fixed` semantics, as its paper says; the original's code has w_bonus^w.
// Differs: actions number the mines that a village reaches; the original numbers all mines.
// Differs: a probability that the draw of correlated ones makes negative is 0.
// Differs: the instance is drawn from `seed` by other random numbers than the original's.
namespace throng::gem_mining {

inline constexpr int kMaxVillages = 64, kMaxReach = 16, kMaxGems = 8, kMaxMines = kMaxVillages + kMaxReach - 1;

struct Params {
  int num_agents = 20;
  int num_objectives = 2;
  int min_connectivity = 2, max_connectivity = 4;
  int min_workers = 1, max_workers = 5;
  float min_prob = 0.01f, max_prob = 0.5f;
  float trunc_probability = 0.9f;
  float w_bonus = 1.03f;
  bool correlated_objectives = true;
  int seed = 42;
  uint8_t semantics = common::kFixed;

  template <class V>
  void fields(V&& v) {
    v("num_agents", num_agents, "villages");
    v("num_objectives", num_objectives, "kinds of gem");
    v("min_connectivity", min_connectivity, "fewest mines that a village reaches");
    v("max_connectivity", max_connectivity, "most mines that a village reaches");
    v("min_workers", min_workers, "fewest workers of a village");
    v("max_workers", max_workers, "most workers of a village");
    v("min_prob", min_prob, "least probability of finding a gem, before the bonus");
    v("max_prob", max_prob, "largest probability; with correlated objectives of all kinds together");
    v("trunc_probability", trunc_probability, "no bonus lifts a probability above this");
    v("w_bonus", w_bonus, "factor of the probabilities for every further worker at a mine");
    v("correlated_objectives", correlated_objectives, "mines that are rich in one kind are poor in others");
    v("seed", seed, "of the instance: workers, mines and ways, alike in all environments");
    v("semantics", semantics, common::kSemantics, "the bonus counts workers beyond the first; momaland counts all");
  }

  // The instance, drawn by check().
  uint8_t workers[kMaxVillages] = {};            // [village]
  uint8_t reach[kMaxVillages] = {};              // [village], it reaches the mines from its own number on
  float probability[kMaxMines * kMaxGems] = {};  // [mine * num_objectives + gem], without bonus

  THRONG_HD int num_mines() const { return num_agents + max_connectivity - 1; }

  void check() {
    const std::string game = "gem_mining";
    common::check_range(game, "num_agents", num_agents, 1, kMaxVillages);
    common::check_range(game, "num_objectives", num_objectives, 1, kMaxGems);
    common::check_range(game, "max_connectivity", max_connectivity, 2, kMaxReach);
    common::check_range(game, "min_connectivity", min_connectivity, 1, max_connectivity);
    common::check_range(game, "max_workers", max_workers, 1, 255);
    common::check_range(game, "min_workers", min_workers, 0, max_workers);
    common::check_range(game, "max_prob", max_prob, 0, 1);
    common::check_range(game, "min_prob", min_prob, 0, max_prob);
    common::check_range(game, "trunc_probability", trunc_probability, 0, 1);
    common::check_range(game, "w_bonus", w_bonus, 0, 100);
    draw_instance(Rng{key(static_cast<uint64_t>(seed))});
  }

 private:
  enum Purpose : uint32_t { kWorkers, kReach, kRichness, kShuffle };

  void draw_instance(Rng rng) {
    for (int i = 0; i < num_agents; ++i) {
      workers[i] = static_cast<uint8_t>(min_workers + rng.at(kWorkers).below(i, max_workers - min_workers + 1));
      const int choices = max_connectivity - min_connectivity + 1;
      reach[i] = static_cast<uint8_t>(min_connectivity + rng.at(kReach).below(i, choices));
    }
    for (int mine = 0; mine < num_mines(); ++mine) draw_mine(mine, rng);
  }

  // Correlated probabilities share what one mine has: each takes a part of what those before it left, in random order.
  void draw_mine(int mine, Rng rng) {
    const int d = num_objectives;
    float* gems = probability + mine * d;
    float left = max_prob - static_cast<float>(d) * min_prob;
    for (int gem = 0; gem < d; ++gem) {
      const float u = rng.at(kRichness).uniform(mine * d + gem), most = correlated_objectives ? left : max_prob;
      const float share = min_prob + u * (most - min_prob);
      gems[gem] = share > 0 ? share : 0;
      left -= gems[gem];
    }
    for (int i = d - 1; correlated_objectives && i > 0; --i) {
      std::swap(gems[i], gems[rng.at(kShuffle).below(mine * d + i, i + 1)]);
    }
  }
};

struct State {
  Field<uint16_t> workers;  // [mine, env], who work there in this episode; 0 before they were sent

  template <class V>
  THRONG_HD void fields(const Params& p, V&& v) {
    v("workers", workers, p.num_mines());
  }
};

struct Scratch {
  Field<float> bonus;    // [mine]
  Field<uint8_t> found;  // [mine * num_objectives + gem]
  Field<float> sum;      // [gem]
  template <class V>
  THRONG_HD void fields(const Params& p, V&& v) {
    v("bonus", bonus, p.num_mines());
    v("found", found, p.num_mines() * p.num_objectives);
    v("sum", sum, p.num_objectives);
  }
};

struct Env {
  using Params = gem_mining::Params;
  using State = gem_mining::State;
  using Scratch = gem_mining::Scratch;
  static constexpr const char* kVersion = "momaland-0.2.0";
  static constexpr const char* kInfo[] = {"expected_gems"};  // of all kinds together, without the luck of the draw

  const Params& p;
  State s;
  Scratch w;
  Lanes lanes;

  THRONG_HD static Spec spec(const Params& p) {
    Spec spec;
    spec.num_agents = p.num_agents;
    spec.num_actions = p.max_connectivity;
    spec.num_objectives = p.num_objectives;
    spec.obs_low = 0;
    spec.lanes = p.num_agents;
    return spec;
  }

  static std::string objective_name(const Params&, int gem) { return "gem_" + std::to_string(gem + 1); }

  THRONG_HD void reset(Rng) {
    lanes.each(p.num_mines(), [&](int mine) { s.workers[mine] = 0; });
  }

  // All villages send their workers; then each mine yields at most one gem of each kind, which all share.
  THRONG_HD bool step(Actions actions, Rewards rewards, Rng rng) {
    lanes.each(p.num_mines(), [&](int mine) {
      s.workers[mine] = static_cast<uint16_t>(sent_to(mine, actions));
      w.bonus[mine] = bonus_at(mine);
    });
    each_draw(lanes, rng, p.num_mines() * p.num_objectives, [&](int i, uint32_t drawn) {
      const float bonus = w.bonus[i / p.num_objectives];
      w.found[i] = bonus > 0 && uniform_of(drawn) < chance(i, bonus);
    });
    lanes.each(p.num_objectives, [&](int gem) {
      w.sum[gem] = 0;
      for (int mine = 0; mine < p.num_mines(); ++mine) w.sum[gem] += w.found[mine * p.num_objectives + gem];
    });
    lanes.each(p.num_agents, [&](int village) {
      for (int gem = 0; gem < p.num_objectives; ++gem) rewards(village, gem) = w.sum[gem];
    });
    return true;
  }

  // An action that is not legal counts as 0.
  THRONG_HD int sent_to(int mine, Actions actions) const {
    int sum = 0;
    for (int village = mine - p.max_connectivity + 1; village <= mine; ++village) {
      if (village < 0 || village >= p.num_agents) continue;
      const int action = actions[village], way = action >= 0 && action < p.reach[village] ? action : 0;
      if (village + way == mine) sum += p.workers[village];
    }
    return sum;
  }

  // What the number of workers at a mine multiplies its probabilities by; 0 if nobody is there.
  THRONG_HD float bonus_at(int mine) const {
    const int workers = s.workers[mine], bonuses = p.semantics == common::kFixed ? workers - 1 : workers;
    if (workers == 0) return 0;
    float bonus = 1, factor = p.w_bonus;
    for (int bits = bonuses; bits > 0; bits >>= 1, factor *= factor) {  // factor = w_bonus^(1, 2, 4, ...)
      if (bits & 1) bonus *= factor;
    }
    return bonus;
  }

  // The probability that it yields a gem; i = mine * num_objectives + gem.
  THRONG_HD float chance(int i, float bonus) const {
    const float chance = p.probability[i] * bonus;
    return chance < p.trunc_probability ? chance : p.trunc_probability;
  }

  THRONG_HD float expected(int gem) const {
    float sum = 0;
    for (int mine = 0; mine < p.num_mines(); ++mine) sum += chance(mine * p.num_objectives + gem, bonus_at(mine));
    return sum;
  }

  // There is nothing to see.
  THRONG_HD void observe(int, auto& out) const { out(0.0f); }

  THRONG_HD void avail(int agent, auto& out) const {
    for (int way = 0; way < p.max_connectivity; ++way) out(way < p.reach[agent]);
  }

  THRONG_HD void info(auto& out) const {
    float sum = 0;
    for (int mine = 0; mine < p.num_mines(); ++mine) {
      const float bonus = bonus_at(mine);
      for (int gem = 0; gem < p.num_objectives; ++gem) sum += chance(mine * p.num_objectives + gem, bonus);
    }
    out(sum);
  }
};

static_assert(Environment<Env>);

}  // namespace throng::gem_mining
