// The rules of a fight one by one: blocks, throws, cancels, knock-downs, projectiles, counters, armour, meter and clock.
#include <catch2/catch_test_macros.hpp>

#include "tests/envs/fighting_ring.hpp"

using namespace throng;
using namespace throng::fighting;

namespace {

// Seat 0 begins a move and everything runs until its first active frame has passed.
void strike(Ring& ring, int action, int guard = kNeutral) {
  ring.act(action, kNeutral);
  const Move& m = ring.move(0, ring.left().move);
  while (ring.left().state == kMove && ring.left().frame + 1 < m.startup) ring.frame();
  ring.act(kNeutral, guard);
}

}  // namespace

TEST_CASE("a hit takes health and pays meter; a block takes guard") {
  Ring ring("ALDER", "ALDER", 40);
  strike(ring, kAct5M);
  CHECK(ring.right().state == kHitstun);
  CHECK(ring.right().hp == 950 - 60);
  CHECK(ring.left().meter == 12);
  CHECK(ring.right().meter == 10);
  CHECK(ring.left().stop == 10);
  CHECK(ring.right().stop == 10);
  CHECK(ring.right().push == 10 * kPixel);
  Ring blocked("ALDER", "ALDER", 40);
  strike(blocked, kAct5M, kCrouchBlock);
  CHECK(blocked.right().state == kBlockstun);
  CHECK(blocked.right().hp == 950);
  CHECK(blocked.right().guard == 93);
  CHECK(blocked.left().meter == 6);
  CHECK(blocked.right().meter == 5);
}

TEST_CASE("heights: low beats a standing guard, overhead a crouching one, middle neither") {
  const struct {
    int action, guard;
    bool blocks;
  } cases[] = {{kAct2L, kBack, false},      {kAct2L, kCrouchBlock, true},
               {kActOverhead, kBack, true}, {kActOverhead, kCrouchBlock, false},
               {kAct5M, kBack, true},       {kAct5M, kCrouchBlock, true},
               {kAct5M, kForward, false},   {kAct5M, kNeutral, false},
               {kAct5M, kCrouchDown, false}};
  for (const auto& c : cases) {
    Ring ring("ALDER", "ALDER", 40);
    strike(ring, c.action, c.guard);
    INFO(kActionNames[c.action] << " against " << kActionNames[c.guard]);
    CHECK(ring.right().state == (c.blocks ? kBlockstun : kHitstun));
  }
}

TEST_CASE("in block-stun the guard is automatic and keeps its height unless back is held") {
  Ring ring("ALDER", "ALDER", 36);
  strike(ring, kAct5L, kCrouchBlock);
  REQUIRE(ring.right().state == kBlockstun);
  Ring low = ring;
  low.right().stop = low.left().stop = 0;
  strike(low, kAct2L);  // chained, nothing held
  CHECK(low.right().state == kBlockstun);
}

TEST_CASE("an empty guard gauge is crushed for 45 frames") {
  Ring ring("ALDER", "ALDER", 40);
  ring.right().guard = 7;
  strike(ring, kAct5M, kCrouchBlock);
  CHECK(ring.right().state == kCrush);
  CHECK(ring.right().guard == 50);
  const int stop = ring.right().stop;
  CHECK(ring.until([&] { return ring.right().free(); }) == 45 + stop);
}

TEST_CASE("the guard gauge grows by one in eight frames") {
  Ring ring("ALDER", "ALDER", 190);
  ring.left().guard = 10;
  ring.wait(80);
  CHECK(ring.left().guard == 20);
}

TEST_CASE("a throw beats a block, takes 22 frames, and leaves the victim 44 pixels away on the ground") {
  for (int action : {kActThrow, kActBackThrow}) {
    Ring ring("ALDER", "ALDER", 40);
    ring.act(action, kCrouchBlock);
    ring.until([&] { return ring.right().state == kThrown; });
    REQUIRE(ring.left().frame == 5);
    CHECK(ring.until([&] { return ring.right().state == kDown; }) == 22);
    CHECK(ring.right().hp == 950 - 120);
    const int side = action == kActThrow ? 1 : -1;
    CHECK(ring.right().x - ring.left().x == side * 44 * kPixel);
    CHECK(ring.left().state == kLanding);
    CHECK(ring.until([&] { return ring.right().state == kRise; }) == 30);
    CHECK(ring.until([&] { return ring.right().free(); }) == 18);
    CHECK(ring.right().throw_proof == 7);
  }
}

