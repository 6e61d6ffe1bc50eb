// SPDX-License-Identifier: Apache-2.0
//
// IS JSON and JSON_EXISTS.
#include <utility>

#include "expr/map_values.h"
#include "functions/binding.h"
#include "functions/json_search.h"

namespace tidegate {

namespace {

enum class Wanted : std::uint8_t { kValue, kObject, kArray, kScalar };

bool is_json(JsonDocument& document, std::string_view text, Wanted wanted) {
  if (!document.parse(text)) return false;
  const JsonKind kind = document.kind(JsonDocument::kRoot);
  switch (wanted) {
    case Wanted::kObject:
      return kind == JsonKind::kObject;
    case Wanted::kArray:
      return kind == JsonKind::kArray;
    case Wanted::kScalar:
      return document.is_scalar(JsonDocument::kRoot);
    default:
      return true;
  }
}

/// NULL is no JSON.
Result<BoundFunction> bind_is_json(std::span<const LogicalType> arguments,
                                   std::span<const ArrayPtr> constants) {
  const bool fits = (arguments.size() == 1 || arguments.size() == 2) &&
                    (arguments[0].is_character() || arguments[0].kind() == TypeKind::kNull);
  if (!fits) return argument_mismatch("IS JSON", "one string", arguments);
  Wanted wanted = Wanted::kValue;
  if (arguments.size() == 2) {
    TG_ASSIGN_OR_RETURN(const std::string kind,
                        constant_option("IS JSON", "kind", arguments[1], constants[1]));
    constexpr std::pair<std::string_view, Wanted> kKinds[] = {{"VALUE", Wanted::kValue},
                                                              {"OBJECT", Wanted::kObject},
                                                              {"ARRAY", Wanted::kArray},
                                                              {"SCALAR", Wanted::kScalar}};
    const auto found = std::find_if(std::begin(kKinds), std::end(kKinds),
                                    [&](const auto& known) { return known.first == kind; });
    if (found == std::end(kKinds))
      return error(ErrorCode::kInvalidArgument,
                   "IS JSON: '{}' is not VALUE, OBJECT, ARRAY or SCALAR", kind);
    wanted = found->second;
  }
  BoundFunction bound;
  bound.argument_types.assign(arguments.begin(), arguments.end());
  bound.argument_types[0] = text_type().with_nullable(arguments[0].nullable());
  if (arguments[0].is_character()) bound.argument_types[0] = arguments[0];
  bound.result_type = LogicalType(TypeKind::kBoolean, false);
  bound.can_fail = false;
  bound.evaluate = [wanted](std::span<const Argument> args, std::int64_t num_rows,
                            EvalContext&) -> Result<ArrayPtr> {
    const ArgumentReader<std::string_view> texts(args[0]);
    JsonDocument document;
    TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<bool>::make(num_rows));
    for (std::int64_t row = 0; row < num_rows; ++row)
      writer.set(row, !texts.is_null(row) && is_json(document, texts[row], wanted));
    return writer.finish(boolean_type());
  };
  return bound;
}

enum class OnError : std::uint8_t { kFalse, kTrue, kUnknown, kError };

Result<OnError> parse_on_error(std::string_view text) {
  if (text == "FALSE") return OnError::kFalse;
  if (text == "TRUE") return OnError::kTrue;
  if (text == "UNKNOWN") return OnError::kUnknown;
  if (text == "ERROR") return OnError::kError;
  return error(ErrorCode::kInvalidArgument,
               "JSON_EXISTS: '{}' ON ERROR is not TRUE, FALSE, UNKNOWN or ERROR", text);
}

Result<BoundFunction> bind_json_exists(std::span<const LogicalType> arguments,
                                       std::span<const ArrayPtr> constants) {
  if (arguments.size() != 2 && arguments.size() != 3)
    return argument_mismatch("JSON_EXISTS", "a string and a path", arguments);
  OnError on_error = OnError::kFalse;
  if (arguments.size() == 3) {
    TG_ASSIGN_OR_RETURN(const std::string text,
                        constant_option("JSON_EXISTS", "ON ERROR", arguments[2], constants[2]));
    TG_ASSIGN_OR_RETURN(on_error, parse_on_error(text));
  }
  TG_ASSIGN_OR_RETURN(const PreparedJsonPathPtr path,
                      prepare_json_path(arguments[1], constants[1]));
  const Bind bind = bind_fixed(
      {.name = "JSON_EXISTS",
       .takes = "a string and a path",
       .parameters = {text_type(), text_type(), text_type()},
       .required = 2,
       .result = boolean_type(),
       .may_be_null = true,
       .can_fail = on_error == OnError::kError || path == nullptr},
      [path, on_error](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
        JsonSearch search(path);
        return map_values<bool, std::string_view, std::string_view>(
            boolean_type(), args.first(2), num_rows,
            [&](std::string_view text, std::string_view path) -> Result<std::optional<bool>> {
              TG_ASSIGN_OR_RETURN(const JsonMatch match, search.find(text, path));
              if (match.failure.empty())
                return std::optional<bool>(match.kind != JsonMatch::Kind::kNothing);
              if (on_error == OnError::kError)
                return json_search_failed("JSON_EXISTS", path, match.failure);
              if (on_error == OnError::kUnknown) return std::optional<bool>();
              return std::optional<bool>(on_error == OnError::kTrue);
            });
      });
  return bind(arguments);
}

}  // namespace

void register_function_json_predicates(FunctionRegistry& registry) {
  registry.add({.name = "IS JSON",
                .category = "json",
                .signature = "string IS JSON [VALUE | OBJECT | ARRAY | SCALAR]",
                .description = "True when the string is JSON, or JSON of this kind.",
                .examples = {{"'{\"a\": 1}' IS JSON", "TRUE"},
                             {"'{}' IS JSON ARRAY", "FALSE"},
                             {"'abc' IS JSON", "FALSE"}},
                .bind_with_constants = bind_is_json});
  registry.add({.name = "JSON_EXISTS",
                .category = "json",
                .signature = "JSON_EXISTS(json, path [{TRUE | FALSE | UNKNOWN | ERROR} ON ERROR])",
                .description =
                    "True when the path finds a value that is not null. A path in strict "
                    "mode (the default) that finds nothing is an error.",
                .examples = {{"JSON_EXISTS('{\"a\": [{\"b\": 1}]}', '$.a[0].b')", "TRUE"},
                             {"JSON_EXISTS('{\"a\": true}', 'strict $.b' TRUE ON ERROR)", "TRUE"}},
                .bind_with_constants = bind_json_exists});
}

}  // namespace tidegate
