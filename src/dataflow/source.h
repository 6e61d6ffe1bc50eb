// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataflow/log_topics.h"
#include "dataflow/operator.h"
#include "tidegate/status.h"
#include "types/batch.h"
#include "types/schema.h"

namespace tidegate {

/// A piece of a source with an order of its own: a file, a Kafka partition, a range of generated
/// rows. The id is unique within the source and stable over restarts.
struct Split {
  std::string id;
  /// What open_split() needs beyond the id; opaque to the engine, stored in epochs.
  std::string payload;
  /// How much there is to read, as far as the source knows when it finds the split; a hint.
  std::int64_t size_bytes = 0;
};

/// How much of a source one micro-batch takes; 0: no limit.
struct BatchLimits {
  std::int64_t max_files = 0;
  std::int64_t max_rows = 0;
  std::int64_t max_bytes = 0;
};

/// Where a micro-batch ends in one split.
struct BatchEnd {
  /// A position; none: where the split itself ends.
  std::optional<std::string> position;
  /// How many rows there are up to there, as far as is known; 0: nothing is there to be read.
  std::int64_t rows = 1;
};

/// What a source finds when it looks for splits.
struct Discovery {
  std::vector<Split> splits;  ///< new ones only, in the order in which they should be opened
  bool complete = true;       ///< no further ones will ever come
};

/// What poll() answers.
struct Polled {
  enum class State : std::uint8_t {
    kRows,     ///< `batch` holds rows; there may be more at once
    kPending,  ///< nothing now; the waker will be called
    kEnd,      ///< the split has ended
    kLimit,    ///< everything in front of SplitReader::read_until()'s position has been read
  };
  State state = State::kPending;
  Batch batch;
  /// The source itself knows that no row below this event time follows `batch` (with kRows; the
  /// batch may then be empty). Counts beside the watermark strategy.
  std::optional<EventTime> watermark;
  /// The source itself knows that the split has nothing to say about time for now (with kRows, an
  /// empty batch and a watermark).
  bool idle = false;
};

/// Reads one split in order. One task at a time, one thread at a time.
class SplitReader {
 public:
  virtual ~SplitReader() = default;
  /// At most about `max_rows` rows, without blocking. Rows have the source's schema.
  virtual Result<Polled> poll(std::int64_t max_rows) = 0;
  /// Where to go on after everything that poll() has returned. Opaque, stored in epochs.
  virtual std::string position() const = 0;
  /// Micro-batches: poll() returns nothing behind the position `end`, one of Source::plan_end()'s,
  /// but answers kLimit there, until a later call moves it on. Empty: the split ends by itself.
  virtual Status read_until(const std::string& end);
  /// The epoch that holds `position` is durable; for brokers that keep a copy of it.
  virtual void committed(const std::string& position);
};

/// What the runtime gives to a source; outlives it.
class SourceContext {
 public:
  virtual ~SourceContext() = default;
  virtual const std::string& source_name() const = 0;
  virtual const Clock& clock() const = 0;
  virtual Executor& executor() = 0;
  virtual MetricGroup& metrics() = 0;
  /// Wakes the task that reads the split, or the enumeration.
  virtual Waker waker() = 0;
};

/// A source of one job: finds splits and opens readers. discover() and open_split() may be called
/// from different threads at the same time.
class Source {
 public:
  virtual ~Source() = default;
  /// Columns and rowtime of the rows that readers return.
  virtual const SchemaPtr& schema() const = 0;
  /// True when the source ends by itself.
  virtual bool is_bounded() const = 0;
  /// True when each split ends by itself (files, also in a folder that is watched for new ones).
  /// Such splits are opened in order, a limited number at a time, the one that is behind in event
  /// time is read first, and without event time one after another. Others are all read at once.
  virtual bool splits_end() const { return is_bounded(); }
  /// True when the splits continue each other, as files of one changelog do, where a later one may
  /// delete what an earlier one inserts: one task reads them, strictly one after another.
  virtual bool splits_in_sequence() const { return false; }
  /// Once, before the rest; checks that the outside is there.
  virtual Status open(SourceContext& context) = 0;
  /// Looks for splits that no earlier call has returned (nor is in `known`, after a restore). May
  /// block; runs on a blocking thread. Repeated every discovery_interval_ms() until complete.
  virtual Result<Discovery> discover(const std::vector<std::string>& known) = 0;
  virtual std::int64_t discovery_interval_ms() const { return 10'000; }
  /// Opens a split at its beginning or where an earlier reader's position() points.
  virtual Result<std::unique_ptr<SplitReader>> open_split(
      const Split& split, const std::optional<std::string>& position, SourceContext& context) = 0;

  /// Set when splits are partitions of Kafka topics, as kafka/partition_split.h says.
  virtual std::optional<LogTopics> log_topics() const { return std::nullopt; }

  /// What the table itself says about the size of micro-batches; what the job says goes before.
  virtual BatchLimits batch_limits() const { return {}; }
  /// Where a micro-batch ends that goes on at `position` (none: the beginning): behind what is
  /// there now, but after about `max_rows` rows (0: no limit). The same question may be asked
  /// several times. May block; runs on a blocking thread, beside discover(). Splits that end are
  /// read whole unless the source says otherwise.
  virtual Result<BatchEnd> plan_end(const Split& split, const std::optional<std::string>& position,
                                    std::int64_t max_rows);
};

}  // namespace tidegate
