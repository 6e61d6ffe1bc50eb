// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>

#include "types/logical_type.h"

namespace tidegate {

/// How Flink derives types of expressions from those of their parts. Results are nullable when a
/// part is.

/// The narrowest type that holds values of both (branches of CASE, arguments of COALESCE, numbers
/// in an operation): INT and BIGINT make BIGINT, DECIMAL and DOUBLE make DOUBLE, CHAR(1) and
/// CHAR(3) VARCHAR(3), DATE and TIMESTAMP(3) TIMESTAMP(3). None when there is none.
std::optional<LogicalType> common_type(const LogicalType& a, const LogicalType& b);
std::optional<LogicalType> common_type(std::span<const LogicalType> types);

/// The type in which two values are compared: the common type, or that of the other side when one
/// is text ('2020-10-10' = date).
std::optional<LogicalType> comparison_type(const LogicalType& a, const LogicalType& b);

/// A number as DECIMAL: INT is DECIMAL(10, 0), BIGINT DECIMAL(19, 0).
LogicalType as_decimal(const LogicalType& number);

/// Result types of decimal arithmetic. Past 38 digits the scale gives way, down to 6.
LogicalType decimal_sum_type(const LogicalType& a, const LogicalType& b);
LogicalType decimal_product_type(const LogicalType& a, const LogicalType& b);
LogicalType decimal_quotient_type(const LogicalType& a, const LogicalType& b);
LogicalType decimal_modulo_type(const LogicalType& a, const LogicalType& b);

bool any_nullable(std::span<const LogicalType> types);

}  // namespace tidegate
