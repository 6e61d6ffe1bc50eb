// SPDX-License-Identifier: Apache-2.0
#include "api/progress_display.h"

#include <fmt/format.h>

#include <utility>

#include "base/process_usage.h"
#include "formats/json_writer.h"
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

/// In quotes.
std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(text, out);
  return out;
}

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
  RestoreProgress restore;

  explicit Totals(const JobProgress& progress) : restore(progress.restore) {
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

/// Since when event time stands where it does, as far as the looks at it can tell.
void ProgressDisplay::look(const JobProgress& progress) {
  std::vector<Hold> holds;
  for (const SourceProgress& source : progress.sources) {
    if (source.held_back_by.empty()) continue;
    Hold hold{source.name, source.held_back_by, source.watermark, clock_.monotonic_ns()};
    for (const Hold& before : holds_) {
      const bool is_same = before.source == hold.source && before.split == hold.split &&
                           before.watermark == hold.watermark;
      if (is_same) hold.since_ns = before.since_ns;
    }
    holds.push_back(std::move(hold));
  }
  // At its end a job has no splits any more; what held it until then is the answer.
  if (!holds.empty() || !is_terminal(progress.state)) holds_ = std::move(holds);
}

void ProgressDisplay::update(const JobProgress& progress) {
  look(progress);
  if (style_ == ProgressStyle::kJson) {
    output_(json(Totals(progress), progress));
  } else if (live_ && seconds() >= kLiveAfterSeconds) {
    output_(live_line(Totals(progress)));
    line_shown_ = true;
  }
}

void ProgressDisplay::finish(const JobProgress& progress) {
  look(progress);
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
  if (totals.restore.tasks_waiting > 0) {
    line += fmt::format("  restoring {} tasks, {} messages left", totals.restore.tasks_waiting,
                        grouped(totals.restore.messages_left));
  }
  if (totals.late > 0) line += "  late " + grouped(totals.late);
  if (totals.bad > 0) line += "  bad " + grouped(totals.bad);
  return line + fmt::format("  {:.1f} s", seconds());
}

std::string ProgressDisplay::summary(const Totals& totals, JobState state) const {
  std::string text = fmt::format(
      "{}: {} rows read, {} late, {} bad; {}; {:.2f} s, {:.2f} CPU-s, peak {:.0f} MiB\n",
      job_state_name(state), grouped(totals.read), grouped(totals.late), grouped(totals.bad),
      rate_text(totals.read, seconds()), seconds(), cpu_seconds(),
      mebibytes(memory_usage().peak_bytes));
  if (totals.restore.messages > 0) {
    text +=
        fmt::format("restored: {} tasks, {} of them behind local state; {} messages, {:.1f} MiB\n",
                    totals.restore.tasks, totals.restore.tasks_behind_local,
                    grouped(totals.restore.messages), mebibytes(totals.restore.bytes));
  }
  if (state == JobState::kFinished) return text;  // all windows are closed
  for (const Hold& hold : holds_) {
    text += fmt::format("event time of '{}' was held by split {}", hold.source, hold.split);
    if (is_a_time(hold.watermark)) {
      text += " at ";
      append_timestamp(hold.watermark, 3, ' ', Fraction::kTrimmed, text);
    } else {
      text += ", which has had no row with a time";
    }
    text += fmt::format(", for {:.1f} s\n",
                        static_cast<double>(clock_.monotonic_ns() - hold.since_ns) / 1e9);
  }
  return text;
}

std::string ProgressDisplay::holds_json() const {
  std::string text;
  for (const Hold& hold : holds_) {
    text += fmt::format("{}{{\"source\":{},\"split\":{},\"watermark_ms\":{},\"for_s\":{:.3f}}}",
                        text.empty() ? "" : ",", json_text(hold.source), json_text(hold.split),
                        is_a_time(hold.watermark) ? std::to_string(hold.watermark) : "null",
                        static_cast<double>(clock_.monotonic_ns() - hold.since_ns) / 1e9);
  }
  return text;
}

/// Each epoch is in one line only.
std::string ProgressDisplay::epochs_json(const JobProgress& progress) {
  std::string text;
  for (const EpochProgress& epoch : progress.epochs) {
    if (epoch.epoch <= epochs_told_) continue;
    epochs_told_ = epoch.epoch;
    text += fmt::format(
        "{}{{\"epoch\":{},\"begun_ms\":{},\"gathering_ms\":{},\"waiting_ms\":{},\"commit_ms\":{},"
        "\"publish_ms\":{},\"bytes\":{},\"slowest_task\":{}}}",
        text.empty() ? "" : ",", epoch.epoch, epoch.begun_ms, epoch.gathering_ms, epoch.waiting_ms,
        epoch.commit_ms, epoch.publish_ms, epoch.bytes, json_text(epoch.slowest_task));
  }
  return text;
}

namespace {

/// "clicks-0":12 for each partition of a log that is read.
std::string lags_json(const JobProgress& progress) {
  std::string text;
  for (const SourceProgress& source : progress.sources) {
    for (const SplitProgress& split : source.splits) {
      if (split.lag < 0) continue;
      text +=
          fmt::format("{}{{\"source\":{},\"split\":{},\"records\":{}}}", text.empty() ? "" : ",",
                      json_text(source.name), json_text(split.id), split.lag);
    }
  }
  return text;
}

std::string restore_json(const RestoreProgress& restore) {
  if (restore.tasks + restore.tasks_waiting == 0) return "";
  return fmt::format(
      "\"restore\":{{\"tasks\":{},\"behind_local\":{},\"waiting\":{},\"messages\":{},"
      "\"messages_left\":{},\"bytes\":{}}},",
      restore.tasks, restore.tasks_behind_local, restore.tasks_waiting, restore.messages,
      restore.messages_left, restore.bytes);
}

}  // namespace

std::string ProgressDisplay::json(const Totals& totals, const JobProgress& progress) {
  return fmt::format(
      "{{\"state\":\"{}\",\"epoch\":{},\"restarts\":{},\"rows_read\":{},\"rows_per_s\":{:.0f},"
      "\"rows_late\":{},"
      "\"rows_bad\":{},\"watermark_ms\":{},\"elapsed_s\":{:.3f},\"cpu_s\":{:.3f},"
      "\"resident_bytes\":{},\"lag\":[{}],\"held_back\":[{}],{}\"epochs\":[{}]}}\n",
      job_state_name(progress.state), progress.published_epoch, progress.restarts, totals.read,
      rate(totals.read, seconds()), totals.late, totals.bad,
      is_a_time(totals.watermark) ? std::to_string(totals.watermark) : "null", seconds(),
      cpu_seconds(), memory_usage().resident_bytes, lags_json(progress), holds_json(),
      restore_json(progress.restore), epochs_json(progress));
}

}  // namespace tidegate
