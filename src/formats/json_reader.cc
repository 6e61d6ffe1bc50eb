// SPDX-License-Identifier: Apache-2.0
#include "formats/json_reader.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "formats/json_tokens.h"
#include "types/time_text.h"

namespace tidegate {

JsonReader::JsonReader(const LogicalType& row, const JsonReadOptions& options)
    : options_(options), root_(make_node("", row)) {}

JsonReader::Node JsonReader::make_node(std::string name, const LogicalType& type) {
  Node node;
  node.name = std::move(name);
  node.type = type;
  switch (type.kind()) {
    case TypeKind::kBigInt:
    case TypeKind::kIntervalDayTime:
      node.reading = Reading::kInt64;
      break;
    case TypeKind::kInt:
    case TypeKind::kIntervalYearMonth:
      node.reading = Reading::kInt32;
      break;
    case TypeKind::kChar:
    case TypeKind::kVarchar:
      node.reading = Reading::kString;
      break;
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      node.reading = Reading::kTimestamp;
      break;
    case TypeKind::kArray:
      node.reading = Reading::kArray;
      break;
    case TypeKind::kMap:
    case TypeKind::kMultiset:
      node.reading = Reading::kMap;
      break;
    case TypeKind::kRow:
      node.reading = Reading::kRow;
      break;
    default:
      node.reading = Reading::kText;
  }
  for (const LogicalType::Child& child : type.children())
    node.children.push_back(make_node(child.name, child.type));
  if (type.kind() == TypeKind::kMultiset)
    node.children.push_back(make_node("", LogicalType(TypeKind::kInt, /*nullable=*/false)));
  return node;
}

JsonReader::ExpectedKey::ExpectedKey(std::string_view quoted, int field_index)
    : text(quoted), field(field_index) {
  for (std::size_t i = 0; i < std::min(text.size(), kInlineSize); ++i) {
    const std::size_t shift = i % 8 * 8;
    words[i / 8] |= std::uint64_t{static_cast<std::uint8_t>(text[i])} << shift;
    masks[i / 8] |= std::uint64_t{0xff} << shift;
  }
}

bool JsonReader::read_record(ColumnBuilder& row, std::uint32_t end) {
  end_ = end;
  error_is_syntax_ = false;
  if (byte_at(next_) != '{') return fail_expected("an object");
  return read_row(root_, row);
}

// The hot loop. The place in the tokens is kept in a local variable, since the compiler must assume
// that every byte written to a column might change a member; members are set where others look.
bool JsonReader::read_row(Node& node, ColumnBuilder& column) {
  const std::int64_t row = column.size();
  const std::uint8_t* const base = base_;
  const std::uint32_t* next = next_ + 1;
  const ExpectedKey* expected = node.expected.data();
  const ExpectedKey* expected_end = expected + node.expected.size();
  std::size_t filled = 0;
  std::uint8_t separator = base[*next];
  if (separator == '}') ++next;
  while (separator != '}') {
    const std::uint8_t* key = base + *next;
    int field;
    if (expected < expected_end && expected->matches(key)) [[likely]] {
      field = expected->field;
    } else {
      next_ = next;
      const std::ptrdiff_t found = look_up(node, expected - node.expected.data());
      if (found < 0) return false;
      expected = node.expected.data() + found;
      expected_end = node.expected.data() + node.expected.size();
      field = expected->field;
    }
    ++expected;
    if (base[next[1]] != ':') {
      next_ = next + 1;
      return fail_expected("':'");
    }
    next += 2;
    if (field == kUnread) {
      next_ = next;
      if (!skip_value()) return false;
      next = next_;
    } else {
      ColumnBuilder& child = column.child(static_cast<std::size_t>(field));
      if (child.size() > row) [[unlikely]] {
        child.truncate(row);  // a key that comes twice: the last one holds, as for Jackson
        --filled;
      }
      Node& child_node = node.children[static_cast<std::size_t>(field)];
      if (read_usual(child_node, child, base + *next, *next)) [[likely]] {
        ++next;
      } else {
        next_ = next;
        if (!read_unusual(child_node, child)) return false;
        next = next_;
      }
      ++filled;
    }
    separator = base[*next];
    if (separator != ',' && separator != '}') {
      next_ = next;
      return fail_expected("',' or '}'");
    }
    ++next;
  }
  next_ = next;
  if (filled < node.children.size() && !fill_missing(node, column, row)) return false;
  column.end_row();
  return true;
}

bool JsonReader::read_records(ColumnBuilder& rows, std::uint32_t end, std::size_t count,
                              std::uint32_t max_bytes) {
  std::uint32_t begin = 0;
  for (; count > 0; --count) {
    end_ = std::min(end, begin + max_bytes);
    if (byte_at(next_) != '{' || !read_row(root_, rows)) return false;
    const std::uint32_t close = next_[-1];
    if (close >= end_) return false;
    const std::uint8_t* behind = base_ + close + 1;
    while (*behind == '\r' || *behind == ' ' || *behind == '\t') ++behind;
    if (*behind != '\n') return false;
    begin = static_cast<std::uint32_t>(behind - base_) + 1;
  }
  return begin == end;
}

bool JsonReader::fill_missing(Node& node, ColumnBuilder& column, std::int64_t row) {
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    ColumnBuilder& child = column.child(i);
    if (child.size() > row) continue;
    const Node& field = node.children[i];
    if (!field.type.nullable() || options_.fail_on_missing_field) {
      --next_;  // the object's end is the place to show
      return fail(ErrorCode::kMissingField,
                  fmt::format("field '{}' is missing{}", field.name,
                              field.type.nullable() ? "" : " and the column is NOT NULL"));
    }
    child.append_null();
  }
  return true;
}

