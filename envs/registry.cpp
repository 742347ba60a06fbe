// Looking up environments and scenarios by name.
#include "envs/registry.hpp"

#include "core/error.hpp"

namespace throng {

namespace {

nlohmann::ordered_json settings(const EnvEntry& entry) { return nlohmann::ordered_json::parse(entry.settings); }

}  // namespace

std::vector<std::string> scenarios(const EnvEntry& entry) {
  std::vector<std::string> names;
  const nlohmann::ordered_json all = settings(entry);
  if (all.contains("scenarios")) {
    for (const auto& [name, parameters] : all["scenarios"].items()) names.push_back(name);
  }
  return names;
}

std::vector<std::string> env_ids() {
  std::vector<std::string> ids;
  for (const EnvEntry& entry : registered_envs()) {
    const std::vector<std::string> names = scenarios(entry);
    if (names.empty()) ids.push_back(entry.id);
    for (const std::string& name : names) ids.push_back(entry.id + "/" + name);
  }
  return ids;
}

std::string summary(const EnvEntry& entry) { return settings(entry).value("summary", ""); }

EnvName find_env(const std::string& id) {
  const auto slash = id.find('/');
  const std::string name = id.substr(0, slash), scenario = slash == std::string::npos ? "" : id.substr(slash + 1);
  for (const EnvEntry& entry : registered_envs()) {
    if (entry.id != name) continue;
    if (slash == std::string::npos) return {&entry, ""};
    for (const std::string& known : scenarios(entry)) {
      if (known == scenario) return {&entry, scenario};
    }
    throw_unknown("scenario", id, env_ids());
  }
  throw_unknown("environment", id, env_ids());
}

nlohmann::json scenario_config(const std::string& id, const nlohmann::json& config) {
  const EnvName name = find_env(id);
  nlohmann::json all = nlohmann::json::object();
  if (!name.scenario.empty()) all = settings(*name.entry)["scenarios"][name.scenario];
  if (!config.is_null() && !config.is_object()) throw Error(id + ": parameters must be a JSON object");
  if (!config.is_null()) merge(all, config);
  return all;
}

nlohmann::json train_preset(const std::string& id, const std::string& algo) {
  const EnvName name = find_env(id);
  nlohmann::json preset = nlohmann::json::object();
  const nlohmann::json all = settings(*name.entry);
  if (!all.contains("train") || !all["train"].contains(algo)) return preset;
  for (const std::string& part : {std::string("*"), name.scenario}) {
    if (all["train"][algo].contains(part)) merge(preset, all["train"][algo][part]);
  }
  return preset;
}

nlohmann::json known_front(const std::string& id, const nlohmann::json& config) {
  const EnvName name = find_env(id);
  const nlohmann::json all = settings(*name.entry);
  const bool own = name.entry->resolve(scenario_config(id, config), id) != name.entry->resolve(scenario_config(id), id);
  if (own || !all.contains("fronts")) return nlohmann::json::object();
  return all["fronts"].value(name.scenario, nlohmann::json::object());
}

nlohmann::json eval_plan(const std::string& id) {
  const EnvName name = find_env(id);
  return nlohmann::json(settings(*name.entry))
      .value("eval", nlohmann::json::object())
      .value(name.scenario, nlohmann::json::object());
}

EnvSpec env_spec(const std::string& id, const nlohmann::json& config) {
  return find_env(id).entry->spec(scenario_config(id, config), id);
}

void vary(VecEnv& env, const nlohmann::json& values) { find_env(env.spec().id).entry->vary(env, values); }

std::unique_ptr<VecEnv> make(const std::string& id, std::shared_ptr<Device> device, const BatchOptions& options,
                             const nlohmann::json& config) {
  return find_env(id).entry->make(std::move(device), scenario_config(id, config), id, options);
}

}  // namespace throng
