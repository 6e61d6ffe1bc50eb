// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tidegate/maybe.h"
#include "tidegate/record.h"

/// Functions of the program that throw.
namespace tidegate {

/// A row that a function has thrown at, and what it said.
template <typename T>
struct Failed {
  T row{};
  std::string reason;
};

template <typename T>
struct Record<Failed<T>> {
  static constexpr std::size_t kColumns = Record<T>::kColumns + 1;
  static void columns(std::vector<ColumnSpec>& out) {
    Record<T>::columns(out);
    out.push_back({"reason", ColumnType::kString, false});
  }
  static Failed<T> read(const BatchView& batch, std::size_t first, std::int64_t row) {
    return {Record<T>::read(batch, first, row),
            Record<std::string>::read(batch, first + Record<T>::kColumns, row)};
  }
  static void write(BatchWriter& out, std::size_t first, const Failed<T>& failed) {
    Record<T>::write(out, first, failed.row);
    Record<std::string>::write(out, first + Record<T>::kColumns, failed.reason);
  }
};

/// What Stream::attempt() gives.
template <typename Rows, typename Failures>
struct Attempted {
  Rows rows;
  Failures failures;
};

/// A row that a step's function has thrown at, for App::on_row_failure().
struct RowFailure {
  std::string step;  ///< "map"
  std::string row;   ///< "[/home, 17, null]", cut off after about 200 characters
  std::string reason;
};
enum class RowAction : std::uint8_t {
  kFail,      ///< the job fails
  kLeaveOut,  ///< the job goes on without the row
};
using RowFailureHandler = std::function<RowAction(const RowFailure&)>;

}  // namespace tidegate
