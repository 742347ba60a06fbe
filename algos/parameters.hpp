// Parameters: one flat block of float32 numbers with names, and how each piece is initialised.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/rng.hpp"
#include "core/safetensors.hpp"

namespace throng {

// How a piece begins: zeros, `gain` times an orthogonal matrix, or LeCun's normal distribution.
struct Init {
  enum Kind { kZeros, kOrthogonal, kLecunNormal } kind = kZeros;
  float gain = 1.0f;

  static Init zeros() { return {}; }
  static Init orthogonal(float gain) { return {kOrthogonal, gain}; }
  static Init lecun_normal() { return {kLecunNormal, 1.0f}; }
};

// A piece of the block: a vector, or a matrix, of two dimensions or more, whose rows lie `stride` apart. Names are Flax's, joined by commas
// ("actor,Dense_0,kernel"), so that JAX tools read our files.
struct Parameter {
  std::string name;
  std::vector<int64_t> shape;  // kernels are [in, out], of convolutions [side, side, in, out]
  int64_t offset;              // in the block
  int64_t stride;
  Init init;

  int64_t rows() const {  // of the matrix that all dimensions but the last make
    int64_t rows = 1;
    for (size_t i = 0; i + 1 < shape.size(); ++i) rows *= shape[i];
    return rows;
  }
  int64_t columns() const { return shape.back(); }
  int64_t size() const { return rows() * columns(); }
  int64_t at(int64_t i) const { return offset + i / columns() * stride + i % columns(); }  // of element i
};

class Parameters {
 public:
  // Adds a piece and returns its offset; pieces begin at 16-byte borders.
  int64_t add(const std::string& name, std::vector<int64_t> shape, Init init);
  // Adds matrices [rows, columns] - vectors, if rows is 0 - that lie side by side, so that one product can take them all, and
  // returns the offset.
  int64_t add_beside(const std::vector<std::string>& names, int64_t rows, int64_t columns, Init init);

  int64_t size() const { return size_; }
  int64_t count() const;  // numbers that are learned: the size without what is between pieces
  const std::vector<Parameter>& pieces() const { return pieces_; }
  std::vector<float> initial(Key key) const;
  // The name of the first piece that holds a number that is not finite, or "".
  std::string first_not_finite(const std::vector<float>& block) const;

  // The block as named tensors and back. Error names a piece that is missing or of another shape.
  std::map<std::string, Tensor> split(const std::vector<float>& block) const;
  std::vector<float> join(const std::map<std::string, Tensor>& from, const std::string& prefix) const;

 private:
  void reserve(int64_t numbers) { size_ += (numbers + 3) / 4 * 4; }

  std::vector<Parameter> pieces_;
  int64_t size_ = 0;
};

// A matrix [rows, columns] whose shorter side is orthonormal, times gain (Saxe et al. 2014), as Flax's `orthogonal`.
std::vector<float> orthogonal(int64_t rows, int64_t columns, float gain, Key key);
// Independent normal numbers of variance 1 / rows, cut at two standard deviations, as Flax's `lecun_normal`.
std::vector<float> lecun_normal(int64_t rows, int64_t columns, Key key);

}  // namespace throng