// The keys that have been seen stand in a list in the order of their coming, with what to do about
// them. Records mostly repeat their keys in order, so the one after the last match is tried first;
// this here is for the others. Returns the place in the list, or -1 after an error.
std::ptrdiff_t JsonReader::look_up(Node& node, std::ptrdiff_t place) {
  const std::uint8_t* const key = base_ + *next_;
  if (*key != '"') {
    fail_expected("a key in quotes");
    return -1;
  }
  const auto count = static_cast<std::ptrdiff_t>(node.expected.size());
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const std::ptrdiff_t at = place + i < count ? place + i : place + i - count;
    if (node.expected[static_cast<std::size_t>(at)].matches(key)) return at;
  }
  std::string_view name;
  if (!scalar_text(name)) return -1;
  const auto found = std::find_if(node.children.begin(), node.children.end(),
                                  [&](const Node& child) { return child.name == name; });
  const int field =
      found == node.children.end() ? kUnread : static_cast<int>(found - node.children.begin());
  // Keys without end (ids as keys, say) must not make a list without end.
  constexpr std::ptrdiff_t kMaxKeys = 512;
  if (count == kMaxKeys) node.expected.pop_back();
  const std::uint8_t* end = string_end(key + 1) + 1;
  node.expected.emplace_back(
      std::string_view(reinterpret_cast<const char*>(key), static_cast<std::size_t>(end - key)),
      field);
  return static_cast<std::ptrdiff_t>(node.expected.size()) - 1;
}

// Milliseconds since 1970 in the unit of a timestamp column. Flink refuses numbers here; they are
// what most producers of clicks and Kafka itself write.
bool from_milliseconds(const LogicalType& type, std::int64_t& number) {
  const std::int64_t units = type.precision() <= 3 ? 1 : type.precision() <= 6 ? 1000 : 1'000'000;
  return !__builtin_mul_overflow(number, units, &number);
}

// The scalars that decide about speed, when they look as expected; anything else, errors included,
// is left to read_unusual(). Appends on success only.
[[gnu::always_inline]] inline bool JsonReader::read_usual(const Node& node, ColumnBuilder& column,
                                                          const std::uint8_t* value,
                                                          std::uint32_t offset) const {
  std::int64_t number;
  switch (node.reading) {
    case Reading::kInt64:
      if (!parse_json_integer(value, number)) return false;
      column.append(number);
      return true;
    case Reading::kInt32:
      if (!parse_json_integer(value, number) || number != static_cast<std::int32_t>(number))
        return false;
      column.append(static_cast<std::int32_t>(number));
      return true;
    case Reading::kString: {
      if (*value != '"' || offset >= end_) return false;
      std::uint8_t* const begin = column.begin_bytes(end_ - offset);
      std::uint8_t* to = begin;
      if (*copy_json_string(value + 1, to) != '"') return false;
      column.end_bytes(static_cast<std::size_t>(to - begin));
      return true;
    }
    case Reading::kTimestamp: {
      if (*value != '"') {
        if (!parse_json_integer(value, number) || !from_milliseconds(node.type, number))
          return false;
        column.append(number);
        return true;
      }
      if (offset >= end_) return false;
      const std::uint8_t* const text = value + 1;
      const std::uint8_t* const text_end = find_json_string_end(text);
      if (*text_end != '"') return false;
      const std::string_view view(reinterpret_cast<const char*>(text),
                                  static_cast<std::size_t>(text_end - text));
      const int precision = node.type.precision();
      const bool read = node.type.kind() == TypeKind::kTimestamp
                            ? parse_timestamp(view, precision, &number)
                            : parse_instant(view, precision, &number);
      if (!read) return false;
      column.append(number);
      return true;
    }
    default:
      return false;
  }
}

