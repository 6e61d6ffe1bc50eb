// SPDX-License-Identifier: Apache-2.0
//
// Dates and times to text and from text by patterns, and to and from numbers.
#include <utility>

#include "functions/binding.h"
#include "functions/date_pattern.h"
#include "functions/time_fields.h"
#include "types/time_text.h"

namespace tidegate {

namespace {

using PatternPtr = std::shared_ptr<const DatePattern>;

LogicalType timestamp_type() { return LogicalType::timestamp(3); }
LogicalType instant_type() { return LogicalType::timestamp_ltz(3); }

/// The pattern of each row: argument `index` when there is one, prepared when it is constant, else
/// the standard one.
class Patterns {
 public:
  static Result<PatternPtr> prepare(std::span<const LogicalType> types,
                                    std::span<const ArrayPtr> constants, std::size_t index) {
    if (index >= constants.size())
      return std::make_shared<const DatePattern>(DatePattern::standard());
    if (constants[index] == nullptr || !types[index].is_character() || constants[index]->IsNull(0))
      return PatternPtr();
    TG_ASSIGN_OR_RETURN(DatePattern pattern,
                        DatePattern::parse(ValueReader<std::string_view>(*constants[index])[0]));
    return std::make_shared<const DatePattern>(std::move(pattern));
  }

  Patterns(PatternPtr prepared, std::span<const Argument> args, std::size_t index)
      : prepared_(std::move(prepared)) {
    if (prepared_ == nullptr) column_.emplace(args[index]);
  }

  bool is_null(std::int64_t row) const { return column_ && column_->is_null(row); }
  /// Null when the row's pattern is not one.
  const DatePattern* at(std::int64_t row) {
    if (prepared_ != nullptr) return prepared_.get();
    const std::string_view text = (*column_)[row];
    if (!tried_ || text != last_text_) {
      tried_ = true;
      last_text_ = text;
      Result<DatePattern> pattern = DatePattern::parse(text);
      last_ = pattern.is_ok() ? std::make_shared<const DatePattern>(*std::move(pattern)) : nullptr;
    }
    return last_.get();
  }

 private:
  PatternPtr prepared_;
  std::optional<ArgumentReader<std::string_view>> column_;
  bool tried_ = false;
  std::string last_text_;
  PatternPtr last_;
};

/// What the functions below share: a value, and a pattern behind it that may be left out.
using PatternEvaluate = Result<ArrayPtr> (*)(const LogicalType& result, Patterns& patterns,
                                             std::span<const Argument> args, std::int64_t num_rows,
                                             EvalContext& context);

Result<BoundFunction> bind_with_pattern(FixedSignature signature, PatternEvaluate evaluate,
                                        std::span<const LogicalType> arguments,
                                        std::span<const ArrayPtr> constants) {
  TG_ASSIGN_OR_RETURN(PatternPtr prepared, Patterns::prepare(arguments, constants, 1));
  const LogicalType result = signature.result;
  const Bind bind =
      bind_fixed(std::move(signature),
                 [prepared, evaluate, result](std::span<const Argument> args, std::int64_t num_rows,
                                              EvalContext& context) {
                   Patterns patterns(prepared, args, 1);
                   return evaluate(result, patterns, args, num_rows, context);
                 });
  return bind(arguments);
}

/// Each row's value and pattern to text; read(row, &moment) answers false for NULL.
template <typename Read>
Result<ArrayPtr> format_rows(Patterns& patterns, std::int64_t num_rows, Read read) {
  TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::string_view>::make(num_rows));
  for (std::int64_t row = 0; row < num_rows; ++row) {
    Moment moment;
    const DatePattern* pattern = patterns.is_null(row) ? nullptr : patterns.at(row);
    if (pattern == nullptr || !read(row, &moment)) {
      TG_RETURN_IF_ERROR(writer.set_null(row));
      continue;
    }
    pattern->format(moment, writer.text());
    writer.end_row();
  }
  return writer.finish(text_type());
}

/// Each row's text by its pattern to a value of type T.
template <typename T, typename Write>
Result<ArrayPtr> read_rows(const LogicalType& result, Patterns& patterns, const Argument& argument,
                           std::int64_t num_rows, Write write) {
  const ArgumentReader<std::string_view> texts(argument);
  TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<T>::make(num_rows));
  for (std::int64_t row = 0; row < num_rows; ++row) {
    Moment moment;
    const bool present = !texts.is_null(row) && !patterns.is_null(row);
    const DatePattern* pattern = present ? patterns.at(row) : nullptr;
    if (pattern != nullptr && pattern->read(texts[row], &moment)) {
      writer.set(row, write(moment));
    } else {
      TG_RETURN_IF_ERROR(writer.set_null(row));
    }
  }
  return writer.finish(result);
}

