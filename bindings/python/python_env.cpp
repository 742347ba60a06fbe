// What happens between a call in Python and one launch of the batch.
#include "bindings/python/python_env.hpp"

#include <algorithm>
#include <bit>
#include <random>

#include "bindings/python/convert.hpp"
#include "core/error.hpp"
#include "envs/registry.hpp"

namespace throng {

namespace {

// Environment e draws from fold_in(key(seed), first_env + e); no environment has the last number.
constexpr uint32_t kSampleActions = 0xffffffffu;

uint64_t fresh_seed() {
  std::random_device entropy;
  return uint64_t{entropy()} << 32 | entropy();
}

// An action's number as the environment takes it; integers that int32 cannot hold stay out of every game's range.
template <class T>
uint32_t action_word(T value) {
  if constexpr (std::floating_point<T>)
    return std::bit_cast<uint32_t>(static_cast<float>(value));
  else
    return static_cast<uint32_t>(std::in_range<int32_t>(value) ? value : std::numeric_limits<int32_t>::min());
}

// [env, agent] or [env, agent, number] of any type to the words of int32 or float32.
template <class T>
void convert(const ForeignArray& from, uint32_t* to) {
  const auto* values = static_cast<const T*>(from.data);
  const bool deep = from.shape.size() == 3;
  const int64_t numbers = deep ? from.shape[2] : 1, stride = deep ? from.strides[2] : 0;
  for (int64_t e = 0; e < from.shape[0]; ++e) {
    for (int64_t a = 0; a < from.shape[1]; ++a) {
      const T* row = values + e * from.strides[0] + a * from.strides[1];
      for (int64_t i = 0; i < numbers; ++i) *to++ = action_word(row[i * stride]);
    }
  }
}

void convert_actions(const ForeignArray& from, uint32_t* to) {
  if (from.dtype.code == dl::kFloat)
    return from.dtype.bits == 64 ? convert<double>(from, to) : convert<float>(from, to);
  const bool is_signed = from.dtype.code == dl::kInt;
  switch (from.dtype.bits) {
    case 8: return is_signed ? convert<int8_t>(from, to) : convert<uint8_t>(from, to);
    case 16: return is_signed ? convert<int16_t>(from, to) : convert<uint16_t>(from, to);
    case 32: return is_signed ? convert<int32_t>(from, to) : convert<uint32_t>(from, to);
    default: return is_signed ? convert<int64_t>(from, to) : convert<uint64_t>(from, to);
  }
}

// May actions be given so? Choices as integers of any width, numbers as float32 or float64.
bool suits(dl::DataType dtype, bool continuous) {
  if (continuous) return dtype.code == dl::kFloat && dtype.bits >= 32;
  return dtype.code == dl::kInt || dtype.code == dl::kUInt;
}

auto without_gil(auto&& work) {
  const py::gil_scoped_release release;
  return work();
}

// [picture, height, width, 3]
py::array stacked(const std::vector<Image>& images) {
  const Image& first = images.at(0);
  const size_t bytes = first.rgb.size();
  py::array_t<uint8_t> all(
      {py::ssize_t(images.size()), py::ssize_t(first.height), py::ssize_t(first.width), py::ssize_t(3)});
  for (size_t i = 0; i < images.size(); ++i)
    std::copy(images[i].rgb.begin(), images[i].rgb.end(), all.mutable_data() + i * bytes);
  return all;
}

bool is_there(const ForeignArray& array, const Device& device) {
  return device.is_cuda() ? array.device.type == dl::kCUDA && array.device.id == device.index() : array.on_host();
}

}  // namespace

Held::Held(std::shared_ptr<VecEnv> made) : env(std::move(made)) {
  mask = static_cast<uint8_t*>(env->device().allocate(env->num_envs()));
}

// --- arrays ---------------------------------------------------------------------------------------------------------

PythonEnv::PythonEnv(std::unique_ptr<VecEnv> env, Options options)
    : held_(std::make_shared<Held>(std::move(env))), options_(options) {
  name_arrays();
  name_episode(held_);
  if (options_.copy) return;
  shown_ = py::make_tuple(present(obs_), present(rewards_), present(terminations_), present(truncations_));
  shown_info_ = info();
}

void PythonEnv::name_arrays() {
  VecEnv& env = *held_->env;
  const EnvSpec& spec = env.spec();
  const int64_t envs = env.num_envs(), agents = spec.num_agents;
  auto array = [&](auto* memory, std::vector<int64_t> shape) {
    return array_of(held_, env.shared_device(), memory, std::move(shape));
  };
  std::vector<int64_t> rewards = {envs, agents};
  if (spec.num_objectives > 1) rewards.push_back(spec.num_objectives);
  auto obs_array = [&](void* memory) {
    DeviceArray obs = array(static_cast<float*>(memory), {envs, agents, spec.obs_dim});
    if (spec.obs_dtype == "U8") obs.dtype = {dl::kUInt, 8, 1};
    return obs;
  };
  std::vector<int64_t> actions = {envs, agents};
  if (spec.action_dim() > 1 || spec.continuous > 0) actions.push_back(spec.action_dim());
  obs_ = obs_array(env.observations().obs);
  rewards_ = array(env.outcomes().rewards, rewards);
  terminations_ = array(env.outcomes().terminated, {envs, agents});
  truncations_ = array(env.outcomes().truncated, {envs, agents});
  actions_ = spec.continuous > 0 ? array(static_cast<float*>(env.actions()), actions)
                                 : array(static_cast<int32_t*>(env.actions()), actions);
  info_arrays_ = {{"avail_actions", array(env.observations().avail_actions, {envs, agents, spec.num_actions})},
                  {"active", array(env.observations().active, {envs, agents})},
                  {"final_obs", obs_array(env.finals().obs)}};
  if (spec.world_state_dim > 0) {
    info_arrays_.emplace_back("world_state", array(env.observations().world_state, {envs, spec.world_state_dim}));
    info_arrays_.emplace_back("final_world_state", array(env.finals().world_state, {envs, spec.world_state_dim}));
  }
}

void PythonEnv::name_episode(const std::shared_ptr<Held>& held) {
  VecEnv& env = *held->env;
  const EnvSpec& spec = env.spec();
  const int64_t envs = env.num_envs();
  const auto& device = env.shared_device();
  episode_arrays_ = {{"returns", array_of(held, device, env.finals().episode_return, rewards_.shape)},
                     {"length", array_of(held, device, env.finals().episode_length, {envs})}};
  for (size_t i = 0; i < spec.info.size(); ++i) {  // a column of [env, info]
    DeviceArray column = array_of(held, device, env.finals().info + i, {envs});
    column.strides = {static_cast<int64_t>(spec.info.size())};
    episode_arrays_.emplace_back(spec.info[i], column);
  }
  episode_arrays_.emplace_back("ended", array_of(held, device, env.outcomes().ended, {envs}));
}

py::object PythonEnv::present(const DeviceArray& array) const {
  if (options_.copy) return numpy_copy(array);
  if (!array.device->is_cuda()) return numpy_view(array);
  return py::cast(array);
}

py::dict PythonEnv::present(const Named& arrays, bool pad) const {
  py::dict dict;
  for (const auto& [name, array] : arrays) dict[py::str(name)] = present(array);
  for (const char* name : {"world_state", "final_world_state"}) {
    if (pad && !dict.contains(name)) dict[name] = py::none();
  }
  return dict;
}

py::dict PythonEnv::info() const {
  py::dict info, episode;
  if (options_.copy || !shown_info_.contains("episode")) {
    info = present(info_arrays_, true);
    episode = present(episode_arrays_, false);
  } else {  // the caller may change the dictionaries it gets, so it gets its own
    info = py::reinterpret_steal<py::dict>(PyDict_Copy(shown_info_.ptr()));
    episode = py::reinterpret_steal<py::dict>(PyDict_Copy(py::object(shown_info_["episode"]).ptr()));
  }
  info["episode"] = episode;
  return info;
}

py::dict PythonEnv::buffers() const {
  env();
  py::dict all;
  const Named outcomes = {{"obs", obs_},
                          {"rewards", rewards_},
                          {"terminations", terminations_},
                          {"truncations", truncations_},
                          {"actions", actions_}};
  for (const Named* part : {&outcomes, &info_arrays_}) {
    for (const auto& [name, array] : *part) all[py::str(name)] = array;
  }
  for (const auto& [name, array] : episode_arrays_) all[py::str("episode." + name)] = array;
  return all;
}

// --- calls ----------------------------------------------------------------------------------------------------------

class PythonEnv::Turn {
 public:
  explicit Turn(PythonEnv& env) : env_(env) {
    if (env_.in_use_.exchange(true)) throw Error("this environment is in use by another thread: one thread at a time");
  }
  ~Turn() { env_.in_use_ = false; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  PythonEnv& env_;
};

VecEnv& PythonEnv::env() const {
  if (closed()) throw Error("this environment is closed");
  if (process_ != getpid() && held_->env->device().is_cuda()) {
    throw Error(
        "this environment is on a GPU, and this process was forked from its own; CUDA does not survive that: "
        "start processes with the method 'spawn', and make environments in them");
  }
  return *held_->env;
}

void PythonEnv::check_started(const char* what) const {
  env();
  if (!started_) throw Error(std::string("call reset() before ") + what);
}

void PythonEnv::begin(uint64_t seed) {
  seed_ = seed;
  seeded_ = started_ = true;
  draw_ = 0;
  const py::gil_scoped_release release;
  env().reset(seed);
}

// Without a seed: the first call takes one from the system, later ones go on with the streams that there are.
py::tuple PythonEnv::reset(py::handle seed, py::handle mask) {
  VecEnv& batch = env();
  const Turn turn(*this);
  if (!seed.is_none() && !mask.is_none())
    throw Error("reset() takes a seed, which restarts all environments, or a mask");
  if (!mask.is_none()) {
    check_started("reset(mask=...)");
    ForeignArray keep;
    const uint8_t* where = mask_on_device(mask, keep);
    const py::gil_scoped_release release;
    batch.reset_where(where);
  } else if (!seed.is_none() || !started_) {
    begin(seed.is_none() ? fresh_seed() : integer<uint64_t>(seed, "seed", 0));
  } else {
    const std::vector<uint8_t> all(batch.num_envs(), 1);
    upload(batch.device(), held_->mask, all);
    const py::gil_scoped_release release;
    batch.reset_where(held_->mask);
  }
  return py::make_tuple(options_.copy ? present(obs_) : py::object(shown_[0]), info());
}

py::tuple PythonEnv::step(py::handle actions) {
  check_started("step()");
  const Turn turn(*this);
  ForeignArray keep;
  const void* chosen = actions_on_device(actions, keep);
  {
    const py::gil_scoped_release release;
    held_->env->step(chosen);
  }
  return outcome();
}

py::tuple PythonEnv::outcome() const {
  if (options_.copy) {
    return py::make_tuple(present(obs_), present(rewards_), present(terminations_), present(truncations_), info());
  }
  return py::make_tuple(shown_[0], shown_[1], shown_[2], shown_[3], info());
}

// Draws as so many calls of sample_actions() would.
py::tuple PythonEnv::step_random(py::handle steps) {
  check_started("step_random()");
  const Turn turn(*this);
  const int count = integer<int>(steps, "steps", 1);
  {
    const py::gil_scoped_release release;
    held_->env->step_random(count, fold_in(key(seed_), kSampleActions), draw_);
  }
  draw_ += static_cast<uint32_t>(count);
  return outcome();
}

// The caller's memory where that is possible, else our own buffer with a converted copy.
const void* PythonEnv::actions_on_device(py::handle actions, ForeignArray& keep) {
  VecEnv& env = *held_->env;
  Device& device = env.device();
  keep = import_array(actions, device, "actions");
  const std::string place = " on " + device.kind();
  const bool there = is_there(keep, device);
  const bool continuous = env.spec().continuous > 0;
  if (!suits(keep.dtype, continuous) || keep.shape != actions_.shape || !(there || keep.on_host())) {
    throw Error("actions: got " + keep.describe() + ", expected " + (continuous ? "floats" : "integers") +
                " of shape " + text_of(actions_.shape) + ", which are the environments and the agents," + place +
                (device.is_cuda() ? " or on the host" : ""));
  }
  const std::string dtype = name_of(actions_.dtype);
  if (there && name_of(keep.dtype) == dtype && keep.is_compact()) return keep.data;
  auto* words = static_cast<uint32_t*>(env.actions());
  if (!device.is_cuda()) {
    convert_actions(keep, words);
  } else if (keep.on_host()) {
    std::vector<uint32_t> host(size_t(env.num_rows()) * env.spec().action_dim());
    convert_actions(keep, host.data());
    upload(device, words, host);
  } else {
    throw Error("actions: got " + keep.describe() + ", expected compact " + dtype + place +
                ": nothing is converted on the GPU, so use actions." + (continuous ? "float" : "int") +
                "().contiguous() or your library's equivalent");
  }
  return env.actions();
}

const uint8_t* PythonEnv::mask_on_device(py::handle mask, ForeignArray& keep) {
  VecEnv& env = *held_->env;
  Device& device = env.device();
  keep = import_array(mask, device, "mask");
  const bool there = is_there(keep, device), bytes = keep.dtype.bits == 8 && keep.dtype.code != dl::kFloat;
  if (!bytes || keep.shape != std::vector<int64_t>{env.num_envs()} || !(there || keep.on_host())) {
    throw Error("mask: got " + keep.describe() + ", expected bool or uint8 of shape (" +
                std::to_string(env.num_envs()) + ",), one per environment, on " + device.kind() +
                (device.is_cuda() ? " or on the host" : ""));
  }
  const auto* values = static_cast<const uint8_t*>(keep.data);
  if (there && keep.is_compact()) return values;
  if (!keep.on_host()) throw Error("mask: must be compact on " + device.kind() + "; use mask.contiguous()");
  std::vector<uint8_t> host(env.num_envs());
  for (size_t e = 0; e < host.size(); ++e) host[e] = values[static_cast<int64_t>(e) * keep.strides[0]];
  upload(device, held_->mask, host);
  return held_->mask;
}

py::object PythonEnv::sample_actions(const std::string& policy) {
  check_started("sample_actions()");
  const Turn turn(*this);
  VecEnv& batch = env();
  const int number = batch.policy_named(policy);
  {
    const py::gil_scoped_release release;
    batch.policy_actions(number, batch.actions(), fold_in(key(seed_), kSampleActions), draw_++);
  }
  return present(actions_);
}

void PythonEnv::vary(py::handle parameters) {
  VecEnv& batch = env();
  const Turn turn(*this);
  const nlohmann::json values = to_json(parameters, batch.spec().id);
  {
    const py::gil_scoped_release release;
    throng::vary(batch, values);
  }
}

// --- pictures -------------------------------------------------------------------------------------------------------

py::array PythonEnv::render(py::handle index, py::handle size, py::handle agent) {
  check_started("render()");
  const Turn turn(*this);
  const int of_whom = agent.is_none() ? VecEnv::kWhole : integer<int>(agent, "agent", 0);
  return stacked({env().render(integer<int>(index, "env", 0), integer<int>(size, "size", 0), of_whom)})[py::int_(0)];
}

py::array PythonEnv::render_step(py::handle actions, py::handle index, py::handle size) {
  check_started("render_step()");
  const Turn turn(*this);
  VecEnv& batch = env();
  const int e = integer<int>(index, "env", 0, batch.num_envs() - 1);
  ForeignArray keep;
  const auto* chosen = static_cast<const uint32_t*>(actions_on_device(actions, keep));  // int32 or float32
  const size_t count = size_t(batch.spec().num_agents) * batch.spec().action_dim();
  const std::vector<uint32_t> row = download(batch.device(), chosen + e * count, count);
  return stacked(batch.render_step(e, row.data(), integer<int>(size, "size", 0)));
}

py::dict PythonEnv::statistics() {
  VecEnv& batch = env();
  const Turn turn(*this);
  const EpisodeStatistics statistics = without_gil([&] { return batch.take_statistics(); });
  return to_dict(statistics);
}

// --- state ----------------------------------------------------------------------------------------------------------

py::dict PythonEnv::snapshot() {
  check_started("get_state()");
  const Turn turn(*this);
  py::dict state;
  auto tensors = without_gil([&] { return held_->env->snapshot(); });
  for (auto& [name, tensor] : tensors) state[py::str(name)] = to_numpy(std::move(tensor));
  return state;
}

void PythonEnv::restore(const py::dict& state) {
  VecEnv& batch = env();
  const Turn turn(*this);
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, array] : state) {
    const auto text = std::string(py::str(name));
    tensors[text] = to_tensor(array, text);
  }
  std::vector<std::string> known;
  for (const auto& [name, tensor] : batch.snapshot()) known.push_back(name);
  for (const auto& [name, tensor] : tensors) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw_unknown("array", name, known, "state of " + batch.spec().id);
    }
  }
  batch.restore(tensors);
  started_ = true;
}

