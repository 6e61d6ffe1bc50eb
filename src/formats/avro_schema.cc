// SPDX-License-Identifier: Apache-2.0
#include "formats/avro_schema.h"

#include <simdjson.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "base/check.h"
#include "formats/json_writer.h"
#include "formats/text_value.h"

namespace tidegate {

namespace {

using Kind = AvroType::Kind;
using Logical = AvroType::Logical;

constexpr int kMaxSchemaDepth = 100;
constexpr std::int64_t kMaxFixedBytes = std::int64_t{1} << 30;

constexpr std::string_view kKindNames[] = {"null",   "boolean", "int",    "long",   "float",
                                           "double", "bytes",   "string", "record", "enum",
                                           "array",  "map",     "union",  "fixed"};

Kind kind_of(std::string_view name, bool& found) {
  const auto* const at = std::find(std::begin(kKindNames), std::end(kKindNames), name);
  found = at != std::end(kKindNames) && name != "union";
  return found ? static_cast<Kind>(at - std::begin(kKindNames)) : Kind::kNull;
}

Status malformed(std::string_view what) {
  return error(ErrorCode::kMalformedFile, "has no valid Avro schema: {}", what);
}

Logical logical_of(std::string_view name, Kind kind) {
  const auto is = [&](std::string_view logical, Kind needed) {
    return name == logical && kind == needed;
  };
  if (name == "decimal" && (kind == Kind::kBytes || kind == Kind::kFixed)) return Logical::kDecimal;
  if (is("date", Kind::kInt)) return Logical::kDate;
  if (is("time-millis", Kind::kInt)) return Logical::kTimeMillis;
  if (is("time-micros", Kind::kLong)) return Logical::kTimeMicros;
  if (name.starts_with("local-")) name.remove_prefix(6);
  if (is("timestamp-millis", Kind::kLong)) return Logical::kTimestampMillis;
  if (is("timestamp-micros", Kind::kLong)) return Logical::kTimestampMicros;
  if (is("timestamp-nanos", Kind::kLong)) return Logical::kTimestampNanos;
  return Logical::kNone;  // unknown ones are to be ignored, says the specification
}

}  // namespace

std::string describe(const AvroType& type) {
  const std::string_view kind = kKindNames[static_cast<std::size_t>(type.kind)];
  return type.name.empty() ? std::string(kind)
                           : fmt::format("{} {}", kind, quoted_excerpt(type.name));
}

class AvroSchemaParser {
 public:
  using Element = simdjson::dom::element;

  explicit AvroSchemaParser(AvroSchema& schema) : schema_(schema) {}

  Result<const AvroType*> parse(Element json, const std::string& space, int depth) {
    if (depth > kMaxSchemaDepth) return malformed("it is nested too deeply");
    std::string_view name;
    if (!json.get(name)) return named(name, space);
    simdjson::dom::array branches;
    if (!json.get(branches)) return parse_union(branches, space, depth);
    simdjson::dom::object object;
    if (json.get(object)) return malformed("a type is neither a name, a list nor an object");
    return parse_object(object, space, depth);
  }

 private:
  AvroType* add(Kind kind) {
    schema_.types_.push_back(std::make_unique<AvroType>());
    schema_.types_.back()->kind = kind;
    return schema_.types_.back().get();
  }

  static std::string full_name(std::string_view name, const std::string& space) {
    const bool has_space = space.empty() || name.find('.') != std::string_view::npos;
    return has_space ? std::string(name) : space + '.' + std::string(name);
  }

  Result<const AvroType*> named(std::string_view name, const std::string& space) {
    bool is_kind = false;
    const Kind kind = kind_of(name, is_kind);
    if (is_kind && (kind <= Kind::kString)) return add(kind);
    auto found = named_.find(full_name(name, space));
    if (found == named_.end()) found = named_.find(std::string(name));
    if (found == named_.end())
      return malformed(fmt::format("there is no type {}", quoted_excerpt(name)));
    return found->second;
  }

  Result<const AvroType*> parse_union(simdjson::dom::array branches, const std::string& space,
                                      int depth) {
    AvroType* const type = add(Kind::kUnion);
    for (const Element branch : branches) {
      TG_ASSIGN_OR_RETURN(const AvroType* const part, parse(branch, space, depth + 1));
      if (part->kind == Kind::kUnion) return malformed("a union holds a union");
      type->parts.push_back(part);
    }
    if (type->parts.empty()) return malformed("a union holds nothing");
    return type;
  }

