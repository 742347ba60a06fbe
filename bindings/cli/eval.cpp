// `throng eval`: plays episodes with the policy of a run's checkpoint, once drawing its actions and once taking the likeliest;
// with a policy that comes with the game; or with two of them in every mix.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "algos/evaluate.hpp"
#include "algos/front.hpp"
#include "algos/opponent_slots.hpp"
#include "algos/policy.hpp"
#include "algos/trainer.hpp"
#include "bindings/cli/commands.hpp"
#include "bindings/cli/console.hpp"
#include "bindings/cli/evaluation.hpp"
#include "bindings/cli/schelling.hpp"
#include "bindings/cli/statistics.hpp"
#include "core/config.hpp"
#include "core/file.hpp"
#include "core/version.hpp"
#include "envs/registry.hpp"

namespace throng {
namespace {

using nlohmann::ordered_json;

struct EvalOptions {
  std::string folder, checkpoint = "latest", device = "auto", policy;
  int episodes = 0, threads = 0;
  std::optional<uint64_t> seed;
  bool json = false;
  std::vector<std::string> schelling, overrides;  // two players; env.key=value
  std::string out = "schelling";
};

bool is_estimate(const ordered_json& value) {
  return value.is_object() && value.contains("mean") && value.contains("ci95");
}

Estimate read_estimate(const ordered_json& value) {
  const auto number = [](const ordered_json& json) { return json.is_number() ? json.get<double>() : std::nan(""); };
  return {number(value["mean"]), number(value["ci95"])};
}

// In the environment of a run, or in any other.
int eval_policy(const EvalOptions& options) {
  std::string id = options.folder;
  nlohmann::json config;
  TrainConfig train;
  if (std::filesystem::is_directory(options.folder)) {
    const Run run = Run::load(options.folder);
    id = run.env, config = run.env_config, train = run.train;
  }
  const int episodes = options.episodes > 0 ? options.episodes : train.eval_episodes;
  const std::shared_ptr<Device> device = open_device(options.device);
  say("device: " + device->name());
  const auto env = make(id, device, evaluation_options(env_spec(id, config), episodes), config);
  const StopOnSignal stop("throng: stopping\n");
  const PolicyStatistics result = play_statistics(*env, options.policy, episodes,
                                                  options.seed.value_or(train.seed + Trainer::kEvaluationSeed), stop);
  if (stop.requested()) return stop.exit_status();
  print_line(options.json ? result.to_json(env->spec()).dump() : statistics_line(env->spec(), result));
  return 0;
}

// ---- a policy that is told weights ----

Yardstick yardstick_of(const Run& run) {
  const nlohmann::json known = known_front(run.env, run.env_config);
  return {known.value("reference", Point()), known.value("points", Points())};
}

std::string front_line(const ordered_json& front) {
  std::string line = std::string(front["greedy"] ? "greedy" : "sampled") + ": hypervolume " +
                     fixed(front["hypervolume"].get<double>(), 4) + " (again " +
                     fixed(front["hypervolume_again"].get<double>(), 4) + ")";
  if (front.contains("share_of_exact"))
    line += ", " + fixed(100 * front["share_of_exact"].get<double>(), 2) + " % of the exact " +
            fixed(front["exact_hypervolume"].get<double>(), 4);
  return line + ", " + front["cardinality"].dump() + " points, expected utility " +
         fixed(front["expected_utility"].get<double>(), 4);
}

// The folders of runs that were trained side by side, in DIR; or DIR itself.
std::vector<std::string> run_folders(const std::string& folder) {
  if (std::filesystem::exists(folder + "/config.json") || !std::filesystem::is_directory(folder)) return {folder};
  std::vector<std::string> folders;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (std::filesystem::exists(entry.path() / "config.json")) folders.push_back(entry.path().string());
  }
  std::sort(folders.begin(), folders.end());
  return folders.empty() ? std::vector<std::string>{folder} : folders;
}

// Sampled and greedy. All weights of a run are played at once.
std::array<Front, 2> play_fronts(const EvalOptions& options, const std::vector<std::string>& folders,
                                 const EnvSpec& spec, const std::shared_ptr<Device>& device) {
  constexpr int kEpisodes = 32;
  std::vector<Front> fronts[2];
  for (const std::string& folder : folders) {
    const Run run = Run::load(folder);
    if (run.env != Run::load(folders[0]).env) throw Error("'" + folder + "' is of another environment: " + run.env);
    const Weights weights = evaluation_weights(run.train, spec.num_objectives);
    const int envs = (options.episodes > 0 ? options.episodes : kEpisodes) * static_cast<int>(weights.size());
    const auto env = make(run.env, device, evaluation_options(spec, envs), run.env_config);
    Policy policy(run, options.checkpoint, spec, device, envs);
    say("checkpoint: " + policy.path() + " (" + compact(static_cast<double>(policy.timesteps())) + " steps)");
    const uint64_t seed = options.seed.value_or(run.train.seed + Trainer::kEvaluationSeed);
    for (const bool greedy : {false, true})
      fronts[greedy].push_back(play_front(*env, policy.learner(), weights, greedy, seed, policy.path()));
  }
  return {join_fronts(fronts[0]), join_fronts(fronts[1])};
}

// DIR/front.json, and for the eye DIR/front.svg.
int eval_front(const EvalOptions& options, const std::vector<std::string>& folders) {
  const Run run = Run::load(folders[0]);
  const EnvSpec spec = env_spec(run.env, run.env_config);
  if (!run.train.multi_objective()) throw Error("'" + options.folder + "' holds runs, but no front is learned in them");
  const std::shared_ptr<Device> device = open_device(options.device);
  say("device: " + device->name());
  const std::array<Front, 2> fronts = play_fronts(options, folders, spec, device);
  const Yardstick yardstick = yardstick_of(run);
  ordered_json all = {{"run", options.folder},
                      {"env", run.env},
                      {"version", spec.version},
                      {"throng", kVersion},
                      {"device", device->kind()},
                      {"runs", folders.size()},
                      {"utility", kUtilities[run.train.utility]}};
  for (const Front& front : fronts) {
    const ordered_json json = front_json(front, spec.objectives, yardstick);
    all[front.greedy ? "greedy" : "sampled"] = json;
    if (!options.json) print_line(front_line(json));
    if (spec.num_objectives == 1) continue;
    const std::string name = options.folder + (front.greedy ? "/front.svg" : "/front_sampled.svg");
    write_file_atomically(name, front_chart(run.env, front, spec.objectives, yardstick));
  }
  write_file_atomically(options.folder + "/front.json", all.dump(1) + "\n");
  if (options.json) print_line(all.dump());
  say("front: " + options.folder + "/front.json, front.svg");
  return 0;
}

// ---- one policy ----

// Episodes of the policy in the run's environment, but with these parameters: {"sampled": .., "greedy": ..}.
ordered_json evaluate_both(const EvalOptions& options, Policy& policy, const std::shared_ptr<Device>& device,
                           const nlohmann::json& own, int episodes) {
  const Run& run = policy.run();
  nlohmann::json config = run.env_config;
  merge(config, own);
  const BatchOptions batch = evaluation_options(env_spec(run.env, config), episodes);
  const auto env = evaluation_view(make(run.env, device, batch, config), run.train);
  // The episodes of the run's own evaluations, unless others are asked for.
  const uint64_t seed = options.seed.value_or(run.train.seed + Trainer::kEvaluationSeed);
  ordered_json evaluations;
  for (const bool greedy : {false, true}) {
    const ordered_json evaluation = evaluate(*env, policy.learner(), greedy, seed).to_json();
    evaluations[greedy ? "greedy" : "sampled"] = evaluation;
    if (!options.json) continue;
    ordered_json line = {{"run", options.folder},          {"env", run.env},
                         {"version", env->spec().version}, {"throng", kVersion},
                         {"device", device->kind()},       {"checkpoint", policy.path()},
                         {"timesteps", policy.timesteps()}};
    if (!own.empty()) line["config"] = own;
    line.update(evaluation);
    print_line(line.dump());
  }
  return evaluations;
}

// As the game wants its policies to be judged: with every value of a parameter.
void eval_each(const EvalOptions& options, Policy& policy, const std::shared_ptr<Device>& device,
               const nlohmann::json& plan, int episodes) {
  const auto each = plan["each"].items().begin();
  std::vector<std::vector<std::string>> rows = {{each.key(), "episodes", "sampled win_rate", "greedy win_rate"}};
  for (const nlohmann::json& value : each.value()) {
    nlohmann::json config = plan.value("config", nlohmann::json::object());
    config[each.key()] = value;
    const ordered_json both = evaluate_both(options, policy, device, config, episodes);
    rows.push_back({value.dump(), std::to_string(episodes)});
    for (const char* kind : {"sampled", "greedy"})
      rows.back().push_back(estimate_text(read_estimate(both[kind]["win_rate"])));
  }
  if (options.json) return;
  for (const std::string& line : table(rows)) print_line(line);
}

int eval_run(const EvalOptions& options, const Run& run) {
  const EnvSpec spec = env_spec(run.env, run.env_config);
  if (run.env_version != spec.version) {
    say("note: trained by rules " + run.env_version + " of " + run.env + ", played by rules " + spec.version);
  }
  const int episodes = options.episodes > 0 ? options.episodes : run.train.eval_episodes;
  const std::shared_ptr<Device> device = open_device(options.device);
  say("device: " + device->name());
  Policy policy(run, options.checkpoint, learner_spec(spec, run.train), device, episodes);
  say("checkpoint: " + policy.path() + " (" + compact(static_cast<double>(policy.timesteps())) + " steps)");
  const nlohmann::json plan = eval_plan(run.env);
  if (!plan.empty()) return eval_each(options, policy, device, plan, episodes), 0;
  const ordered_json evaluations = evaluate_both(options, policy, device, nlohmann::json::object(), episodes);
  if (options.json) return 0;
  for (const std::string& line : evaluation_table(evaluations)) print_line(line);
  return 0;
}

int eval_mixes(const EvalOptions& options) {
  if (!options.policy.empty())
    throw Error("--policy and --schelling exclude each other: name the player in --schelling");
  SchellingOptions mixes{options.schelling, options.folder,   options.overrides, options.checkpoint, options.device,
                         options.out,       options.episodes, options.seed,      options.json};
  if (options.folder.find('=') != std::string::npos) {  // the first of the settings
    mixes.env.clear();
    mixes.overrides.insert(mixes.overrides.begin(), options.folder);
  }
  return schelling(mixes);
}

int eval(const EvalOptions& options) {
  if (options.episodes < 0) throw Error("--episodes must be at least 1, not " + std::to_string(options.episodes));
  limit_cpu_threads(options.threads);
  if (!options.schelling.empty()) return eval_mixes(options);
  if (options.folder.empty()) throw Error("eval: the folder of a run is missing");
  if (!options.overrides.empty())
    throw Error("eval: unexpected '" + options.overrides[0] + "': settings are for --schelling");
  if (!options.policy.empty()) return eval_policy(options);
  const std::vector<std::string> folders = run_folders(options.folder);
  const Run run = Run::load(folders[0]);
  if (folders.size() > 1 || run.train.multi_objective()) return eval_front(options, folders);
  return eval_run(options, run);
}

}  // namespace

