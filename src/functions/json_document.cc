// SPDX-License-Identifier: Apache-2.0
#include "functions/json_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "functions/unicode.h"

namespace tidegate {

namespace {

/// As deep as Jackson reads.
constexpr int kMaxDepth = 1000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Four hexadecimal digits at `at`, which are there.
char32_t hexadecimal(std::string_view text, std::size_t at) {
  std::uint32_t unit = 0;
  std::from_chars(text.data() + at, text.data() + at + 4, unit, 16);
  return unit;
}

/// Appends what the escape at the start of `text` stands for and takes it off.
void take_escape(std::string_view& text, std::string& out) {
  const char c = text[1];
  if (c != 'u') {
    constexpr std::string_view kNames = "bfnrt";
    constexpr std::string_view kValues = "\b\f\n\r\t";
    const std::size_t known = kNames.find(c);
    out += known == std::string_view::npos ? c : kValues[known];
    text.remove_prefix(2);
    return;
  }
  const char32_t unit = hexadecimal(text, 2);
  text.remove_prefix(6);
  const bool pair = is_high_surrogate(unit) && text.size() >= 6 && text.starts_with("\\u") &&
                    is_low_surrogate(hexadecimal(text, 2));
  if (pair) {
    append_code_point(from_surrogates(unit, hexadecimal(text, 2)), out);
    text.remove_prefix(6);
  } else {
    // Half a character is none, and Java writes that as a question mark.
    append_code_point(is_surrogate(unit) ? U'?' : unit, out);
  }
}

void append_unescaped(std::string_view text, std::string& out) {
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find('\\'), text.size());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (!text.empty()) take_escape(text, out);
  }
}

}  // namespace

bool JsonDocument::parse(std::string_view text) {
  text_ = text;
  at_ = 0;
  items_.clear();
  problem_.clear();
  return parse_value(0);
}

void JsonDocument::skip_blanks() {
  while (at_ < text_.size() &&
         (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
    ++at_;
}

bool JsonDocument::fail(const char* what) {
  problem_ = fmt::format("not JSON at byte {}: {}", at_, what);
  return false;
}

bool JsonDocument::parse_value(int depth) {
  if (depth > kMaxDepth) return fail("nested too deep");
  skip_blanks();
  if (at_ == text_.size()) return fail("a value is missing");
  switch (text_[at_]) {
    case '{':
      return parse_object(depth);
    case '[':
      return parse_array(depth);
    case '"':
      return parse_string();
    case 't':
      return parse_word("true", JsonKind::kTrue);
    case 'f':
      return parse_word("false", JsonKind::kFalse);
    case 'n':
      return parse_word("null", JsonKind::kNull);
    default:
      return parse_number();
  }
}

bool JsonDocument::parse_word(std::string_view word, JsonKind kind) {
  if (!text_.substr(at_).starts_with(word)) return fail("an unknown word");
  at_ += word.size();
  const auto continues = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '$' || static_cast<unsigned char>(c) >= 0x80;
  };
  if (at_ < text_.size() && continues(text_[at_])) return fail("an unknown word");
  const auto next = static_cast<Node>(items_.size()) + 1;
  items_.push_back({kind, false, 0, next, word});
  return true;
}

bool JsonDocument::parse_number() {
  const std::size_t start = at_;
  const auto digits = [this] {
    const std::size_t first = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return at_ - first;
  };
  const auto take = [this](std::string_view any) {
    const bool there = at_ < text_.size() && any.find(text_[at_]) != std::string_view::npos;
    if (there) ++at_;
    return there;
  };
  take("-");
  const bool leading_zero = at_ < text_.size() && text_[at_] == '0';
  const std::size_t whole = digits();
  if (whole == 0) return fail("an unexpected character");
  if (leading_zero && whole > 1) return fail("a number starts with 0");
  if (take(".") && digits() == 0) return fail("no digit behind the point");
  if (take("eE")) {
    take("+-");
    const std::size_t exponent = digits();
    if (exponent == 0) return fail("a number without its exponent");
    // More than any number that means something, and than what fits the arithmetic here.
    if (exponent > 9) return fail("an exponent that is too large");
  }
  const bool ends = at_ == text_.size() ||
                    std::string_view(" \t\r\n,]}").find(text_[at_]) != std::string_view::npos;
  if (!ends) return fail("an unexpected character in a number");
  const auto next = static_cast<Node>(items_.size()) + 1;
  items_.push_back({JsonKind::kNumber, false, 0, next, text_.substr(start, at_ - start)});
  return true;
}

bool JsonDocument::parse_escape() {
  if (at_ + 1 >= text_.size()) return fail("a string without end");
  if (text_[at_ + 1] != 'u') {
    if (std::string_view("\"\\/bfnrt").find(text_[at_ + 1]) == std::string_view::npos)
      return fail("an unknown escape");
    at_ += 2;
    return true;
  }
  const auto is_hexadecimal = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  };
  const std::string_view four = text_.substr(std::min(at_ + 2, text_.size()), 4);
  if (four.size() < 4 || !std::all_of(four.begin(), four.end(), is_hexadecimal))
    return fail("an unknown escape");
  at_ += 6;
  return true;
}

