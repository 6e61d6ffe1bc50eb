// SPDX-License-Identifier: Apache-2.0
#include "types/value_format.h"

#include <arrow/array.h>
#include <fmt/format.h>

#include <cstring>
#include <iterator>

#include "base/check.h"
#include "types/civil_time.h"
#include "types/decimal.h"
#include "types/time_text.h"
#include "types/time_zone.h"

namespace tidegate {

namespace {

/// Everything that goes through a value's parts unchanged.
struct Writer {
  TextForm form;
  const TimeZone* zone;
  std::string& out;

  bool printing() const { return form == TextForm::kPrint; }
  Fraction fraction() const {
    if (form == TextForm::kPrint) return Fraction::kGroups;
    return form == TextForm::kCast ? Fraction::kFixed : Fraction::kTrimmed;
  }
  void append(const LogicalType& type, const arrow::Array& array, std::int64_t row) const;

 private:
  void append_number(const LogicalType& type, const arrow::Array& array, std::int64_t row) const;
  void append_bytes(std::string_view bytes) const;
  void append_instant(std::int64_t value, int precision) const;
  void append_months(std::int32_t months) const;
  void append_millis(std::int64_t millis) const;
  void append_elements(const LogicalType& type, const arrow::Array& array, std::int64_t row) const;
  void append_entries(const LogicalType& type, const arrow::Array& array, std::int64_t row) const;
  void append_fields(const LogicalType& type, const arrow::Array& array, std::int64_t row) const;
};

template <typename ArrayType>
auto value_of(const arrow::Array& array, std::int64_t row) {
  return static_cast<const ArrayType&>(array).Value(row);
}

void Writer::append_number(const LogicalType& type, const arrow::Array& array,
                           std::int64_t row) const {
  const auto append_integer = [this](std::int64_t value) {
    fmt::format_to(std::back_inserter(out), "{}", value);
  };
  switch (type.kind()) {
    case TypeKind::kTinyInt:
      return append_integer(value_of<arrow::Int8Array>(array, row));
    case TypeKind::kSmallInt:
      return append_integer(value_of<arrow::Int16Array>(array, row));
    case TypeKind::kInt:
      return append_integer(value_of<arrow::Int32Array>(array, row));
    case TypeKind::kBigInt:
      return append_integer(value_of<arrow::Int64Array>(array, row));
    case TypeKind::kFloat:
      return append_float(value_of<arrow::FloatArray>(array, row), out);
    case TypeKind::kDouble:
      return append_double(value_of<arrow::DoubleArray>(array, row), out);
    default: {
      Int128 value = 0;
      std::memcpy(&value, static_cast<const arrow::Decimal128Array&>(array).GetValue(row),
                  sizeof(value));
      append_decimal(value, type.scale(), out);
    }
  }
}

void Writer::append_bytes(std::string_view bytes) const {
  if (!printing()) {
    out += bytes;
    return;
  }
  out += '[';
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) out += ", ";
    fmt::format_to(std::back_inserter(out), "{}",
                   static_cast<int>(static_cast<signed char>(bytes[i])));
  }
  out += ']';
}

void Writer::append_instant(std::int64_t value, int precision) const {
  if (form == TextForm::kCast) {
    const std::int64_t per_second = timestamp_units_per_second(precision);
    const std::int64_t offset =
        zone == nullptr ? 0 : zone->offset_seconds(floor_div(value, per_second));
    // Past the ends of the range the local time does not fit; then UTC is shown.
    std::int64_t local = 0;
    if (__builtin_add_overflow(value, offset * per_second, &local)) local = value;
    append_timestamp(local, precision, ' ', Fraction::kFixed, out);
    return;
  }
  // Java shows the seconds of an instant even when they are zero.
  const std::size_t start = out.size();
  append_timestamp(value, precision, printing() ? 'T' : ' ', fraction(), out);
  const bool seconds_left_out = out.find(':', start) == out.rfind(':');
  if (seconds_left_out) out += ":00";
  out += 'Z';
}

void Writer::append_months(std::int32_t months) const {
  if (!printing()) {
    const std::int64_t positive = months < 0 ? -std::int64_t{months} : months;
    fmt::format_to(std::back_inserter(out), "{}{}-{:02}", months < 0 ? '-' : '+', positive / 12,
                   positive % 12);
    return;
  }
  out += 'P';
  if (months / 12 != 0) fmt::format_to(std::back_inserter(out), "{}Y", months / 12);
  if (months % 12 != 0) fmt::format_to(std::back_inserter(out), "{}M", months % 12);
  if (months == 0) out += "0D";
}

