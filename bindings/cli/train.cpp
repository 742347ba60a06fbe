// `throng train`: settings from all their sources, laid over each other, then the run with its progress on show.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "algos/front.hpp"
#include "algos/presets.hpp"
#include "algos/self_play.hpp"
#include "algos/trainer.hpp"
#include "bindings/cli/commands.hpp"
#include "bindings/cli/console.hpp"
#include "bindings/cli/evaluation.hpp"
#include "bindings/cli/overrides.hpp"
#include "bindings/cli/progress.hpp"
#include "bindings/cli/signals.hpp"
#include "core/config.hpp"
#include "envs/registry.hpp"

namespace throng {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

struct TrainOptions {
  std::string env, preset, device, config, out, resume;
  std::map<std::string, std::string> flags;  // a flag for every field of TrainConfig
  std::vector<std::string> overrides;        // key=value
  int threads = 0, num_seeds = 1, num_weights = 0;
  bool quiet = false, json = false, dry_run = false;
};

// ---- settings ----

// What one source says about the run.
struct Source {
  std::string env, device;
  json env_config = json::object();
  json train = json::object();
};

const std::vector<std::string>& train_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const FieldDoc& field : describe_config(TrainConfig{})) all.push_back(field.name);
    return all;
  }();
  return names;
}

std::string word(const json& value, const std::string& key, const std::string& path) {
  if (!value.is_string()) throw Error(path + ": '" + key + "' must be a string, found " + value.dump());
  return value.get<std::string>();
}

// A file is either what config.json of a run is, or just settings of training. It is the former if it has any of its keys.
Source read_config_file(const std::string& path) {
  Source source;
  const json file = parse_json_file(path);
  if (!file.is_object()) throw Error(path + ": must be an object");
  const std::vector<std::string> parts = {"env", "env_config", "train", "device", "env_version", "throng"};
  const bool whole =
      std::any_of(parts.begin(), parts.end(), [&](const std::string& part) { return file.contains(part); });
  if (!whole) {
    source.train = file;
    return source;
  }
  for (const auto& [key, value] : file.items()) {
    if (key == "env")
      source.env = word(value, key, path);
    else if (key == "device")
      source.device = word(value, key, path);
    else if (key == "env_config")
      source.env_config = value;
    else if (key == "train")
      source.train = value;
    else if (key != "env_version" && key != "throng")
      throw_unknown("key", key, parts, path);  // these two are notes
  }
  return source;
}

std::string choose_env(const TrainOptions& options, const Source& file) {
  if (options.env.empty() && file.env.empty()) {
    throw Error("which environment? `throng train smax/3m`, or --resume DIR; `throng list` shows them");
  }
  if (!options.env.empty() && !file.env.empty() && options.env != file.env) {
    throw Error(options.config + ": is for " + file.env + ", not " + options.env);
  }
  return options.env.empty() ? file.env : options.env;
}

// Flags and key=value of the command line; the latter are read last.
Source read_command_line(const TrainOptions& options, const std::string& env) {
  Source source;
  Overrides overrides = read_overrides(options.overrides, env, train_names());
  for (const auto& [name, value] : options.flags) apply_override(source.train, name + "=" + value);
  merge(source.train, overrides.train);
  source.env_config = std::move(overrides.env);
  return source;
}

// Every algorithm has a preset of its own name, and self-play has one; which it is may stand in what is laid over it.
std::string choose_preset(const TrainOptions& options, const Source& file, const Source& given) {
  if (!options.preset.empty()) return options.preset;
  TrainConfig config;
  for (const Source* source : {&file, &given}) {
    for (const char* key : {"algo", "selfplay"}) {
      if (source->train.is_object() && source->train.contains(key)) {
        read_config(config, {{key, source->train[key]}}, "train");
      }
    }
  }
  return default_preset(config);
}

