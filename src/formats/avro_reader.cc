// SPDX-License-Identifier: Apache-2.0
#include "formats/avro_reader.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <utility>

#include "base/check.h"
#include "formats/utf8.h"
#include "types/decimal.h"

namespace tidegate {

namespace {

using Kind = AvroType::Kind;
using Logical = AvroType::Logical;

/// A record that holds itself could be nested without end.
constexpr int kMaxDepth = 100;
/// Elements of lists in one record: those that take up no bytes must not fill the memory.
constexpr std::int64_t kMaxElements = std::int64_t{1} << 28;

Status truncated() { return error(ErrorCode::kMalformedRecord, "ends in the middle of a value"); }

bool is_integer(Kind kind) { return kind == Kind::kInt || kind == Kind::kLong; }
bool is_text(Kind kind) { return kind == Kind::kString || kind == Kind::kBytes; }

/// Units of a second that a logical type counts, or 0.
std::int64_t units_of(Logical logical) {
  switch (logical) {
    case Logical::kTimeMillis:
    case Logical::kTimestampMillis:
      return 1000;
    case Logical::kTimeMicros:
    case Logical::kTimestampMicros:
      return 1'000'000;
    case Logical::kTimestampNanos:
      return 1'000'000'000;
    default:
      return 0;
  }
}

std::int64_t units_of(const LogicalType& type) {
  if (type.precision() <= 3) return 1000;
  return type.precision() <= 6 && type.is_timestamp() ? 1'000'000 : 1'000'000'000;
}

template <typename T>
Status append_checked(std::int64_t value, ColumnBuilder& column) {
  if (value != static_cast<T>(value))
    return error(ErrorCode::kNumericOverflow, "{} is out of the range of {}", value,
                 column.type().to_string());
  column.append(static_cast<T>(value));
  return Status::ok();
}

}  // namespace

Result<AvroReader> AvroReader::make(const AvroType& writer, const LogicalType& row) {
  if (writer.kind != Kind::kRecord)
    return error(ErrorCode::kTypeMismatch, "holds values of type {} and no records",
                 describe(writer));
  AvroReader reader;
  TG_ASSIGN_OR_RETURN(reader.root_, resolve_row(writer, row));
  return reader;
}

AvroReader::Action AvroReader::scalar_action(const AvroType& writer, const LogicalType& type) {
  const Kind kind = writer.kind;
  const auto is_unmarked_or = [&](std::initializer_list<Logical> logicals) {
    return writer.logical == Logical::kNone ||
           std::find(logicals.begin(), logicals.end(), writer.logical) != logicals.end();
  };
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return kind == Kind::kBoolean ? Action::kBoolean : Action::kUnfit;
    case TypeKind::kTinyInt:
    case TypeKind::kSmallInt:
    case TypeKind::kInt:
    case TypeKind::kBigInt:
      return is_integer(kind) ? Action::kInteger : Action::kUnfit;
    case TypeKind::kFloat:
    case TypeKind::kDouble: {
      const bool fits =
          kind == Kind::kFloat || (kind == Kind::kDouble && type.kind() == TypeKind::kDouble);
      return fits || is_integer(kind) ? Action::kFloating : Action::kUnfit;
    }
    case TypeKind::kChar:
    case TypeKind::kVarchar:
      return is_text(kind) ? Action::kText : kind == Kind::kEnum ? Action::kSymbol : Action::kUnfit;
    case TypeKind::kBinary:
    case TypeKind::kVarbinary:
      return is_text(kind) || kind == Kind::kFixed ? Action::kBytes : Action::kUnfit;
    case TypeKind::kDecimal:
      return kind == Kind::kBytes || kind == Kind::kFixed ? Action::kDecimal : Action::kUnfit;
    case TypeKind::kDate:
      return kind == Kind::kInt && is_unmarked_or({Logical::kDate}) ? Action::kInteger
                                                                    : Action::kUnfit;
    case TypeKind::kTime:
      return is_integer(kind) && is_unmarked_or({Logical::kTimeMillis, Logical::kTimeMicros})
                 ? Action::kTime
                 : Action::kUnfit;
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return is_integer(kind) &&
                     is_unmarked_or({Logical::kTimestampMillis, Logical::kTimestampMicros,
                                     Logical::kTimestampNanos})
                 ? Action::kTime
                 : Action::kUnfit;
    default:
      return Action::kUnfit;
  }
}

