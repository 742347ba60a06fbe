// Parameters of one's own: each environment of a batch plays as a batch of its parameters would.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "core/error.hpp"
#include "tests/devices.hpp"
#include "tests/envs/drive.hpp"

using namespace throng;
using Catch::Matchers::ContainsSubstring;
using nlohmann::json;

namespace {

constexpr int kEnvs = 6;

// Small and large maps, short and long fights, weak and strong marines.
json values() {
  json all;
  for (int e = 0; e < kEnvs; ++e) {
    all["map_width"].push_back(16 + 8 * e);
    all["max_steps"].push_back(e % 2 == 0 ? 4 : 60);
    all["max_health"].push_back({{"marine", 30 + 15 * e}});
    all["won_battle_bonus"].push_back(e);
    all["attack_mode"].push_back(e < 3 ? "closest" : "random");
  }
  return all;
}

json of_env(int e) {
  json config;
  const json all = values();
  for (const auto& [key, list] : all.items()) config[key] = list[e];
  return config;
}

}  // namespace

TEST_CASE("an environment with parameters of its own plays as in a batch of them") {
  for (const std::string& device : test_devices()) {
    for (const std::string id : {"smax/3m", "smax/smacv2_5_units"}) {
      INFO(id << " on " << device);
      Drive varied(id, device, batch_of(kEnvs));
      varied.run(3);
      vary(varied.env(), values());  // the second episode begins
      CHECK(varied.spec().time_limit == 61);
      Drive again(id, "cpu", batch_of(kEnvs));
      vary(again.env(), values());
      again.env().reset(Drive::kSeed);
      varied.env().reset(Drive::kSeed);
      std::vector<Drive> alone;
      for (int e = 0; e < kEnvs; ++e) {
        BatchOptions options = batch_of(1);
        options.first_env = e;
        alone.emplace_back(id, "cpu", options, of_env(e));
      }
      for (int t = 0; t < 80; ++t) {
        // The draws of a Drive go on by its steps: let all be at the same one.
        again.step();
        for (Drive& one : alone) one.step();
        const auto hashes = again.env().state_hashes();
        for (int e = 0; e < kEnvs; ++e) REQUIRE(hashes[e] == alone[e].env().state_hashes()[0]);
      }
      const auto outputs = again.outputs();
      CHECK(again.env().take_statistics().episodes > kEnvs);
      for (int policy = 1; policy < int(varied.spec().policies.size()); ++policy) {
        again.env().policy_actions(policy, again.env().actions(), key(1), 0);
        const auto chosen = again.chosen();
        CHECK(chosen.legal);
      }
      CHECK(again.env().render(1, 100).rgb == alone[1].env().render(0, 100).rgb);
    }
  }
}

TEST_CASE("CPU and CUDA agree on environments with parameters of their own") {
  if (cuda_device_count() == 0) SKIP(cuda_status());
  Drive cpu("smax/2s3z", "cpu", batch_of(67)), cuda("smax/2s3z", "cuda:0", batch_of(67));
  json all;
  for (int e = 0; e < 67; ++e) {
    all["map_width"].push_back(16 + e);
    all["max_steps"].push_back(10 + e);
  }
  vary(cpu.env(), all), vary(cuda.env(), all);
  cpu.run(200), cuda.run(200);
  CHECK(cpu.env().state_hash() == cuda.env().state_hash());
  CHECK(cpu.outputs() == cuda.outputs());
}

TEST_CASE("what does not fit is refused, and nothing changes") {
  Drive drive("smax/3m", "cpu", batch_of(2)), other("smax/3m", "cpu", batch_of(2));
  const auto refused = [&](const json& values, const std::string& why) {
    CHECK_THROWS_MATCHES(vary(drive.env(), values), Error, Catch::Matchers::MessageMatches(ContainsSubstring(why)));
  };
  refused({{"map_widht", {16, 16}}}, "did you mean 'map_width'");
  refused({{"map_width", {16}}}, "'map_width' must be a list of 2 values");
  refused({{"map_width", 16}}, "'map_width' must be a list of 2 values");
  refused({{"map_width", {16, 2}}}, "map_width is 2");
  refused({{"ally_units", {{{"marine", 3}}, {{"marine", 4}}}}}, "environment 1 would be of another size");
  refused(json::array(), "an object of lists");
  drive.run(20), other.run(20);
  CHECK(drive.env().state_hash() == other.env().state_hash());
  vary(drive.env(), {{"ally_units", {{{"marine", 3}}, {{"zealot", 3}}}}});  // other types, as many
}
