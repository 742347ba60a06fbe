// The CPU device, the arena, and opening a device by name.
#include "core/device.hpp"

#include <tbb/global_control.h>
#include <tbb/info.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>

#include "core/cuda_loader.hpp"
#include "core/error.hpp"

namespace throng {

namespace {

class CpuDevice final : public Device {
 public:
  bool is_cuda() const override { return false; }
  int index() const override { return 0; }
  std::string name() const override {
    const auto threads = tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism);
    return "cpu (" + std::to_string(threads) + (threads == 1 ? " thread)" : " threads)");
  }
  void* allocate(size_t bytes) override {
    void* memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
    if (!memory) throw MachineError("aligned_alloc", "no memory for " + std::to_string(bytes) + " bytes");
    return memory;
  }
  void release(void* memory) noexcept override { std::free(memory); }
  void copy(void* to, const void* from, size_t bytes) override {
    if (bytes) std::memcpy(to, from, bytes);
  }
  void fill_zero(void* memory, size_t bytes) override {
    if (bytes) std::memset(memory, 0, bytes);
  }
  void synchronize() override {}
  void* allocate_host(size_t bytes) override { return allocate(bytes); }
  void release_host(void* memory) noexcept override { release(memory); }
  uint64_t mark() override { return 0; }
  void wait_for(uint64_t) override {}
  void* stream() const override { return nullptr; }
  void use_stream(void*) override {}
};

int parse_index(const std::string& name) {
  const std::string digits = name.substr(5);
  if (digits.empty() || digits.size() > 3 || digits.find_first_not_of("0123456789") != std::string::npos) {
    throw Error("unknown device '" + name + "': valid: auto, cpu, cuda, cuda:0, cuda:1, ...");
  }
  return std::stoi(digits);
}

std::shared_ptr<Device> open_cuda(int index, const std::string& name) {
  const int count = cuda_device_count();
  if (count == 0) throw Error("device '" + name + "' is not available: " + cuda_status());
  if (index >= count) {
    throw Error("device '" + name + "' does not exist: this machine has " + std::to_string(count) +
                " GPU(s), cuda:0 to cuda:" + std::to_string(count - 1));
  }
  return std::shared_ptr<Device>(cuda_function<Device*(int)>("throng_cuda_open_device")(index));
}

}  // namespace

std::shared_ptr<Device> open_device(const std::string& name) {
  if (name == "cpu") return std::make_shared<CpuDevice>();
  if (name == "auto") return cuda_device_count() > 0 ? open_cuda(0, name) : std::make_shared<CpuDevice>();
  if (name == "cuda") return open_cuda(0, name);
  if (name.starts_with("cuda:")) return open_cuda(parse_index(name), name);
  throw_unknown("device", name, {"auto", "cpu", "cuda", "cuda:0", "cuda:1"});
}

void limit_cpu_threads(int threads) {
  static std::mutex mutex;
  static std::unique_ptr<tbb::global_control> control;
  if (threads < 0) throw Error("threads must be 0 (all) or more, not " + std::to_string(threads));
  const std::lock_guard lock(mutex);
  control.reset();
  if (threads > 0) {
    control = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism,
                                                    static_cast<size_t>(threads));
  }
}

}  // namespace throng
