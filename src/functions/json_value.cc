// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cmath>
#include <utility>

#include "expr/map_values.h"
#include "functions/binding.h"
#include "functions/java_number.h"
#include "functions/json_search.h"

namespace tidegate {

namespace {

/// What stands for a value that is not there.
enum class Instead : std::uint8_t { kNull, kDefault, kError };

Result<Instead> parse_instead(std::string_view text, std::string_view when) {
  if (text == "NULL") return Instead::kNull;
  if (text == "DEFAULT") return Instead::kDefault;
  if (text == "ERROR") return Instead::kError;
  return error(ErrorCode::kInvalidArgument, "JSON_VALUE: '{}' {} is not NULL, ERROR or DEFAULT",
               text, when);
}

/// Places of the arguments.
enum : std::size_t { kText, kPath, kReturning, kOnEmpty, kEmptyDefault, kOnError, kErrorDefault };
constexpr std::size_t kArguments = 7;

struct Options {
  LogicalType type;
  Instead on_empty = Instead::kNull;
  Instead on_error = Instead::kNull;
};

Result<LogicalType> parse_returning(std::string_view text) {
  TG_ASSIGN_OR_RETURN(const LogicalType type, LogicalType::parse(text));
  if (type.is_character()) return text_type();
  if (type.is_numeric() || type.kind() == TypeKind::kBoolean) return type.with_nullable(true);
  return error(ErrorCode::kNotSupported, "JSON_VALUE returning {}", type.to_string());
}

bool parse_boolean(std::string_view text, bool* value) {
  std::string lower(without_blanks(text));
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  for (const char* word : {"true", "t", "yes", "1"})
    if (lower == word) return *value = true, true;
  for (const char* word : {"false", "f", "no", "0"})
    if (lower == word) return *value = false, true;
  return false;
}

/// A whole number from "-12.7e1": what is behind the point is cut off.
template <typename T>
bool parse_whole(std::string_view number, T* value) {
  std::string plain;
  // Digits and an exponent as BigDecimal has them; a long exponent fits no whole type anyway.
  append_json_number(number, plain);
  if (const std::size_t e = plain.find('E'); e != std::string::npos) {
    int exponent = 0;
    const std::size_t sign = plain[e + 1] == '+' ? 1 : 0;
    std::from_chars(plain.data() + e + 1 + sign, plain.data() + plain.size(), exponent);
    plain.resize(e);
    const std::size_t point = std::min(plain.find('.'), plain.size());
    std::string digits = plain.substr(0, point);
    if (point < plain.size()) digits += plain.substr(point + 1);
    const auto whole = static_cast<std::int64_t>(point) + exponent;
    const std::size_t first = digits.starts_with('-') ? 1 : 0;
    constexpr std::int64_t kMostDigits = 40;
    if (whole <= static_cast<std::int64_t>(first)) {
      plain = "0";
    } else {
      if (whole > kMostDigits && digits != "0" && digits != "-0") return false;
      digits.resize(static_cast<std::size_t>(std::min(whole, kMostDigits)), '0');
      plain = std::move(digits);
    }
  }
  plain.resize(std::min(plain.find('.'), plain.size()));
  if (plain == "-") plain = "0";
  const auto parsed = std::from_chars(plain.data(), plain.data() + plain.size(), *value);
  return parsed.ec == std::errc() && parsed.ptr == plain.data() + plain.size();
}

/// True when a text is a number as Java's BigDecimal takes it.
bool is_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool read =
      parsed.ec != std::errc::invalid_argument && parsed.ptr == text.data() + text.size();
  return read && text.find_first_of("nN") == std::string_view::npos;
}

template <typename T>
bool parse_number(std::string_view number, const LogicalType& type, T* value) {
  if (number.starts_with('+')) number.remove_prefix(1);
  if constexpr (std::is_same_v<T, Int128>) {
    return parse_decimal(number, type.precision(), type.scale(), value) == DecimalText::kOk;
  } else if constexpr (std::is_floating_point_v<T>) {
    return parse_java_floating(number, value) && std::isfinite(*value);
  } else {
    return parse_whole(number, value);
  }
}

/// A scalar of JSON as a value of T; false when it is none.
template <typename T>
bool convert(JsonKind kind, std::string_view text, const LogicalType& type, T* value) {
  if constexpr (std::is_same_v<T, bool>) {
    if (kind == JsonKind::kString) return parse_boolean(text, value);
    *value = kind == JsonKind::kTrue;
    return kind == JsonKind::kTrue || kind == JsonKind::kFalse;
  } else {
    if (kind == JsonKind::kString && !is_number(text)) return false;
    if (kind != JsonKind::kString && kind != JsonKind::kNumber) return false;
    return parse_number(text, type, value);
  }
}

/// Evaluates a column: what is found, or what stands for it.
template <typename T>
class Evaluation {
 public:
  Evaluation(const Options& options, PreparedJsonPathPtr path, std::span<const Argument> args)
      : options_(options),
        search_(std::move(path)),
        texts_(args[kText]),
        paths_(args[kPath]),
        empty_default_(args[kEmptyDefault]),
        error_default_(args[kErrorDefault]) {}

