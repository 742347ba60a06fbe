// Charts: what is drawn, where it stands, and what is refused.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>

#include "core/chart.hpp"
#include "core/error.hpp"

using namespace throng;
using Catch::Matchers::ContainsSubstring;

namespace {

int count(const std::string& text, const std::string& part) {
  int n = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++n;
  return n;
}

}  // namespace

TEST_CASE("a chart has a path for each line, a circle for each point, and a band where one is given") {
  const Chart chart{"a < b",
                    "steps",
                    "return",
                    {{"one", {0, 1, 2}, {0, 1, 4}, Series::kLine, {0, 0, 3}, {1, 2, 5}},
                     {"two", {0, 1, 2}, {3, NAN, 1}, Series::kPoints}}};
  const std::string svg = chart.svg();
  CHECK_THAT(svg, ContainsSubstring("a &lt; b") && ContainsSubstring("steps") && ContainsSubstring(">two<"));
  CHECK(count(svg, "stroke-width='1.8'") == 1);
  CHECK(count(svg, "<circle") == 2);  // a point that is no number is left out
  CHECK(count(svg, "<polygon") == 1);
}

TEST_CASE("a line is broken at what is no number, and a lone value still has an axis") {
  const std::string svg = Chart{"", "", "", {{"", {0, 1, 2, 3}, {5, NAN, 5, 5}}}}.svg();
  CHECK(svg.find("nan") == svg.npos);
  const size_t path = svg.find("stroke-width='1.8'"), begin = svg.rfind("<path d='", path);
  CHECK(count(svg.substr(begin, path - begin), "M") == 2);
}

TEST_CASE("the marks of an axis are round and stand where their numbers are") {
  const std::string svg = Chart{"", "", "", {{"", {0, 100}, {0, 1}}}}.svg();
  for (const char* mark : {">0<", ">20<", ">40<", ">60<", ">80<", ">100<", ">0.2<", ">0.8<"})
    CHECK_THAT(svg, ContainsSubstring(mark));
}

TEST_CASE("a matrix shows its numbers, cold to warm") {
  const std::string svg = MatrixChart{"payoffs", {"a", "b"}, {"a", "b"}, {{0.5, 1}, {0, NAN}}}.svg();
  CHECK_THAT(svg, ContainsSubstring("0.50") && ContainsSubstring("1.00") && ContainsSubstring("rgb(245,105,105)") &&
                      ContainsSubstring("rgb(105,105,245)") && ContainsSubstring("#eee"));
}

TEST_CASE("arrays of different sizes are refused by name") {
  CHECK_THROWS_WITH((Chart{"c", "", "", {{"bad", {0, 1}, {0}}}}.svg()), ContainsSubstring("series 'bad'"));
  CHECK_THROWS_WITH((MatrixChart{"m", {"a"}, {"a", "b"}, {{1}}}.svg()), ContainsSubstring("1 x 2"));
}
