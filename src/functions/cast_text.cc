// SPDX-License-Identifier: Apache-2.0
//
// Casts to and from text, and among bytes.
#include <algorithm>
#include <charconv>

#include "expr/map_values.h"
#include "functions/cast_kernels.h"
#include "functions/java_number.h"
#include "functions/sql_time_text.h"
#include "functions/time_fields.h"
#include "functions/utf8.h"
#include "types/civil_time.h"
#include "types/time_text.h"
#include "types/time_zone.h"
#include "types/value_format.h"

namespace tidegate {

namespace {

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
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view fraction = text.substr(std::min(point + 1, text.size()));
  if (!std::all_of(fraction.begin(), fraction.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return false;
  const std::string_view whole = text.substr(0, point);
  // ".5" is 0, and so is "." alone.
  if (point < text.size() && (whole.empty() || whole == "-")) {
    *value = 0;
    return true;
  }
  const auto parsed = std::from_chars(whole.data(), whole.data() + whole.size(), *value);
  return parsed.ec == std::errc() && parsed.ptr == whole.data() + whole.size();
}

/// One value of a type other than times; false when the text is not one.
template <typename T>
bool parse_value(std::string_view text, const LogicalType& to, T* value) {
  // Blanks around are well for all but BOOLEAN.
  if constexpr (std::is_same_v<T, bool>) return parse_boolean(text, value);
  if constexpr (std::is_floating_point_v<T>) return parse_java_floating(text, value);
  text = without_blanks(text);
  if constexpr (std::is_same_v<T, Int128>)
    return parse_decimal(text, to.precision(), to.scale(), value) == DecimalText::kOk;
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) return parse_whole(text, value);
  return false;
}

/// The same for times.
template <typename T>
bool parse_moment(std::string_view text, const LogicalType& to, const TimeZone& zone, T* value) {
  switch (to.kind()) {
    case TypeKind::kDate: {
      std::int32_t days = 0;
      if (!read_sql_date(text, &days)) return false;
      *value = static_cast<T>(days);
      return true;
    }
    case TypeKind::kTime: {
      std::int64_t nanos = 0;
      if (!read_sql_time(text, &nanos)) return false;
      nanos -= nanos % static_cast<std::int64_t>(power_of_ten(9 - to.precision()));
      *value = static_cast<T>(nanos / (kNanosPerSecond / time_units_per_second(to.precision())));
      return true;
    }
    default: {
      Moment moment;
      if (!read_sql_timestamp(text, &moment)) return false;
      // Nanoseconds since 1970 end in 2262.
      constexpr std::int64_t kMostDaysOfNanos = 106'751;
      if (to.precision() > 6 && std::abs(moment.days) >= kMostDaysOfNanos) return false;
      moment.nanos -= moment.nanos % static_cast<std::int64_t>(power_of_ten(9 - to.precision()));
      *value = static_cast<T>(MomentCodec(to, zone).write(moment));
      return true;
    }
  }
}

/// A value as text. Of TIME, other than of TIMESTAMP, zeros at the end of the fraction are left
/// out, but for one.
void append_text(const LogicalType& from, const arrow::Array& values, std::int64_t row,
                 const TimeZone& zone, std::string& out) {
  if (from.kind() != TypeKind::kTime) {
    append_value(from, values, row, TextForm::kCast, out, &zone);
    return;
  }
  const std::int64_t value = from.precision() <= 3 ? ValueReader<std::int32_t>(values)[row]
                                                   : ValueReader<std::int64_t>(values)[row];
  const std::size_t start = out.size();
  append_time(value, from.precision(), Fraction::kTrimmed, out);
  if (from.precision() > 0 && out.find('.', start) == std::string::npos) out += ".0";
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
                  if (is_time_type(to)) return parse_moment(text, to, zone, &value);
                }
                return parse_value(text, to, &value);
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
          append_text(from, *values, row, zone, writer.text());
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
