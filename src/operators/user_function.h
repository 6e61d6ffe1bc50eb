// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "tidegate/status.h"
#include "types/batch.h"

namespace tidegate {

/// A row for messages: "[/home, 17, null]", cut off after about 200 characters.
std::string row_text(const Batch& batch, std::int64_t row);

/// The error for what a function of the program has thrown, with what it said. Only inside a catch
/// block.
Status user_function_failed(std::string_view place);

/// The same, at row `row` of `batch`, which the message shows. A row's place in its batch would say
/// nothing: batches are cut differently from run to run.
Status user_function_failed_at(const Batch& batch, std::int64_t row);

/// Runs code of the program: what it throws becomes an error at `place`.
template <typename F>
Status call_user_function(std::string_view place, F&& f) {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
      std::forward<F>(f)();
      return Status::ok();
    } else {
      return std::forward<F>(f)();
    }
  } catch (...) {
    return user_function_failed(place);
  }
}

/// Runs f(row) for every row of a batch; what it throws becomes an error that shows the row. Costs
/// nothing per row.
template <std::invocable<std::int64_t> F>
Status for_each_row(const Batch& batch, F&& f) {
  std::int64_t row = 0;
  try {
    for (; row < batch.num_rows(); ++row) f(row);
  } catch (...) {
    return user_function_failed_at(batch, row);
  }
  return Status::ok();
}

}  // namespace tidegate
