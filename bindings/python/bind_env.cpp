// The class VecEnv of the module _throng, its description, and make().
#include "bindings/python/convert.hpp"
#include "bindings/python/python_env.hpp"
#include "envs/registry.hpp"

namespace throng {

namespace {

// CUDA does not survive a fork; what it says of that itself is "initialization error", and "auto" would take the CPU.
std::shared_ptr<Device> open_unforked(const std::string& name) {
  static std::atomic<pid_t> process = 0;  // the one in which the GPU is in use
  if (name != "cpu" && process != 0 && process != getpid()) {
    throw Error(
        "the GPU was in use before this process was forked, and CUDA does not survive that: start processes with "
        "the method 'spawn'");
  }
  auto device = open_device(name);
  if (device->is_cuda()) process = getpid();
  return device;
}

std::unique_ptr<PythonEnv> make_python_env(const std::string& id, py::handle num_envs, const std::string& device_name,
                                           const std::string& autoreset, py::handle time_limit, py::handle first_env,
                                           py::handle lanes, bool copy, const py::object& stream, py::handle config) {
  BatchOptions options;
  options.num_envs = integer<int>(num_envs, "num_envs", 1);
  options.autoreset = autoreset_from(autoreset);
  options.time_limit = time_limit.is_none() ? -1 : integer<int>(time_limit, "time_limit", 0);
  options.first_env = integer<int>(first_env, "first_env", 0);
  options.lanes = integer<int>(lanes, "lanes", 0, 32);
  const nlohmann::json parameters = parameters_from(config, id);
  const EnvSpec spec = env_spec(id, parameters);
  integer<int>(py::int_(int64_t{options.num_envs} * spec.num_agents), "num_envs * num_agents", 1);
  auto device = open_unforked(device_name);
  // CUDA's legacy default stream: what PyTorch and CuPy do there is in order with what the environment does.
  if (device->is_cuda()) {
    const auto number = stream.is_none() ? intptr_t{1} : integer<intptr_t>(stream, "stream", 0);
    device->use_stream(number <= 1 ? nullptr : reinterpret_cast<void*>(number));
  } else if (!stream.is_none()) {
    throw Error("stream: device='" + device->kind() + "' has no streams; leave it out");
  }
  return std::make_unique<PythonEnv>(make(id, std::move(device), options, parameters), PythonEnv::Options{copy});
}

py::dict describe(const std::string& id, py::handle config) {
  const EnvName name = find_env(id);
  const nlohmann::json parameters = scenario_config(id, parameters_from(config, id));
  py::list described, known;
  for (const FieldDoc& field : name.entry->describe(parameters, id)) {
    py::dict one;
    one["name"] = field.name;
    one["type"] = field.type;
    one["default"] = from_json(nlohmann::ordered_json::parse(field.default_value));
    one["doc"] = field.doc;
    one["valid"] = py::tuple(py::cast(field.valid));
    described.append(one);
  }
  for (const std::string& scenario : scenarios(*name.entry)) known.append(name.entry->id + "/" + scenario);
  py::dict page;
  page["id"] = id;
  page["summary"] = summary(*name.entry);
  page["spec"] = name.entry->spec(parameters, id);
  page["parameters"] = described;
  page["scenarios"] = known;
  return page;
}

template <class... T>
std::string spec_text(const EnvSpec& s) {
  return "EnvSpec('" + s.id + "', version='" + s.version + "', num_agents=" + std::to_string(s.num_agents) +
         ", num_actions=" + std::to_string(s.num_actions) + ", num_objectives=" + std::to_string(s.num_objectives) +
         ", obs_dim=" + std::to_string(s.obs_dim) + ", world_state_dim=" + std::to_string(s.world_state_dim) +
         ", time_limit=" + std::to_string(s.time_limit) + ")";
}

void bind_spec(py::module_& m) {
  auto words = [](std::vector<std::string> EnvSpec::*member) {
    return [member](const EnvSpec& spec) { return py::tuple(py::cast(spec.*member)); };
  };
  py::class_<EnvSpec>(m, "EnvSpec", "What an environment is: names and sizes.")
      .def_readonly("id", &EnvSpec::id)
      .def_readonly("version", &EnvSpec::version)
      .def_readonly("num_agents", &EnvSpec::num_agents)
      .def_readonly("num_actions", &EnvSpec::num_actions)
      .def_property_readonly(
          "heads",
          [](const EnvSpec& s) { return py::tuple(py::cast(std::vector<int>(s.heads.begin(), s.heads.end()))); })
      .def_readonly("continuous", &EnvSpec::continuous)
      .def_readonly("obs_dtype", &EnvSpec::obs_dtype)
      .def_readonly("num_objectives", &EnvSpec::num_objectives)
      .def_readonly("time_limit", &EnvSpec::time_limit)
      .def_readonly("obs_dim", &EnvSpec::obs_dim)
      .def_readonly("obs_low", &EnvSpec::obs_low)
      .def_readonly("obs_high", &EnvSpec::obs_high)
      .def_property_readonly("obs_grid",
                             [](const EnvSpec& s) -> py::object {
                               if (s.obs_grid.planes == 0) return py::none();
                               return py::make_tuple(s.obs_grid.planes, s.obs_grid.height, s.obs_grid.width);
                             })
      .def_readonly("world_state_dim", &EnvSpec::world_state_dim)
      .def_property_readonly("agents", words(&EnvSpec::agents))
      .def_property_readonly("objectives", words(&EnvSpec::objectives))
      .def_property_readonly("info", words(&EnvSpec::info))
      .def_property_readonly("policies", words(&EnvSpec::policies))
      .def_readonly("renders", &EnvSpec::renders)
      .def_readonly("renders_views", &EnvSpec::renders_views)
      .def("__repr__", &spec_text<>);
}

void bind_calls(py::class_<PythonEnv>& c) {
  c.def("reset", &PythonEnv::reset, py::kw_only(), py::arg("seed") = py::none(), py::arg("mask") = py::none())
      .def("step", &PythonEnv::step, py::arg("actions"))
      .def("step_random", &PythonEnv::step_random, py::arg("steps"))
      .def("sample_actions", &PythonEnv::sample_actions, py::arg("policy") = "random")
      .def("vary", &PythonEnv::vary, py::arg("parameters"))
      .def("render", &PythonEnv::render, py::arg("env") = 0, py::arg("size") = 512, py::arg("agent") = py::none())
      .def("render_step", &PythonEnv::render_step, py::arg("actions"), py::arg("env") = 0, py::arg("size") = 512)
      .def("statistics", &PythonEnv::statistics)
      .def("get_state", &PythonEnv::snapshot)
      .def("set_state", &PythonEnv::restore, py::arg("state"))
      .def("state_hash", &PythonEnv::state_hash)
      .def("state_hashes", &PythonEnv::state_hashes)
      .def(
          "use_stream", [](PythonEnv& e, py::handle stream) { e.use_stream(integer<intptr_t>(stream, "stream", 0)); },
          py::arg("stream"))
      .def("close", &PythonEnv::close)
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](PythonEnv& e, const py::args&) { e.close(); })
      .def("__repr__", &PythonEnv::repr);
}

