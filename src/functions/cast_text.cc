// SPDX-License-Identifier: Apache-2.0
//
// Casts to and from text, and among bytes.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "expr/map_values.h"
#include "functions/cast_kernels.h"
#include "functions/utf8.h"
#include "types/civil_time.h"
#include "types/time_text.h"
#include "types/time_zone.h"
#include "types/value_format.h"

namespace tidegate {

namespace {

std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c >= 0 && c <= ' '; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

/// Cuts what was appended to `out` since `start` to the length of the type, and pads CHAR and
/// BINARY.
void fit_length(const LogicalType& type, std::size_t start, std::string& out) {
  const std::string_view text = std::string_view(out).substr(start);
  const bool characters = type.is_character();
  const auto length = static_cast<std::int64_t>(type.length());
  const std::size_t kept = characters ? first_characters(text, length).size()
                                      : std::min(text.size(), static_cast<std::size_t>(length));
  out.resize(start + kept);
  if (type.kind() != TypeKind::kChar && type.kind() != TypeKind::kBinary) return;
  const std::string_view cut = std::string_view(out).substr(start);
  const std::int64_t have =
      characters ? count_characters(cut) : static_cast<std::int64_t>(cut.size());
  if (have < length) out.append(static_cast<std::size_t>(length - have), characters ? ' ' : '\0');
}

bool parse_boolean(std::string_view text, bool* value) {
  for (const char* word : {"t", "true", "y", "yes", "1"}) {
    if (equals_ignoring_case(text, word)) {
      *value = true;
      return true;
    }
  }
  for (const char* word : {"f", "false", "n", "no", "0"}) {
    if (equals_ignoring_case(text, word)) {
      *value = false;
      return true;
    }
  }
  return false;
}

/// A whole number, or one with a fraction, which is cut off.
template <typename T>
bool parse_whole(std::string_view text, T* value) {
  if (!text.empty() && text[0] == '+') {
    text.remove_prefix(1);
    if (text.starts_with('-')) return false;
  }
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, *value);
  if (parsed.ec != std::errc()) return false;
  if (parsed.ptr == end) return true;
  return *parsed.ptr == '.' &&
         std::all_of(parsed.ptr + 1, end, [](char c) { return c >= '0' && c <= '9'; });
}

template <typename T>
bool parse_floating(std::string_view text, T* value) {
  if (!text.empty() && text[0] == '+') {
    text.remove_prefix(1);
    if (text.starts_with('-')) return false;
  }
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, *value);
  if (parsed.ec == std::errc::result_out_of_range) {
    // Too large or too small to be told apart here: infinity or zero, as strtod says.
    *value = static_cast<T>(std::strtod(std::string(text).c_str(), nullptr));
    return parsed.ptr == end;
  }
  return parsed.ec == std::errc() && parsed.ptr == end && !text.empty();
}

/// One value of a type other than times; false when the text is not one.
template <typename T>
bool parse_value(std::string_view text, const LogicalType& to, T* value) {
  if constexpr (std::is_same_v<T, bool>) return parse_boolean(text, value);
  if constexpr (std::is_floating_point_v<T>) return parse_floating(text, value);
  if constexpr (std::is_same_v<T, Int128>)
    return parse_decimal(text, to.precision(), to.scale(), value) == DecimalText::kOk;
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) return parse_whole(text, value);
  return false;
}

/// The same for times. A date may have a time behind it and the other way round.
template <typename T>
bool parse_moment(std::string_view text, const LogicalType& to, const TimeZone& zone, T* value) {
  std::int64_t units = 0;
  switch (to.kind()) {
    case TypeKind::kDate: {
      if (!parse_timestamp(text, 3, &units)) return false;
      *value = static_cast<T>(floor_div(units, kMsPerDay));
      return true;
    }
    case TypeKind::kTime: {
      const std::int64_t cut = kNanosPerSecond / time_units_per_second(to.precision());
      if (parse_time(text, &units)) {
        *value = static_cast<T>(units / cut);
        return true;
      }
      if (!parse_timestamp(text, 9, &units)) return false;
      *value = static_cast<T>(floor_mod(units, kNanosPerDay) / cut);
      return true;
    }
    case TypeKind::kTimestamp:
      if (!parse_timestamp(text, to.precision(), &units)) return false;
      break;
    default:
      if (!parse_instant(text, to.precision(), &units, &zone)) return false;
  }
  *value = static_cast<T>(units);
  return true;
}

bool is_time_type(const LogicalType& type) {
  return type.is_timestamp() || type.kind() == TypeKind::kDate || type.kind() == TypeKind::kTime;
}

template <typename T>
CastKernel parsing_kernel(const LogicalType& to, bool strict) {
  const bool instant = to.kind() == TypeKind::kTimestampLtz;
  return {
      .cast = [to, strict, instant](const ArrayPtr& values,
                                    EvalContext& context) -> Result<ArrayPtr> {
        TimeZone zone;
        if (instant) {
          TG_ASSIGN_OR_RETURN(zone, TimeZone::find(context.time_zone));
        }
        const Argument argument{values, false};
        return map_values<T, std::string_view>(
            to, {&argument, 1}, values->length(),
            [&](std::string_view text) -> Result<std::optional<T>> {
              T value{};
              const bool parsed = [&] {
                if constexpr (std::is_same_v<T, std::int32_t> || std::is_same_v<T, std::int64_t>) {
                  if (is_time_type(to)) return parse_moment(trimmed(text), to, zone, &value);
                }
                return parse_value(trimmed(text), to, &value);
              }();
              if (parsed) return std::optional<T>(value);
              if (strict) return cast_failed(text, to);
              return std::optional<T>();
            });
      },
      .can_fail = strict,
      .uses_context = instant};
}

}  // namespace

std::optional<CastKernel> find_cast_to_text(const LogicalType& from, const LogicalType& to) {
  const bool zoned = from.kind() == TypeKind::kTimestampLtz || from.is_nested();
  return CastKernel{
      .cast = [from, to](const ArrayPtr& values, EvalContext& context) -> Result<ArrayPtr> {
        TG_ASSIGN_OR_RETURN(const TimeZone zone, TimeZone::find(context.time_zone));
        TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::string_view>::make(values->length()));
        for (std::int64_t row = 0; row < values->length(); ++row) {
          if (values->IsNull(row)) {
            TG_RETURN_IF_ERROR(writer.set_null(row));
            continue;
          }
          const std::size_t start = writer.text().size();
          append_value(from, *values, row, TextForm::kCast, writer.text(), &zone);
          fit_length(to, start, writer.text());
          writer.end_row();
        }
        return writer.finish(to);
      },
      .uses_context = zoned};
}

std::optional<CastKernel> find_cast_from_text(const LogicalType& from, const LogicalType& to,
                                              bool strict) {
  (void)from;
  if (!is_flat(to) || to.kind() == TypeKind::kIntervalDayTime ||
      to.kind() == TypeKind::kIntervalYearMonth)
    return std::nullopt;
  if (to.is_bytes()) {
    return CastKernel{.cast = [to](const ArrayPtr& values, EvalContext&) {
      const Argument argument{values, false};
      return map_to_text<std::string_view>(to, {&argument, 1}, values->length(),
                                           [&](std::string_view bytes, std::string& out) {
                                             const std::size_t start = out.size();
                                             out += bytes;
                                             fit_length(to, start, out);
                                           });
    }};
  }
  return with_physical_type(to, [&]<typename T>() -> std::optional<CastKernel> {
    if constexpr (std::is_same_v<T, std::string_view>)
      return std::nullopt;
    else
      return parsing_kernel<T>(to, strict);
  });
}

}  // namespace tidegate