// Defaults <- preset <- the environment's wishes for that preset <- file <- command line.
Run resolve(const TrainOptions& options) {
  const Source file = options.config.empty() ? Source{} : read_config_file(options.config);
  Run run;
  run.env = choose_env(options, file);
  const EnvEntry& entry = *find_env(run.env).entry;
  const Source given = read_command_line(options, run.env);
  const std::string preset = choose_preset(options, file, given);
  run.train = preset_config(preset, train_preset(run.env, preset));
  read_config(run.train, file.train, options.config);
  read_config(run.train, given.train, "train");
  run.train.check();
  entry.resolve(scenario_config(run.env, file.env_config), options.config.empty() ? run.env : options.config);
  json env_config = scenario_config(run.env, file.env_config);
  merge(env_config, given.env_config);
  run.env_config = entry.resolve(env_config, run.env);
  run.device = !options.device.empty() ? options.device : !file.device.empty() ? file.device : "auto";
  run.folder = options.out;
  return run;
}

// "learning_rate=0.004 num_envs=64": what is not as in `before`.
std::string differences(const ordered_json& before, const ordered_json& after) {
  std::vector<std::string> words;
  for (const auto& [key, value] : after.items()) {
    if (!before.contains(key) || before[key] != value) words.push_back(key + "=" + value.dump());
  }
  return words.empty() ? "none" : joined(words, " ");
}

// ---- the run ----

void introduce(Trainer& trainer, const TrainOptions& options) {
  const Run& run = trainer.run();
  const EnvSpec& spec = trainer.env().spec();
  const EnvEntry& entry = *find_env(run.env).entry;
  for (int k = 0; options.json && k < trainer.num_runs(); ++k) {
    ordered_json line = {{"type", "run"}, {"folder", trainer.run(k).folder}};
    line.update(trainer.run(k).to_json());
    print_line(line.dump());
  }
  if (options.quiet) return;
  say("environment: " + run.env + " (rules " + spec.version + "), " + std::to_string(spec.num_agents) + " agents");
  say("  parameters unlike the scenario's: " +
      differences(entry.resolve(scenario_config(run.env), run.env), ordered_json(run.env_config)));
  say("  settings unlike the defaults: " + differences(write_config(TrainConfig{}), write_config(run.train)));
  say("device memory: " + compact(static_cast<double>(trainer.env().bytes())) + "B environments, " +
      compact(static_cast<double>(trainer.learner().bytes())) + "B learner");
  if (trainer.num_runs() > 1)
    say(std::to_string(trainer.num_runs()) + " runs side by side; progress is that of the first, SPS of all together");
  for (int k = 0; k < trainer.num_runs(); ++k) say("run folder: " + trainer.run(k).folder);
  if (trainer.update_count() > 0) say("continues after update " + std::to_string(trainer.update_count()));
}

// A line of metrics.jsonl, and where the run stands.
void print_json(const Trainer& trainer, const Progress& progress) {
  ordered_json line = {{"type", "update"},
                       {"seed", trainer.run(progress.run).train.seed},
                       {"num_updates", progress.num_updates},
                       {"total_timesteps", progress.total_timesteps},
                       {"seconds_left", progress.seconds_left}};
  line.update(metrics_line(progress));
  print_line(line.dump());
}

// "evaluation at 4.20M steps: win_rate 0.912 sampled, 0.934 greedy": the game's own measure, or the return.
std::string evaluation_text(const Progress& progress) {
  const auto sampled = progress.evaluation->sampled.estimates();
  const auto greedy = progress.evaluation->greedy.estimates();
  size_t shown = 0;
  for (size_t i = 0; i < sampled.size(); ++i) shown = sampled[i].first == "win_rate" ? i : shown;
  return "evaluation at " + compact(static_cast<double>(progress.timesteps)) + " steps: " + sampled[shown].first + " " +
         fixed(sampled[shown].second.mean, 3) + " sampled, " + fixed(greedy[shown].second.mean, 3) + " greedy";
}

// The folders' last lines: how good it has become, and where it lies.
void conclude(Trainer& trainer, const TrainOptions& options) {
  const std::vector<ordered_json> reports = trainer.finish();  // what train() has just written
  for (int k = 0; k < trainer.num_runs(); ++k) {
    const std::string& folder = trainer.run(k).folder;
    if (options.json) {
      ordered_json line = {{"type", "result"}, {"folder", folder}};
      line.update(reports[k]);
      print_line(line.dump());
    }
    for (const std::string& line : evaluation_table(reports[k])) say(line);
    say("run folder: " + folder);
  }
}

