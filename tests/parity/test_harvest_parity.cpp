// Harvest under `sjx` against transitions recorded from SocialJax: grids, agents, respawns, rewards, observations, draws.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "core/instance.hpp"
#include "core/safetensors.hpp"
#include "envs/harvest/harvest.hpp"
#include "tests/parity/recorded_harvest_draws.hpp"
#include "tests/parity/recordings.hpp"

// Every harvest_*.safetensors of a folder is replayed; tests/parity/fixtures/README.md says what is in the files. Another
// folder of recordings can be named by the environment variable THRONG_FIXTURES.
namespace throng::harvest {
namespace {

constexpr int kPlanes = 15;

struct Recording {
  std::string file;
  SafeTensors data;
  int agents, rows;
  HostInstance<Env> instance;
  std::vector<int> eaten;  // [agent], since the episode began

  explicit Recording(const std::filesystem::path& path)
      : file(path.filename().string()),
        data(read_safetensors(path.string())),
        agents(std::stoi(data.metadata.at("num_agents"))),
        rows(static_cast<int>(data.at("episode").shape.at(0))),
        instance(params()),
        eaten(agents) {}

  template <class T>
  const T* row_of(const std::string& name, int row) const {
    const Tensor& tensor = data.at(name);
    return tensor.as<T>().data() + row * (tensor.as<T>().size() / tensor.shape.at(0));
  }

  Params params() const {
    Params p;
    p.num_agents = agents;
    p.rules = kSjx;
    p.map = {};
    std::string variant = data.metadata.at("variant");
    if (variant.starts_with("harvest_")) variant = variant.substr(8);
    for (char letter : variant) p.map.push_back(letter);
    p.check();
    return p;
  }

  // The environment in the state before a row.
  Env load(int row) {
    Env env = instance.env();
    const int16_t* grid = row_of<int16_t>("state.grid", row);
    const Map& map = env.p.ground;
    for (int r = 0; r < map.height; ++r) {
      env.s.apple[r] = env.s.mark[r] = 0;
      for (int c = 0; c < map.width; ++c) {
        if (grid[r * map.width + c] == 3) env.s.apple[r] |= bit(c);
        if (grid[r * map.width + c] == 2) env.s.mark[r] |= bit(c);
      }
    }
    for (int a = 0; a < agents; ++a) {
      env.s.pose[a] = pose_in("state.agent", row, a);
      env.s.next[a] = pose_in("state.reborn", row, a);
      env.s.eaten[a] = static_cast<uint16_t>(eaten[a]);
    }
    for (int i = 0; i < kTallies; ++i) env.s.tally[i] = 0;
    env.s.tally[kSteps] = *row_of<int32_t>("state.inner_t", row);
    return env;
  }
  uint16_t pose_in(const std::string& name, int row, int agent) const {
    const int16_t* pose = row_of<int16_t>(name, row) + 3 * agent;
    return pose_at(place_at(pose[0], pose[1]), pose[2]);
  }

