// load_policy(): the policy of a run's folder as a function of arrays, on the CPU or a GPU.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "algos/evaluate.hpp"
#include "algos/opponent_slots.hpp"
#include "algos/policy.hpp"
#include "bindings/python/convert.hpp"
#include "bindings/python/device_array.hpp"
#include "core/error.hpp"
#include "envs/registry.hpp"

namespace throng {

void bind_policy(py::module_& m);

namespace {

using Block = std::shared_ptr<std::byte>;

// Device memory that comes back when nobody looks into it any more. The device works in order, so what was still to be read
// from it is read before it is written again.
class Blocks {
 public:
  explicit Blocks(std::shared_ptr<Device> device) : device_(std::move(device)) {}

  Block take(size_t bytes) {
    const auto unused = [&](const std::pair<size_t, Block>& b) {
      return b.first >= bytes && b.second.use_count() == 1;
    };
    const auto found = std::find_if(blocks_.begin(), blocks_.end(), unused);
    if (found != blocks_.end()) return found->second;
    std::erase_if(blocks_, [](const auto& block) { return block.second.use_count() == 1; });  // they are too small
    auto* memory = static_cast<std::byte*>(device_->allocate(std::max<size_t>(bytes, 1)));
    const Block block(memory, [device = device_](std::byte* memory) { device->release(memory); });
    blocks_.emplace_back(bytes, block);
    return block;
  }

 private:
  std::shared_ptr<Device> device_;
  std::vector<std::pair<size_t, Block>> blocks_;
};

class PythonPolicy {
 public:
  PythonPolicy(const std::string& folder, const std::string& checkpoint, const std::string& device, bool greedy,
               py::handle seed, py::handle stream)
      : run_(Run::load(folder)),
        spec_(learner_spec(env_spec(run_.env, run_.env_config), run_.train)),
        device_(open_device(device)),
        blocks_(device_),
        greedy_(greedy) {
    if (device_->is_cuda()) {
      const auto number = stream.is_none() ? intptr_t{0} : integer<intptr_t>(stream, "stream", 0);
      device_->use_stream(number <= 1 ? nullptr : reinterpret_cast<void*>(number));
    }
    reset(seed);
    const py::gil_scoped_release release;
    constexpr int kRows = 1 << 14;  // at once; more come in pieces
    const int envs = device_->is_cuda() ? std::max(1, kRows / spec_.num_agents) : 1;
    policy_ = std::make_unique<Policy>(run_, checkpoint, spec_, device_, envs);
  }

  // Begins to draw anew, as an evaluation of this seed does.
  void reset(py::handle seed) {
    key_ = evaluation_key(integer<uint64_t>(seed, "seed", 0));
    draw_ = 0;
  }

  py::tuple act(py::handle obs, py::handle avail, py::handle state, py::handle active, py::handle ended) {
    const bool codes = spec_.obs_dtype == "U8";
    Rows rows;
    const Given given_obs = take(obs, "obs", codes ? "uint8" : "float32", spec_.obs_dim, rows);
    if (spec_.num_actions == 0) avail = py::none();  // of numbers all are legal
    const Given given_avail = take(avail, "avail_actions", "bool", spec_.num_actions, rows);
    const Given given_state = take(state, "state", "float32", state_dim(), rows);
    const Given given_active = take(active, "active", "bool", 0, rows);
    const Given given_ended = take(ended, "ended", "bool", 0, rows);
    if (given_obs.data == nullptr) throw Error("obs is missing");
    const size_t state_bytes = sizeof(float) * rows.count * state_dim();
    const Block actions = blocks_.take(sizeof(int32_t) * rows.count * spec_.action_dim());
    const Block after = state_dim() > 0 ? blocks_.take(state_bytes) : nullptr;
    {
      const py::gil_scoped_release release;
      if (after && given_state.data) device_->copy(after.get(), given_state.data, state_bytes);
      if (after && !given_state.data) device_->fill_zero(after.get(), state_bytes);
      const Observations seen{const_cast<void*>(given_obs.data), flags(given_avail, rows.count), flags(given_active),
                              nullptr};
      policy_->act(seen, flags(given_ended), reinterpret_cast<float*>(after.get()), rows.count, greedy_, key_, draw_++,
                   actions.get());
    }
    std::vector<int64_t> shape = rows.lead;
    if (spec_.action_dim() > 1) shape.push_back(spec_.action_dim());
    py::object of_state = py::none();
    if (after) {
      std::vector<int64_t> wide = rows.lead;
      wide.push_back(state_dim());
      of_state = shown(reinterpret_cast<float*>(after.get()), after, std::move(wide));
    }
    const py::object chosen = spec_.continuous > 0
                                  ? shown(reinterpret_cast<float*>(actions.get()), actions, std::move(shape))
                                  : shown(reinterpret_cast<int32_t*>(actions.get()), actions, std::move(shape));
    return py::make_tuple(chosen, of_state);
  }

  int state_dim() const { return policy_->state_dim(); }
  const EnvSpec& spec() const { return spec_; }
  const Policy& policy() const { return *policy_; }
  std::string device() const { return device_->kind(); }
  bool greedy() const { return greedy_; }
  py::object config() const { return from_json(run_.to_json()); }

 private:
  // All arrays of a call have the same leading axes: [env, agent], or any others.
  struct Rows {
    bool known = false;
    std::vector<int64_t> lead;
    int64_t count = 1;
  };

  struct Given {
    const void* data = nullptr;  // on the device; null: not given
    ForeignArray array;
    Block uploaded;
  };