TEST_CASE("who holds down stays down for 12 more frames, once") {
  Ring ring("ALDER", "ALDER", 40);
  ring.act(kActThrow, kNeutral);
  ring.until([&] { return ring.right().state == kDown; });
  int frames = 0;
  while (ring.right().state == kDown) ring.act(kNeutral, kCrouchDown), ++frames;
  CHECK(frames == 42);
}

TEST_CASE("throws are teched in frames 0 to 7 and not later, command grabs never") {
  for (int delay = 0; delay <= 9; ++delay) {
    Ring ring("ALDER", "ALDER", 40);
    ring.act(kActThrow, kNeutral);
    ring.until([&] { return ring.right().state == kThrown; });
    ring.wait(delay);
    REQUIRE(ring.right().since == delay);
    if (delay == 0) ring.right().presses = 0;
    ring.act(kNeutral, kActThrow);  // the frame after: since is one more
    const bool teched = ring.right().state == kTech;
    INFO("delay " << delay);
    CHECK(teched == (delay + 1 < 8));
    if (teched) CHECK(ring.left().state == kTech);
    if (!teched) CHECK(ring.until([&] { return ring.right().state == kDown; }) > 0);
  }
  Ring grab("CAIRN", "ALDER", 40);
  grab.act(kActA, kNeutral);
  grab.until([&] { return grab.right().state == kThrown; });
  grab.act(kNeutral, kActThrow, 3);
  CHECK(grab.right().state == kThrown);
}

TEST_CASE("a throw press that waits at the contact techs at once, and two throws do") {
  Ring ring("ALDER", "BRISK", 40);
  ring.right().enter(kLanding, 30);  // cannot act, can be thrown
  ring.act(kActThrow, kNeutral, 3);
  ring.act(kNeutral, kActThrow, 3);
  CHECK(ring.left().state == kTech);
  CHECK(ring.right().hp == 980);
  Ring both("ALDER", "ALDER", 40);
  both.act(kActThrow, kActThrow);
  both.until([&] { return both.left().state == kTech; });
  CHECK(both.right().state == kTech);
  CHECK(both.left().frame == 5);
}

TEST_CASE("a strike beats a throw") {
  Ring ring("ALDER", "ALDER", 40);
  ring.act(kNeutral, kActThrow);
  ring.act(kAct5L, kNeutral);
  ring.wait(4);
  CHECK(ring.right().state == kHitstun);
  CHECK(ring.left().hp == 950);
}

TEST_CASE("nobody is thrown out of stun, for 6 frames after it, or while preparing a jump") {
  Ring ring("ALDER", "ALDER", 40);
  strike(ring, kAct5L, kCrouchBlock);
  ring.until([&] { return ring.right().free(); });
  CHECK(ring.right().throw_proof == 6);
  Ring stunned("ALDER", "ALDER", 40);
  stunned.right().enter(kBlockstun, 20);
  stunned.act(kActThrow, kNeutral, 7);
  CHECK(stunned.right().state == kBlockstun);
  Ring jump("ALDER", "ALDER", 40);
  jump.act(kActThrow, kNeutral, 3);
  jump.act(kNeutral, kJumpUp, 4);
  CHECK(jump.right().state != kThrown);
  Ring dash("ALDER", "ALDER", 40);
  dash.act(kActThrow, kBackDash, 7);
  CHECK(dash.right().state == kDashBack);
}

TEST_CASE("cancels: lights chain three times, normals go into specials, nothing comes out of a miss") {
  Ring ring("ALDER", "ALDER", 34);
  ring.right().hp = 900;
  int lights = 0;
  uint8_t last = 255;
  for (int t = 0; t < 120 && ring.right().hp > 0; ++t) {
    ring.left().x = ring.right().x - 34 * kPixel;  // push-back put aside
    ring.act(t % 2 ? kNeutral : kAct2L, kCrouchBlock);
    if (ring.left().state == kMove && ring.left().frame == 0 && ring.left().move == k2L) {
      ++lights;
      if (ring.left().chain == 0 && lights > 1) break;
      last = ring.left().chain;
    }
  }
  CHECK(last == 3);
  Ring special("ALDER", "ALDER", 40);
  strike(special, kAct5M, kCrouchBlock);
  special.until([&] { return special.left().stop == 0; });
  special.act(kActC, kNeutral);
  CHECK(special.left().move == kSC);
  CHECK(special.left().frame == 0);
  Ring miss("ALDER", "ALDER", 180);
  miss.act(kAct5M, kNeutral, 8);
  miss.act(kActC, kNeutral);
  CHECK(miss.left().move == k5M);
}

