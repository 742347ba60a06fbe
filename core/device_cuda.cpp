// The CUDA device: memory, copies and one stream of a GPU. Compiled by nvcc.
#include <cuda_runtime.h>

#include <string>

#include "core/device.hpp"
#include "core/launch.hpp"
#include "core/version.hpp"

namespace throng {

namespace {

class CudaDevice final : public Device {
 public:
  explicit CudaDevice(int index) : index_(index) {
    select();
    cudaDeviceProp properties;
    THRONG_CUDA(cudaGetDeviceProperties(&properties, index));
    name_ = "cuda:" + std::to_string(index) + " (" + properties.name + ")";
    THRONG_CUDA(cudaStreamCreateWithFlags(&own_stream_, cudaStreamNonBlocking));
    stream_ = own_stream_;
    for (cudaEvent_t& event : events_) THRONG_CUDA(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
  }
  ~CudaDevice() override {
    for (cudaEvent_t event : events_) cudaEventDestroy(event);
    cudaStreamDestroy(own_stream_);
  }

  bool is_cuda() const override { return true; }
  int index() const override { return index_; }
  std::string name() const override { return name_; }

  void* allocate(size_t bytes) override {
    select();
    void* memory = nullptr;
    THRONG_CUDA(cudaMalloc(&memory, bytes));
    return memory;
  }
  void release(void* memory) noexcept override { cudaFree(memory); }
  void copy(void* to, const void* from, size_t bytes) override {
    THRONG_CUDA(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_));
  }
  void fill_zero(void* memory, size_t bytes) override { THRONG_CUDA(cudaMemsetAsync(memory, 0, bytes, stream_)); }
  void synchronize() override { THRONG_CUDA(cudaStreamSynchronize(stream_)); }
  void* allocate_host(size_t bytes) override {
    void* memory = nullptr;
    THRONG_CUDA(cudaMallocHost(&memory, bytes));
    return memory;
  }
  void release_host(void* memory) noexcept override { cudaFreeHost(memory); }
  uint64_t mark() override {
    THRONG_CUDA(cudaEventRecord(events_[marks_ % kEvents], stream_));
    return marks_++;
  }
  // An event that has been recorded again since stands for a later mark, behind which this one is, too.
  void wait_for(uint64_t mark) override { THRONG_CUDA(cudaEventSynchronize(events_[mark % kEvents])); }
  void* stream() const override { return stream_; }
  void use_stream(void* stream) override { stream_ = static_cast<cudaStream_t>(stream); }

 private:
  void select() const { THRONG_CUDA(cudaSetDevice(index_)); }

  static constexpr uint64_t kEvents = 4;

  int index_;
  std::string name_;
  cudaEvent_t events_[kEvents] = {};
  uint64_t marks_ = 0;
  cudaStream_t own_stream_ = nullptr;
  cudaStream_t stream_ = nullptr;
};

std::string why_none;

}  // namespace

}  // namespace throng

extern "C" {

THRONG_API const char* throng_cuda_version() { return throng::kVersion; }

THRONG_API int throng_cuda_device_count() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaSuccess) return count;
  throng::why_none = std::string("no usable GPU: ") + cudaGetErrorString(error);
  cudaGetLastError();
  return 0;
}

THRONG_API const char* throng_cuda_why_none() {
  return throng::why_none.empty() ? "no GPU was found" : throng::why_none.c_str();
}

THRONG_API throng::Device* throng_cuda_open_device(int index) { return new throng::CudaDevice(index); }

}  // extern "C"
