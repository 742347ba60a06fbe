// DLPack, __array_interface__ and __cuda_array_interface__, both ways; pybind11 has none of them.
#include "bindings/python/device_array.hpp"

#include <optional>

#include "core/error.hpp"

namespace throng {

namespace {

constexpr const char* kPlain = "dltensor";
constexpr const char* kVersioned = "dltensor_versioned";

// CUDA's default stream has the number 1 at this border, because 0 would mean three different things.
intptr_t stream_number(const Device& device) {
  const auto stream = reinterpret_cast<intptr_t>(device.stream());
  return stream == 0 ? 1 : stream;
}

std::string device_text(dl::Device device) {
  if (device.type == dl::kCPU || device.type == dl::kCUDAHost) return "cpu";
  if (device.type == dl::kCUDA) return "cuda:" + std::to_string(device.id);
  return "a device of DLPack type " + std::to_string(device.type);
}

// --- export ---------------------------------------------------------------------------------------------------------

// M is Managed or ManagedVersioned. The consumer calls the deleter on any thread, with or without the GIL.
template <class M>
M* pack(const DeviceArray& array) {
  auto* held = new DeviceArray(array);
  auto* managed = new M{};
  void* data = array.size() == 0 ? nullptr : array.data;
  managed->tensor = {data,
                     array.dl_device(),
                     static_cast<int32_t>(array.shape.size()),
                     array.dtype,
                     held->shape.data(),
                     held->strides.data(),
                     0};
  managed->context = held;
  managed->deleter = [](M* self) {
    delete static_cast<DeviceArray*>(self->context);
    delete self;
  };
  if constexpr (requires { managed->version; }) managed->version = {1, 0};
  return managed;
}

// A capsule that nobody consumed still owns its array; a consumer renames it.
template <class M>
void delete_unused(PyObject* capsule) {
  const char* name = PyCapsule_GetName(capsule);
  if (name == nullptr || (std::string(name) != kPlain && std::string(name) != kVersioned)) return;
  auto* managed = static_cast<M*>(PyCapsule_GetPointer(capsule, name));
  managed->deleter(managed);
}

template <class M>
py::object capsule_of(const DeviceArray& array, const char* name) {
  M* managed = pack<M>(array);
  PyObject* capsule = PyCapsule_New(managed, name, delete_unused<M>);
  if (capsule == nullptr) {
    managed->deleter(managed);
    throw py::error_already_set();
  }
  return py::reinterpret_steal<py::object>(capsule);
}

// The consumer names the stream on which it will read. Work on the default stream and on the per-thread one (2) is ordered
// with ours when ours is the default stream; for any other the host waits here.
void order_consumer(const DeviceArray& array, const py::object& stream) {
  if (!array.device->is_cuda()) {
    if (!stream.is_none()) throw py::value_error("stream must be None for an array in host memory");
    return;
  }
  const auto theirs = stream.is_none() ? intptr_t{1} : stream.cast<intptr_t>();
  if (theirs == 0) throw py::value_error("stream=0 is ambiguous: 1 is the legacy default stream, 2 the per-thread one");
  const intptr_t ours = stream_number(*array.device);
  if (theirs == -1 || theirs == ours || (ours == 1 && theirs == 2)) return;
  array.device->synchronize();
}

py::object to_dlpack(const DeviceArray& array, const py::object& stream, const py::object& max_version,
                     const py::object& dl_device, const py::object& copy) {
  const dl::Device here = array.dl_device();
  if (!dl_device.is_none() && !dl_device.equal(py::make_tuple(static_cast<int>(here.type), here.id))) {
    throw py::buffer_error("this array is on " + device_text(here) + " and is exported only where it is");
  }
  if (!copy.is_none() && copy.cast<bool>())
    throw py::buffer_error("copy=True is not offered: copy on the consumer's side");
  order_consumer(array, stream);
  const bool versioned = !max_version.is_none() && max_version.cast<py::tuple>()[0].cast<int>() >= 1;
  return versioned ? capsule_of<dl::ManagedVersioned>(array, kVersioned) : capsule_of<dl::Managed>(array, kPlain);
}

std::vector<int64_t> in_bytes(std::vector<int64_t> strides, dl::DataType dtype) {
  for (int64_t& stride : strides) stride *= dtype.bits / 8;
  return strides;
}

// A NumPy array over memory that lives as long as `owner`.
template <class Owner>
py::array owned_by(Owner* owner, void* data, dl::DataType dtype, const std::vector<int64_t>& shape,
                   const std::vector<int64_t>& strides) {
  const py::capsule base(owner, [](void* held) { delete static_cast<Owner*>(held); });
  return py::array(numpy_dtype(dtype), shape, in_bytes(strides, dtype), data, base);
}

py::dict array_interface(const DeviceArray& array, bool cuda) {
  if (array.device->is_cuda() != cuda) throw py::attribute_error("this array is on " + array.device->kind());
  py::dict face;
  face["shape"] = py::tuple(py::cast(array.shape));
  face["typestr"] = numpy_dtype(array.dtype).attr("str");
  face["data"] = py::make_tuple(reinterpret_cast<uintptr_t>(array.data), false);
  face["strides"] = py::tuple(py::cast(in_bytes(array.strides, array.dtype)));
  face["version"] = 3;
  if (cuda) face["stream"] = stream_number(*array.device);
  return face;
}

// --- import ---------------------------------------------------------------------------------------------------------

template <class M>
ForeignArray unpack(const py::object& capsule, const char* name, const char* used_name) {
  auto* managed = static_cast<M*>(PyCapsule_GetPointer(capsule.ptr(), name));
  if (managed == nullptr) throw py::error_already_set();
  PyCapsule_SetName(capsule.ptr(), used_name);
  PyCapsule_SetDestructor(capsule.ptr(), nullptr);
  ForeignArray array;
  array.owner = std::shared_ptr<void>(managed, [](void* used) {
    auto* self = static_cast<M*>(used);
    if (self->deleter) self->deleter(self);
  });
  const dl::Tensor& tensor = managed->tensor;
  array.data = static_cast<const std::byte*>(tensor.data) + tensor.byte_offset;
  array.device = tensor.device;
  array.dtype = tensor.dtype;
  array.shape.assign(tensor.shape, tensor.shape + tensor.ndim);
  array.strides = tensor.strides ? std::vector<int64_t>(tensor.strides, tensor.strides + tensor.ndim)
                                 : compact_strides(array.shape);
  return array;
}

ForeignArray from_dlpack(py::handle source, Device& device) {
  const auto place = source.attr("__dlpack_device__")().cast<py::tuple>();
  const bool cuda = py::int_(place[0]).cast<int>() == dl::kCUDA;
  py::dict arguments;
  if (cuda) arguments["stream"] = device.is_cuda() ? stream_number(device) : intptr_t{1};
  py::object capsule;
  try {
    capsule = source.attr("__dlpack__")(**arguments, py::arg("max_version") = py::make_tuple(1, 0));
  } catch (const py::error_already_set& error) {
    if (!error.matches(PyExc_TypeError)) throw;  // a producer from before DLPack 1.0 does not know max_version
    capsule = source.attr("__dlpack__")(**arguments);
  }
  return PyCapsule_IsValid(capsule.ptr(), kVersioned)
             ? unpack<dl::ManagedVersioned>(capsule, kVersioned, "used_dltensor_versioned")
             : unpack<dl::Managed>(capsule, kPlain, "used_dltensor");
}

std::vector<int64_t> in_elements(const py::tuple& byte_strides, int64_t item_bytes) {
  std::vector<int64_t> strides;
  for (const auto& stride : byte_strides) strides.push_back(stride.cast<int64_t>() / item_bytes);
  return strides;
}

// Waits until the producer's stream has written the array.
void wait_for(intptr_t stream, Device& device) {
  void* ours = device.stream();
  device.use_stream(stream <= 2 ? nullptr : reinterpret_cast<void*>(stream));
  device.synchronize();
  device.use_stream(ours);
}

ForeignArray from_cuda_array_interface(py::handle source, Device& device) {
  const auto face = source.attr("__cuda_array_interface__").cast<py::dict>();
  ForeignArray array;
  array.owner = std::make_shared<py::object>(py::reinterpret_borrow<py::object>(source));
  array.data = reinterpret_cast<const void*>(face["data"].cast<py::tuple>()[0].cast<uintptr_t>());
  array.device = {dl::kCUDA, device.is_cuda() ? device.index() : 0};  // the interface does not name the GPU
  array.dtype = dl_dtype(py::dtype::from_args(face["typestr"].cast<py::object>()));
  array.shape = face["shape"].cast<std::vector<int64_t>>();
  const py::object strides = face.contains("strides") ? py::object(face["strides"]) : py::none();
  array.strides = strides.is_none() ? compact_strides(array.shape) : in_elements(strides, array.dtype.bits / 8);
  const py::object stream = face.contains("stream") ? py::object(face["stream"]) : py::none();
  if (device.is_cuda() && !stream.is_none() && stream.cast<intptr_t>() != stream_number(device)) {
    wait_for(stream.cast<intptr_t>(), device);
  }
  return array;
}

// A view into a structure can lie between the multiples of its item size; NumPy straightens that out.
bool is_straight(const py::array& array) {
  const py::ssize_t bytes = item_bytes(array.dtype());
  for (py::ssize_t i = 0; i < array.ndim(); ++i) {
    if (array.strides(i) % bytes != 0) return false;
  }
  return array.attr("flags").attr("aligned").cast<bool>();
}

ForeignArray from_numpy(py::array source, const std::string& name) {
  const py::dtype dtype = source.dtype();
  if (std::string("iufb").find(dtype.kind()) == std::string::npos || !dtype.attr("isnative").cast<bool>()) {
    throw Error(name + ": dtype " + std::string(py::str(py::handle(dtype))) +
                " is not an integer, a float or bool in this machine's byte order");
  }
  if (!is_straight(source)) source = source.attr("copy")();
  ForeignArray array;
  array.dtype = dl_dtype(dtype);
  array.owner = std::make_shared<py::object>(source);
  array.data = source.data();
  array.shape.assign(source.shape(), source.shape() + source.ndim());
  for (py::ssize_t i = 0; i < source.ndim(); ++i) array.strides.push_back(source.strides(i) / item_bytes(dtype));
  return array;
}

py::array made_by_numpy(py::handle source, const std::string& name) {
  try {
    return py::module_::import("numpy").attr("asarray")(source);
  } catch (const py::error_already_set& error) {
    if (!error.matches(PyExc_ValueError) && !error.matches(PyExc_TypeError)) throw;
    throw Error(name + ": NumPy makes no array of it: " + std::string(py::str(error.value())));
  }
}

}  // namespace

int64_t DeviceArray::size() const {
  int64_t size = 1;
  for (int64_t n : shape) size *= n;
  return size;
}

std::vector<int64_t> compact_strides(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0; stride *= shape[i]) strides[i] = stride;
  return strides;
}

