// Plays SMAX with random legal actions and checks after every step what must be so, by rules written a second time.
#include <tbb/blocked_range.h>
#include <tbb/parallel_reduce.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "envs/registry.hpp"

using namespace throng;

namespace {

// How often each was broken.
enum Invariant { kPosition, kHealth, kCooldown, kType, kAlive, kMask, kReward, kFlags, kFeatures, kNumInvariants };
constexpr const char* kNames[] = {"a position is finite and near the map",
                                  "health lies between 0 and the type's",
                                  "a weapon is ready within its type's time",
                                  "a unit has a type, and an action of its range",
                                  "who has health is active, and nobody else",
                                  "the mask allows what the rules allow",
                                  "a reward lies between 0 and 1 and the bonus",
                                  "an episode ends in one way for all",
                                  "features and world states are finite, features within their bounds"};

struct Breaches {
  std::array<int64_t, kNumInvariants> count = {};
  void expect(bool holds, Invariant invariant) { count[invariant] += !holds; }
  void add(const Breaches& other) {
    for (int i = 0; i < kNumInvariants; ++i) count[i] += other.count[i];
  }
};

// What the rules need to know of a scenario.
struct Rules {
  int allies, enemies, units, agents, actions;
  float width, height, outside, bonus, dt;
  std::vector<float> range, health, cooldown;  // [type]
  bool legacy, zero_sum;

  Rules(const std::string& id, const nlohmann::json& config, const EnvSpec& spec) {
    const auto p = find_env(id).entry->resolve(scenario_config(id, config), id);
    allies = static_cast<int>(p["ally_units"].size());
    enemies = static_cast<int>(p["enemy_units"].size());
    units = allies + enemies;
    agents = spec.num_agents;
    actions = spec.num_actions;
    width = p["map_width"], height = p["map_height"], bonus = p["won_battle_bonus"], dt = p["time_per_step"];
    legacy = p["legacy"], zero_sum = p["self_play_reward"];
    outside = (std::max(spec.obs_high, -spec.obs_low) + 1) * std::max(width, height);
    range = p["attack_range"].get<std::vector<float>>();
    health = p["max_health"].get<std::vector<float>>();
    cooldown = p["weapon_cooldown"].get<std::vector<float>>();
  }
};

// What a step left behind, in host memory.
struct Seen {
  const Rules& r;
  int envs;
  std::vector<float> x, y, health, cooldown, rewards;
  std::vector<uint8_t> type, action, avail, active, terminated, truncated;

  Seen(const Rules& rules, VecEnv& env) : r(rules), envs(env.num_envs()) {
    const size_t rows = env.num_rows();
    Device& device = env.device();
    for (const StateArray& array : env.state()) {
      const size_t count = size_t(array.count) * envs;
      const auto floats = [&] { return download(device, static_cast<const float*>(array.data), count); };
      const auto bytes = [&] { return download(device, static_cast<const uint8_t*>(array.data), count); };
      if (array.name == "x") x = floats();
      if (array.name == "y") y = floats();
      if (array.name == "health") health = floats();
      if (array.name == "cooldown") cooldown = floats();
      if (array.name == "type") type = bytes();
      if (array.name == "action") action = bytes();
    }
    avail = download(device, env.observations().avail_actions, rows * r.actions);
    active = download(device, env.observations().active, rows);
    rewards = download(device, env.outcomes().rewards, rows);
    terminated = download(device, env.outcomes().terminated, rows);
    truncated = download(device, env.outcomes().truncated, rows);
  }

  size_t at(int unit, int e) const { return size_t(unit) * envs + e; }

  void check_units(int e, Breaches& broken) const {
    for (int unit = 0; unit < r.units; ++unit) {
      const size_t i = at(unit, e);
      const int t = std::min<int>(type[i], 5), opponents = unit < r.allies ? r.enemies : r.allies;
      const bool near = x[i] >= -r.outside && x[i] <= r.width + r.outside && y[i] >= -r.outside &&
                        y[i] <= r.height + r.outside;  // false for NaN
      broken.expect(near, kPosition);
      broken.expect(health[i] >= 0 && health[i] <= r.health[t], kHealth);
      broken.expect(cooldown[i] <= r.cooldown[t] + 2 * r.dt && std::isfinite(cooldown[i]), kCooldown);
      broken.expect(type[i] < 6 && action[i] < 5 + opponents, kType);
      if (unit < r.agents) broken.expect(active[size_t(e) * r.agents + unit] == (health[i] > 0), kAlive);
    }
  }

