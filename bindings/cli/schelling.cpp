// From two runs, or players of a game, to the Schelling diagram of both.
#include "bindings/cli/schelling.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "algos/trainer.hpp"
#include "bindings/cli/console.hpp"
#include "bindings/cli/evaluation.hpp"
#include "bindings/cli/overrides.hpp"
#include "core/file.hpp"
#include "core/version.hpp"
#include "envs/registry.hpp"

namespace throng {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// The game that both sit down to.
struct Table {
  std::string env;
  json config = json::object();
  std::vector<std::optional<Run>> runs;  // of each player; none: it is one of the game's own
};

// Parameters are those of the runs. Where two runs differ - in how they were rewarded, say - they are the scenario's own.
Table table_for(const SchellingOptions& options) {
  Table table;
  table.env = options.env;
  bool known = false;  // the parameters, from a run
  for (const std::string& player : options.players) {
    if (!std::filesystem::is_directory(player)) {
      table.runs.emplace_back();
      continue;
    }
    const Run run = Run::load(player);
    if (!table.env.empty() && run.env != table.env)
      throw Error("--schelling: the run " + player + " is of " + run.env + ", not of " + table.env);
    table.env = run.env;
    if (!known) table.config = run.env_config;
    for (const auto& [key, value] : run.env_config.items()) {
      const auto found = table.config.find(key);
      if (found == table.config.end() || *found == value) continue;
      say("note: the runs differ in " + key + ", which is here as the scenario has it, unless env." + key +
          " says else");
      table.config.erase(found);
    }
    known = true;
    table.runs.emplace_back(run);
  }
  if (table.env.empty())
    throw Error("--schelling: neither '" + options.players[0] + "' nor '" + options.players[1] +
                "' is a run's folder; for players of a game name the game, too: throng eval harvest/open --schelling "
                "careful greedy");
  merge(table.config, read_env_overrides(options.overrides, table.env));
  return table;
}

Player seated(const SchellingOptions& options, const std::string& name, const std::optional<Run>& run, VecEnv& env) {
  if (!run) return player_of_game(name, env);
  const auto policy =
      std::make_shared<Policy>(*run, options.checkpoint, env.spec(), env.shared_device(), env.num_envs());
  return player_of(std::filesystem::path(name).lexically_normal().string(), policy, env);
}

std::string yes_or_no(bool is_so) { return is_so ? "yes" : "no"; }

std::vector<double> numbers(const std::vector<Estimate>& estimates, double intervals) {
  std::vector<double> values;
  for (const Estimate& estimate : estimates) values.push_back(estimate.mean + intervals * estimate.ci95);
  return values;
}

}  // namespace

std::vector<std::string> schelling_table(const Schelling& s) {
  std::vector<std::vector<std::string>> rows = {{"of A", "of B", "an A earns", "a B earns", "anybody earns"}};
  for (const auto& [name, value] : s.mixes[0].measures) rows[0].push_back(name);
  for (const SchellingMix& mix : s.mixes) {
    rows.push_back({std::to_string(mix.of_a), std::to_string(mix.of_b),
                    mix.of_a > 0 ? estimate_text(mix.return_a) : "-", mix.of_b > 0 ? estimate_text(mix.return_b) : "-",
                    estimate_text(mix.return_all)});
    for (const auto& [name, value] : mix.measures) rows.back().push_back(estimate_text(value));
  }
  std::vector<std::string> lines = {s.env + ", " + std::to_string(s.episodes) + " episodes of each mix; A = " + s.a +
                                    ", B = " + s.b};
  for (std::string& line : table(rows)) lines.push_back(std::move(line));
  const auto verdict = [&](const std::string& claim, bool is_so) { lines.push_back(claim + ": " + yes_or_no(is_so)); };
  verdict("all A is better than all B", s.cooperation_pays());
  verdict("all A is better for an A than being the only one", s.loners_lose());
  verdict("fear: where nobody else is A, a B earns more", s.fear());
  verdict("greed: where all others are A, a B earns more", s.greed());
  verdict("a social dilemma", s.dilemma());
  return lines;
}

Chart schelling_chart(const Schelling& s) {
  std::vector<Estimate> of_a, of_b;
  std::vector<double> others;
  for (int i = 0; i < s.agents(); ++i) {
    others.push_back(i);
    of_a.push_back(s.earns_a(i));
    of_b.push_back(s.earns_b(i));
  }
  Chart chart{s.env, "other agents that are A", "return of an agent", {}};
  for (const auto& [name, earned] : {std::pair{"an A: " + s.a, &of_a}, {"a B: " + s.b, &of_b}}) {
    chart.series.push_back(
        {name, others, numbers(*earned, 0), Series::kLine, numbers(*earned, -1), numbers(*earned, 1)});
  }
  return chart;
}

int schelling(const SchellingOptions& options) {
  const Table table = table_for(options);
  const EnvSpec spec = env_spec(table.env, table.config);
  const TrainConfig train = table.runs[0] ? table.runs[0]->train : table.runs[1] ? table.runs[1]->train : TrainConfig{};
  const int mixes = spec.num_agents + 1;
  const int episodes = options.episodes > 0 ? options.episodes : (train.eval_episodes + mixes - 1) / mixes;
  const std::shared_ptr<Device> device = open_device(options.device);
  say("device: " + device->name());
  const auto env = make(table.env, device, evaluation_options(spec, mixes * episodes), table.config);
  const Player a = seated(options, options.players[0], table.runs[0], *env);
  const Player b = seated(options, options.players[1], table.runs[1], *env);
  const Schelling result = play_schelling(*env, a, b, options.seed.value_or(train.seed + Trainer::kEvaluationSeed));

  const std::vector<std::string> lines = schelling_table(result);
  ordered_json report = {{"throng", kVersion}, {"device", device->kind()}};
  report.update(result.to_json());
  report["env_config"] = table.config;
  std::filesystem::create_directories(options.out);
  write_file_atomically(options.out + "/schelling.json", report.dump(2) + "\n");
  write_file_atomically(options.out + "/schelling.txt", joined(lines, "\n") + "\n");
  write_file_atomically(options.out + "/schelling.svg", schelling_chart(result).svg());
  if (options.json) {
    print_line(report.dump());
  } else {
    for (const std::string& line : lines) print_line(line);
  }
  say("written: " + options.out + "/schelling.json, .txt, .svg");
  return 0;
}

}  // namespace throng
