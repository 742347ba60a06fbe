// SMAX against transitions recorded from JaxMARL: steps, the scripted enemy, observations and starts of episodes.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/instance.hpp"
#include "core/safetensors.hpp"
#include "envs/smax/smax.hpp"
#include "tests/parity/jaxmarl_draws.hpp"
#include "tests/parity/recordings.hpp"

// Every smax_*.safetensors of a folder is replayed; tests/parity/fixtures/README.md says what is in the files. Another
// folder of recordings can be named by the environment variable THRONG_FIXTURES.
namespace throng::smax {
namespace {

// Writes features into a list, so that a row can be compared.
struct Listed {
  std::vector<float> row;
  template <class T>
  void operator()(T value) {
    row.push_back(static_cast<float>(value));
  }
};

struct RecordedJitter {
  const float* jitter;  // [world step, unit]
  int units;
  float cooldown_jitter(int world_step, int unit, float, float) const { return jitter[world_step * units + unit]; }
};

// Comparisons of one file, by quantity: the largest error, and the row in which it was met.
class Report {
 public:
  void compare(const std::string& quantity, int row, double got, double want, double tolerance) {
    Entry& entry = entries_[quantity];
    const double error = std::isnan(got) || std::isnan(want) ? INFINITY : std::abs(got - want);
    entry.values += 1;
    entry.wrong += error > tolerance;
    if (error > entry.error) entry.error = error, entry.row = row;
    if (row != last_row_) ++rows_;
    last_row_ = row;
  }
  void exact(const std::string& quantity, int row, double got, double want) { compare(quantity, row, got, want, 0); }

  // One line for the reader, one check per quantity for the test.
  void conclude(const std::string& what, const std::string& file) const {
    std::string inexact, exact;
    for (const auto& [quantity, entry] : entries_) {
      char number[32];
      std::snprintf(number, sizeof number, " %.1e", entry.error);
      (entry.error == 0 ? exact : inexact) += ", " + quantity + (entry.error == 0 ? "" : number);
      INFO(file << ", " << what << ", " << quantity << ": " << entry.wrong << " of " << entry.values
                << " differ, most in row " << entry.row << ", by " << entry.error);
      CHECK(entry.wrong == 0);
    }
    std::printf("%s: %d %s", file.c_str(), rows_, what.c_str());
    if (!inexact.empty()) std::printf("; largest error:%s", inexact.c_str() + 1);
    if (!exact.empty()) std::printf("; exact:%s", exact.c_str() + 1);
    std::printf("\n");
  }

 private:
  struct Entry {
    long values = 0, wrong = 0;
    double error = 0;
    int row = 0;
  };
  std::map<std::string, Entry> entries_;
  int rows_ = 0, last_row_ = -1;
};

constexpr double kPosition = 1e-5, kFeature = 1e-6;
constexpr double kJitter = 1e-8;  // one unit in the last place: whether product and sum were fused

// One recording, and an environment of its size.
struct Recording {
  std::string file;
  SafeTensors data;
  int allies, enemies, units, rows;
  HostInstance<Env> instance;

  explicit Recording(const std::filesystem::path& path)
      : file(path.filename().string()),
        data(read_safetensors(path.string())),
        allies(std::stoi(data.metadata.at("num_allies"))),
        enemies(std::stoi(data.metadata.at("num_enemies"))),
        units(allies + enemies),
        rows(static_cast<int>(data.at("step").shape.at(0))),
        instance(params()) {}

  // Element `i` of a row of an array.
  template <class T>
  T at(const std::string& name, int row, int i = 0) const {
    return row_of<T>(name, row)[i];
  }
  template <class T>
  const T* row_of(const std::string& name, int row) const {
    const Tensor& tensor = data.at(name);
    return tensor.as<T>().data() + row * (tensor.as<T>().size() / tensor.shape.at(0));
  }
  Key key(const std::string& name, int row) const { return {at<uint32_t>(name, row, 0), at<uint32_t>(name, row, 1)}; }

  Env env() { return instance.env(); }

