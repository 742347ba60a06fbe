// Words and lists of them: so many of each kind, tables of which only some numbers change, and texts.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <nlohmann/json.hpp>

#include "core/config.hpp"
#include "core/error.hpp"

using namespace throng;
using Catch::Matchers::Message;
using nlohmann::json;

namespace {

constexpr const char* kKinds[] = {"marine", "stalker", "zealot"};

struct Params {
  FixedList<uint8_t, 5> units = {2, {0, 2}};
  FixedList<float, 3> damage = {3, {9, 13, 8}};
  FixedList<float, 3> speed;

  template <class V>
  void fields(V&& field) {
    field("units", units, kKinds, "who fights");
    field("damage", damage, kKinds, "how hard");
    field("speed", speed, kKinds, "how fast");
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

TEST_CASE("a list of words can be counted, in the order of the words") {
  const Params params = read(R"({"units": {"zealot": 1, "marine": 2, "stalker": 0}})");
  CHECK(std::vector(params.units.begin(), params.units.end()) == std::vector<uint8_t>{0, 0, 2});
  CHECK(params.units.items[3] == 0);  // what lies beyond is as if it had been given as a list
  CHECK(read(R"({"units": {}})").units.size == 0);
  CHECK(write_config(params)["units"] == json({"marine", "marine", "zealot"}));
}

TEST_CASE("a table of numbers can be changed in places") {
  const Params params = read(R"({"damage": {"zealot": 8.5, "marine": 1}})");
  CHECK(std::vector(params.damage.begin(), params.damage.end()) == std::vector<float>{1, 13, 8.5f});
  CHECK(read(R"({"damage": [1, 2, 3]})").damage[1] == 2);
}

TEST_CASE("what cannot be counted or changed is refused") {
  check_refused(R"({"units": {"marines": 2}})",
                "unknown units 'marines': did you mean 'marine'? valid: marine, stalker, zealot");
  check_refused(R"({"units": {"marine": -1}})", "'units' must be an integer from 0 to 18446744073709551615, found -1");
  check_refused(R"({"units": {"marine": 1.5}})", "'units' must be an integer, found 1.5");
  check_refused(R"({"units": {"marine": 3, "zealot": 3}})",
                R"('units' must be a list of at most 5, found {"marine":3,"zealot":3})");
  check_refused(R"({"units": {"marine": 18446744073709551615}})",
                R"('units' must be a list of at most 5, found {"marine":18446744073709551615})");
  check_refused(R"({"damage": {"marien": 2}})",
                "unknown damage 'marien': did you mean 'marine'? valid: marine, stalker, zealot");
  check_refused(R"({"damage": {"marine": "2"}})", R"('damage' must be a number, found "2")");
  check_refused(R"({"speed": {"marine": 2}})",
                R"('speed' must be a list, as there is no number of marine, found {"marine":2})");
}

TEST_CASE("a table of numbers is described as such, with its words") {
  const std::vector<FieldDoc> docs = describe_config(Params{});
  CHECK(docs.at(0).type == "list of choice");
  CHECK(docs.at(1).type == "list of float");
  CHECK(docs.at(1).default_value == "[9.0,13.0,8.0]");
  CHECK(docs.at(1).valid == std::vector<std::string>{"marine", "stalker", "zealot"});
}

namespace {

struct Text {
  FixedList<char, 8> map = {4, {'o', 'p', 'e', 'n'}};

  template <class V>
  void fields(V&& field) {
    field("map", map, "what lies where");
  }
};

}  // namespace

TEST_CASE("a text is a string or its lines") {
  Text text;
  CHECK(write_config(text)["map"] == "open");
  CHECK(describe_config(text)[0].type == "text");
  read_config(text, json::parse(R"({"map": ["#o", "."]})"), "here");
  CHECK(write_config(text)["map"] == "#o\n.\n");
  read_config(text, json::parse(R"({"map": "x"})"), "here");
  CHECK(write_config(text)["map"] == "x");
  CHECK(text.map.items[1] == '\0');  // equal texts are equal bytes
  CHECK_THROWS_MATCHES(read_config(text, json::parse(R"({"map": "123456789"})"), "here"), Error,
                       Message("here: 'map' must be at most 8 letters, found 9"));
  CHECK_THROWS_MATCHES(read_config(text, json::parse(R"({"map": ["a", 1]})"), "here"), Error,
                       Message("here: 'map' must be a list of strings, found 1"));
}
