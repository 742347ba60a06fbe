// Parameter structs through JSON: what is read, what is refused and in which words.
#include "core/config.hpp"

#include <unistd.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.hpp"

using namespace throng;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::Message;
using Catch::Matchers::MessageMatches;
using nlohmann::json;

namespace {

constexpr const char* kModes[] = {"closest", "random"};
constexpr const char* kUnits[] = {"marine", "stalker", "zealot"};

struct Params {
  bool walls = true;
  int num_steps = 128;
  int64_t total_timesteps = 1000000;
  uint64_t seed = 0;
  uint8_t level = 3;
  float gamma = 0.99f;
  double learning_rate = 3e-4;
  std::string device = "cpu";
  std::vector<int> hidden = {64, 64};
  FixedList<float, 4> weights = {2, {1.0f, 0.1f}};
  FixedList<int, 3> sizes;
  int attack_mode = 0;
  uint8_t first_unit = 1;
  FixedList<uint8_t, 5> units = {2, {0, 2}};

  template <class V>
  void fields(V&& field) {
    field("walls", walls, "walls are deadly");
    field("num_steps", num_steps, "steps per rollout");
    field("total_timesteps", total_timesteps, "when to stop");
    field("seed", seed, "of everything");
    field("level", level, "difficulty");
    field("gamma", gamma, "discount");
    field("learning_rate", learning_rate, "of Adam");
    field("device", device, "cpu or cuda");
    field("hidden", hidden, "layer widths");
    field("weights", weights, "of the objectives");
    field("sizes", sizes, "of the teams");
    field("attack_mode", attack_mode, kModes, "whom to attack");
    field("first_unit", first_unit, kUnits, "who leads");
    field("units", units, kUnits, "who fights");
  }
};

Params read(const std::string& text) {
  Params params;
  read_config(params, json::parse(text), "here");
  return params;
}

void check_refused(const std::string& text, const std::string& message) {
  CAPTURE(text);
  CHECK_THROWS_MATCHES(read(text), Error, Message("here: " + message));
}

}  // namespace

TEST_CASE("absent keys keep their value") {
  for (const char* text : {"{}", "null"}) {
    const Params params = read(text);
    CHECK(params.num_steps == 128);
    CHECK(params.gamma == 0.99f);
    CHECK(params.hidden == std::vector{64, 64});
    CHECK(params.units.size == 2);
  }
}

TEST_CASE("every kind of member is read") {
  const Params params = read(R"({
    "walls": false, "num_steps": 1e3, "total_timesteps": 1e12, "seed": 18446744073709551615, "level": 255, "gamma": 1,
    "learning_rate": 1e-3, "device": "cuda", "hidden": [128], "weights": [0.5, 2, 1e-1], "sizes": [-1, 2e0],
    "attack_mode": "random", "first_unit": "zealot", "units": ["zealot", "marine", "stalker"]})");
  CHECK_FALSE(params.walls);
  CHECK(params.num_steps == 1000);
  CHECK(params.total_timesteps == 1000000000000);
  CHECK(params.seed == UINT64_MAX);
  CHECK(params.level == 255);
  CHECK(params.gamma == 1.0f);
  CHECK(params.learning_rate == 1e-3);
  CHECK(params.device == "cuda");
  CHECK(params.hidden == std::vector{128});
  CHECK(std::vector<float>(params.weights.begin(), params.weights.end()) == std::vector{0.5f, 2.0f, 0.1f});
  CHECK(std::vector<int>(params.sizes.begin(), params.sizes.end()) == std::vector{-1, 2});
  CHECK(params.attack_mode == 1);
  CHECK(params.first_unit == 2);
  CHECK(std::vector<int>(params.units.begin(), params.units.end()) == std::vector{2, 0, 1});
}

TEST_CASE("a shorter list leaves nothing of the longer one behind") {
  const Params params = read(R"({"weights": []})");
  CHECK(params.weights.size == 0);
  CHECK(params.weights.items[1] == 0.0f);
}