  Result<const AvroType*> parse_object(simdjson::dom::object object, const std::string& space,
                                       int depth) {
    Element inner;
    if (object["type"].get(inner)) return malformed("an object has no \"type\"");
    std::string_view name;
    if (inner.get(name)) return parse(inner, space, depth + 1);  // {"type": {...}} is its type
    bool is_kind = false;
    const Kind kind = kind_of(name, is_kind);
    if (!is_kind) return named(name, space);
    AvroType* const type = add(kind);
    std::string_view logical;
    if (!object["logicalType"].get(logical)) type->logical = logical_of(logical, kind);
    std::int64_t scale = 0;
    if (type->logical == Logical::kDecimal && !object["scale"].get(scale)) {
      if (scale < 0 || scale > 1000) return malformed("a decimal's scale is out of range");
      type->scale = static_cast<int>(scale);
    }
    switch (kind) {
      case Kind::kRecord:
        return parse_record(*type, object, space, depth);
      case Kind::kEnum:
        return parse_enum(*type, object, space);
      case Kind::kFixed:
        TG_RETURN_IF_ERROR(give_name(*type, object, space).status());
        if (object["size"].get(type->size) || type->size < 0 || type->size > kMaxFixedBytes)
          return malformed("a fixed type has no valid size");
        return type;
      case Kind::kArray:
      case Kind::kMap: {
        Element held;
        if (object[kind == Kind::kArray ? "items" : "values"].get(held))
          return malformed("an array or map does not say what it holds");
        TG_ASSIGN_OR_RETURN(const AvroType* const part, parse(held, space, depth + 1));
        type->parts.push_back(part);
        return type;
      }
      default:
        return type;
    }
  }

  /// The namespace for what is in the type.
  Result<std::string> give_name(AvroType& type, simdjson::dom::object object,
                                const std::string& outer) {
    std::string_view name, space;
    if (object["name"].get(name)) return malformed("a record, enum or fixed type has no name");
    const bool has_space = !object["namespace"].get(space);
    type.name = full_name(name, has_space ? std::string(space) : outer);
    named_.emplace(type.name, &type);
    const std::size_t dot = type.name.rfind('.');
    return dot == std::string::npos ? std::string() : type.name.substr(0, dot);
  }

  Result<const AvroType*> parse_record(AvroType& type, simdjson::dom::object object,
                                       const std::string& outer, int depth) {
    TG_ASSIGN_OR_RETURN(const std::string space, give_name(type, object, outer));
    simdjson::dom::array fields;
    if (object["fields"].get(fields)) return malformed("a record has no fields");
    for (const Element element : fields) {
      simdjson::dom::object field;
      std::string_view name;
      Element held;
      if (element.get(field) || field["name"].get(name) || field["type"].get(held))
        return malformed("a field has no name or no type");
      TG_ASSIGN_OR_RETURN(const AvroType* const part, parse(held, space, depth + 1));
      type.names.emplace_back(name);
      type.parts.push_back(part);
    }
    return &type;
  }

  Result<const AvroType*> parse_enum(AvroType& type, simdjson::dom::object object,
                                     const std::string& outer) {
    TG_RETURN_IF_ERROR(give_name(type, object, outer).status());
    simdjson::dom::array symbols;
    if (object["symbols"].get(symbols)) return malformed("an enum has no symbols");
    for (const Element element : symbols) {
      std::string_view symbol;
      if (element.get(symbol)) return malformed("a symbol of an enum is not text");
      type.names.emplace_back(symbol);
    }
    return &type;
  }

  AvroSchema& schema_;
  std::map<std::string, const AvroType*> named_;
};

Result<std::unique_ptr<AvroSchema>> AvroSchema::parse(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(json.data(), json.size()).get(root)) {
    // A bare name may stand without quotes.
    const std::string quoted = fmt::format("\"{}\"", json);
    if (parser.parse(quoted.data(), quoted.size()).get(root)) return malformed("it is not JSON");
  }
  std::unique_ptr<AvroSchema> schema(new AvroSchema());
  TG_ASSIGN_OR_RETURN(schema->root_, AvroSchemaParser(*schema).parse(root, "", 0));
  return schema;
}

namespace {

constexpr std::string_view kRecordName = "org.apache.flink.avro.generated.record";

Status check_name(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  bool valid = !name.empty() && is_letter(name[0]);
  for (const char c : name) valid = valid && (is_letter(c) || (c >= '0' && c <= '9'));
  if (valid) return Status::ok();
  return Status(ErrorCode::kInvalidPlan,
                fmt::format("avro: {} is no name for a field there", quoted_excerpt(name)),
                "Name the column with letters, digits and _ only.");
}

Status no_form(const LogicalType& type) {
  return error(ErrorCode::kNotSupported, "avro: {} has no form there", type.to_string());
}

/// Writes the schema of one type after the other.
class SchemaWriter {
 public:
  SchemaWriter(bool legacy_timestamps, std::string& out)
      : legacy_timestamps_(legacy_timestamps), out_(out) {}

