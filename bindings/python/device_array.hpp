// Arrays at the border: ours, which others may look into without a copy, and others', which are handed to us.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bindings/python/dlpack_abi.hpp"
#include "core/device.hpp"

namespace throng {

namespace py = pybind11;

// A view of memory that an environment owns. It keeps the owner alive, and touches Python nowhere in its destructor.
struct DeviceArray {
  std::shared_ptr<const void> owner;
  std::shared_ptr<Device> device;
  void* data = nullptr;
  dl::DataType dtype = {};
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  // in elements

  int64_t size() const;
  size_t item_bytes() const { return dtype.bits / 8; }
  dl::Device dl_device() const { return {device->is_cuda() ? dl::kCUDA : dl::kCPU, device->index()}; }
};

std::vector<int64_t> compact_strides(const std::vector<int64_t>& shape);

// `memory` seen as a compact array of `shape`; flags are bytes that hold 0 or 1, and are shown as bool.
template <class T>
DeviceArray array_of(std::shared_ptr<const void> owner, std::shared_ptr<Device> device, T* memory,
                     std::vector<int64_t> shape) {
  const auto code = std::floating_point<T> ? dl::kFloat : std::same_as<T, uint8_t> ? dl::kBool : dl::kInt;
  const dl::DataType dtype = {code, 8 * sizeof(T), 1};
  std::vector<int64_t> strides = compact_strides(shape);
  return {std::move(owner), std::move(device), memory, dtype, std::move(shape), std::move(strides)};
}

py::array numpy_view(const DeviceArray&);  // the same memory; only for the CPU
py::array numpy_copy(const DeviceArray&);  // fresh host memory; waits for the device
py::array numpy_array(std::vector<std::byte> bytes, dl::DataType dtype, const std::vector<int64_t>& shape,
                      const std::vector<int64_t>& strides);  // strides in elements

// An array that the caller handed to us, wherever it came from. Lives no longer than the call, and dies with the GIL held.
struct ForeignArray {
  std::shared_ptr<void> owner;
  const void* data = nullptr;
  dl::Device device = {dl::kCPU, 0};
  dl::DataType dtype = {};
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  // in elements

  bool on_host() const { return device.type == dl::kCPU || device.type == dl::kCUDAHost; }
  bool is_compact() const;
  std::string describe() const;  // "int64 of shape (8, 3) on cpu"
};

// NumPy, DLPack, __cuda_array_interface__, or anything that NumPy makes an array of. Work that `device` does from now on
// sees what was written into the array before.
ForeignArray import_array(py::handle array, Device& device, const std::string& name);

// Bytes of an item. Before 2.12 pybind11 knows nothing of NumPy 2, whose memory its own itemsize(), nbytes() and copies
// misread, so none of these is used here.
py::ssize_t item_bytes(const py::dtype&);
dl::DataType dl_dtype(const py::dtype&);
py::dtype numpy_dtype(dl::DataType);
std::string name_of(dl::DataType);                       // "float32"
std::string text_of(const std::vector<int64_t>& shape);  // "(8, 3)"

void bind_device_array(py::module_&);

}  // namespace throng