bool JsonReader::read_value(Node& node, ColumnBuilder& column) {
  if (!read_usual(node, column, base_ + *next_, *next_)) return read_unusual(node, column);
  ++next_;
  return true;
}

bool JsonReader::read_unusual(Node& node, ColumnBuilder& column) {
  if (*next_ >= end_) return fail_expected("a value");
  const std::uint32_t* const value = next_;
  const std::int64_t size = column.size();
  if (convert(node, column)) return true;
  if (error_is_syntax_ || !options_.ignore_parse_errors || !node.type.nullable()) {
    if (!node.name.empty())
      error_ = std::move(error_).with_context(fmt::format("field '{}'", node.name));
    return false;
  }
  next_ = value;
  column.truncate(size);
  if (!skip_value()) return false;
  column.append_null();
  return true;
}

bool JsonReader::convert(Node& node, ColumnBuilder& column) {
  const std::uint8_t first = byte_at(next_);
  if (first == 'n') return read_null(node, column);
  switch (node.reading) {
    case Reading::kRow:
      return first == '{' ? read_row(node, column) : fail_wrong_type(node);
    case Reading::kArray:
      return first == '[' ? read_array(node, column) : fail_wrong_type(node);
    case Reading::kMap:
      return first == '{' ? read_map(node, column) : fail_wrong_type(node);
    default:
      break;
  }
  if (first == '{' || first == '[') {
    return node.reading == Reading::kString ? read_container_text(column) : fail_wrong_type(node);
  }
  std::string_view text;
  if (!scalar_text(text)) return false;
  std::string whole;
  if (starts_number(first) && node.type.is_integer() && truncate_number(text, whole)) text = whole;
  Status appended = append_text(column, text);
  if (!appended.is_ok()) {
    error_ = std::move(appended);
    error_offset_ = *next_;
    return false;
  }
  ++next_;
  return true;
}

bool JsonReader::read_null(Node& node, ColumnBuilder& column) {
  std::string_view text;
  if (!scalar_text(text)) return false;
  if (!node.type.nullable())
    return fail(ErrorCode::kMissingField, "the value is null and the column is NOT NULL");
  column.append_null();
  ++next_;
  return true;
}

bool JsonReader::read_array(Node& node, ColumnBuilder& column) {
  ++next_;
  if (byte_at(next_) == ']') {
    ++next_;
    column.end_list();
    return true;
  }
  for (;;) {
    if (!read_value(node.children[0], column.child(0))) return false;
    const std::uint8_t separator = byte_at(next_);
    if (separator != ',' && separator != ']') return fail_expected("',' or ']'");
    ++next_;
    if (separator == ']') break;
  }
  column.end_list();
  return true;
}

bool JsonReader::read_map(Node& node, ColumnBuilder& column) {
  ++next_;
  if (byte_at(next_) == '}') {
    ++next_;
    column.end_list();
    return true;
  }
  for (;;) {
    if (byte_at(next_) != '"') return fail_expected("a key in quotes");
    std::string_view key;
    if (!scalar_text(key)) return false;
    Status appended = append_text(column.child(0), key);
    if (!appended.is_ok()) return fail(appended.code(), "key: " + appended.message());
    ++next_;
    if (byte_at(next_) != ':') return fail_expected("':'");
    ++next_;
    if (!read_value(node.children[1], column.child(1))) return false;
    const std::uint8_t separator = byte_at(next_);
    if (separator != ',' && separator != '}') return fail_expected("',' or '}'");
    ++next_;
    if (separator == '}') break;
  }
  column.end_list();
  return true;
}

