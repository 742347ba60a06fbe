// The CUDA back end is a library of its own, opened at run time: a program without a GPU never needs it.
#pragma once

#include <string>

namespace throng {

// An exported function of the CUDA library; Error with the reason when there is no such library.
void* cuda_symbol(const std::string& name);

template <class Signature>
Signature* cuda_function(const std::string& name) {
  return reinterpret_cast<Signature*>(cuda_symbol(name));
}

}  // namespace throng
