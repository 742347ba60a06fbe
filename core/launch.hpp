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
  const void* far_params = nullptr;  // in device memory, see ParamsArgument
};

// The parameters as a kernel receives them: by value, or, if they are large (tables of moves, say), where they lie in device
// memory. A kernel's arguments are few, and they are slow to read where threads want different words of them.
template <class Params>
inline constexpr bool kFarParams = sizeof(Params) > 8192;

template <class Params, bool far = kFarParams<Params>>
struct ParamsArgument {
  Params value;
  ParamsArgument(const Params& params, const void*) : value(params) {}
  THRONG_HD const Params& operator*() const { return value; }
};
template <class Params>
struct ParamsArgument<Params, true> {
  const Params* place;
  ParamsArgument(const Params&, const void* far) : place(static_cast<const Params*>(far)) {}
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
// Bounds a thread's registers to 64: more warps on a multiprocessor hide more latency. To 96 where scratch is in registers.
constexpr int blocks_per_multiprocessor(bool own_scratch) { return own_scratch ? 5 : 8; }
// Of a warp; 32 to align what is staged as its goal is. Fewer environments leave room for more.
constexpr int stage_bytes(int lanes) { return (lanes >= 16 ? 4096 : 2048) + 32; }

template <class Body>
__global__ void each_kernel(int64_t n, const __grid_constant__ Body body) {
  const int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < n) body(i);
}

// With one lane and loops that the compiler unrolls, scratch memory is the thread's own: registers, as far as they go.
inline constexpr int kOwnScratchBytes = 1024;
template <class Env>
constexpr bool has_own_scratch(int lanes) {
  if constexpr (IsVariant<Env> && HasScratch<Env>) return lanes == 1 && Env::Params::kUnrolls;
  return false;
}

// Some neighbouring environments of a tile, and the lanes of one warp, which work on all of them.
template <class Env>
struct Group {
  const TileLayout& layout;
  const typename Env::Params& params;
  unsigned char* memory;
  int near;   // number of the first in the tile
  int first;  // in the batch
  int size;
  Stage stage;
  Lanes lanes;
  unsigned char* scratch;  // null: in the tile

  __device__ Env env(int k) const { return tile_env<Env>(layout, params, memory, near + k, lanes, scratch); }
};

// A place in a tile: one environment, and the lanes that work on it alone.
template <class Env, int kLanes>
struct Seat {
  static constexpr int kNeighbours = 32 / kLanes;
  static constexpr bool kOwnScratch = has_own_scratch<Env>(kLanes);

  const TileLayout& layout;
  const typename Env::Params& params;
  unsigned char* memory;
  int count;  // environments of the tile that exist
  int near;   // our number among them
  int e;      // our number in the batch
  alignas(16) unsigned char scratch[kOwnScratch ? kOwnScratchBytes : 1];

  __device__ Seat(const TileLayout& layout, const typename Env::Params& params, unsigned char* memory, int first,
                  int count)
      : layout(layout), params(params), memory(memory), count(count), near(threadIdx.x / kLanes), e(first + near) {}

  __device__ bool taken() const { return near < count; }
  __device__ Env env() {
    Lanes lanes;
    lanes.lane = threadIdx.x % kLanes;
    lanes.width = kLanes;
    lanes.mask = kLanes == 32 ? ~0u : ((1u << (kLanes & 31)) - 1) << (threadIdx.x % 32 / kLanes * kLanes);
    return tile_env<Env>(layout, params, memory, near, lanes, kOwnScratch ? scratch : nullptr);
  }

  // The environments of our warp.
  __device__ Group<Env> neighbours() const {
    const int first = near / kNeighbours * kNeighbours, left = count - first;
    return group(first, left < kNeighbours ? left : kNeighbours);
  }

  // Calls body(group of one, task) for every environment of our warp that has a task.
  template <class Body>
  __device__ void one_by_one(int task, const Body& body) const {
    const int first = near / kNeighbours * kNeighbours;
    for (unsigned left = __ballot_sync(~0u, task != 0 && threadIdx.x % kLanes == 0); left != 0; left &= left - 1) {
      const int lane = __ffs(left) - 1;
      body(group(first + lane / kLanes, 1), __shfl_sync(~0u, task, lane));
    }
    __syncwarp();
  }