void AvroReader::set_units(Node& node) {
  // Numbers that do not say what they count are milliseconds, as for Flink.
  const std::int64_t from = std::max<std::int64_t>(1000, units_of(node.writer->logical));
  const std::int64_t to = units_of(node.type);
  node.factor = to > from ? to / from : 1;
  node.divisor = from > to ? from / to : 1;
}

Result<AvroReader::Node> AvroReader::resolve(const AvroType& writer, const LogicalType& type) {
  Node node;
  node.writer = &writer;
  node.type = type;
  if (writer.kind == Kind::kUnion) {
    node.action = Action::kUnion;
    bool any = false;
    Status why;
    for (const AvroType* const branch : writer.parts) {
      Result<Node> child = resolve(*branch, type);
      if (child.is_ok()) {
        any = any || child->action != Action::kNull;
        node.children.push_back(*std::move(child));
      } else {
        why = std::move(child).status();
        Node unfit;
        unfit.writer = branch;
        unfit.type = type;
        node.children.push_back(std::move(unfit));
      }
    }
    // A union of nothing but null is fine for a nullable column.
    return any || why.is_ok() ? Result<Node>(std::move(node)) : Result<Node>(why);
  }
  if (writer.kind == Kind::kNull) {
    node.action = Action::kNull;
    return node;
  }
  const auto mismatch = [&] {
    return error(ErrorCode::kTypeMismatch, "{} cannot be read as {}", describe(writer),
                 type.to_string());
  };
  switch (type.kind()) {
    case TypeKind::kRow:
      return writer.kind == Kind::kRecord ? resolve_row(writer, type) : Result<Node>(mismatch());
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kMultiset: {
      const bool is_array = type.kind() == TypeKind::kArray;
      if (writer.kind != (is_array ? Kind::kArray : Kind::kMap)) return mismatch();
      if (!is_array && !type.children()[0].type.is_character()) return mismatch();
      node.action = is_array ? Action::kArray : Action::kMap;
      TG_ASSIGN_OR_RETURN(Node held,
                          resolve(*writer.parts[0], type.kind() == TypeKind::kMultiset
                                                        ? LogicalType(TypeKind::kInt, false)
                                                        : type.children().back().type));
      node.children.push_back(std::move(held));
      return node;
    }
    default:
      node.action = scalar_action(writer, type);
      if (node.action == Action::kUnfit) return mismatch();
      if (node.action == Action::kTime) set_units(node);
      return node;
  }
}

Result<AvroReader::Node> AvroReader::resolve_row(const AvroType& writer, const LogicalType& type) {
  Node node;
  node.writer = &writer;
  node.type = type;
  node.action = Action::kRow;
  const auto& fields = type.children();
  std::vector<bool> found(fields.size());
  for (std::size_t i = 0; i < writer.parts.size(); ++i) {
    const auto field = std::find_if(fields.begin(), fields.end(), [&](const auto& candidate) {
      return candidate.name == writer.names[i];
    });
    const bool wanted =
        field != fields.end() && !found[static_cast<std::size_t>(field - fields.begin())];
    node.targets.push_back(wanted ? static_cast<int>(field - fields.begin()) : kSkip);
    node.children.emplace_back();
    if (!wanted) continue;
    found[static_cast<std::size_t>(field - fields.begin())] = true;
    Result<Node> child = resolve(*writer.parts[i], field->type);
    if (!child.is_ok())
      return std::move(child).status().with_context(fmt::format("field '{}'", field->name));
    child->name = field->name;
    node.children.back() = *std::move(child);
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (found[i]) continue;
    if (!fields[i].type.nullable())
      return error(ErrorCode::kMissingField, "has no field '{}', which is NOT NULL",
                   fields[i].name);
    node.missing.push_back(static_cast<int>(i));
  }
  return node;
}

