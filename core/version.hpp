// The version of throng; meson.build reads it from here, and so does everything else.
#pragma once

namespace throng {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace throng
