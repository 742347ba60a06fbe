// Draws of harvest that are handed in: what SocialJax drew for a step, or what a test decides.
#pragma once

#include <cstdint>

namespace throng::harvest {

// Answers the questions of envs/harvest/draws.hpp. Both permutations are read by agent and by spawn, not as lists of them.
struct RecordedDraws {
  const float* regrow_u;         // [site]
  const int32_t* priorities;     // [agent], the larger moves
  const int32_t* spawn_ranks;    // [spawn], the smaller is taken first
  const int32_t* heading_draws;  // [agent]

  float regrow(int site) const { return regrow_u[site]; }
  uint32_t priority(int agent) const { return static_cast<uint32_t>(priorities[agent]); }
  template <class IsFree>
  int spawn(int, int count, const IsFree& is_free) const {
    int best = -1;
    for (int spawn = 0; spawn < count; ++spawn) {
      if (is_free(spawn) && (best < 0 || spawn_ranks[spawn] < spawn_ranks[best])) best = spawn;
    }
    return best;
  }
  int heading(int agent, int) const { return heading_draws[agent]; }
  float end() const { return 1; }
};

}  // namespace throng::harvest
