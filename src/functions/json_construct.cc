// SPDX-License-Identifier: Apache-2.0
//
// JSON_STRING, JSON_OBJECT, JSON_ARRAY and JSON.
//
// JSON that one of the last three makes stands in the others as it is, while other strings become
// strings of JSON. That goes by how an argument is written and not by its type, so JSON_OBJECT and
// JSON_ARRAY rewrite themselves to JSON_PARTS, with a letter for each value that says which it is:
// V a value, R raw JSON; and JSON_STRING to JSON_PARTS('VALUE', ..) or to its argument.
#include <arrow/array/array_nested.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "expr/map_values.h"
#include "functions/binding.h"
#include "functions/json_document.h"
#include "functions/json_search.h"
#include "types/time_text.h"
#include "types/value_format.h"

namespace tidegate {

namespace {

/// Members of an object, put in order of their keys; of two with one key the later counts.
class SortedMembers {
 public:
  void add(std::string key, std::string value) {
    members_.emplace_back(std::move(key), std::move(value));
  }
  void append(std::string& out) {
    std::stable_sort(members_.begin(), members_.end(), [](const auto& a, const auto& b) {
      return comes_before_in_utf16(a.first, b.first);
    });
    out += '{';
    bool first = true;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (i + 1 < members_.size() && members_[i].first == members_[i + 1].first) continue;
      if (!first) out += ',';
      first = false;
      append_json_text(members_[i].first, out);
      out += ':';
      out += members_[i].second;
    }
    out += '}';
  }

 private:
  std::vector<std::pair<std::string, std::string>> members_;
};

/// True for the types that Flink makes JSON of.
bool has_json(const LogicalType& type) {
  switch (type.kind()) {
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kIntervalYearMonth:
    case TypeKind::kIntervalDayTime:
      return false;
    case TypeKind::kMap:
    case TypeKind::kMultiset:
      if (!type.children()[0].type.is_character()) return false;
      break;
    default:
      break;
  }
  return std::all_of(type.children().begin(), type.children().end(),
                     [](const LogicalType::Child& child) { return has_json(child.type); });
}

void append_base64(std::string_view bytes, std::string& out) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  out.append(text, 0, static_cast<std::size_t>(size));
}

/// Numbers go through BigDecimal in Flink, which has its own way to print them.
void append_number_text(const std::string& text, std::string& out) {
  const bool is_number = text.find_first_of("NI") == std::string::npos;
  if (is_number) {
    append_json_number(text, out);
  } else {
    append_json_text(text, out);
  }
}

void append_json(const LogicalType& type, const arrow::Array& array, std::int64_t row,
                 std::string& out);

void append_timestamp_json(const LogicalType& type, std::int64_t value, std::string& out) {
  out += '"';
  append_timestamp(value, type.precision(), 'T', Fraction::kTrimmed, out);
  if (type.kind() == TypeKind::kTimestampLtz) out += 'Z';
  out += '"';
}

void append_map(const LogicalType& type, const arrow::Array& array, std::int64_t row,
                std::string& out) {
  const auto& map = static_cast<const arrow::MapArray&>(array);
  const LogicalType count(TypeKind::kInt);
  const LogicalType& value_type =
      type.kind() == TypeKind::kMultiset ? count : type.children()[1].type;
  SortedMembers members;
  for (std::int64_t i = map.value_offset(row); i < map.value_offset(row + 1); ++i) {
    if (map.keys()->IsNull(i)) continue;
    std::string value;
    append_json(value_type, *map.items(), i, value);
    members.add(std::string(ValueReader<std::string_view>(*map.keys())[i]), std::move(value));
  }
  members.append(out);
}

void append_row(const LogicalType& type, const arrow::Array& array, std::int64_t row,
                std::string& out) {
  const auto& fields = static_cast<const arrow::StructArray&>(array);
  SortedMembers members;
  for (std::size_t i = 0; i < type.children().size(); ++i) {
    std::string value;
    append_json(type.children()[i].type, *fields.field(static_cast<int>(i)), row, value);
    members.add(type.children()[i].name, std::move(value));
  }
  members.append(out);
}

void append_array(const LogicalType& type, const arrow::Array& array, std::int64_t row,
                  std::string& out) {
  const auto& list = static_cast<const arrow::ListArray&>(array);
  out += '[';
  for (std::int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i) {
    if (i > list.value_offset(row)) out += ',';
    append_json(type.children()[0].type, *list.values(), i, out);
  }
  out += ']';
}