uint64_t PythonEnv::state_hash() {
  check_started("state_hash()");
  const Turn turn(*this);
  return without_gil([&] { return held_->env->state_hash(); });
}

py::array PythonEnv::state_hashes() {
  check_started("state_hashes()");
  const Turn turn(*this);
  const std::vector<uint64_t> hashes = without_gil([&] { return held_->env->state_hashes(); });
  return to_numpy(Tensor::of<uint64_t>({static_cast<int64_t>(hashes.size())}, hashes));
}

// --- the rest -------------------------------------------------------------------------------------------------------

// Work already given to the old stream comes before work on the new one.
void PythonEnv::use_stream(intptr_t stream) {
  Device& device = env().device();
  if (!device.is_cuda()) throw Error("use_stream: this environment is on the CPU, which has no streams");
  const Turn turn(*this);
  device.synchronize();
  device.use_stream(stream <= 1 ? nullptr : reinterpret_cast<void*>(stream));
}

void PythonEnv::close() {
  const Turn turn(*this);
  shown_ = py::tuple();
  shown_info_ = py::dict();
  for (DeviceArray* array : {&obs_, &rewards_, &terminations_, &truncations_, &actions_}) *array = {};
  info_arrays_.clear();
  episode_arrays_.clear();
  held_.reset();
}

std::string PythonEnv::repr() const {
  if (closed()) return "VecEnv(closed)";
  const EnvSpec& spec = held_->env->spec();
  auto field = [](const char* name, int value) { return std::string(", ") + name + "=" + std::to_string(value); };
  return "VecEnv('" + spec.id + "'" + field("num_envs", held_->env->num_envs()) + field("num_agents", spec.num_agents) +
         field("obs_dim", spec.obs_dim) + field("num_actions", spec.num_actions) +
         (spec.num_objectives > 1 ? field("num_objectives", spec.num_objectives) : "") + ", device='" +
         held_->env->device().kind() + "', autoreset='" + throng::name_of(held_->env->options().autoreset) + "')";
}

}  // namespace throng
