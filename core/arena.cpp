// One allocation, many arrays.
#include "core/device.hpp"

namespace throng {

void Arena::commit() {
  clear();
  memory_ = device_->allocate(bytes_ == 0 ? kAlign : bytes_);
  device_->fill_zero(memory_, bytes_);
  for (const Wanted& wanted : wanted_) *wanted.pointer = static_cast<char*>(memory_) + wanted.offset;
}

void Arena::clear() noexcept {
  if (memory_) device_->release(memory_);
  memory_ = nullptr;
}

}  // namespace throng
