// `throng list`: every environment and scenario, with its sizes.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "bindings/cli/commands.hpp"
#include "bindings/cli/console.hpp"
#include "envs/registry.hpp"

namespace throng {
namespace {

std::vector<std::string> ids_of(const EnvEntry& entry) {
  std::vector<std::string> ids;
  for (const std::string& scenario : scenarios(entry)) ids.push_back(entry.id + "/" + scenario);
  if (ids.empty()) ids.push_back(entry.id);
  return ids;
}

void print_json(const EnvEntry& entry) {
  for (const std::string& id : ids_of(entry)) {
    const EnvSpec spec = env_spec(id);
    nlohmann::ordered_json line;
    line["env"] = id;
    line["version"] = spec.version;
    line["num_agents"] = spec.num_agents;
    line["num_actions"] = spec.num_actions;
    line["num_objectives"] = spec.num_objectives;
    line["obs_dim"] = spec.obs_dim;
    line["world_state_dim"] = spec.world_state_dim;
    line["time_limit"] = spec.time_limit;
    line["summary"] = summary(entry);
    print_line(line.dump());
  }
}

void print_table(const EnvEntry& entry) {
  print_line(entry.id + ": " + summary(entry));
  std::vector<std::vector<std::string>> rows = {{"", "environment", "agents", "actions", "observation", "time limit"}};
  for (const std::string& id : ids_of(entry)) {
    const EnvSpec spec = env_spec(id);
    rows.push_back({"", id, std::to_string(spec.num_agents), std::to_string(spec.num_actions),
                    std::to_string(spec.obs_dim), spec.time_limit == 0 ? "none" : std::to_string(spec.time_limit)});
  }
  for (const std::string& line : table(rows)) print_line(line);
}

int list(bool json) {
  for (const EnvEntry& entry : registered_envs()) {
    if (json) {
      print_json(entry);
    } else {
      print_table(entry);
    }
  }
  return 0;
}

}  // namespace

Action add_list(CLI::App& app) {
  const auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "one JSON object per line");
  return [json] { return list(*json); };
}

}  // namespace throng