Status AvroReader::read(AvroInput& input, ColumnBuilder& row) {
  elements_ = 0;
  return read_row(input, root_, row);
}

Status AvroReader::read_row(AvroInput& input, const Node& node, ColumnBuilder& column) {
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const Node& child = node.children[i];
    if (node.targets[i] == kSkip) {
      TG_RETURN_IF_ERROR(skip(input, *node.writer->parts[i], 0));
      continue;
    }
    Status read = read_value(input, child, column.child(static_cast<std::size_t>(node.targets[i])));
    if (!read.is_ok()) [[unlikely]]
      return std::move(read).with_context(fmt::format("field '{}'", child.name));
  }
  for (const int field : node.missing) column.child(static_cast<std::size_t>(field)).append_null();
  column.end_row();
  return Status::ok();
}

Status AvroReader::read_value(AvroInput& input, const Node& node, ColumnBuilder& column) {
  switch (node.action) {
    case Action::kUnion: {
      std::int64_t branch;
      if (!input.read_long(branch)) return truncated();
      if (branch < 0 || branch >= static_cast<std::int64_t>(node.children.size()))
        return error(ErrorCode::kMalformedRecord, "a union has no branch {}", branch);
      return read_value(input, node.children[static_cast<std::size_t>(branch)], column);
    }
    case Action::kNull:
      if (!node.type.nullable())
        return error(ErrorCode::kMissingField, "the value is null and the column is NOT NULL");
      column.append_null();
      return Status::ok();
    case Action::kBoolean: {
      std::string_view byte;
      if (!input.read_fixed(1, byte)) return truncated();
      column.append_bool(byte[0] != 0);
      return Status::ok();
    }
    case Action::kInteger:
      return read_integer(input, node, column);
    case Action::kFloating:
      return read_floating(input, node, column);
    case Action::kText:
    case Action::kSymbol:
    case Action::kBytes:
      return read_text(input, node, column);
    case Action::kDecimal:
      return read_decimal(input, node, column);
    case Action::kTime:
      return read_time(input, node, column);
    case Action::kArray:
    case Action::kMap:
      return read_list(input, node, column);
    case Action::kRow:
      return read_row(input, node, column);
    case Action::kUnfit:
      break;
  }
  return error(ErrorCode::kWrongFieldType, "{} expected, got {}", node.type.to_string(),
               describe(*node.writer));
}

Status AvroReader::read_integer(AvroInput& input, const Node& node, ColumnBuilder& column) {
  std::int64_t value;
  if (!input.read_long(value)) return truncated();
  switch (node.type.kind()) {
    case TypeKind::kTinyInt:
      return append_checked<std::int8_t>(value, column);
    case TypeKind::kSmallInt:
      return append_checked<std::int16_t>(value, column);
    case TypeKind::kBigInt:
      column.append(value);
      return Status::ok();
    default:
      return append_checked<std::int32_t>(value, column);
  }
}

Status AvroReader::read_floating(AvroInput& input, const Node& node, ColumnBuilder& column) {
  double value = 0;
  if (is_integer(node.writer->kind)) {
    std::int64_t whole;
    if (!input.read_long(whole)) return truncated();
    // Straight to FLOAT, since rounding twice is not rounding once.
    if (node.type.kind() == TypeKind::kFloat) {
      column.append(static_cast<float>(whole));
      return Status::ok();
    }
    value = static_cast<double>(whole);
  } else {
    const bool narrow = node.writer->kind == Kind::kFloat;
    std::string_view bytes;
    if (!input.read_fixed(narrow ? 4 : 8, bytes)) return truncated();
    float single = 0;
    std::memcpy(narrow ? static_cast<void*>(&single) : &value, bytes.data(), bytes.size());
    if (narrow) value = single;
  }
  if (node.type.kind() == TypeKind::kFloat) {
    column.append(static_cast<float>(value));
  } else {
    column.append(value);
  }
  return Status::ok();
}