void Writer::append_millis(std::int64_t millis) const {
  const auto back = std::back_inserter(out);
  if (!printing()) {
    const std::uint64_t positive =
        millis < 0 ? 0 - static_cast<std::uint64_t>(millis) : static_cast<std::uint64_t>(millis);
    const std::uint64_t seconds = positive / 1000;
    fmt::format_to(back, "{}{} {:02}:{:02}:{:02}.{:03}", millis < 0 ? '-' : '+', seconds / 86400,
                   seconds / 3600 % 24, seconds / 60 % 60, seconds % 60, positive % 1000);
    return;
  }
  // ISO 8601 as Java's Duration: each part carries the sign.
  out += "PT";
  const std::int64_t hours = millis / 3'600'000;
  const std::int64_t minutes = millis / 60'000 % 60;
  const std::int64_t rest = millis % 60'000;
  if (hours != 0) fmt::format_to(back, "{}H", hours);
  if (minutes != 0) fmt::format_to(back, "{}M", minutes);
  if (rest != 0 || millis == 0) {
    if (rest < 0) out += '-';
    const std::int64_t positive = rest < 0 ? -rest : rest;
    fmt::format_to(back, "{}", positive / 1000);
    if (positive % 1000 != 0) {
      fmt::format_to(back, ".{:03}", positive % 1000);
      while (out.back() == '0') out.pop_back();
    }
    out += 'S';
  }
}

void Writer::append_elements(const LogicalType& type, const arrow::Array& array,
                             std::int64_t row) const {
  const auto& list = static_cast<const arrow::ListArray&>(array);
  out += '[';
  for (std::int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i) {
    if (i > list.value_offset(row)) out += ", ";
    append(type.children()[0].type, *list.values(), i);
  }
  out += ']';
}

void Writer::append_entries(const LogicalType& type, const arrow::Array& array,
                            std::int64_t row) const {
  const auto& map = static_cast<const arrow::MapArray&>(array);
  const LogicalType count_type(TypeKind::kInt);
  const LogicalType& value_type =
      type.kind() == TypeKind::kMultiset ? count_type : type.children()[1].type;
  out += '{';
  for (std::int64_t i = map.value_offset(row); i < map.value_offset(row + 1); ++i) {
    if (i > map.value_offset(row)) out += ", ";
    append(type.children()[0].type, *map.keys(), i);
    out += '=';
    append(value_type, *map.items(), i);
  }
  out += '}';
}

void Writer::append_fields(const LogicalType& type, const arrow::Array& array,
                           std::int64_t row) const {
  const auto& fields = static_cast<const arrow::StructArray&>(array);
  out += printing() ? "+I[" : "(";
  for (int f = 0; f < fields.num_fields(); ++f) {
    if (f > 0) out += ", ";
    append(type.children()[static_cast<std::size_t>(f)].type, *fields.field(f), row);
  }
  out += printing() ? ']' : ')';
}

void Writer::append(const LogicalType& type, const arrow::Array& array, std::int64_t row) const {
  if (array.IsNull(row)) {
    out += form == TextForm::kCast ? "NULL" : "null";
    return;
  }
  switch (type.kind()) {
    case TypeKind::kBoolean: {
      const bool value = value_of<arrow::BooleanArray>(array, row);
      out += form == TextForm::kCast ? (value ? "TRUE" : "FALSE") : (value ? "true" : "false");
      return;
    }
    case TypeKind::kChar:
    case TypeKind::kVarchar:
      out += static_cast<const arrow::StringArray&>(array).GetView(row);
      return;
    case TypeKind::kBinary:
    case TypeKind::kVarbinary:
      return append_bytes(static_cast<const arrow::BinaryArray&>(array).GetView(row));
    case TypeKind::kDate:
      return append_date(value_of<arrow::Date32Array>(array, row), out);
    case TypeKind::kTime: {
      const std::int64_t value = type.precision() <= 3 ? value_of<arrow::Time32Array>(array, row)
                                                       : value_of<arrow::Time64Array>(array, row);
      return append_time(value, type.precision(), fraction(), out);
    }
    case TypeKind::kTimestamp:
      return append_timestamp(value_of<arrow::TimestampArray>(array, row), type.precision(),
                              printing() ? 'T' : ' ', fraction(), out);
    case TypeKind::kTimestampLtz:
      return append_instant(value_of<arrow::TimestampArray>(array, row), type.precision());
    case TypeKind::kIntervalYearMonth:
      return append_months(value_of<arrow::Int32Array>(array, row));
    case TypeKind::kIntervalDayTime:
      return append_millis(value_of<arrow::Int64Array>(array, row));
    case TypeKind::kArray:
      return append_elements(type, array, row);
    case TypeKind::kMultiset:
    case TypeKind::kMap:
      return append_entries(type, array, row);
    case TypeKind::kRow:
      return append_fields(type, array, row);
    default:
      TG_CHECK(type.is_numeric(), "a value of type {}", type.to_string());
      return append_number(type, array, row);
  }
}

}  // namespace

void append_value(const LogicalType& type, const arrow::Array& array, std::int64_t row,
                  TextForm form, std::string& out, const TimeZone* zone) {
  Writer{form, zone, out}.append(type, array, row);
}

void append_row(const Schema& schema, const Batch& batch, std::int64_t row, std::string& out) {
  out += row_kind_symbol(batch.row_kind(row));
  out += '[';
  for (int i = 0; i < schema.num_fields(); ++i) {
    if (i > 0) out += ", ";
    append_value(schema.field(i).type, *batch.column(i), row, TextForm::kPrint, out);
  }
  out += ']';
}

}  // namespace tidegate
