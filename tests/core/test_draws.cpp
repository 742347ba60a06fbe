// Many draws at once are the draws of one after the other, forwards and backwards, at every number of them.
#include "core/draws.hpp"

#include <catch2/catch_test_macros.hpp>
#include <vector>

using namespace throng;

TEST_CASE("draw_bits gives what bits gives") {
  for (uint32_t seed = 0; seed < 50; ++seed) {
    const Key own = fold_in(key(seed), 7);
    for (const uint32_t first : {0u, 1u, 32u, 1000u, 0xfffffff0u}) {
      uint32_t drawn[kDrawsAtOnce];
      draw_bits(own, first, drawn);
      for (int k = 0; k < kDrawsAtOnce; ++k) CHECK(drawn[k] == bits(own, first + static_cast<uint32_t>(k)));
    }
  }
}

TEST_CASE("each_draw visits every index once, with its draw") {
  const Rng rng{fold_in(key(3), 1)};
  for (const bool backwards : {false, true}) {
    for (const int n : {0, 1, 31, 32, 33, 100}) {
      Lanes lanes;
      lanes.backwards = backwards;
      std::vector<int> order;
      each_draw(lanes, rng, n, [&](int i, uint32_t drawn) {
        order.push_back(i);
        CHECK(drawn == rng.bits(i));
      });
      REQUIRE(static_cast<int>(order.size()) == n);
      for (int i = 0; i < n; ++i) CHECK(order[i] == (backwards ? n - 1 - i : i));
    }
  }
}