/// A value as JSON, keys in order. FLOAT has the digits of the DOUBLE that it is.
void append_json(const LogicalType& type, const arrow::Array& array, std::int64_t row,
                 std::string& out) {
  if (array.IsNull(row)) {
    out += "null";
    return;
  }
  switch (type.kind()) {
    case TypeKind::kChar:
    case TypeKind::kVarchar:
      return append_json_text(ValueReader<std::string_view>(array)[row], out);
    case TypeKind::kBinary:
    case TypeKind::kVarbinary:
      out += '"';
      append_base64(ValueReader<std::string_view>(array)[row], out);
      out += '"';
      return;
    case TypeKind::kBoolean:
      out += ValueReader<bool>(array)[row] ? "true" : "false";
      return;
    case TypeKind::kFloat:
    case TypeKind::kDouble: {
      std::string text;
      append_double(type.kind() == TypeKind::kFloat ? ValueReader<float>(array)[row]
                                                    : ValueReader<double>(array)[row],
                    text);
      return append_number_text(text, out);
    }
    case TypeKind::kDecimal: {
      std::string text;
      append_value(type, array, row, TextForm::kData, text);
      return append_number_text(text, out);
    }
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return append_timestamp_json(type, ValueReader<std::int64_t>(array)[row], out);
    case TypeKind::kArray:
      return append_array(type, array, row, out);
    case TypeKind::kMap:
    case TypeKind::kMultiset:
      return append_map(type, array, row, out);
    case TypeKind::kRow:
      return append_row(type, array, row, out);
    default:
      append_value(type, array, row, TextForm::kData, out);
  }
}

/// A value as JSON, NULL for NULL. Its argument is the last one, so that it also does for
/// JSON_PARTS('VALUE', 'NULL', 'V', value).
Result<BoundFunction> bind_json_string(std::span<const LogicalType> arguments) {
  const std::size_t value = arguments.empty() ? 0 : arguments.size() - 1;
  if (arguments.empty() || !has_json(arguments[value]))
    return argument_mismatch("JSON_STRING", "one value that has a form in JSON", arguments);
  BoundFunction bound;
  bound.result_type = text_type().with_nullable(arguments[value].nullable());
  bound.can_fail = false;
  bound.evaluate = [value, type = arguments[value]](std::span<const Argument> all,
                                                    std::int64_t num_rows,
                                                    EvalContext&) -> Result<ArrayPtr> {
    const std::span<const Argument> args = all.subspan(value);
    TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::string_view>::make(num_rows));
    for (std::int64_t i = 0; i < num_rows; ++i) {
      const std::int64_t row = args[0].is_constant ? 0 : i;
      if (args[0].array->IsNull(row)) {
        TG_RETURN_IF_ERROR(writer.set_null(i));
        continue;
      }
      append_json(type, *args[0].array, row, writer.text());
      writer.end_row();
    }
    return writer.finish(text_type());
  };
  return bound;
}

/// JSON(text): the text as it stands in objects and arrays; NULL for nothing but blanks.
Result<ArrayPtr> evaluate_json(std::span<const Argument> args, std::int64_t num_rows,
                               EvalContext&) {
  JsonDocument document;
  std::string out;
  using MaybeText = std::optional<std::string_view>;
  return map_values<std::string_view, std::string_view>(
      text_type(), args, num_rows, [&](std::string_view text) -> Result<MaybeText> {
        if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return MaybeText();
        if (!document.parse(text))
          return error(ErrorCode::kMalformedRecord, "JSON: {}", document.problem());
        out.clear();
        document.append_json(JsonDocument::kRoot, out);
        return MaybeText(out);
      });
}

struct Parts {
  bool object = false;
  bool leaves_null_out = false;
  std::string kinds;               // a letter per value
  std::vector<LogicalType> types;  // of keys and values

  bool is_raw(std::size_t value) const { return kinds[value] == 'R'; }
  void append_value(std::size_t value, const LogicalType& type, const Argument& argument,
                    std::int64_t row, std::string& out) const {
    const std::int64_t at = argument.is_constant ? 0 : row;
    if (is_raw(value) && !argument.array->IsNull(at)) {
      out += ValueReader<std::string_view>(*argument.array)[at];
    } else {
      append_json(type, *argument.array, at, out);
    }
  }
};

