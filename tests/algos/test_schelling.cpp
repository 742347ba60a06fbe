// Schelling diagrams: worked games of govsim, who sits where, and what makes a dilemma.
#include "algos/schelling.hpp"

#include <algorithm>
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include "core/error.hpp"
#include "envs/registry.hpp"

using namespace throng;
using Catch::Approx;

namespace {

std::unique_ptr<VecEnv> made(const std::string& id, int num_envs, const nlohmann::json& config = {}) {
  return make(id, open_device("cpu"), evaluation_options(env_spec(id, config), num_envs), config);
}

// Everybody always chooses the same.
Player always(int choice) {
  return {"always", [choice](VecEnv& env, Key, uint32_t, int32_t* actions) {
            std::fill(actions, actions + env.num_rows() * env.spec().action_dim(), choice);
          }};
}

double measure(const SchellingMix& mix, const std::string& name) {
  for (const auto& [known, value] : mix.measures) {
    if (known == name) return value.mean;
  }
  FAIL("no measure " + name);
  return 0;
}

}  // namespace

TEST_CASE("mixes of govsim come out as calculated") {
  const auto env = made("govsim/fishery", 6 * 50);
  const Player sustain = player_of_game("sustain", *env);
  SECTION("sustain and 20") {
    const Schelling s = play_schelling(*env, sustain, always(20), 1);
    CHECK(s.episodes == 50);
    CHECK(s.agents() == 5);
    CHECK(s.mixes[5].return_a.mean == Approx(120));
    CHECK(measure(s.mixes[5], "survival_time") == 12);
    CHECK(s.mixes[4].return_all.mean == Approx(36.8).epsilon(0.005));
    CHECK(measure(s.mixes[4], "survival_time") == 4);
    CHECK(s.mixes[4].return_b.mean == Approx(80).epsilon(0.05));  // 20 in each of the four months, but for the last
    CHECK(4 * s.mixes[4].return_a.mean + s.mixes[4].return_b.mean == Approx(5 * s.mixes[4].return_all.mean));
    CHECK(s.mixes[0].return_b.mean == 20);
    CHECK(measure(s.mixes[0], "survival_time") == 1);
    CHECK(s.cooperation_pays());
    CHECK(s.fear());
    CHECK_FALSE(s.greed());  // 80 is less than 120
    CHECK(s.dilemma());
  }
  SECTION("sustain and 15") {
    const Schelling s = play_schelling(*env, sustain, always(15), 1);
    CHECK(s.mixes[4].return_all.mean == Approx(55.2).epsilon(0.005));
    CHECK(measure(s.mixes[4], "survival_time") == 7);
  }
  SECTION("with talk, where an action is two choices") {
    const auto talking = made("govsim/fishery-talk", 6 * 4);
    const Schelling s = play_schelling(*talking, player_of_game("sustain", *talking), always(20), 1);
    CHECK(s.mixes[5].return_a.mean == Approx(120));
    CHECK(measure(s.mixes[4], "survival_time") == 4);
  }
}

TEST_CASE("seats are drawn: as many of a kind as the mix says, and everybody is of both kinds at times") {
  const auto env = made("govsim/fishery", 6 * 40);
  const Schelling s = play_schelling(*env, always(7), always(3), 5);
  for (int of_a = 0; of_a <= 5; ++of_a) {  // nothing is scarce in the first months, so totals tell who took what
    const SchellingMix& mix = s.mixes[of_a];
    CHECK(mix.of_a == of_a);
    CHECK(mix.of_b == 5 - of_a);
    CHECK(mix.return_all.mean == Approx(12.0 * (7 * of_a + 3 * (5 - of_a)) / 5));
    if (of_a > 0) CHECK(mix.return_a.mean == Approx(12 * 7));
    if (of_a < 5) CHECK(mix.return_b.mean == Approx(12 * 3));
  }
  const auto returns = download(env->device(), env->finals().episode_return, size_t(env->num_rows()));
  for (int agent = 0; agent < 5; ++agent) {
    int of_a = 0;
    for (int e = 80; e < 120; ++e) of_a += returns[size_t(e) * 5 + agent] == 12 * 7;  // the mix of two
    CHECK(of_a > 4);
    CHECK(of_a < 36);
  }
}

TEST_CASE("a Schelling diagram can be repeated and depends on its seed") {
  const auto env = made("harvest", 3 * 8, {{"map", "mini"}, {"num_agents", 2}, {"time_limit", 60}});
  const Player careful = player_of_game("careful", *env), greedy = player_of_game("greedy", *env);
  const auto first = play_schelling(*env, careful, greedy, 1).to_json();
  CHECK(first != play_schelling(*env, careful, greedy, 2).to_json());
  CHECK(first == play_schelling(*env, careful, greedy, 1).to_json());
  CHECK(first["mixes"][0]["return_a"].is_null());
  CHECK(first["mixes"][0]["return_b"]["mean"].is_number());
  CHECK(first["mixes"][2]["return_b"].is_null());
}

TEST_CASE("what a Schelling diagram cannot be made of is refused") {
  const auto env = made("govsim/fishery", 6 * 2 + 1);
  CHECK_THROWS_AS(play_schelling(*env, always(1), always(2), 1), Error);
  CHECK_THROWS_AS(player_of_game("nobody", *env), Error);
  const auto alone = made("govsim/fishery", 2, {{"num_agents", 1}});
  CHECK_THROWS_AS(play_schelling(*alone, always(1), always(2), 1), Error);
  const auto objectives = made("item_gathering", 3);
  CHECK_THROWS_AS(play_schelling(*objectives, always(1), always(2), 1), Error);
}

TEST_CASE("greed and fear are told apart") {
  Schelling s;
  const auto mix = [&](int of_a, double a, double b) {
    SchellingMix mix;
    mix.of_a = of_a, mix.of_b = 2 - of_a;
    mix.return_a.mean = a, mix.return_b.mean = b;
    s.mixes.push_back(mix);
  };
  mix(0, 0, 1), mix(1, 2, 5), mix(2, 4, 0);  // alone an A gets 2, a B among As 5; all A 4, all B 1
  CHECK(s.cooperation_pays());
  CHECK(s.loners_lose());
  CHECK_FALSE(s.fear());  // 1 < 2
  CHECK(s.greed());       // 5 > 4
  CHECK(s.dilemma());
  s.mixes[1].return_b.mean = 3;
  CHECK_FALSE(s.dilemma());
}