bool ForeignArray::is_compact() const {
  const std::vector<int64_t> expected = compact_strides(shape);
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] > 1 && strides[i] != expected[i]) return false;
  }
  return true;
}

std::string ForeignArray::describe() const {
  return name_of(dtype) + " of shape " + text_of(shape) + " on " + device_text(device);
}

ForeignArray import_array(py::handle array, Device& device, const std::string& name) {
  if (py::isinstance<py::array>(array)) return from_numpy(py::reinterpret_borrow<py::array>(array), name);
  if (py::hasattr(array, "__dlpack__") && py::hasattr(array, "__dlpack_device__")) return from_dlpack(array, device);
  if (py::hasattr(array, "__cuda_array_interface__")) return from_cuda_array_interface(array, device);
  return from_numpy(made_by_numpy(array, name), name);
}

py::ssize_t item_bytes(const py::dtype& dtype) { return dtype.attr("itemsize").cast<py::ssize_t>(); }

dl::DataType dl_dtype(const py::dtype& dtype) {
  const auto bits = static_cast<uint8_t>(8 * item_bytes(dtype));
  switch (dtype.kind()) {
    case 'i': return {dl::kInt, bits, 1};
    case 'u': return {dl::kUInt, bits, 1};
    case 'f': return {dl::kFloat, bits, 1};
    case 'b': return {dl::kBool, bits, 1};
    default: throw Error("dtype " + std::string(py::str(py::handle(dtype))) + " is not an integer, a float or bool");
  }
}

