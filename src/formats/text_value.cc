// SPDX-License-Identifier: Apache-2.0
#include "formats/text_value.h"

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <system_error>
#include <type_traits>

#include "base/check.h"
#include "formats/base64.h"
#include "types/civil_time.h"
#include "types/decimal.h"
#include "types/time_text.h"

namespace tidegate {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
    if (c != lower[i]) return false;
  }
  return true;
}

Status out_of_range(const LogicalType& type, std::string_view text) {
  return error(ErrorCode::kNumericOverflow, "{} is out of the range of {}", quoted_excerpt(text),
               type.to_string());
}

template <typename T>
Status append_integer(ColumnBuilder& column, std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  T value;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed == std::errc::result_out_of_range) return out_of_range(column.type(), text);
  if (failed != std::errc() || end != text.data() + text.size())
    return wrong_type(column.type(), text);
  column.append(value);
  return Status::ok();
}

template <typename T>
Status append_floating(ColumnBuilder& column, std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  T value;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || text.empty()) return wrong_type(column.type(), text);
  if (failed == std::errc::result_out_of_range) {
    // As Java: too large is infinite, too small is zero.
    const double wide = std::strtod(std::string(text).c_str(), nullptr);
    value = static_cast<T>(wide);
  } else if (failed != std::errc()) {
    return wrong_type(column.type(), text);
  }
  column.append(value);
  return Status::ok();
}

Status append_decimal_text(ColumnBuilder& column, std::string_view text) {
  const LogicalType& type = column.type();
  Int128 value;
  switch (parse_decimal(text, type.precision(), type.scale(), &value)) {
    case DecimalText::kOk:
      column.append(value);
      return Status::ok();
    case DecimalText::kOverflow:
      return out_of_range(type, text);
    case DecimalText::kMalformed:
      break;
  }
  return wrong_type(type, text);
}

Status append_boolean(ColumnBuilder& column, std::string_view text) {
  const bool is_true = equals_ignoring_case(text, "true");
  if (!is_true && !equals_ignoring_case(text, "false")) return wrong_type(column.type(), text);
  column.append_bool(is_true);
  return Status::ok();
}

Status append_time(ColumnBuilder& column, std::string_view text) {
  std::int64_t nanos;
  if (!parse_time(text, &nanos)) return wrong_type(column.type(), text);
  const std::int64_t units = time_units_per_second(column.type().precision());
  const std::int64_t value = nanos / (kNanosPerSecond / units);
  if (units == kMsPerSecond) {
    column.append(static_cast<std::int32_t>(value));
  } else {
    column.append(value);
  }
  return Status::ok();
}

}  // namespace

std::string quoted_excerpt(std::string_view text) {
  constexpr std::size_t kMaxBytes = 60;
  std::string out = "'";
  for (const char c : text.substr(0, kMaxBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= ' ' && byte < 0x7f) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    }
  }
  out += text.size() > kMaxBytes ? "...'" : "'";
  return out;
}

Status wrong_type(const LogicalType& type, std::string_view text) {
  return error(ErrorCode::kWrongFieldType, "{} expected, got {}", type.to_string(),
               quoted_excerpt(text));
}

Status append_text(ColumnBuilder& column, std::string_view text) {
  const LogicalType& type = column.type();
  if (type.is_character()) {
    column.append_bytes(text);
    return Status::ok();
  }
  text = trimmed(text);
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return append_boolean(column, text);
    case TypeKind::kTinyInt:
      return append_integer<std::int8_t>(column, text);
    case TypeKind::kSmallInt:
      return append_integer<std::int16_t>(column, text);
    case TypeKind::kInt:
    case TypeKind::kIntervalYearMonth:
      return append_integer<std::int32_t>(column, text);
    case TypeKind::kBigInt:
    case TypeKind::kIntervalDayTime:
      return append_integer<std::int64_t>(column, text);
    case TypeKind::kFloat:
      return append_floating<float>(column, text);
    case TypeKind::kDouble:
      return append_floating<double>(column, text);
    case TypeKind::kDecimal:
      return append_decimal_text(column, text);
    case TypeKind::kDate: {
      std::int32_t days;
      if (!parse_date(text, &days)) return wrong_type(type, text);
      column.append(days);
      return Status::ok();
    }
    case TypeKind::kTime:
      return append_time(column, text);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz: {
      std::int64_t value;
      const bool read = type.kind() == TypeKind::kTimestamp
                            ? parse_timestamp(text, type.precision(), &value)
                            : parse_instant(text, type.precision(), &value);
      if (!read) return wrong_type(type, text);
      column.append(value);
      return Status::ok();
    }
    case TypeKind::kBinary:
    case TypeKind::kVarbinary: {
      std::string bytes;
      if (!append_base64_decoded(text, bytes))
        return error(ErrorCode::kWrongFieldType, "base64 for {} expected, got {}", type.to_string(),
                     quoted_excerpt(text));
      column.append_bytes(bytes);
      return Status::ok();
    }
    case TypeKind::kNull:
      return wrong_type(type, text);
    default:
      return error(ErrorCode::kInternal, "text for the nested type {}", type.to_string());
  }
}

}  // namespace tidegate
