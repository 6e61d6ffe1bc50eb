// SPDX-License-Identifier: Apache-2.0
#include "runtime/task_host.h"

#include <utility>

#include "base/executor.h"

namespace tidegate {

void TaskHost::run_blocking(std::function<void()> work) {
  pieces().begin();
  executor().submit_blocking([this, work = std::move(work)]() mutable {
    work();
    work = nullptr;  // what it holds goes before the job may
    pieces().end();
  });
}

}  // namespace tidegate
