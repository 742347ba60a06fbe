// Roster files: the built-in one is whole, and what is wrong with another is said with fighter, move and key.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "tests/envs/fighting_ring.hpp"

namespace throng {
extern const char* const k_fighting_roster;
}

using namespace throng;
using namespace throng::fighting;
using nlohmann::json;

namespace {

json built_in() { return json::parse(k_fighting_roster); }

// The message with which a changed roster is refused; "accepted" if it is not.
template <class Change>
std::string refused(Change change) {
  json file = built_in();
  change(file);
  try {
    parse_roster(file.dump(), "mine.json");
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

using Catch::Matchers::ContainsSubstring;

}  // namespace

TEST_CASE("the built-in roster has twelve fighters with fifteen moves in fixed point") {
  const Roster& r = roster();
  CHECK(r.size == 12);
  const FighterData& alder = r.fighters[0];
  CHECK(std::string(alder.name) == "ALDER");
  CHECK(alder.hp == 950);
  CHECK(alder.walk_forward == 563);  // 2.2 * 256 = 563.2
  CHECK(alder.gravity == 102);       // 0.4 * 256 = 102.4
  const Move& m = alder.moves[k5M];
  CHECK(m.startup == 6);
  CHECK(m.frames() == 21);
  CHECK(m.damage == 60);
  CHECK(m.push_block == 11 * kPixel);
  CHECK(m.cancel == (kIntoSpecial | kIntoSuper));
  CHECK(alder.moves[kSB].proof == kStrikes);
  CHECK(alder.moves[kSB].proof_to == 7);
  CHECK(alder.moves[kSB].rise_vy == 1434);  // 5.6 * 256 = 1433.6
  CHECK(alder.shots[alder.moves[kSA].shot].speed == 896);
  CHECK(r.fighters[fighter_named("IVORY")].moves[kSC].slide_x == -870);  // -3.4 * 256 = -870.4
  CHECK(sizeof(Roster) < 24 * 1024);
}

TEST_CASE("mistakes in a roster are named") {
  CHECK_THAT(refused([](json& f) { f["fighters"][0]["moves"]["5M"]["damge"] = 3; }),
             ContainsSubstring("mine.json: fighter ALDER.moves.5M") && ContainsSubstring("unknown key 'damge'") &&
                 ContainsSubstring("dmg"));
  CHECK_THAT(refused([](json& f) { f["fighters"][1]["moves"].erase("jH"); }),
             ContainsSubstring("fighter BRISK.moves: 'jH' is missing"));
  CHECK_THAT(refused([](json& f) { f["fighters"][0]["moves"]["5H"]["rc"] = 250; }), ContainsSubstring("1 to 255"));
  CHECK_THAT(refused([](json& f) { f["fighters"][0]["moves"]["5H"]["box"][0] = 201; }),
             ContainsSubstring("'box' is 201"));
  CHECK_THAT(refused([](json& f) { f["fighters"][0]["walk"][0] = 12.5; }), ContainsSubstring("'walk' is 12.5"));
  CHECK_THAT(refused([](json& f) { f["fighters"][0]["moves"]["SA"]["proj"]["slot"] = 2; }),
             ContainsSubstring("SA.proj: 'slot' is 2; valid: 0 to 1"));
  CHECK_THAT(refused([](json& f) { f["fighters"][0]["moves"]["5L"]["jug"] = 0; }), ContainsSubstring("'jug' is 0"));
  CHECK_THAT(refused([](json& f) { f["fighters"][0]["moves"]["5L"]["height"] = "medium"; }),
             ContainsSubstring("unknown height 'medium'"));
  CHECK_THAT(refused([](json& f) { f["fighters"][0]["moves"]["5L"]["cancel"] = "x"; }), ContainsSubstring("c n s u"));
  CHECK_THAT(refused([](json& f) { f["fighters"][0]["moves"]["SB"]["inv"] = "s0"; }), ContainsSubstring("s0-7"));
  CHECK_THAT(refused([](json& f) { f["fighters"][0]["moves"]["SB"]["motion"] = "236"; }),
             ContainsSubstring("same motion"));
  CHECK_THAT(refused([](json& f) { f["fighters"][0]["moves"]["SA"].erase("proj"); }), ContainsSubstring("'proj'"));
  CHECK_THAT(refused([](json& f) { f["fighters"][0]["moves"]["TH"].erase("range"); }), ContainsSubstring("'range'"));
  CHECK_THAT(refused([](json& f) { f["fighters"][3]["name"] = "ALDER"; }), ContainsSubstring("name is taken"));
  CHECK_THAT(refused([](json& f) { f["fighters"][3]["name"] = 5; }), ContainsSubstring("'name' must be text"));
  CHECK_THAT(refused([](json& f) { f["order"][0] = "5X"; }), ContainsSubstring("'order'"));
  CHECK_THAT(refused([](json& f) { f["version"] = 2; }), ContainsSubstring("'version'"));
  CHECK_THAT(refused([](json& f) { f["fighters"] = json::array(); }), ContainsSubstring("1 to 16"));
  CHECK_THROWS_AS(load_roster("no/such/file.json"), Error);
  CHECK_THROWS_AS(parse_roster("{", "mine.json"), Error);
}

TEST_CASE("defaults may be left out or written, and a roster of one's own loads from its file") {
  CHECK(refused([](json& f) { f["fighters"][0]["moves"]["5L"]["hits"] = 1; }) == "accepted");
  json file = built_in();
  file["fighters"] = json::array({file["fighters"][2], file["fighters"][5]});
  file["fighters"][0]["name"] = "MINE";
  const std::string path = "own_roster_of_the_test.json";
  std::ofstream(path) << file.dump();
  const Roster own = load_roster(path);
  std::remove(path.c_str());
  CHECK(own.size == 2);
  CHECK(std::string(own.fighters[0].name) == "MINE");
  CHECK(own.fighters[1].moves[kSA].charge == kChargeBack);
}

TEST_CASE("every move of every fighter can be reached by a press") {
  for (int who = 0; who < roster().size; ++who) {
    for (int id = 0; id < kNumMoves; ++id) {
      INFO(roster().fighters[who].name << " " << kMoveNames[id]);
      Ring ring(who, 0, 120);
      ring.left().meter = kMaxMeter;
      const Move& m = roster().move(who, id);
      if (m.air_only) ring.act(kJumpForward, kNeutral, 14);
      if (id == kRV) ring.left().enter(kBlockstun, 10);
      const int actions[kNumMoves] = {kAct5L, kAct5M,    kAct5H, kAct2L, kAct2M, kAct2H,    kActOverhead, kAct5L,
                                      kAct5H, kActThrow, kActA,  kActB,  kActC,  kActSuper, kActReversal};
      CHECK(is_legal(roster(), ring.f, 0, actions[id]));
      ring.act(actions[id], kNeutral);
      CHECK(ring.left().state == kMove);
      CHECK(ring.left().move == id);
    }
  }
}
