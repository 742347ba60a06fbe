// Pack: one number for each of W neighbouring environments. Rules written with it run for all of them at once, on the SIMD
// units of a CPU; of width 1 it is the plain number, and the rules are what they would be without it.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "core/fixed_list.hpp"
#include "core/platform.hpp"

// The vocabulary: `Pack<float, W>`, `Pack<int, W>` and `Mask<W>` (a bool for each), operators as usual, and
//   select(mask, a, b)   a where the mask says so, b elsewhere: instead of `mask ? a : b`
//   any(mask)            is it true of any? Around a branch, so that rare things cost nothing where they do not happen
//   ones(mask)           1 where it is true, else 0
//   real(pack)           integers as floats
//   lookup(table, pack)  table[i] for each
// Both sides of a select are computed, and so are both sides of `&` and `|`.
namespace throng {

#ifdef __CUDACC__  // a GPU's threads are its packs
template <class T, int W>
struct PackType {
  static_assert(W == 1);
  using Type = T;
  using Mask = bool;
};
#else

template <class T, int W>
struct SimdVector {
  typedef T Type __attribute__((vector_size(W * sizeof(T))));
};

// `true` is a word of ones, as the comparisons of vectors make it.
template <int W>
struct MaskOf {
  using Vector = typename SimdVector<int32_t, W>::Type;
  Vector v;

  MaskOf() : v{} {}
  MaskOf(Vector v) : v(v) {}
  MaskOf(bool all) : v(Vector{} - static_cast<int32_t>(all)) {}
  friend MaskOf operator&(MaskOf a, MaskOf b) { return a.v & b.v; }
  friend MaskOf operator|(MaskOf a, MaskOf b) { return a.v | b.v; }
  friend MaskOf operator!(MaskOf a) { return ~a.v; }
};

// may_alias: it lies over the plain numbers of a field.
template <class T, int W>
struct __attribute__((may_alias)) PackOf {
  using Vector = typename SimdVector<T, W>::Type;
  Vector v;

  PackOf() : v{} {}
  PackOf(Vector v) : v(v) {}
  template <class S>
    requires(std::is_arithmetic_v<S> || std::is_enum_v<S>)
  PackOf(S same) : v(static_cast<T>(same) - Vector{}) {}  // the difference keeps the sign of a zero

  friend PackOf operator+(PackOf a, PackOf b) { return a.v + b.v; }
  friend PackOf operator-(PackOf a, PackOf b) { return a.v - b.v; }
  friend PackOf operator*(PackOf a, PackOf b) { return a.v * b.v; }
  friend PackOf operator/(PackOf a, PackOf b) { return a.v / b.v; }
  friend PackOf operator^(PackOf a, PackOf b) { return a.v ^ b.v; }
  friend PackOf operator|(PackOf a, PackOf b) { return a.v | b.v; }
  friend PackOf operator&(PackOf a, PackOf b) { return a.v & b.v; }
  friend PackOf operator<<(PackOf a, int bits) { return a.v << bits; }
  friend PackOf operator>>(PackOf a, int bits) { return a.v >> bits; }
  friend PackOf operator-(PackOf a) { return -a.v; }
  void operator+=(PackOf b) { v += b.v; }
  void operator-=(PackOf b) { v -= b.v; }
  void operator^=(PackOf b) { v ^= b.v; }

  friend MaskOf<W> operator<(PackOf a, PackOf b) { return a.v < b.v; }
  friend MaskOf<W> operator>(PackOf a, PackOf b) { return a.v > b.v; }
  friend MaskOf<W> operator<=(PackOf a, PackOf b) { return a.v <= b.v; }
  friend MaskOf<W> operator>=(PackOf a, PackOf b) { return a.v >= b.v; }
  friend MaskOf<W> operator==(PackOf a, PackOf b) { return a.v == b.v; }
  friend MaskOf<W> operator!=(PackOf a, PackOf b) { return a.v != b.v; }
};

template <class T, int W>
struct PackType {
  using Type = PackOf<T, W>;
  using Mask = MaskOf<W>;
};
template <class T>
struct PackType<T, 1> {
  using Type = T;
  using Mask = bool;
};

#endif

template <class T, int W>
using Pack = typename PackType<T, W>::Type;
template <int W>
using Mask = typename PackType<int, W>::Mask;

// --- of width 1

template <class A, class B>
THRONG_HD std::common_type_t<A, B> select(bool mask, A a, B b) {
  return mask ? a : b;
}
THRONG_HD inline bool any(bool mask) { return mask; }
THRONG_HD inline int ones(bool mask) { return mask; }
template <class T>
THRONG_HD constexpr float real(T x) {
  return static_cast<float>(x);
}
// The high word of x * n.
THRONG_HD constexpr int high_product(uint32_t x, int n) {
  return static_cast<int>((static_cast<uint64_t>(x) * static_cast<uint32_t>(n)) >> 32);
}
template <class T, int N>
THRONG_HD T lookup(const T (&table)[N], int i) {
  return table[i];
}
template <class T, int N, class I>
THRONG_HD auto lookup(const FixedList<T, N>& table, I i) {
  return lookup(table.items, i);
}

template <class T, int W>
  requires(W == 1)
THRONG_HD T& at_index(T* first) { return *first; }
template <class T, int W>
  requires(W == 1)
THRONG_HD T& spaced_out(T* first, int) { return *first; }
template <class T, int W>
  requires(W == 1)
THRONG_HD T spaced_out(const T* first, int) { return *first; }

// --- of more

#ifndef __CUDACC__

// The numbers that begin at `first`, aligned; small ones are seen as integers of 32 bits.
template <class T, int W>
struct Narrow {
  T* first;
  using Vector = typename SimdVector<T, W>::Type;

