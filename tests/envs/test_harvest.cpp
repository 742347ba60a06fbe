// The rules of harvest on hand-made states: growth, moves, beams, respawns and time outs.
#include <catch2/catch_test_macros.hpp>
#include "tests/envs/harvest_orchard.hpp"
namespace throng::harvest {
TEST_CASE("x") {}
}