Status AvroReader::read_text(AvroInput& input, const Node& node, ColumnBuilder& column) {
  std::string_view text;
  if (node.action == Action::kSymbol) {
    std::int64_t symbol;
    if (!input.read_long(symbol)) return truncated();
    const auto& symbols = node.writer->names;
    if (symbol < 0 || symbol >= static_cast<std::int64_t>(symbols.size()))
      return error(ErrorCode::kMalformedRecord, "an enum has no symbol {}", symbol);
    text = symbols[static_cast<std::size_t>(symbol)];
  } else if (node.writer->kind == Kind::kFixed) {
    if (!input.read_fixed(static_cast<std::size_t>(node.writer->size), text)) return truncated();
  } else if (!input.read_bytes(text)) {
    return truncated();
  }
  if (node.action == Action::kText && !is_valid_utf8(text))
    return error(ErrorCode::kInvalidUtf8, "not valid UTF-8");
  column.append_bytes(text);
  return Status::ok();
}

Status AvroReader::read_decimal(AvroInput& input, const Node& node, ColumnBuilder& column) {
  std::string_view bytes;
  const bool read = node.writer->kind == Kind::kFixed
                        ? input.read_fixed(static_cast<std::size_t>(node.writer->size), bytes)
                        : input.read_bytes(bytes);
  if (!read) return truncated();
  const bool negative = !bytes.empty() && (bytes[0] & 0x80) != 0;
  const char sign = negative ? '\xff' : '\0';
  // Bytes that only repeat the sign.
  while (bytes.size() > 16 && bytes[0] == sign) bytes.remove_prefix(1);
  Int128 value = negative ? -1 : 0;
  const bool fits = bytes.size() < 16 || (bytes.size() == 16 && (bytes[0] < 0) == negative);
  for (const char c : bytes.substr(0, 16))
    value = static_cast<Int128>(static_cast<unsigned __int128>(value) << 8 |
                                static_cast<std::uint8_t>(c));
  // Without a scale of its own the number is in the column's, as for Flink.
  const bool scaled = node.writer->logical == Logical::kDecimal;
  const int scale = scaled ? node.writer->scale : node.type.scale();
  Int128 out = 0;
  if (!fits || scale > kMaxDecimalPrecision || !fits_precision(value, kMaxDecimalPrecision) ||
      !rescale_decimal(value, scale, node.type.scale(), node.type.precision(), &out))
    return error(ErrorCode::kNumericOverflow, "a decimal is out of the range of {}",
                 node.type.to_string());
  column.append(out);
  return Status::ok();
}

Status AvroReader::read_time(AvroInput& input, const Node& node, ColumnBuilder& column) {
  std::int64_t value;
  if (!input.read_long(value)) return truncated();
  std::int64_t scaled;
  const bool overflow = __builtin_mul_overflow(value, node.factor, &scaled);
  // Down, so that times before 1970 keep their order.
  const std::int64_t units =
      scaled / node.divisor - (scaled % node.divisor != 0 && scaled < 0 ? 1 : 0);
  if (node.type.is_timestamp()) {
    if (overflow)
      return error(ErrorCode::kNumericOverflow, "{} is out of the range of {}", value,
                   node.type.to_string());
    column.append(units);
    return Status::ok();
  }
  constexpr std::int64_t kSecondsPerDay = 86'400;
  if (overflow || units < 0 || units >= kSecondsPerDay * units_of(node.type))
    return error(ErrorCode::kWrongFieldType, "{} is no time of a day", value);
  if (node.type.precision() <= 3) {
    column.append(static_cast<std::int32_t>(units));
  } else {
    column.append(units);
  }
  return Status::ok();
}

