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

std::vector<float> lecun_normal(int64_t rows, int64_t columns, Key key) {
  constexpr double kStdOfCut = 0.87962566103423978;  // of a standard normal number cut at -2 and 2
  const double scale = 1.0 / (kStdOfCut * std::sqrt(static_cast<double>(rows)));
  std::vector<float> matrix(rows * columns);
  for (size_t i = 0; i < matrix.size(); ++i) {
    double drawn = 3;
    for (uint32_t attempt = 0; std::abs(drawn) > 2; ++attempt)
      drawn = normal(fold_in(key, attempt), static_cast<uint32_t>(i));
    matrix[i] = static_cast<float>(scale * drawn);
  }
  return matrix;
}

int64_t Parameters::add(const std::string& name, std::vector<int64_t> shape, Init init) {
  const int64_t offset = size_, stride = shape.back();
  pieces_.push_back({name, std::move(shape), offset, stride, init});
  reserve(pieces_.back().size());
  return offset;
}

int64_t Parameters::add_beside(const std::vector<std::string>& names, int64_t rows, int64_t columns, Init init) {
  const int64_t offset = size_, stride = columns * static_cast<int64_t>(names.size());
  const std::vector<int64_t> shape = rows > 0 ? std::vector{rows, columns} : std::vector{columns};
  for (size_t i = 0; i < names.size(); ++i)
    pieces_.push_back({names[i], shape, offset + static_cast<int64_t>(i) * columns, stride, init});
  reserve(std::max<int64_t>(rows, 1) * stride);
  return offset;
}

int64_t Parameters::count() const {
  int64_t all = 0;
  for (const Parameter& piece : pieces_) all += piece.size();
  return all;
}

std::vector<float> Parameters::initial(Key key) const {
  std::vector<float> block(size_, 0.0f);
  for (size_t i = 0; i < pieces_.size(); ++i) {
    const Parameter& piece = pieces_[i];
    if (piece.init.kind == Init::kZeros) continue;
    const Key own = fold_in(key, static_cast<uint32_t>(i));
    const auto values = piece.init.kind == Init::kOrthogonal
                            ? orthogonal(piece.rows(), piece.columns(), piece.init.gain, own)
                            : lecun_normal(piece.rows(), piece.columns(), own);
    for (int64_t k = 0; k < piece.size(); ++k) block[piece.at(k)] = values[k];
  }
  return block;
}

std::string Parameters::first_not_finite(const std::vector<float>& block) const {
  for (const Parameter& piece : pieces_) {
    for (int64_t k = 0; k < piece.size(); ++k) {
      if (!std::isfinite(block[piece.at(k)])) return piece.name;
    }
  }
  return "";
}

std::map<std::string, Tensor> Parameters::split(const std::vector<float>& block) const {
  std::map<std::string, Tensor> tensors;
  for (const Parameter& piece : pieces_) {
    std::vector<float> values(piece.size());
    for (int64_t k = 0; k < piece.size(); ++k) values[k] = block[piece.at(k)];
    tensors[piece.name] = Tensor::of<float>(piece.shape, values);
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
    for (int64_t k = 0; k < piece.size(); ++k) block[piece.at(k)] = values[k];
  }
  return block;
}

}  // namespace throng
