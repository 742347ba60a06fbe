// Canvas: a picture that a game draws of its state, in its own units, on the host and without a window.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace throng {

// Rows from top to bottom, [height, width, 3].
struct Image {
  int width = 0, height = 0;
  std::vector<uint8_t> rgb;
};

struct Color {
  uint8_t red = 0, green = 0, blue = 0;
  float opacity = 1;

  Color faded(float by) const { return {red, green, blue, opacity * by}; }
};

namespace colors {
// A dark ground and seven colors that the colour-blind can tell apart (Okabe and Ito 2008), for teams and kinds.
inline constexpr Color kGround = {24, 28, 34}, kGrid = {44, 50, 60}, kWhite = {240, 240, 235}, kGrey = {128, 134, 142};
inline constexpr Color kBlue = {86, 180, 233}, kOrange = {230, 159, 0}, kGreen = {0, 158, 115}, kRed = {213, 94, 0},
                       kPink = {204, 121, 167}, kYellow = {240, 228, 66}, kNavy = {0, 114, 178};
inline constexpr Color kKinds[] = {kBlue, kOrange, kGreen, kRed, kPink, kYellow, kNavy};
}  // namespace colors

// Shapes are smooth at their edges and laid over what is there. A game calls view() first, then draws from back to front:
//
//   void render(Canvas& canvas) const {
//     canvas.view(0, 0, p.columns, p.rows, colors::kGround);
//     for (int a = 0; a < p.num_agents; ++a) canvas.disc(column(a) + 0.5f, row(a) + 0.5f, 0.4f, colors::kBlue);
//   }
class Canvas {
 public:
  // `size` is the longer side of the picture in pixels.
  explicit Canvas(int size) : size_(size) {}

  // The picture shows this part of the game's world, in the game's units; `top` may be the larger or the smaller y.
  void view(float left, float top, float right, float bottom, Color background);

  void disc(float x, float y, float radius, Color color);
  void ring(float x, float y, float radius, float thickness, Color color);  // `radius` is in the middle of the ring
  // A slice of a disc that begins at the top and goes clockwise; `share` from 0 to 1.
  void pie(float x, float y, float radius, float share, Color color);
  void line(float x0, float y0, float x1, float y1, float thickness, Color color);
  void rectangle(float left, float top, float right, float bottom, Color color);
  void triangle(float x0, float y0, float x1, float y1, float x2, float y2, Color color);
  // Centred on (x, y), capital letters `height` high. Draws nothing in a build without stb_easy_font.h.
  void text(float x, float y, float height, const std::string& words, Color color);

  // One pixel in the game's units: what is thinner can hardly be seen.
  float pixel() const { return 1 / scale_; }
  const Image& image() const { return image_; }

 private:
  struct Box {  // of pixels
    float left, top, right, bottom;
  };
  template <class Distance>
  void fill(const Box& around, Color color, const Distance& distance);
  void blend(int column, int row, Color color, float coverage);
  float column(float x) const { return (x - left_) * scale_; }
  float row(float y) const { return (y - top_) * down_ * scale_; }

  int size_;
  float scale_ = 1;  // pixels per unit
  float left_ = 0, top_ = 0, down_ = 1;
  Image image_;
};

// Error if the file cannot be written, or if throng was built without stb_image_write.h (Debian: libstb-dev).
void write_png(const std::string& path, const Image& image);

}  // namespace throng