TEST_CASE("integers reach their limits and not beyond") {
  CHECK(read(R"({"num_steps": -2147483648})").num_steps == INT32_MIN);
  CHECK(read(R"({"total_timesteps": -9223372036854775808})").total_timesteps == INT64_MIN);
  const std::string int_range = "'num_steps' must be an integer from -2147483648 to 2147483647, found ";
  check_refused(R"({"num_steps": 2147483648})", int_range + "2147483648");
  check_refused(R"({"num_steps": 3e9})", int_range + "3000000000.0");
  check_refused(R"({"level": 256})", "'level' must be an integer from 0 to 255, found 256");
  check_refused(R"({"seed": -1})", "'seed' must be an integer from 0 to 18446744073709551615, found -1");
  check_refused(R"({"seed": 1e300})", "'seed' must be a smaller integer, found 1e+300");
  check_refused(R"({"gamma": 1e39})", "'gamma' must be a smaller number, found 1e+39");
}

TEST_CASE("an unknown key names the nearest and the place") {
  CHECK_THROWS_MATCHES(
      read(R"({"gama": 1})"), Error,
      MessageMatches(ContainsSubstring("here: unknown key 'gama': did you mean 'gamma'? valid: walls, num_steps,")));
}

TEST_CASE("a wrong type names the key, what is expected and what was found") {
  check_refused(R"([1])", "must be an object, found [1]");
  check_refused(R"({"walls": 1})", "'walls' must be true or false, found 1");
  check_refused(R"({"num_steps": "many"})", "'num_steps' must be an integer, found \"many\"");
  check_refused(R"({"num_steps": 1.5})", "'num_steps' must be an integer, found 1.5");
  check_refused(R"({"num_steps": true})", "'num_steps' must be an integer, found true");
  check_refused(R"({"gamma": "0.9"})", "'gamma' must be a number, found \"0.9\"");
  check_refused(R"({"gamma": null})", "'gamma' must be a number, found null");
  check_refused(R"({"device": 0})", "'device' must be a string, found 0");
  check_refused(R"({"hidden": 64})", "'hidden' must be a list, found 64");
  check_refused(R"({"hidden": [64, "x"]})", "'hidden' must be an integer, found \"x\"");
  check_refused(R"({"weights": {}})", "'weights' must be a list, found {}");
  check_refused(R"({"sizes": [1, 2, 3, 4]})", "'sizes' must be a list of at most 3, found 4 items");
  check_refused(R"({"attack_mode": 1})", "'attack_mode' must be one of closest, random, found 1");
  check_refused(R"({"attack_mode": "closets"})",
                "unknown attack_mode 'closets': did you mean 'closest'? valid: closest, random");
  check_refused(R"({"units": ["marine", "xyz"]})", "unknown units 'xyz': valid: marine, stalker, zealot");
}

TEST_CASE("a refused object changes nothing") {
  Params params;
  CHECK_THROWS_AS(read_config(params, json::parse(R"({"gamma": 0.5, "walls": "no"})"), "here"), Error);
  CHECK(params.gamma == 0.99f);
}

TEST_CASE("what is written reads back the same") {
  Params params;
  params.gamma = 0.1f + 1e-7f;
  params.learning_rate = 0.1 + 1e-16;
  params.seed = UINT64_MAX;
  params.units.push_back(1);
  const std::string text = write_config(params).dump();
  const Params back = read(text);
  CHECK(back.gamma == params.gamma);
  CHECK(back.learning_rate == params.learning_rate);
  CHECK(back.seed == params.seed);
  CHECK(back.units.size == 3);
  CHECK(write_config(back).dump() == text);
}

TEST_CASE("fields are written in their order, floats at their shortest, choices as words") {
  CHECK(write_config(Params{}).dump() ==
        R"({"walls":true,"num_steps":128,"total_timesteps":1000000,"seed":0,"level":3,"gamma":0.99,)"
        R"("learning_rate":0.0003,"device":"cpu","hidden":[64,64],"weights":[1.0,0.1],"sizes":[],)"
        R"("attack_mode":"closest","first_unit":"stalker","units":["marine","zealot"]})");
}

TEST_CASE("what JSON cannot say is not written") {
  Params params;
  params.gamma = INFINITY;
  CHECK_THROWS_MATCHES(write_config(params), Error, Message("'gamma' is not finite, which JSON cannot say"));
  params = {};
  params.attack_mode = 2;
  CHECK_THROWS_MATCHES(write_config(params), Error, Message("'attack_mode' has no word for 2"));
}

