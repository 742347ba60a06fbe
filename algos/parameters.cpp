// Laying out and initialising a flat block of parameters.
#include "algos/parameters.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

#include "core/error.hpp"

namespace throng {

namespace {

// Box-Muller on two uniforms of (0, 1].
double normal(Key key, uint32_t i) {
  const double u = 1.0 - uniform(key, 2 * i), v = uniform(key, 2 * i + 1);
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

// Makes the vectors orthonormal one after the other (modified Gram-Schmidt, twice against rounding).
void orthonormalise(std::vector<std::vector<double>>& vectors) {
  for (size_t i = 0; i < vectors.size(); ++i) {
    auto& v = vectors[i];
    for (int pass = 0; pass < 2; ++pass) {
      for (size_t j = 0; j < i; ++j) {
        double dot = 0;
        for (size_t k = 0; k < v.size(); ++k) dot += v[k] * vectors[j][k];
        for (size_t k = 0; k < v.size(); ++k) v[k] -= dot * vectors[j][k];
      }
    }
    double norm = 0;
    for (double x : v) norm += x * x;
    for (double& x : v) x /= std::sqrt(norm);
  }
}

}  // namespace

std::vector<float> orthogonal(int64_t rows, int64_t columns, float gain, Key key) {
  const int64_t count = std::min(rows, columns), length = std::max(rows, columns);
  std::vector<std::vector<double>> vectors(count, std::vector<double>(length));
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t k = 0; k < length; ++k) vectors[i][k] = normal(key, static_cast<uint32_t>(i * length + k));
  }
  orthonormalise(vectors);
  std::vector<float> matrix(rows * columns);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      matrix[r * columns + c] = static_cast<float>(gain * (rows < columns ? vectors[r][c] : vectors[c][r]));
    }
  }
  return matrix;
}

int64_t Parameters::add(const std::string& name, std::vector<int64_t> shape, float gain) {
  pieces_.push_back({name, std::move(shape), size_, gain});
  size_ += (pieces_.back().size() + 3) / 4 * 4;
  return pieces_.back().offset;
}

std::vector<float> Parameters::initial(Key key) const {
  std::vector<float> block(size_, 0.0f);
  for (size_t i = 0; i < pieces_.size(); ++i) {
    const Parameter& piece = pieces_[i];
    if (piece.gain == 0) continue;
    const auto values = orthogonal(piece.shape[0], piece.shape[1], piece.gain, fold_in(key, static_cast<uint32_t>(i)));
    std::copy(values.begin(), values.end(), block.begin() + piece.offset);
  }
  return block;
}

std::map<std::string, Tensor> Parameters::split(const std::vector<float>& block) const {
  std::map<std::string, Tensor> tensors;
  for (const Parameter& piece : pieces_) {
    tensors[piece.name] = Tensor::of<float>(piece.shape, std::span(block).subspan(piece.offset, piece.size()));
  }
  return tensors;
}

std::vector<float> Parameters::join(const std::map<std::string, Tensor>& from, const std::string& prefix) const {
  std::vector<float> block(size_, 0.0f);
  for (const Parameter& piece : pieces_) {
    const auto found = from.find(prefix + piece.name);
    if (found == from.end())
      throw Error("the checkpoint lacks '" + prefix + piece.name + "': it is of another network");
    if (found->second.shape != piece.shape) {
      throw Error("the checkpoint's '" + prefix + piece.name +
                  "' is of another shape: it is of another network or environment");
    }
    const auto values = found->second.as<float>();
    std::copy(values.begin(), values.end(), block.begin() + piece.offset);
  }
  return block;
}

}  // namespace throng
