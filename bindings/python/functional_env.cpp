// The arrays of a functional environment in their order, and the launch over them.
#include "bindings/python/functional_env.hpp"

#include <map>
#include <utility>

#include "core/error.hpp"
#include "envs/registry.hpp"

namespace throng {

namespace {

constexpr int64_t kEnv = -1;  // the axis of the environments

std::unique_ptr<VecEnv> env_of(const nlohmann::json& plan, std::shared_ptr<Device> device, int lanes = 0) {
  BatchOptions options;
  options.autoreset = autoreset_from(plan.at("autoreset"));
  options.time_limit = plan.at("time_limit");
  options.lanes = lanes;
  return make(plan.at("id"), std::move(device), options, plan.at("config"));
}

// How many environments there are decides how many lanes work on each, and for every number of lanes there is a kernel, which
// the GPU's driver loads when it is first launched. Here that is done for all of them.
void load_kernels(const nlohmann::json& plan, const std::shared_ptr<Device>& device) {
  for (int lanes = 1; lanes <= 32; lanes *= 2) env_of(plan, device, lanes)->reset(0);
  device->synchronize();
}

// Takes the caller's pointers in the order of the forms.
class Pointers {
 public:
  explicit Pointers(const std::vector<void*>& all) : next_(all.begin()) {}
  template <class T>
  void take(T*& pointer) {
    pointer = static_cast<T*>(*next_++);
  }

 private:
  std::vector<void*>::const_iterator next_;
};

}  // namespace

size_t ArrayForm::bytes(int num_envs) const {
  size_t bytes = dtype == "BOOL" ? 1 : std::stoi(dtype.substr(dtype.find_first_of("123468"))) / 8;  // "U16": 2
  for (const int64_t size : shape) bytes *= size == kEnv ? num_envs : size;
  return bytes;
}

FunctionalEnv::FunctionalEnv(const std::string& text, const std::string& device) {
  const auto plan = nlohmann::json::parse(text);
  env_ = env_of(plan, open_device(device));
  if (env_->device().is_cuda()) load_kernels(plan, env_->shared_device());
  final_obs_ = plan.at("final_obs");
  const EnvSpec& s = spec();
  const int64_t agents = s.num_agents, objectives = s.num_objectives, info = static_cast<int64_t>(s.info.size());
  for (const StateArray& array : env_->state()) {
    ArrayForm form = {"state." + array.name, array.dtype, {array.count, kEnv}};
    if (array.dtype == "U64")
      form = {form.name, "U32", {array.count, kEnv, 2}};  // JAX has no 64 bits unless told otherwise
    carried_.push_back(form);
  }
  for (const StateArray& array : env_->book()) {
    carried_.push_back({"batch." + array.name, array.dtype, {array.count, kEnv}});
  }
  carried_.push_back({"episode.returns", "F32", {kEnv, agents, objectives}});
  carried_.push_back({"episode.length", "I32", {kEnv}});
  if (info > 0) carried_.push_back({"episode.info", "F32", {kEnv, info}});
  if (final_obs_) carried_.push_back({"final_obs", s.obs_dtype, {kEnv, agents, s.obs_dim}});
  shown_ = {{"obs", s.obs_dtype, {kEnv, agents, s.obs_dim}}, {"active", "BOOL", {kEnv, agents}}};
  if (s.num_actions > 0) shown_.push_back({"avail_actions", "BOOL", {kEnv, agents, s.num_actions}});
  if (s.world_state_dim > 0) {
    shown_.push_back({"world_state", "F32", {kEnv, s.world_state_dim}});
    if (final_obs_) carried_.push_back({"final_world_state", "F32", {kEnv, s.world_state_dim}});
  }
  outcomes_ = {{"rewards", "F32", {kEnv, agents, objectives}},
               {"terminations", "BOOL", {kEnv, agents}},
               {"truncations", "BOOL", {kEnv, agents}}};
}

void FunctionalEnv::call(Operation operation, int num_envs, const std::vector<const void*>& before,
                         const std::vector<void*>& arrays, const void* input, void* stream) {
  Call call;
  Memory memory;
  memory.num_envs = num_envs;
  memory.state.assign(arrays.begin(), arrays.begin() + static_cast<long>(env_->state().size()));
  Pointers next(arrays);
  for (void* skipped : memory.state) next.take(skipped);
  Book& book = memory.book;
  next.take(book.key), next.take(book.episode), next.take(book.step), next.take(book.ended);
  next.take(book.returns), next.take(book.totals);
  next.take(memory.finals.episode_return), next.take(memory.finals.episode_length);
  if (!spec().info.empty()) next.take(memory.finals.info);
  if (final_obs_) next.take(memory.finals.obs);
  if (final_obs_ && spec().world_state_dim > 0) next.take(memory.finals.world_state);
  next.take(call.next.obs), next.take(call.next.active);
  if (spec().num_actions > 0) next.take(call.next.avail_actions);
  if (spec().world_state_dim > 0) next.take(call.next.world_state);
  if (operation == kStep) {
    call.operation = Call::kStep;
    call.autoreset = env_->options().autoreset;
    call.actions = input;
    next.take(call.outcome.rewards), next.take(call.outcome.terminated), next.take(call.outcome.truncated);
  } else if (operation == kReset) {
    call.operation = Call::kResetWhere;
    call.mask = static_cast<const uint8_t*>(input);
  }
  Device& device = env_->device();
  std::unique_lock lock(one_at_a_time_, std::defer_lock);
  if (device.is_cuda()) lock.lock(), device.use_stream(stream);
  for (size_t i = 0; i < carried_.size(); ++i) {
    if (before[i] != arrays[i]) device.copy(arrays[i], before[i], carried_[i].bytes(num_envs));
  }
  env_->launch_over(call, memory);
}

FunctionalEnv& functional_env(const std::string& plan, const std::string& device) {
  static std::mutex lock;
  static std::map<std::pair<std::string, std::string>, std::unique_ptr<FunctionalEnv>> made;
  const std::lock_guard locked(lock);
  auto& env = made[{plan, device}];
  if (!env) env = std::make_unique<FunctionalEnv>(plan, device);
  return *env;
}

}  // namespace throng
