// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "formats/column_builder.h"
#include "tidegate/status.h"

namespace tidegate {

/// Reads `text` as a value of the column's type and appends it: BOOLEAN, numbers, DATE, TIME,
/// TIMESTAMP ("2020-10-10 00:00:01.5", or with a T), TIMESTAMP_LTZ (the same with Z or an offset;
/// without one it is UTC), intervals (months, or milliseconds), white space around them ignored;
/// CHAR and VARCHAR take the text as it is, BINARY and VARBINARY as base64. kWrongFieldType or
/// kNumericOverflow, which name type and value but not the field; then nothing has been appended.
/// Never for nested types.
Status append_text(ColumnBuilder& column, std::string_view text);

/// Something from outside for messages: in quotes, printable, at most some 60 characters.
std::string quoted_excerpt(std::string_view text);

/// "BIGINT expected, got 'abc'".
Status wrong_type(const LogicalType& type, std::string_view text);

}  // namespace tidegate
