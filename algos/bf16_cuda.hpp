// Bfloat16 on tensor cores: what kernels load, multiply and store with.
#pragma once

#include <cstdint>

#include "algos/matmul.hpp"
#include "core/bfloat16.hpp"

namespace throng {

// Samples in bfloat16; each row begins at a border of 16 bytes.
using HalfRows = RowsOf<const Bfloat16>;
using OutHalfRows = RowsOf<Bfloat16>;

// Numbers that a row of `width` takes, so that the next one begins at such a border.
inline int half_width(int width) { return (width + 7) / 8 * 8; }

}  // namespace throng

namespace throng::cuda {

// Two neighbouring numbers in a word, the first in the lower half.
__device__ inline uint32_t pack_two(float x, float y) {
  uint32_t word;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(y), "f"(x));
  return word;
}
__device__ inline float2 unpack_two(uint32_t word) {
  return {__uint_as_float(word << 16), __uint_as_float(word & 0xffff0000u)};
}
__device__ inline float2 load_two(const Bfloat16* from) { return unpack_two(*reinterpret_cast<const uint32_t*>(from)); }
__device__ inline void store_two(Bfloat16* to, float x, float y) { *reinterpret_cast<uint32_t*>(to) = pack_two(x, y); }

// Four matrices of 8 x 8 in shared memory, whose rows begin where lanes 0 to 7, 8 to 15, ... say: of each, lane l gets the two
// numbers 2 (l % 4) and the next of row l / 4; transposed, of column l / 4.
__device__ inline void load_matrices(uint32_t (&words)[4], const Bfloat16* row) {
  const auto at = static_cast<uint32_t>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
               : "r"(at)
               : "memory");
}
__device__ inline void load_matrices_transposed(uint32_t (&words)[4], const Bfloat16* row) {
  const auto at = static_cast<uint32_t>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
               : "r"(at)
               : "memory");
}

// sums[16, 8] += a[16, 16] b[16, 8]
__device__ inline void multiply(float (&sums)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// Copies 16 bytes to shared memory, or zeros, and does not wait.
__device__ inline void copy_async(void* shared, const void* global, bool there) {
  const auto at = static_cast<uint32_t>(__cvta_generic_to_shared(shared));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(at), "l"(global), "r"(there ? 16 : 0) : "memory");
}
__device__ inline void end_of_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
// Until only the last kLater groups of copies may be under way.
template <int kLater>
__device__ void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kLater) : "memory");
}

}  // namespace throng::cuda
