// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "dataflow/log_topics.h"
#include "dataflow/operator.h"
#include "tidegate/status.h"
#include "types/batch.h"

namespace tidegate {

/// What a sink promises about rows of epochs that were thrown away or repeated.
enum class SinkGuarantee : std::uint8_t {
  kAtLeastOnce,    ///< rows may appear twice after a failure
  kIdempotent,     ///< rows are written by key, so that a repetition changes nothing
  kTransactional,  ///< rows become visible with their epoch, or not at all
};

/// Writes the rows of one task. Single-threaded, never blocks: answers kBlocked and calls the
/// context's waker instead.
class SinkWriter {
 public:
  virtual ~SinkWriter() = default;
  virtual Result<Progress> write(Batch batch) = 0;
  /// Goes on after kBlocked.
  virtual Result<Progress> resume() { return Progress::kDone; }
  /// Event time has come this far, behind the rows written so far; never goes back.
  virtual Status advance(EventTime) { return Status::ok(); }
  /// The input has nothing to say about time for now, or speaks again.
  virtual void idle(bool) {}
  /// Everything written so far belongs to `epoch`. Makes it durable without making it visible, and
  /// returns what commit() needs to do that later, also after a restart; empty: nothing to commit.
  /// nullopt-like waiting is expressed by kBlocked from flush(), which is called first.
  virtual Result<Progress> flush() { return Progress::kDone; }
  /// Instead of flush(), when the input has ended for good.
  virtual Result<Progress> finish() { return flush(); }
  virtual Result<std::string> prepare(EpochId epoch) = 0;
};

/// A sink of one job. open_writer() is called per task; commit() and abort() from the
/// coordinator's thread.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual SinkGuarantee guarantee() const = 0;
  /// Number of tasks that write ('sink.parallelism'); 0: the job's.
  virtual int parallelism() const { return 0; }
  /// Once, before the rest; checks that the outside is there.
  virtual Status open() { return Status::ok(); }
  virtual Result<std::unique_ptr<SinkWriter>> open_writer(OperatorContext& context) = 0;
  /// Makes what prepare() described visible. Idempotent; repeated until it succeeds. May block.
  virtual Status commit(EpochId epoch, const std::string& committable);
  /// The same for all committables of an epoch, in the order of the tasks that prepared them: for
  /// sinks that can make them visible together. Repeated as a whole.
  virtual Status commit_all(EpochId epoch, std::span<const std::string> committables);
  /// For a mode that writes to Kafka itself, in one transaction for the whole epoch: from now on
  /// writers prepare what kafka/topic_journal.h says, and commit() has
  /// nothing to do. Before open(). None: the sink cannot.
  virtual std::optional<LogTopics> join_transaction() { return std::nullopt; }
  /// Throws away what prepare() described. Idempotent. May block.
  virtual Status abort(EpochId epoch, const std::string& committable);
};

}  // namespace tidegate