void bind_properties(py::class_<PythonEnv>& c) {
  using P = PythonEnv;
  c.def_property_readonly("spec", [](const P& e) { return e.env().spec(); })
      .def_property_readonly("num_envs", [](const P& e) { return e.env().num_envs(); })
      .def_property_readonly("num_agents", [](const P& e) { return e.env().spec().num_agents; })
      .def_property_readonly("possible_agents", [](const P& e) { return py::list(py::cast(e.env().spec().agents)); })
      .def_property_readonly("device", [](const P& e) { return e.env().device().kind(); })
      .def_property_readonly("device_name", [](const P& e) { return e.env().device().name(); })
      .def_property_readonly("autoreset", [](const P& e) { return throng::name_of(e.env().options().autoreset); })
      .def_property_readonly("first_env", [](const P& e) { return e.env().options().first_env; })
      .def_property_readonly("lanes", [](const P& e) { return e.env().options().lanes; })
      .def_property_readonly("copy", &P::copies)
      .def_property_readonly("seed", &P::seed)
      .def_property_readonly("nbytes", [](const P& e) { return e.env().bytes(); })
      .def_property_readonly("closed", &P::closed)
      .def_property_readonly("buffers", &P::buffers);
}

}  // namespace

void bind_env(py::module_& m) {
  bind_spec(m);
  py::class_<PythonEnv> env(m, "VecEnv", "A batch of environments; made by make().");
  bind_calls(env);
  bind_properties(env);
  m.def("make", &make_python_env, py::arg("id"), py::arg("num_envs") = 1, py::arg("device") = "cpu", py::kw_only(),
        py::arg("autoreset") = "same_step", py::arg("time_limit") = py::none(), py::arg("first_env") = 0,
        py::arg("lanes") = 0, py::arg("copy") = false, py::arg("stream") = py::none(), py::arg("config") = py::none());
  m.def("describe", &describe, py::arg("id"), py::arg("config") = py::none());
  m.def("env_ids", [] { return py::list(py::cast(env_ids())); });
  m.def("registered_envs", [] {
    py::list names;
    for (const EnvEntry& entry : registered_envs()) names.append(entry.id);
    return names;
  });
}

}  // namespace throng