py::dtype numpy_dtype(dl::DataType dtype) { return py::dtype(name_of(dtype)); }

std::string name_of(dl::DataType dtype) {
  const std::string bits = std::to_string(dtype.bits);
  if (dtype.lanes != 1) return "a vector type of DLPack";
  switch (dtype.code) {
    case dl::kInt: return "int" + bits;
    case dl::kUInt: return "uint" + bits;
    case dl::kFloat: return "float" + bits;
    case dl::kBool: return "bool";
    default: return "type " + std::to_string(dtype.code) + " of DLPack with " + bits + " bits";
  }
}

std::string text_of(const std::vector<int64_t>& shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + (shape.size() == 1 ? ",)" : ")");
}

py::array numpy_view(const DeviceArray& array) {
  // The base keeps the memory alive; it is no Python environment, or the two would keep each other alive for ever.
  return owned_by(new std::shared_ptr<const void>(array.owner), array.data, array.dtype, array.shape, array.strides);
}

py::array numpy_array(std::vector<std::byte> bytes, dl::DataType dtype, const std::vector<int64_t>& shape,
                      const std::vector<int64_t>& strides) {
  auto* owner = new std::vector<std::byte>(std::move(bytes));
  return owned_by(owner, owner->data(), dtype, shape, strides);
}