TEST_CASE("damage shrinks along a combo") {
  const int expected[] = {100, 89, 80, 69, 60, 50, 39, 30, 19, 19};
  for (int hits = 1; hits <= 10; ++hits) CHECK(scaled(100, hits, false) == expected[hits - 1]);
  CHECK(scaled(100, 10, true) == 39);
}

TEST_CASE("a counter-hit does a fifth more and stuns longer") {
  Ring ring("ALDER", "ALDER", 40);
  ring.act(kNeutral, kActOverhead);
  strike(ring, kAct5M);
  CHECK(ring.right().hp == 950 - 60 * 307 / 256);
  CHECK(ring.right().stun == 18 + 4);
  CHECK(ring.left().events[kCounters] == 1);
}

TEST_CASE("a sweep knocks down hard, and the lying cannot be hit") {
  Ring ring("ALDER", "ALDER", 40);
  strike(ring, kAct2H);
  CHECK(ring.right().state == kAirhit);
  ring.until([&] { return ring.right().state == kDown; });
  CHECK(ring.right().stun == 30);
  const int hp = ring.right().hp;
  ring.left() = Ring("ALDER", "ALDER").left();
  ring.left().x = ring.right().x - 30 * kPixel;
  ring.act(kAct2L, kNeutral, 8);
  CHECK(ring.right().hp == hp);
}

TEST_CASE("juggles end at 8 points") {
  Ring ring("ALDER", "ALDER", 40);
  ring.right().enter(kAirhit);
  ring.right().y = 20 * kPixel;
  ring.right().juggle = 7;
  ring.right().vy = 500;
  strike(ring, kAct5M);
  CHECK(ring.right().hp == 950);
  Ring open("ALDER", "ALDER", 40);
  open.right().enter(kAirhit);
  open.right().y = 20 * kPixel;
  open.right().juggle = 6;
  open.right().vy = 500;
  strike(open, kAct5M);
  CHECK(open.right().hp < 950);
  CHECK(open.right().juggle == 8);
}

TEST_CASE("a bolt flies, hits, and one slot holds one bolt") {
  Ring ring("ALDER", "ALDER", 150);
  ring.act(kActA, kNeutral, 14);
  REQUIRE(ring.f.shot[0][0].alive());
  CHECK_FALSE(is_legal(roster(), ring.f, 0, kActA));
  CHECK(is_legal(roster(), ring.f, 0, kActB));
  ring.until([&] { return ring.right().hp < 950; }, 100);
  CHECK(ring.right().hp == 900);
  CHECK(ring.right().stop == 8);
  CHECK(ring.left().stop == 0);
  CHECK_FALSE(ring.f.shot[0][0].alive());
}

TEST_CASE("bolts that meet wear each other out") {
  Ring ring("ALDER", "ALDER", 190);
  ring.act(kActA, kActA);
  ring.wait(60);
  CHECK_FALSE(ring.f.shot[0][0].alive());
  CHECK_FALSE(ring.f.shot[1][0].alive());
  CHECK(ring.left().hp == 950);
  Ring orb("DRIFT", "ALDER", 190);  // an orb of two against a bolt of one
  orb.act(kActB, kActA);
  orb.until([&] { return !orb.f.shot[1][0].alive() && orb.right().state != kMove; }, 60);
  CHECK(orb.f.shot[0][0].alive());
  CHECK(orb.f.shot[0][0].durability == 1);
}

TEST_CASE("a mine arms after 32 frames") {
  Ring ring("KELP", "ALDER", 150);
  ring.act(kActB, kNeutral, 16);
  REQUIRE(ring.f.shot[0][1].alive());
  ring.right().x = ring.f.shot[0][1].x;
  ring.wait(30);
  CHECK(ring.right().hp == 950);
  ring.wait(3);
  CHECK(ring.right().hp < 950);
  CHECK(ring.right().state == kAirhit);
}

