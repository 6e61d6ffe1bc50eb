// SPDX-License-Identifier: Apache-2.0
//
// DATE_FORMAT, FROM_UNIXTIME, UNIX_TIMESTAMP, TO_DATE and TO_TIMESTAMP: dates and times to text and
// from text by patterns. Which of Java's two kinds of patterns they take is Flink's choice.
#include <algorithm>
#include <limits>
#include <utility>

#include "functions/binding.h"
#include "functions/date_pattern_column.h"
#include "functions/sql_time_text.h"
#include "functions/time_fields.h"

namespace tidegate {

namespace {

/// What the functions below share: a value, and a pattern behind it that may be left out.
using PatternEvaluate = Result<ArrayPtr> (*)(const LogicalType& result, DatePatternColumn& patterns,
                                             std::span<const Argument> args, std::int64_t num_rows,
                                             EvalContext& context);

struct PatternFunction {
  FixedSignature signature;
  PatternEvaluate evaluate;
  PatternDialect dialect = PatternDialect::kSimple;
  WrongDatePattern wrong = WrongDatePattern::kIsAnError;
};

Result<BoundFunction> bind_with_pattern(const PatternFunction& function,
                                        std::span<const LogicalType> arguments,
                                        std::span<const ArrayPtr> constants) {
  TG_ASSIGN_OR_RETURN(
      PreparedDatePattern prepared,
      prepare_date_pattern(function.dialect, function.wrong, arguments, constants, 1));
  FixedSignature signature = function.signature;
  signature.can_fail = !prepared.is_constant && function.wrong == WrongDatePattern::kIsAnError;
  const Bind bind =
      bind_fixed(std::move(signature),
                 [prepared, dialect = function.dialect, wrong = function.wrong,
                  evaluate = function.evaluate, result = function.signature.result](
                     std::span<const Argument> args, std::int64_t num_rows, EvalContext& context) {
                   DatePatternColumn patterns(dialect, wrong, prepared, args, 1);
                   return evaluate(result, patterns, args, num_rows, context);
                 });
  return bind(arguments);
}

/// Writes times; one that is written like the one before is copied.
class MomentWriter {
 public:
  void write(const DatePattern& pattern, const Moment& moment, std::int64_t offset,
             std::string& out) {
    const std::int64_t unit = moment.nanos / pattern.unit_nanos();
    const bool same =
        pattern_ == &pattern && unit_ == unit && days_ == moment.days && offset_ == offset;
    if (!same) {
      text_.clear();
      pattern.format(moment, offset, text_);
      pattern_ = &pattern;
      unit_ = unit;
      days_ = moment.days;
      offset_ = offset;
    }
    out += text_;
  }
  /// The pattern may be gone.
  void forget() { pattern_ = nullptr; }

 private:
  const DatePattern* pattern_ = nullptr;
  std::int64_t unit_ = 0;
  std::int64_t days_ = 0;
  std::int64_t offset_ = 0;
  std::string text_;
};

/// Each row's value and pattern to text; read(row, &moment, &offset) answers false for NULL.
template <typename Read>
Result<ArrayPtr> format_rows(DatePatternColumn& patterns, std::int64_t num_rows, Read read) {
  TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::string_view>::make(num_rows));
  MomentWriter moments;
  for (std::int64_t row = 0; row < num_rows; ++row) {
    Moment moment;
    std::int64_t offset = 0;
    TG_ASSIGN_OR_RETURN(const DatePattern* const pattern, patterns.at(row));
    if (pattern == nullptr || !read(row, &moment, &offset)) {
      TG_RETURN_IF_ERROR(writer.set_null(row));
      continue;
    }
    if (!patterns.is_constant()) moments.forget();
    moments.write(*pattern, moment, offset, writer.text());
    writer.end_row();
  }
  return writer.finish(text_type());
}

/// Each row's text by its pattern to a value of type T; convert(text, reading) answers none for
/// NULL, and is asked only for texts and patterns that are not NULL.
template <typename T, typename Convert>
Result<ArrayPtr> read_rows(const LogicalType& result, DatePatternColumn& patterns,
                           const Argument& argument, std::int64_t num_rows, Convert convert) {
  const ArgumentReader<std::string_view> texts(argument);
  TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<T>::make(num_rows));
  for (std::int64_t row = 0; row < num_rows; ++row) {
    TG_ASSIGN_OR_RETURN(const DatePattern* const pattern, patterns.at(row));
    const std::optional<T> value = pattern == nullptr || texts.is_null(row)
                                       ? std::nullopt
                                       : convert(texts[row], pattern->read(texts[row]));
    if (value) {
      writer.set(row, *value);
    } else {
      TG_RETURN_IF_ERROR(writer.set_null(row));
    }
  }
  return writer.finish(result);
}

