// SPDX-License-Identifier: Apache-2.0
#include "runtime/activation.h"

#include "base/executor.h"
#include "runtime/piece_count.h"

namespace tidegate {

void Activation::wake() {
  const unsigned before = state_.fetch_or(kWanted | kActive, std::memory_order_acq_rel);
  if ((before & kActive) != 0) return;
  pieces_.begin();
  submit();
}

void Activation::submit() {
  executor_.submit([this] { run(); });
}

void Activation::run() {
  state_.fetch_and(~kWanted, std::memory_order_acq_rel);
  const Outcome outcome = step_();
  if (outcome != Outcome::kFinished) {
    unsigned expected = kActive;
    const bool rests = outcome == Outcome::kIdle &&
                       state_.compare_exchange_strong(expected, 0, std::memory_order_acq_rel);
    if (!rests) {
      submit();
      return;
    }
  }
  pieces_.end();
}

}  // namespace tidegate