TEST_CASE("a counter stance answers strikes, and is proof afterwards") {
  Ring ring("ALDER", "LYNX", 40);
  ring.act(kNeutral, kActB, 2);
  ring.act(kAct5M, kNeutral, 8);
  CHECK(ring.left().state == kAirhit);
  CHECK(ring.right().hp == 1060);
  CHECK(ring.left().hp == 950 - 140 * 307 / 256);  // the striker was in its attack
  CHECK(ring.right().strike_proof > 0);
}

TEST_CASE("armour takes one strike at half damage and goes on") {
  Ring ring("ALDER", "HUSK", 44);
  ring.act(kAct5L, kActA);
  ring.wait(4);
  CHECK(ring.right().hp == 1040 - 15);
  CHECK(ring.right().state == kMove);
  CHECK(ring.right().has(kArmorSpent));
}

TEST_CASE("invulnerable moves pass through what they are proof against") {
  Ring ring("ALDER", "ALDER", 40);
  ring.act(kAct5L, kNeutral, 2);
  ring.act(kNeutral, kActB, 5);  // the riser is proof against strikes until frame 7 and hits at frame 4
  CHECK(ring.right().hp == 950);
  CHECK(ring.left().state == kAirhit);
}

TEST_CASE("a super costs 200 and stops the world for 16 frames") {
  Ring ring("ALDER", "ALDER", 120);
  ring.act(kActSuper, kNeutral);
  CHECK(ring.left().state != kMove);
  ring.wait(10);
  ring.left().meter = 210;
  ring.act(kActSuper, kNeutral);
  CHECK(ring.left().meter == 10);
  CHECK(ring.f.freeze == 16);
  const int timer = ring.f.timer;
  ring.wait(16);
  CHECK(ring.f.timer == timer);
  CHECK(ring.left().frame == 0);
  ring.frame();
  CHECK(ring.left().frame == 1);
}

TEST_CASE("the reversal comes out of block-stun only") {
  Ring ring("ALDER", "ALDER", 40);
  ring.left().meter = ring.right().meter = 100;
  CHECK_FALSE(is_legal(roster(), ring.f, 1, kActReversal));
  strike(ring, kAct5H, kCrouchBlock);
  CHECK(is_legal(roster(), ring.f, 1, kActReversal));
  ring.until([&] { return ring.right().stop == 0; });
  ring.act(kNeutral, kActReversal);
  CHECK(ring.right().move == kRV);
  CHECK(ring.right().state == kMove);
  CHECK(ring.right().meter < 100);
}

TEST_CASE("a jump takes its prejump, rises, and allows one attack") {
  Ring ring("ALDER", "ALDER", 190);
  ring.act(kJumpForward, kNeutral);
  CHECK(ring.left().state == kPrejump);
  ring.wait(4);
  CHECK(ring.left().state == kAir);
  CHECK(ring.left().vx == 3 * kPixel);
  ring.act(kAct5L, kNeutral);
  CHECK(ring.left().move == kJL);
  ring.until([&] { return ring.left().state != kMove; });
  if (ring.left().state == kAir) {
    ring.act(kAct5L, kNeutral);
    CHECK(ring.left().state == kAir);
  }
  ring.until([&] { return ring.left().free(); });
  CHECK(ring.left().y == 0);
}

TEST_CASE("teleport, backstep and dive") {
  Ring teleport("JOLT", "ALDER", 100);
  teleport.act(kActC, kNeutral, 14);
  CHECK(teleport.left().x > teleport.right().x);
  CHECK(teleport.left().facing == -1);
  Ring back("IVORY", "ALDER", 100);
  const int x = back.left().x;
  back.act(kActC, kNeutral, 18);
  CHECK(back.left().x < x - 50 * kPixel);
  Ring dive("GALE", "ALDER", 120);
  CHECK_FALSE(is_legal(roster(), dive.f, 0, kActA));
  dive.act(kJumpForward, kNeutral, 16);
  CHECK(is_legal(roster(), dive.f, 0, kActA));
  dive.act(kActA, kNeutral, 7);
  CHECK(dive.left().vy == -1408);
  dive.until([&] { return dive.left().state == kLanding || dive.right().hp < 950; });
  CHECK((dive.left().state == kLanding || dive.right().hp < 950));
}

