// Recording: device work that is done again and again - recorded once as a CUDA graph and replayed; the CPU just repeats it.
#pragma once

#include "core/launch.hpp"

namespace throng {

// The work must be the same each time: what changes lies in device memory, and nothing in it waits for the device.
class Recording {
 public:
  Recording() = default;
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

#ifdef __CUDACC__

  ~Recording() { forget(); }

  template <class Work>
  void run(Device& device, Work&& work) {
    const auto stream = static_cast<cudaStream_t>(device.stream());
    // The first time everything that is made on first use is made; CUDA's default stream cannot be recorded.
    if (stream == nullptr || !done_once_) {
      done_once_ = true;
      return work();
    }
    if (graph_ == nullptr) record(stream, work);
    THRONG_CUDA(cudaGraphLaunch(graph_, stream));
  }

  void forget() {
    if (graph_) cudaGraphExecDestroy(graph_);
    graph_ = nullptr;
    done_once_ = false;
  }

 private:
  template <class Work>
  void record(cudaStream_t stream, Work&& work) {
    cudaGraph_t recorded = nullptr;
    THRONG_CUDA(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    try {
      work();
    } catch (...) {
      cudaStreamEndCapture(stream, &recorded);
      if (recorded) cudaGraphDestroy(recorded);
      throw;
    }
    THRONG_CUDA(cudaStreamEndCapture(stream, &recorded));
    const cudaError_t made = cudaGraphInstantiate(&graph_, recorded, 0);
    cudaGraphDestroy(recorded);
    check_cuda(made, "cudaGraphInstantiate");
  }

  cudaGraphExec_t graph_ = nullptr;
  bool done_once_ = false;

#else

  template <class Work>
  void run(Device&, Work&& work) {
    work();
  }
  void forget() {}

#endif
};

}  // namespace throng
