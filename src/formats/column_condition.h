// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <variant>

namespace tidegate {

/// Something that holds of every row that anybody needs: whoever reads rows may leave out those of
/// which it is not true (so NULL, too), and need not.
struct ColumnCondition {
  enum class Compare : std::uint8_t { kEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };

  std::string column;
  Compare compare = Compare::kEqual;
  /// Integers, dates and timestamps in the unit of the column; texts only with kEqual.
  std::variant<std::int64_t, std::string> value;
};

}  // namespace tidegate
