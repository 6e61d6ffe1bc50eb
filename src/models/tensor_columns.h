// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "types/column.h"
#include "types/logical_type.h"

namespace tidegate {

/// The types of a tensor's elements that columns can become and be made of.
enum class ElementType : std::uint8_t { kFloat, kDouble, kInt32, kInt64, kBool, kString };

std::string_view element_name(ElementType type);
std::int64_t element_size(ElementType type);  ///< in bytes; 0 of strings

/// Whether values of a scalar type can be elements without losing more than a floating-point
/// number's last digits.
bool can_become(const LogicalType& column, ElementType element);
/// Whether elements can be values of a scalar type without loss.
bool can_be_read_as(ElementType element, const LogicalType& column);

/// Writes the values of a column of numbers or booleans to out[0], out[stride], out[2 * stride],
/// ...; nulls become 0, or with `nan` NaN.
void fill_elements(const arrow::Array& column, ElementType type, std::int64_t stride, bool nan,
                   void* out);

/// A column of `type` (a scalar one) that holds `rows` elements at `data`. The buffer is used as it
/// is where the types agree. `validity`: per row, or null.
Result<ArrayPtr> column_of_elements(const LogicalType& type, ElementType element, std::int64_t rows,
                                    const std::shared_ptr<arrow::Buffer>& data,
                                    const std::shared_ptr<arrow::Buffer>& validity);

/// A column of ARRAY<elements>, each of `width`.
Result<ArrayPtr> column_of_vectors(const LogicalType& type, std::int64_t rows, std::int64_t width,
                                   const ArrayPtr& elements,
                                   const std::shared_ptr<arrow::Buffer>& validity);

/// Bits of the rows where no column has a null; null when there are none at all.
Result<std::shared_ptr<arrow::Buffer>> rows_without_nulls(const std::vector<ArrayPtr>& columns,
                                                          std::int64_t rows);

}  // namespace tidegate
