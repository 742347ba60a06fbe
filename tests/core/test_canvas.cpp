// Pictures: where shapes lie, how much of a pixel they cover, and the file that they end in.
#include "core/canvas.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "core/error.hpp"
#include "core/file.hpp"

using namespace throng;

namespace {

constexpr Color kBlack = {0, 0, 0}, kFull = {255, 255, 255};

int at(const Image& image, int column, int row) { return image.rgb[3 * (size_t(row) * image.width + column)]; }

// White on black in a view of 20 by 10 units and 200 by 100 pixels: how many pixels are covered, in units of area.
double area(const std::function<void(Canvas&)>& draw) {
  Canvas canvas(200);
  canvas.view(0, 0, 20, 10, kBlack);
  draw(canvas);
  double sum = 0;
  for (size_t i = 0; i < canvas.image().rgb.size(); i += 3) sum += canvas.image().rgb[i] / 255.0;
  return sum / 100;
}

}  // namespace

TEST_CASE("a view has the shape of its world, and either direction of y") {
  Canvas canvas(200);
  canvas.view(0, 0, 20, 10, {1, 2, 3});
  CHECK(canvas.image().width == 200);
  CHECK(canvas.image().height == 100);
  CHECK(canvas.image().rgb.size() == 60000);
  CHECK(std::vector<uint8_t>(canvas.image().rgb.end() - 3, canvas.image().rgb.end()) == std::vector<uint8_t>{1, 2, 3});
  CHECK(canvas.pixel() == 0.1f);
  canvas.rectangle(0, 0, 1, 1, kFull);
  CHECK(at(canvas.image(), 5, 5) == 255);
  canvas.view(-10, 5, 10, -5, kBlack);  // y upwards
  canvas.rectangle(-10, 4, -9, 5, kFull);
  CHECK(at(canvas.image(), 5, 5) == 255);
  CHECK(at(canvas.image(), 5, 15) == 0);
}

TEST_CASE("shapes cover their area, smoothly") {
  using Catch::Matchers::WithinRel;
  constexpr double kPi = 3.14159265;
  CHECK_THAT(area([](Canvas& c) { c.disc(10, 5, 2, kFull); }), WithinRel(4 * kPi, 0.003));
  CHECK_THAT(area([](Canvas& c) { c.ring(10, 5, 3, 0.5f, kFull); }), WithinRel(3 * kPi, 0.003));
  CHECK_THAT(area([](Canvas& c) { c.pie(10, 5, 4, 0.25f, kFull); }), WithinRel(4 * kPi, 0.01));
  CHECK_THAT(area([](Canvas& c) { c.pie(10, 5, 4, 0.75f, kFull); }), WithinRel(12 * kPi, 0.01));
  CHECK_THAT(area([](Canvas& c) { c.rectangle(3.03f, 2, 7.07f, 4, kFull); }), WithinRel(2 * 4.04, 0.003));
  CHECK_THAT(area([](Canvas& c) { c.line(4, 2, 16, 7, 1, kFull); }), WithinRel(13 + kPi / 4, 0.003));
  CHECK_THAT(area([](Canvas& c) { c.triangle(2, 2, 8, 3, 4, 9, kFull); }), WithinRel(20.0, 0.01));
  CHECK_THAT(area([](Canvas& c) { c.triangle(4, 9, 8, 3, 2, 2, kFull); }),
             WithinRel(20.0, 0.01));  // the other way round
  CHECK_THAT(area([](Canvas& c) { c.rectangle(0, 0, 10, 10, kFull.faded(0.5f)); }), WithinRel(50.0, 0.01));
  CHECK(area([](Canvas& c) { c.pie(10, 5, 4, 0, kFull); }) == 0);
}

TEST_CASE("a slice begins at the top and goes clockwise") {
  Canvas canvas(100);
  canvas.view(0, 0, 10, 10, kBlack);
  canvas.pie(5, 5, 4, 0.25f, kFull);
  CHECK(at(canvas.image(), 60, 40) == 255);
  CHECK(at(canvas.image(), 40, 40) == 0);
  CHECK(at(canvas.image(), 60, 60) == 0);
}

TEST_CASE("what lies outside the picture is cut off") {
  CHECK(area([](Canvas& c) { c.disc(-50, 5, 3, kFull); }) == 0);
  CHECK(area([](Canvas& c) { c.line(-100, 5, 100, 5, 1, kFull); }) == 20);
  CHECK(area([](Canvas& c) { c.disc(10, 5, 500, kFull); }) == 200);
}

TEST_CASE("a picture becomes a PNG file") {
  const char* folder = std::getenv("TMPDIR");
  const std::string path = std::string(folder ? folder : "/tmp") + "/throng_canvas_test.png";
  Canvas canvas(64);
  canvas.view(0, 0, 1, 1, kBlack);
  canvas.text(0.5f, 0.5f, 0.2f, "8", kFull);
  try {
    write_png(path, canvas.image());
  } catch (const Error& error) {
    SKIP(error.what());
  }
  CHECK(read_file(path).substr(1, 3) == "PNG");
  CHECK(at(canvas.image(), 0, 0) == 0);
  CHECK(*std::max_element(canvas.image().rgb.begin(), canvas.image().rgb.end()) == 255);
  std::filesystem::remove(path);
}
