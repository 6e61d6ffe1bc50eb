// SPDX-License-Identifier: Apache-2.0
#include "api/progress_display.h"

#include <fmt/format.h>

#include <utility>

#include "base/process_usage.h"
#include "types/time_text.h"

namespace tidegate {

namespace {

/// A job that ends sooner needs no line about how it is doing.
constexpr double kLiveAfterSeconds = 0.5;

constexpr std::string_view kEraseLine = "\r\033[K";

std::string grouped(std::int64_t n) {
  std::string digits = std::to_string(n);
  for (int i = static_cast<int>(digits.size()) - 3; i > 0; i -= 3)
    digits.insert(static_cast<std::size_t>(i), ",");
  return digits;
}

double rate(std::int64_t rows, double seconds) {
  return seconds > 0 ? static_cast<double>(rows) / seconds : 0;
}

std::string rate_text(std::int64_t rows, double seconds) {
  const double per_second = rate(rows, seconds);
  if (per_second >= 1e6) return fmt::format("{:.2f} M/s", per_second / 1e6);
  if (per_second >= 1e3) return fmt::format("{:.1f} k/s", per_second / 1e3);
  return fmt::format("{:.0f}/s", per_second);
}

double mebibytes(std::int64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

bool is_a_time(EventTime watermark) {
  return watermark != kMinWatermark && watermark != kMaxWatermark;
}

}  // namespace

/// The sums that people look at.
struct ProgressDisplay::Totals {
  std::int64_t read = 0;
  std::int64_t late = 0;
  std::int64_t bad = 0;
  EventTime watermark = kMaxWatermark;  // the lowest of the sources that have one
  std::string held_back_by;

  explicit Totals(const JobProgress& progress) {
    for (const SourceProgress& source : progress.sources) {
      read += source.rows_out;
      bad += source.rows_bad;
      if (source.watermark == kMinWatermark || source.watermark >= watermark) continue;
      watermark = source.watermark;
      held_back_by = source.held_back_by;
    }
    for (const OperatorProgress& step : progress.operators) late += step.rows_late;
  }
};

ProgressDisplay::ProgressDisplay(ProgressStyle style, bool live, const Clock& clock, Output output)
    : style_(style),
      live_(live && style == ProgressStyle::kAuto),
      clock_(clock),
      output_(std::move(output)),
      start_ns_(clock.monotonic_ns()) {}

double ProgressDisplay::seconds() const {
  return static_cast<double>(clock_.monotonic_ns() - start_ns_) / 1e9;
}

void ProgressDisplay::update(const JobProgress& progress) {
  if (style_ == ProgressStyle::kJson) {
    output_(json(Totals(progress), progress));
  } else if (live_ && seconds() >= kLiveAfterSeconds) {
    output_(live_line(Totals(progress)));
    line_shown_ = true;
  }
}

void ProgressDisplay::finish(const JobProgress& progress) {
  if (line_shown_) output_(kEraseLine);
  if (style_ == ProgressStyle::kJson) output_(json(Totals(progress), progress));
  if (style_ == ProgressStyle::kAuto) output_(summary(Totals(progress), progress.state));
}

std::string ProgressDisplay::live_line(const Totals& totals) const {
  std::string line = fmt::format("{}{} rows  {}", kEraseLine, grouped(totals.read),
                                 rate_text(totals.read, seconds()));
  if (is_a_time(totals.watermark)) {
    line += "  watermark ";
    append_timestamp(totals.watermark, 3, ' ', Fraction::kTrimmed, line);
    if (!totals.held_back_by.empty()) line += " (" + totals.held_back_by + ")";
  }
  if (totals.late > 0) line += "  late " + grouped(totals.late);
  if (totals.bad > 0) line += "  bad " + grouped(totals.bad);
  return line + fmt::format("  {:.1f} s", seconds());
}

std::string ProgressDisplay::summary(const Totals& totals, JobState state) const {
  return fmt::format(
      "{}: {} rows read, {} late, {} bad; {}; {:.2f} s, {:.2f} CPU-s, peak {:.0f} MiB\n",
      job_state_name(state), grouped(totals.read), grouped(totals.late), grouped(totals.bad),
      rate_text(totals.read, seconds()), seconds(), cpu_seconds(),
      mebibytes(memory_usage().peak_bytes));
}

std::string ProgressDisplay::json(const Totals& totals, const JobProgress& progress) const {
  return fmt::format(
      "{{\"state\":\"{}\",\"epoch\":{},\"rows_read\":{},\"rows_per_s\":{:.0f},\"rows_late\":{},"
      "\"rows_bad\":{},\"watermark_ms\":{},\"elapsed_s\":{:.3f},\"cpu_s\":{:.3f},"
      "\"resident_bytes\":{}}}\n",
      job_state_name(progress.state), progress.published_epoch, totals.read,
      rate(totals.read, seconds()), totals.late, totals.bad,
      is_a_time(totals.watermark) ? std::to_string(totals.watermark) : "null", seconds(),
      cpu_seconds(), memory_usage().resident_bytes);
}

}  // namespace tidegate
