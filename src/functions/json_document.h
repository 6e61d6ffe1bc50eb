// SPDX-License-Identifier: Apache-2.0
//
// JSON texts as trees. Numbers keep all their digits, and nothing is unescaped before it is asked
// for; the library that the JSON format uses offers neither.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidegate {

enum class JsonKind : std::uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };

/// The first value of a text, read as Jackson reads it: what stands behind it does not matter. Used
/// again and again for one text after the other; it refers to the text, which must outlive it.
class JsonDocument {
 public:
  /// A value, by its number: in the order in which values start in the text.
  using Node = std::int32_t;
  static constexpr Node kRoot = 0;
  static constexpr Node kNone = -1;

  /// False when the text does not start with a value of JSON; problem() then says why.
  bool parse(std::string_view text);
  const std::string& problem() const { return problem_; }

  JsonKind kind(Node node) const { return item(node).kind; }
  bool is_scalar(Node node) const { return kind(node) < JsonKind::kArray; }
  /// Elements of an array; members of an object, with one key as often as it was written.
  std::int32_t size(Node node) const { return item(node).size; }
  /// The elements of an array are first(), next(first()), .... Keys and values of an object take
  /// turns.
  Node first(Node node) const { return node + 1; }
  Node next(Node node) const { return item(node).next; }
  Node element(Node array, std::int64_t index) const;
  /// The value of the last member of this key, or kNone.
  Node member(Node object, std::string_view key) const;
  /// Keys and values of an object in order, each key once with its last value.
  std::vector<std::pair<Node, Node>> members(Node object) const;

  /// A number, or what a string has between its quotes, as it was written.
  std::string_view token(Node scalar) const { return item(scalar).text; }
  /// The text of a string.
  std::string text(Node string) const;
  /// A scalar as text: a string's own text, numbers as Java's BigDecimal prints them.
  void append_scalar(Node node, std::string& out) const;
  /// As JSON without blanks, the members of objects by key.
  void append_json(Node node, std::string& out) const;

 private:
  struct Item {
    JsonKind kind;
    bool has_escapes;  // kString
    std::int32_t size;
    Node next;
    std::string_view text;
  };

  const Item& item(Node node) const { return items_[static_cast<std::size_t>(node)]; }
  void skip_blanks();
  bool fail(const char* what);
  bool parse_value(int depth);
  bool parse_string();
  bool parse_escape();
  bool parse_number();
  bool parse_word(std::string_view word, JsonKind kind);
  bool parse_array(int depth);
  bool parse_object(int depth);

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Item> items_;
  std::string problem_;
};

/// A text as a JSON string, with quotes and as few escapes as there may be.
void append_json_text(std::string_view text, std::string& out);
/// A number as Java's BigDecimal prints it, from any number of JSON: 1e3 is 1E+3, -0 is 0.
void append_json_number(std::string_view token, std::string& out);
/// What comes first among keys: by UTF-16 units, as Java compares strings.
bool comes_before_in_utf16(std::string_view a, std::string_view b);

}  // namespace tidegate