// An object or array that is wanted as text: its tokens without the white space between them.
bool JsonReader::read_container_text(ColumnBuilder& column) {
  std::uint8_t* const begin = column.begin_bytes(end_ - *next_);
  std::uint8_t* to = begin;
  JsonBrackets brackets;
  do {
    const std::uint8_t* token = base_ + *next_;
    if (*next_ >= end_) return fail_expected("the end of the value");
    const std::uint8_t* token_end = token + 1;
    switch (*token) {
      case '{':
      case '[':
        if (!brackets.open(*token)) return fail_too_deep();
        break;
      case '}':
      case ']':
        if (!brackets.close(*token)) return fail_expected("the other kind of bracket");
        break;
      case ',':
      case ':':
        break;
      case '"':
        token_end = string_end(token_end) + 1;
        break;
      default:
        token_end = scalar_end(token);
        if (token_end == nullptr) return fail_expected("a value");
    }
    to = std::copy(token, token_end, to);
    ++next_;
  } while (brackets.any());
  column.end_bytes(static_cast<std::size_t>(to - begin));
  return true;
}

bool JsonReader::scalar_text(std::string_view& text) {
  if (*next_ >= end_) return fail_expected("a value");
  const std::uint8_t* token = base_ + *next_;
  if (*token != '"') {
    const std::uint8_t* end = scalar_end(token);
    if (end == nullptr || !ends_json_scalar(*end)) return fail_expected("a value");
    text = {reinterpret_cast<const char*>(token), static_cast<std::size_t>(end - token)};
    return true;
  }
  const std::uint8_t* from = token + 1;
  const std::uint8_t* end = find_json_string_end(from);
  if (*end == '"') {
    text = {reinterpret_cast<const char*>(from), static_cast<std::size_t>(end - from)};
    return true;
  }
  text_.resize(end_ - *next_ + GrowingBuffer::kSlack);
  auto* const to = reinterpret_cast<std::uint8_t*>(text_.data());
  const std::uint8_t* written = index_->unescape(from, to);
  if (written == nullptr) return fail_syntax("a wrong escape in a string");
  text = std::string_view(text_).substr(0, static_cast<std::size_t>(written - to));
  return true;
}

bool JsonReader::skip_value() {
  const std::uint8_t* token = base_ + *next_;
  switch (*token) {
    case '"':
      ++next_;
      return true;
    case '{':
    case '[':
      return skip_container();
    case 't':
    case 'f':
    case 'n':
      if (scalar_end(token) == nullptr) return fail_expected("a value");
      ++next_;
      return true;
    default:
      if (!starts_number(*token)) return fail_expected("a value");
      ++next_;
      return true;
  }
}

bool JsonReader::skip_container() {
  JsonBrackets brackets;
  do {
    if (*next_ >= end_) return fail_expected("the end of the value");
    const std::uint8_t token = byte_at(next_);
    if (token == '{' || token == '[') {
      if (!brackets.open(token)) return fail_too_deep();
    } else if (token == '}' || token == ']') {
      if (!brackets.close(token)) return fail_expected("the other kind of bracket");
    }
    ++next_;
  } while (brackets.any());
  return true;
}

bool JsonReader::fail(ErrorCode code, std::string message) {
  error_ = Status(code, std::move(message));
  error_offset_ = *next_;
  return false;
}

bool JsonReader::fail_syntax(std::string message) {
  error_is_syntax_ = true;
  return fail(ErrorCode::kMalformedRecord, std::move(message));
}

bool JsonReader::fail_expected(std::string_view what) {
  if (*next_ >= end_)
    return fail_syntax(fmt::format("{} expected, but the record ends here", what));
  return fail_syntax(fmt::format("{} expected, got {}", what, quoted_excerpt(excerpt())));
}

bool JsonReader::fail_too_deep() {
  return fail_syntax(fmt::format("more than {} levels of nesting", kMaxJsonDepth));
}

bool JsonReader::fail_wrong_type(const Node& node) {
  error_ = wrong_type(node.type, excerpt());
  error_offset_ = *next_;
  return false;
}

std::string_view JsonReader::excerpt() const {
  return {reinterpret_cast<const char*>(base_ + *next_), end_ - *next_};
}

}  // namespace tidegate
