// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "expr/map_values.h"
#include "functions/binding.h"
#include "functions/json_search.h"
#include "functions/list_values.h"

namespace tidegate {

namespace {

enum class Wrapper : std::uint8_t { kWithout, kConditional, kUnconditional };
/// What stands for a value that is not there.
enum class Instead : std::uint8_t { kNull, kEmptyArray, kEmptyObject, kError };

/// Places of the arguments.
enum : std::size_t { kText, kPath, kReturning, kWrapper, kOnEmpty, kOnError };
constexpr std::size_t kArguments = 6;

struct Options {
  LogicalType type;  // STRING or ARRAY<STRING>
  Wrapper wrapper = Wrapper::kWithout;
  Instead on_empty = Instead::kNull;
  Instead on_error = Instead::kNull;

  bool returns_array() const { return type.kind() == TypeKind::kArray; }
};

Result<Wrapper> parse_wrapper(std::string_view text) {
  if (text == "WITHOUT") return Wrapper::kWithout;
  if (text == "CONDITIONAL") return Wrapper::kConditional;
  if (text == "UNCONDITIONAL") return Wrapper::kUnconditional;
  return error(ErrorCode::kInvalidArgument,
               "JSON_QUERY: wrapper '{}' is not WITHOUT, CONDITIONAL or UNCONDITIONAL", text);
}

Result<Instead> parse_instead(std::string_view text, const LogicalType& type) {
  if (text == "NULL") return Instead::kNull;
  if (text == "EMPTY ARRAY") return Instead::kEmptyArray;
  if (text == "ERROR") return Instead::kError;
  if (text == "EMPTY OBJECT" && type.kind() != TypeKind::kArray) return Instead::kEmptyObject;
  return error(ErrorCode::kInvalidArgument,
               "JSON_QUERY returning {}: '{}' is not NULL, ERROR, EMPTY ARRAY or, of a STRING, "
               "EMPTY OBJECT",
               type.to_string(), text);
}

Result<LogicalType> parse_returning(std::string_view text) {
  TG_ASSIGN_OR_RETURN(const LogicalType type, LogicalType::parse(text));
  if (type.is_character()) return text_type();
  if (type.kind() == TypeKind::kArray && type.children()[0].type.is_character())
    return LogicalType::array(LogicalType::string());
  return error(ErrorCode::kNotSupported, "JSON_QUERY returning {}", type.to_string());
}

Result<Options> parse_options(std::span<const LogicalType> arguments,
                              std::span<const ArrayPtr> constants) {
  const auto option = [&](std::size_t i, const char* what) {
    return constant_option("JSON_QUERY", what, arguments[i], constants[i]);
  };
  TG_ASSIGN_OR_RETURN(const std::string returning, option(kReturning, "RETURNING type"));
  TG_ASSIGN_OR_RETURN(const std::string wrapper, option(kWrapper, "wrapper"));
  TG_ASSIGN_OR_RETURN(const std::string on_empty, option(kOnEmpty, "ON EMPTY"));
  TG_ASSIGN_OR_RETURN(const std::string on_error, option(kOnError, "ON ERROR"));
  Options options;
  TG_ASSIGN_OR_RETURN(options.type, parse_returning(returning));
  TG_ASSIGN_OR_RETURN(options.wrapper, parse_wrapper(wrapper));
  TG_ASSIGN_OR_RETURN(options.on_empty, parse_instead(on_empty, options.type));
  TG_ASSIGN_OR_RETURN(options.on_error, parse_instead(on_error, options.type));
  return options;
}

/// What a row gives: a match (in an array when `wrapped`), or what stands for it.
struct Outcome {
  JsonMatch match;
  bool wrapped = false;
  std::optional<Instead> instead;
};

Result<Outcome> query(JsonSearch& search, const Options& options, std::string_view text,
                      std::string_view path) {
  TG_ASSIGN_OR_RETURN(JsonMatch match, search.find(text, path));
  std::string failure = std::move(match.failure);
  const bool nothing = match.kind == JsonMatch::Kind::kNothing;
  const bool scalar = search.is_scalar(match);
  const bool object = match.kind == JsonMatch::Kind::kMembers ||
                      (match.kind == JsonMatch::Kind::kNode &&
                       search.document().kind(match.nodes[0]) == JsonKind::kObject);
  const bool wrapped =
      !nothing && (options.wrapper == Wrapper::kUnconditional ||
                   (options.wrapper == Wrapper::kConditional && (scalar || object)));
  if (failure.empty() && (nothing || (scalar && !wrapped && search.is_lax()))) {
    if (options.on_empty == Instead::kError)
      return json_search_failed("JSON_QUERY", path, "it finds nothing");
    return Outcome{{}, false, options.on_empty};
  }
  if (failure.empty() && scalar && !wrapped) failure = "it finds a scalar, not an array or object";
  if (failure.empty() && options.returns_array() && object && !wrapped)
    failure = "it finds an object, not an array";
  if (failure.empty()) return Outcome{std::move(match), wrapped, std::nullopt};
  if (options.on_error == Instead::kError) return json_search_failed("JSON_QUERY", path, failure);
  return Outcome{{}, false, options.on_error};
}

Result<ArrayPtr> query_texts(JsonSearch search, const Options& options,
                             std::span<const Argument> args, std::int64_t num_rows) {
  std::string out;
  using MaybeText = std::optional<std::string_view>;
  return map_values<std::string_view, std::string_view, std::string_view>(
      text_type(), args.first(2), num_rows,
      [&](std::string_view text, std::string_view path) -> Result<MaybeText> {
        TG_ASSIGN_OR_RETURN(const Outcome outcome, query(search, options, text, path));
        out.clear();
        if (outcome.instead) {
          if (*outcome.instead == Instead::kNull) return MaybeText();
          return MaybeText(*outcome.instead == Instead::kEmptyArray ? "[]" : "{}");
        }
        if (outcome.wrapped) out += '[';
        search.append_json(outcome.match, out);
        if (outcome.wrapped) out += ']';
        return MaybeText(out);
      });
}

/// The elements of a match that is an array: scalars as text, others as JSON, null as NULL.
class ElementTexts {
 public:
  void add(const JsonDocument& document, JsonDocument::Node node) {
    std::optional<std::string>& text = texts_.emplace_back();
    if (document.kind(node) == JsonKind::kNull) return;
    text.emplace();
    if (document.is_scalar(node)) {
      document.append_scalar(node, *text);
    } else {
      document.append_json(node, *text);
    }
  }
  void add(std::string text) { texts_.emplace_back(std::move(text)); }
  std::int32_t size() const { return static_cast<std::int32_t>(texts_.size()); }

