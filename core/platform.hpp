// What differs between g++ and nvcc: function attributes, and nothing else.
#pragma once

#ifdef __CUDACC__
#define THRONG_HD __host__ __device__
#else
#define THRONG_HD
#endif

// Symbols that cross the border of a shared object; everything else is compiled with hidden visibility.
#define THRONG_API __attribute__((visibility("default")))
