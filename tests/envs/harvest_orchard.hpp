// A hand-made orchard for tests: poses, apples and draws put in place, one step at a time.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/instance.hpp"
#include "envs/harvest/harvest.hpp"
#include "tests/parity/recorded_harvest_draws.hpp"

namespace throng::harvest {

struct At {
  int row, column, heading;
  friend bool operator==(At, At) = default;
};
using Places = std::vector<std::pair<int, int>>;  // (row, column), in row-major order

inline Params rules(const std::string& name, int num_agents, const std::string& map = "open") {
  Params p;
  p.num_agents = num_agents;
  p.map = {};
  for (char letter : map) p.map.push_back(letter);
  p.rules = name == "sjx" ? kSjx : name == "mp" ? kMp : kClean;
  return p;
}

// The map emptied of apples; draws that grow nothing, and permutations in order.
struct Orchard {
  HostInstance<Env> instance;
  Env env;
  std::vector<float> u;
  std::vector<int32_t> priority, spawn_rank, heading;
  std::vector<float> rewards;

  Orchard(Params p, std::initializer_list<At> poses)
      : instance((p.check(), p)),
        env(instance.env()),
        u(env.p.ground.num_sites, 0.999f),
        heading(env.p.num_agents, 0),
        rewards(env.p.num_agents * Env::spec(env.p).num_objectives) {
    for (int i = 0; i < env.p.num_agents; ++i) priority.push_back(i);
    for (int i = 0; i < env.p.ground.num_outer; ++i) spawn_rank.push_back(i);
    env.reset(Rng{key(0)});
    for (int row = 0; row < env.p.ground.height; ++row) env.s.apple[row] = 0;
    int agent = 0;
    for (At at : poses) put(agent++, at);
  }

  void put(int agent, At at) { env.s.pose[agent] = env.s.next[agent] = pose(at); }
  static uint16_t pose(At at) { return pose_at(place_at(at.row, at.column), at.heading); }
  void apples(const Places& places) {
    for (auto [row, column] : places) env.s.apple[row] |= bit(column);
  }
  // The draw for the site at a place.
  float& draw(int row, int column) { return u.at(env.p.ground.site_at(row, column)); }

  bool step(std::vector<int32_t> actions) {
    const RecordedDraws draws{u.data(), priority.data(), spawn_rank.data(), heading.data()};
    return env.step_with(Actions{actions.data()}, Rewards{rewards.data(), Env::spec(env.p).num_objectives}, draws);
  }

  At at(int agent) const { return read(env.s.pose[agent]); }
  At next(int agent) const { return read(env.s.next[agent]); }
  static At read(int pose) { return {row_of(place_of(pose)), column_of(place_of(pose)), heading_of(pose)}; }
  Places apples() const { return places(env.s.apple); }
  Places marks() const { return places(env.s.mark); }
  Places places(const Field<uint32_t>& rows) const {
    Places found;
    for (int row = 0; row < env.p.ground.height; ++row) {
      for (int column = 0; column < env.p.ground.width; ++column) {
        if (has_bit(rows[row], column)) found.push_back({row, column});
      }
    }
    return found;
  }
  // The window of an agent, [line * 11 + i].
  std::vector<int> view(int agent) {
    env.prepare_views();
    std::vector<uint8_t> codes(kViewSide * kViewSide);
    Writer<uint8_t> out{codes.data()};
    env.observe(agent, out);
    return {codes.begin(), codes.end()};
  }
};

}  // namespace throng::harvest