 private:
  __device__ Group<Env> group(int first, int size) const {
    Lanes lanes;
    lanes.lane = threadIdx.x % 32;
    lanes.width = 32;
    lanes.mask = ~0u;
    constexpr int kStage = stage_bytes(kLanes);
    const Stage stage{memory + layout.bytes + threadIdx.x / 32 * kStage, kStage};
    // A step is over when its group works together, and what is staged is written out before an episode begins.
    return {layout, params, memory, first, e - near + first, size, stage, lanes, kOwnScratch ? stage.memory : nullptr};
  }
};

// One block = one tile. The environments' state comes into shared memory, kLanes threads work on each, and it goes back.
// __grid_constant__: the arguments stay where they are when rules take references to them.
template <class Env, int kLanes, class Body>
__global__ void __launch_bounds__(kThreads, blocks_per_multiprocessor(has_own_scratch<Env>(kLanes)))
    tile_kernel(int num_envs, const __grid_constant__ ParamsArgument<typename Env::Params> argument,
                const __grid_constant__ typename Env::State state, const __grid_constant__ Body body) {
  extern __shared__ __align__(16) unsigned char memory[];
  const typename Env::Params& params = *argument;
  const TileLayout layout = TileLayout::of<Env>(params, kThreads / kLanes, kLanes, !has_own_scratch<Env>(kLanes));
  const int first = blockIdx.x * layout.envs;
  const int count = num_envs - first < layout.envs ? num_envs - first : layout.envs;

  load_tile(layout, params, state, memory, first, count, num_envs);
  __syncthreads();
  Seat<Env, kLanes> seat(layout, params, memory, first, count);
  body(seat);
  __syncthreads();
  store_tile(layout, params, state, memory, first, count, num_envs);
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

  // As many lanes as asked for and as are of use, or more where the state of so many environments would not fit into a block.
  template <class Env>
  static int fitting_lanes(const typename Env::Params& params, int lanes) {
    constexpr int kMaxShared = 227 * 1024, kMost = most_lanes<Env>();
    lanes = lanes < kMost ? lanes : kMost;
    while (lanes < kMost && shared_bytes<Env>(params, lanes) > kMaxShared) lanes *= 2;
    if (shared_bytes<Env>(params, lanes) > kMaxShared) {
      throw Error("the state of an environment is too large for this device: a tile of them takes " +
                  std::to_string(shared_bytes<Env>(params, lanes)) + " bytes, at most " + std::to_string(kMaxShared));
    }
    return lanes;
  }

  // Does it take no more lanes than these?
  template <class Env, int kLanes>
  static bool fits(const typename Env::Params& params) {
    return fitting_lanes<Env>(params, kLanes) == kLanes;
  }

  // body(seat) for every environment, on its state brought close.
  template <class Env, class Body>
  static void tiles(Device& device, int num_envs, TileShape shape, const typename Env::Params& params,
                    const typename Env::State& state, Body body) {
    switch (shape.lanes) {
      case 1: return tiles_of<Env, 1>(device, num_envs, shape, params, state, body);
      case 2: return tiles_of<Env, 2>(device, num_envs, shape, params, state, body);
      case 4: return tiles_of<Env, 4>(device, num_envs, shape, params, state, body);
      case 8: return tiles_of<Env, 8>(device, num_envs, shape, params, state, body);
      case 16: return tiles_of<Env, 16>(device, num_envs, shape, params, state, body);
      default: return tiles_of<Env, 32>(device, num_envs, shape, params, state, body);
    }
  }

  // The same for a number of lanes that is known.
  template <class Env, int kLanes, class Body>
  static void tiles_of(Device& device, int num_envs, TileShape shape, const typename Env::Params& params,
                       const typename Env::State& state, Body body) {
    if constexpr (kLanes <= most_lanes<Env>()) launch<Env, kLanes>(device, num_envs, shape, params, state, body);
  }

 private:
  template <class Env>
  static int shared_bytes(const typename Env::Params& params, int lanes) {
    const bool own_scratch = cuda::has_own_scratch<Env>(lanes);
    if (own_scratch && TileLayout::of_scratch<Env>(params).bytes > cuda::kOwnScratchBytes) {
      throw Error("the scratch memory of a variant of a game is larger than a thread's");
    }
    const TileLayout layout = TileLayout::of<Env>(params, cuda::kThreads / lanes, lanes, !own_scratch);
    return layout.bytes + cuda::kThreads / 32 * cuda::stage_bytes(lanes);
  }

  template <class Env, int kLanes, class Body>
  static void launch(Device& device, int num_envs, TileShape shape, const typename Env::Params& params,
                     const typename Env::State& state, Body body) {
    auto kernel = cuda::tile_kernel<Env, kLanes, Body>;
    constexpr int kEnvs = cuda::kThreads / kLanes;
    const int shared = shared_bytes<Env>(params, kLanes), blocks = (num_envs + kEnvs - 1) / kEnvs;
    if (shared > 48 * 1024)
      THRONG_CUDA(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared));
    const ParamsArgument<typename Env::Params> argument(params, shape.far_params);
    kernel<<<blocks, cuda::kThreads, shared, static_cast<cudaStream_t>(device.stream())>>>(num_envs, argument, state,
                                                                                           body);
    THRONG_CUDA(cudaGetLastError());
  }
};
using Backend = CudaBackend;