  Result<ArrayPtr> to_column() const {
    TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::string_view>::make(size()));
    for (std::int32_t i = 0; i < size(); ++i) {
      const std::optional<std::string>& text = texts_[static_cast<std::size_t>(i)];
      if (text) {
        writer.set(i, *text);
      } else {
        TG_RETURN_IF_ERROR(writer.set_null(i));
      }
    }
    return writer.finish(text_type());
  }

 private:
  std::vector<std::optional<std::string>> texts_;
};

void add_elements(const JsonSearch& search, const Outcome& outcome, ElementTexts& elements) {
  const JsonDocument& document = search.document();
  const JsonMatch& match = outcome.match;
  if (outcome.wrapped && match.kind == JsonMatch::Kind::kNode)
    return elements.add(document, match.nodes[0]);
  if (outcome.wrapped) {
    std::string text;
    search.append_json(match, text);
    return elements.add(std::move(text));
  }
  if (match.kind == JsonMatch::Kind::kNodes && match.has_members) {
    std::size_t begin = 0;
    for (const std::size_t end : match.member_ends) {
      std::string text;
      search.append_members(std::span(match.nodes).subspan(begin, end - begin), text);
      elements.add(std::move(text));
      begin = end;
    }
    return;
  }
  if (match.kind == JsonMatch::Kind::kNodes) {
    for (const JsonDocument::Node node : match.nodes) elements.add(document, node);
    return;
  }
  const JsonDocument::Node array = match.nodes[0];
  for (JsonDocument::Node node = document.first(array); node < document.next(array);
       node = document.next(node))
    elements.add(document, node);
}

Result<ArrayPtr> query_arrays(JsonSearch search, const Options& options,
                              std::span<const Argument> args, std::int64_t num_rows) {
  const ArgumentReader<std::string_view> texts(args[kText]);
  const ArgumentReader<std::string_view> paths(args[kPath]);
  ElementTexts elements;
  ListWriter lists(num_rows);
  for (std::int64_t row = 0; row < num_rows; ++row) {
    if (texts.is_null(row) || paths.is_null(row)) {
      TG_RETURN_IF_ERROR(lists.set_null());
      continue;
    }
    TG_ASSIGN_OR_RETURN(const Outcome outcome, query(search, options, texts[row], paths[row]));
    if (outcome.instead && *outcome.instead == Instead::kNull) {
      TG_RETURN_IF_ERROR(lists.set_null());
      continue;
    }
    const std::int32_t first = elements.size();
    if (!outcome.instead) add_elements(search, outcome, elements);
    lists.push(first, elements.size());
    lists.end_row();
  }
  TG_ASSIGN_OR_RETURN(const ArrayPtr column, elements.to_column());
  return lists.finish(options.type, column);
}

Result<BoundFunction> bind_json_query(std::span<const LogicalType> arguments,
                                      std::span<const ArrayPtr> constants) {
  if (arguments.size() != 2 && arguments.size() != kArguments)
    return argument_mismatch("JSON_QUERY", "a string and a path", arguments);
  Options options{text_type()};
  if (arguments.size() == kArguments) {
    TG_ASSIGN_OR_RETURN(options, parse_options(arguments, constants));
  }
  TG_ASSIGN_OR_RETURN(const PreparedJsonPathPtr path,
                      prepare_json_path(arguments[kPath], constants[kPath]));
  const Bind bind = bind_fixed(
      {.name = "JSON_QUERY",
       .takes = "a string and a path",
       .parameters = {text_type(), text_type(), text_type(), text_type(), text_type(), text_type()},
       .required = 2,
       .result = options.type,
       .may_be_null = true,
       .can_fail = true},
      [options, path](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
        return options.returns_array() ? query_arrays(JsonSearch(path), options, args, num_rows)
                                       : query_texts(JsonSearch(path), options, args, num_rows);
      });
  return bind(arguments);
}

}  // namespace