using MaybeReading = std::optional<DatePattern::Reading>;

/// DATE_FORMAT of a text, which has to be of the standard form.
Result<ArrayPtr> reformat(const LogicalType&, DatePatternColumn& patterns,
                          std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
  const ArgumentReader<std::string_view> texts(args[0]);
  return format_rows(patterns, num_rows, [&](std::int64_t row, Moment* moment, std::int64_t*) {
    if (texts.is_null(row)) return false;
    const MaybeReading reading = DatePattern::standard().read(texts[row]);
    if (reading) *moment = reading->moment;
    return reading.has_value();
  });
}

/// DATE_FORMAT of a timestamp; the first argument is of type `type`.
Result<BoundFunction> bind_timestamp_format(const LogicalType& type,
                                            std::span<const LogicalType> arguments,
                                            std::span<const ArrayPtr> constants) {
  constexpr PatternDialect kDialect = PatternDialect::kFormatter;
  constexpr WrongDatePattern kWrong = WrongDatePattern::kIsAnError;
  TG_ASSIGN_OR_RETURN(PreparedDatePattern prepared,
                      prepare_date_pattern(kDialect, kWrong, arguments, constants, 1));
  const bool instant = type.kind() == TypeKind::kTimestampLtz;
  if (!instant && prepared.pattern != nullptr && prepared.pattern->needs_offset())
    return error(ErrorCode::kInvalidArgument,
                 "DATE_FORMAT: only TIMESTAMP_LTZ has the offset that the pattern asks for");
  BoundFunction bound;
  bound.argument_types = {type, arguments[1]};
  bound.result_type = text_type();
  bound.can_fail = !prepared.is_constant;
  bound.uses_context = instant;
  bound.evaluate = [type, prepared, instant](std::span<const Argument> args, std::int64_t num_rows,
                                             EvalContext& context) -> Result<ArrayPtr> {
    TG_ASSIGN_OR_RETURN(const TimeZone zone, TimeZone::find(context.time_zone));
    const MomentCodec codec(type, zone);
    const std::int64_t per_second = timestamp_units_per_second(type.precision());
    const ArgumentReader<std::int64_t> values(args[0]);
    DatePatternColumn patterns(kDialect, kWrong, prepared, args, 1);
    return format_rows(patterns, num_rows,
                       [&](std::int64_t row, Moment* moment, std::int64_t* offset) {
                         if (values.is_null(row)) return false;
                         *moment = codec.read(values[row]);
                         if (instant)
                           *offset = zone.offset_seconds(floor_div(values[row], per_second));
                         return true;
                       });
  };
  return bound;
}

Result<BoundFunction> bind_date_format(std::span<const LogicalType> arguments,
                                       std::span<const ArrayPtr> constants) {
  constexpr const char* kTakes = "a date, timestamp or string and a pattern";
  const bool fits = arguments.size() == 2 &&
                    (arguments[1].is_character() || arguments[1].kind() == TypeKind::kNull);
  if (!fits) return argument_mismatch("DATE_FORMAT", kTakes, arguments);
  const LogicalType& given = arguments[0];
  if (given.is_character()) {
    return bind_with_pattern({{.name = "DATE_FORMAT",
                               .takes = kTakes,
                               .parameters = {text_type(), text_type()},
                               .result = text_type(),
                               .may_be_null = true},
                              reformat},
                             arguments, constants);
  }
  if (!given.is_timestamp() && given.kind() != TypeKind::kDate)
    return argument_mismatch("DATE_FORMAT", kTakes, arguments);
  const LogicalType type =
      given.is_timestamp() ? given : LogicalType::timestamp(3, given.nullable());
  std::vector<LogicalType> types(arguments.begin(), arguments.end());
  if (!types[1].is_character()) types[1] = text_type();
  return bind_timestamp_format(type, types, constants);
}