int go(Trainer& trainer, const TrainOptions& options, const StopOnSignal& stop) {
  introduce(trainer, options);
  ProgressLine line(options.quiet);
  const auto on_update = [&](const Progress& progress) {
    if (options.json) print_json(trainer, progress);
    if (progress.run == 0) {
      Progress shown = progress;
      shown.sps *= trainer.num_runs();
      line.show(shown);
    }
    if (progress.evaluation) line.say_above(evaluation_text(progress));
    const bool last = progress.run == trainer.num_runs() - 1;
    if (last && progress.update == progress.num_updates) line.say_above("evaluating");
  };
  const bool finished = trainer.train(on_update, [&] { return stop.requested(); });
  line.end();
  if (finished) {
    conclude(trainer, options);
  } else {
    for (int k = 0; k < trainer.num_runs(); ++k)
      say("stopped and saved; to go on: throng train --resume " + trainer.run(k).folder);
  }
  return stop.exit_status();
}

// What the run would keep in device memory, to the byte; everything is made, and nothing is written. Evaluations, whose
// environments are made when they begin, come on top.
void show_memory(const std::vector<Run>& runs, const std::shared_ptr<Device>& device, bool as_json) {
  const Run& run = runs[0];
  BatchOptions batch;
  batch.num_envs = run.train.num_envs * static_cast<int>(runs.size());
  const bool alone = run.train.selfplay == kNoSelfPlay;
  auto env = alone ? evaluation_view(make(run.env, device, batch, run.env_config), run.train)
                   : self_play_env(make, run.train)(run.env, device, batch, run.env_config);
  const MakeLearner make_one = alone ? MakeLearner(make_learner) : self_play_learner(run, make, make_learner);
  std::vector<TrainConfig> configs;
  for (const Run& each : runs) configs.push_back(each.train);
  const auto learner = make_one(device, env->spec(), run.train.num_envs, configs);
  auto plan = learner->memory_plan();
  auto* const teams = dynamic_cast<Teams*>(env.get());
  const size_t env_bytes = env->bytes() + (teams ? teams->games().bytes() : 0);
  plan.insert(plan.begin(), {"environments", env_bytes});
  plan.emplace_back("all", env_bytes + learner->bytes());
  ordered_json line;
  for (const auto& [purpose, bytes] : plan) {
    line[purpose] = bytes;
    const std::string number = std::to_string(bytes);
    if (!as_json) print_line(std::string(15 - std::min<size_t>(15, number.size()), ' ') + number + "  " + purpose);
  }
  if (as_json) print_line(ordered_json{{"type", "memory"}, {"device", device->kind()}, {"bytes", line}}.dump());
}

// Runs that differ in their seeds, or in their weights, and are trained side by side.
std::vector<Run> runs_of(const Run& first, const TrainOptions& options) {
  if (options.num_seeds < 1) throw Error("--num_seeds must be at least 1, not " + std::to_string(options.num_seeds));
  if (options.num_seeds == 1 && options.num_weights == 0) return {first};
  if (first.folder.empty()) throw Error("--num_seeds and --num_weights need --out DIR: every run gets a folder in it");
  Weights weights;
  if (options.num_weights > 0) {
    if (!first.train.multi_objective()) throw Error("--num_weights goes with mo_ippo and mo_mappo");
    if (options.num_seeds > 1 || first.train.weights.size > 0)
      throw Error("--num_weights chooses the weights of every run: no --num_seeds and no weights go with it");
    weights = even_weights(env_spec(first.env, first.env_config).num_objectives, options.num_weights);
  }
  std::vector<Run> runs(weights.empty() ? options.num_seeds : weights.size(), first);
  for (size_t k = 0; k < runs.size(); ++k) {
    TrainConfig& train = runs[k].train;
    if (weights.empty()) {
      train.seed += static_cast<uint64_t>(k);
      runs[k].folder += "/seed_" + std::to_string(train.seed);
    } else {
      for (const float weight : weights[k]) train.weights.push_back(weight);
      const std::string number = std::to_string(k);
      runs[k].folder += "/weights_" + std::string(number.size() < 3 ? 3 - number.size() : 0, '0') + number;
    }
  }
  return runs;
}

