// Rows: how what a game writes, `out(value)` by `out(value)`, reaches the compact rows that cross the border.
#pragma once

#include <cstdint>

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
  Divider() = default;
  explicit Divider(int d)
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

  RowShape() = default;
  RowShape(int rows, int dim, int parts = 1, int part_dim = 0)
      : rows(rows), dim(dim), parts(parts), part_dim(part_dim), by_parts(parts) {}
  THRONG_HD int offset(int row, int part) const { return row * dim + part * part_dim; }
};

namespace detail {

// Copies stage to memory, 16 bytes at a time between the borders. `begin` is where the data begins, in bytes after a
// 16-byte border of both.
template <class T>
THRONG_HD void copy_out(const Lanes& lanes, const unsigned char* stage, unsigned char* to, int begin, int end) {
  struct alignas(16) Sixteen {
    uint32_t words[4];
  };
  lanes.each((end + 15) / 16, [&](int slot) {
    const int low = slot * 16 < begin ? begin : slot * 16, high = slot * 16 + 16 < end ? slot * 16 + 16 : end;
    if (high - low == 16) {
      *reinterpret_cast<Sixteen*>(to + low) = *reinterpret_cast<const Sixteen*>(stage + low);
    } else {
      for (int i = low; i < high; i += sizeof(T))
        *reinterpret_cast<T*>(to + i) = *reinterpret_cast<const T*>(stage + i);
    }
  });
}

}  // namespace detail

// Calls write(row, part, out) for all parts of all rows; `to` is the environment's first row. The lanes take parts in turn,
// write them to the stage, and copy it out together in whole lines.
template <class T, class Write>
THRONG_HD void write_rows(const Lanes& lanes, [[maybe_unused]] Stage stage, T* to, const RowShape& shape,
                          Write&& write) {
#ifdef __CUDA_ARCH__
  const int last_dim = shape.dim - (shape.parts - 1) * shape.part_dim;
  const int longest = shape.part_dim > last_dim ? shape.part_dim : last_dim;
  const int room = (stage.bytes - 16) / int(sizeof(T)), chunk = room / longest, items = shape.rows * shape.parts;
  if (chunk == 0) {  // a row that does not fit is written in place
    lanes.each(items, [&](int item) {
      const int row = shape.by_parts(item), part = item - row * shape.parts;
      Writer<T> out{to + shape.offset(row, part)};
      write(row, part, out);
    });
    return;
  }
  for (int first = 0; first < items; first += chunk) {
    const int end = first + chunk < items ? first + chunk : items;
    const int first_row = shape.by_parts(first), end_row = shape.by_parts(end);
    const int begin = shape.offset(first_row, first - first_row * shape.parts);
    const int length = shape.offset(end_row, end - end_row * shape.parts) - begin;
    const int phase = int(reinterpret_cast<uintptr_t>(to + begin) & 15);
    T* staged = reinterpret_cast<T*>(stage.memory + phase);
    lanes.each(end - first, [&](int i) {
      const int row = shape.by_parts(first + i), part = first + i - row * shape.parts;
      Writer<T> out{staged + shape.offset(row, part) - begin};
      write(row, part, out);
    });
    detail::copy_out<T>(lanes, stage.memory, reinterpret_cast<unsigned char*>(to + begin) - phase, phase,
                        phase + length * int(sizeof(T)));
  }
#else
  lanes.each(shape.rows, [&](int row) {
    for (int part = 0; part < shape.parts; ++part) {
      Writer<T> out{to + shape.offset(row, part)};
      write(row, part, out);
    }
  });
#endif
}

}  // namespace throng
