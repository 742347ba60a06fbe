// `throng describe`: all that an environment says of itself, with the parameters of one scenario resolved.
#include <CLI/CLI.hpp>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "algos/presets.hpp"
#include "algos/teams.hpp"
#include "algos/train_config.hpp"
#include "bindings/cli/commands.hpp"
#include "bindings/cli/console.hpp"
#include "bindings/cli/overrides.hpp"
#include "core/config.hpp"
#include "envs/registry.hpp"

namespace throng {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

struct DescribeOptions {
  std::string env;
  std::vector<std::string> overrides;
  bool json = false;
};

struct Described {
  EnvSpec spec;
  std::string summary;
  std::vector<std::string> scenarios;
  std::vector<FieldDoc> parameters;  // the value as default_value
  std::vector<FieldDoc> defaults;    // what the value would be without a scenario
  ordered_json presets;              // by name: settings unlike the defaults
};

Described look_up(const DescribeOptions& options) {
  const EnvEntry& entry = *find_env(options.env).entry;
  const json config = scenario_config(options.env, read_env_overrides(options.overrides, options.env));
  Described found;
  found.spec = entry.spec(config, options.env);
  found.summary = summary(entry);
  found.scenarios = scenarios(entry);
  found.parameters = entry.describe(config, options.env);
  found.defaults = entry.describe({}, options.env);
  found.presets = ordered_json::object();
  const ordered_json plain = write_config(TrainConfig{});
  for (const std::string& preset : preset_names()) {
    const TrainConfig config = preset_config(preset, train_preset(options.env, preset));
    if (config.selfplay != kNoSelfPlay && team_sizes(found.spec).empty()) continue;
    ordered_json& unlike = found.presets[preset] = ordered_json::object();
    const ordered_json settings = write_config(config);
    for (const auto& [key, value] : settings.items()) {
      if (value != plain[key]) unlike[key] = value;
    }
  }
  return found;
}

ordered_json parameter_json(const FieldDoc& parameter, const FieldDoc& before) {
  ordered_json object;
  object["name"] = parameter.name;
  object["type"] = parameter.type;
  object["value"] = ordered_json::parse(parameter.default_value);
  object["default"] = ordered_json::parse(before.default_value);
  if (!parameter.valid.empty()) object["valid"] = parameter.valid;
  object["doc"] = parameter.doc;
  return object;
}

ordered_json to_json(const Described& found) {
  const EnvSpec& spec = found.spec;
  ordered_json object;
  object["env"] = spec.id;
  object["version"] = spec.version;
  object["summary"] = found.summary;
  object["scenarios"] = found.scenarios;
  object["num_agents"] = spec.num_agents;
  object["agents"] = spec.agents;
  object["teams"] = team_sizes(spec);
  object["num_actions"] = spec.num_actions;
  object["heads"] = std::vector<int>(spec.heads.begin(), spec.heads.end());
  object["continuous"] = spec.continuous;
  object["obs_dtype"] = spec.obs_dtype;
  object["objectives"] = spec.objectives;
  object["obs_dim"] = spec.obs_dim;
  object["obs_low"] = spec.obs_low;
  object["obs_high"] = spec.obs_high;
  const ObsGrid& grid = spec.obs_grid;
  if (grid.planes > 0) object["obs_grid"] = {grid.planes, grid.height, grid.width};
  object["world_state_dim"] = spec.world_state_dim;
  object["time_limit"] = spec.time_limit;
  object["info"] = spec.info;
  object["policies"] = spec.policies;
  object["renders"] = spec.renders;
  object["renders_views"] = spec.renders_views;
  object["parameters"] = ordered_json::array();
  for (size_t i = 0; i < found.parameters.size(); ++i) {
    object["parameters"].push_back(parameter_json(found.parameters[i], found.defaults[i]));
  }
  object["train"] = found.presets;
  return object;
}

// "agent_0", "agent_1", ... "agent_26": the first and the last say it, if there are many.
std::string agents_text(const std::vector<std::string>& agents) {
  constexpr size_t kMany = 6;
  return agents.size() <= kMany ? joined(agents) : agents.front() + " .. " + agents.back();
}

// JSON text, but a list's equal neighbours are counted: [27x "marine"].
std::string value_text(const std::string& text) {
  const ordered_json value = ordered_json::parse(text);
  if (!value.is_array()) return text;
  std::vector<std::string> runs;
  for (size_t i = 0; i < value.size();) {
    size_t end = i + 1;
    while (end < value.size() && value[end] == value[i]) ++end;
    runs.push_back((end - i > 1 ? std::to_string(end - i) + "x " : "") + value[i].dump());
    i = end;
  }
  return "[" + joined(runs) + "]";
}

std::string teams_text(const EnvSpec& spec) {
  const std::vector<int> sizes = team_sizes(spec);
  if (sizes.empty()) return "one, so no self-play";
  return std::to_string(sizes[0]) + " against " + std::to_string(sizes[1]) +
         ": selfplay=" + joined({std::begin(kSelfPlays) + 1, std::end(kSelfPlays)}, "|");
}

std::string actions_text(const EnvSpec& spec) {
  if (spec.continuous > 0) return std::to_string(spec.continuous) + " float32 per agent, in [-1, 1]";
  std::string choices = std::to_string(spec.choices(0));
  for (int head = 1; head < spec.num_heads(); ++head) choices += " x " + std::to_string(spec.choices(head));
  return choices + " per agent, discrete, with a mask of the legal ones";
}

// "121 codes per agent, 11 x 11, in [0, 8]"
std::string observation_text(const EnvSpec& spec) {
  const auto text = [](float value) { return ordered_json(value).dump(); };
  const ObsGrid& grid = spec.obs_grid;
  const std::string kind = spec.pixels ? " pixels" : spec.obs_dtype == "U8" ? " codes" : " float32";
  const std::string shape = grid.planes == 0 ? ""
                                             : (grid.planes > 1 ? ", " + std::to_string(grid.planes) + " x " : ", ") +
                                                   std::to_string(grid.height) + " x " + std::to_string(grid.width);
  return std::to_string(spec.obs_dim) + kind + " per agent" + shape + ", in [" + text(spec.obs_low) + ", " +
         text(spec.obs_high) + "]";
}

std::vector<std::vector<std::string>> facts(const Described& found) {
  const EnvSpec& spec = found.spec;
  return {{"  rules", spec.version},
          {"  agents", std::to_string(spec.num_agents) + ": " + agents_text(spec.agents)},
          {"  teams", teams_text(spec)},
          {"  actions", actions_text(spec)},
          {"  observation", observation_text(spec)},
          {"  world state", spec.world_state_dim == 0 ? "none" : std::to_string(spec.world_state_dim) + " float32"},
          {"  reward", joined(spec.objectives)},
          {"  per episode", joined(spec.info)},
          {"  policies", joined(spec.policies)},
          {"  pictures", !spec.renders        ? "none"
                         : spec.renders_views ? "of all, or as an agent sees it"
                                              : "yes"},
          {"  time limit", spec.time_limit == 0 ? "none" : std::to_string(spec.time_limit) + " steps"}};
}

std::vector<std::vector<std::string>> parameter_rows(const Described& found) {
  std::vector<std::vector<std::string>> rows = {{"  parameter", "type", "value", "default", "meaning"}};
  for (size_t i = 0; i < found.parameters.size(); ++i) {
    const FieldDoc& field = found.parameters[i];
    const std::string& before = found.defaults[i].default_value;
    const std::string valid = field.valid.empty() ? "" : " (" + joined(field.valid, " | ") + ")";
    rows.push_back({"  env." + field.name, field.type, value_text(field.default_value),
                    before == field.default_value ? "" : value_text(before), field.doc + valid});
  }
  return rows;
}

void print(const Described& found) {
  print_line(found.spec.id + ": " + found.summary);
  for (const std::string& line : table(facts(found))) print_line(line);
  if (!found.scenarios.empty()) print_line("  scenarios: " + joined(found.scenarios));
  print_line("");
  for (const std::string& line : table(parameter_rows(found))) print_line(line);
  print_line("");
  for (const auto& [name, preset] : found.presets.items()) {
    std::vector<std::string> words;
    for (const auto& [key, value] : preset.items()) words.push_back(key + "=" + value.dump());
    print_line("  training preset " + name + ": " + (words.empty() ? "none" : joined(words, " ")));
  }
}

int describe(const DescribeOptions& options) {
  const Described found = look_up(options);
  if (options.json) {
    print_line(to_json(found).dump());
  } else {
    print(found);
  }
  return 0;
}

}  // namespace

Action add_describe(CLI::App& app) {
  const auto options = std::make_shared<DescribeOptions>();
  app.add_option("ENV", options->env, "environment, with or without a scenario: smax/3m")->required();
  app.add_option("SETTINGS", options->overrides,
                 "key=value: parameters to look at instead of the scenario's: env.attack_mode=random");
  app.add_flag("--json", options->json, "one JSON object");
  app.footer("Example: throng describe smax/3m");
  return [options] { return describe(*options); };
}

}  // namespace throng
