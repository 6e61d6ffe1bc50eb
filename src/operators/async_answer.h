// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "dataflow/operator.h"
#include "tidegate/status.h"
#include "types/batch.h"

namespace tidegate {

class AsyncMailbox;

/// Which attempt at which row an answer belongs to.
struct AttemptId {
  std::uint64_t call = 0;
  int attempt = 0;
};

/// Where the answer of one asynchronous call goes. Copies are the same call. Any thread may answer,
/// once; what comes later, or after the time-out, or after the job, is ignored. A call whose last
/// copy goes without an answer has failed.
class AsyncAnswer {
 public:
  AsyncAnswer(std::shared_ptr<AsyncMailbox> mailbox, AttemptId id);

  /// The rows that take the place of the row that was asked for: none, one or many, with the
  /// columns of the operator's output. They get the row kind and event time of that row.
  void complete(Batch rows) const;
  /// The call failed; tried again if the retry policy says so.
  void fail(Status status) const;

 private:
  class Pending;
  std::shared_ptr<Pending> pending_;
};

/// Where answers wait for the operator's thread. Shared with the calls, which may outlive the
/// operator. Thread-safe.
class AsyncMailbox {
 public:
  struct Answer {
    AttemptId id;
    Result<Batch> rows;
  };

  explicit AsyncMailbox(Waker waker) : waker_(std::move(waker)) {}
  /// Also wakes the operator.
  void put(Answer answer);
  /// All answers since the last call, in the order in which they came.
  std::vector<Answer> take();

 private:
  const Waker waker_;
  std::mutex mutex_;
  std::vector<Answer> answers_;
};

}  // namespace tidegate
