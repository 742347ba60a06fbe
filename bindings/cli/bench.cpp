// `throng bench`: environment steps per second for several batch sizes; or what comes of episodes, with standard errors.
#include <time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>

#include "algos/evaluate.hpp"
#include "bindings/cli/commands.hpp"
#include "bindings/cli/console.hpp"
#include "bindings/cli/overrides.hpp"
#include "bindings/cli/signals.hpp"
#include "bindings/cli/statistics.hpp"
#include "core/version.hpp"
#include "envs/registry.hpp"

namespace throng {
namespace {

using Clock = std::chrono::steady_clock;

struct BenchOptions {
  std::string env, device = "auto";
  std::vector<int> num_envs;
  std::vector<std::string> overrides, policies;
  bool statistics = false, steps_alone = false;
  int64_t episodes = 10000;
  int lanes = 0, threads = 0, windows = 5, step_random = 0;
  int64_t hash_steps = 200;
  double seconds = 0.2;
  uint64_t seed = 0;
  bool json = false;
};

struct Measured {
  int64_t steps = 0;          // in all windows, per environment
  std::vector<double> rates;  // environment steps per second, one per window
  double first_step_ms = 0;
  uint64_t state_hash = 0;
  int64_t episodes = 0;

  double median() const {
    std::vector<double> sorted = rates;
    std::sort(sorted.begin(), sorted.end());
    const size_t middle = sorted.size() / 2;
    return sorted.size() % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
};

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// A batch that plays itself; the draws, and so the states, follow from the seed.
class Player {
 public:
  Player(VecEnv& env, const BenchOptions& options, const StopOnSignal& stop)
      : env_(env),
        policy_(env.policy_named(options.policies.front())),
        at_once_(options.step_random),
        key_(fold_in(key(options.seed), kActions)),
        stop_(stop) {
    env_.reset(options.seed);
  }

  void play(int64_t steps) {
    for (int64_t i = 0; i < steps && !stop_.requested();) {
      const int count = at_once_ > 0 ? static_cast<int>(std::min<int64_t>(at_once_, steps - i)) : 1;
      if (at_once_ > 0) {
        env_.step_random(count, key_, drawn_);
      } else {
        env_.policy_actions(policy_, env_.actions(), key_, drawn_);
        env_.step(env_.actions());
      }
      drawn_ += static_cast<uint32_t>(count);
      i += count;
    }
    env_.device().synchronize();
  }

  double timed(int64_t steps) {
    const auto start = Clock::now();
    play(steps);
    return seconds_since(start);
  }

  // Of steps alone, without the time in which actions are drawn; and of this process alone, whatever else the machine does.
  double timed_alone(int64_t steps) {
    double seconds = 0;
    for (int64_t i = 0; i < steps && !stop_.requested(); ++i) {
      env_.policy_actions(policy_, env_.actions(), key_, drawn_++);
      const double start = processor_seconds();
      env_.step(env_.actions());
      seconds += processor_seconds() - start;
    }
    return seconds;
  }

