// SMAX side by side on the SIMD units of a CPU: the same bits as one environment at a time, at every level that this CPU has.
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>

#include "core/cpu_level.hpp"
#include "core/error.hpp"
#include "tests/envs/drive.hpp"

using namespace throng;

namespace {

// As long as it lives, new batches use this level.
struct AtLevel {
  explicit AtLevel(const char* level) { setenv("THRONG_CPU_LEVEL", level, 1); }
  ~AtLevel() { unsetenv("THRONG_CPU_LEVEL"); }
};

std::vector<const char*> levels_of_this_cpu() {
  std::vector<const char*> levels;
  for (const char* level : {"v2", "v3", "v4", "neon"}) {
    const AtLevel wanted(level);
    try {
      cpu_level();
      levels.push_back(level);
    } catch (const Error&) {
    }
  }
  return levels;
}

Drive played(const char* level, const std::string& id, const BatchOptions& options, const nlohmann::json& config) {
  const AtLevel at(level);
  Drive drive(id, "cpu", options, config);
  drive.run_on_device(150);
  return drive;
}

void check_same(const std::string& id, const nlohmann::json& config, BatchOptions options = batch_of(67)) {
  Drive one_by_one = played("scalar", id, options, config);
  for (const char* level : levels_of_this_cpu()) {
    INFO(id << " " << config.dump() << " at " << level);
    Drive side_by_side = played(level, id, options, config);
    CHECK(side_by_side.env().state_hashes() == one_by_one.env().state_hashes());
    CHECK(side_by_side.outputs() == one_by_one.outputs());
  }
}

}  // namespace

TEST_CASE("packs give the bits of single environments, whatever the sizes of the teams") {
  for (const char* id : {"smax/3m", "smax/2s3z", "smax/3s5z_vs_3s6z", "smax/smacv2_10_units", "smax/6h_vs_8z"}) {
    check_same(id, nlohmann::json::object());
  }
}

TEST_CASE("packs give the bits of single environments in every mode") {
  check_same("smax/3m", {{"opponent", "self"}});
  check_same("smax/5m_vs_6m", {{"opponent", "self"}, {"self_play_reward", true}});
  check_same("smax/2s3z", {{"opponent", "heuristic_random"}});
  check_same("smax/3m", {{"enemy_shoots", false}, {"see_enemy_actions", false}, {"walls_cause_death", false}});
  check_same("smax/3m", {{"legacy", true}});
  check_same("smax/smacv2_5_units", {{"spawn_clamp", true}, {"world_steps_per_env_step", 3}});
}

TEST_CASE("packs give way where environments wait for their reset") {
  check_same("smax/3m", nlohmann::json::object(), batch_of(67, Autoreset::next_step, 20));
  check_same("smax/3m", nlohmann::json::object(), batch_of(67, Autoreset::disabled, 20));
}

TEST_CASE("packs write bfloat16, too") {
  BatchOptions options = batch_of(67);
  options.obs_bfloat16 = true;
  check_same("smax/2s3z", nlohmann::json::object(), options);
}

TEST_CASE("a level that this CPU lacks is refused by name") {
  const AtLevel wanted("v9");
  CHECK_THROWS_AS(cpu_level(), Error);
}
