// Rows: how what a game writes, `out(value)` by `out(value)`, reaches the compact rows that cross the border.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "core/bfloat16.hpp"
#include "core/lanes.hpp"
#include "core/platform.hpp"

namespace throng {

// Counts values; this is how obs_dim and the other sizes are found, so no game declares them.
struct Counter {
  int count = 0;
  template <class T>
  THRONG_HD void operator()(T) {
    ++count;
  }
  template <class T>
  THRONG_HD void run(const T*, int n) {
    count += n;
  }
};

// Writes values one after the other. The element type is the writer's business, not the game's.
template <class T>
struct Writer {
  T* next;
  template <class V>
  THRONG_HD void operator()(V value) {
    *next++ = static_cast<T>(value);
  }
  // Several values; as fast as copying, if they are of the type that is written.
  template <class V>
  THRONG_HD void run(const V* values, int n) {
    if constexpr (std::is_same_v<T, V>) {
      std::memcpy(next, values, sizeof(T) * static_cast<size_t>(n));
      next += n;
    } else {
      for (int i = 0; i < n; ++i) (*this)(values[i]);
    }
  }
};

// A little memory close to the lanes; none on the CPU, where rows are written in place.
struct Stage {
  unsigned char* memory = nullptr;  // 16-byte aligned
  int bytes = 0;
};

// n / d for the small numbers of rows and parts, without the GPU's slow division.
struct Divider {
  uint32_t divisor = 1, magic = 0;
  THRONG_HD Divider() {}
  THRONG_HD explicit Divider(int d)
      : divisor(static_cast<uint32_t>(d)), magic(static_cast<uint32_t>((uint64_t(1) << 32) / d + 1)) {}
  THRONG_HD int operator()(int n) const {  // exact while n * d < 2^32
    return divisor == 1 ? n : static_cast<int>((uint64_t(magic) * static_cast<uint32_t>(n)) >> 32);
  }
};

// The rows of each environment: `rows` of `dim` values, each made of `parts` that different lanes can write. All parts are
// `part_dim` long except the last.
struct RowShape {
  int rows = 0, dim = 0, parts = 1, part_dim = 0;
  Divider by_rows, by_parts;

  THRONG_HD RowShape() {}
  THRONG_HD RowShape(int rows, int dim, int parts = 1, int part_dim = 0)
      : rows(rows), dim(dim), parts(parts), part_dim(part_dim), by_rows(rows), by_parts(parts) {}

  THRONG_HD int longest() const {
    const int last = dim - (parts - 1) * part_dim;
    return part_dim > last ? part_dim : last;
  }
  // Where the item-th part of all begins, and whose it is: write(env, row, part).
  THRONG_HD int offset(int item) const {
    const int row = by_parts(item);
    return row * dim + (item - row * parts) * part_dim;
  }
  template <class Write>
  THRONG_HD void visit(int item, const Write& write) const {
    const int row = by_parts(item), env = by_rows(row);
    write(env, row - env * rows, item - row * parts);
  }
};

namespace detail {

// Copies `count` values from the stage, where they lie as far from a 16-byte border as their goal does. 16 bytes at a time.
template <class T, class To>
THRONG_HD void copy_out(const Lanes& lanes, Stage stage, To* to, int count) {
  constexpr int kPack = 16 / sizeof(To);
  struct alignas(16) Pack {
    To items[kPack];
  };
  const T* from = reinterpret_cast<const T*>(stage.memory);
  const int begin = int(reinterpret_cast<uintptr_t>(to) & 15) / int(sizeof(To)), end = begin + count;
  to -= begin;
  const int first = (begin + kPack - 1) / kPack, packs = end / kPack - first;
  lanes.each(packs, [&](int i) {
    const int at = (first + i) * kPack;
    Pack pack;
    if constexpr (std::is_same_v<T, To>) {
      pack = *reinterpret_cast<const Pack*>(from + at);
    } else {
      for (int k = 0; k < kPack; ++k) pack.items[k] = static_cast<To>(from[at + k]);
    }
    *reinterpret_cast<Pack*>(to + at) = pack;
  });
  // What is left before the first and after the last of them; if there are none, both are the same.
  const int head = first * kPack < end ? first * kPack : end, tail = packs > 0 ? head + packs * kPack : head;
  lanes.each(2 * kPack, [&](int i) {
    const int at = i < kPack ? begin + i : tail + i - kPack;
    if (at < (i < kPack ? head : end)) to[at] = static_cast<To>(from[at]);
  });
}

}  // namespace detail

// Rows as they lie at the border: values of T, or of float32 rounded to bfloat16.
template <class T>
struct RowsOut {
  void* data = nullptr;
  bool rounded = false;

  RowsOut() = default;
  THRONG_HD RowsOut(T* data) : data(data) {}
  // `data` is the border's first value; ours begin `skip` values further.
  THRONG_HD RowsOut(void* data, bool rounded, int64_t skip)
      : data(static_cast<char*>(data) + skip * int64_t(rounded ? sizeof(Bfloat16) : sizeof(T))), rounded(rounded) {}

  // Calls to(pointer to the first value), whatever its type is.
  template <class To>
  THRONG_HD void visit(To&& to) const {
    if constexpr (sizeof(T) == 4) {
      if (rounded) return to(static_cast<Bfloat16*>(data));
    }
    to(static_cast<T*>(data));
  }
};

// Calls write(env, row, part, out) for all parts of all rows of `envs` environments, whose rows follow each other. The lanes
// take parts in turn, write them to the stage, and copy it out together in whole lines.
template <class T, class Write>
THRONG_HD void write_rows(const Lanes& lanes, [[maybe_unused]] Stage stage, RowsOut<T> to, int envs,
                          const RowShape& shape, const Write& write) {
  const int items = envs * shape.rows * shape.parts;
#ifdef __CUDA_ARCH__
  const int room = (stage.bytes - 32) / int(sizeof(T)), fit = room / shape.longest();
  const int chunk =
      fit < lanes.width ? fit : fit / lanes.width * lanes.width;  // every lane writes as many as the others
  if (chunk > 0) {
    const int size = to.rounded ? 2 : int(sizeof(T));
    for (int first = 0; first < items; first += chunk) {
      const int end = first + chunk < items ? first + chunk : items;
      const int begin = shape.offset(first), length = shape.offset(end) - begin;
      const int phase = int((reinterpret_cast<uintptr_t>(to.data) + int64_t(begin) * size) & 15) / size;
      T* staged = reinterpret_cast<T*>(stage.memory) + phase - begin;
      lanes.each(end - first, [&](int i) {
        Writer<T> out{staged + shape.offset(first + i)};
        shape.visit(first + i, [&](int env, int row, int part) { write(env, row, part, out); });
      });
      to.visit([&](auto* rows) { detail::copy_out<T>(lanes, stage, rows + begin, length); });
    }
    return;
  }  // a row that does not fit is written in place
#else
  if (shape.parts == 1 && !lanes.backwards) {  // one row behind the other
    return to.visit([&](auto* rows) {
      Writer<std::remove_pointer_t<decltype(rows)>> out{rows};
      for (int env = 0; env < envs; ++env) {
        for (int row = 0; row < shape.rows; ++row) write(env, row, 0, out);
      }
    });
  }
#endif
  to.visit([&](auto* rows) {
    lanes.each(items, [&](int item) {
      Writer<std::remove_pointer_t<decltype(rows)>> out{rows + shape.offset(item)};
      shape.visit(item, [&](int env, int row, int part) { write(env, row, part, out); });
    });
  });
}

}  // namespace throng
