// SPDX-License-Identifier: Apache-2.0
#include "cli/result_encoder.h"

#include <arrow/array/array_base.h>
#include <arrow/array/array_binary.h>
#include <arrow/util/checked_cast.h>

#include <cstring>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "cli/text_width.h"
#include "formats/base64.h"
#include "formats/row_type.h"
#include "types/value_format.h"

namespace tidegate {

namespace {

std::string_view bytes_of(const arrow::Array& array, std::int64_t row) {
  return arrow::internal::checked_cast<const arrow::BinaryArray&>(array).GetView(row);
}

void append_csv_text(std::string_view text, std::string& out) {
  if (!text.empty() && text.find_first_of(",\"\n\r") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void append_hex(std::string_view bytes, std::string& out) {
  out += "x'";
  for (const char c : bytes)
    fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
  out += '\'';
}

}  // namespace

ResultEncoder::ResultEncoder(SchemaPtr schema, TimeZone zone)
    : schema_(std::move(schema)),
      zone_(std::move(zone)),
      object_(row_type(*schema_), JsonWriteOptions()) {
  for (const Field& field : schema_->fields()) {
    nested_.push_back(field.type.is_nested()
                          ? std::make_unique<JsonWriter>(field.type, JsonWriteOptions())
                          : nullptr);
  }
}

void ResultEncoder::bind(const Batch& batch) {
  batch_ = &batch;
  object_.bind_columns(batch);
  for (std::size_t i = 0; i < nested_.size(); ++i) {
    if (nested_[i] != nullptr) nested_[i]->bind(*batch.column(static_cast<int>(i))->data());
  }
}

Status ResultEncoder::append_json(std::int64_t row, std::string& out) {
  return object_.write(row, out);
}

Status ResultEncoder::append_csv(std::int64_t row, std::string& out) {
  for (int i = 0; i < schema_->num_fields(); ++i) {
    if (i > 0) out += ',';
    const LogicalType& type = schema_->field(i).type;
    const arrow::Array& column = *batch_->column(i);
    if (column.IsNull(row)) continue;
    text_.clear();
    if (const auto& nested = nested_[static_cast<std::size_t>(i)]; nested != nullptr) {
      TG_RETURN_IF_ERROR(nested->write(row, text_));
    } else if (type.is_bytes()) {
      append_base64(bytes_of(column, row), text_);
    } else {
      append_value(type, column, row, TextForm::kData, text_);
    }
    append_csv_text(text_, out);
  }
  return Status::ok();
}

std::string ResultEncoder::csv_header() const {
  std::string out;
  for (int i = 0; i < schema_->num_fields(); ++i) {
    if (i > 0) out += ',';
    append_csv_text(schema_->field(i).name, out);
  }
  return out;
}

void ResultEncoder::append_cells(std::int64_t row, std::string& out) {
  for (int i = 0; i < schema_->num_fields(); ++i) {
    const LogicalType& type = schema_->field(i).type;
    const arrow::Array& column = *batch_->column(i);
    const std::size_t begin = out.size();
    out.append(sizeof(std::uint32_t), '\0');
    if (column.IsNull(row)) {
      out += "NULL";
    } else if (type.is_bytes()) {
      append_hex(bytes_of(column, row), out);
    } else {
      text_.clear();
      append_value(type, column, row, TextForm::kCast, text_, &zone_);
      append_printable(text_, out);
    }
    const auto size = static_cast<std::uint32_t>(out.size() - begin - sizeof(std::uint32_t));
    std::memcpy(out.data() + begin, &size, sizeof(size));
  }
}

void ResultEncoder::read_cells(std::string_view encoded, std::vector<std::string_view>& cells) {
  cells.clear();
  while (!encoded.empty()) {
    std::uint32_t size;
    std::memcpy(&size, encoded.data(), sizeof(size));
    cells.push_back(encoded.substr(sizeof(size), size));
    encoded.remove_prefix(sizeof(size) + size);
  }
}

bool is_right_aligned(const LogicalType& type) {
  return type.is_numeric() || type.kind() == TypeKind::kIntervalYearMonth ||
         type.kind() == TypeKind::kIntervalDayTime;
}

}  // namespace tidegate