  operator PackOf<int, W>() const { return widened(std::make_integer_sequence<int, W>{}); }
  void operator=(PackOf<int, W> x) const { *reinterpret_cast<Vector*>(first) = __builtin_convertvector(x.v, Vector); }

 private:
  // Compilers convert bytes one by one. Instead, every lane takes the word that its byte is in and shifts the byte down.
  template <int... lane>
  PackOf<int, W> widened(std::integer_sequence<int, lane...>) const {
    using Wide = typename SimdVector<std::conditional_t<std::is_signed_v<T>, int32_t, uint32_t>, W>::Type;
    static_assert(sizeof(T) == 1);
    if constexpr (W == 4) return typename PackOf<int, W>::Vector{first[lane]...};
    if constexpr (W > 4) {
      int64_t words[W / 8];
      std::memcpy(words, first, W);
      typename SimdVector<int64_t, W / 2>::Type all;
      for (int i = 0; i < W / 2; ++i) all[i] = words[i % (W / 8)];
      const Wide own = __builtin_shufflevector((Wide)all, (Wide)all, lane / 4 ...);
      return (typename PackOf<int, W>::Vector)((own << Wide{24 - lane % 4 * 8 ...}) >> 24);
    }
  }
};
template <class T, int W>
  requires(W > 1 && sizeof(T) == 4)
PackOf<T, W>
&at_index(T* first) { return *reinterpret_cast<PackOf<T, W>*>(first); }
template <class T, int W>
  requires(W > 1 && sizeof(T) < 4)
Narrow<T, W> at_index(T* first) { return {first}; }

namespace detail {
template <int W, class A, class B>
struct Selected {
  using Type = PackOf<std::common_type_t<A, B>, W>;
};
template <int W, class T, class B>
struct Selected<W, PackOf<T, W>, B> {
  using Type = PackOf<T, W>;
};
template <int W, class A, class T>
struct Selected<W, A, PackOf<T, W>> {
  using Type = PackOf<T, W>;
};
template <int W, class T>
struct Selected<W, PackOf<T, W>, PackOf<T, W>> {
  using Type = PackOf<T, W>;
};
}  // namespace detail

template <int W, class A, class B>
auto select(MaskOf<W> mask, const A& a, const B& b) {
  using Of = typename detail::Selected<W, A, B>::Type;
  return Of(mask.v ? Of(a).v : Of(b).v);
}

// Calls f(lane) for each, and makes a pack of the answers.
template <class T, int W, class F>
PackOf<T, W> gather(const F& f) {
  T values[W];
  for (int lane = 0; lane < W; ++lane) values[lane] = f(lane);
  PackOf<T, W> pack;
  std::memcpy(&pack.v, values, sizeof values);
  return pack;
}

// Numbers that lie `distance` apart, read one by one, or written.
template <class T, int W>
  requires(W > 1)
PackOf<T, W> spaced_out(const T* first, int distance) {
  return gather<T, W>([&](int lane) { return first[lane * distance]; });
}
template <class T, int W>
struct SpacedOut {
  T* first;
  int distance;
  void operator=(PackOf<T, W> values) const {
    for (int lane = 0; lane < W; ++lane) first[lane * distance] = values.v[lane];
  }
};
template <class T, int W>
  requires(W > 1)
SpacedOut<T, W> spaced_out(T* first, int distance) { return {first, distance}; }

namespace detail {
inline bool any_word(SimdVector<int64_t, 2>::Type words) { return (words[0] | words[1]) != 0; }
inline bool any_word(SimdVector<int64_t, 4>::Type words) {
  return any_word(__builtin_shufflevector(words, words, 0, 1) | __builtin_shufflevector(words, words, 2, 3));
}
inline bool any_word(SimdVector<int64_t, 8>::Type words) {
  return any_word(__builtin_shufflevector(words, words, 0, 1, 2, 3) |
                  __builtin_shufflevector(words, words, 4, 5, 6, 7));
}
}  // namespace detail

template <int W>
bool any(MaskOf<W> mask) {
  return detail::any_word((typename SimdVector<int64_t, W / 2>::Type) mask.v);
}
template <int W>
PackOf<int, W> ones(MaskOf<W> mask) {
  return -mask.v;
}
template <int W>
PackOf<float, W> real(PackOf<int, W> x) {
  return __builtin_convertvector(x.v, typename PackOf<float, W>::Vector);
}
template <int W>
PackOf<float, W> real(PackOf<uint32_t, W> x) {  // below 2^31
  return real(PackOf<int, W>((typename PackOf<int, W>::Vector)x.v));
}
template <int W>
PackOf<int, W> high_product(PackOf<uint32_t, W> x, PackOf<int, W> n) {  // n below 2^16: in halves
  const auto m = (typename PackOf<uint32_t, W>::Vector)n.v;
  return (typename PackOf<int, W>::Vector)(((x.v >> 16) * m + (((x.v & 0xffff) * m) >> 16)) >> 16);
}
template <int W>
PackOf<float, W> square_root(PackOf<float, W> x) {
  return gather<float, W>([&](int lane) { return __builtin_sqrtf(x.v[lane]); });
}

// Of short tables: comparing is faster than fetching.
template <class T, int N, int W>
PackOf<T, W> lookup(const T (&table)[N], PackOf<int, W> i) {
#ifndef __clang__
  if constexpr (W >= N && N == 8) {  // a shuffle of its entries
    typename PackOf<T, W>::Vector entries = {};
    std::memcpy(&entries, table, sizeof table);
    return __builtin_shuffle(entries, i.v);
  }
#endif
  PackOf<T, W> found = table[0];
  for (int entry = 1; entry < N; ++entry) found = select(i == entry, table[entry], found);
  return found;
}

#endif

}  // namespace throng
