// How shapes become pixels: each is a signed distance, and a pixel is covered by as much as lies inside.
#include "core/canvas.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/file.hpp"

#ifdef THRONG_STB
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include <stb/stb_easy_font.h>
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop
#endif

namespace throng {

namespace {

struct Pixel {  // its centre, or a place between pixels
  float x, y;
};

float length(float x, float y) { return std::sqrt(x * x + y * y); }

float to_segment(Pixel p, Pixel a, Pixel b) {
  const float bx = b.x - a.x, by = b.y - a.y, px = p.x - a.x, py = p.y - a.y;
  const float along = bx * bx + by * by;
  const float t = along > 0 ? std::clamp((px * bx + py * by) / along, 0.0f, 1.0f) : 0.0f;
  return length(px - t * bx, py - t * by);
}

// Negative on the right of the way from a to b (clockwise, as y grows downwards).
float side_of(Pixel p, Pixel a, Pixel b) {
  const float bx = b.x - a.x, by = b.y - a.y;
  const float far = std::max(length(bx, by), 1e-6f);
  return ((p.x - a.x) * by - (p.y - a.y) * bx) / far;
}

}  // namespace

void Canvas::view(float left, float top, float right, float bottom, Color background) {
  const float width = right - left, height = std::abs(bottom - top);
  scale_ = static_cast<float>(size_) / std::max(width, height);
  left_ = left;
  top_ = top;
  down_ = bottom > top ? 1.0f : -1.0f;
  image_.width = std::max(1, static_cast<int>(std::lround(width * scale_)));
  image_.height = std::max(1, static_cast<int>(std::lround(height * scale_)));
  image_.rgb.resize(size_t(3) * image_.width * image_.height);
  for (size_t i = 0; i < image_.rgb.size(); i += 3) {
    image_.rgb[i] = background.red, image_.rgb[i + 1] = background.green, image_.rgb[i + 2] = background.blue;
  }
}

void Canvas::blend(int column, int row, Color color, float coverage) {
  uint8_t* pixel = &image_.rgb[3 * (size_t(row) * image_.width + column)];
  const uint8_t values[] = {color.red, color.green, color.blue};
  for (int i = 0; i < 3; ++i) {
    const float mixed = static_cast<float>(pixel[i]) + coverage * (static_cast<float>(values[i]) - pixel[i]);
    pixel[i] = static_cast<uint8_t>(std::lround(mixed));
  }
}

// `distance(pixel)` is how far outside the shape a pixel's centre lies, negative inside.
template <class Distance>
void Canvas::fill(const Box& around, Color color, const Distance& distance) {
  const auto within = [](float at, int end) { return static_cast<int>(std::clamp(at, 0.0f, static_cast<float>(end))); };
  const int first_row = within(around.top - 1, image_.height), end_row = within(around.bottom + 2, image_.height);
  const int first = within(around.left - 1, image_.width), end = within(around.right + 2, image_.width);
  for (int row = first_row; row < end_row; ++row) {
    for (int column = first; column < end; ++column) {
      const Pixel centre{static_cast<float>(column) + 0.5f, static_cast<float>(row) + 0.5f};
      const float coverage = std::clamp(0.5f - distance(centre), 0.0f, 1.0f) * color.opacity;
      if (coverage > 0) blend(column, row, color, coverage);
    }
  }
}

void Canvas::disc(float x, float y, float radius, Color color) {
  const Pixel at{column(x), row(y)};
  const float r = radius * scale_;
  fill({at.x - r, at.y - r, at.x + r, at.y + r}, color, [&](Pixel p) { return length(p.x - at.x, p.y - at.y) - r; });
}

void Canvas::ring(float x, float y, float radius, float thickness, Color color) {
  const Pixel at{column(x), row(y)};
  const float r = radius * scale_, half = 0.5f * thickness * scale_, reach = r + half;
  fill({at.x - reach, at.y - reach, at.x + reach, at.y + reach}, color,
       [&](Pixel p) { return std::abs(length(p.x - at.x, p.y - at.y) - r) - half; });
}

void Canvas::pie(float x, float y, float radius, float share, Color color) {
  if (share <= 0) return;
  if (share >= 1) return disc(x, y, radius, color);
  constexpr float kTwoPi = 6.2831853f;
  const Pixel at{column(x), row(y)}, top{at.x, at.y - 1};
  const Pixel hand{at.x + std::sin(share * kTwoPi), at.y - std::cos(share * kTwoPi)};
  const float r = radius * scale_;
  fill({at.x - r, at.y - r, at.x + r, at.y + r}, color, [&](Pixel p) {
    const float after_top = side_of(p, at, top), before_hand = -side_of(p, at, hand);
    const float wedge = share <= 0.5f ? std::max(after_top, before_hand) : std::min(after_top, before_hand);
    return std::max(length(p.x - at.x, p.y - at.y) - r, wedge);
  });
}

void Canvas::line(float x0, float y0, float x1, float y1, float thickness, Color color) {
  const Pixel a{column(x0), row(y0)}, b{column(x1), row(y1)};
  const float half = 0.5f * thickness * scale_;
  fill({std::min(a.x, b.x) - half, std::min(a.y, b.y) - half, std::max(a.x, b.x) + half, std::max(a.y, b.y) + half},
       color, [&](Pixel p) { return to_segment(p, a, b) - half; });
}

void Canvas::rectangle(float left, float top, float right, float bottom, Color color) {
  const Pixel a{column(left), std::min(row(top), row(bottom))}, b{column(right), std::max(row(top), row(bottom))};
  fill({a.x, a.y, b.x, b.y}, color,
       [&](Pixel p) { return std::max(std::max(a.x - p.x, p.x - b.x), std::max(a.y - p.y, p.y - b.y)); });
}

void Canvas::triangle(float x0, float y0, float x1, float y1, float x2, float y2, Color color) {
  const Pixel a{column(x0), row(y0)}, b{column(x1), row(y1)}, c{column(x2), row(y2)};
  const float turn = side_of(c, a, b) <= 0 ? 1.0f : -1.0f;  // so that inside is negative for both orders of corners
  fill({std::min({a.x, b.x, c.x}), std::min({a.y, b.y, c.y}), std::max({a.x, b.x, c.x}), std::max({a.y, b.y, c.y})},
       color, [&](Pixel p) {
         return std::max({turn * side_of(p, a, b), turn * side_of(p, b, c), turn * side_of(p, c, a)});
       });
}

#ifdef THRONG_STB

// The font comes as rectangles on a grid in which capital letters are 7 high.
void Canvas::text(float x, float y, float height, const std::string& words, Color color) {
  struct Corner {
    float x, y, z;
    unsigned char color[4];
  };
  std::string copy = words;
  std::vector<Corner> corners(size_t(4) * (20 * words.size() + 1));
  const int quads = stb_easy_font_print(0, 0, copy.data(), nullptr, corners.data(),
                                        static_cast<int>(corners.size() * sizeof(Corner)));
  const float unit = height * scale_ / 7, width = static_cast<float>(stb_easy_font_width(copy.data()) - 1);
  const float left = column(x) - 0.5f * width * unit, top = row(y) - 3.5f * unit;
  for (int i = 0; i < quads; ++i) {
    const Corner &a = corners[4 * i], &b = corners[4 * i + 2];
    const Box box{left + a.x * unit, top + a.y * unit, left + b.x * unit, top + b.y * unit};
    fill(box, color, [&](Pixel p) {
      return std::max(std::max(box.left - p.x, p.x - box.right), std::max(box.top - p.y, p.y - box.bottom));
    });
  }
}

void write_png(const std::string& path, const Image& image) {
  std::string bytes;
  const auto keep = [](void* to, void* data, int size) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(data), static_cast<size_t>(size));
  };
  if (stbi_write_png_to_func(keep, &bytes, image.width, image.height, 3, image.rgb.data(), 3 * image.width) == 0) {
    throw Error(path + ": a picture of " + std::to_string(image.width) + " x " + std::to_string(image.height) +
                " pixels cannot be written");
  }
  write_file_atomically(path, bytes);
}

#else

void Canvas::text(float, float, float, const std::string&, Color) {}

void write_png(const std::string& path, const Image&) {
  throw Error(path + ": this build has no PNG writer; install libstb-dev and build again");
}

#endif

}  // namespace throng