 private:
  static constexpr uint32_t kActions = 1;  // the purpose of the key, apart from the environments' own
  VecEnv& env_;
  int policy_;
  int at_once_;  // steps in a launch; 0: one, and its actions in another
  Key key_;
  const StopOnSignal& stop_;
  uint32_t drawn_ = 0;
};

// Doubles a window until it is long enough; what is played meanwhile is the warm-up.
template <class Timed>
int64_t steps_per_window(const Timed& timed, double seconds, const StopOnSignal& stop) {
  int64_t steps = 1;
  while (true) {
    const double took = timed(steps);
    if (took >= seconds || stop.requested()) return steps;
    const double factor = std::clamp(1.1 * seconds / std::max(took, 1e-6), 1.2, 8.0);
    steps = static_cast<int64_t>(static_cast<double>(steps) * factor) + 1;
  }
}

// The first line of a process also pays for opening the device: `asked` lies before that.
Measured measure_batch(VecEnv& env, const BenchOptions& options, Clock::time_point asked, const StopOnSignal& stop) {
  Measured result;
  Player player(env, options, stop);
  player.play(1);
  result.first_step_ms = 1000 * seconds_since(asked);
  player.play(options.hash_steps - 1);
  result.state_hash = env.state_hash();
  const auto timed = [&](int64_t steps) {
    return options.steps_alone ? player.timed_alone(steps) : player.timed(steps);
  };
  const int64_t steps = steps_per_window(timed, options.seconds, stop);
  env.take_statistics();
  for (int window = 0; window < options.windows && !stop.requested(); ++window) {
    result.rates.push_back(static_cast<double>(steps) * env.num_envs() / timed(steps));
    result.steps += steps;
  }
  result.episodes = env.take_statistics().episodes;
  return result;
}

std::vector<std::string> outputs_of(const EnvSpec& spec) {
  std::vector<std::string> names = {"obs", "avail_actions", "active", "rewards", "terminated", "truncated", "finals"};
  if (spec.world_state_dim > 0) names.insert(names.begin() + 3, "world_state");
  return names;
}

std::string hex(uint64_t value) {
  char text[20];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

nlohmann::ordered_json to_json(VecEnv& env, const BenchOptions& options, const nlohmann::json& config,
                               const Measured& result) {
  const auto [least, most] = std::minmax_element(result.rates.begin(), result.rates.end());
  const double agents = env.spec().num_agents;
  nlohmann::ordered_json line;
  line["env"] = env.spec().id;
  line["version"] = env.spec().version;
  line["env_config"] = config;
  line["throng"] = kVersion;
  line["policy"] = options.policies.front();
  if (options.step_random > 0) line["step_random"] = options.step_random;
  line["num_envs"] = env.num_envs();
  line["num_agents"] = env.spec().num_agents;
  line["device"] = env.device().kind();
  line["device_name"] = env.device().name();
  line["lanes"] = env.options().lanes;
  line["env_steps_per_s"] = result.median();
  line["env_steps_per_s_min"] = *least;
  line["env_steps_per_s_max"] = *most;
  line["agent_steps_per_s"] = result.median() * agents;
  line["steps_alone"] = options.steps_alone;
  line["windows"] = result.rates.size();
  line["steps"] = result.steps;
  line["episodes_ended"] = result.episodes;
  line["bytes_per_env"] = static_cast<double>(env.bytes()) / env.num_envs();
  line["obs_dtype"] = env.spec().obs_dtype == "U8" ? "uint8" : "float32";
  line["obs_dim"] = env.spec().obs_dim;
  line["outputs"] = outputs_of(env.spec());
  line["autoreset"] = name_of(env.options().autoreset);
  line["first_step_ms"] = result.first_step_ms;
  line["seed"] = options.seed;
  line["hash_steps"] = options.hash_steps;
  line["state_hash"] = hex(result.state_hash);
  return line;
}

const std::vector<std::string> kColumns = {"num_envs",      "lanes",     "env steps/s", "(least .. most)",
                                           "agent steps/s", "bytes/env", "first step",  "state hash"};

// Columns of fixed width, because rows appear one by one.
void print_row(const std::vector<std::string>& cells) {
  constexpr int kWidths[] = {8, 5, 11, 17, 13, 9, 10, 16};
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    const auto width = static_cast<size_t>(kWidths[i]);
    line += std::string(cells[i].size() < width ? width - cells[i].size() : 0, ' ') + cells[i] + "  ";
  }
  print_line(line.substr(0, line.find_last_not_of(' ') + 1));
}

std::vector<std::string> row_of(VecEnv& env, const Measured& result) {
  const auto [least, most] = std::minmax_element(result.rates.begin(), result.rates.end());
  const double bytes = static_cast<double>(env.bytes()) / env.num_envs();
  return {std::to_string(env.num_envs()),
          std::to_string(env.options().lanes),
          compact(result.median()),
          "(" + compact(*least) + " .. " + compact(*most) + ")",
          compact(result.median() * env.spec().num_agents),
          compact(bytes),
          fixed(result.first_step_ms, 0) + " ms",
          hex(result.state_hash)};
}

std::vector<int> default_sizes(const Device& device) {
  if (!device.is_cuda()) return {64, 256, 1024, 4096, 16384};
  std::vector<int> sizes;
  for (int size = 1 << 10; size <= 1 << 17; size *= 2) sizes.push_back(size);
  return sizes;
}

void check(const BenchOptions& options) {
  if (options.windows < 1) throw Error("--windows must be at least 1, not " + std::to_string(options.windows));
  if (!(options.seconds > 0) || options.seconds > 3600) throw Error("--seconds must be more than 0 and at most 3600");
  if (options.episodes < 2) throw Error("--episodes must be at least 2, not " + std::to_string(options.episodes));
  if (options.policies.size() > 1 && !options.statistics) throw Error("--policy: only --statistics takes several");
  if (options.step_random < 0)
    throw Error("--step_random must be at least 0, not " + std::to_string(options.step_random));
  if (options.step_random > 0 && (options.statistics || options.policies != std::vector<std::string>{"random"}))
    throw Error("--step_random plays random actions, and not for --statistics");
  if (options.hash_steps < 1) throw Error("--hash_steps must be at least 1, not " + std::to_string(options.hash_steps));
  for (int size : options.num_envs) {
    if (size < 1) throw Error("--num_envs must be at least 1, not " + std::to_string(size));
  }
}

// Sizes that nobody asked for end where the memory ends.
std::unique_ptr<VecEnv> make_batch(const std::string& id, const BenchOptions& options, const nlohmann::json& config,
                                   int num_envs, const std::shared_ptr<Device>& device) {
  BatchOptions batch;
  batch.num_envs = num_envs;
  batch.lanes = options.lanes;
  try {
    return make(id, device, batch, config);
  } catch (const MachineError& failure) {
    if (!options.num_envs.empty()) throw;
    say("stopped before num_envs = " + std::to_string(num_envs) + ": " + failure.what());
    return nullptr;
  }
}

// "smax/all" are all scenarios of smax.
std::vector<std::string> environments(const std::string& env) {
  const size_t slash = env.find('/');
  if (slash == std::string::npos || env.substr(slash) != "/all") return {env};
  const std::string name = env.substr(0, slash);
  std::vector<std::string> ids;
  for (const std::string& scenario : scenarios(*find_env(name).entry)) ids.push_back(name + "/" + scenario);
  return ids.empty() ? std::vector<std::string>{name} : ids;
}

// False if it was stopped.
bool bench_speed(const std::string& id, const BenchOptions& options, const nlohmann::json& config,
                 const std::shared_ptr<Device>& device, Clock::time_point asked, const StopOnSignal& stop) {
  for (int size : options.num_envs.empty() ? default_sizes(*device) : options.num_envs) {
    const auto env = make_batch(id, options, config, size, device);
    if (!env) break;
    const Measured result = measure_batch(*env, options, asked, stop);
    if (stop.requested()) return false;  // a line stands only for a whole measurement
    if (options.json) {
      print_line(to_json(*env, options, config, result).dump());
    } else {
      print_row(row_of(*env, result));
    }
    asked = Clock::now();
  }
  return true;
}

bool bench_statistics(const std::string& id, const BenchOptions& options, const nlohmann::json& config,
                      const std::shared_ptr<Device>& device, const StopOnSignal& stop) {
  const int usual = device->is_cuda() ? 4096 : 512;
  const int64_t envs = options.num_envs.empty() ? usual : options.num_envs.front();
  BatchOptions batch =
      evaluation_options(env_spec(id, config), static_cast<int>(std::min<int64_t>(envs, options.episodes)));
  batch.lanes = options.lanes;
  const auto env = make(id, device, batch, config);
  for (const std::string& policy : options.policies) {
    const PolicyStatistics result = play_statistics(*env, policy, options.episodes, options.seed, stop);
    if (stop.requested()) return false;
    nlohmann::ordered_json line = result.to_json(env->spec());
    line["env_config"] = config;
    print_line(options.json ? line.dump() : statistics_line(env->spec(), result));
  }
  return true;
}

int bench(BenchOptions options) {
  const std::vector<std::string> ids = environments(options.env);
  const nlohmann::json config = read_env_overrides(options.overrides, ids.front());
  const EnvSpec first = env_spec(ids.front(), config);
  if (options.policies.empty()) {
    options.policies = options.statistics ? first.policies : std::vector<std::string>{"random"};
  }
  check(options);
  limit_cpu_threads(options.threads);
  const StopOnSignal stop("throng: stopping\n");
  auto asked = Clock::now();
  const std::shared_ptr<Device> device = open_device(options.device);
  say("device: " + device->name());
  if (options.steps_alone && device->is_cuda()) throw Error("--steps_alone: a GPU draws and steps in one stream");
  for (const std::string& id : ids) {
    if (!options.json && !options.statistics) {
      if (ids.size() > 1) print_line(id);
      if (options.step_random > 0)
        print_line("step_random: " + std::to_string(options.step_random) +
                   " steps in a launch, of which the last is observed; no measure of what a learner gets");
      print_row(kColumns);
    }
    const bool done = options.statistics ? bench_statistics(id, options, config, device, stop)
                                         : bench_speed(id, options, config, device, asked, stop);
    if (!done) return stop.exit_status();
    asked = Clock::now();
  }
  return 0;
}

}  // namespace

Action add_bench(CLI::App& app) {
  const auto options = std::make_shared<BenchOptions>();
  app.add_option("ENV", options->env, "environment: smax/3m; smax/all are all its scenarios")->required();
  app.add_option("SETTINGS", options->overrides, "key=value: parameters of the environment: env.attack_mode=random");
  app.add_option("--num_envs", options->num_envs, "batch sizes, separated by commas (default: a sweep)")
      ->delimiter(',');
  app.add_option("--device", options->device, "auto, cpu, cuda or cuda:N")->capture_default_str();
  app.add_option("--lanes", options->lanes, "GPU threads per environment: 1, 2, 4, 8, 16 or 32; 0 = chosen")
      ->capture_default_str();
  app.add_option("--threads", options->threads, "CPU threads; 0 = all")->capture_default_str();
  app.add_option("--policy", options->policies, "who plays: random, or one that the game has (throng describe ENV)")
      ->delimiter(',');
  app.add_option("--step_random", options->step_random,
                 "so many steps with random actions in one launch, only the last of them observed; 0 = one by one")
      ->capture_default_str();
  app.add_flag("--statistics", options->statistics, "what comes of whole episodes, for each --policy, not how fast");
  app.add_flag("--steps_alone", options->steps_alone,
               "CPU: count processor seconds of steps, without the drawing of actions");
  app.add_option("--episodes", options->episodes, "of --statistics, for each policy")->capture_default_str();
  app.add_option("--seconds", options->seconds, "least length of a timed window")->capture_default_str();
  app.add_option("--windows", options->windows, "timed windows; the median counts")->capture_default_str();
  app.add_option("--hash_steps", options->hash_steps, "steps from the seed to state_hash")->capture_default_str();
  app.add_option("--seed", options->seed, "seed of environments and actions")->capture_default_str();
  app.add_flag("--json", options->json, "one JSON object per batch size");
  app.footer("Example: throng bench smax/3m --device cuda --num_envs 1024,65536 --json > smax_3m.jsonl");
  return [options] { return bench(*options); };
}

}  // namespace throng
