// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "expr/map_values.h"
#include "functions/binding.h"
#include "functions/java_format.h"
#include "types/value_format.h"

namespace tidegate {

namespace {

using FormatPtr = std::shared_ptr<const JavaFormat>;

/// Null for what is not a format.
Result<FormatPtr> parse_format(std::string_view text) {
  Result<JavaFormat> format = JavaFormat::parse(text);
  if (format.is_ok()) return std::make_shared<const JavaFormat>(*std::move(format));
  if (format.status().code() == ErrorCode::kNotSupported) return std::move(format).status();
  return FormatPtr();
}

/// The value of an argument as Flink hands it to Java: days and milliseconds for dates and times.
FormatValue value_at(const LogicalType& type, const Argument& argument, std::int64_t row) {
  const std::int64_t at = argument.is_constant ? 0 : row;
  const arrow::Array& array = *argument.array;
  if (array.IsNull(at)) return std::monostate();
  switch (type.kind()) {
    case TypeKind::kDecimal:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz: {
      FormatOther other;
      const bool decimal = type.kind() == TypeKind::kDecimal;
      append_value(type, array, at, decimal ? TextForm::kData : TextForm::kPrint, other.text);
      if (type.kind() == TypeKind::kTimestampLtz && other.text.ends_with('Z'))
        other.text.pop_back();
      return other;
    }
    default:
      return with_physical_type(type, [&]<typename T>() -> FormatValue {
        const T value = ValueReader<T>(array)[at];
        if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::string_view> ||
                      std::is_floating_point_v<T>) {
          return value;
        } else if constexpr (std::is_integral_v<T>) {
          return FormatInteger{static_cast<std::int64_t>(value), static_cast<int>(sizeof(T))};
        } else {
          return std::monostate();
        }
      });
  }
}

/// NULL when the format is not one, or the values are not what it asks for.
Result<BoundFunction> bind_printf(std::span<const LogicalType> arguments,
                                  std::span<const ArrayPtr> constants) {
  const auto fits = [](const LogicalType& type) {
    return is_flat(type) || type.kind() == TypeKind::kNull;
  };
  if (arguments.empty() || !arguments[0].is_character() ||
      !std::all_of(arguments.begin(), arguments.end(), fits))
    return argument_mismatch("PRINTF", "a format and values", arguments);
  FormatPtr prepared;
  const bool constant = constants[0] != nullptr && constants[0]->IsValid(0);
  if (constant) {
    TG_ASSIGN_OR_RETURN(prepared, parse_format(ValueReader<std::string_view>(*constants[0])[0]));
  }
  BoundFunction bound;
  bound.result_type = text_type();
  bound.can_fail = !constant;
  bound.evaluate = [types = std::vector<LogicalType>(arguments.begin(), arguments.end()), constant,
                    prepared](std::span<const Argument> args, std::int64_t num_rows,
                              EvalContext&) -> Result<ArrayPtr> {
    const ArgumentReader<std::string_view> formats(args[0]);
    TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::string_view>::make(num_rows));
    std::vector<FormatValue> values(args.size() - 1);
    FormatPtr format = prepared;
    for (std::int64_t row = 0; row < num_rows; ++row) {
      if (!constant && !formats.is_null(row)) {
        TG_ASSIGN_OR_RETURN(format, parse_format(formats[row]));
      }
      for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = value_at(types[i + 1], args[i + 1], row);
      const bool present =
          !formats.is_null(row) && format != nullptr && format->append(values, writer.text());
      if (present) {
        writer.end_row();
      } else {
        TG_RETURN_IF_ERROR(writer.set_null(row));
      }
    }
    return writer.finish(text_type());
  };
  return bound;
}

}  // namespace

void register_function_printf(FunctionRegistry& registry) {
  registry.add(
      {.name = "PRINTF",
       .category = "string",
       .signature = "PRINTF(format, value, ...)",
       .description = "The values in a format as of Java's Formatter; NULL when the "
                      "format is not one or the values do not fit it.",
       .examples = {{"PRINTF('%s has %05.1f%%', 'Bob', CAST(42 AS DOUBLE))", "Bob has 042.0%"},
                    {"PRINTF('%d', 'x')", "NULL"}},
       .bind_with_constants = bind_printf});
}

}  // namespace tidegate
