// The engine of the fighting game at large: its mirror, its frame table, and what no play of any kind may break.
#include <catch2/catch_test_macros.hpp>

#include "core/rng.hpp"
#include "tests/envs/fighting_ring.hpp"

using namespace throng;
using namespace throng::fighting;

namespace {

// Random play of one round, in which decisions last four frames; calls see(fight) after every frame.
template <class See>
Result random_round(Rng rng, Fight& f, See see, int most = kRoundFrames + 2000) {
  Input input[2];
  Result result = Result::kRunning;
  for (int t = 0; t < most && result == Result::kRunning; ++t) {
    for (int i = 0; i < 2; ++i) {
      if (t % 4 != 0) {
        input[i].presses = 0;
        continue;
      }
      input[i] = direct_input(rng.at(10 + i).below(t / 4, kNumActions));
      input[i].direction = static_cast<uint8_t>(absolute(input[i].direction, f.fighter[i].facing));
    }
    result = play_frame(roster(), f, input);
    see(f, input, result);
  }
  return result;
}

Fight random_start(Rng rng) {
  Fight f = {};
  for (int i = 0; i < 2; ++i) {
    f.fighter[i].who = static_cast<uint8_t>(rng.at(1).below(i, roster().size));
    f.fighter[i].meter = static_cast<int16_t>(rng.at(2).below(i, kMaxMeter + 1));
  }
  begin_round(roster(), f, kStage / 2, (96 + rng.at(3).below(0, 96)) * kPixel);
  return f;
}

}  // namespace

TEST_CASE("a game in the mirror is the mirror image of the game") {
  constexpr int kGames = 600;
  int64_t frames = 0, divergences = 0;
  for (int game = 0; game < kGames; ++game) {
    const Rng rng{key(game)};
    Fight f = random_start(rng), mirror = f;
    std::swap(mirror.fighter[0], mirror.fighter[1]);
    for (Fighter& fighter : mirror.fighter) fighter = mirror_image(fighter);
    REQUIRE(mirrors(f, mirror));
    bool same = true;
    random_round(rng, f, [&](const Fight& now, const Input(&input)[2], Result result) {
      Input swapped[2] = {input[1], input[0]};
      for (Input& i : swapped) i.direction = static_cast<uint8_t>(mirrored(i.direction));
      const Result other = play_frame(roster(), mirror, swapped);
      const Result expected = result == Result::kSeat0   ? Result::kSeat1
                              : result == Result::kSeat1 ? Result::kSeat0
                                                         : result;
      same = same && mirrors(now, mirror) && other == expected;
      ++frames;
    });
    divergences += !same;
  }
  CHECK(divergences == 0);
  CHECK(frames > 300000);
}

TEST_CASE("the frame advantage of a grounded normal is its stun less what is left of the move") {
  int hits = 0, blocks = 0;
  for (int who = 0; who < roster().size; ++who) {
    for (int id : {k5L, k5M, k5H, k2L, k2M, k2H, k6H}) {
      for (bool blocked : {false, true}) {
        const Move& m = roster().move(who, id);
        if (!blocked && m.knockdown != kNone) continue;
        INFO(roster().fighters[who].name << " " << kMoveNames[id] << (blocked ? " blocked" : " hit"));
        Ring ring(who, 0, roster().fighters[who].push_half + roster().fighters[0].push_half);
        ring.act(kAct5L + id, kNeutral);
        while (ring.left().frame + 1 < m.startup) ring.frame();
        const int guard = m.height == kOverhead ? kBack : kCrouchBlock;
        ring.act(kNeutral, blocked ? guard : kNeutral);
        REQUIRE(ring.right().state == (blocked ? kBlockstun : kHitstun));
        REQUIRE(ring.left().has(kContact));
        int attacker = 0, victim = 0;
        for (int t = 1; attacker == 0 || victim == 0; ++t) {
          ring.frame();
          if (attacker == 0 && ring.left().free()) attacker = t;
          if (victim == 0 && ring.right().free()) victim = t;
          REQUIRE(t < 200);
        }
        CHECK(victim - attacker == (blocked ? m.blockstun : m.hitstun) - (m.active + m.recovery));
        ++(blocked ? blocks : hits);
      }
    }
  }
  CHECK(hits == 72);
  CHECK(blocks == 84);
}