  Status write(const LogicalType& type, const std::string& name) {
    const bool with_null = type.nullable() && type.kind() != TypeKind::kNull;
    if (with_null) out_ += "[\"null\",";
    TG_RETURN_IF_ERROR(write_value(type, name));
    if (with_null) out_ += ']';
    return Status::ok();
  }

 private:
  Status write_value(const LogicalType& type, const std::string& name) {
    switch (type.kind()) {
      case TypeKind::kNull:
        return simple("null");
      case TypeKind::kBoolean:
        return simple("boolean");
      case TypeKind::kTinyInt:
      case TypeKind::kSmallInt:
      case TypeKind::kInt:
        return simple("int");
      case TypeKind::kBigInt:
        return simple("long");
      case TypeKind::kFloat:
        return simple("float");
      case TypeKind::kDouble:
        return simple("double");
      case TypeKind::kChar:
      case TypeKind::kVarchar:
        return simple("string");
      case TypeKind::kBinary:
      case TypeKind::kVarbinary:
        return simple("bytes");
      case TypeKind::kDecimal:
        out_ +=
            fmt::format(R"({{"type":"bytes","logicalType":"decimal","precision":{},"scale":{}}})",
                        type.precision(), type.scale());
        return Status::ok();
      case TypeKind::kDate:
        return logical("int", "date");
      case TypeKind::kTime:
        if (type.precision() > 6) return no_form(type);
        return type.precision() <= 3 ? logical("int", "time-millis")
                                     : logical("long", "time-micros");
      case TypeKind::kTimestamp:
      case TypeKind::kTimestampLtz:
        return timestamp(type);
      case TypeKind::kArray:
        out_ += R"({"type":"array","items":)";
        TG_RETURN_IF_ERROR(write(type.children()[0].type, name));
        out_ += '}';
        return Status::ok();
      case TypeKind::kMap:
      case TypeKind::kMultiset:
        return map(type, name);
      case TypeKind::kRow:
        return record(type, name);
      default:
        return no_form(type);
    }
  }

  Status simple(std::string_view name) {
    append_json_string(name, out_);
    return Status::ok();
  }
  Status logical(std::string_view type, std::string_view name) {
    out_ += fmt::format(R"({{"type":"{}","logicalType":"{}"}})", type, name);
    return Status::ok();
  }
  Status timestamp(const LogicalType& type) {
    if (type.precision() > 6) return no_form(type);
    const bool local = type.kind() == TypeKind::kTimestamp && !legacy_timestamps_;
    return logical("long", fmt::format("{}timestamp-{}", local ? "local-" : "",
                                       type.precision() <= 3 ? "millis" : "micros"));
  }
  Status map(const LogicalType& type, const std::string& name) {
    if (!type.children()[0].type.is_character())
      return error(ErrorCode::kNotSupported, "avro: {} has keys that are not strings",
                   type.to_string());
    out_ += R"({"type":"map","values":)";
    TG_RETURN_IF_ERROR(write(type.kind() == TypeKind::kMap
                                 ? type.children()[1].type
                                 : LogicalType(TypeKind::kInt, /*nullable=*/false),
                             name));
    out_ += '}';
    return Status::ok();
  }
  Status record(const LogicalType& type, const std::string& name) {
    const std::size_t dot = name.rfind('.');
    out_ += R"({"type":"record","name":)";
    append_json_string(dot == std::string::npos ? name : name.substr(dot + 1), out_);
    if (dot != std::string::npos) {
      out_ += R"(,"namespace":)";
      append_json_string(name.substr(0, dot), out_);
    }
    out_ += R"(,"fields":[)";
    const char* separator = "";
    for (const LogicalType::Child& child : type.children()) {
      TG_RETURN_IF_ERROR(check_name(child.name));
      out_ += separator;
      separator = ",";
      out_ += R"({"name":)";
      append_json_string(child.name, out_);
      out_ += R"(,"type":)";
      TG_RETURN_IF_ERROR(write(child.type, name + '_' + child.name));
      if (child.type.nullable()) out_ += R"(,"default":null)";
      out_ += '}';
    }
    out_ += "]}";
    return Status::ok();
  }

  bool legacy_timestamps_;
  std::string& out_;
};

}  // namespace

Result<std::string> avro_schema_of(const LogicalType& row, bool legacy_timestamps) {
  std::string out;
  TG_RETURN_IF_ERROR(SchemaWriter(legacy_timestamps, out)
                         .write(row.with_nullable(false), std::string(kRecordName)));
  return out;
}

}  // namespace tidegate
