// Adam (Kingma & Ba 2015) with clipping by the global gradient norm, over flat blocks.
#pragma once

#include <cmath>
#include <cstdint>

#include "algos/grid.hpp"

namespace throng {

// Moments lie beside the parameters; `steps` counts updates and is part of a checkpoint.
struct Adam {
  static constexpr float kBeta1 = 0.9f, kBeta2 = 0.999f;

  float* first = nullptr;   // [parameters]
  float* second = nullptr;  // [parameters]
  int64_t steps = 0;

  void want(Arena& arena, int64_t size) {
    arena.want(first, size);
    arena.want(second, size);
  }

  // `square_norm` lies on the device: the squared norm of all gradients. max_grad_norm 0 = no clipping.
  void update(Device& device, int64_t size, float* parameters, const float* gradients, const double* square_norm,
              float learning_rate, float eps, float max_grad_norm) {
    ++steps;
    const float correct1 = 1.0f / (1.0f - std::pow(kBeta1, static_cast<float>(steps)));
    const float correct2 = 1.0f / (1.0f - std::pow(kBeta2, static_cast<float>(steps)));
    float *first = this->first, *second = this->second;
    Backend::each(device, size, [=] THRONG_HD(int64_t i) {
      const float norm = static_cast<float>(sqrt(*square_norm));
      const float g = max_grad_norm > 0 && norm > max_grad_norm ? gradients[i] / norm * max_grad_norm : gradients[i];
      const float m = first[i] = kBeta1 * first[i] + (1.0f - kBeta1) * g;
      const float v = second[i] = kBeta2 * second[i] + (1.0f - kBeta2) * g * g;
      parameters[i] -= learning_rate * (m * correct1) / (sqrtf(v * correct2) + eps);
    });
  }
};

}  // namespace throng
