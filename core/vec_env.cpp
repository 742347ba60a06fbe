// What every batch has in common: buffers, reset and step, statistics, the state as a value.
#include "core/vec_env.hpp"

#include <cstring>

#include "core/error.hpp"

namespace throng {

namespace {

const std::vector<std::string> kAutoresetNames = {"same_step", "next_step", "disabled"};

// FNV-1a over 64-bit words with a final mix: small, and sensitive to every bit and its place.
struct Hash {
  uint64_t value = 0xcbf29ce484222325u;
  void add(const void* data, size_t bytes) {
    const auto* p = static_cast<const unsigned char*>(data);
    for (size_t i = 0; i < bytes; ++i) value = (value ^ p[i]) * 0x100000001b3u;
  }
  uint64_t finish() const {
    uint64_t x = value;
    x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdu;
    x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53u;
    return x ^ (x >> 33);
  }
};

}  // namespace

Autoreset autoreset_from(const std::string& name) {
  for (size_t i = 0; i < kAutoresetNames.size(); ++i) {
    if (kAutoresetNames[i] == name) return static_cast<Autoreset>(i);
  }
  throw_unknown("autoreset", name, kAutoresetNames);
}

const char* name_of(Autoreset autoreset) { return kAutoresetNames[static_cast<int>(autoreset)].c_str(); }

VecEnv::VecEnv(std::shared_ptr<Device> device, EnvSpec spec, BatchOptions options)
    : device_(std::move(device)), spec_(std::move(spec)), options_(options), arena_(device_) {
  if (options_.num_envs < 1) throw Error("num_envs must be at least 1, not " + std::to_string(options_.num_envs));
  if (options_.obs_bfloat16) {
    if (spec_.obs_dtype != "F32") throw Error("obs_bfloat16: the observations of " + spec_.id + " are codes of 8 bits");
    spec_.obs_dtype = "BF16";
  }
  if (options_.time_limit >= 0) spec_.time_limit = options_.time_limit;
  const int lanes = options_.lanes;
  if (lanes < 0 || lanes > 32 || (lanes & (lanes - 1)) != 0) {
    throw Error("lanes must be 0 (chosen), 1, 2, 4, 8, 16 or 32, not " + std::to_string(lanes));
  }
}

void VecEnv::allocate() {
  const size_t envs = num_envs(), rows = num_rows(), objectives = spec_.num_objectives, info = spec_.info.size();
  auto book = [&](const char* name, const char* dtype, auto*& pointer, size_t count) {
    arena_.want(pointer, count * envs);
    book_arrays_.push_back({name, dtype, static_cast<int>(count), sizeof(*pointer), nullptr});
  };
  book("key", "U32", book_.key, 2);
  book("episode", "U32", book_.episode, 1);
  book("step", "I32", book_.step, 1);
  book("ended", "U8", book_.ended, 1);
  book("returns", "F32", book_.returns, spec_.num_agents * objectives);
  book("totals", "F32", book_.totals, num_totals());

  arena_.want_bytes(observations_.obs, rows * spec_.obs_dim * spec_.obs_item_bytes());
  arena_.want(observations_.avail_actions, rows * spec_.num_actions);
  arena_.want(observations_.active, rows);
  arena_.want(outcomes_.rewards, rows * objectives);
  arena_.want(outcomes_.terminated, rows);
  arena_.want(outcomes_.truncated, rows);
  arena_.want(outcomes_.ended, envs);
  arena_.want_bytes(finals_.obs, rows * spec_.obs_dim * spec_.obs_item_bytes());
  if (spec_.world_state_dim > 0) {
    arena_.want(observations_.world_state, envs * spec_.world_state_dim);
    arena_.want(finals_.world_state, envs * spec_.world_state_dim);
  }
  arena_.want(finals_.episode_return, rows * objectives);
  arena_.want(finals_.episode_length, envs);
  if (info > 0) arena_.want(finals_.info, envs * info);
  arena_.want_bytes(actions_, rows * spec_.action_dim() * sizeof(int32_t));
  arena_.commit();

  void* const data[] = {book_.key, book_.episode, book_.step, book_.ended, book_.returns, book_.totals};
  for (size_t i = 0; i < book_arrays_.size(); ++i) book_arrays_[i].data = data[i];
}

void VecEnv::reset(uint64_t seed) {
  Call call;
  call.operation = Call::kReset;
  call.seed_key = key(seed);
  call.next = observations_;
  call.outcome.ended = outcomes_.ended;
  device_->fill_zero(book_.totals, sizeof(float) * num_totals() * num_envs());
  started_ = true;
  launch(call);
}

// What reset() writes of a stream is its key, and the number before that of the first episode.
void VecEnv::reset_blocks(const std::vector<uint64_t>& seeds) {
  const size_t envs = num_envs(), blocks = seeds.size();
  if (blocks == 0 || envs % blocks != 0) {
    throw Error("reset_blocks: " + std::to_string(blocks) + " seeds for " + std::to_string(envs) + " environments");
  }
  reset(seeds[0]);
  if (blocks == 1) return;
  std::vector<uint32_t> keys(2 * envs);
  for (size_t e = 0; e < envs; ++e) {
    const size_t in_block = e % (envs / blocks);
    const Key own = fold_in(key(seeds[e / (envs / blocks)]), static_cast<uint32_t>(options_.first_env + in_block));
    keys[e] = own.hi;
    keys[envs + e] = own.lo;
  }
  upload(*device_, book_.key, keys);
  upload(*device_, book_.episode, std::vector<uint32_t>(envs, ~uint32_t(0)));
  begin_all();
}

void VecEnv::reset_where(const uint8_t* mask) {
  Call call;
  call.operation = Call::kResetWhere;
  call.mask = mask;
  call.next = observations_;
  call.outcome.ended = outcomes_.ended;
  launch(call);
}

Call VecEnv::step_call(const void* actions, const Observations& next, const Outcomes& outcome) const {
  Call call;
  call.operation = Call::kStep;
  call.autoreset = options_.autoreset;
  call.actions = actions;
  call.next = next;
  call.outcome = outcome;
  return call;
}

void VecEnv::step(const void* actions, const Observations& next, const Outcomes& outcome) {
  launch(step_call(actions, next, outcome));
}

void VecEnv::step_random(int steps, Key key, uint32_t draw) {
  for (int i = 0; i < steps; ++i) {
    random_actions(observations_.avail_actions, actions_, key, draw + static_cast<uint32_t>(i));
    step(actions_);
  }
}

void VecEnv::observe(const Observations& out) {
  Call call;
  call.operation = Call::kObserve;
  call.next = out;
  launch(call);
}

int VecEnv::policy_named(const std::string& name) const {
  for (size_t i = 0; i < spec_.policies.size(); ++i) {
    if (spec_.policies[i] == name) return static_cast<int>(i);
  }
  throw_unknown("policy", name, spec_.policies, spec_.id);
}

void VecEnv::check_picture(int env, int size, int agent) const {
  if (env < 0 || env >= num_envs()) {
    throw Error("render: there is no environment " + std::to_string(env) + "; valid: 0 to " +
                std::to_string(num_envs() - 1));
  }
  constexpr int kLargest = 8192;
  if (size < 16 || size > kLargest) {
    throw Error("render: size is " + std::to_string(size) + " pixels; valid: 16 to " + std::to_string(kLargest));
  }
  if (agent == kWhole) return;
  if (!spec_.renders_views) throw Error(spec_.id + " draws no pictures of what an agent sees");
  if (agent < 0 || agent >= spec_.num_agents) {
    throw Error("render: there is no agent " + std::to_string(agent) + "; valid: 0 to " +
                std::to_string(spec_.num_agents - 1));
  }
}

void VecEnv::vary(const void*) { throw Error(spec_.id + ": its environments cannot have parameters of their own"); }

void VecEnv::begin_all() {
  const size_t envs = num_envs();
  auto* all = static_cast<uint8_t*>(device_->allocate(envs));
  upload(*device_, all, std::vector<uint8_t>(envs, 1));
  reset_where(all);
  device_->synchronize();
  device_->release(all);
}

void VecEnv::launch_over(const Call&, const Memory&) { throw Error(spec_.id + " is no function of its state alone"); }

Image VecEnv::render(int, int, int) { throw Error(spec_.id + " draws no pictures"); }
std::vector<Image> VecEnv::render_step(int, const void*, int) { throw Error(spec_.id + " draws no pictures"); }

EpisodeStatistics VecEnv::take_statistics() {
  std::vector<float> sums(num_sums());
  send_statistics(sums.data());
  device_->synchronize();
  return statistics_of(sums.data(), 1)[0];
}

void VecEnv::send_statistics(float* sums) {
  device_->copy(sums, book_.totals, num_sums() * sizeof(float));
  device_->fill_zero(book_.totals, num_sums() * sizeof(float));
}

std::vector<EpisodeStatistics> VecEnv::statistics_of(const float* sums, int blocks) const {
  const int envs = num_envs() / blocks, totals = num_totals();
  std::vector<EpisodeStatistics> all;
  for (int block = 0; block < blocks; ++block) {
    std::vector<double> of_block(totals, 0.0);
    for (int k = 0; k < totals; ++k) {
      const float* first = sums + size_t(k) * num_envs() + size_t(block) * envs;
      for (int e = 0; e < envs; ++e) of_block[k] += first[e];
    }
    EpisodeStatistics& statistics = all.emplace_back();
    statistics.episodes = static_cast<int64_t>(of_block[0]);
    const double episodes = of_block[0] > 0 ? of_block[0] : 1;
    for (int o = 0; o < spec_.num_objectives; ++o) statistics.returns.push_back(of_block[1 + o] / episodes);
    statistics.length = of_block[1 + spec_.num_objectives] / episodes;
    for (size_t i = 0; i < spec_.info.size(); ++i) {
      statistics.info[spec_.info[i]] = of_block[2 + spec_.num_objectives + i] / episodes;
    }
  }
  return all;
}

std::vector<uint64_t> VecEnv::state_hashes() {
  const int envs = num_envs();
  std::vector<Hash> hashes(envs);
  auto add = [&](const StateArray& array) {
    const auto bytes =
        download(*device_, static_cast<const std::byte*>(array.data), size_t(array.count) * envs * array.item_bytes);
    for (int i = 0; i < array.count; ++i) {
      for (int e = 0; e < envs; ++e) {
        hashes[e].add(bytes.data() + (size_t(i) * envs + e) * array.item_bytes, array.item_bytes);
      }
    }
  };
  for (const StateArray& array : state_) add(array);
  std::vector<uint64_t> values;
  for (const Hash& hash : hashes) values.push_back(hash.finish());
  return values;
}

uint64_t VecEnv::state_hash() {
  const std::vector<uint64_t> hashes = state_hashes();
  Hash all;
  all.add(hashes.data(), hashes.size() * sizeof(uint64_t));
  return all.finish();
}

Tensor VecEnv::state_tensor(const StateArray& array) {
  Tensor tensor;
  tensor.dtype = array.dtype;
  tensor.shape = {array.count, num_envs()};
  tensor.data = download(*device_, static_cast<const std::byte*>(array.data),
                         size_t(array.count) * num_envs() * array.item_bytes);
  return tensor;
}

std::map<std::string, Tensor> VecEnv::snapshot() {
  std::map<std::string, Tensor> all;
  for (const StateArray& array : state_) all["state." + array.name] = state_tensor(array);
  for (const StateArray& array : book_arrays_) all["batch." + array.name] = state_tensor(array);
  return all;
}

void VecEnv::restore(const std::map<std::string, Tensor>& from) {
  std::vector<std::pair<const StateArray*, const Tensor*>> pairs;
  auto match = [&](const std::string& name, const StateArray& array) {
    const auto found = from.find(name);
    if (found == from.end()) throw Error("snapshot of " + spec_.id + " lacks '" + name + "'");
    const Tensor& tensor = found->second;
    const std::vector<int64_t> shape = {array.count, num_envs()};
    if (tensor.dtype != array.dtype || tensor.shape != shape) {
      auto text = [](const std::string& dtype, const std::vector<int64_t>& shape) {
        std::string s = dtype + "[";
        for (size_t i = 0; i < shape.size(); ++i) s += (i ? ", " : "") + std::to_string(shape[i]);
        return s + "]";
      };
      throw Error("snapshot of " + spec_.id + ": '" + name + "' is " + text(tensor.dtype, tensor.shape) +
                  ", expected " + text(array.dtype, shape));
    }
    pairs.emplace_back(&array, &tensor);
  };
  for (const StateArray& array : state_) match("state." + array.name, array);
  for (const StateArray& array : book_arrays_) match("batch." + array.name, array);
  for (const auto& [array, tensor] : pairs) device_->copy(array->data, tensor->data.data(), tensor->data.size());
  device_->synchronize();
  observe(observations_);
}

}  // namespace throng