TEST_CASE("describe_config tells name, type, default, words") {
  const std::vector<FieldDoc> docs = describe_config(Params{});
  REQUIRE(docs.size() == 14);
  const auto check = [&](int i, const std::string& name, const std::string& type, const std::string& value) {
    CHECK(docs[i].name == name);
    CHECK(docs[i].type == type);
    CHECK(docs[i].default_value == value);
  };
  check(0, "walls", "bool", "true");
  check(1, "num_steps", "int", "128");
  check(5, "gamma", "float", "0.99");
  check(6, "learning_rate", "float", "0.0003");
  check(7, "device", "string", "\"cpu\"");
  check(8, "hidden", "list of int", "[64,64]");
  check(9, "weights", "list of float", "[1.0,0.1]");
  check(11, "attack_mode", "choice", "\"closest\"");
  check(13, "units", "list of choice", R"(["marine","zealot"])");
  CHECK(docs[5].doc == "discount");
  CHECK(docs[5].valid.empty());
  CHECK(docs[11].valid == std::vector<std::string>{"closest", "random"});
}

TEST_CASE("JSON text may carry comments, but no repeated key and no error without its place") {
  CHECK(parse_json("// why\n{\"a\": /* here */ [1, {\"a\": 2}]}", "x")["a"][1]["a"] == 2);
  CHECK(parse_json(R"([{"a": 1}, {"a": 1}])", "x").size() == 2);
  CHECK_THROWS_MATCHES(parse_json(R"({"b": {"a": 1, "a": 2}})", "x.json"), Error,
                       Message("x.json: key \"a\" appears twice in one object"));
  CHECK_THROWS_MATCHES(parse_json("{\n  \"a\": }", "x.json"), Error,
                       MessageMatches(ContainsSubstring("x.json: parse error at line 2, column 8")));
}

TEST_CASE("a JSON file that is not there or not JSON is named") {
  CHECK_THROWS_MATCHES(parse_json_file("/nowhere/x.json"), Error,
                       Message("cannot open '/nowhere/x.json': No such file or directory"));
  const auto path = std::filesystem::temp_directory_path() / ("throng_config_" + std::to_string(getpid()) + ".json");
  std::ofstream(path) << "{\"a\": 1} // fine\n";
  CHECK(parse_json_file(path.string())["a"] == 1);
  std::ofstream(path) << "{\"a\": 1";
  CHECK_THROWS_MATCHES(parse_json_file(path.string()), Error,
                       MessageMatches(ContainsSubstring(path.string() + ": parse error at line 1")));
  std::filesystem::remove(path);
}

TEST_CASE("overrides set one value each") {
  json config = json::parse(R"({"ppo": {"gamma": 0.9, "clip_coef": 0.2}, "env": "smax/3m"})");
  for (const char* text : {"ppo.gamma=0.5", "ppo.hidden=[1,2]", "env=beach", "new.deep.key=true", "empty=", "path=a=b",
                           "quoted=\"12\"", "million=1e6"}) {
    apply_override(config, text);
  }
  CHECK(config == json::parse(R"({"ppo": {"gamma": 0.5, "clip_coef": 0.2, "hidden": [1, 2]}, "env": "beach",
                                  "new": {"deep": {"key": true}}, "empty": "", "path": "a=b", "quoted": "12",
                                  "million": 1e6})"));
}

TEST_CASE("a malformed override is refused and changes nothing") {
  const json before = json::parse(R"({"env": "smax/3m", "ppo": {}})");
  for (const char* text : {"gamma", "=1", "ppo.=1", ".gamma=1", "ppo..gamma=1", "new.x.=1", "env.x=1", ""}) {
    CAPTURE(text);
    json config = before;
    CHECK_THROWS_MATCHES(apply_override(config, text), Error,
                         MessageMatches(ContainsSubstring("override '" + std::string(text) + "': ")));
    CHECK(config == before);
  }
}

TEST_CASE("merge goes key by key and null removes") {
  json config = json::parse(R"({"a": {"x": 1, "y": 2}, "list": [1, 2], "gone": 1})");
  merge(config, json::parse(R"({"a": {"y": 3}, "list": [4], "gone": null})"));
  CHECK(config == json::parse(R"({"a": {"x": 1, "y": 3}, "list": [4]})"));
}
