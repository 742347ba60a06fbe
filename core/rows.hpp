// Rows: how what a game writes, `out(value)` by `out(value)`, reaches the compact rows that cross the border.
#pragma once

#include <cstdint>
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
};

// Writes values one after the other. The element type is the writer's business, not the game's.
template <class T>
struct Writer {
  T* next;
  template <class V>
  THRONG_HD void operator()(V value) {
    *next++ = static_cast<T>(value);
  }
};

// A little memory close to the lanes of one environment; none on the CPU, where rows are written in place.
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
  THRONG_HD int operator()(int n) const {  // exact for n < 2^16
    return divisor == 1 ? n : static_cast<int>((uint64_t(magic) * static_cast<uint32_t>(n)) >> 32);
  }
};

// The rows of one environment: `rows` of `dim` values, each made of `parts` that different lanes can write. All parts are
// `part_dim` long except the last.
struct RowShape {
  int rows = 0, dim = 0, parts = 1, part_dim = 0;
  Divider by_parts;

  THRONG_HD RowShape() {}
  THRONG_HD RowShape(int rows, int dim, int parts = 1, int part_dim = 0)
      : rows(rows), dim(dim), parts(parts), part_dim(part_dim), by_parts(parts) {}
  THRONG_HD int offset(int row, int part) const { return row * dim + part * part_dim; }
};

namespace detail {

// Copies stage[begin, end) to to[begin, end), 16 bytes of `to` at a time between the borders; both pointers are aligned so.
template <class T, class To>
THRONG_HD void copy_out(const Lanes& lanes, const T* stage, To* to, int begin, int end) {
  constexpr int kPack = 16 / sizeof(To);
  struct alignas(16) Pack {
    To items[kPack];
  };
  lanes.each((end + kPack - 1) / kPack, [&](int slot) {
    const int low = slot * kPack < begin ? begin : slot * kPack,
              high = (slot + 1) * kPack < end ? (slot + 1) * kPack : end;
    if (high - low == kPack) {
      Pack pack;
      if constexpr (std::is_same_v<T, To>) {
        pack = *reinterpret_cast<const Pack*>(stage + low);
      } else {
        for (int i = 0; i < kPack; ++i) pack.items[i] = static_cast<To>(stage[low + i]);
      }
      *reinterpret_cast<Pack*>(to + low) = pack;
    } else {
      for (int i = low; i < high; ++i) to[i] = static_cast<To>(stage[i]);
    }
  });
}

template <class T, class To>
THRONG_HD void copy_out(const Lanes& lanes, Stage stage, To* to, int count) {
  const int phase = int(reinterpret_cast<uintptr_t>(to) & 15) / int(sizeof(To));
  copy_out<T, To>(lanes, reinterpret_cast<const T*>(stage.memory), to - phase, phase, phase + count);
}

}  // namespace detail

// The rows of an environment, as they lie at the border: values of T, or of float32 rounded to bfloat16.
template <class T>
struct RowsOut {
  void* data = nullptr;
  bool rounded = false;

  THRONG_HD RowsOut() = default;
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

// Calls write(row, part, out) for all parts of all rows. The lanes take parts in turn, write them to the stage, and copy it
// out together in whole lines.
template <class T, class Write>
THRONG_HD void write_rows(const Lanes& lanes, [[maybe_unused]] Stage stage, RowsOut<T> to, const RowShape& shape,
                          Write&& write) {
#ifdef __CUDA_ARCH__
  const int last_dim = shape.dim - (shape.parts - 1) * shape.part_dim;
  const int longest = shape.part_dim > last_dim ? shape.part_dim : last_dim;
  const int room = stage.bytes / int(sizeof(T)) - (to.rounded ? 8 : 16 / int(sizeof(T)));
  const int chunk = room / longest, items = shape.rows * shape.parts;
  if (chunk > 0) {
    for (int first = 0; first < items; first += chunk) {
      const int end = first + chunk < items ? first + chunk : items;
      const int first_row = shape.by_parts(first), end_row = shape.by_parts(end);
      const int begin = shape.offset(first_row, first - first_row * shape.parts);
      const int length = shape.offset(end_row, end - end_row * shape.parts) - begin;
      const int size = to.rounded ? 2 : int(sizeof(T));
      const int phase = int((reinterpret_cast<uintptr_t>(to.data) + int64_t(begin) * size) & 15) / size;
      T* staged = reinterpret_cast<T*>(stage.memory) + phase;
      lanes.each(end - first, [&](int i) {
        const int row = shape.by_parts(first + i), part = first + i - row * shape.parts;
        Writer<T> out{staged + shape.offset(row, part) - begin};
        write(row, part, out);
      });
      to.visit([&](auto* rows) { detail::copy_out<T>(lanes, stage, rows + begin, length); });
    }
    return;
  }  // a row that does not fit is written in place
#endif
  to.visit([&](auto* rows) {
    lanes.each(shape.rows * shape.parts, [&](int item) {
      const int row = shape.by_parts(item), part = item - row * shape.parts;
      Writer<std::remove_pointer_t<decltype(rows)>> out{rows + shape.offset(row, part)};
      write(row, part, out);
    });
  });
}

}  // namespace throng