bool is_null_at(const Argument& argument, std::int64_t row) {
  return argument.array->IsNull(argument.is_constant ? 0 : row);
}

Status append_parts(const Parts& parts, std::span<const Argument> args, std::int64_t row,
                    std::string& out) {
  const std::size_t step = parts.object ? 2 : 1;
  SortedMembers members;
  if (!parts.object) out += '[';
  bool first = true;
  for (std::size_t i = step - 1; i < args.size(); i += step) {
    if (parts.leaves_null_out && is_null_at(args[i], row)) continue;
    if (!parts.object) {
      if (!first) out += ',';
      parts.append_value(i / step, parts.types[i], args[i], row, out);
    } else {
      if (is_null_at(args[i - 1], row))
        return error(ErrorCode::kNullKey, "JSON_OBJECT: a key is NULL");
      std::string value;
      parts.append_value(i / step, parts.types[i], args[i], row, value);
      const std::int64_t key_row = args[i - 1].is_constant ? 0 : row;
      members.add(std::string(ValueReader<std::string_view>(*args[i - 1].array)[key_row]),
                  std::move(value));
    }
    first = false;
  }
  if (parts.object) {
    members.append(out);
  } else {
    out += ']';
  }
  return Status::ok();
}

/// JSON_PARTS('OBJECT' | 'ARRAY' | 'VALUE', 'NULL' | 'ABSENT', letters, keys and values ...).
Result<BoundFunction> bind_parts(std::span<const LogicalType> arguments,
                                 std::span<const ArrayPtr> constants) {
  constexpr std::size_t kOptions = 3;
  Parts parts;
  std::string options[kOptions];
  if (arguments.size() < kOptions)
    return argument_mismatch("JSON_PARTS", "three texts and values", arguments);
  for (std::size_t i = 0; i < kOptions; ++i) {
    TG_ASSIGN_OR_RETURN(options[i],
                        constant_option("JSON_PARTS", "option", arguments[i], constants[i]));
  }
  if (options[0] == "VALUE") return bind_json_string(arguments);
  parts.object = options[0] == "OBJECT";
  parts.leaves_null_out = options[1] == "ABSENT";
  parts.kinds = options[2];
  const char* const name = parts.object ? "JSON_OBJECT" : "JSON_ARRAY";
  const std::size_t step = parts.object ? 2 : 1;
  if (parts.kinds.size() * step != arguments.size() - kOptions)
    return argument_mismatch(name, "as many values as it says", arguments);
  BoundFunction bound;
  bound.argument_types.assign(arguments.begin(), arguments.end());
  for (std::size_t i = kOptions; i < arguments.size(); ++i) {
    const bool key = parts.object && (i - kOptions) % 2 == 0;
    const bool text = key || parts.is_raw((i - kOptions) / step);
    const bool fits = text ? arguments[i].is_character() : has_json(arguments[i]);
    if (!fits)
      return argument_mismatch(name, "keys that are strings, and values that have a form in JSON",
                               arguments.subspan(kOptions));
    parts.types.push_back(arguments[i]);
  }
  bound.result_type = text_type().with_nullable(false);
  bound.can_fail = parts.object;
  bound.evaluate = [parts = std::move(parts)](std::span<const Argument> args, std::int64_t num_rows,
                                              EvalContext&) -> Result<ArrayPtr> {
    TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::string_view>::make(num_rows));
    for (std::int64_t row = 0; row < num_rows; ++row) {
      TG_RETURN_IF_ERROR(append_parts(parts, args.subspan(kOptions), row, writer.text()));
      writer.end_row();
    }
    return writer.finish(text_type());
  };
  return bound;
}

/// True for the calls that make JSON, also behind a cast to STRING, which changes nothing.
bool makes_json(const Expr& expr) {
  if (expr.kind() == Expr::Kind::kCast && expr.type().same_but_nullability(text_type()))
    return makes_json(*expr.args()[0]);
  if (expr.kind() != Expr::Kind::kCall) return false;
  std::string name = expr.function();
  for (char& c : name)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return name == "JSON_OBJECT" || name == "JSON_ARRAY" || name == "JSON";
}

