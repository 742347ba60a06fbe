// Launch: the two loops that everything runs in - `each` over numbers, `tiles` over environments - for CPU and CUDA alike.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/device.hpp"
#include "core/error.hpp"
#include "core/lanes.hpp"
#include "core/tile.hpp"

#ifdef __CUDACC__
#include <cuda_runtime.h>
#else
#include <tbb/parallel_for.h>

#include <vector>
#endif

namespace throng {

// How a tile of environments is worked on; see `tiles` below.
struct TileShape {
  int lanes = 1;
  bool backwards = false;
};

// The parameters as a kernel receives them: by value, or, if they are large (tables of moves, say), where they lie in device
// memory. A kernel's arguments are few, and they are slow to read where threads want different words of them.
template <class Params>
inline constexpr bool kFarParams = sizeof(Params) > 3072;

template <class Params, bool far = kFarParams<Params>>
struct ParamsArgument {
  Params value;
  ParamsArgument(const Params& params, const Params*) : value(params) {}
  THRONG_HD const Params& operator*() const { return value; }
};
template <class Params>
struct ParamsArgument<Params, true> {
  const Params* place;
  ParamsArgument(const Params&, const Params* place) : place(place) {}
  THRONG_HD const Params& operator*() const { return *place; }
};

#ifdef __CUDACC__

inline void check_cuda(cudaError_t error, const char* call,
                       const std::source_location& place = std::source_location::current()) {
  if (error != cudaSuccess) throw MachineError(call, cudaGetErrorString(error), place);
}
#define THRONG_CUDA(call) ::throng::check_cuda((call), #call)

namespace cuda {

inline constexpr int kThreads = 128;
// Bounds a thread's registers to 64: more warps on a multiprocessor hide more latency.
inline constexpr int kBlocksPerMultiprocessor = 8;
inline constexpr int kStageBytesPerLane = 128;

// Per environment. The 16 bytes beyond keep neighbouring stages in different banks and leave room to align the data.
constexpr int stage_bytes(int lanes) { return lanes * kStageBytesPerLane + 16; }

template <class Body>
__global__ void each_kernel(int64_t n, Body body) {
  const int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < n) body(i);
}

// One block = one tile. The environments' state comes into shared memory, kLanes threads work on each, and it goes back.
// __grid_constant__: the arguments stay where they are when rules take references to them.
template <class Env, int kLanes, class Body>
__global__ void __launch_bounds__(kThreads, kBlocksPerMultiprocessor)
    tile_kernel(int num_envs, TileLayout layout, const __grid_constant__ ParamsArgument<typename Env::Params> argument,
                const __grid_constant__ typename Env::State state, const __grid_constant__ Body body) {
  extern __shared__ __align__(16) unsigned char memory[];
  const typename Env::Params& params = *argument;
  const int first = blockIdx.x * layout.envs;
  const int count = num_envs - first < layout.envs ? num_envs - first : layout.envs;
  const Workers workers{int(threadIdx.x), int(blockDim.x)};

  load_tile(layout, params, state, memory, first, count, num_envs, workers);
  __syncthreads();
  const int e = threadIdx.x / kLanes;
  if (e < count) {
    Lanes lanes;
    lanes.lane = threadIdx.x % kLanes;
    lanes.width = kLanes;
    lanes.mask = kLanes == 32 ? 0xffffffffu : ((1u << (kLanes & 31)) - 1) << (threadIdx.x % 32 / kLanes * kLanes);
    Env env = tile_env<Env>(layout, params, memory, e, lanes);
    constexpr int kStage = stage_bytes(kLanes);
    body(env, first + e, Stage{memory + layout.bytes + e * kStage, kStage});
  }
  __syncthreads();
  store_tile(layout, params, state, memory, first, count, num_envs, workers);
}

}  // namespace cuda

struct CudaBackend {
  static constexpr bool kCuda = true;

  // body(i) for i in [0, n), in no order.
  template <class Body>
  static void each(Device& device, int64_t n, Body body) {
    if (n == 0) return;
    const auto blocks = static_cast<unsigned>((n + cuda::kThreads - 1) / cuda::kThreads);
    cuda::each_kernel<<<blocks, cuda::kThreads, 0, static_cast<cudaStream_t>(device.stream())>>>(n, body);
    THRONG_CUDA(cudaGetLastError());
  }