  static uint8_t* flags(const Given& given) { return static_cast<uint8_t*>(const_cast<void*>(given.data)); }

  // Without a mask everything is legal.
  uint8_t* flags(const Given& given, int64_t rows) {
    if (given.data) return flags(given);
    const size_t count = static_cast<size_t>(rows) * spec_.num_actions;
    if (all_legal_bytes_ < count) {
      all_legal_ = blocks_.take(count);
      all_legal_bytes_ = count;
      upload(*device_, reinterpret_cast<uint8_t*>(all_legal_.get()), std::vector<uint8_t>(count, 1));
    }
    return reinterpret_cast<uint8_t*>(all_legal_.get());
  }

  // An array [.., width], or without the last axis if width is 0. On a GPU it is read in place if it lies there, and then must
  // be compact and of that dtype; whatever NumPy knows is converted, and uploaded.
  Given take(py::handle value, const std::string& name, const std::string& dtype, int64_t width, Rows& rows) {
    Given given;
    if (value.is_none() || (name == "state" && width == 0)) return given;
    const bool there = device_->is_cuda() && (py::hasattr(value, "__cuda_array_interface__") || is_on_gpu(value));
    if (there) {
      given.array = import_array(value, *device_, name);
    } else {
      py::object on_host = py::reinterpret_borrow<py::object>(value);
      if (py::isinstance<DeviceArray>(value)) on_host = value.attr("numpy")();
      given.array = import_array(
          py::module_::import("numpy").attr("ascontiguousarray")(on_host, py::arg("dtype") = dtype), *device_, name);
    }
    check(given.array, name, dtype, width, rows);
    given.data = given.array.data;
    if (given.array.on_host() && device_->is_cuda()) {
      const size_t bytes = static_cast<size_t>(rows.count * std::max<int64_t>(width, 1)) * (given.array.dtype.bits / 8);
      given.uploaded = blocks_.take(bytes);
      device_->copy(given.uploaded.get(), given.array.data, bytes);
      device_->synchronize();
      given.data = given.uploaded.get();
    }
    return given;
  }

  static bool is_on_gpu(py::handle value) {
    if (!py::hasattr(value, "__dlpack_device__")) return false;
    const auto place = value.attr("__dlpack_device__")().cast<py::tuple>();
    return py::int_(place[0]).cast<int>() == dl::kCUDA;
  }

  void check(const ForeignArray& array, const std::string& name, const std::string& dtype, int64_t width,
             Rows& rows) const {
    std::vector<int64_t> lead = array.shape;
    const bool wide = width > 0 && !lead.empty() && lead.back() == width;
    if (wide) lead.pop_back();
    if (!rows.known && wide) {
      rows.known = true;
      rows.lead = lead;
      for (const int64_t n : lead) rows.count *= n;
    }
    std::vector<int64_t> expected = rows.lead;
    if (width > 0) expected.push_back(width);
    const std::string text = rows.known ? text_of(expected) : "(num_envs, num_agents, " + std::to_string(width) + ")";
    const bool right_type = name_of(array.dtype) == dtype || (dtype == "bool" && name_of(array.dtype) == "uint8");
    if (array.shape != expected || !right_type || !array.is_compact()) {
      throw Error(name + " must be " + dtype + " of shape " + text + ", compact, not " + array.describe());
    }
  }

  // NumPy's memory on the CPU, else ours in place.
  template <class T>
  py::object shown(T* data, const Block& block, std::vector<int64_t> shape) const {
    const DeviceArray array = array_of(block, device_, data, std::move(shape));
    return device_->is_cuda() ? py::cast(array) : py::object(numpy_view(array));
  }

  Run run_;
  EnvSpec spec_;
  std::shared_ptr<Device> device_;
  Blocks blocks_;
  Block all_legal_;
  size_t all_legal_bytes_ = 0;
  bool greedy_;
  Key key_ = {};
  uint32_t draw_ = 0;
  std::unique_ptr<Policy> policy_;
};

}  // namespace

void bind_policy(py::module_& m) {
  using P = PythonPolicy;
  py::class_<P>(m, "Policy", "What a run has learned, as a function: see load_policy().")
      .def("__call__", &P::act, py::arg("obs"), py::arg("avail_actions") = py::none(), py::arg("state") = py::none(),
           py::kw_only(), py::arg("active") = py::none(), py::arg("ended") = py::none())
      .def("reset", &P::reset, py::arg("seed") = 0, "Draws from now on as after load_policy(seed=seed).")
      .def_property_readonly("spec", &P::spec)
      .def_property_readonly("state_dim", &P::state_dim)
      .def_property_readonly("greedy", &P::greedy)
      .def_property_readonly("device", &P::device)
      .def_property_readonly("checkpoint", [](const P& p) { return p.policy().path(); })
      .def_property_readonly("timesteps", [](const P& p) { return p.policy().timesteps(); })
      .def_property_readonly("config", &P::config)
      .def("__repr__", [](const P& p) {
        return "Policy('" + p.policy().path() + "', env='" + p.policy().run().env + "', device='" + p.device() + "')";
      });
  m.def(
      "load_policy",
      [](const std::string& folder, const std::string& checkpoint, const std::string& device, bool greedy,
         py::handle seed,
         py::handle stream) { return std::make_unique<P>(folder, checkpoint, device, greedy, seed, stream); },
      py::arg("folder"), py::arg("checkpoint"), py::arg("device"), py::arg("greedy"), py::arg("seed"),
      py::arg("stream"));
}

}  // namespace throng