/// JSON_OBJECT('NULL' | 'ABSENT', key, value, ...), JSON_ARRAY('NULL' | 'ABSENT', value, ...).
Result<ExprPtr> rewrite_construction(bool object, std::span<const ExprPtr> arguments) {
  const std::size_t step = object ? 2 : 1;
  const char* const name = object ? "JSON_OBJECT" : "JSON_ARRAY";
  if (arguments.empty() || (arguments.size() - 1) % step != 0)
    return error(ErrorCode::kTypeMismatch, "{} takes what becomes of NULL and {}", name,
                 object ? "keys and values" : "values");
  std::string kinds;
  for (std::size_t i = step; i < arguments.size(); i += step)
    kinds += makes_json(*arguments[i]) ? 'R' : 'V';
  std::vector<ExprPtr> parts = {lit(object ? "OBJECT" : "ARRAY"), arguments[0], lit(kinds)};
  parts.insert(parts.end(), arguments.begin() + 1, arguments.end());
  return call("JSON_PARTS", std::move(parts));
}

Result<ExprPtr> rewrite_json_string(std::span<const ExprPtr> arguments) {
  TG_RETURN_IF_ERROR(check_argument_count("JSON_STRING", arguments, 1, 1));
  if (makes_json(*arguments[0])) return arguments[0];
  return call("JSON_PARTS", {lit("VALUE"), lit("NULL"), lit("V"), arguments[0]});
}

}  // namespace

void register_function_json_construct(FunctionRegistry& registry) {
  constexpr const char* kCategory = "json";
  registry.add({.name = "JSON_STRING",
                .category = kCategory,
                .signature = "JSON_STRING(value)",
                .description = "The value as JSON; NULL for NULL.",
                .examples = {{"JSON_STRING('a\"b')", "\"a\\\"b\""},
                             {"JSON_STRING(ARRAY[1, NULL])", "[1,null]"}},
                .bind = bind_json_string,  // for those who have no expression, such as aggregates
                .rewrite = rewrite_json_string});
  registry.add({.name = "JSON",
                .category = kCategory,
                .signature = "JSON(string)",
                .description =
                    "JSON in a string, to stand as it is in JSON_OBJECT and JSON_ARRAY; an error "
                    "when it is not JSON.",
                .examples = {{"JSON_ARRAY(JSON('{\"b\": 1, \"a\": 2}'))", "[{\"a\":2,\"b\":1}]"}},
                .bind = bind_fixed({.name = "JSON",
                                    .takes = "one string",
                                    .parameters = {text_type()},
                                    .result = text_type(),
                                    .may_be_null = true,
                                    .can_fail = true},
                                   evaluate_json)});
  registry.add(
      {.name = "JSON_OBJECT",
       .category = kCategory,
       .signature = "JSON_OBJECT([[KEY] key VALUE value, ...] [{NULL | ABSENT} ON NULL])",
       .description = "An object of JSON. What JSON_OBJECT, JSON_ARRAY and JSON make "
                      "stands in it as it is.",
       .examples = {{"JSON_OBJECT('b' VALUE 1, 'a' VALUE 'x')", "{\"a\":\"x\",\"b\":1}"},
                    {"JSON_OBJECT('a' VALUE JSON_OBJECT('b' VALUE 1))", "{\"a\":{\"b\":1}}"}},
       .rewrite = [](std::span<const ExprPtr> arguments) {
         return rewrite_construction(/*object=*/true, arguments);
       }});
  registry.add({.name = "JSON_ARRAY",
                .category = kCategory,
                .signature = "JSON_ARRAY([value, ...] [{NULL | ABSENT} ON NULL])",
                .description = "An array of JSON. What JSON_OBJECT, JSON_ARRAY and JSON make "
                               "stands in it as it is.",
                .examples = {{"JSON_ARRAY(1, 'a', JSON_ARRAY(2))", "[1,\"a\",[2]]"}},
                .rewrite = [](std::span<const ExprPtr> arguments) {
                  return rewrite_construction(/*object=*/false, arguments);
                }});
  registry.add(
      {.name = "JSON_PARTS",
       .category = kCategory,
       .signature = "JSON_PARTS('OBJECT' | 'ARRAY' | 'VALUE', 'NULL' | 'ABSENT', letters, ...)",
       .description = "What JSON_OBJECT, JSON_ARRAY and JSON_STRING become: the letters "
                      "say which values are raw JSON (R) and which are not (V).",
       .examples = {{"JSON_PARTS('ARRAY', 'ABSENT', 'VR', 'a', '[1]')", "[\"a\",[1]]"}},
       .bind_with_constants = bind_parts});
}

}  // namespace tidegate
