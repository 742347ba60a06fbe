// Pixels of the fighting game: what lies where, that they are mirrored with the stage, delayed, stacked and hidden.
#include <algorithm>

#include "core/instance.hpp"
#include "envs/fighting/fighting.hpp"
#include "tests/envs/fighting_ring.hpp"

using namespace throng;
using namespace throng::fighting;

namespace {

fighting::Params settings(uint8_t observation = kGray, int frame_stack = 1) {
  fighting::Params p;
  p.observation = observation;
  p.frame_stack = frame_stack;
  p.fighter = p.opponent_fighter = {5, "ALDER"};
  return p;
}

// A fight placed by hand, as a network sees it.
struct Screen {
  HostInstance<Pixels> instance;

  explicit Screen(fighting::Params p = settings()) : instance((p.check(), p)) { instance.env().reset(Rng{key(3)}); }

  Screen& place(const Fight& f) {
    instance.env().s.store(f);
    return *this;
  }
  // The whole observation of an agent, [frame, plane, row, column].
  std::vector<uint8_t> seen(int agent) {
    const Pixels env = instance.env();
    env.prepare_views();
    std::vector<uint8_t> pixels(size_t(Pixels::observe_parts(instance.params())) * kPiece);
    Writer<uint8_t> out{pixels.data()};
    env.observe(agent, out);
    REQUIRE(out.next == pixels.data() + pixels.size());
    return pixels;
  }
  std::vector<float> rewards = std::vector<float>(2);
  bool step(int a, int b) {
    const std::vector<int32_t> actions = {a, b};
    return instance.env().step(Actions{actions.data()}, Rewards{rewards.data(), 1}, Rng{key(1)});
  }
};

constexpr size_t kPlane = size_t(kScreenHeight) * kScreenWidth;
int at(const std::vector<uint8_t>& pixels, int row, int column, int plane = 0) {
  return pixels[plane * kPlane + size_t(row) * kScreenWidth + column];
}
std::vector<uint8_t> plane_of(const std::vector<uint8_t>& pixels, int plane) {
  return {pixels.begin() + long(plane * kPlane), pixels.begin() + long((plane + 1) * kPlane)};
}

}  // namespace

TEST_CASE("a picture has sky in columns, ground, bodies, bars and the clock where they belong") {
  Ring ring("ALDER", "ALDER", 96);  // at 144 and 240, 32 wide and 64 high
  ring.f.fighter[1].hp = 475;
  ring.f.fighter[0].meter = 150;
  Screen screen;
  const std::vector<uint8_t> seen = screen.place(ring.f).seen(0);
  CHECK(at(seen, 20, 0) == 12);
  CHECK(at(seen, 20, 16) == 18);
  CHECK(at(seen, 88, 0) == 40);
  CHECK(at(seen, 87, 48) == 150);       // feet of ALDER, number 0
  CHECK(at(seen, 88 - 22, 48) == 150);  // 64 pixels of the stage are 22 rows
  CHECK(at(seen, 88 - 23, 48) == 18);   // above
  CHECK(at(seen, 87, 42) == 150);       // 128 to 160 are columns 42 to 53
  CHECK(at(seen, 87, 41) == 12);
  CHECK(at(seen, 87, 53) == 150);
  CHECK(at(seen, 67, 53) == 180);  // the head is in front
  CHECK(at(seen, 67, 74) == 130);  // and the other's at its left
  CHECK(at(seen, 87, 80) == 100);
  CHECK(at(seen, 3, 4) == 200);
  CHECK(at(seen, 3, 59) == 200);
  CHECK(at(seen, 3, 123) == 200);
  CHECK(at(seen, 3, 96) == 200);  // half of its health
  CHECK(at(seen, 3, 95) == 18);
  CHECK(at(seen, 3, 60) == 160);
  CHECK(at(seen, 91, 4) == 90);
  CHECK(at(seen, 93, 31) == 90);  // half of the meter
  CHECK(at(seen, 93, 32) == 40);
  CHECK(at(seen, 93, 123) == 40);
}

TEST_CASE("an attack is announced by an outline that fills up, and is white while it is dangerous") {
  Ring ring("ALDER", "ALDER", 120);
  ring.act(kAct5H, kNeutral);
  Screen screen;
  const Move& m = ring.move(0, k5H);
  const int right = (ring.left().x + (m.box_x + m.box_w) * kPixel + kScreenPixel - 1) / kScreenPixel - 1;
  const int row = kGroundRow - (m.box_y + m.box_h / 2) / 3;
  std::vector<uint8_t> seen = screen.place(ring.f).seen(0);
  CHECK(at(seen, row, right) == 180);     // the outline
  CHECK(at(seen, row, right - 2) < 100);  // not yet
  ring.until([&] { return ring.left().frame == m.startup - 1; });
  seen = screen.place(ring.f).seen(0);
  CHECK(at(seen, row, right - 3) == 180);
  ring.frame();
  seen = screen.place(ring.f).seen(0);
  CHECK(at(seen, row, right - 2) == 255);

  fighting::Params p = settings();
  p.hide.push_back(kHideMove);
  Screen blind(p);
  CHECK(at(blind.place(ring.f).seen(0), row, right - 2) == 255);  // one's own is seen
  const std::vector<uint8_t> other = blind.place(ring.f).seen(1);
  CHECK(std::count(other.begin(), other.end(), 255) == 0);
  CHECK(std::count(seen.begin(), seen.end(), 255) > 0);
}

