// The two kinds of failure: the caller's mistake and the machine's.
#pragma once

#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/platform.hpp"

namespace throng {

// The caller's mistake: an unknown name, a wrong shape, a damaged file. ValueError in Python, exit code 2 in the CLI.
class THRONG_API Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The machine's failure: names the failing call, what the machine said, and where. RuntimeError in Python, exit code 1.
class THRONG_API MachineError : public std::runtime_error {
 public:
  MachineError(std::string_view call, std::string_view text,
               const std::source_location& place = std::source_location::current());
};

// The valid word that was probably meant, or an empty string if nothing is near.
std::string nearest(std::string_view word, const std::vector<std::string>& valid);

// Throws one line: "unknown scenario 'smax/3n': did you mean 'smax/3m'? valid: smax/3m, ...", after "where: " if given.
[[noreturn]] void throw_unknown(std::string_view what, std::string_view word, const std::vector<std::string>& valid,
                                std::string_view where = {});

}  // namespace throng
