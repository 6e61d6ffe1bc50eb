// SPDX-License-Identifier: Apache-2.0
#include "formats/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "formats/base64.h"
#include "types/decimal.h"
#include "types/time_text.h"

namespace tidegate {

namespace {

/// What stands behind the backslash for a byte: a letter, 'u' for \u00XX, or 0 for no escape.
constexpr std::array<char, 256> kEscapes = [] {
  std::array<char, 256> escapes{};
  for (std::size_t i = 0; i < 0x20; ++i) escapes[i] = 'u';
  escapes['\b'] = 'b';
  escapes['\f'] = 'f';
  escapes['\n'] = 'n';
  escapes['\r'] = 'r';
  escapes['\t'] = 't';
  escapes['"'] = '"';
  escapes['\\'] = '\\';
  return escapes;
}();

template <typename T>
void append_number(T value, std::string& out) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

}  // namespace

void append_json_string(std::string_view text, std::string& out) {
  out += '"';
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char escape = kEscapes[static_cast<std::uint8_t>(text[i])];
    if (escape == 0) [[likely]]
      continue;
    out.append(text, begin, i - begin);
    begin = i + 1;
    out += '\\';
    out += escape;
    if (escape == 'u') fmt::format_to(std::back_inserter(out), "{:04X}", text[i]);
  }
  out.append(text, begin);
  out += '"';
}

JsonWriter::JsonWriter(const LogicalType& type, const JsonWriteOptions& options)
    : BoundValues(type), options_(options) {
  for (const LogicalType::Child& child : type.children()) {
    children_.emplace_back(child.type, options);
    append_json_string(child.name, keys_.emplace_back());
    keys_.back() += ':';
  }
  if (type.kind() == TypeKind::kMultiset)
    children_.emplace_back(LogicalType(TypeKind::kInt), options);
}

Status JsonWriter::write(std::int64_t row, std::string& out) const {
  if (is_null(row)) {
    out += "null";
    return Status::ok();
  }
  switch (type_.kind()) {
    case TypeKind::kArray:
      return write_array(row, out);
    case TypeKind::kMap:
    case TypeKind::kMultiset:
      return write_map(row, out);
    case TypeKind::kRow:
      return write_row(row, out);
    default:
      write_scalar(row, out);
      return Status::ok();
  }
}

void JsonWriter::write_scalar(std::int64_t row, std::string& out) const {
  switch (type_.kind()) {
    case TypeKind::kBoolean:
      out += boolean(row) ? "true" : "false";
      break;
    case TypeKind::kTinyInt:
      append_number(value<std::int8_t>(row), out);
      break;
    case TypeKind::kSmallInt:
      append_number(value<std::int16_t>(row), out);
      break;
    case TypeKind::kInt:
    case TypeKind::kIntervalYearMonth:
      append_number(value<std::int32_t>(row), out);
      break;
    case TypeKind::kBigInt:
    case TypeKind::kIntervalDayTime:
      append_number(value<std::int64_t>(row), out);
      break;
    case TypeKind::kFloat:
    case TypeKind::kDouble: {
      const bool wide = type_.kind() == TypeKind::kDouble;
      const bool finite =
          wide ? std::isfinite(value<double>(row)) : std::isfinite(value<float>(row));
      if (!finite) out += '"';
      wide ? append_double(value<double>(row), out) : append_float(value<float>(row), out);
      if (!finite) out += '"';
      break;
    }
    case TypeKind::kDecimal:
      write_decimal(row, out);
      break;
    case TypeKind::kChar:
    case TypeKind::kVarchar:
      append_json_string(bytes(row), out);
      break;
    case TypeKind::kBinary:
    case TypeKind::kVarbinary:
      out += '"';
      append_base64(bytes(row), out);
      out += '"';
      break;
    default:
      write_time(row, out);
  }
}

// As BigDecimal.toString(): an exponent when there are more than six zeros behind the point.
void JsonWriter::write_decimal(std::int64_t row, std::string& out) const {
  const auto unscaled = value<Int128>(row);
  const std::size_t begin = out.size();
  append_decimal(unscaled, 0, out);
  const std::size_t first = begin + (unscaled < 0 ? 1 : 0);
  const int digits = static_cast<int>(out.size() - first);
  const int exponent = digits - 1 - type_.scale();
  if (options_.plain_decimals || exponent >= -6) {
    out.resize(begin);
    append_decimal(unscaled, type_.scale(), out);
    return;
  }
  if (digits > 1) out.insert(first + 1, 1, '.');
  out += 'E';
  append_number(exponent, out);
}

void JsonWriter::write_time(std::int64_t row, std::string& out) const {
  out += '"';
  switch (type_.kind()) {
    case TypeKind::kDate:
      append_date(value<std::int32_t>(row), out);
      break;
    case TypeKind::kTime:
      append_time(type_.precision() <= 3 ? value<std::int32_t>(row) : value<std::int64_t>(row),
                  type_.precision(), Fraction::kTrimmed, out);
      break;
    default:
      append_timestamp(value<std::int64_t>(row), type_.precision(),
                       options_.iso_timestamps ? 'T' : ' ', Fraction::kTrimmed, out);
      if (type_.kind() == TypeKind::kTimestampLtz) out += 'Z';
  }
  out += '"';
}

Status JsonWriter::write_array(std::int64_t row, std::string& out) const {
  out += '[';
  const auto begin = value<std::int32_t>(row);
  const auto end = value<std::int32_t>(row + 1);
  for (std::int32_t i = begin; i < end; ++i) {
    if (i > begin) out += ',';
    TG_RETURN_IF_ERROR(children_[0].write(i, out));
  }
  out += ']';
  return Status::ok();
}

Status JsonWriter::write_map(std::int64_t row, std::string& out) const {
  const JsonWriter& keys = children_[0];
  const char* separator = "";
  out += '{';
  const auto end = value<std::int32_t>(row + 1);
  for (auto i = value<std::int32_t>(row); i < end; ++i) {
    const bool null_key = keys.is_null(i);
    if (null_key && options_.null_keys == NullKeyMode::kDrop) continue;
    if (null_key && options_.null_keys == NullKeyMode::kFail)
      return error(ErrorCode::kNullKey,
                   "a map has a null key, which JSON cannot say; set 'json.map-null-key.mode'");
    out += separator;
    if (null_key) {
      append_json_string(options_.null_key, out);
    } else if (keys.type_.is_character()) {
      append_json_string(keys.bytes(i), out);
    } else {
      TG_RETURN_IF_ERROR(keys.write_as_key(i, out));
    }
    out += ':';
    TG_RETURN_IF_ERROR(children_[1].write(i, out));
    separator = ",";
  }
  out += '}';
  return Status::ok();
}

// JSON knows only strings as keys: others become the text of their JSON.
Status JsonWriter::write_as_key(std::int64_t row, std::string& out) const {
  std::string text;
  TG_RETURN_IF_ERROR(write(row, text));
  if (text.front() == '"') {
    out += text;
  } else {
    append_json_string(text, out);
  }
  return Status::ok();
}

Status JsonWriter::write_row(std::int64_t row, std::string& out) const {
  const char* separator = "{";
  for (std::size_t i = 0; i < children_.size(); ++i) {
    if (options_.ignore_null_fields && children_[i].is_null(row)) continue;
    out += separator;
    out += keys_[i];
    TG_RETURN_IF_ERROR(children_[i].write(row, out));
    separator = ",";
  }
  if (*separator == '{') out += '{';
  out += '}';
  return Status::ok();
}

}  // namespace tidegate
