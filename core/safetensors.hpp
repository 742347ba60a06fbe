// safetensors files: named tensors of plain bytes behind a JSON header, readable by Python, JAX, PyTorch and Rust.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

// The format: https://huggingface.co/docs/safetensors
namespace throng {

// "F32" for float, "U8" for uint8_t, "I64" for int64_t.
template <class T>
std::string dtype_of() {
  static_assert(std::integral<T> || std::floating_point<T>);
  const char kind = std::floating_point<T> ? 'F' : std::signed_integral<T> ? 'I' : 'U';
  return kind + std::to_string(8 * sizeof(T));
}

struct Tensor {
  std::string dtype;
  std::vector<int64_t> shape;   // [] is a scalar
  std::vector<std::byte> data;  // row-major, little-endian

  // Copies `values`; Error unless there are as many as the shape says.
  template <class T>
  static Tensor of(std::vector<int64_t> shape, std::span<const T> values) {
    const auto bytes = std::as_bytes(values);
    Tensor tensor{dtype_of<T>(), std::move(shape), {bytes.begin(), bytes.end()}};
    tensor.check_size();
    return tensor;
  }

  // The values; Error if they are of another dtype.
  template <class T>
  std::span<const T> as() const {
    check_dtype(dtype_of<T>());
    return {reinterpret_cast<const T*>(data.data()), data.size() / sizeof(T)};
  }

  // Error unless `data` is as long as dtype and shape say.
  void check_size() const;
  void check_dtype(const std::string& wanted) const;
};

struct SafeTensors {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;

  // Error names the nearest and the valid names.
  const Tensor& at(const std::string& name) const;
};

// Error names the file and what is wrong with it: cut short, gaps or overlaps, sizes that contradict each other, ...
SafeTensors read_safetensors(const std::string& path);

// Replaces the file at once or not at all, see write_file_atomically.
void write_safetensors(const std::string& path, const SafeTensors& content);

}  // namespace throng