TEST_CASE("no play breaks the bounds of the state, and nobody is stuck") {
  int64_t frames = 0;
  for (int game = 0; game < 300; ++game) {
    const Rng rng{key(1000 + game)};
    Fight f = random_start(rng);
    bool good = true;
    random_round(rng, f, [&](const Fight& now, const Input(&)[2], Result) {
      ++frames;
      for (const Fighter& me : now.fighter) {
        const int half = roster().fighters[me.who].push_half * kPixel;
        good = good && me.x >= half && me.x <= kStage - half && me.y >= 0 && me.y < 160 * kPixel;
        good = good && me.meter >= 0 && me.meter <= kMaxMeter && me.guard <= kFullGuard && me.guard > 0;
        good = good && me.hp >= 0 && me.state < kNumStates && (me.state != kMove || me.move < kNumMoves);
        good = good && me.facing * me.facing == 1 && me.since < 250;
      }
    });
    CHECK(good);
    // Left alone, both come to rest.
    int busy = 0;
    f.fighter[0].hp = f.fighter[1].hp = 900;
    const Input none[2] = {};
    while (busy < 300 && !(f.fighter[0].free() && f.fighter[1].free())) play_frame(roster(), f, none), ++busy;
    CHECK(busy <= 240);
  }
  CHECK(frames > 200000);
}

TEST_CASE("combos are bounded: 45 per cent of the health without meter, 60 with") {
  for (int who = 0; who < roster().size; ++who) {
    for (bool meter : {false, true}) {
      int worst = 0, longest = 0;
      for (int trial = 0; trial < 1500; ++trial) {
        const Rng rng{fold_in(key(2000 + who), static_cast<uint32_t>(2 * trial + meter))};
        Ring ring(who, 0, 30 + rng.at(1).below(0, 60));
        if (rng.at(1).below(1, 2) == 1) ring.left().x += 150 * kPixel, ring.right().x += 150 * kPixel;  // in the corner
        int at_start = ring.right().hp;
        for (int t = 0; t < 300; ++t) {
          if (!meter || ring.right().free()) ring.left().meter = meter ? 200 : 0;
          int action = t % 3 == 0 ? rng.at(2).below(t, kNumActions) : int(kNeutral);
          if (t == 0 && rng.at(1).below(2, 2)) action = kJumpForward;
          const int hp = ring.right().hp;
          ring.act(action, kNeutral);
          // A first hit, maybe on the very frame in which the victim was free again, begins a new combo.
          if (ring.right().combo <= 1) at_start = hp;
          if (ring.right().combo == 0) continue;
          worst = std::max(worst, at_start - ring.right().hp);
          longest = std::max<int>(longest, ring.right().combo);
        }
      }
      INFO(roster().fighters[who].name << (meter ? " with" : " without") << " meter: " << worst << " in " << longest);
      CHECK(worst <= roster().fighters[0].hp * (meter ? 60 : 45) / 100);
      CHECK(worst >= 60);  // the search does find combos
    }
  }
}

TEST_CASE("a step of four frames is four frames with the presses in the first") {
  const Rng rng{key(5)};
  Fight f = random_start(rng), again = f;
  random_round(
      rng, f, [](const Fight&, const Input(&)[2], Result) {}, 800);
  Input input[2];
  for (int t = 0; t < 200; ++t) {
    for (int i = 0; i < 2; ++i) {
      input[i] = direct_input(rng.at(10 + i).below(t, kNumActions));
      input[i].direction = static_cast<uint8_t>(absolute(input[i].direction, again.fighter[i].facing));
    }
    for (int frame = 0; frame < 4; ++frame) {
      play_frame(roster(), again, input);
      input[0].presses = input[1].presses = 0;
    }
  }
  CHECK(equal(f.fighter[0], again.fighter[0]));
  CHECK(equal(f.fighter[1], again.fighter[1]));
}

// Any change of the rules changes this number; then raise Env::kVersion.
TEST_CASE("64 games of 2,000 frames are what they were") {
  uint64_t hash = 1469598103934665603u;
  auto mix = [&](int64_t value) { hash = (hash ^ static_cast<uint64_t>(value)) * 1099511628211u; };
  for (int game = 0; game < 64; ++game) {
    const Rng rng{key(game)};
    Fight f = random_start(rng);
    random_round(
        rng, f,
        [&](const Fight& now, const Input(&)[2], Result) {
          for (const Fighter& me : now.fighter) {
            for (int64_t v : {me.x, me.y, int(me.vx), int(me.vy), int(me.push), int(me.hp), int(me.meter),
                              int(me.flags), int(me.state), int(me.since), int(me.move), int(me.frame), int(me.guard),
                              int(me.stun), int(me.stop), int(me.combo), int(me.juggle)})
              mix(v);
          }
          for (const auto& shots : now.shot) {
            for (const Shot& shot : shots) mix(shot.alive() ? shot.x : -1);
          }
        },
        2000);
  }
  CHECK(hash == 8632431949041588881u);
}
