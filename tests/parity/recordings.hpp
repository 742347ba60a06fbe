// Recordings of the originals: where the parity tests find them.
#pragma once

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace throng {

// The files of a game in tests/parity/fixtures, or in the folder that THRONG_FIXTURES names.
inline std::vector<std::filesystem::path> recordings(const std::string& game) {
  const char* named = std::getenv("THRONG_FIXTURES");
  const std::filesystem::path folder = named && *named ? named : THRONG_TEST_DATA "/fixtures";
  std::vector<std::filesystem::path> found;
  INFO("recordings are looked for in " << folder);
  REQUIRE(std::filesystem::is_directory(folder));
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(game + "_") && name.ends_with(".safetensors")) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  REQUIRE(!found.empty());
  return found;
}

}  // namespace throng