TEST_CASE("walls: nobody leaves the stage, and push-back that the wall refuses goes to the attacker") {
  Ring ring("ALDER", "ALDER", 40);
  ring.right().x = kStage - 14 * kPixel;
  ring.left().x = ring.right().x - 36 * kPixel;
  strike(ring, kAct5M);
  const int attacker = ring.left().x;
  ring.wait(20);
  CHECK(ring.right().x == kStage - 14 * kPixel);
  CHECK(ring.left().x < attacker - 5 * kPixel);
  Ring walk("ALDER", "ALDER", 40);
  walk.act(kBack, kNeutral, 200);
  CHECK(walk.left().x == 14 * kPixel);
}

TEST_CASE("the round ends by knock-out, by time, or in a draw") {
  Ring ring("ALDER", "ALDER", 40);
  ring.right().hp = 10;
  strike(ring, kAct5M);
  CHECK(ring.result == Result::kSeat0);
  Ring trade("ALDER", "ALDER", 40);
  trade.left().hp = trade.right().hp = 5;
  trade.act(kAct5L, kAct5L, 5);
  CHECK(trade.result == Result::kDraw);
  Ring time("ALDER", "CAIRN", 190);
  time.f.timer = 1;
  time.right().hp = 1149;
  time.frame();
  CHECK(time.result == Result::kSeat0);  // 950 of 950 against 1149 of 1150
  Ring even("ALDER", "CAIRN", 190);
  even.f.timer = 1;
  even.frame();
  CHECK(even.result == Result::kDraw);
}

TEST_CASE("motions make specials, charges must be held, and two taps dash") {
  auto drawn = [](const char* name, std::initializer_list<std::pair<int, int>> held, int button) {
    Ring ring(name, "ALDER", 150);
    uint16_t presses = 0;
    int direction = 5;
    for (auto [way, frames] : held) {
      for (int i = 0; i < frames; ++i) presses = motion_presses(roster(), ring.left(), way, kNoButton);
      direction = way;
    }
    return button == kNoButton ? presses : motion_presses(roster(), ring.left(), direction, button);
  };
  auto has = [](uint16_t presses, int press) { return (presses >> press & 1) != 0; };
  CHECK(has(drawn("ALDER", {{2, 4}, {3, 4}, {6, 3}}, kButtonLight), kPressA));
  CHECK_FALSE(has(drawn("ALDER", {{2, 4}, {6, 3}}, kButtonLight), kPressA));
  CHECK_FALSE(has(drawn("ALDER", {{2, 4}, {3, 14}, {6, 3}}, kButtonLight), kPressA));  // too slow
  CHECK_FALSE(has(drawn("ALDER", {{2, 4}, {3, 4}, {6, 9}}, kButtonLight), kPressA));   // the button too late
  CHECK(has(drawn("ALDER", {{6, 4}, {2, 4}, {3, 3}}, kButtonHeavy), kPressB));
  CHECK(has(drawn("ALDER", {{2, 4}, {1, 4}, {4, 3}}, kButtonHeavy), kPressC));
  CHECK(has(drawn("ALDER", {{2, 3}, {3, 3}, {6, 3}, {2, 3}, {3, 3}, {6, 2}}, kButtonLight), kPressSuper));
  CHECK(has(drawn("KELP", {{2, 4}, {5, 4}, {2, 3}}, kButtonLight), kPressB));
  CHECK_FALSE(has(drawn("KELP", {{2, 8}}, kButtonLight), kPressB));
  CHECK(has(drawn("FLINT", {{4, 36}, {6, 3}}, kButtonLight), kPressA));
  CHECK_FALSE(has(drawn("FLINT", {{4, 30}, {6, 3}}, kButtonLight), kPressA));
  CHECK_FALSE(has(drawn("FLINT", {{4, 40}, {5, 12}, {6, 3}}, kButtonLight), kPressA));
  CHECK(has(drawn("FLINT", {{2, 36}, {8, 3}}, kButtonLight), kPressB));
  CHECK(has(drawn("ALDER", {{6, 4}, {5, 4}, {6, 1}}, kNoButton), kPressDash));
  CHECK(has(drawn("ALDER", {{4, 4}, {5, 4}, {4, 1}}, kNoButton), kPressBackDash));
  CHECK_FALSE(has(drawn("ALDER", {{6, 9}}, kNoButton), kPressDash));
  CHECK(has(
      drawn("CAIRN", {{4, 2}, {1, 2}, {2, 2}, {3, 2}, {6, 2}, {4, 2}, {1, 2}, {2, 2}, {3, 2}, {6, 2}}, kButtonLight),
      kPressSuper));
}
