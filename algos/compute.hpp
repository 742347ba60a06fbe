// Compute: what every layer works with - a device, products, sums, and the blocks that parameters and gradients lie in.
#pragma once

#include "algos/grid.hpp"
#include "algos/matmul.hpp"

namespace throng {

struct Compute {
  Groups groups;
  Device& device;
  Matmul& matmul;
  const Reducer& reducer;
  const float* parameters;  // flat blocks, see Parameters: [group, size]
  float* gradients;         // of the same layout
};

}  // namespace throng
