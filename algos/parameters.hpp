// Parameters: one flat block of float32 numbers with names, and how each piece is initialised.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/rng.hpp"
#include "core/safetensors.hpp"

namespace throng {

// A piece of the block. Names are Flax's, joined by commas ("actor,Dense_0,kernel"), so that JAX tools read our files.
struct Parameter {
  std::string name;
  std::vector<int64_t> shape;  // kernels are [in, out]
  int64_t offset;              // in the block
  float gain;                  // of the orthogonal initialisation; 0 = zeros
  int64_t size() const {
    int64_t n = 1;
    for (int64_t extent : shape) n *= extent;
    return n;
  }
};

class Parameters {
 public:
  // Adds a piece and returns its offset; pieces begin at 16-byte borders.
  int64_t add(const std::string& name, std::vector<int64_t> shape, float gain);
  int64_t size() const { return size_; }
  const std::vector<Parameter>& pieces() const { return pieces_; }
  std::vector<float> initial(Key key) const;

  // The block as named tensors and back. Error names a piece that is missing or of another shape.
  std::map<std::string, Tensor> split(const std::vector<float>& block) const;
  std::vector<float> join(const std::map<std::string, Tensor>& from, const std::string& prefix) const;

 private:
  std::vector<Parameter> pieces_;
  int64_t size_ = 0;
};

// A matrix [rows, columns] whose shorter side is orthonormal, times gain (Saxe et al. 2014), as Flax's `orthogonal`.
std::vector<float> orthogonal(int64_t rows, int64_t columns, float gain, Key key);

}  // namespace throng