  // body(env, e, stage) for every environment, on its state brought close. `far` is where large parameters lie.
  template <class Env, class Body>
  static void tiles(Device& device, int num_envs, TileShape shape, const typename Env::Params& params,
                    const typename Env::Params* far, const typename Env::State& state, Body body) {
    switch (shape.lanes) {
      case 1: return tiles_of<Env, 1>(device, num_envs, params, far, state, body);
      case 2: return tiles_of<Env, 2>(device, num_envs, params, far, state, body);
      case 4: return tiles_of<Env, 4>(device, num_envs, params, far, state, body);
      case 8: return tiles_of<Env, 8>(device, num_envs, params, far, state, body);
      case 16: return tiles_of<Env, 16>(device, num_envs, params, far, state, body);
      default: return tiles_of<Env, 32>(device, num_envs, params, far, state, body);
    }
  }

 private:
  template <class Env, int kLanes, class Body>
  static void tiles_of(Device& device, int num_envs, const typename Env::Params& params,
                       const typename Env::Params* far, const typename Env::State& state, Body body) {
    constexpr int kMaxShared = 227 * 1024;
    auto kernel = cuda::tile_kernel<Env, kLanes, Body>;
    // Fewer environments per block where their state would not fit, down to one warp's worth.
    int threads = 2 * cuda::kThreads, shared = 0;
    TileLayout layout;
    do {
      threads /= 2;
      layout = TileLayout::of<Env>(params, threads / kLanes, kLanes);
      shared = layout.bytes + layout.envs * cuda::stage_bytes(kLanes);
    } while (shared > kMaxShared && threads > 32);
    if (shared > kMaxShared) {
      throw Error("the state of one environment is too large for this device: " + std::to_string(shared) +
                  " bytes a tile, at most " + std::to_string(kMaxShared));
    }
    if (shared > 48 * 1024)
      THRONG_CUDA(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared));
    const int blocks = (num_envs + layout.envs - 1) / layout.envs;
    const ParamsArgument<typename Env::Params> argument(params, far);
    kernel<<<blocks, threads, shared, static_cast<cudaStream_t>(device.stream())>>>(num_envs, layout, argument, state,
                                                                                    body);
    THRONG_CUDA(cudaGetLastError());
  }
};
using Backend = CudaBackend;

#else

struct CpuBackend {
  static constexpr bool kCuda = false;

  template <class Body>
  static void each(Device&, int64_t n, Body body) {
    constexpr int64_t kGrain = 1024;  // below this a thread costs more than it brings
    if (n <= kGrain) {
      for (int64_t i = 0; i < n; ++i) body(i);
      return;
    }
    tbb::parallel_for(tbb::blocked_range<int64_t>(0, n, kGrain), [&](const tbb::blocked_range<int64_t>& range) {
      for (int64_t i = range.begin(); i != range.end(); ++i) body(i);
    });
  }

  template <class Env, class Body>
  static void tiles(Device&, int num_envs, TileShape shape, const typename Env::Params& params,
                    const typename Env::Params* /*far*/, const typename Env::State& state, Body body) {
    constexpr int kEnvs = 32;  // a cache line of every float field; the tile stays in the first-level cache
    const TileLayout layout = TileLayout::of<Env>(params, kEnvs, 1);
    auto tile = [&](int first) {
      static thread_local std::vector<std::max_align_t> memory;
      memory.resize(layout.bytes / sizeof(std::max_align_t) + 1);
      auto* bytes = reinterpret_cast<unsigned char*>(memory.data());
      const int count = std::min(kEnvs, num_envs - first);
      load_tile(layout, params, state, bytes, first, count, num_envs, Workers{});
      for (int e = 0; e < count; ++e) {
        Lanes lanes;
        lanes.backwards = shape.backwards;
        Env env = tile_env<Env>(layout, params, bytes, e, lanes);
        body(env, first + e, Stage{});
      }
      store_tile(layout, params, state, bytes, first, count, num_envs, Workers{});
    };
    const int tiles = (num_envs + kEnvs - 1) / kEnvs;
    if (tiles == 1) return tile(0);
    tbb::parallel_for(tbb::blocked_range<int>(0, tiles, 1), [&](const tbb::blocked_range<int>& range) {
      for (int t = range.begin(); t != range.end(); ++t) tile(t * kEnvs);
    });
  }
};
using Backend = CpuBackend;

#endif

}  // namespace throng
