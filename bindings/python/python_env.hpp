// PythonEnv: a VecEnv as Python sees it - arrays shown in place, arguments checked before anything runs.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/python/device_array.hpp"
#include "core/vec_env.hpp"

namespace throng {

// What the arrays shown to Python keep alive.
struct Held {
  std::shared_ptr<VecEnv> env;
  uint8_t* mask = nullptr;  // [env], device memory

  explicit Held(std::shared_ptr<VecEnv> made);
  ~Held() { env->device().release(mask); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
};

class PythonEnv {
 public:
  struct Options {
    bool copy = false;  // fresh NumPy copies instead of views
  };
  PythonEnv(std::unique_ptr<VecEnv> env, Options options);

  py::tuple reset(py::handle seed, py::handle mask);
  py::tuple step(py::handle actions);
  py::tuple step_random(py::handle steps);
  py::object sample_actions(const std::string& policy);
  void vary(py::handle parameters);
  py::array render(py::handle env, py::handle size, py::handle agent);
  py::array render_step(py::handle actions, py::handle env, py::handle size);
  py::dict statistics();

  py::dict snapshot();
  void restore(const py::dict& state);
  uint64_t state_hash();
  py::array state_hashes();

  py::dict buffers() const;
  void use_stream(intptr_t stream);
  void close();
  bool closed() const { return held_ == nullptr; }
  std::string repr() const;

  VecEnv& env() const;  // Error after close(), and for a GPU's in a forked process
  bool copies() const { return options_.copy; }
  py::object seed() const { return started_ && seeded_ ? py::object(py::int_(seed_)) : py::none(); }

 private:
  using Named = std::vector<std::pair<std::string, DeviceArray>>;

  // One thread at a time: a second one gets an error instead of a race.
  class Turn;

  void name_arrays();
  void name_episode(const std::shared_ptr<Held>& held);
  void begin(uint64_t seed);
  void check_started(const char* what) const;
  py::object present(const DeviceArray&) const;
  py::dict present(const Named&, bool pad) const;
  py::dict info() const;
  py::tuple outcome() const;
  const void* actions_on_device(py::handle actions, ForeignArray& keep);
  const uint8_t* mask_on_device(py::handle mask, ForeignArray& keep);

  std::shared_ptr<Held> held_;
  Options options_;
  bool started_ = false;
  bool seeded_ = false;
  uint64_t seed_ = 0;
  uint32_t draw_ = 0;
  std::atomic<bool> in_use_ = false;
  const pid_t process_ = getpid();

  DeviceArray obs_, rewards_, terminations_, truncations_, actions_;
  Named info_arrays_, episode_arrays_;
  py::tuple shown_;  // obs, rewards, terminations, truncations; made once unless copies are asked for
  py::dict shown_info_;
};

void bind_env(py::module_&);

}  // namespace throng
