// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "tidegate/record.h"
#include "tidegate/windows.h"

namespace tidegate {

/// Which rows without a partner a join keeps.
enum class JoinType : std::uint8_t { kInner, kLeft, kRight, kFull };

/// A right row matches a left row of the same key when its event time lies in
/// [time of the left row + lower, time of the left row + upper].
struct Between {
  milliseconds lower{0};
  milliseconds upper{0};
};
constexpr Between between(milliseconds lower, milliseconds upper) { return {lower, upper}; }

/// A described struct that may be missing: the side of an outer join that has no row. All of its
/// columns are null then.
template <DescribedStruct T>
struct Record<std::optional<T>> {
  static constexpr std::size_t kColumns = Record<T>::kColumns;
  static void columns(std::vector<ColumnSpec>& out) {
    const std::size_t first = out.size();
    Record<T>::columns(out);
    for (std::size_t i = first; i < out.size(); ++i) out[i].nullable = true;
  }
  static std::optional<T> read(const BatchView& batch, std::size_t first, std::int64_t row) {
    for (std::size_t i = first; i < first + kColumns; ++i) {
      if (!batch.columns[i].is_null(row)) return Record<T>::read(batch, first, row);
    }
    return std::nullopt;
  }
  static void write(BatchWriter& out, std::size_t first, const std::optional<T>& value) {
    if (value) {
      Record<T>::write(out, first, *value);
    } else {
      for (std::size_t i = first; i < first + kColumns; ++i) out.column(i).append_null();
    }
  }
};

/// What a join of T and U gives.
template <JoinType kType, typename T, typename U>
using Joined = std::pair<
    std::conditional_t<kType == JoinType::kRight || kType == JoinType::kFull, std::optional<T>, T>,
    std::conditional_t<kType == JoinType::kLeft || kType == JoinType::kFull, std::optional<U>, U>>;

}  // namespace tidegate