/// DATE_FORMAT of a timestamp; the first argument is of type `type`.
Result<BoundFunction> bind_date_format(std::span<const LogicalType> arguments,
                                       std::span<const ArrayPtr> constants) {
  constexpr const char* kTakes = "a date, timestamp or string and a pattern";
  if (arguments.size() != 2 || !(arguments[1].is_character()))
    return argument_mismatch("DATE_FORMAT", kTakes, arguments);
  const LogicalType& given = arguments[0];
  const LogicalType type =
      given.is_timestamp() ? given : LogicalType::timestamp(9, given.nullable());
  if (!given.is_timestamp() && given.kind() != TypeKind::kDate && !given.is_character())
    return argument_mismatch("DATE_FORMAT", kTakes, arguments);
  TG_ASSIGN_OR_RETURN(PatternPtr prepared, Patterns::prepare(arguments, constants, 1));
  BoundFunction bound;
  bound.argument_types = {type, arguments[1]};
  bound.result_type = text_type();
  bound.can_fail = false;
  bound.uses_context = type.kind() == TypeKind::kTimestampLtz;
  bound.evaluate = [type, prepared](std::span<const Argument> args, std::int64_t num_rows,
                                    EvalContext& context) -> Result<ArrayPtr> {
    TG_ASSIGN_OR_RETURN(const TimeZone zone, TimeZone::find(context.time_zone));
    const MomentCodec codec(type, zone);
    const ArgumentReader<std::int64_t> values(args[0]);
    Patterns patterns(prepared, args, 1);
    return format_rows(patterns, num_rows, [&](std::int64_t row, Moment* moment) {
      if (values.is_null(row)) return false;
      *moment = codec.read(values[row]);
      return true;
    });
  };
  return bound;
}

Result<ArrayPtr> from_unixtime(const LogicalType&, Patterns& patterns,
                               std::span<const Argument> args, std::int64_t num_rows,
                               EvalContext& context) {
  TG_ASSIGN_OR_RETURN(const TimeZone zone, TimeZone::find(context.time_zone));
  const ArgumentReader<std::int64_t> seconds(args[0]);
  return format_rows(patterns, num_rows, [&](std::int64_t row, Moment* moment) {
    if (seconds.is_null(row)) return false;
    const std::int64_t local = seconds[row] + zone.offset_seconds(seconds[row]);
    moment->days = floor_div(local, kSecondsPerDay);
    moment->nanos = floor_mod(local, kSecondsPerDay) * kNanosPerSecond;
    return true;
  });
}

Result<ArrayPtr> unix_timestamp(const LogicalType& result, Patterns& patterns,
                                std::span<const Argument> args, std::int64_t num_rows,
                                EvalContext& context) {
  TG_ASSIGN_OR_RETURN(const TimeZone zone, TimeZone::find(context.time_zone));
  return read_rows<std::int64_t>(result, patterns, args[0], num_rows, [&](const Moment& moment) {
    return zone.to_utc_seconds(moment.days * kSecondsPerDay + moment.nanos / kNanosPerSecond);
  });
}

Result<ArrayPtr> to_timestamp(const LogicalType& result, Patterns& patterns,
                              std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
  if (args.size() == 1) {
    return map_values<std::int64_t, std::string_view>(
        result, args, num_rows, [](std::string_view text) -> std::optional<std::int64_t> {
          std::int64_t value = 0;
          if (!parse_timestamp(text, 3, &value)) return std::nullopt;
          return value;
        });
  }
  const MomentCodec codec(result, TimeZone());
  return read_rows<std::int64_t>(result, patterns, args[0], num_rows,
                                 [&](const Moment& moment) { return codec.write(moment); });
}

