// Device: where memory lies and kernels run - this process's CPU, or one CUDA GPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "core/platform.hpp"

namespace throng {

// One device and one stream of work on it: everything given to a Device runs in order. CPU work is done when the call
// returns; CUDA work is done after synchronize(). Not thread-safe: one thread drives one Device.
class THRONG_API Device {
 public:
  virtual ~Device() = default;

  virtual bool is_cuda() const = 0;
  virtual int index() const = 0;         // 0 for the CPU
  virtual std::string name() const = 0;  // "cpu (2 threads)", "cuda:0 (NVIDIA H200)"
  std::string kind() const { return is_cuda() ? "cuda:" + std::to_string(index()) : "cpu"; }

  virtual void* allocate(size_t bytes) = 0;  // 256-byte aligned; MachineError when there is no memory
  virtual void release(void* memory) noexcept = 0;
  virtual void copy(void* to, const void* from, size_t bytes) = 0;  // in stream order; either side may be host memory
  virtual void fill_zero(void* memory, size_t bytes) = 0;
  virtual void synchronize() = 0;
  // Host memory to which the device copies while nobody waits: page-locked, on a GPU.
  virtual void* allocate_host(size_t bytes) = 0;
  virtual void release_host(void* memory) noexcept = 0;
  // Marks how far work has been given; wait_for() waits for all before the mark, and not for what came after it.
  virtual uint64_t mark() = 0;
  virtual void wait_for(uint64_t mark) = 0;
  virtual void* stream() const = 0;           // cudaStream_t; null on the CPU, and for CUDA's default stream
  virtual void use_stream(void* stream) = 0;  // work goes to the caller's stream from now on (ignored on the CPU)
};

// "cpu", "cuda", "cuda:1", or "auto": the first GPU if there is one, else the CPU. Asking for a GPU that is not there is an
// Error that says what was found; nothing falls back silently.
std::shared_ptr<Device> open_device(const std::string& name);

// 0 without a GPU, a driver or the CUDA library; why() tells which.
int cuda_device_count();
std::string cuda_status();  // one line for `throng doctor`

// Limits the CPU threads of the whole process; 0 = all.
void limit_cpu_threads(int threads);

// Host copies, for everything that is not hot.
template <class T>
std::vector<T> download(Device& device, const T* from, size_t count) {
  std::vector<T> host(count);
  device.copy(host.data(), from, count * sizeof(T));
  device.synchronize();
  return host;
}

template <class T>
void upload(Device& device, T* to, const std::vector<T>& host) {
  device.copy(to, host.data(), host.size() * sizeof(T));
  device.synchronize();
}

// One allocation that holds many arrays. Ask for all of them, then commit: every pointer is set, the memory is zero and
// never moves. 256-byte alignment per array, so that rows can be stored 16 bytes at a time.
class Arena {
 public:
  explicit Arena(std::shared_ptr<Device> device) : device_(std::move(device)) {}
  ~Arena() { clear(); }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  template <class T>
  void want(T*& pointer, size_t count) {
    static_assert(!std::is_void_v<T>, "a number of what? want_bytes() takes bytes");
    want_bytes(reinterpret_cast<void*&>(pointer), count * sizeof(T));
  }
  void want_bytes(void*& pointer, size_t bytes) {
    wanted_.push_back({&pointer, bytes_});
    bytes_ += (bytes + kAlign - 1) / kAlign * kAlign;
  }

  size_t bytes() const { return bytes_; }
  void commit();

 private:
  static constexpr size_t kAlign = 256;
  struct Wanted {
    void** pointer;
    size_t offset;
  };
  void clear() noexcept;

  std::shared_ptr<Device> device_;
  std::vector<Wanted> wanted_;
  size_t bytes_ = 0;
  void* memory_ = nullptr;
};

}  // namespace throng
