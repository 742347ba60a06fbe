// Where chance enters govsim: who gets the next unit when there is not enough, and whether another month comes.
#pragma once

#include <cstdint>

#include "core/rng.hpp"

namespace throng::govsim {

struct Pair {
  float first, second;  // in [0, 1)
};

// Tests hand in draws by a struct with the same members.
class Draws {
 public:
  THRONG_HD explicit Draws(Rng rng) : ration_(rng.at(kRation)), end_(rng.at(kEnd)) {}

  // The numbers that decide who gets units 2 k and 2 k + 1 of a month.
  THRONG_HD Pair ration(int k) const {
    const Key words = block(ration_.key, 0, static_cast<uint32_t>(k));
    return {static_cast<float>(words.hi >> 9) * 0x1p-23f, static_cast<float>(words.lo >> 9) * 0x1p-23f};
  }
  // Another month comes if this is below the probability.
  THRONG_HD float another_month() const { return end_.uniform(0); }

 private:
  enum Purpose : uint32_t { kRation, kEnd };
  Rng ration_, end_;
};

}  // namespace throng::govsim