Result<ArrayPtr> from_unixtime(const LogicalType&, DatePatternColumn& patterns,
                               std::span<const Argument> args, std::int64_t num_rows,
                               EvalContext& context) {
  TG_ASSIGN_OR_RETURN(const TimeZone zone, TimeZone::find(context.time_zone));
  const ArgumentReader<std::int64_t> seconds(args[0]);
  return format_rows(patterns, num_rows,
                     [&](std::int64_t row, Moment* moment, std::int64_t* offset) {
                       if (seconds.is_null(row)) return false;
                       *offset = zone.offset_seconds(seconds[row]);
                       const std::int64_t local = seconds[row] + *offset;
                       moment->days = floor_div(local, kSecondsPerDay);
                       moment->nanos = floor_mod(local, kSecondsPerDay) * kNanosPerSecond;
                       return true;
                     });
}

/// A text that cannot be read is the smallest BIGINT, as in Flink.
Result<ArrayPtr> unix_timestamp(const LogicalType& result, DatePatternColumn& patterns,
                                std::span<const Argument> args, std::int64_t num_rows,
                                EvalContext& context) {
  TG_ASSIGN_OR_RETURN(const TimeZone zone, TimeZone::find(context.time_zone));
  return read_rows<std::int64_t>(
      result, patterns, args[0], num_rows,
      [&](std::string_view, const MaybeReading& reading) -> std::optional<std::int64_t> {
        if (!reading) return std::numeric_limits<std::int64_t>::min();
        const std::int64_t local =
            reading->moment.days * kSecondsPerDay + reading->moment.nanos / kNanosPerSecond;
        const std::int64_t utc =
            reading->offset_seconds ? local - *reading->offset_seconds : zone.to_utc_seconds(local);
        // Milliseconds are cut off towards 1970.
        const bool has_millis = reading->moment.nanos % kNanosPerSecond >= 1'000'000;
        return utc + (utc < 0 && has_millis ? 1 : 0);
      });
}

Result<ArrayPtr> to_timestamp(const LogicalType& result, DatePatternColumn& patterns,
                              std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
  const MomentCodec codec(result, TimeZone());
  if (args.size() == 1) {
    return map_values<std::int64_t, std::string_view>(
        result, args, num_rows, [&](std::string_view text) -> std::optional<std::int64_t> {
          Moment moment;
          if (!read_sql_timestamp(text, &moment)) return std::nullopt;
          return codec.write(moment);
        });
  }
  return read_rows<std::int64_t>(
      result, patterns, args[0], num_rows,
      [&](std::string_view text, const MaybeReading& reading) -> std::optional<std::int64_t> {
        if (reading) return codec.write(reading->moment);
        // A text of the usual form is taken whatever the pattern is.
        Moment moment;
        if (!read_jdbc_timestamp(text, &moment)) return std::nullopt;
        return codec.write(moment);
      });
}

Result<ArrayPtr> to_date(const LogicalType& result, DatePatternColumn& patterns,
                         std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
  if (args.size() == 1) {
    return map_values<std::int32_t, std::string_view>(
        result, args, num_rows, [](std::string_view text) -> std::optional<std::int32_t> {
          std::int32_t days = 0;
          if (!read_sql_date(text, &days)) return std::nullopt;
          return days;
        });
  }
  return read_rows<std::int32_t>(
      result, patterns, args[0], num_rows,
      [](std::string_view, const MaybeReading& reading) -> std::optional<std::int32_t> {
        if (!reading) return std::nullopt;
        return static_cast<std::int32_t>(reading->moment.days);
      });
}

void add_with_pattern(FunctionRegistry& registry, ScalarFunction documented,
                      PatternFunction function) {
  documented.category = "time";
  function.signature.name = documented.name;
  function.signature.required = 1;
  function.signature.may_be_null = true;
  documented.bind_with_constants = [function = std::move(function)](
                                       std::span<const LogicalType> arguments,
                                       std::span<const ArrayPtr> constants) {
    return bind_with_pattern(function, arguments, constants);
  };
  registry.add(std::move(documented));
}