std::string estimate_text(const Estimate& estimate) {
  if (!std::isfinite(estimate.mean)) return "-";
  if (!std::isfinite(estimate.ci95)) return fixed(estimate.mean, 3);
  return fixed(estimate.mean, 3) + " ± " + fixed(estimate.ci95, 3);
}

std::vector<std::string> evaluation_table(const ordered_json& evaluations) {
  std::vector<std::vector<std::string>> rows = {{"", "episodes"}};
  for (const auto& [name, evaluation] : evaluations.items()) {
    if (!evaluation.is_object() || !evaluation.contains("episodes")) continue;
    std::vector<std::string> row = {name, evaluation["episodes"].dump()};
    for (const auto& [key, value] : evaluation.items()) {
      if (!is_estimate(value)) continue;
      if (rows.size() == 1) rows[0].push_back(key);
      row.push_back(estimate_text(read_estimate(value)));
    }
    rows.push_back(row);
  }
  return table(rows);
}

Action add_eval(CLI::App& app) {
  const auto options = std::make_shared<EvalOptions>();
  app.add_option("DIR", options->folder, "folder of a run; with --policy or --schelling also an environment: smax/3m");
  app.add_option("SETTINGS", options->overrides, "with --schelling: env.key=value ...");
  app.add_option("--schelling", options->schelling,
                 "two players, each a run's folder or one of the game's own: what agents earn in every mix of them")
      ->expected(2)
      ->allow_extra_args(false);  // what follows the two is something else
  app.add_option("--out", options->out, "with --schelling: folder for schelling.json, .txt and .svg")
      ->capture_default_str();
  app.add_option("--policy", options->policy,
                 "who plays instead of the run's policy: random, or one of the game's own");
  app.add_option("--checkpoint", options->checkpoint, "latest, best, or a file")->capture_default_str();
  app.add_option("--episodes", options->episodes,
                 "episodes of each kind, or mix (default: eval_episodes of the run, of all mixes together)");
  app.add_option("--device", options->device, "auto, cpu, cuda or cuda:N")->capture_default_str();
  app.add_option("--threads", options->threads, "CPU threads; 0 = all")->capture_default_str();
  app.add_option("--seed", options->seed, "seed of the episodes (default: those of the run's own evaluations)");
  app.add_flag("--json", options->json, "one JSON object for the sampled episodes, one for the greedy ones");
  app.footer("Example: throng eval runs/mine --episodes 1000 --checkpoint best");
  return [options] { return eval(*options); };
}

}  // namespace throng