Status AvroReader::next_block(AvroInput& input, std::int64_t& count) {
  if (!input.read_long(count)) return truncated();
  if (count < 0) {
    // The block's size in bytes stands behind a negative count.
    std::int64_t size;
    if (count == std::numeric_limits<std::int64_t>::min() || !input.read_long(size))
      return truncated();
    count = -count;
  }
  elements_ = count > kMaxElements ? kMaxElements + 1 : elements_ + count;
  return check_elements();
}

Status AvroReader::check_elements() const {
  if (elements_ <= kMaxElements) return Status::ok();
  return error(ErrorCode::kLimitExceeded, "more than {} elements in one record", kMaxElements);
}

Status AvroReader::read_list(AvroInput& input, const Node& node, ColumnBuilder& column) {
  for (;;) {
    std::int64_t count;
    TG_RETURN_IF_ERROR(next_block(input, count));
    if (count == 0) break;
    for (; count > 0; --count) {
      if (node.action == Action::kMap) {
        std::string_view key;
        if (!input.read_bytes(key)) return truncated();
        if (!is_valid_utf8(key)) return error(ErrorCode::kInvalidUtf8, "a key is not valid UTF-8");
        column.child(0).append_bytes(key);
      }
      TG_RETURN_IF_ERROR(
          read_value(input, node.children[0], column.child(node.action == Action::kMap ? 1 : 0)));
    }
  }
  column.end_list();
  return Status::ok();
}

Status AvroReader::skip(AvroInput& input, const AvroType& writer, int depth) {
  if (depth > kMaxDepth)
    return error(ErrorCode::kMalformedRecord, "more than {} levels of nesting", kMaxDepth);
  std::string_view bytes;
  std::int64_t number;
  bool read = true;
  switch (writer.kind) {
    case Kind::kNull:
      break;
    case Kind::kBoolean:
      read = input.read_fixed(1, bytes);
      break;
    case Kind::kInt:
    case Kind::kLong:
    case Kind::kEnum:
      read = input.read_long(number);
      break;
    case Kind::kFloat:
      read = input.read_fixed(4, bytes);
      break;
    case Kind::kDouble:
      read = input.read_fixed(8, bytes);
      break;
    case Kind::kBytes:
    case Kind::kString:
      read = input.read_bytes(bytes);
      break;
    case Kind::kFixed:
      read = input.read_fixed(static_cast<std::size_t>(writer.size), bytes);
      break;
    case Kind::kRecord:
      // Records of records of nothing: few bytes of schema and none of data, and no end.
      elements_ += static_cast<std::int64_t>(writer.parts.size());
      TG_RETURN_IF_ERROR(check_elements());
      for (const AvroType* const field : writer.parts)
        TG_RETURN_IF_ERROR(skip(input, *field, depth + 1));
      break;
    case Kind::kUnion:
      if (!input.read_long(number)) return truncated();
      if (number < 0 || number >= static_cast<std::int64_t>(writer.parts.size()))
        return error(ErrorCode::kMalformedRecord, "a union has no branch {}", number);
      return skip(input, *writer.parts[static_cast<std::size_t>(number)], depth + 1);
    case Kind::kArray:
    case Kind::kMap:
      for (;;) {
        TG_RETURN_IF_ERROR(next_block(input, number));
        if (number == 0) break;
        for (; number > 0; --number) {
          if (writer.kind == Kind::kMap && !input.read_bytes(bytes)) return truncated();
          TG_RETURN_IF_ERROR(skip(input, *writer.parts[0], depth + 1));
        }
      }
  }
  return read ? Status::ok() : truncated();
}

}  // namespace tidegate