void register_function_json_query(FunctionRegistry& registry) {
  registry.add(
      {.name = "JSON_QUERY",
       .category = "json",
       .signature =
           "JSON_QUERY(json, path [RETURNING type] [{WITHOUT | WITH CONDITIONAL | WITH "
           "UNCONDITIONAL} WRAPPER] [{NULL | EMPTY ARRAY | EMPTY OBJECT | ERROR} ON EMPTY] "
           "[{NULL | EMPTY ARRAY | EMPTY OBJECT | ERROR} ON ERROR])",
       .description = "The array or object that the path finds, as JSON or as ARRAY<STRING>. In "
                      "lax mode a path that finds none is EMPTY, in strict mode (the default) it "
                      "is an ERROR. A wrapper makes an array of what is found, a conditional one "
                      "unless it is an array.",
       .examples = {{"JSON_QUERY('{\"a\": {\"c\": 1, \"b\": [1, 2]}}', '$.a')",
                     "{\"b\":[1,2],\"c\":1}"},
                    {"JSON_QUERY('{\"a\": 1}', '$.a' WITH WRAPPER)", "[1]"},
                    {"JSON_QUERY('{\"a\": [1, \"x\"]}', '$.a' RETURNING ARRAY<STRING>)", "[1, x]"},
                    {"JSON_QUERY('{}', 'lax $.a' EMPTY OBJECT ON EMPTY)", "{}"}},
       .bind_with_constants = bind_json_query});
}

}  // namespace tidegate