FixedSignature text_and_pattern(LogicalType result, bool uses_context) {
  return {.takes = "a string and a pattern",
          .parameters = {text_type(), text_type()},
          .result = std::move(result),
          .uses_context = uses_context};
}

void add_patterned(FunctionRegistry& registry) {
  add_with_pattern(registry,
                   {.name = "FROM_UNIXTIME",
                    .signature = "FROM_UNIXTIME(seconds[, pattern])",
                    .description = "Seconds since 1970 as text, in the session's time zone.",
                    .examples = {{"FROM_UNIXTIME(44)", "1970-01-01 00:00:44"},
                                 {"FROM_UNIXTIME(44, 'mm:ss')", "00:44"}}},
                   {{.takes = "a whole number and a pattern",
                     .parameters = {integer_type(), text_type()},
                     .result = text_type(),
                     .uses_context = true},
                    from_unixtime});
  add_with_pattern(registry,
                   {.name = "TO_TIMESTAMP",
                    .signature = "TO_TIMESTAMP(string[, pattern])",
                    .description = "Text as TIMESTAMP(3); NULL when it is not one.",
                    .examples = {{"TO_TIMESTAMP('2020-10-10 12:34:56')", "2020-10-10 12:34:56.000"},
                                 {"TO_TIMESTAMP('10/10/20 1:05 PM', 'dd/MM/yy h:mm a')",
                                  "2020-10-10 13:05:00.000"},
                                 {"TO_TIMESTAMP('soon')", "NULL"}}},
                   {text_and_pattern(LogicalType::timestamp(3), false), to_timestamp,
                    PatternDialect::kFormatter, WrongDatePattern::kIsNull});
  add_with_pattern(registry,
                   {.name = "TO_DATE",
                    .signature = "TO_DATE(string[, pattern])",
                    .description = "Text as DATE; NULL when it is not one.",
                    .examples = {{"TO_DATE('2020-10-10')", "2020-10-10"},
                                 {"TO_DATE('20201010', 'yyyyMMdd')", "2020-10-10"}}},
                   {text_and_pattern(LogicalType(TypeKind::kDate), false), to_date});
}

Result<BoundFunction> bind_unix_timestamp(std::span<const LogicalType> arguments,
                                          std::span<const ArrayPtr> constants) {
  if (!arguments.empty()) {
    FixedSignature signature = text_and_pattern(integer_type(), true);
    signature.name = "UNIX_TIMESTAMP";
    signature.required = 1;
    return bind_with_pattern({std::move(signature), unix_timestamp}, arguments, constants);
  }
  BoundFunction now;
  now.result_type = LogicalType(TypeKind::kBigInt, false);
  now.can_fail = false;
  now.uses_context = true;
  now.evaluate = [](std::span<const Argument>, std::int64_t num_rows,
                    EvalContext& context) -> Result<ArrayPtr> {
    TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::int64_t>::make(num_rows));
    std::fill_n(writer.values(), num_rows, floor_div(now_ms(context), kMsPerSecond));
    return writer.finish(integer_type());
  };
  return now;
}

}  // namespace

void register_function_date_format(FunctionRegistry& registry) {
  registry.add(
      {.name = "DATE_FORMAT",
       .category = "time",
       .signature = "DATE_FORMAT(date, timestamp or string, pattern)",
       .description = "A date and time as text, by a pattern as in Java; NULL for a string that is "
                      "not one.",
       .examples = {{"DATE_FORMAT(TIMESTAMP '2020-10-10 12:34:56.789', 'yyyy/MM/dd HH:mm:ss.SSS')",
                     "2020/10/10 12:34:56.789"},
                    {"DATE_FORMAT(DATE '2020-10-10', 'EEE d MMMM')", "Sat 10 October"}},
       .bind_with_constants = bind_date_format});
  add_patterned(registry);
  registry.add({.name = "UNIX_TIMESTAMP",
                .category = "time",
                .signature = "UNIX_TIMESTAMP([string[, pattern]])",
                .description = "Seconds since 1970, now or of a text in the session's time zone "
                               "(the smallest BIGINT when it is no time).",
                .examples = {{"UNIX_TIMESTAMP('1970-01-01 00:01:00')", "60"}},
                .bind_with_constants = bind_unix_timestamp});
}

}  // namespace tidegate
