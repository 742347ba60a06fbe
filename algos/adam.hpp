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

  float* first = nullptr;        // [parameters]
  float* second = nullptr;       // [parameters]
  float* corrections = nullptr;  // [step, 2], of the moments' bias, for the steps between two changes of the schedule

  void want(Arena& arena, int64_t size, int steps) {
    arena.want(first, size);
    arena.want(second, size);
    arena.want(corrections, 2 * size_t(steps));
  }

  // For the next `steps` steps.
  void prepare(Device& device, const Schedule* schedule, int steps) const {
    float* corrections = this->corrections;
    Backend::each(device, steps, [=] THRONG_HD(int64_t k) {
      const float n = static_cast<float>(schedule->steps + k + 1);
      corrections[2 * k] = 1.0f / (1.0f - powf(kBeta1, n));
      corrections[2 * k + 1] = 1.0f / (1.0f - powf(kBeta2, n));
    });
  }

  // Step number `step` of those prepared. The block is cut in two at `split`, with the squared gradient norms
  // `square_norms[2]`: `joint` clips by the norm of both together, otherwise each part by its own. max_grad_norm 0 = no clipping.
  void update(Device& device, int64_t size, float* parameters, const float* gradients, const double* square_norms,
              int64_t split, bool joint, const Schedule* schedule, int step, float eps, float max_grad_norm) const {
    float *first = this->first, *second = this->second;
    const float* correct = corrections + 2 * step;
    Backend::each(device, size, [=] THRONG_HD(int64_t i) {
      const double square = joint ? square_norms[0] + square_norms[1] : square_norms[i >= split];
      const float norm = static_cast<float>(sqrt(square));
      if (!(square_norms[0] + square_norms[1] < INFINITY)) return;
      const float g = max_grad_norm > 0 && norm > max_grad_norm ? gradients[i] / norm * max_grad_norm : gradients[i];
      const float m = first[i] = kBeta1 * first[i] + (1.0f - kBeta1) * g;
      const float v = second[i] = kBeta2 * second[i] + (1.0f - kBeta2) * g * g;
      parameters[i] -= schedule->learning_rate * (m * correct[0]) / (sqrtf(v * correct[1]) + eps);
    });
  }
};

}  // namespace throng
