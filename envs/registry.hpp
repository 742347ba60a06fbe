// The table of environments, and making one by name; the only header of envs/ that the doors include.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/env_entry.hpp"

namespace throng {

const std::vector<EnvEntry>& registered_envs();

// "smax/3m" names environment and scenario; "smax" the environment with its default parameters.
struct EnvName {
  const EnvEntry* entry;
  std::string scenario;  // empty: none
};
EnvName find_env(const std::string& id);              // Error with the nearest name
std::vector<std::string> scenarios(const EnvEntry&);  // in the order of the file
std::vector<std::string> env_ids();                   // every "<env>/<scenario>", or "<env>" where there are none
std::string summary(const EnvEntry&);

// The scenario's parameters with `config` laid over them: what EnvEntry's functions take.
nlohmann::json scenario_config(const std::string& id, const nlohmann::json& config = {});

// The training settings that the environment recommends for an algorithm: "train": {algo: {"*": {..}, scenario: {..}}}.
nlohmann::json train_preset(const std::string& id, const std::string& algo);

// What is known of the scenario's Pareto front: "fronts": {scenario: {"reference": [..], "points": [[..], ..]}}; either may be
// missing, and of other parameters than the scenario's nothing is known.
nlohmann::json known_front(const std::string& id, const nlohmann::json& config);

// How policies of the scenario are judged: "eval": {scenario: {"each": {parameter: [values]}, "config": {..}}}, with every value
// of one parameter, and these others; empty: with the parameters that they were trained with.
nlohmann::json eval_plan(const std::string& id);

EnvSpec env_spec(const std::string& id, const nlohmann::json& config = {});

// A batch of environments on `device`. Error for an unknown name, parameter or value; MachineError if memory is short.
std::unique_ptr<VecEnv> make(const std::string& id, std::shared_ptr<Device> device, const BatchOptions& options = {},
                             const nlohmann::json& config = {});

// Gives every environment of the batch parameters of its own, {"key": [value for each environment]}, laid over those that
// the batch was made with, and lets all begin their next episode. Error for an unknown key, an unfit value, a list of
// another length, or where sizes would differ; then nothing has changed.
void vary(VecEnv& env, const nlohmann::json& values);

}  // namespace throng
