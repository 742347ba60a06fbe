// Presets: named sets of training settings - JaxMARL's own, so that a comparison is fair, and throng's.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "algos/train_config.hpp"

namespace throng {

struct Preset {
  const char* name;
  const char* summary;
  const char* settings;  // JSON: what is unlike the defaults of TrainConfig
};

const std::vector<Preset>& presets();
std::vector<std::string> preset_names();
// Where none is named: that of self-play, or that of the algorithm.
std::string default_preset(const TrainConfig& config);

// The settings of a preset, with those laid over it that an environment recommends for it (envs/registry.hpp's train_preset of
// the same name). Error with the nearest name.
TrainConfig preset_config(const std::string& name, const nlohmann::json& of_env);

}  // namespace throng