#else

// One environment of a tile; on the CPU it has no neighbours.
template <class Env>
struct Group {
  Env near;
  int first;
  Lanes lanes;
  static constexpr int size = 1;
  static constexpr Stage stage = {};

  const Env& env(int) const { return near; }
};

template <class Env>
struct Seat {
  Env near;
  int e;

  bool taken() const { return true; }
  Env env() const { return near; }
  Group<Env> neighbours() const { return {near, e, near.lanes}; }
  template <class Body>
  void one_by_one(int task, const Body& body) const {
    if (task != 0) body(neighbours(), task);
  }
};

// Neighbouring environments whose state is in the cache.
template <class Env>
struct CpuTile {
  static constexpr int kEnvs = kTileEnvs;  // it stays in the first-level cache
  const TileLayout& layout;
  const typename Env::Params& params;
  unsigned char* memory;
  int first, count;  // in the batch
  Lanes lanes;

  Seat<Env> seat(int near) const {
    return {tile_env<Env>(layout, params, memory, near, lanes, memory + layout.bytes), first + near};
  }
};

struct CpuBackend {
  static constexpr bool kCuda = false;

  template <class Env>
  static int fitting_lanes(const typename Env::Params&, int) {
    return 1;
  }
  template <class Env, int kLanes>
  static bool fits(const typename Env::Params&) {
    return true;
  }

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
                    const typename Env::State& state, Body body) {
    constexpr int kEnvs = CpuTile<Env>::kEnvs;
    const TileLayout layout = TileLayout::of<Env>(params, kEnvs, 1, false);
    size_t bytes = layout.bytes + TileLayout::of_scratch<Env>(params).bytes;  // one scratch for all, and always near
    if constexpr (requires { body.bytes(params, kEnvs); }) bytes = std::max<size_t>(bytes, body.bytes(params, kEnvs));
    auto tile = [&](int first) {
      static thread_local std::vector<Line> lines;
      lines.resize(bytes / sizeof(Line) + 1);
      Lanes lanes;
      lanes.backwards = shape.backwards;
      const CpuTile<Env> tile{layout, params, lines[0].bytes, first, std::min(kEnvs, num_envs - first), lanes};
      load_tile(layout, params, state, tile.memory, first, tile.count, num_envs);
      if constexpr (requires { body.on_tile(tile); }) {
        body.on_tile(tile);
      } else {
        for (int near = 0; near < tile.count; ++near) {
          Seat<Env> seat = tile.seat(near);
          body(seat);
        }
      }
      store_tile(layout, params, state, tile.memory, first, tile.count, num_envs);
    };
    const int tiles = (num_envs + kEnvs - 1) / kEnvs;
    if (tiles == 1) return tile(0);
    tbb::parallel_for(tbb::blocked_range<int>(0, tiles, 1), [&](const tbb::blocked_range<int>& range) {
      for (int t = range.begin(); t != range.end(); ++t) tile(t * kEnvs);
    });
  }

  struct alignas(kFieldAlignment) Line {
    unsigned char bytes[kFieldAlignment];
  };

  template <class Env, int, class Body>
  static void tiles_of(Device& device, int num_envs, TileShape shape, const typename Env::Params& params,
                       const typename Env::State& state, Body body) {
    tiles<Env>(device, num_envs, shape, params, state, body);
  }
};
using Backend = CpuBackend;

#endif

}  // namespace throng
