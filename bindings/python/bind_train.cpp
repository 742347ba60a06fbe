// train() and resume(): the trainer of the command line, with Python's callback, signals and exceptions around it.
#include <exception>
#include <memory>
#include <utility>

#include "algos/metrics.hpp"
#include "algos/presets.hpp"
#include "algos/trainer.hpp"
#include "bindings/python/convert.hpp"
#include "core/config.hpp"
#include "core/error.hpp"
#include "envs/registry.hpp"

namespace throng {

void bind_train(py::module_& m);

namespace {

std::unique_ptr<VecEnv> make_registered(const std::string& id, std::shared_ptr<Device> device,
                                        const BatchOptions& options, const nlohmann::json& config) {
  return make(id, std::move(device), options, config);
}

// A line of metrics.jsonl, and what only matters while the run goes on.
py::dict describe(const Progress& progress) {
  py::dict line = from_json(metrics_line(progress));
  line["num_updates"] = progress.num_updates;
  line["total_timesteps"] = progress.total_timesteps;
  line["seconds_left"] = progress.seconds_left;
  return line;
}

// Looks at Python between updates. An exception there must not tear the trainer down: it is kept, the run is saved, and
// only then is it raised.
class Watch {
 public:
  explicit Watch(py::object callback) : callback_(std::move(callback)) {}

  void after(const Progress& progress) {
    const py::gil_scoped_acquire acquire;
    try {
      if (!callback_.is_none() && py::bool_(callback_(describe(progress)))) stop_ = true;
      check_signals();
    } catch (...) {
      raised_ = std::current_exception();
    }
  }

  bool stop() {
    if (stop_ || raised_) return true;
    const py::gil_scoped_acquire acquire;
    try {
      check_signals();
    } catch (...) {
      raised_ = std::current_exception();
    }
    return raised_ != nullptr;
  }

  void rethrow() {
    if (raised_) std::rethrow_exception(std::exchange(raised_, nullptr));
  }

 private:
  static void check_signals() {
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  }

  py::object callback_;
  bool stop_ = false;
  std::exception_ptr raised_;
};

// Returns the folder and whether the run is finished.
py::tuple drive(Trainer& trainer, const py::object& callback) {
  Watch watch(callback);
  bool finished = trainer.finished();
  {
    const py::gil_scoped_release release;
    finished = trainer.train([&](const Progress& progress) { watch.after(progress); }, [&] { return watch.stop(); });
  }
  watch.rethrow();
  return py::make_tuple(trainer.run().folder, finished);
}

// What begins and ends a run takes its time as well: opening a device, writing files.
template <class Make>
std::unique_ptr<Trainer> without_gil(Make&& make_trainer) {
  const py::gil_scoped_release release;
  return make_trainer();
}

Run make_run(const std::string& id, const std::string& algo, const py::dict& settings, py::handle env_config) {
  const nlohmann::json parameters = scenario_config(id, parameters_from(env_config, id));
  const nlohmann::json given = to_json(settings, "train");
  TrainConfig train;
  read_config(train, {{"algo", algo}}, "train");
  read_config(train, given, "train");
  const std::string preset = default_preset(train);
  train = preset_config(preset, train_preset(id, preset));
  read_config(train, {{"algo", algo}}, "train");
  read_config(train, given, "train");
  Run run;
  run.env = id;
  run.env_config = find_env(id).entry->resolve(parameters, id);
  run.train = train;
  return run;
}

py::tuple train(const std::string& env, const std::string& algo, const std::string& device, const std::string& folder,
                const py::dict& settings, py::handle env_config, const py::object& callback) {
  Run run = make_run(env, algo, settings, env_config);
  run.device = device;
  run.folder = folder;
  const auto trainer = without_gil([&] { return std::make_unique<Trainer>(std::move(run), make_registered); });
  return drive(*trainer, callback);
}

py::tuple resume(const std::string& folder, const std::string& device, const py::object& callback) {
  const auto trainer = without_gil([&] { return Trainer::resume(folder, make_registered, device); });
  return drive(*trainer, callback);
}

py::list train_settings() {
  py::list settings;
  for (const FieldDoc& field : describe_config(TrainConfig{})) {
    py::dict one;
    one["name"] = field.name;
    one["type"] = field.type;
    one["default"] = from_json(nlohmann::ordered_json::parse(field.default_value));
    one["doc"] = field.doc;
    one["valid"] = py::tuple(py::cast(field.valid));
    settings.append(one);
  }
  return settings;
}

}  // namespace

void bind_train(py::module_& m) {
  m.def("train", &train, py::arg("env"), py::arg("algo"), py::arg("device"), py::arg("folder"), py::arg("settings"),
        py::arg("env_config"), py::arg("callback"));
  m.def("resume", &resume, py::arg("folder"), py::arg("device"), py::arg("callback"));
  m.def("train_settings", &train_settings);
  m.def(
      "train_preset",
      [](const std::string& env, const std::string& algo) { return from_json(train_preset(env, algo)); },
      py::arg("env"), py::arg("algo"));
}

}  // namespace throng