py::array numpy_copy(const DeviceArray& array) {
  int64_t extent = array.size() == 0 ? 0 : 1;
  for (size_t i = 0; extent && i < array.shape.size(); ++i) extent += (array.shape[i] - 1) * array.strides[i];
  std::vector<std::byte> host(extent * array.item_bytes());
  {
    const py::gil_scoped_release release;
    array.device->copy(host.data(), array.data, host.size());
    array.device->synchronize();
  }
  return numpy_array(std::move(host), array.dtype, array.shape, array.strides);
}

void bind_device_array(py::module_& m) {
  using A = DeviceArray;
  py::class_<A>(m, "DeviceArray", "A view of memory that an environment owns, on its device.")
      .def_property_readonly("shape", [](const A& a) { return py::tuple(py::cast(a.shape)); })
      .def_property_readonly("dtype", [](const A& a) { return numpy_dtype(a.dtype); })
      .def_property_readonly("ndim", [](const A& a) { return a.shape.size(); })
      .def_property_readonly("size", &A::size)
      .def_property_readonly("nbytes", [](const A& a) { return a.size() * a.item_bytes(); })
      .def_property_readonly("device", [](const A& a) { return a.device->kind(); })
      .def("numpy", &numpy_copy, "A copy in host memory; waits for the device.")
      .def("__len__", [](const A& a) { return a.shape.at(0); })
      .def("__dlpack__", &to_dlpack, py::kw_only(), py::arg("stream") = py::none(), py::arg("max_version") = py::none(),
           py::arg("dl_device") = py::none(), py::arg("copy") = py::none())
      .def("__dlpack_device__",
           [](const A& a) { return py::make_tuple(static_cast<int>(a.dl_device().type), a.dl_device().id); })
      .def_property_readonly("__array_interface__", [](const A& a) { return array_interface(a, false); })
      .def_property_readonly("__cuda_array_interface__", [](const A& a) { return array_interface(a, true); })
      .def("__array__",
           [](const A& a, const py::args&, const py::kwargs&) -> py::array {
             if (!a.device->is_cuda()) return numpy_view(a);
             // Without this NumPy would quietly make an array of one object.
             throw py::type_error("this array is on " + a.device->kind() + ": use .numpy() for a copy in host memory");
           })
      .def("__repr__", [](const A& a) {
        return "DeviceArray(shape=" + text_of(a.shape) + ", dtype=" + name_of(a.dtype) + ", device='" +
               a.device->kind() + "')";
      });
}

}  // namespace throng