  Result<ArrayPtr> run(std::int64_t num_rows) {
    TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<T>::make(num_rows));
    for (std::int64_t row = 0; row < num_rows; ++row) {
      if (texts_.is_null(row) || paths_.is_null(row)) {
        TG_RETURN_IF_ERROR(writer.set_null(row));
      } else {
        TG_RETURN_IF_ERROR(write(writer, row));
      }
    }
    return writer.finish(options_.type);
  }

 private:
  Status write(ValueWriter<T>& writer, std::int64_t row) {
    TG_ASSIGN_OR_RETURN(JsonMatch match, search_.find(texts_[row], paths_[row]));
    const bool scalar = search_.is_scalar(match);
    if (match.failure.empty() && match.kind != JsonMatch::Kind::kNothing && !scalar &&
        !search_.is_lax())
      match.failure = "it finds an array or object, not a scalar";
    if (!match.failure.empty())
      return write_instead(writer, row, options_.on_error, error_default_, match.failure);
    if (!scalar) {
      return write_instead(writer, row, options_.on_empty, empty_default_, "it finds nothing");
    }
    scratch_.clear();
    search_.append_scalar(match, scratch_);
    if constexpr (std::is_same_v<T, std::string_view>) {
      writer.set(row, scratch_);
      return Status::ok();
    } else {
      T value{};
      const JsonKind kind = match.kind == JsonMatch::Kind::kNumber
                                ? JsonKind::kNumber
                                : search_.document().kind(match.nodes[0]);
      if (convert(kind, scratch_, options_.type, &value)) {
        writer.set(row, value);
        return Status::ok();
      }
      return write_instead(writer, row, options_.on_error, error_default_,
                           "'" + scratch_ + "' is not a value of " + options_.type.to_string());
    }
  }

  Status write_instead(ValueWriter<T>& writer, std::int64_t row, Instead instead,
                       const ArgumentReader<T>& value, std::string_view why) {
    if (instead == Instead::kError) return json_search_failed("JSON_VALUE", paths_[row], why);
    if (instead == Instead::kNull || value.is_null(row)) return writer.set_null(row);
    writer.set(row, value[row]);
    return Status::ok();
  }

  const Options& options_;
  JsonSearch search_;
  ArgumentReader<std::string_view> texts_;
  ArgumentReader<std::string_view> paths_;
  ArgumentReader<T> empty_default_;
  ArgumentReader<T> error_default_;
  std::string scratch_;
};

