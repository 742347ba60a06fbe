// Python values to JSON, tensors and back.
#include "bindings/python/convert.hpp"

#include <cmath>
#include <utility>

#include "bindings/python/device_array.hpp"
#include "core/config.hpp"

namespace throng {

namespace {

nlohmann::json object_from(const py::dict& values, const std::string& where) {
  nlohmann::json object = nlohmann::json::object();
  for (const auto& [key, value] : values) {
    if (!py::isinstance<py::str>(key)) throw Error(where + ": keys must be strings");
    const auto name = key.cast<std::string>();
    object[name] = to_json(value, where + "." + name);
  }
  return object;
}

nlohmann::json number_from(py::handle value, const std::string& where) {
  PyObject* p = value.ptr();
  if (PyIndex_Check(p)) {
    const auto number = py::reinterpret_steal<py::object>(PyNumber_Index(p));
    if (!number) throw py::error_already_set();
    if (number < py::int_(0)) return integer(number, where, std::numeric_limits<int64_t>::min());
    return integer(number, where, uint64_t{0});
  }
  if (PyFloat_Check(p) || py::hasattr(value, "__float__"))
    return py::float_(py::reinterpret_borrow<py::object>(value)).cast<double>();
  throw Error(where + ": a " + type_name(value) + " has no JSON form");
}

}  // namespace

nlohmann::json to_json(py::handle value, const std::string& where) {
  if (value.is_none()) return nullptr;
  if (PyBool_Check(value.ptr())) return value.cast<bool>();
  if (py::isinstance<py::str>(value)) return value.cast<std::string>();
  if (py::isinstance<py::dict>(value)) return object_from(py::reinterpret_borrow<py::dict>(value), where);
  if (py::isinstance<py::list>(value) || py::isinstance<py::tuple>(value)) {
    nlohmann::json list = nlohmann::json::array();
    for (const auto& item : value) list.push_back(to_json(item, where));
    return list;
  }
  if (py::hasattr(value, "tolist")) return to_json(value.attr("tolist")(), where);  // NumPy's scalars and arrays
  return number_from(value, where);
}

py::object from_json(const nlohmann::ordered_json& value) {
  switch (value.type()) {
    case nlohmann::json::value_t::boolean: return py::bool_(value.get<bool>());
    case nlohmann::json::value_t::number_integer: return py::int_(value.get<int64_t>());
    case nlohmann::json::value_t::number_unsigned: return py::int_(value.get<uint64_t>());
    case nlohmann::json::value_t::number_float: return py::float_(value.get<double>());
    case nlohmann::json::value_t::string: return py::str(value.get<std::string>());
    case nlohmann::json::value_t::array: {
      py::list list;
      for (const auto& item : value) list.append(from_json(item));
      return list;
    }
    case nlohmann::json::value_t::object: {
      py::dict dict;
      for (const auto& [key, item] : value.items()) dict[py::str(key)] = from_json(item);
      return dict;
    }
    default: return py::none();
  }
}

// safetensors says F32 where NumPy says float32.
py::array to_numpy(Tensor tensor) {
  const auto code = tensor.dtype[0] == 'F' ? dl::kFloat : tensor.dtype[0] == 'I' ? dl::kInt : dl::kUInt;
  const dl::DataType dtype = {code, static_cast<uint8_t>(std::stoi(tensor.dtype.substr(1))), 1};
  return numpy_array(std::move(tensor.data), dtype, tensor.shape, compact_strides(tensor.shape));
}

Tensor to_tensor(py::handle value, const std::string& name) {
  const py::array array = py::array::ensure(value, py::array::c_style);
  if (!array) throw Error("'" + name + "' is not an array");
  const char kind = array.dtype().kind();
  if (kind != 'f' && kind != 'i' && kind != 'u') {
    throw Error("'" + name + "' is of dtype " + std::string(py::str(py::handle(array.dtype()))) +
                ", not an integer or a float");
  }
  Tensor tensor;
  tensor.dtype = static_cast<char>(kind - 'a' + 'A') + std::to_string(8 * item_bytes(array.dtype()));
  tensor.shape.assign(array.shape(), array.shape() + array.ndim());
  const auto* bytes = static_cast<const std::byte*>(array.data());
  tensor.data.assign(bytes, bytes + array.size() * item_bytes(array.dtype()));
  return tensor;
}

py::dict to_dict(const EpisodeStatistics& statistics) {
  const bool none = statistics.episodes == 0;
  auto mean = [&](double value) { return none ? std::nan("") : value; };
  py::list returns;
  for (double value : statistics.returns) returns.append(mean(value));
  py::dict dict;
  dict["episodes"] = statistics.episodes;
  dict["returns"] = returns.size() == 1 ? py::object(returns[0]) : py::object(returns);
  dict["length"] = mean(statistics.length);
  for (const auto& [name, value] : statistics.info) dict[py::str(name)] = mean(value);
  return dict;
}

nlohmann::json parameters_from(py::handle config, const std::string& id) {
  if (py::isinstance<py::str>(config)) return parse_json_file(config.cast<std::string>());
  if (!config.is_none() && !py::isinstance<py::dict>(config)) {
    throw py::type_error("config must be a dict, a path or None, not " + type_name(config));
  }
  return to_json(config, id);
}

}  // namespace throng
