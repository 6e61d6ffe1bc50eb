// SPDX-License-Identifier: Apache-2.0
#include "formats/csv_encoder.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_nested.h>
#include <arrow/util/checked_cast.h>

#include <utility>

#include "base/check.h"
#include "formats/base64.h"
#include "formats/row_type.h"
#include "formats/text_value.h"
#include "types/value_format.h"

namespace tidegate {

using arrow::internal::checked_cast;

CsvEncoder::CsvEncoder(SchemaPtr schema, const CsvDialect& dialect)
    : schema_(std::move(schema)), dialect_(dialect) {}

std::string CsvEncoder::header() const {
  if (!dialect_.header) return {};
  std::string out;
  for (const Field& field : schema_->fields()) {
    if (!out.empty()) out += dialect_.delimiter;
    // A name that CSV cannot hold is left as it is: a header is for people.
    if (!append_text(field.name, out).is_ok()) out += field.name;
  }
  return out + '\n';
}

Status CsvEncoder::encode(const Batch& batch, std::string& out) {
  TG_RETURN_IF_ERROR(check_insert_only(batch, "csv"));
  for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
    TG_RETURN_IF_ERROR(encode_message(batch, row, out));
    out += '\n';
  }
  return Status::ok();
}

Status CsvEncoder::encode_message(const Batch& batch, std::int64_t row, std::string& out) {
  const std::size_t begin = out.size();
  for (int i = 0; i < batch.num_columns(); ++i) {
    if (i > 0) out += dialect_.delimiter;
    TG_RETURN_IF_ERROR(append_field(schema_->field(i).type, *batch.column(i), row, out));
  }
  // Nothing at all would be read as a blank line.
  if (out.size() == begin && dialect_.quote) out.append(2, *dialect_.quote);
  return Status::ok();
}

Status CsvEncoder::append_field(const LogicalType& type, const arrow::Array& array,
                                std::int64_t row, std::string& out) {
  if (array.IsNull(row)) {
    out += dialect_.null_literal.value_or("");
    return Status::ok();
  }
  if (type.is_character())
    return append_text(checked_cast<const arrow::StringArray&>(array).GetView(row), out);
  text_.clear();
  if (type.is_nested()) {
    append_elements(type, array, row);
  } else {
    append_scalar(type, array, row);
  }
  return append_text(text_, out);
}

void CsvEncoder::append_elements(const LogicalType& type, const arrow::Array& array,
                                 std::int64_t row) {
  if (type.kind() == TypeKind::kRow) {
    const auto& parts = checked_cast<const arrow::StructArray&>(array);
    for (int i = 0; i < parts.num_fields(); ++i) {
      if (i > 0) text_ += dialect_.array_delimiter;
      append_scalar(type.children()[static_cast<std::size_t>(i)].type, *parts.field(i), row);
    }
    return;
  }
  const auto& list = checked_cast<const arrow::ListArray&>(array);
  const std::int64_t begin = list.value_offset(row);
  const std::int64_t end = begin + list.value_length(row);
  for (std::int64_t i = begin; i < end; ++i) {
    if (i > begin) text_ += dialect_.array_delimiter;
    append_scalar(type.children()[0].type, *list.values(), i);
  }
}

void CsvEncoder::append_scalar(const LogicalType& type, const arrow::Array& array,
                               std::int64_t row) {
  if (array.IsNull(row)) {
    text_ += dialect_.null_literal.value_or("");
  } else if (type.is_bytes()) {
    append_base64(checked_cast<const arrow::BinaryArray&>(array).GetView(row), text_);
  } else if (type.kind() == TypeKind::kIntervalYearMonth ||
             type.kind() == TypeKind::kIntervalDayTime) {
    // Read back as numbers, so written as numbers.
    append_value(LogicalType(type.kind() == TypeKind::kIntervalYearMonth ? TypeKind::kInt
                                                                         : TypeKind::kBigInt),
                 array, row, TextForm::kData, text_);
  } else {
    append_value(type, array, row, TextForm::kData, text_);
  }
}

bool CsvEncoder::needs_quotes(std::string_view text) const {
  if (dialect_.null_literal && text == *dialect_.null_literal) return true;
  if (text.empty()) return false;
  if (dialect_.comments && text[0] == '#') return true;
  if (dialect_.quote && text[0] == *dialect_.quote) return true;
  for (const char c : text) {
    if (c == dialect_.delimiter || c == '\n' || c == '\r' || c == dialect_.escape) return true;
  }
  return false;
}

Status CsvEncoder::append_text(std::string_view text, std::string& out) const {
  if (!needs_quotes(text)) {
    out += text;
    return Status::ok();
  }
  if (!dialect_.quote && !dialect_.escape) {
    return Status(ErrorCode::kNotSupported,
                  fmt::format("csv: the value {} needs quotes, and there is no quote character",
                              quoted_excerpt(text)),
                  "Drop 'csv.disable-quote-character', or set 'csv.escape-character'.");
  }
  if (dialect_.quote) out += *dialect_.quote;
  for (const char c : text) {
    const bool special = dialect_.quote
                             ? c == *dialect_.quote || c == dialect_.escape
                             : c == dialect_.delimiter || c == '\n' || c == dialect_.escape;
    if (special) out += dialect_.escape.value_or(c);
    out += c;
  }
  if (dialect_.quote) out += *dialect_.quote;
  return Status::ok();
}

}  // namespace tidegate
