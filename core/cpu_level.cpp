// What this CPU can do, and what the user wants of it.
#include "core/cpu_level.hpp"

#include <cstdlib>
#include <string>
#include <vector>

#include "core/error.hpp"

namespace throng {
namespace {

// Ascending; of a level those features are asked for that processors without it lack.
std::vector<CpuLevel> levels() {
  std::vector<CpuLevel> levels = {CpuLevel::scalar};
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt")) levels.push_back(CpuLevel::v2);
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  if (v3) levels.push_back(CpuLevel::v3);
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl");
  if (v4) levels.push_back(CpuLevel::v4);
#elif defined(__aarch64__)
  levels.push_back(CpuLevel::neon);
#endif
  return levels;
}

}  // namespace

const char* name_of(CpuLevel level) {
  constexpr const char* kNames[] = {"scalar", "v2", "v3", "v4", "neon"};
  return kNames[static_cast<int>(level)];
}

CpuLevel cpu_level() {
  const std::vector<CpuLevel> known = levels();
  const char* wanted = std::getenv("THRONG_CPU_LEVEL");
  if (wanted == nullptr || *wanted == '\0') return known.back();
  std::string names;
  for (const CpuLevel level : known) {
    if (name_of(level) == std::string(wanted)) return level;
    names += (names.empty() ? "" : ", ") + std::string(name_of(level));
  }
  throw Error("THRONG_CPU_LEVEL is '" + std::string(wanted) + "'; this CPU has " + names);
}

}  // namespace throng