  // What stands in a cell, in the numbers of SocialJax.
  int content(const Env& env, int row, int column) const {
    for (int a = 0; a < agents; ++a) {
      if (place_of(env.s.pose[a]) == place_at(row, column)) return 6 + a;
    }
    if (has_bit(env.p.ground.wall[row], column)) return 1;
    return has_bit(env.s.apple[row], column) ? 3 : has_bit(env.s.mark[row], column) ? 2 : 0;
  }
};

struct Count {
  long values = 0, wrong = 0;
  void equal(double got, double want) {
    ++values;
    wrong += got != want;
  }
};

// The 15 planes of SocialJax from a code and the inventory that planes 12 and 13 show.
void planes(int code, int inventory, int* plane) {
  std::fill(plane, plane + kPlanes, 0);
  if (code >= 1 && code <= 3) plane[code - 1] = 1;
  if (code < kFirstAgent) return;
  const bool taken_for_self = code - kFirstAgent >= 10;
  const int rest = (code - kFirstAgent) % 10, relative = rest / 2;
  plane[taken_for_self ? 5 : 6] = 1;
  if (relative < 4) plane[7 + relative] = 1;
  plane[11] = rest % 2;
  plane[12] = plane[13] = taken_for_self ? inventory : 0;
}

void compare_views(const Recording& r, Env& env, int kept, Count& count) {
  env.prepare_views();
  const int8_t* want = r.row_of<int8_t>("next.obs", kept);
  for (int a = 0; a < r.agents; ++a) {
    const int shown = std::min(a + 1, r.agents - 1) - 1;
    std::vector<uint8_t> codes(kViewSide * kViewSide);
    Writer<uint8_t> out{codes.data()};
    env.observe(a, out);
    for (int code : codes) {
      int plane[kPlanes];
      planes(code, static_cast<int8_t>(env.s.eaten[shown]), plane);
      for (int i = 0; i < kPlanes; ++i) count.equal(plane[i], *want++);
    }
  }
}

}  // namespace

TEST_CASE("every recorded step, with the recorded actions and draws", "[harvest][parity]") {
  for (const auto& path : recordings("harvest")) {
    Recording r(path);
    INFO("recording " << path);
    Count grid, poses, respawns, reward, time, views;
    const auto& kept_rows = r.data.at("obs_rows").as<int32_t>();
    size_t kept = 0;
    for (int row = 0; row < r.rows; ++row) {
      if (*r.row_of<int32_t>("state.inner_t", row) == 0) std::fill(r.eaten.begin(), r.eaten.end(), 0);
      Env env = r.load(row);
      std::vector<float> rewards(r.agents);
      const RecordedDraws draws{r.row_of<float>("draw.regrow", row), r.row_of<int32_t>("draw.priority", row),
                                r.row_of<int32_t>("draw.spawn_order", row), r.row_of<int32_t>("draw.heading", row)};
      CHECK_FALSE(env.step_with(Actions{r.row_of<int32_t>("action", row)}, Rewards{rewards.data(), 1}, draws));
      for (int i = 0; i < env.p.ground.height * env.p.ground.width; ++i) {
        const int width = env.p.ground.width;
        grid.equal(r.content(env, i / width, i % width), r.row_of<int16_t>("next.grid", row)[i]);
      }
      for (int a = 0; a < r.agents; ++a) {
        poses.equal(env.s.pose[a], r.pose_in("next.agent", row, a));
        respawns.equal(env.s.next[a], r.pose_in("next.reborn", row, a));
        reward.equal(rewards[a], r.row_of<float>("reward", row)[a]);
        r.eaten[a] = env.s.eaten[a];
      }
      time.equal(env.s.tally[kSteps], *r.row_of<int32_t>("next.inner_t", row));
      if (kept < kept_rows.size() && kept_rows[kept] == row) {
        compare_views(r, env, static_cast<int>(kept), views);
        ++kept;
      }
    }
    CHECK(kept == kept_rows.size());
    std::printf("%s: %d steps", r.file.c_str(), r.rows);
    const std::pair<const char*, Count> all[] = {{"cells", grid},     {"poses", poses}, {"respawns", respawns},
                                                 {"rewards", reward}, {"times", time},  {"observed values", views}};
    for (const auto& [what, count] : all) {
      INFO(what);
      CHECK(count.values > 0);
      CHECK(count.wrong == 0);
      std::printf("; %ld of %ld %s differ", count.wrong, count.values, what);
    }
    std::printf("\n");
  }
}

namespace {

// jax.random.permutation of 0 .. n - 1 for small n: the numbers sorted by the bits drawn for them.
std::vector<int32_t> permutation(Key key, int n) {
  const Key sub = split(key, 1);
  std::vector<int32_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return bits(sub, a) < bits(sub, b); });
  return order;
}

// jax.random.randint(key, (n,), 0, 3)[i].
int32_t randint3(Key key, int i) {
  const uint32_t high = bits(split(key, 0), i), low = bits(split(key, 1), i);
  return static_cast<int32_t>((high % 3 + low % 3) % 3);  // 2^32 mod 3 is 1
}

}  // namespace

TEST_CASE("the recorded draws come from the recorded keys", "[harvest][parity]") {
  for (const auto& path : recordings("harvest")) {
    Recording r(path);
    INFO("recording " << path);
    const int sites = r.instance.params().ground.num_sites, spawns = r.instance.params().ground.num_outer;
    for (int row = 0; row < r.rows; ++row) {
      const uint32_t* words = r.row_of<uint32_t>("step_key", row);
      const Key step{words[0], words[1]}, first = split(step, 0), second = split(first, 0);
      const Key respawn = split(second, 1);
      long wrong = 0;
      for (int k = 0; k < sites; ++k) wrong += uniform(step, k) != r.row_of<float>("draw.regrow", row)[k];
      const auto priority = permutation(split(first, 1), r.agents), rank = permutation(split(respawn, 0), spawns);
      wrong += !std::equal(priority.begin(), priority.end(), r.row_of<int32_t>("draw.priority", row));
      wrong += !std::equal(rank.begin(), rank.end(), r.row_of<int32_t>("draw.spawn_order", row));
      for (int a = 0; a < r.agents; ++a) {
        wrong += randint3(split(respawn, 1), a) != r.row_of<int32_t>("draw.heading", row)[a];
      }
      INFO("row " << row);
      REQUIRE(wrong == 0);
    }
  }
}

}  // namespace throng::harvest