  // The environment in the recorded state; `when` is "state." or "next.".
  Env load(const std::string& when, int row) {
    Env env = instance.env();
    for (int u = 0; u < units; ++u) {
      env.s.x[u] = at<float>(when + "position", row, 2 * u);
      env.s.y[u] = at<float>(when + "position", row, 2 * u + 1);
      env.s.health[u] = at<float>(when + "health", row, u);
      env.s.cooldown[u] = at<float>(when + "cooldown", row, u);
      env.s.type[u] = at<uint8_t>(when + "type", row, u);
      env.s.action[u] = action_in(when, row, u);
    }
    for (int e = 0; e < enemies; ++e) {
      env.s.goal_x[e] = at<float>(when + "enemy_memory.0", row, 2 * e);
      env.s.goal_y[e] = at<float>(when + "enemy_memory.0", row, 2 * e + 1);
      env.s.last_slot[e] = static_cast<int8_t>(at<int32_t>(when + "enemy_memory.1", row, e));
    }
    return env;
  }

  void compare_units(Report& report, const Env& env, const std::string& when, int row) const {
    for (int u = 0; u < units; ++u) {
      const int action = env.s.action[u];
      const float east = (action == kEast) - (action == kWest), north = (action == kNorth) - (action == kSouth);
      report.compare("position", row, env.s.x[u], at<float>(when + "position", row, 2 * u), kPosition);
      report.compare("position", row, env.s.y[u], at<float>(when + "position", row, 2 * u + 1), kPosition);
      report.compare("movement", row, east, at<float>(when + "prev_movement", row, 2 * u), kFeature);
      report.compare("movement", row, north, at<float>(when + "prev_movement", row, 2 * u + 1), kFeature);
      report.exact("attack", row, action >= kFirstAttack ? action : 0, at<int32_t>(when + "prev_attack", row, u));
      report.compare("health", row, env.s.health[u], at<float>(when + "health", row, u), kFeature);
      report.compare("cooldown", row, env.s.cooldown[u], at<float>(when + "cooldown", row, u), kFeature);
      report.exact("alive", row, env.alive(u), at<uint8_t>(when + "alive", row, u));
      report.exact("type", row, env.s.type[u], at<uint8_t>(when + "type", row, u));
    }
  }

  void compare_memory(Report& report, const Env& env, const std::string& when, int row) const {
    for (int e = 0; e < enemies; ++e) {
      report.exact("memory", row, env.s.goal_x[e], at<float>(when + "enemy_memory.0", row, 2 * e));
      report.exact("memory", row, env.s.goal_y[e], at<float>(when + "enemy_memory.0", row, 2 * e + 1));
      report.exact("memory", row, env.s.last_slot[e], at<int32_t>(when + "enemy_memory.1", row, e));
    }
  }

  void compare_outcome(Report& report, const Env& env, bool terminated, const std::vector<float>& rewards,
                       int row) const {
    for (int a = 0; a < allies; ++a) {
      report.compare("reward", row, rewards[a], at<float>("reward", row, a), kFeature);
      report.exact("done", row, !env.active(a), at<uint8_t>("agent_done", row, a));
    }
    const bool truncated = at<int32_t>("step", row) + 1 >= Env::spec(env.p).time_limit;
    report.exact("done", row, terminated || truncated, at<uint8_t>("done", row));
  }

  Params params() const {
    Params p;
    p.ally_units.size = allies;
    p.enemy_units.size = enemies;
    for (int u = 0; u < units; ++u) {
      (u < allies ? p.ally_units[u] : p.enemy_units[u - allies]) = at<uint8_t>("state.type", 0, u);
    }
    const bool generated = data.metadata.at("scenario").starts_with("smacv2");
    p.smacv2_position_generation = p.smacv2_unit_type_generation = generated;
    const std::string mode = data.metadata.at("attack_mode");
    REQUIRE((mode == "closest" || mode == "random"));
    p.attack_mode = mode == "random" ? kRandom : kClosest;
    p.check();
    return p;
  }

