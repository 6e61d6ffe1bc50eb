// SPDX-License-Identifier: Apache-2.0
#include "functions/java_regex.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace tidegate {

namespace {

/// Classes of ASCII, which PCRE2 has as [:lower:].
constexpr std::pair<std::string_view, std::string_view> kAsciiClasses[] = {
    {"Lower", "lower"}, {"Upper", "upper"}, {"ASCII", "ascii"}, {"Alpha", "alpha"},
    {"Digit", "digit"}, {"Alnum", "alnum"}, {"Punct", "punct"}, {"Graph", "graph"},
    {"Print", "print"}, {"Blank", "blank"}, {"Cntrl", "cntrl"}, {"XDigit", "xdigit"},
    {"Space", "space"}};

/// Properties that have another name.
constexpr std::pair<std::string_view, std::string_view> kProperties[] = {
    {"IsAlphabetic", "L"}, {"IsLetter", "L"},      {"IsDigit", "Nd"},     {"IsUppercase", "Lu"},
    {"IsLowercase", "Ll"}, {"IsPunctuation", "P"}, {"IsTitlecase", "Lt"}, {"IsControl", "Cc"}};

template <std::size_t N>
std::string_view look_up(const std::pair<std::string_view, std::string_view> (&table)[N],
                         std::string_view name) {
  const auto found = std::find_if(std::begin(table), std::end(table),
                                  [name](const auto& row) { return row.first == name; });
  return found == std::end(table) ? std::string_view() : found->second;
}

class Translation {
 public:
  explicit Translation(std::string_view pattern) : pattern_(pattern) {}

  Result<std::string> run() {
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_];
      if (c == '\\') {
        translate_escape();
      } else if (c == '[') {
        if (in_set_) return not_supported("a set within a set");
        open_set();
      } else if (in_set_ && pattern_.substr(at_).starts_with("&&")) {
        return not_supported("an intersection of sets");
      } else {
        if (c == ']') in_set_ = false;
        take(1);
      }
    }
    return std::move(out_);
  }

 private:
  Status not_supported(std::string_view what) const {
    return error(ErrorCode::kNotSupported, "regular expression '{}', byte {}: {}", pattern_, at_,
                 what);
  }
  void take(std::size_t count) {
    out_ += pattern_.substr(at_, count);
    at_ = std::min(at_ + count, pattern_.size());
  }

  /// A ] that comes first is a character.
  void open_set() {
    in_set_ = true;
    take(1);
    if (pattern_.substr(at_).starts_with('^')) take(1);
    if (pattern_.substr(at_).starts_with(']')) {
      out_ += "\\]";
      ++at_;
    }
  }

  void translate_escape() {
    const std::string_view rest = pattern_.substr(at_);
    if (rest.starts_with("\\Q")) {
      const std::size_t end = rest.find("\\E");
      take(end == std::string_view::npos ? rest.size() : end + 2);
    } else if (rest.starts_with("\\u") && rest.size() >= 6) {
      out_ += "\\x{";
      out_ += rest.substr(2, 4);
      out_ += '}';
      at_ += 6;
    } else if (rest.starts_with("\\p{") || rest.starts_with("\\P{")) {
      translate_property(rest);
    } else {
      take(2);
    }
  }

  void translate_property(std::string_view rest) {
    const std::size_t end = rest.find('}');
    if (end == std::string_view::npos) return take(rest.size());
    const bool negated = rest[1] == 'P';
    std::string_view name = rest.substr(3, end - 3);
    if (const std::string_view ascii = look_up(kAsciiClasses, name); !ascii.empty()) {
      if (!in_set_) out_ += '[';
      out_ += negated ? "[:^" : "[:";
      out_ += ascii;
      out_ += ":]";
      if (!in_set_) out_ += ']';
    } else {
      if (const std::string_view other = look_up(kProperties, name); !other.empty()) {
        name = other;
      } else if (name.starts_with("Is")) {
        name.remove_prefix(2);
      }
      out_ += negated ? "\\P{" : "\\p{";
      out_ += name;
      out_ += '}';
    }
    at_ += end + 1;
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
  bool in_set_ = false;
  std::string out_;
};

}  // namespace

Result<std::string> pcre_from_java(std::string_view pattern) { return Translation(pattern).run(); }

}  // namespace tidegate
