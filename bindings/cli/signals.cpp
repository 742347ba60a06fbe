// Signal handlers that only write a flag and a line, and are put back afterwards.
#include "bindings/cli/signals.hpp"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace throng {
namespace {

constexpr int kSignals[2] = {SIGINT, SIGTERM};

std::atomic<int> caught{0};
std::atomic<const char*> promised{nullptr};
std::atomic<bool> on_terminal{false};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<const char*>::is_always_lock_free);

// All that a signal handler may use for it. What cannot be written has nobody to read it.
void write_now(const char* text) {
  if (::write(STDERR_FILENO, text, std::strlen(text)) < 0) return;
}

void on_signal(int signal) {
  const int error = errno;  // the interrupted code may be about to read it
  if (caught.exchange(signal) != 0) {
    std::signal(signal, SIG_DFL);  // blocked until this handler returns, then it ends the program
    std::raise(signal);
  } else if (const char* text = promised.load()) {
    if (on_terminal) write_now("\n");  // the cursor stands behind "^C"
    write_now(text);
  }
  errno = error;
}

void install(void (*handler)(int), struct sigaction (&before)[2]) {
  for (int i = 0; i < 2; ++i) {
    ::sigaction(kSignals[i], nullptr, &before[i]);
    if (before[i].sa_handler == SIG_IGN) continue;
    struct sigaction action = {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    ::sigaction(kSignals[i], &action, nullptr);
  }
}

void put_back(const struct sigaction (&before)[2]) {
  for (int i = 0; i < 2; ++i) ::sigaction(kSignals[i], &before[i], nullptr);
}

}  // namespace

DefaultSignals::DefaultSignals() { install(SIG_DFL, before_); }

DefaultSignals::~DefaultSignals() { put_back(before_); }

StopOnSignal::StopOnSignal(const char* promise) {
  caught = 0;
  on_terminal = ::isatty(STDERR_FILENO) == 1;
  promised = promise;
  install(on_signal, before_);
}

StopOnSignal::~StopOnSignal() {
  put_back(before_);
  promised = nullptr;
}

bool StopOnSignal::requested() const { return caught != 0; }

int StopOnSignal::exit_status() const { return requested() ? 128 + caught : 0; }

}  // namespace throng
