// SPDX-License-Identifier: Apache-2.0
#include "api/console.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/process_usage.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;

/// The sums that people look at.
struct Totals {
  std::int64_t read = 0;
  std::int64_t late = 0;
  std::int64_t bad = 0;
  EventTime watermark = kMaxWatermark;
  std::string held_back_by;
};

Totals totals_of(const JobProgress& progress) {
  Totals totals;
  for (const SourceProgress& source : progress.sources) {
    totals.read += source.rows_out;
    totals.bad += source.rows_bad;
    if (source.watermark < totals.watermark) {
      totals.watermark = source.watermark;
      totals.held_back_by = source.held_back_by;
    }
  }
  for (const OperatorProgress& step : progress.operators) totals.late += step.rows_late;
  return totals;
}

std::string grouped(std::int64_t n) {
  std::string digits = std::to_string(n);
  for (int i = static_cast<int>(digits.size()) - 3; i > 0; i -= 3) {
    digits.insert(static_cast<std::size_t>(i), ",");
  }
  return digits;
}

std::string rate_text(std::int64_t rows, double seconds) {
  const double rate = seconds > 0 ? static_cast<double>(rows) / seconds : 0;
  if (rate >= 1e6) return fmt::format("{:.2f} M/s", rate / 1e6);
  if (rate >= 1e3) return fmt::format("{:.1f} k/s", rate / 1e3);
  return fmt::format("{:.0f}/s", rate);
}

double mebibytes(std::int64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

class Display {
 public:
  explicit Display(ProgressStyle style)
      : style_(style), live_(style == ProgressStyle::kAuto && isatty(STDERR_FILENO) == 1) {}

  void update(const JobProgress& progress) {
    if (style_ == ProgressStyle::kJson) {
      print_json(progress);
    } else if (live_) {
      const Totals totals = totals_of(progress);
      std::fprintf(stderr, "\r\033[K%s rows  %s  late %s  bad %s  %.1f s",
                   grouped(totals.read).c_str(), rate_text(totals.read, seconds()).c_str(),
                   grouped(totals.late).c_str(), grouped(totals.bad).c_str(), seconds());
      std::fflush(stderr);
    }
  }

  void finish(const JobProgress& progress) {
    if (live_) std::fputs("\r\033[K", stderr);
    if (style_ == ProgressStyle::kJson) print_json(progress);
    if (style_ != ProgressStyle::kAuto) return;
    const Totals totals = totals_of(progress);
    std::fprintf(stderr,
                 "%s: %s rows read, %s late, %s bad; %s; %.2f s, %.2f CPU-s, peak %.0f MiB\n",
                 std::string(job_state_name(progress.state)).c_str(), grouped(totals.read).c_str(),
                 grouped(totals.late).c_str(), grouped(totals.bad).c_str(),
                 rate_text(totals.read, seconds()).c_str(), seconds(), cpu_seconds(),
                 mebibytes(memory_usage().peak_bytes));
  }

 private:
  double seconds() const {
    return static_cast<double>(system_clock().monotonic_ns() - start_ns_) / 1e9;
  }
  void print_json(const JobProgress& progress) {
    const Totals totals = totals_of(progress);
    std::fprintf(stderr,
                 "{\"state\":\"%s\",\"epoch\":%llu,\"rows_read\":%lld,\"rows_late\":%lld,"
                 "\"rows_bad\":%lld,\"watermark_ms\":%lld,\"elapsed_s\":%.3f,\"cpu_s\":%.3f,"
                 "\"resident_bytes\":%lld}\n",
                 std::string(job_state_name(progress.state)).c_str(),
                 static_cast<unsigned long long>(progress.published_epoch),
                 static_cast<long long>(totals.read), static_cast<long long>(totals.late),
                 static_cast<long long>(totals.bad), static_cast<long long>(totals.watermark),
                 seconds(), cpu_seconds(), static_cast<long long>(memory_usage().resident_bytes));
  }

  ProgressStyle style_;
  bool live_;
  std::int64_t start_ns_ = system_clock().monotonic_ns();
};

}  // namespace

Status watch(RunningJob& job, ProgressStyle style) {
  const InterruptHandler interrupt([&job] { job.stop(/*drain=*/false); });
  Display display(style);
  const std::chrono::milliseconds step = style == ProgressStyle::kJson ? 1000ms : 200ms;
  while (!job.await_for(step)) display.update(job.progress());
  Status status = job.await();
  display.finish(job.progress());
  return status;
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
