// Plain values across the border: numbers with a range, JSON, tensors, statistics.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "core/error.hpp"
#include "core/safetensors.hpp"
#include "core/vec_env.hpp"

namespace throng {

namespace py = pybind11;

inline std::string type_name(py::handle value) { return Py_TYPE(value.ptr())->tp_name; }

// A Python integer (or what has __index__) within [least, most]. ValueError if it lies outside, TypeError if it is none;
// both name `name`.
template <class T>
T integer(py::handle value, const std::string& name, T least, T most = std::numeric_limits<T>::max()) {
  const auto number =
      py::reinterpret_steal<py::object>(PyBool_Check(value.ptr()) ? nullptr : PyNumber_Index(value.ptr()));
  if (!number) {
    PyErr_Clear();
    throw py::type_error(name + " must be an integer, not " + type_name(value));
  }
  if (number < py::int_(least) || number > py::int_(most)) {
    throw Error(name + " must be from " + std::to_string(least) + " to " + std::to_string(most) + ", not " +
                std::string(py::str(number)));
  }
  return number.cast<T>();
}

// dict, list, tuple, str, bool, int, float, None, and NumPy's scalars and arrays. Error names `where`.
nlohmann::json to_json(py::handle value, const std::string& where);
py::object from_json(const nlohmann::ordered_json&);

py::array to_numpy(Tensor);
Tensor to_tensor(py::handle array, const std::string& name);

// {"episodes": .., "returns": .., "length": .., <info>: ..}; means are NaN when no episode ended.
py::dict to_dict(const EpisodeStatistics&);

// Parameters of an environment: a dict, the path of a JSON file, or None. Error names `id` for what JSON cannot say.
nlohmann::json parameters_from(py::handle config, const std::string& id);

}  // namespace throng
