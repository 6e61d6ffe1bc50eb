// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>

#include "operators/user_function.h"
#include "tidegate/status.h"
#include "types/batch.h"

namespace tidegate {

/// `failed` is what evaluating a whole batch gave; finds the row that it is about by evaluating one
/// row after another, and says which.
template <typename Evaluate>
Status with_failing_row(const Batch& batch, Status failed, const Evaluate& evaluate) {
  for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
    Status status = evaluate(batch.slice(row, 1));
    if (!status.is_ok()) return std::move(status).with_context("row " + row_text(batch, row));
  }
  return failed;
}

}  // namespace tidegate
