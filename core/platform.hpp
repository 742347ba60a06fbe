// What differs between g++ and nvcc: function attributes, and nothing else.
#pragma once

#ifdef __CUDACC__
#define THRONG_HD __host__ __device__
#else
#define THRONG_HD
#endif

// Long functions with many callers: inlined everywhere they would outgrow a GPU's instruction cache.
#ifdef __CUDA_ARCH__
#define THRONG_CALLED_ON_GPU __noinline__
#else
#define THRONG_CALLED_ON_GPU
#endif

// Before a loop whose length the compiler knows: it becomes straight code on the GPU, and its arrays registers.
#ifdef __CUDA_ARCH__
#define THRONG_UNROLL _Pragma("unroll")
#else
#define THRONG_UNROLL
#endif

// Symbols that cross the border of a shared object; everything else is compiled with hidden visibility.
#define THRONG_API __attribute__((visibility("default")))
