// The command line as a function, so that the program and `python -m throng` are the same.
#pragma once

#include "core/platform.hpp"

namespace throng {

// Runs `throng ARGS...` and returns the exit status: 0 done, 2 the caller's mistake, 1 the machine's failure, 130 stopped by
// Ctrl-C. Results go to stdout, everything else to stderr. Throws nothing; signal handlers are put back before it returns.
THRONG_API int cli_main(int argc, const char* const* argv);

}  // namespace throng
