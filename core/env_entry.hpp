// EnvEntry: one line of the table of environments.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/vec_env.hpp"

namespace throng {

// core/make_entry.hpp makes one from a game's header.
struct EnvEntry {
  std::string id;        // "smax"
  std::string version;   // of the rules
  const char* settings;  // envs/<id>/<id>.json: {"summary", "scenarios": {name: {parameters}}, "train": {...}}

  // `config` is a partial set of parameters; all three throw Error for keys or values that the game does not know.
  nlohmann::ordered_json (*resolve)(const nlohmann::json& config, const std::string& where);  // every parameter
  std::vector<FieldDoc> (*describe)(const nlohmann::json& config, const std::string& where);
  EnvSpec (*spec)(const nlohmann::json& config, const std::string& id);
  // Gives environments parameters of their own: {"key": [one value for each environment]}, laid over the batch's.
  void (*vary)(VecEnv&, const nlohmann::json& values);
  std::unique_ptr<VecEnv> (*make)(std::shared_ptr<Device>, const nlohmann::json& config, const std::string& id,
                                  const BatchOptions&);
};

}  // namespace throng
