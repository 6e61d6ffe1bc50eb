// SPDX-License-Identifier: Apache-2.0
#include "models/tensor_columns.h"

#include <arrow/array/array_nested.h>
#include <arrow/array/array_primitive.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/check.h"
#include "types/arrow_status.h"

namespace tidegate {
namespace {

template <typename From, typename To>
void fill(const From* values, std::int64_t rows, std::int64_t stride, To* out) {
  for (std::int64_t row = 0; row < rows; ++row) out[row * stride] = static_cast<To>(values[row]);
}

template <typename To>
void fill_nulls(const arrow::Array& column, std::int64_t stride, bool nan, To* out) {
  To filler = To();
  if constexpr (std::is_floating_point_v<To>) {
    if (nan) filler = std::numeric_limits<To>::quiet_NaN();
  }
  for (std::int64_t row = 0; row < column.length(); ++row) {
    if (column.IsNull(row)) out[row * stride] = filler;
  }
}

template <typename To>
void fill_as(const arrow::Array& column, std::int64_t stride, bool nan, To* out) {
  const std::int64_t rows = column.length();
  const arrow::ArrayData& data = *column.data();
  switch (column.type_id()) {
    case arrow::Type::INT8:
      fill(data.GetValues<std::int8_t>(1), rows, stride, out);
      break;
    case arrow::Type::INT16:
      fill(data.GetValues<std::int16_t>(1), rows, stride, out);
      break;
    case arrow::Type::INT32:
      fill(data.GetValues<std::int32_t>(1), rows, stride, out);
      break;
    case arrow::Type::INT64:
      fill(data.GetValues<std::int64_t>(1), rows, stride, out);
      break;
    case arrow::Type::FLOAT:
      fill(data.GetValues<float>(1), rows, stride, out);
      break;
    case arrow::Type::DOUBLE:
      fill(data.GetValues<double>(1), rows, stride, out);
      break;
    case arrow::Type::BOOL: {
      const auto& bits = static_cast<const arrow::BooleanArray&>(column);
      for (std::int64_t row = 0; row < rows; ++row) {
        out[row * stride] = static_cast<To>(bits.Value(row));
      }
      break;
    }
    default:
      TG_CHECK(false, "{} cannot be a tensor", column.type()->ToString());
  }
  if (column.null_count() > 0) fill_nulls(column, stride, nan, out);
}

template <typename From, typename To>
Result<std::shared_ptr<arrow::Buffer>> converted(std::int64_t rows, const arrow::Buffer& data) {
  TG_ASSIGN_ARROW_OR_RETURN(auto made, arrow::AllocateBuffer(rows * std::int64_t{sizeof(To)}),
                            "scores of a model");
  fill(data.data_as<From>(), rows, 1, made->mutable_data_as<To>());
  return std::shared_ptr<arrow::Buffer>(std::move(made));
}

Result<std::shared_ptr<arrow::Buffer>> bits_of(std::int64_t rows, const arrow::Buffer& data) {
  TG_ASSIGN_ARROW_OR_RETURN(auto bits, arrow::AllocateEmptyBitmap(rows), "scores of a model");
  for (std::int64_t row = 0; row < rows; ++row) {
    arrow::bit_util::SetBitTo(bits->mutable_data(), row, data.data()[row] != 0);
  }
  return bits;
}

}  // namespace

std::string_view element_name(ElementType type) {
  switch (type) {
    case ElementType::kFloat:
      return "float";
    case ElementType::kDouble:
      return "double";
    case ElementType::kInt32:
      return "int32";
    case ElementType::kInt64:
      return "int64";
    case ElementType::kBool:
      return "bool";
    case ElementType::kString:
      return "string";
  }
  return "";
}

std::int64_t element_size(ElementType type) {
  switch (type) {
    case ElementType::kFloat:
    case ElementType::kInt32:
      return 4;
    case ElementType::kDouble:
    case ElementType::kInt64:
      return 8;
    case ElementType::kBool:
      return 1;
    case ElementType::kString:
      return 0;
  }
  return 0;
}

bool can_become(const LogicalType& column, ElementType element) {
  const bool floating = column.kind() == TypeKind::kFloat || column.kind() == TypeKind::kDouble;
  switch (element) {
    case ElementType::kFloat:
    case ElementType::kDouble:
      return floating || column.is_integer();
    case ElementType::kInt64:
      return column.is_integer();
    case ElementType::kInt32:
      return column.is_integer() && column.kind() != TypeKind::kBigInt;
    case ElementType::kBool:
      return column.kind() == TypeKind::kBoolean;
    case ElementType::kString:
      return column.is_character();
  }
  return false;
}

bool can_be_read_as(ElementType element, const LogicalType& column) {
  switch (element) {
    case ElementType::kFloat:
      return column.kind() == TypeKind::kFloat || column.kind() == TypeKind::kDouble;
    case ElementType::kDouble:
      return column.kind() == TypeKind::kDouble;
    case ElementType::kInt32:
      return column.kind() == TypeKind::kInt || column.kind() == TypeKind::kBigInt;
    case ElementType::kInt64:
      return column.kind() == TypeKind::kBigInt;
    case ElementType::kBool:
      return column.kind() == TypeKind::kBoolean;
    case ElementType::kString:
      return column.kind() == TypeKind::kVarchar && column.length() == LogicalType::kMaxLength;
  }
  return false;
}

void fill_elements(const arrow::Array& column, ElementType type, std::int64_t stride, bool nan,
                   void* out) {
  switch (type) {
    case ElementType::kFloat:
      return fill_as(column, stride, nan, static_cast<float*>(out));
    case ElementType::kDouble:
      return fill_as(column, stride, nan, static_cast<double*>(out));
    case ElementType::kInt32:
      return fill_as(column, stride, nan, static_cast<std::int32_t*>(out));
    case ElementType::kInt64:
      return fill_as(column, stride, nan, static_cast<std::int64_t*>(out));
    case ElementType::kBool:
      return fill_as(column, stride, nan, static_cast<std::uint8_t*>(out));
    case ElementType::kString:
      TG_CHECK(false, "strings are not filled in");
  }
}

Result<ArrayPtr> column_of_elements(const LogicalType& type, ElementType element, std::int64_t rows,
                                    const std::shared_ptr<arrow::Buffer>& data,
                                    const std::shared_ptr<arrow::Buffer>& validity) {
  std::shared_ptr<arrow::Buffer> values = data;
  if (element == ElementType::kBool) {
    TG_ASSIGN_OR_RETURN(values, bits_of(rows, *data));
  } else if (element == ElementType::kFloat && type.kind() == TypeKind::kDouble) {
    TG_ASSIGN_OR_RETURN(values, (converted<float, double>(rows, *data)));
  } else if (element == ElementType::kInt32 && type.kind() == TypeKind::kBigInt) {
    TG_ASSIGN_OR_RETURN(values, (converted<std::int32_t, std::int64_t>(rows, *data)));
  }
  return arrow::MakeArray(
      arrow::ArrayData::Make(type.arrow_type(), rows, {validity, std::move(values)}));
}

Result<ArrayPtr> column_of_vectors(const LogicalType& type, std::int64_t rows, std::int64_t width,
                                   const ArrayPtr& elements,
                                   const std::shared_ptr<arrow::Buffer>& validity) {
  if (rows * width > std::numeric_limits<std::int32_t>::max()) {
    return error(ErrorCode::kLimitExceeded, "a model answered {} rows of {} values in one batch",
                 rows, width);
  }
  TG_ASSIGN_ARROW_OR_RETURN(auto offsets, arrow::AllocateBuffer((rows + 1) * 4),
                            "vectors of a model");
  auto* out = offsets->mutable_data_as<std::int32_t>();
  for (std::int64_t row = 0; row <= rows; ++row) out[row] = static_cast<std::int32_t>(row * width);
  return arrow::MakeArray(arrow::ArrayData::Make(
      type.arrow_type(), rows, {validity, std::shared_ptr<arrow::Buffer>(std::move(offsets))},
      {elements->data()}));
}

Result<std::shared_ptr<arrow::Buffer>> rows_without_nulls(const std::vector<ArrayPtr>& columns,
                                                          std::int64_t rows) {
  std::shared_ptr<arrow::Buffer> bits;
  for (const ArrayPtr& column : columns) {
    const bool nested = column->type_id() == arrow::Type::LIST;
    const auto* list = nested ? static_cast<const arrow::ListArray*>(column.get()) : nullptr;
    if (column->null_count() == 0 && (!nested || list->values()->null_count() == 0)) continue;
    if (bits == nullptr) {
      TG_ASSIGN_ARROW_OR_RETURN(bits, arrow::AllocateEmptyBitmap(rows), "rows without nulls");
      arrow::bit_util::SetBitsTo(bits->mutable_data(), 0, rows, true);
    }
    for (std::int64_t row = 0; row < rows; ++row) {
      bool valid = column->IsValid(row);
      for (std::int64_t i = 0; valid && nested && i < list->value_length(row); ++i) {
        valid = list->values()->IsValid(list->value_offset(row) + i);
      }
      if (!valid) arrow::bit_util::ClearBit(bits->mutable_data(), row);
    }
  }
  return bits;
}

}  // namespace tidegate
