// The module _throng: what the Python package throng is made of.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <tuple>
#include <vector>

#include "bindings/python/convert.hpp"
#include "bindings/python/device_array.hpp"
#include "bindings/python/python_env.hpp"
#include "core/chart.hpp"
#include "core/device.hpp"
#include "core/error.hpp"
#include "core/version.hpp"

namespace throng {

int cli_main(int argc, const char* const* argv);  // bindings/cli; doors do not include each other
void bind_jax(py::module_&);
void bind_policy(py::module_&);
void bind_train(py::module_&);

namespace {

int run_cli(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv;
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  const int argc = static_cast<int>(argv.size());
  argv.push_back(nullptr);
  const py::gil_scoped_release release;
  return cli_main(argc, argv.data());
}

using Numbers = std::vector<double>;
using NamedLine = std::tuple<std::string, Numbers, Numbers, Numbers, Numbers>;  // name, x, y, low, high

std::string line_chart(const std::string& title, const std::string& x_label, const std::string& y_label,
                       const std::vector<NamedLine>& lines) {
  Chart chart{title, x_label, y_label, {}};
  for (const auto& [name, x, y, low, high] : lines) chart.series.push_back({name, x, y, Series::kLine, low, high});
  return chart.svg();
}

void translate(std::exception_ptr thrown) {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const Error& mistake) {
    PyErr_SetString(PyExc_ValueError, mistake.what());
  } catch (const MachineError& failure) {
    PyErr_SetString(PyExc_RuntimeError, failure.what());
  }
}

}  // namespace

PYBIND11_MODULE(_throng, m) {
  m.doc() = "Vectorized multi-agent environments and their learners; use it through the package throng.";
  py::register_exception_translator(&translate);
  // pybind11 looks NumPy up when it is first needed; before 2.12 two threads that do so at once wait for each other for ever.
  py::detail::npy_api::get();
  bind_device_array(m);
  bind_env(m);
  bind_jax(m);
  bind_policy(m);
  bind_train(m);
  m.def("cli_main", &run_cli, py::arg("argv"));
  m.def("line_chart", &line_chart, py::arg("title"), py::arg("x_label"), py::arg("y_label"), py::arg("lines"));
  m.def("version", [] { return kVersion; });
  m.def("cuda_device_count", &cuda_device_count);
  m.def("cuda_status", &cuda_status);
  m.def(
      "limit_cpu_threads", [](py::handle threads) { limit_cpu_threads(integer<int>(threads, "threads", 0)); },
      py::arg("threads"));
}

}  // namespace throng