Result<ArrayPtr> to_date(const LogicalType& result, Patterns& patterns,
                         std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
  if (args.size() == 1) {
    return map_values<std::int32_t, std::string_view>(
        result, args, num_rows, [](std::string_view text) -> std::optional<std::int32_t> {
          std::int32_t days = 0;
          if (!parse_date(text, &days)) return std::nullopt;
          return days;
        });
  }
  return read_rows<std::int32_t>(result, patterns, args[0], num_rows, [](const Moment& moment) {
    return static_cast<std::int32_t>(moment.days);
  });
}

/// TO_TIMESTAMP_LTZ(number[, 0 | 3]): seconds or milliseconds since 1970.
Result<ArrayPtr> to_instant(std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
  if (args.size() == 1) {
    return map_values<std::int64_t, std::int64_t>(instant_type(), args, num_rows,
                                                  [](std::int64_t ms) { return ms; });
  }
  return map_values<std::int64_t, std::int64_t, std::int64_t>(
      instant_type(), args, num_rows,
      [](std::int64_t value, std::int64_t precision) -> Result<std::int64_t> {
        if (precision == 3) return value;
        if (precision == 0)
          return static_cast<std::int64_t>(static_cast<std::uint64_t>(value) * 1000);
        return error(ErrorCode::kInvalidArgument,
                     "TO_TIMESTAMP_LTZ: the precision is {}, not 0 (seconds) or 3 (milliseconds)",
                     precision);
      });
}

Result<ArrayPtr> convert_tz(std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
  return map_values<std::string_view, std::string_view, std::string_view, std::string_view>(
      text_type(), args, num_rows,
      [scratch = std::string()](
          std::string_view text, std::string_view from,
          std::string_view to) mutable -> Result<std::optional<std::string_view>> {
        TG_ASSIGN_OR_RETURN(const TimeZone from_zone, TimeZone::find(from));
        TG_ASSIGN_OR_RETURN(const TimeZone to_zone, TimeZone::find(to));
        std::int64_t local = 0;
        if (!parse_timestamp(text, 3, &local)) return std::optional<std::string_view>();
        const std::int64_t utc = from_zone.to_utc_seconds(floor_div(local, kMsPerSecond));
        scratch.clear();
        append_timestamp((utc + to_zone.offset_seconds(utc)) * kMsPerSecond, 0, ' ',
                         Fraction::kFixed, scratch);
        return std::optional<std::string_view>(scratch);
      });
}

void add_with_pattern(FunctionRegistry& registry, ScalarFunction documented,
                      FixedSignature signature, PatternEvaluate evaluate) {
  documented.category = "time";
  signature.name = documented.name;
  signature.required = 1;
  signature.may_be_null = true;
  documented.bind_with_constants = [signature = std::move(signature), evaluate](
                                       std::span<const LogicalType> arguments,
                                       std::span<const ArrayPtr> constants) {
    return bind_with_pattern(signature, evaluate, arguments, constants);
  };
  registry.add(std::move(documented));
}