  bool allowed(int unit, int e, int action) const {
    const bool ally = unit<r.allies, lives = health[at(unit, e)]> 0;
    if (action < 5) return lives || action == 4;
    const int slot = action - 5, target = ally ? r.allies + slot : r.allies - 1 - slot;
    if (target < 0 || target >= r.units || !lives || !(health[at(target, e)] > 0)) return false;
    const float dx = x[at(target, e)] - x[at(unit, e)], dy = y[at(target, e)] - y[at(unit, e)];
    return std::sqrt(dx * dx + dy * dy) < r.range[type[at(unit, e)]];
  }

  void check_agents(int e, Breaches& broken) const {
    const size_t first = size_t(e) * r.agents;
    for (int agent = 0; agent < r.agents; ++agent) {
      const size_t row = first + agent;
      for (int a = 0; a < r.actions; ++a) {
        broken.expect(avail[row * r.actions + a] == allowed(agent, e, a), kMask);
      }
      const float least = r.zero_sum ? -r.bonus : 0, most = (r.zero_sum ? 0 : 1.0001f) + r.bonus;
      broken.expect(rewards[row] >= least && rewards[row] <= most, kReward);
      broken.expect(terminated[row] + truncated[row] <= 1 && terminated[row] == terminated[first] &&
                        truncated[row] == truncated[first],
                    kFlags);
    }
  }

  Breaches check() const {
    return tbb::parallel_reduce(
        tbb::blocked_range<int>(0, envs, 256), Breaches{},
        [&](const tbb::blocked_range<int>& range, Breaches broken) {
          for (int e = range.begin(); e != range.end(); ++e) check_units(e, broken), check_agents(e, broken);
          return broken;
        },
        [](Breaches a, const Breaches& b) {
          a.add(b);
          return a;
        });
  }
};

void check_features(VecEnv& env, Breaches& broken) {
  const EnvSpec& spec = env.spec();
  const size_t count = size_t(env.num_rows()) * spec.obs_dim;
  for (const float f : download(env.device(), static_cast<const float*>(env.observations().obs), count)) {
    broken.expect(f >= spec.obs_low && f <= spec.obs_high, kFeatures);
  }
  const size_t values = size_t(env.num_envs()) * spec.world_state_dim;
  for (const float f : download(env.device(), env.observations().world_state, values)) {
    broken.expect(std::isfinite(f), kFeatures);
  }
}

struct Options {
  std::string env = "smax/3m", device = "auto", policy = "random";
  std::vector<std::string> overrides;
  int num_envs = 4096, features_every = 16;
  double steps = 1e6;
  uint64_t seed = 0;
};

int run(const Options& options) {
  nlohmann::json config = nlohmann::json::object();
  for (const std::string& text : options.overrides) apply_override(config, text);
  BatchOptions batch;
  batch.num_envs = options.num_envs;
  const auto env = make(options.env, open_device(options.device), batch, config);
  const Rules rules(options.env, config, env->spec());
  const int policy = env->policy_named(options.policy);
  const auto steps = static_cast<int64_t>(options.steps);
  Breaches broken;
  env->reset(options.seed);
  int64_t played = 0;
  for (uint32_t t = 0; played < steps; ++t, played += options.num_envs) {
    env->policy_actions(policy, env->actions(), fold_in(key(options.seed), 0xfffffffeu), t);
    env->step(env->actions());
    broken.add(Seen(rules, *env).check());
    if (t % options.features_every == 0) check_features(*env, broken);
  }
  const int64_t episodes = env->take_statistics().episodes;
  nlohmann::ordered_json line = {{"env", options.env},       {"device", env->device().name()},
                                 {"policy", options.policy}, {"num_envs", options.num_envs},
                                 {"env_steps", played},      {"episodes", episodes}};
  bool sound = true;
  for (int i = 0; i < kNumInvariants; ++i) {
    line["broken"][kNames[i]] = broken.count[i];
    sound = sound && broken.count[i] == 0;
  }
  std::printf("%s\n", line.dump().c_str());
  return sound ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Random battles of SMAX, checked after every step. Exit status 1 if an invariant was broken.");
  Options options;
  app.add_option("ENV", options.env, "a scenario of smax")->capture_default_str();
  app.add_option("SETTINGS", options.overrides, "key=value: parameters of the environment");
  app.add_option("--steps", options.steps, "environment steps, all environments together")->capture_default_str();
  app.add_option("--num_envs", options.num_envs, "environments")->capture_default_str();
  app.add_option("--device", options.device, "auto, cpu, cuda or cuda:N")->capture_default_str();
  app.add_option("--policy", options.policy, "random, heuristic or heuristic_random")->capture_default_str();
  app.add_option("--features_every", options.features_every, "steps from one look at all features to the next")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "of the episodes and actions")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    return run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "invariants: %s\n", error.what());
    return 2;
  }
}
