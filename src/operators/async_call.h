// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "operators/async_answer.h"
#include "tidegate/status.h"
#include "types/batch.h"
#include "types/logical_type.h"

namespace tidegate {

/// Begins a call for one row (a batch of one) and returns at once.
using AsyncFunction = std::function<void(const Batch& row, AsyncAnswer answer)>;

enum class AsyncOrder : std::uint8_t {
  kOrdered,    ///< results leave in the order of the rows that were asked for
  kUnordered,  ///< results leave as they come, but never pass a watermark
};

/// Which failures are tried again, and when.
struct RetryPolicy {
  int max_attempts = 1;       ///< calls for one row, the first one included
  std::int64_t delay_ms = 0;  ///< before the second call
  double factor = 1;          ///< of each further delay to the one before: 1 fixed, 2 exponential
  std::int64_t max_delay_ms = 60'000;
  /// Null: errors of kind kUnavailable.
  std::function<bool(const Status&)> retry_error;
  /// Null: an answer is an answer. After the last attempt it is taken as it is.
  std::function<bool(const Batch&)> retry_result;
};

/// What an asynchronous call operator does.
struct AsyncCallOptions {
  AsyncFunction function;
  /// The function may block: it runs on the executor's threads for blocking work.
  bool blocking = false;
  std::vector<LogicalType> input_types = {};   ///< of the rows that come in
  std::vector<LogicalType> output_types = {};  ///< of the rows of answers, which are checked
  AsyncOrder order = AsyncOrder::kOrdered;
  /// Rows that are inside at the same time, from their first call until their result has left.
  int capacity = 100;
  /// From the first call of a row to its answer, with all attempts; 0: no limit.
  std::int64_t timeout_ms = 60'000;
  /// The result of a row whose time is up; null: the job fails with kServiceTimeout.
  std::function<Result<Batch>(const Batch& row)> on_timeout;
  RetryPolicy retry;
};

/// Asks an outside service about every row.
///
/// When `capacity` rows are inside it answers kBlocked until one has left. Watermarks do not block:
/// each is held back (output_watermark) until the results of the rows in front of it are out. An
/// epoch does not wait for the service either: at seal() the rows whose results are not out are
/// stored, and after a restore they are asked for again. Waiting instead would make every epoch as
/// slow as the slowest answer with all its attempts; so the service may be asked twice about a row,
/// but each result is emitted once. All calls are answered before finish() is done.
Result<std::unique_ptr<Operator>> make_async_call(AsyncCallOptions spec);

/// It looks at no times itself. Rows keep their place between the watermarks that are announced for
/// the sake of others.
inline constexpr TimeGrain kAsyncCallTimeGrain{0, 0};

}  // namespace tidegate
