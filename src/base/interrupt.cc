// SPDX-License-Identifier: Apache-2.0
#include "base/interrupt.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "base/check.h"

namespace tidegate {
namespace {

// A signal handler can reach nothing but a global; it only writes one byte into the pipe.
std::atomic<int> signal_pipe{-1};

void on_signal(int number) {
  const char byte = 's';
  [[maybe_unused]] const ssize_t written = write(signal_pipe.load(), &byte, 1);
  signal(number, SIG_DFL);
}

}  // namespace

struct InterruptHandler::State {
  int ends[2] = {-1, -1};
  struct sigaction old_int = {}, old_term = {};
  std::function<void()> on_signal;
  std::thread thread;
};

InterruptHandler::InterruptHandler(std::function<void()> callback)
    : state_(std::make_unique<State>()) {
  TG_CHECK(pipe2(state_->ends, O_CLOEXEC) == 0, "no pipe for signals");
  int none = -1;
  TG_CHECK(signal_pipe.compare_exchange_strong(none, state_->ends[1]),
           "two interrupt handlers at a time");
  state_->on_signal = std::move(callback);
  state_->thread = std::thread([state = state_.get()] {
    char byte = 0;
    while (read(state->ends[0], &byte, 1) == 1 && byte == 's') state->on_signal();
  });
  struct sigaction action = {};
  action.sa_handler = &tidegate::on_signal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, &state_->old_int);
  sigaction(SIGTERM, &action, &state_->old_term);
}

InterruptHandler::~InterruptHandler() {
  sigaction(SIGINT, &state_->old_int, nullptr);
  sigaction(SIGTERM, &state_->old_term, nullptr);
  const char byte = 'q';
  TG_CHECK(write(state_->ends[1], &byte, 1) == 1, "cannot wake the signal thread");
  state_->thread.join();
  signal_pipe.store(-1);
  close(state_->ends[0]);
  close(state_->ends[1]);
}

}  // namespace tidegate
