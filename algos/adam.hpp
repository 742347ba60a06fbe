// Adam (Kingma & Ba 2015) with clipping by the gradient norm, over flat blocks.
#pragma once

#include <cmath>
#include <cstdint>

#include "algos/grid.hpp"

namespace throng {

// What changes from update to update; in device memory, so that recorded work finds it there.
struct Schedule {
  float learning_rate = 0;
  uint32_t updates = 0;  // rollouts learned from
  int64_t steps = 0;     // of Adam
};

// Moments lie beside the parameters. A gradient that is not finite changes nothing.
struct Adam {
  static constexpr float kBeta1 = 0.9f, kBeta2 = 0.999f;

  float* first = nullptr;        // [group, parameters]
  float* second = nullptr;       // [group, parameters]
  float* corrections = nullptr;  // [step, 2], of the moments' bias, for the steps between two changes of the schedule

  void want(Arena& arena, Groups groups, int steps) {
    arena.want(first, groups.count * groups.apart);
    arena.want(second, groups.count * groups.apart);
    arena.want(corrections, 2 * size_t(steps));
  }

  // For the next `steps` steps.
  void prepare(Device& device, const Schedule* schedule, int steps) const {
    float* corrections = this->corrections;
    Backend::each(device, steps, [=] THRONG_BODY(int64_t k) {
      const float n = static_cast<float>(schedule->steps + k + 1);
      corrections[2 * k] = 1.0f / (1.0f - powf(kBeta1, n));
      corrections[2 * k + 1] = 1.0f / (1.0f - powf(kBeta2, n));
    });
  }

  // Of a group's gradients: the block is cut in two at `split`, with squared norms square_norms[group * apart + 0, 1]. `joint`
  // clips by the norm of both together, otherwise each part by its own. max_grad_norm 0 = no clipping.
  struct Norms {
    const double* square_norms;
    int64_t apart, split;
    bool joint;
    float max_grad_norm;
  };

  // Step number `step` of those prepared.
  void update(Device& device, Groups groups, float* parameters, const float* gradients, const Norms& norms,
              const Schedule* schedule, int step, float eps) const {
    float *first = this->first, *second = this->second;
    const float* correct = corrections + 2 * step;
    Backend::each(device, groups.count * groups.apart, [=] THRONG_BODY(int64_t i) {
      const int64_t group = groups.count == 1 ? 0 : i / groups.apart;
      const double* squares = norms.square_norms + group * norms.apart;
      const double both = squares[0] + squares[1];
      if (!(both < INFINITY)) return;
      const auto norm = static_cast<float>(sqrt(norms.joint ? both : squares[i - group * groups.apart >= norms.split]));
      const float most = norms.max_grad_norm;
      const float g = most > 0 && norm > most ? gradients[i] / norm * most : gradients[i];
      const float m = first[i] = kBeta1 * first[i] + (1.0f - kBeta1) * g;
      const float v = second[i] = kBeta2 * second[i] + (1.0f - kBeta2) * g * g;
      parameters[i] -= schedule->learning_rate * (m * correct[0]) / (sqrtf(v * correct[1]) + eps);
    });
  }
};

}  // namespace throng
