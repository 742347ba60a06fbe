// The rules of tiny: hand-made states, one step, what must come of it.
#include "tests/envs/tiny/tiny.hpp"

#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "core/instance.hpp"

using namespace throng;

namespace {

// One environment with a goal, two agents, and one step of it.
struct Line {
  HostInstance<tiny::Env> instance{tiny::Params{}};
  std::vector<float> rewards = {0, 0};

  Line(int first, int second, int goal) {
    tiny::Env env = instance.env();
    env.s.cell[0] = first;
    env.s.cell[1] = second;
    env.s.goal[0] = goal;
  }

  bool step(int first, int second) {
    const std::vector<int32_t> actions = {first, second};
    return instance.env().step(Actions{actions.data()}, Rewards{rewards.data(), 1}, Rng{});
  }
  int cell(int agent) { return instance.env().s.cell[agent]; }
};

}  // namespace

TEST_CASE("agents move by one cell and stay on the line") {
  Line line(0, 6, 3);
  CHECK_FALSE(line.step(tiny::kRight, tiny::kLeft));
  CHECK(line.cell(0) == 1);
  CHECK(line.cell(1) == 5);
  line.step(tiny::kLeft, tiny::kRight);
  line.step(tiny::kLeft, tiny::kRight);  // not legal at the ends: as if they stayed
  CHECK(line.cell(0) == 0);
  CHECK(line.cell(1) == 6);
  line.step(-1, 99);
  CHECK(line.cell(0) == 0);
  CHECK(line.cell(1) == 6);
}

TEST_CASE("both are rewarded, and the episode ends, when they meet at the goal") {
  Line line(2, 5, 3);
  CHECK_FALSE(line.step(tiny::kRight, tiny::kLeft));  // one is there
  CHECK(line.rewards == std::vector<float>{0, 0});
  CHECK(line.step(tiny::kStay, tiny::kLeft));
  CHECK(line.rewards == std::vector<float>{1, 1});
}

TEST_CASE("only steps along the line are legal") {
  Line line(0, 6, 3);
  const auto legal = [&](int agent) {
    std::vector<bool> actions;
    auto out = [&](bool value) { actions.push_back(value); };
    line.instance.env().avail(agent, out);
    return actions;
  };
  CHECK(legal(0) == std::vector<bool>{false, true, true});
  CHECK(legal(1) == std::vector<bool>{true, true, false});
}

TEST_CASE("each agent sees its own way first, within the bounds") {
  Line line(0, 6, 3);
  const auto seen = [&](int agent) {
    std::vector<float> features;
    auto out = [&](float value) { features.push_back(value); };
    line.instance.env().observe(agent, out);
    return features;
  };
  const float unit = 1.0f / 6.0f;
  CHECK(seen(0) == std::vector<float>{3 * unit, 0 * unit, -3 * unit, 6 * unit});
  CHECK(seen(1) == std::vector<float>{-3 * unit, 6 * unit, 3 * unit, 0 * unit});
}
