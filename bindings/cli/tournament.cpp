// `throng tournament`: policies of runs and players of the game play each other, all pairs, from both sides.
#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>

#include "algos/tournament.hpp"
#include "bindings/cli/commands.hpp"
#include "bindings/cli/console.hpp"
#include "bindings/cli/overrides.hpp"
#include "core/chart.hpp"
#include "core/file.hpp"
#include "core/version.hpp"
#include "envs/registry.hpp"

namespace throng {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

struct TournamentCommand {
  std::vector<std::string> words;  // entrants, and env.key=value
  std::string env, device = "auto", out, svg;
  TournamentOptions options;
  int threads = 0;
  bool json = false;
};

// The game that is played: what was asked for, or that of the first run among the entrants.
struct Game {
  std::string env;
  json config;
};

Game choose_game(const TournamentCommand& command, const std::vector<std::string>& entrants,
                 const std::vector<std::string>& overrides) {
  Game game{command.env, {}};
  for (const std::string& entrant : entrants) {
    if (!game.env.empty() || entrant.starts_with("bot:")) continue;
    const Run run = Run::load(entrant.substr(0, entrant.rfind('@')));
    game = {run.env, run.env_config};
  }
  if (game.env.empty()) throw Error("which game? --env ENV says it where no run takes part");
  json own = read_env_overrides(overrides, game.env);
  if (game.config.is_null()) game.config = json::object();
  merge(game.config, own);
  return game;
}

void print_table(const ordered_json& result) {
  std::vector<std::vector<std::string>> rows = {{"", "Elo", "win rate", "Nash", "skill", "alpha-rank"}};
  for (const ordered_json& player : result["players"]) {
    rows.push_back({player["name"].get<std::string>(), fixed(player["elo"], 0), fixed(player["win_rate"], 3),
                    fixed(player["nash"], 3), fixed(player["nash_skill"], 3), fixed(player["alpha_rank"], 3)});
  }
  for (const std::string& line : table(rows)) print_line(line);
}

std::string matrix_svg(const ordered_json& result, const std::string& title) {
  MatrixChart chart;
  chart.title = title;
  for (const ordered_json& player : result["players"]) chart.rows.push_back(player["name"]);
  chart.columns = chart.rows;
  for (const ordered_json& row : result["win_rate"]) {
    std::vector<double> values;
    for (const ordered_json& value : row) values.push_back(value.is_null() ? 0.5 : value.get<double>());
    chart.values.push_back(values);
  }
  return chart.svg();
}

int play(const TournamentCommand& command) {
  limit_cpu_threads(command.threads);
  std::vector<std::string> names, overrides;
  for (const std::string& word : command.words) (word.starts_with("env.") ? overrides : names).push_back(word);
  const Game game = choose_game(command, names, overrides);
  const auto device = open_device(command.device);
  say("device: " + device->name());
  TournamentGame played;
  played.spec = env_spec(game.env, game.config);
  first_team(played.spec);  // or an error that says what is missing
  for (const FieldDoc& field : find_env(game.env).entry->describe({}, game.env)) {
    if (field.name == "opponent") played.opponents = field.valid;
  }
  played.make = [&](int games, const std::string& opponent) {
    json config = game.config;
    if (!opponent.empty()) config["opponent"] = opponent;
    return make(game.env, device, evaluation_options(played.spec, games), config);
  };
  const SpecOf spec_of = [](const std::string& id, const json& config) { return env_spec(id, config); };
  std::vector<Entrant> entrants;
  int anchor = -1;
  for (const std::string& name : names) {
    entrants.push_back(load_entrant(name, played, spec_of, device));
    if (anchor < 0 && !entrants.back().learner) anchor = static_cast<int>(entrants.size()) - 1;
  }
  const auto began = std::chrono::steady_clock::now();
  const Tournament tournament = play_tournament(played, entrants, command.options);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
  const Ratings ratings = rate(tournament.payoffs(), std::max(anchor, 0));
  ordered_json result = {
      {"env", game.env},           {"version", played.spec.version}, {"throng", kVersion},
      {"device", device->kind()},  {"seed", command.options.seed},   {"greedy", command.options.greedy},
      {"seconds", seconds.count()}};
  result.update(to_json(tournament, entrants, ratings));
  if (!command.out.empty()) write_file_atomically(command.out, result.dump(2) + "\n");
  if (!command.svg.empty()) {
    const std::string title = game.env + ": how often the row beats the column";
    write_file_atomically(command.svg, matrix_svg(result, title));
  }
  if (command.json) return print_line(result.dump()), 0;
  print_table(result);
  say(std::to_string(tournament.rounds) + " rounds a pair, " + compact(double(tournament.steps)) + " steps in " +
      duration(seconds.count()) + "; " + fixed(100 * ratings.cyclic, 1) + "% of the payoffs are cyclic");
  return 0;
}

}  // namespace

Action add_tournament(CLI::App& app) {
  const auto command = std::make_shared<TournamentCommand>();
  app.add_option(
      "ENTRANTS", command->words,
      "runs (DIR: a run's mixture, or its latest policy; DIR@best, DIR@latest, DIR@FILE), players of the game "
      "(bot:random), and env.key=value");
  app.add_option("--env", command->env, "the game (default: that of the first run)");
  app.add_option("--rounds", command->options.rounds, "games of each pair, half from each side")->capture_default_str();
  app.add_option("--seed", command->options.seed, "seed of the games")->capture_default_str();
  app.add_flag("--greedy", command->options.greedy, "policies take their most probable actions");
  app.add_option("--num_envs", command->options.num_envs, "games side by side, about")->capture_default_str();
  app.add_option("--out", command->out, "JSON file for the result")->type_name("FILE");
  app.add_option("--svg", command->svg, "chart of the payoff matrix")->type_name("FILE");
  app.add_option("--device", command->device, "auto, cpu, cuda or cuda:N")->capture_default_str();
  app.add_option("--threads", command->threads, "CPU threads; 0 = all")->capture_default_str();
  app.add_flag("--json", command->json, "one JSON object on stdout");
  app.footer("Example: throng tournament runs/a runs/b@best bot:random --rounds 1000 --svg matrix.svg");
  return [command] { return play(*command); };
}

}  // namespace throng
