// Scalarize: from a reward vector and a preference to one number, in a kernel or on the host; and where preferences come from.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "core/platform.hpp"
#include "core/rng.hpp"

namespace throng {

inline constexpr int kMaxObjectives = 32;

inline constexpr const char* kUtilities[] = {"linear", "chebyshev", "thresholded"};

// The utility of a vector for who has these weights. All three never fall when an objective rises (Chebyshev: below utopia).
struct Scalarizer {
  enum Kind : uint8_t {
    kLinear,     // sum of weight * value: reaches the convex hull of a front
    kChebyshev,  // -max of weight * |reference - value|, reference = utopia: reaches every point of it
    kThresholded,  // the first value, if the others reach their references; else the first reference, below which the first
                   // value never is, less what the others lack, weighted
  };

  Kind kind = kLinear;
  int num_objectives = 1;
  float reference[kMaxObjectives] = {};  // [objective]

  THRONG_HD float operator()(const float* weights, const float* values) const {
    switch (kind) {
      case kChebyshev: return chebyshev(weights, values);
      case kThresholded: return thresholded(weights, values);
      default: return linear(weights, values);
    }
  }

  THRONG_HD float linear(const float* weights, const float* values) const {
    float sum = 0;
    for (int j = 0; j < num_objectives; ++j) sum += weights[j] * values[j];
    return sum;
  }

  THRONG_HD float chebyshev(const float* weights, const float* values) const {
    float farthest = 0;
    for (int j = 0; j < num_objectives; ++j) {
      const float gap = values[j] < reference[j] ? reference[j] - values[j] : values[j] - reference[j];
      farthest = weights[j] * gap > farthest ? weights[j] * gap : farthest;
    }
    return -farthest;
  }

  THRONG_HD float thresholded(const float* weights, const float* values) const {
    float lack = 0;
    for (int j = 1; j < num_objectives; ++j) {
      if (values[j] < reference[j]) lack += weights[j] * (reference[j] - values[j]);
    }
    return lack > 0 ? reference[0] - lack : values[0];
  }

  // By how much utility grows with each value, [objective].
  THRONG_HD void gradient(const float* weights, const float* values, float* slopes) const {
    int farthest = 0;
    bool lacks = false;
    for (int j = 0; j < num_objectives; ++j) {
      const float gap = reference[j] - values[j], most = reference[farthest] - values[farthest];
      if (weights[j] * fabsf(gap) > weights[farthest] * fabsf(most)) farthest = j;
      lacks = lacks || (j > 0 && weights[j] * gap > 0);
    }
    for (int j = 0; j < num_objectives; ++j) {
      const bool below = values[j] < reference[j];
      slopes[j] = weights[j];
      if (kind == kChebyshev) slopes[j] = j != farthest ? 0.0f : below ? weights[j] : -weights[j];
      if (kind == kThresholded) slopes[j] = lacks ? (j > 0 && below ? weights[j] : 0.0f) : j == 0 ? 1.0f : 0.0f;
    }
  }
};

inline constexpr int kStrata = 64;

// A weight vector drawn uniformly from the simplex, the same for the same (rng, index). Indices that are equal modulo kStrata
// fall into the same stratum, so any kStrata neighbouring ones spread evenly.
//
// The gaps between sorted uniform numbers are uniform on the simplex; a stratum is a cell of the cube they are drawn from.
THRONG_HD inline void sample_weights(Rng rng, uint32_t index, int num_objectives, float* weights) {
  const int cuts = num_objectives - 1;
  int bits = 6, stratum = static_cast<int>(index % kStrata);
  for (int i = 0; i < cuts; ++i) {
    const int share = (bits + cuts - i - 1) / (cuts - i), cells = 1 << share;  // bits of the stratum for this axis
    const float cut = (static_cast<float>(stratum % cells) + rng.uniform(index * cuts + i)) / static_cast<float>(cells);
    stratum /= cells;
    bits -= share;
    int place = i;  // insertion sort
    for (; place > 0 && weights[place - 1] > cut; --place) weights[place] = weights[place - 1];
    weights[place] = cut;
  }
  weights[cuts] = 1;
  for (int j = cuts; j > 0; --j) weights[j] -= weights[j - 1];
}

// All weight vectors whose entries are multiples of 1 / divisions (Das and Dennis 1998), [weight][objective], in descending
// order: for 2 objectives divisions + 1 of them, in general (divisions + objectives - 1) choose (objectives - 1).
inline std::vector<std::vector<float>> simplex_grid(int num_objectives, int divisions) {
  std::vector<std::vector<float>> grid;
  std::vector<int> parts(num_objectives, 0);
  parts[0] = divisions;
  for (;;) {
    std::vector<float> weights;
    for (int part : parts) weights.push_back(static_cast<float>(part) / static_cast<float>(divisions));
    grid.push_back(std::move(weights));
    // The next lower one: the last part that can give one away gives it, with all that lies behind, to its neighbour.
    int giver = num_objectives - 2;
    while (giver >= 0 && parts[giver] == 0) --giver;
    if (giver < 0) return grid;
    const int behind = parts[num_objectives - 1];
    parts[num_objectives - 1] = 0;
    --parts[giver];
    parts[giver + 1] = behind + 1;
  }
}

}  // namespace throng