  // The action that decodes to the recorded movement and attack.
  uint8_t action_in(const std::string& when, int row, int unit) const {
    const int attack = at<int32_t>(when + "prev_attack", row, unit);
    const float east = at<float>(when + "prev_movement", row, 2 * unit);
    const float north = at<float>(when + "prev_movement", row, 2 * unit + 1);
    if (attack >= kFirstAttack) return static_cast<uint8_t>(attack);
    if (std::abs(north) > 0.5f) return north > 0 ? kNorth : kSouth;
    if (std::abs(east) > 0.5f) return east > 0 ? kEast : kWest;
    return kStop;
  }
};

void each_recording(const std::string& what, void (*replay)(Recording&, Report&, int row)) {
  for (const auto& path : recordings("smax")) {
    INFO("recording " << path);
    Recording recording(path);
    REQUIRE(recording.rows > 0);
    Report report;
    for (int row = 0; row < recording.rows; ++row) replay(recording, report, row);
    report.conclude(what, recording.file);
  }
}

}  // namespace

TEST_CASE("a step with the recorded actions and draws", "[smax][parity]") {
  each_recording("steps", [](Recording& r, Report& report, int row) {
    Env env = r.load("state.", row);
    std::vector<float> rewards(r.allies);
    const RecordedJitter draws{r.row_of<float>("cooldown_jitter", row), r.units};
    const auto order = [&](int unit) {
      return unit < r.allies ? r.at<int32_t>("ally_action", row, unit)
                             : r.at<int32_t>("enemy_action", row, unit - r.allies);
    };
    const bool terminated = env.play(order, Rewards{rewards.data(), 1}, draws);
    r.compare_units(report, env, "next.", row);
    r.compare_outcome(report, env, terminated, rewards, row);
  });
}

TEST_CASE("a step in which the enemy and the draws follow from the recorded key", "[smax][parity]") {
  each_recording("steps by key", [](Recording& r, Report& report, int row) {
    Env env = r.load("state.", row);
    std::vector<float> rewards(r.allies);
    const JaxmarlStep draws(r.key("step_key", row));
    const Actions actions{r.row_of<int32_t>("ally_action", row)};
    const bool terminated = env.step_with(actions, Rewards{rewards.data(), 1}, draws);
    for (int e = 0; e < r.enemies; ++e) {
      report.exact("enemy action", row, env.s.action[r.allies + e], r.at<int32_t>("enemy_action", row, e));
    }
    for (int w = 0; w < env.p.world_steps_per_env_step; ++w) {
      for (int u = 0; u < r.units; ++u) {
        const float jitter = draws.cooldown_jitter(w, u, -env.p.time_per_step, 2 * env.p.time_per_step);
        report.compare("jitter", row, jitter, r.at<float>("cooldown_jitter", row, w * r.units + u), kJitter);
      }
    }
    r.compare_units(report, env, "next.", row);
    r.compare_memory(report, env, "next.", row);
    r.compare_outcome(report, env, terminated, rewards, row);
  });
}

TEST_CASE("what the recorded states look like", "[smax][parity]") {
  each_recording("views", [](Recording& r, Report& report, int row) {
    const Env env = r.load("next.", row);
    Listed observations, world_state, avail;
    for (int u = 0; u < r.units; ++u) env.observe_unit(u, observations);
    for (int a = 0; a < r.allies; ++a) env.avail(a, avail);
    env.world_state(world_state);
    REQUIRE(observations.row.size() == size_t(r.units) * (13 * (r.units - 1) + 10));
    REQUIRE(world_state.row.size() == size_t(12) * r.units);
    REQUIRE(avail.row.size() == size_t(r.allies) * (5 + r.enemies));
    const auto compare = [&](const char* quantity, const std::vector<float>& got, const auto* want, double tolerance) {
      for (size_t i = 0; i < got.size(); ++i) report.compare(quantity, row, got[i], want[i], tolerance);
    };
    compare("observations", observations.row, r.row_of<float>("next.obs_all_units", row), kFeature);
    compare("world state", world_state.row, r.row_of<float>("next.world_state", row), kFeature);
    compare("masks", avail.row, r.row_of<uint8_t>("next.avail_actions", row), 0);
  });
}

TEST_CASE("the start of an episode follows from the recorded key", "[smax][parity]") {
  each_recording("starts", [](Recording& r, Report& report, int row) {
    if (r.at<int32_t>("step", row) != 0) return;
    Env env = r.env();
    env.reset_with(JaxmarlReset(r.key("reset_key", row), r.allies));
    r.compare_units(report, env, "state.", row);
    r.compare_memory(report, env, "state.", row);
  });
}

}  // namespace throng::smax
