// SPDX-License-Identifier: Apache-2.0
#include "api/console.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string_view>

#include "api/batch_session.h"
#include "base/clock.h"
#include "base/interrupt.h"

namespace tidegate {

Status watch(RunningJob& job, const WatchOptions& options) {
  using namespace std::chrono_literals;
  const InterruptHandler interrupt([&job] { job.stop(/*drain=*/false); });
  if (!job.serve_address().empty())
    std::fprintf(stderr, "state is served at http://%s/state\n", job.serve_address().c_str());
  const bool live =
      isatty(STDERR_FILENO) == 1 && !(options.prints_rows && isatty(STDOUT_FILENO) == 1);
  ProgressDisplay display(options.progress, live, system_clock(), [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
  });
  const std::chrono::milliseconds step = options.progress == ProgressStyle::kJson ? 1000ms : 200ms;
  while (!job.await_for(step)) {
    display.update(job.progress());
    if (options.every_step) options.every_step();
  }
  Status status = job.await();
  display.finish(job.progress());
  return status;
}

Status watch(RunningJob& job, ProgressStyle style) {
  WatchOptions options;
  options.progress = style;
  return watch(job, options);
}

ProgressStyle report_batches(RunOptions& options, ProgressStyle style) {
  if (style != ProgressStyle::kJson || !runs_in_batches(options)) return style;
  options.on_batch = [also = std::move(options.on_batch)](const BatchProgress& progress) {
    const std::string line = progress.to_json() + "\n";
    std::fwrite(line.data(), 1, line.size(), stderr);
    std::fflush(stderr);
    if (also) also(progress);
  };
  return ProgressStyle::kNone;
}

int exit_code_of(const Status& status) {
  if (status.is_ok()) return 0;
  switch (status.code()) {
    case ErrorCode::kServiceUnreachable:
    case ErrorCode::kServiceTimeout:
      return 4;
    case ErrorCode::kUserFunctionFailed:
    case ErrorCode::kFileNotFound:
    case ErrorCode::kFileAccess:
      return 1;
    default:
      return status.kind() == ErrorKind::kInvalidInput ? 3 : 1;
  }
}

}  // namespace tidegate
