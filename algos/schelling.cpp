// Plays every mix of two kinds of agents side by side, and averages what each kind got.
#include "algos/schelling.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace throng {
namespace {

// Environment e of a batch draws from fold_in(key(seed), e); no environment has these numbers.
constexpr uint32_t kSeatStream = 0xfffffffdu, kStreamA = 0xfffffffcu, kStreamB = 0xfffffffbu;

// [env, agent], 1: of kind A. In mix k these are the k agents with the smallest numbers drawn.
std::vector<uint8_t> draw_seats(int envs, int agents, uint64_t seed) {
  std::vector<uint8_t> seats(size_t(envs) * agents);
  const int episodes = envs / (agents + 1);
  const Key stream = fold_in(key(seed), kSeatStream);
  for (int e = 0; e < envs; ++e) {
    std::vector<std::pair<uint32_t, int>> order;
    for (int agent = 0; agent < agents; ++agent)
      order.emplace_back(bits(fold_in(stream, static_cast<uint32_t>(e)), static_cast<uint32_t>(agent)), agent);
    std::sort(order.begin(), order.end());
    for (int i = 0; i < e / episodes; ++i) seats[size_t(e) * agents + order[i].second] = 1;
  }
  return seats;
}

void play(VecEnv& env, const Player& a, const Player& b, const std::vector<uint8_t>& seats, uint64_t seed) {
  const Key key_a = fold_in(key(seed), kStreamA), key_b = fold_in(key(seed), kStreamB);
  const size_t dim = env.spec().action_dim(), numbers = env.num_rows() * dim;
  Arena arena(env.shared_device());
  int32_t* chosen = nullptr;  // [env, agent, action_dim], by one kind
  arena.want(chosen, numbers);
  arena.commit();
  env.reset(seed);
  for (uint32_t t = 0; t < static_cast<uint32_t>(env.spec().time_limit); ++t) {
    b.act(env, key_b, t, chosen);
    std::vector<int32_t> actions = download(env.device(), chosen, numbers);
    a.act(env, key_a, t, chosen);
    const std::vector<int32_t> of_a = download(env.device(), chosen, numbers);
    for (size_t i = 0; i < numbers; ++i) actions[i] = seats[i / dim] ? of_a[i] : actions[i];
    upload(env.device(), static_cast<int32_t*>(env.actions()), actions);
    env.step(env.actions());
    if (all_ended(env)) return;
  }
  throw Error(env.spec().id + ": not every episode ended at the time limit");
}

// Values of the episodes of one mix.
struct Episodes {
  std::vector<double> a, b, all;              // [episode]
  std::vector<std::vector<double>> measures;  // [info, episode]
};

SchellingMix mix_of(int of_a, const EnvSpec& spec, const Episodes& episodes) {
  SchellingMix mix{of_a, spec.num_agents - of_a, {}, {}, estimate(episodes.all), {}};
  if (mix.of_a > 0) mix.return_a = estimate(episodes.a);
  if (mix.of_b > 0) mix.return_b = estimate(episodes.b);
  for (size_t i = 0; i < spec.info.size(); ++i)
    mix.measures.emplace_back(metric_name(spec.info[i]), estimate(episodes.measures[i]));
  return mix;
}

}  // namespace

Player player_of(std::string name, std::shared_ptr<Policy> policy, VecEnv& env) {
  const auto arena = std::make_shared<Arena>(env.shared_device());
  const auto state = std::make_shared<float*>(nullptr);  // [env, agent, state_dim]
  if (policy->state_dim() > 0) arena->want(*state, size_t(env.num_rows()) * policy->state_dim());
  arena->commit();
  return {std::move(name), [=](VecEnv& env, Key key, uint32_t step, int32_t* actions) {
            policy->act(env.observations(), nullptr, *state, env.num_rows(), /*greedy=*/false, key, step, actions);
            (void)arena;  // holds the state
          }};
}

Player player_of_game(const std::string& policy, const VecEnv& env) {
  const int number = env.policy_named(policy);
  return {policy, [=](VecEnv& env, Key key, uint32_t step, int32_t* actions) {
            env.policy_actions(number, actions, key, step);
          }};
}

Schelling play_schelling(VecEnv& env, const Player& a, const Player& b, uint64_t seed) {
  const EnvSpec& spec = env.spec();
  const int agents = spec.num_agents, episodes = env.num_envs() / (agents + 1);
  if (agents < 2) throw Error("a Schelling diagram needs two agents or more; " + spec.id + " has one");
  if (spec.num_objectives != 1)
    throw Error("a Schelling diagram needs one reward; " + spec.id + " has " + std::to_string(spec.num_objectives));
  if (spec.continuous > 0) throw Error("a Schelling diagram needs choices; the actions of " + spec.id + " are numbers");
  if (episodes < 1 || env.num_envs() % (agents + 1) != 0)
    throw Error("a Schelling diagram needs as many environments for each of " + std::to_string(agents + 1) + " mixes");
  const std::vector<uint8_t> seats = draw_seats(env.num_envs(), agents, seed);
  play(env, a, b, seats, seed);

  const auto returns = download(env.device(), env.finals().episode_return, size_t(env.num_rows()));
  std::vector<float> info;
  if (!spec.info.empty()) info = download(env.device(), env.finals().info, size_t(env.num_envs()) * spec.info.size());
  Schelling result{spec.id, spec.version, a.name, b.name, episodes, seed, {}};
  for (int of_a = 0; of_a <= agents; ++of_a) {
    Episodes mix;
    mix.measures.resize(spec.info.size());
    for (int e = of_a * episodes; e < (of_a + 1) * episodes; ++e) {
      double sums[2] = {};
      for (int row = e * agents; row < (e + 1) * agents; ++row) sums[seats[row]] += returns[row];
      mix.a.push_back(sums[1] / of_a);  // 0 / 0 if there is none; not used
      mix.b.push_back(sums[0] / (agents - of_a));
      mix.all.push_back((sums[0] + sums[1]) / agents);
      for (size_t i = 0; i < spec.info.size(); ++i) mix.measures[i].push_back(info[e * spec.info.size() + i]);
    }
    result.mixes.push_back(mix_of(of_a, spec, mix));
  }
  return result;
}

nlohmann::ordered_json Schelling::to_json() const {
  const auto json = [](const Estimate& value) {
    return nlohmann::ordered_json{{"mean", value.mean}, {"ci95", value.ci95}};
  };
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const SchellingMix& mix : mixes) {
    nlohmann::ordered_json row = {{"of_a", mix.of_a}, {"of_b", mix.of_b}};
    row["return_a"] = mix.of_a > 0 ? json(mix.return_a) : nlohmann::ordered_json();
    row["return_b"] = mix.of_b > 0 ? json(mix.return_b) : nlohmann::ordered_json();
    row["return"] = json(mix.return_all);
    for (const auto& [name, value] : mix.measures) row[name] = json(value);
    rows.push_back(std::move(row));
  }
  return {{"env", env},
          {"version", version},
          {"a", a},
          {"b", b},
          {"episodes", episodes},
          {"seed", seed},
          {"cooperation_pays", cooperation_pays()},
          {"loners_lose", loners_lose()},
          {"fear", fear()},
          {"greed", greed()},
          {"dilemma", dilemma()},
          {"mixes", rows}};
}

}  // namespace throng
