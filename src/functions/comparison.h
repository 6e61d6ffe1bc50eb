// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "expr/function_registry.h"
#include "types/column.h"

namespace tidegate {

enum class Comparison : std::uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
};

/// Compares two columns of one type, as BOOLEAN; NULL where one is null. Nested types can only be
/// compared for (in)equality.
Result<ArrayPtr> compare(Comparison comparison, const LogicalType& type,
                         std::span<const Argument> arguments, std::int64_t num_rows);

}  // namespace tidegate
