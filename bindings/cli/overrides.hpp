// Settings given as key=value: `env.attack_mode=random` is the environment's, `env=battle.json` many of its, and
// `learning_rate=1e-3` the training's.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/error.hpp"
#include "envs/registry.hpp"

namespace throng {

struct Overrides {
  nlohmann::json env = nlohmann::json::object();
  nlohmann::json train = nlohmann::json::object();
};

// Every setting that can be given: those of training, and the environment's behind "env.".
inline std::vector<std::string> setting_names(const std::string& env, std::vector<std::string> train_names) {
  for (const FieldDoc& field : find_env(env).entry->describe({}, env)) train_names.push_back("env." + field.name);
  return train_names;
}

// Sorts the texts into the two. Error for a text that is no key=value, and for a key that is not in `train_names`; the
// environment's own keys are checked by the environment.
inline Overrides read_overrides(const std::vector<std::string>& texts, const std::string& env,
                                const std::vector<std::string>& train_names) {
  Overrides read;  // in their order: a later one lies over those before
  for (const std::string& text : texts) {
    const std::string key = text.substr(0, text.find('='));
    if (key == text) throw Error("unexpected argument '" + text + "': settings are written key=value");
    const bool known = std::find(train_names.begin(), train_names.end(), key) != train_names.end();
    if (key == "env") {
      merge(read.env, parse_json_file(text.substr(4)));
    } else if (key.starts_with("env.")) {
      apply_override(read.env, text.substr(4));
    } else if (known) {
      apply_override(read.train, text);
    } else {
      throw_unknown("setting", key, setting_names(env, train_names));
    }
  }
  return read;
}

// For the commands that know no training.
inline nlohmann::json read_env_overrides(const std::vector<std::string>& texts, const std::string& env) {
  return read_overrides(texts, env, {}).env;
}

}  // namespace throng
