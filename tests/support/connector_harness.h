// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/metrics.h"
#include "dataflow/sink.h"
#include "dataflow/source.h"
#include "tidegate/status.h"
#include "types/batch.h"

namespace tidegate {

/// How long a harness waits for an outside system before the test fails.
inline constexpr std::chrono::seconds kHarnessPatience{240};

/// Counts wake-ups and waits for them.
class WakeCounter;

/// Runs a source against the outside world: real threads, the machine's clock. Waits for wakers,
/// never by polling, so a lost wake-up fails the test.
class SourceHarness {
 public:
  explicit SourceHarness(std::shared_ptr<Source> source);
  ~SourceHarness();

  Source& source() { return *source_; }
  Status open();
  Result<std::unique_ptr<SplitReader>> open_split(const Split& split,
                                                  std::optional<std::string> position = {});

  struct Rows {
    std::vector<std::string> texts;  ///< as text_rows() has them
    bool ended = false;
    Status status;
  };
  /// Polls for up to `max_rows_per_poll` at a time until at least `count` rows have come, the split
  /// has ended, or an error.
  Rows read(SplitReader& reader, std::int64_t count, std::int64_t max_rows_per_poll = 1000);
  Rows read_to_end(SplitReader& reader, std::int64_t max_rows_per_poll = 1000);
  /// Polls until nothing has come for `quiet`. For showing that nothing comes.
  Rows read_until_quiet(SplitReader& reader, std::chrono::milliseconds quiet);

  std::int64_t metric(std::string_view name) const { return metrics_->sum("source", name); }

 private:
  class Context;
  Rows read_while(SplitReader& reader, std::int64_t count, std::int64_t max_rows_per_poll,
                  std::chrono::milliseconds patience);

  std::unique_ptr<MetricRegistry> metrics_;
  std::unique_ptr<Executor> executor_;
  std::shared_ptr<WakeCounter> wakes_;
  std::unique_ptr<Context> context_;
  std::shared_ptr<Source> source_;
};

/// The same for one writer of a sink.
class SinkHarness {
 public:
  explicit SinkHarness(std::shared_ptr<Sink> sink, int subtask = 0);
  ~SinkHarness();

  Status open();
  /// For a sink that is open already.
  Status open_writer();
  /// write(), and resume() after each wake-up until it is done.
  Status write(Batch batch);
  /// flush() until it is done, then prepare().
  Result<std::string> end_epoch(EpochId epoch);
  /// How often the writer has answered kBlocked.
  std::int64_t times_blocked() const { return times_blocked_; }

 private:
  class Context;
  template <typename Call>
  Status drive(Call first, Call then);

  std::unique_ptr<MetricRegistry> metrics_;
  std::unique_ptr<Executor> executor_;
  std::shared_ptr<WakeCounter> wakes_;
  std::unique_ptr<Context> context_;
  std::shared_ptr<Sink> sink_;
  std::unique_ptr<SinkWriter> writer_;
  std::int64_t times_blocked_ = 0;
};

}  // namespace tidegate