TEST_CASE("seats exchanged and the stage reflected is the same picture") {
  Screen screen;
  Ring ring("DRIFT", "KELP", 90);
  uint32_t draw = 0;
  for (int t = 0; t < 300 && ring.result == Result::kRunning; ++t) {
    ring.act(below(key(5), draw, kNumActions), below(key(6), draw, kNumActions), 4);
    ++draw;
    Fight mirror = ring.f;
    for (int i = 0; i < 2; ++i) {
      mirror.fighter[i] = mirror_image(ring.f.fighter[1 - i]);
      for (int slot = 0; slot < kShots; ++slot) {
        Shot& shot = mirror.shot[i][slot] = ring.f.shot[1 - i][slot];
        shot.x = kStage - shot.x;
        shot.vx = static_cast<int16_t>(-shot.vx);
      }
    }
    const std::vector<uint8_t> seen[2] = {screen.place(ring.f).seen(0), screen.seen(1)};
    REQUIRE(screen.place(mirror).seen(1) == seen[0]);
    REQUIRE(screen.seen(0) == seen[1]);
  }
}

TEST_CASE("without mirror the stage stays as it is") {
  Ring ring("ALDER", "ALDER", 96);
  fighting::Params p = settings();
  p.mirror = false;
  Screen screen(p);
  const std::vector<uint8_t> seen = screen.place(ring.f).seen(1);
  CHECK(at(seen, 87, 48) == 100);
  CHECK(at(seen, 87, 80) == 150);
}

TEST_CASE("rgb is three planes of the same shapes") {
  Ring ring("ALDER", "ALDER", 96);
  Screen gray, color(settings(kRgb));
  const std::vector<uint8_t> one = gray.place(ring.f).seen(0), three = color.place(ring.f).seen(0);
  REQUIRE(three.size() == 3 * one.size());
  int different = 0;
  for (int row = 0; row < kScreenHeight; ++row) {
    for (int column = 1; column < kScreenWidth; ++column) {
      if (at(one, row, column) == at(one, row, column - 1)) continue;
      bool differs = false;
      for (int plane = 0; plane < 3; ++plane) {
        differs = differs || at(three, row, column, plane) != at(three, row, column - 1, plane);
      }
      different += !differs;
    }
  }
  CHECK(different == 0);
  CHECK(at(three, 87, 48, 2) > at(three, 87, 48, 0));  // blue
}

TEST_CASE("a stack holds the last decisions, the oldest first, and the first ones when a round begins") {
  Screen four(settings(kGray, 4)), one;
  std::vector<std::vector<uint8_t>> single = {one.seen(0)};
  std::vector<uint8_t> stack = four.seen(0);
  for (int frame = 0; frame < 4; ++frame) CHECK(plane_of(stack, frame) == single[0]);
  for (int t = 0; t < 6; ++t) {
    four.step(kForward, kJumpUp);
    one.step(kForward, kJumpUp);
    single.push_back(one.seen(0));
  }
  CHECK(single[5] != single[6]);
  stack = four.seen(0);
  for (int frame = 0; frame < 4; ++frame) CHECK(plane_of(stack, frame) == single[size_t(3 + frame)]);
}

TEST_CASE("with a delay the opponent is seen as it was, oneself as one is") {
  fighting::Params late = settings(kGray, 2);
  late.reaction_delay = 8;
  Screen delayed(late), now;
  std::vector<Fight> past = {now.instance.env().s.load()};
  for (int t = 0; t < 5; ++t) {
    delayed.step(kForward, kJumpUp);
    now.step(kForward, kJumpUp);
    past.push_back(now.instance.env().s.load());
  }
  const std::vector<uint8_t> stack = delayed.seen(0);
  for (int frame = 0; frame < 2; ++frame) {
    Fight f = past[size_t(4 + frame)];
    f.fighter[1] = past[size_t(2 + frame)].fighter[1];
    CHECK(plane_of(stack, frame) == now.place(f).seen(0));
  }
}

TEST_CASE("numbers can be stacked, too") {
  const auto row = [](int frame_stack, int steps) {
    fighting::Params p = settings(kVector, frame_stack);
    p.check();
    HostInstance<fighting::Env> instance(p);
    instance.env().reset(Rng{key(3)});
    std::vector<float> rewards(2);
    const std::vector<int32_t> actions = {kForward, kJumpUp};
    for (int t = 0; t < steps; ++t) {
      instance.env().step(Actions{actions.data()}, Rewards{rewards.data(), 1}, Rng{key(1)});
    }
    std::vector<float> values(size_t(184) * frame_stack);
    Writer<float> out{values.data()};
    instance.env().prepare_views();
    instance.env().observe(0, out);
    REQUIRE(out.next == values.data() + values.size());
    return values;
  };
  std::vector<float> both = row(1, 4);
  const std::vector<float> last = row(1, 5);
  both.insert(both.end(), last.begin(), last.end());
  CHECK(row(2, 5) == both);
}