void add_patterned(FunctionRegistry& registry) {
  const auto text_and_pattern = [](LogicalType result, bool uses_context) {
    return FixedSignature{.takes = "a string and a pattern",
                          .parameters = {text_type(), text_type()},
                          .result = std::move(result),
                          .uses_context = uses_context};
  };
  add_with_pattern(registry,
                   {.name = "FROM_UNIXTIME",
                    .signature = "FROM_UNIXTIME(seconds[, pattern])",
                    .description = "Seconds since 1970 as text, in the session's time zone.",
                    .examples = {{"FROM_UNIXTIME(44)", "1970-01-01 00:00:44"},
                                 {"FROM_UNIXTIME(44, 'mm:ss')", "00:44"}}},
                   {.takes = "a whole number and a pattern",
                    .parameters = {integer_type(), text_type()},
                    .result = text_type(),
                    .uses_context = true},
                   from_unixtime);
  add_with_pattern(registry,
                   {.name = "TO_TIMESTAMP",
                    .signature = "TO_TIMESTAMP(string[, pattern])",
                    .description = "Text as TIMESTAMP(3); NULL when it is not one.",
                    .examples = {{"TO_TIMESTAMP('2020-10-10 12:34:56')", "2020-10-10 12:34:56.000"},
                                 {"TO_TIMESTAMP('10/10/20 1:05 PM', 'dd/MM/yy h:mm a')",
                                  "2020-10-10 13:05:00.000"},
                                 {"TO_TIMESTAMP('soon')", "NULL"}}},
                   text_and_pattern(timestamp_type(), false), to_timestamp);
  add_with_pattern(registry,
                   {.name = "TO_DATE",
                    .signature = "TO_DATE(string[, pattern])",
                    .description = "Text as DATE; NULL when it is not one.",
                    .examples = {{"TO_DATE('2020-10-10')", "2020-10-10"},
                                 {"TO_DATE('20201010', 'yyyyMMdd')", "2020-10-10"}}},
                   text_and_pattern(LogicalType(TypeKind::kDate), false), to_date);
}

Result<BoundFunction> bind_unix_timestamp(std::span<const LogicalType> arguments,
                                          std::span<const ArrayPtr> constants) {
  if (!arguments.empty()) {
    return bind_with_pattern({.name = "UNIX_TIMESTAMP",
                              .takes = "a string and a pattern",
                              .parameters = {text_type(), text_type()},
                              .required = 1,
                              .result = integer_type(),
                              .may_be_null = true,
                              .uses_context = true},
                             unix_timestamp, arguments, constants);
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
       .signature = "DATE_FORMAT(date or timestamp, pattern)",
       .description = "A date and time as text, by a pattern as in Java.",
       .examples = {{"DATE_FORMAT(TIMESTAMP '2020-10-10 12:34:56.789', 'yyyy/MM/dd HH:mm:ss.SSS')",
                     "2020/10/10 12:34:56.789"},
                    {"DATE_FORMAT(DATE '2020-10-10', 'EEE d MMMM')", "Sat 10 October"}},
       .bind_with_constants = bind_date_format});
  add_patterned(registry);
  registry.add({.name = "UNIX_TIMESTAMP",
                .category = "time",
                .signature = "UNIX_TIMESTAMP([string[, pattern]])",
                .description = "Seconds since 1970, now or of a text in the session's time zone.",
                .examples = {{"UNIX_TIMESTAMP('1970-01-01 00:01:00')", "60"}},
                .bind_with_constants = bind_unix_timestamp});
  registry.add({.name = "TO_TIMESTAMP_LTZ",
                .category = "time",
                .signature = "TO_TIMESTAMP_LTZ(number[, precision])",
                .description = "Seconds (precision 0) or milliseconds (3) since 1970 as "
                               "TIMESTAMP_LTZ(3).",
                .examples = {{"TO_TIMESTAMP_LTZ(100, 0)", "1970-01-01 00:01:40.000"}},
                .bind = bind_fixed({.name = "TO_TIMESTAMP_LTZ",
                                    .takes = "two whole numbers",
                                    .parameters = {integer_type(), integer_type()},
                                    .required = 1,
                                    .result = instant_type(),
                                    .can_fail = true},
                                   to_instant)});
  registry.add({.name = "CONVERT_TZ",
                .category = "time",
                .signature = "CONVERT_TZ(string, from, to)",
                .description = "A date and time of one time zone as that of another.",
                .examples = {{"CONVERT_TZ('1970-01-01 00:00:00', 'UTC', 'America/Los_Angeles')",
                              "1969-12-31 16:00:00"}},
                .bind = bind_fixed({.name = "CONVERT_TZ",
                                    .takes = "three strings",
                                    .parameters = {text_type(), text_type(), text_type()},
                                    .result = text_type(),
                                    .may_be_null = true,
                                    .can_fail = true},
                                   convert_tz)});
}

}  // namespace tidegate
