// Where chance enters harvest: every question that the rules ask of it, and the answers of the environment's own stream.
#pragma once

#include <cstdint>

#include "core/rng.hpp"

namespace throng::harvest {

// Tests replay recorded draws by a struct with the same members.
class Draws {
 public:
  THRONG_HD explicit Draws(Rng rng) : rng_(rng) {}

  // A number in [0, 1): an apple grows at a site if it is below the probability.
  THRONG_HD float regrow(int site) const { return rng_.uniform(index(kRegrow, site)); }
  // Of two agents that want the same place, the one with the larger number goes there; the first of equals.
  THRONG_HD uint32_t priority(int agent) const { return rng_.bits(index(kPriority, agent)); }
  // One of `count` spawns, equally likely among those with is_free(spawn); there is one. `agent` appears there.
  template <class IsFree>
  THRONG_HD int spawn(int agent, int count, const IsFree& is_free) const {
    int spawn = 0;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      spawn = rng_.below(index(kSpawn, agent * kAttempts + attempt), count);
      if (is_free(spawn)) return spawn;
    }
    while (!is_free(spawn)) spawn = spawn + 1 < count ? spawn + 1 : 0;  // nearly all are taken
    return spawn;
  }
  THRONG_HD int heading(int agent, int headings) const { return rng_.below(index(kHeading, agent), headings); }
  // A number in [0, 1): the episode ends by chance if it is below the probability.
  THRONG_HD float end() const { return rng_.uniform(index(kEnd, 0)); }

 private:
  enum Purpose : uint32_t { kRegrow, kPriority, kSpawn, kHeading, kEnd };
  static constexpr int kAttempts = 256;

  static THRONG_HD uint32_t index(Purpose purpose, int i) { return purpose << 16 | static_cast<uint32_t>(i); }

  Rng rng_;
};

}  // namespace throng::harvest
