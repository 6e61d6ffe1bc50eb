// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>

#include "operators/user_function.h"
#include "tidegate/column.h"
#include "tidegate/status.h"
#include "types/batch.h"

namespace tidegate {

/// Runs a function of the program over a batch; what it throws becomes an error that shows the row.
template <typename F>
Status guard_rows(const Batch& batch, F&& f) {
  try {
    f();
    return Status::ok();
  } catch (const FailedRow& failed) {
    try {
      std::rethrow_exception(failed.cause);
    } catch (...) {
      return user_function_failed_at(batch, failed.row);
    }
  }
}

}  // namespace tidegate
