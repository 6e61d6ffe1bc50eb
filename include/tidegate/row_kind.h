// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace tidegate {

/// What a row of a changelog does. The numbers are part of the state format.
enum class RowKind : std::uint8_t { kInsert = 0, kUpdateBefore = 1, kUpdateAfter = 2, kDelete = 3 };

/// "+I", "-U", "+U", "-D".
constexpr std::string_view row_kind_symbol(RowKind kind) {
  constexpr std::string_view kSymbols[] = {"+I", "-U", "+U", "-D"};
  return kSymbols[static_cast<std::uint8_t>(kind)];
}

/// True for +I and +U, the rows that add to a result; false for those that take back.
constexpr bool row_kind_adds(RowKind kind) {
  return kind == RowKind::kInsert || kind == RowKind::kUpdateAfter;
}

}  // namespace tidegate
