// The devices that a test runs on: always the CPU, and the first GPU where there is one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/device.hpp"

inline std::vector<std::string> test_devices() {
  std::vector<std::string> names = {"cpu"};
  if (throng::cuda_device_count() > 0) names.push_back("cuda:0");
  return names;
}
