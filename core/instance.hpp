// HostInstance: one environment of a game in host memory, for counting features and for tests of its rules.
#pragma once

#include <cstddef>
#include <vector>

#include "core/tile.hpp"

namespace throng {

template <class Env>
class HostInstance {
 public:
  explicit HostInstance(const typename Env::Params& params)
      : params_(params), layout_(TileLayout::of<Env>(params_, 1, 1)) {
    memory_.resize(layout_.bytes / sizeof(std::max_align_t) + 1);
  }

  // The state persists between calls; scratch memory does too, but no game may rely on it.
  Env env(Lanes lanes = {}) {
    return tile_env<Env>(layout_, params_, reinterpret_cast<unsigned char*>(memory_.data()), 0, lanes);
  }
  typename Env::Params& params() { return params_; }

  // The state of another instance of the same sizes.
  void take_state(HostInstance& from) { memory_ = from.memory_; }

 private:
  typename Env::Params params_;
  TileLayout layout_;
  std::vector<std::max_align_t> memory_;
};

}  // namespace throng
