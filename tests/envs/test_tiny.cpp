// The rules of tiny: hand-made states, one step, what must come of it.
#include "tests/envs/tiny/tiny.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "core/file.hpp"
#include "core/instance.hpp"
#include "core/make_entry.hpp"

using namespace throng;

namespace {

// One environment in a state of our own, and one step of it.
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

TEST_CASE("an environment outside the tree is made from its header alone") {
  const EnvEntry entry = make_entry<tiny::Env>("tiny", R"({"summary": "Two agents on a line meet at a goal"})");
  BatchOptions options;
  options.num_envs = 1000;
  const auto env = entry.make(open_device("cpu"), {{"length", 9}}, "tiny", options);
  env->reset(/*seed=*/0);
  for (uint32_t t = 0; t < 100; ++t) {
    env->random_actions(env->observations().avail_actions, env->actions(), key(1), t);
    env->step(env->actions());
  }
  const double met = env->take_statistics().info["met"];
  CHECK(met > 0);
  CHECK(met < 1);
}

TEST_CASE("the guide shows this code, word for word") {
  const std::string tests = THRONG_TEST_DATA;
  const std::string guide = read_file(tests + "/../../docs/add_an_environment.md");
  const std::string code = read_file(tests + "/tiny/tiny.hpp") + read_file(tests + "/test_tiny.cpp");
  int blocks = 0;
  for (size_t begin = 0; (begin = guide.find("```cpp\n", begin)) != std::string::npos; ++blocks) {
    begin += 7;
    const std::string block = guide.substr(begin, guide.find("```", begin) - begin);
    INFO(block);
    CHECK(code.find(block) != std::string::npos);
  }
  CHECK(blocks > 5);
}