bool JsonDocument::parse_string() {
  const std::size_t start = ++at_;
  bool has_escapes = false;
  while (at_ < text_.size() && text_[at_] != '"') {
    if (text_[at_] == '\\') {
      has_escapes = true;
      if (!parse_escape()) return false;
    } else if (static_cast<unsigned char>(text_[at_]) < 0x20) {
      return fail("a control character in a string");
    } else {
      ++at_;
    }
  }
  if (at_ == text_.size()) return fail("a string without end");
  const auto next = static_cast<Node>(items_.size()) + 1;
  items_.push_back({JsonKind::kString, has_escapes, 0, next, text_.substr(start, at_ - start)});
  ++at_;
  return true;
}

bool JsonDocument::parse_array(int depth) {
  const std::size_t self = items_.size();
  items_.push_back({JsonKind::kArray, false, 0, 0, {}});
  ++at_;
  skip_blanks();
  std::int32_t size = 0;
  bool ended = at_ < text_.size() && text_[at_] == ']';
  while (!ended) {
    if (!parse_value(depth + 1)) return false;
    ++size;
    skip_blanks();
    if (at_ == text_.size()) return fail("an array without end");
    ended = text_[at_] == ']';
    if (!ended && text_[at_] != ',') return fail("a comma or ] is missing");
    if (!ended) ++at_;
  }
  ++at_;
  items_[self].size = size;
  items_[self].next = static_cast<Node>(items_.size());
  return true;
}

bool JsonDocument::parse_object(int depth) {
  const std::size_t self = items_.size();
  items_.push_back({JsonKind::kObject, false, 0, 0, {}});
  ++at_;
  skip_blanks();
  std::int32_t size = 0;
  bool ended = at_ < text_.size() && text_[at_] == '}';
  while (!ended) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != '"') return fail("a key is missing");
    if (!parse_string()) return false;
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != ':') return fail("a colon is missing");
    ++at_;
    if (!parse_value(depth + 1)) return false;
    ++size;
    skip_blanks();
    if (at_ == text_.size()) return fail("an object without end");
    ended = text_[at_] == '}';
    if (!ended && text_[at_] != ',') return fail("a comma or } is missing");
    if (!ended) ++at_;
  }
  ++at_;
  items_[self].size = size;
  items_[self].next = static_cast<Node>(items_.size());
  return true;
}

JsonDocument::Node JsonDocument::element(Node array, std::int64_t index) const {
  if (index < 0) index += size(array);
  if (index < 0 || index >= size(array)) return kNone;
  Node node = first(array);
  for (; index > 0; --index) node = next(node);
  return node;
}

JsonDocument::Node JsonDocument::member(Node object, std::string_view key) const {
  Node found = kNone;
  for (Node node = first(object); node < next(object); node = next(node + 1)) {
    const bool same = item(node).has_escapes ? text(node) == key : item(node).text == key;
    if (same) found = node + 1;
  }
  return found;
}

std::vector<std::pair<JsonDocument::Node, JsonDocument::Node>> JsonDocument::members(
    Node object) const {
  std::vector<std::pair<Node, Node>> all;
  for (Node node = first(object); node < next(object); node = next(node + 1))
    all.emplace_back(node, node + 1);
  // Sorted by key, a key that is there twice stands beside itself.
  std::vector<std::pair<std::string, std::size_t>> keys;
  for (std::size_t i = 0; i < all.size(); ++i) keys.emplace_back(text(all[i].first), i);
  std::sort(keys.begin(), keys.end());
  bool any_twice = false;
  for (std::size_t i = keys.size(); i > 1; --i) {
    if (keys[i - 1].first != keys[i - 2].first) continue;
    any_twice = true;
    all[keys[i - 2].second].second = all[keys[i - 1].second].second;
    all[keys[i - 1].second].first = kNone;
  }
  if (any_twice) std::erase_if(all, [](const auto& member) { return member.first == kNone; });
  return all;
}