int begin(const TrainOptions& options, const StopOnSignal& stop) {
  Run run = resolve(options);
  const std::shared_ptr<Device> device = open_device(run.device);
  say("device: " + device->name());
  run.device = device->kind();
  const std::vector<Run> runs = runs_of(run, options);
  if (options.dry_run) return show_memory(runs, device, options.json), 0;
  Trainer trainer(runs, make);
  return go(trainer, options, stop);
}

int resume(const TrainOptions& options, const StopOnSignal& stop) {
  if (!options.env.empty() || !options.config.empty() || !options.out.empty() || !options.preset.empty() ||
      !options.flags.empty() || !options.overrides.empty() || options.dry_run || options.num_seeds != 1 ||
      options.num_weights != 0) {
    throw Error(
        "--resume continues a run with its own settings: only --device, --threads, --quiet and --json go with it");
  }
  const auto trainer = Trainer::resume(options.resume, make, options.device);
  say("device: " + trainer->env().device().name());
  return go(*trainer, options, stop);
}

int train(TrainOptions options) {
  // Without an environment (it may stand in the file) the first key=value is in its place.
  if (options.env.find('=') != std::string::npos) {
    options.overrides.insert(options.overrides.begin(), options.env);
    options.env.clear();
  }
  limit_cpu_threads(options.threads);
  // From here on, so that there is no moment in which a folder stands without a checkpoint.
  const StopOnSignal stop("throng: stopping: finishes this update and saves; Ctrl-C again stops at once\n");
  return options.resume.empty() ? begin(options, stop) : resume(options, stop);
}

void add_setting_flags(CLI::App& app, TrainOptions& options) {
  for (const FieldDoc& field : describe_config(TrainConfig{})) {
    const std::string doc = field.doc + (field.valid.empty() ? "" : " (" + joined(field.valid, ", ") + ")");
    const auto keep = [&options, name = field.name](const std::string& value) { options.flags[name] = value; };
    app.add_option_function<std::string>("--" + field.name, keep, doc)
        ->type_name(field.type)
        ->default_str(field.default_value)
        ->group("Settings (the defaults come before the environment's preset; each also as NAME=VALUE)");
  }
}

}  // namespace

Action add_train(CLI::App& app) {
  const auto options = std::make_shared<TrainOptions>();
  app.add_option("ENV", options->env, "environment, with or without a scenario: smax/3m");
  app.add_option("SETTINGS", options->overrides,
                 "key=value: settings, or with env. parameters of the environment: env.attack_mode=random");
  app.add_option("--preset", options->preset,
                 "named settings: " + joined(preset_names(), ", ") + " (default: of the algorithm's name)");
  app.add_option("--resume", options->resume, "continue the run in this folder, bit for bit")->type_name("DIR");
  app.add_option("--config", options->config, "JSON file with settings, or config.json of a run")->type_name("FILE");
  app.add_option("--out", options->out, "folder of the run (default: runs/ENV__ALGO__SEED__TIME)")->type_name("DIR");
  app.add_option("--device", options->device, "auto, cpu, cuda or cuda:N (default: auto)");
  app.add_option("--threads", options->threads, "CPU threads; 0 = all")->capture_default_str();
  app.add_flag("--quiet", options->quiet, "no progress on stderr");
  app.add_flag("--json", options->json, "progress as one JSON object per update on stdout");
  app.add_option("--num_weights", options->num_weights,
                 "mo: at most so many runs of fixed weights, evenly spread, side by side; in OUT/weights_N");
  app.add_option("--num_seeds", options->num_seeds, "so many runs of seeds from `seed` on, in one batch; in OUT/seed_N")
      ->capture_default_str();
  app.add_flag("--dry_run", options->dry_run, "only say what would lie in device memory, in bytes");
  add_setting_flags(app, *options);
  app.footer(
      "Examples:\n"
      "  throng train smax/3m --total_timesteps 2e6 --seed 1 --device cuda\n"
      "  throng train smax/2s3z learning_rate=4e-3 env.attack_mode=random --out runs/mine\n"
      "  throng train --resume runs/mine");
  return [options] { return train(*options); };
}

}  // namespace throng
