// Ctrl-C and the terminate signal: the first asks a command to stop at a good place, the second stops at once.
#pragma once

#include <csignal>

namespace throng {

// While one lives, the signal does what it does to any program: it ends it. (Python's own handler would only take a note
// and wait for this library to return.) A signal that the parent chose to ignore stays ignored.
class DefaultSignals {
 public:
  DefaultSignals();
  ~DefaultSignals();
  DefaultSignals(const DefaultSignals&) = delete;
  DefaultSignals& operator=(const DefaultSignals&) = delete;

 private:
  struct sigaction before_[2];
};

// While one lives, the first signal only sets a flag and says so; the next one ends the program. One at a time.
class StopOnSignal {
 public:
  // `promise` is the line that the user reads after the first Ctrl-C, with its end; it must outlive this object.
  explicit StopOnSignal(const char* promise);
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  bool requested() const;
  int exit_status() const;  // 130 after Ctrl-C, 143 after the terminate signal, 0 without one

 private:
  struct sigaction before_[2];
};

}  // namespace throng
