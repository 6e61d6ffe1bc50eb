// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>

#include "tidegate/status.h"

namespace tidegate {

using ArrayPtr = std::shared_ptr<arrow::Array>;

/// The values at `rows` (each in range), in that order, copied into a new array of the same type.
Result<ArrayPtr> take_column(const ArrayPtr& column, std::span<const std::int32_t> rows);

/// All values in order, copied; the arrays must be of one type and at least one.
Result<ArrayPtr> concatenate_columns(std::span<const ArrayPtr> columns);

/// Bytes that the values in view take up (not what their buffers were allocated with).
std::int64_t column_byte_size(const arrow::Array& column);

/// `num_rows` nulls.
Result<ArrayPtr> null_column(const std::shared_ptr<arrow::DataType>& type, std::int64_t num_rows);

}  // namespace tidegate
