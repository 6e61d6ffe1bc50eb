// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace tidegate {

/// How a stream calls an outside service.
struct AsyncOptions {
  /// Rows that may be out at the same time; the stream waits when as many are.
  int capacity = 100;
  /// Results leave in the order of their rows; else as they come, but never past a watermark.
  bool ordered = true;
  /// From the first call of a row to its answer, with all attempts. Past it the job fails.
  std::chrono::milliseconds timeout{60'000};
  /// Calls for one row, the first included. Only failures of kind kUnavailable are tried again.
  int attempts = 1;
  std::chrono::milliseconds retry_delay{100};
  double retry_factor = 2;  ///< of each further delay to the one before
};

}  // namespace tidegate