std::string JsonDocument::text(Node string) const {
  const Item& value = item(string);
  if (!value.has_escapes) return std::string(value.text);
  std::string out;
  append_unescaped(value.text, out);
  return out;
}

void JsonDocument::append_scalar(Node node, std::string& out) const {
  const Item& value = item(node);
  switch (value.kind) {
    case JsonKind::kString:
      return append_unescaped(value.text, out);
    case JsonKind::kNumber:
      return append_json_number(value.text, out);
    default:
      out += value.text;
  }
}

void JsonDocument::append_json(Node node, std::string& out) const {
  switch (kind(node)) {
    case JsonKind::kString:
      if (item(node).has_escapes) return append_json_text(text(node), out);
      out += '"';
      out += item(node).text;
      out += '"';
      return;
    case JsonKind::kArray: {
      out += '[';
      for (Node element = first(node); element < next(node); element = next(element)) {
        if (element != first(node)) out += ',';
        append_json(element, out);
      }
      out += ']';
      return;
    }
    case JsonKind::kObject: {
      std::vector<std::pair<Node, Node>> sorted = members(node);
      std::sort(sorted.begin(), sorted.end(), [this](const auto& a, const auto& b) {
        return comes_before_in_utf16(text(a.first), text(b.first));
      });
      out += '{';
      for (std::size_t i = 0; i < sorted.size(); ++i) {
        if (i > 0) out += ',';
        append_json(sorted[i].first, out);
        out += ':';
        append_json(sorted[i].second, out);
      }
      out += '}';
      return;
    }
    default:
      append_scalar(node, out);
  }
}

void append_json_text(std::string_view text, std::string& out) {
  constexpr std::string_view kEscaped = "\"\\\b\f\n\r\t";
  constexpr std::string_view kNames = "\"\\bfnrt";
  out += '"';
  for (char c : text) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') {
      out += c;
    } else if (const std::size_t known = kEscaped.find(c); known != std::string_view::npos) {
      out += '\\';
      out += kNames[known];
    } else {
      fmt::format_to(std::back_inserter(out), "\\u{:04X}", static_cast<unsigned>(c));
    }
  }
  out += '"';
}

void append_json_number(std::string_view token, std::string& out) {
  const bool negative = token.starts_with('-');
  if (negative) token.remove_prefix(1);
  const std::size_t e = std::min(token.find_first_of("eE"), token.size());
  const std::size_t point = std::min(token.find('.'), e);
  std::string digits(token.substr(0, point));
  if (point < e) digits += token.substr(point + 1, e - point - 1);
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  std::int64_t exponent = 0;
  if (e < token.size()) {
    const std::size_t sign = token[e + 1] == '+' ? 1 : 0;
    std::from_chars(token.data() + e + 1 + sign, token.data() + token.size(), exponent);
  }
  const std::int64_t scale = static_cast<std::int64_t>(e > point ? e - point - 1 : 0) - exponent;
  if (negative && digits != "0") out += '-';
  if (point == token.size()) {
    out += digits;
    return;
  }
  const auto size = static_cast<std::int64_t>(digits.size());
  const std::int64_t adjusted = size - 1 - scale;
  if (scale >= 0 && adjusted >= -6) {
    if (scale >= size) digits.insert(0, static_cast<std::size_t>(scale - size + 1), '0');
    if (scale > 0) digits.insert(digits.size() - static_cast<std::size_t>(scale), 1, '.');
    out += digits;
    return;
  }
  if (digits.size() > 1) digits.insert(1, 1, '.');
  out += digits;
  if (adjusted != 0) fmt::format_to(std::back_inserter(out), "E{:+}", adjusted);
}

bool comes_before_in_utf16(std::string_view a, std::string_view b) {
  const auto [at, bt] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (at == a.end() || bt == b.end()) return at == a.end() && bt != b.end();
  const auto x = static_cast<unsigned char>(*at);
  const auto y = static_cast<unsigned char>(*bt);
  // Characters of two units start with a smaller unit than those past the surrogates.
  const auto past_surrogates = [](unsigned char byte) { return byte == 0xEE || byte == 0xEF; };
  if (x >= 0xF0 && past_surrogates(y)) return true;
  if (y >= 0xF0 && past_surrogates(x)) return false;
  return x < y;
}

}  // namespace tidegate
