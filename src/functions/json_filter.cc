// SPDX-License-Identifier: Apache-2.0
#include "functions/json_filter.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace tidegate {

namespace {

using Filter = JsonFilter;

/// The value of an operand: none when its path finds nothing.
struct Value {
  JsonKind kind;
  std::string text;
};

std::optional<Value> value_of(const Filter::Operand& operand, const JsonDocument& document,
                              JsonDocument::Node node);

double to_number(const std::string& text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// Numbers that are whole compare exactly, others as doubles.
int compare_numbers(const std::string& a, const std::string& b) {
  std::int64_t x = 0;
  std::int64_t y = 0;
  const auto whole = [](const std::string& text, std::int64_t* value) {
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), *value);
    return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  };
  if (whole(a, &x) && whole(b, &y)) return x < y ? -1 : x > y ? 1 : 0;
  const double p = to_number(a);
  const double q = to_number(b);
  return p < q ? -1 : p > q ? 1 : 0;
}

bool is_number(const std::string& text) {
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

/// The right side takes the kind of the left one, of numbers and strings.
bool equal(const Value& a, const Value& b) {
  if (a.kind == JsonKind::kNumber && b.kind == JsonKind::kString)
    return is_number(b.text) && compare_numbers(a.text, b.text) == 0;
  if (a.kind == JsonKind::kString && b.kind == JsonKind::kNumber) return a.text == b.text;
  if (a.kind != b.kind) return false;
  if (a.kind == JsonKind::kNumber) return compare_numbers(a.text, b.text) == 0;
  return a.text == b.text;
}

bool compare(Filter::Comparison comparison, const std::optional<Value>& a,
             const std::optional<Value>& b) {
  using Comparison = Filter::Comparison;
  const bool same = a && b && equal(*a, *b);
  if (comparison == Comparison::kEqual) return same;
  if (comparison == Comparison::kNotEqual) return !same;
  if (!a || !b || a->kind != b->kind) return false;
  int order = 0;
  if (a->kind == JsonKind::kNumber) {
    order = compare_numbers(a->text, b->text);
  } else if (a->kind == JsonKind::kString) {
    order = comes_before_in_utf16(a->text, b->text) ? -1 : a->text == b->text ? 0 : 1;
  } else {
    return false;
  }
  switch (comparison) {
    case Comparison::kLess:
      return order < 0;
    case Comparison::kLessOrEqual:
      return order <= 0;
    case Comparison::kGreater:
      return order > 0;
    default:
      return order >= 0;
  }
}

}  // namespace

bool JsonFilter::accepts(const JsonDocument& document, JsonDocument::Node node) const {
  const auto part_accepts = [&](const auto& part) { return part->accepts(document, node); };
  switch (kind) {
    case Kind::kAnd:
      return std::all_of(parts.begin(), parts.end(), part_accepts);
    case Kind::kOr:
      return std::any_of(parts.begin(), parts.end(), part_accepts);
    case Kind::kNot:
      return !parts[0]->accepts(document, node);
    case Kind::kExists:
      return value_of(left, document, node).has_value();
    default:
      return compare(comparison, value_of(left, document, node), value_of(right, document, node));
  }
}

namespace {

std::optional<Value> value_of(const Filter::Operand& operand, const JsonDocument& document,
                              JsonDocument::Node node) {
  if (!operand.is_path) return Value{operand.kind, operand.text};
  const JsonMatch match =
      operand.path->find_from(document, operand.from_root ? JsonDocument::kRoot : node);
  switch (match.kind) {
    case JsonMatch::Kind::kNothing:
      return std::nullopt;
    case JsonMatch::Kind::kNode: {
      const JsonKind kind = document.kind(match.nodes[0]);
      Value value{kind, ""};
      if (kind == JsonKind::kNumber) {
        value.text = document.token(match.nodes[0]);
      } else if (kind == JsonKind::kString) {
        value.text = document.text(match.nodes[0]);
      } else if (kind >= JsonKind::kArray) {
        document.append_json(match.nodes[0], value.text);
      }
      return value;
    }
    case JsonMatch::Kind::kNumber:
      return Value{JsonKind::kNumber, match.number};
    default:
      return match.nodes.empty() ? std::nullopt : std::optional<Value>({JsonKind::kArray, ""});
  }
}

}  // namespace

}  // namespace tidegate