Result<Options> parse_options(std::span<const LogicalType> arguments,
                              std::span<const ArrayPtr> constants) {
  const auto option = [&](std::size_t i, const char* what) {
    return constant_option("JSON_VALUE", what, arguments[i], constants[i]);
  };
  TG_ASSIGN_OR_RETURN(const std::string returning, option(kReturning, "RETURNING type"));
  TG_ASSIGN_OR_RETURN(const std::string on_empty, option(kOnEmpty, "ON EMPTY"));
  TG_ASSIGN_OR_RETURN(const std::string on_error, option(kOnError, "ON ERROR"));
  Options options;
  TG_ASSIGN_OR_RETURN(options.type, parse_returning(returning));
  TG_ASSIGN_OR_RETURN(options.on_empty, parse_instead(on_empty, "ON EMPTY"));
  TG_ASSIGN_OR_RETURN(options.on_error, parse_instead(on_error, "ON ERROR"));
  return options;
}

Result<BoundFunction> bind_json_value(std::span<const LogicalType> arguments,
                                      std::span<const ArrayPtr> constants) {
  const auto is_text = [](const LogicalType& type) {
    return type.is_character() || type.kind() == TypeKind::kNull;
  };
  const bool fits = (arguments.size() == 2 || arguments.size() == kArguments) &&
                    is_text(arguments[kText]) && is_text(arguments[kPath]);
  if (!fits) return argument_mismatch("JSON_VALUE", "a string and a path", arguments);
  Options options{text_type()};
  if (arguments.size() == kArguments) {
    TG_ASSIGN_OR_RETURN(options, parse_options(arguments, constants));
  }
  TG_ASSIGN_OR_RETURN(const PreparedJsonPathPtr path,
                      prepare_json_path(arguments[kPath], constants[kPath]));
  BoundFunction bound;
  bound.argument_types.assign(arguments.begin(), arguments.end());
  for (const std::size_t i : {kText, kPath})
    if (!arguments[i].is_character()) bound.argument_types[i] = text_type();
  for (const std::size_t i : {kEmptyDefault, kErrorDefault}) {
    if (i >= arguments.size()) break;
    bound.argument_types[i] = options.type.with_nullable(arguments[i].nullable());
    if (options.type.is_character() && arguments[i].is_character())
      bound.argument_types[i] = arguments[i];
  }
  bound.result_type = options.type;
  bound.evaluate = [options, path](std::span<const Argument> args, std::int64_t num_rows,
                                   EvalContext&) -> Result<ArrayPtr> {
    std::vector<Argument> all(args.begin(), args.end());
    TG_ASSIGN_OR_RETURN(const ArrayPtr null, null_column(options.type.arrow_type(), 1));
    all.resize(kArguments, Argument{null, true});
    return with_physical_type(options.type, [&]<typename T>() -> Result<ArrayPtr> {
      return Evaluation<T>(options, path, all).run(num_rows);
    });
  };
  return bound;
}

}  // namespace

void register_function_json_value(FunctionRegistry& registry) {
  registry.add(
      {.name = "JSON_VALUE",
       .category = "json",
       .signature = "JSON_VALUE(json, path [RETURNING type] [{NULL | ERROR | DEFAULT a} ON EMPTY] "
                    "[{NULL | ERROR | DEFAULT b} ON ERROR])",
       .description = "The string, number or BOOLEAN that the path finds. In lax mode a path that "
                      "finds none is EMPTY, in strict mode (the default) it is an ERROR, as is a "
                      "value that is not of the type.",
       .examples = {{"JSON_VALUE('{\"a\": true}', '$.a')", "true"},
                    {"JSON_VALUE('{\"a\": 7}', '$.a' RETURNING INT)", "7"},
                    {"JSON_VALUE('{\"a\": 1}', 'lax $.b' DEFAULT 'none' ON EMPTY)", "none"},
                    {"JSON_VALUE('{\"a\": 1}', '$.b')", "NULL"}},
       .bind_with_constants = bind_json_value});
}

}  // namespace tidegate
