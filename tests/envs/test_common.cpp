// What games share: counting together, drawing by shares, neighbours on a grid, sets of bits, refusals.
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "core/fixed_list.hpp"
#include "core/rng.hpp"
#include "envs/common/bits.hpp"
#include "envs/common/choices.hpp"
#include "envs/common/draw.hpp"
#include "envs/common/grid.hpp"
#include "envs/common/tally.hpp"
#include "envs/common/vector3.hpp"

namespace throng::common {

TEST_CASE("a tally is the count of every bin, in any order of its loops", "[common]") {
  for (int n : {0, 1, 63, 64, 1000, 5000}) {
    const int bins = 5, parts = tally_parts(n);
    std::vector<int> want(bins, 0), partial(static_cast<size_t>(parts) * bins, -1), count(bins, -1);
    const auto bin = [](int i) { return static_cast<int>(bits(key(1), static_cast<uint32_t>(i)) % 6) - 1; };
    for (int i = 0; i < n; ++i) {
      if (bin(i) >= 0) ++want[bin(i)];
    }
    for (bool backwards : {false, true}) {
      Lanes lanes;
      lanes.backwards = backwards;
      tally(lanes, n, bins, Field<int>{partial.data()}, Field<int>{count.data()}, bin);
      CHECK(count == want);
    }
  }
}

TEST_CASE("what is picked follows the shares, up to the last bit of the number", "[common]") {
  const FixedList<float, 4> shares = {3, {0.25f, 0, 0.75f}};
  CHECK(pick(shares, 0.0f) == 0);
  CHECK(pick(shares, 0.2499f) == 0);
  CHECK(pick(shares, 0.25f) == 2);
  CHECK(pick(shares, 1.0f) == 2);
}

TEST_CASE("neighbours end at the border", "[common]") {
  const Grid grid{2, 3};
  const std::vector<std::vector<int>> want = {{-1, 3, -1, 1}, {-1, 4, 0, 2}, {-1, 5, 1, -1},
                                              {0, -1, -1, 4}, {1, -1, 3, 5}, {2, -1, 4, -1}};
  for (int cell = 0; cell < 6; ++cell) {
    for (int direction = 0; direction < kDirections; ++direction) {
      CHECK(grid.neighbour(cell, direction) == want[cell][direction]);
    }
    CHECK(grid.at(grid.row_of(cell), grid.column_of(cell)) == cell);
    CHECK((grid.neighbour(cell, -1) == -1 && grid.neighbour(cell, 4) == -1));
  }
}

TEST_CASE("eight bits are eight bytes", "[common]") {
  for (uint64_t eight = 0; eight < 256; ++eight) {
    const uint64_t bytes = bytes_of_bits(eight | 0xff00);  // what lies above does not count
    for (int i = 0; i < 8; ++i) REQUIRE((bytes >> 8 * i & 0xff) == (has_bit(eight, i) ? 1 : 0));
  }
  CHECK(count_bits(0u) == 0);
  CHECK(count_bits(~uint64_t(0)) == 64);
}

TEST_CASE("a setting out of range is named with its range", "[common]") {
  CHECK_NOTHROW(check_range("game", "size", 3, 3, 5));
  std::string said;
  try {
    check_range("game", "size", 6, 3, 5);
  } catch (const Error& error) {
    said = error.what();
  }
  CHECK(said == "game: size is 6; valid: 3 to 5");
  CHECK_THROWS_AS(check_range("game", "size", 0.0 / 0.0, 3, 5), Error);
  CHECK_THROWS_AS(check_distribution("game", "shares", FixedList<float, 2>{2, {0.5f, 0.6f}}), Error);
}

TEST_CASE("clamping has an answer for every number", "[common]") {
  CHECK(clamp(2, -1, 1) == 1);
  CHECK(clamp(-2, -1, 1) == -1);
  CHECK(clamp(0.5f, -1, 1) == 0.5f);
  CHECK(clamp(0.0f / 0.0f, -1, 1) == -1);
  CHECK(length({3, 0, -4}) == 5);
}

}  // namespace throng::common
