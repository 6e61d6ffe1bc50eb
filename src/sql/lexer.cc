// SPDX-License-Identifier: Apache-2.0
#include "sql/lexer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <utility>

#include "base/check.h"

namespace tidegate::sql {
namespace {

struct Keyword {
  std::string_view text;
  Word word = Word::kNone;
  bool reserved = false;
};

constexpr auto kByWord = std::to_array<Keyword>({
    {"", Word::kNone, false},
#define TIDEGATE_RESERVED(name, text) {text, Word::name, true},
#define TIDEGATE_WORD(name, text) {text, Word::name, false},
#include "sql/keywords.inc"
#undef TIDEGATE_RESERVED
#undef TIDEGATE_WORD
});

constexpr auto sorted_keywords() {
  auto sorted = kByWord;
  std::sort(sorted.begin(), sorted.end(),
            [](const Keyword& a, const Keyword& b) { return a.text < b.text; });
  return sorted;
}
constexpr auto kByText = sorted_keywords();
constexpr std::size_t kMaxWordLength = 20;
static_assert(std::all_of(kByWord.begin(), kByWord.end(),
                          [](const Keyword& k) { return k.text.size() <= kMaxWordLength; }));

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_name_part(char c) { return is_letter(c) || is_digit(c) || c == '$'; }
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

/// E'...': text with escapes as in C.
bool has_c_escapes(std::string_view token_text) {
  return token_text.starts_with('E') || token_text.starts_with('e');
}

void append_utf8(char32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0U | (c >> 6U));
    out += static_cast<char>(0x80U | (c & 0x3FU));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0U | (c >> 12U));
    out += static_cast<char>(0x80U | ((c >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (c & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | (c >> 18U));
    out += static_cast<char>(0x80U | ((c >> 12U) & 0x3FU));
    out += static_cast<char>(0x80U | ((c >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (c & 0x3FU));
  }
}

/// Characters that word processors put where SQL means plain ones, and what to write instead.
struct LookAlike {
  std::string_view character;
  std::string_view meant;
};
/// A blank that does not break the line.
constexpr std::string_view kHardBlank = "\xC2\xA0";
constexpr LookAlike kLookAlikes[] = {
    {"\xE2\x80\x98", "'"}, {"\xE2\x80\x99", "'"}, {"\xE2\x80\x9C", "'"}, {"\xE2\x80\x9D", "'"},
    {"\xE2\x80\x93", "-"}, {"\xE2\x80\x94", "-"}, {"\xEF\xBC\x8C", ","}, {"\xEF\xBC\x9B", ";"},
    {"\xEF\xBC\x88", "("}, {"\xEF\xBC\x89", ")"}, {"\xC2\xB4", "'"},
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  TokenList run() {
    if (text_.size() > kMaxBytes) {
      list_.error_code = ErrorCode::kLimitExceeded;
      fail(0, 0, fmt::format("the script has {} bytes, more than {}", text_.size(), kMaxBytes));
      return std::move(list_);
    }
    list_.tokens.reserve(text_.size() / 5 + 2);
    if (text_.starts_with("\xEF\xBB\xBF")) next_ = 3;
    while (skip_blanks() && next_ < text_.size()) {
      if (!read_token()) return std::move(list_);
    }
    if (list_.error.empty()) {
      if (hint_begin_ != kNoHint) {
        fail(hint_begin_, hint_begin_ + 3, "the hint is not closed with */");
      } else {
        emit(TokenKind::kEnd, next_);
      }
    }
    return std::move(list_);
  }

 private:
  static constexpr std::size_t kMaxBytes = std::size_t{1} << 30U;
  static constexpr std::size_t kNoHint = std::numeric_limits<std::size_t>::max();

  char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  bool at_text(std::string_view what) const { return text_.substr(next_, what.size()) == what; }

  void emit(TokenKind kind, std::size_t begin, std::uint16_t code = 0) {
    list_.tokens.push_back(
        {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(next_), kind, code});
  }

  bool fail(std::size_t begin, std::size_t end, std::string message) {
    list_.error = std::move(message);
    list_.tokens.push_back(
        {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), TokenKind::kError, 0});
    return false;
  }

  bool skip_blanks() {
    while (next_ < text_.size()) {
      if (is_space(text_[next_])) {
        ++next_;
      } else if (at_text("--") || at_slashes()) {
        while (next_ < text_.size() && text_[next_] != '\n') ++next_;
      } else if (at_text(kHardBlank)) {
        next_ += kHardBlank.size();
      } else if (at_text("/*") && at(next_ + 2) != '+') {
        const std::size_t end = text_.find("*/", next_ + 2);
        if (end == std::string_view::npos)
          return fail(next_, next_ + 2, "the comment is not closed with */");
        next_ = end + 2;
      } else {
        break;
      }
    }
    return true;
  }

  /// A comment, unless it is part of an address: SET path = file:///data.
  bool at_slashes() const {
    return at_text("//") && (next_ == 0 || (text_[next_ - 1] != ':' && text_[next_ - 1] != '/'));
  }

  bool read_token() {
    const char c = text_[next_];
    if (c == '\'') return read_string(next_, next_, TokenKind::kString);
    if (c == '`') return read_quoted_name();
    if (is_digit(c) || (c == '.' && is_digit(at(next_ + 1)))) return read_number();
    if (is_letter(c)) return read_word();
    return read_symbol();
  }

  bool read_word() {
    const std::size_t begin = next_;
    const char c = text_[next_];
    if ((c == 'U' || c == 'u') && at(next_ + 1) == '&' && at(next_ + 2) == '\'')
      return read_string(begin, next_ + 2, TokenKind::kUnicodeString);
    if ((c == 'X' || c == 'x') && at(next_ + 1) == '\'')
      return read_string(begin, next_ + 1, TokenKind::kBinaryString);
    if (std::string_view("NnEe").find(c) != std::string_view::npos && at(next_ + 1) == '\'')
      return read_string(begin, next_ + 1, TokenKind::kString);
    while (next_ < text_.size() && is_name_part(text_[next_]) && !at_text(kHardBlank)) {
      if (static_cast<unsigned char>(text_[next_]) < 0x80) {
        ++next_;
      } else if (!read_letter()) {
        return false;
      }
    }
    if (c == '_' && at(next_) == '\'') return read_string(begin, next_, TokenKind::kString);
    const Word word = find_word(text_.substr(begin, next_ - begin));
    emit(TokenKind::kWord, begin, static_cast<std::uint16_t>(word));
    return true;
  }

  /// A character beyond ASCII.
  bool read_letter() {
    const std::size_t length = utf8_length(text_.substr(next_));
    if (length == 0) return invalid_utf8(next_);
    const std::string_view character = text_.substr(next_, length);
    for (const LookAlike& other : kLookAlikes) {
      if (character != other.character) continue;
      return fail(next_, next_ + length,
                  fmt::format("{} is not a character of SQL; write {}", character, other.meant));
    }
    next_ += length;
    return true;
  }

  bool invalid_utf8(std::size_t place) {
    return fail(place, place + 1,
                fmt::format("the byte 0x{:02X} is not UTF-8 text",
                            static_cast<unsigned>(static_cast<unsigned char>(text_[place]))));
  }

  /// `begin`: of the token with its prefix; `quote`: of the opening quote.
  bool read_string(std::size_t begin, std::size_t quote, TokenKind kind) {
    std::size_t i = quote + 1;
    const bool has_escapes = has_c_escapes(text_.substr(begin));
    while (true) {
      if (has_escapes && at(i) == '\\' && (at(i + 1) == '\'' || at(i + 1) == '\\')) {
        i += 2;
        continue;
      }
      if (i >= text_.size()) return fail(begin, quote + 1, "the text is not closed with '");
      if (text_[i] == '\'') {
        if (at(i + 1) != '\'') break;
        i += 2;
        continue;
      }
      const std::size_t length = utf8_length(text_.substr(i, 4));
      if (length == 0) return invalid_utf8(i);
      i += length;
    }
    next_ = i + 1;
    emit(kind, begin);
    return true;
  }

  bool read_quoted_name() {
    const std::size_t begin = next_;
    std::size_t i = begin + 1;
    while (true) {
      if (i >= text_.size() || text_[i] == '\n')
        return fail(begin, begin + 1, "the name is not closed with `");
      if (text_[i] == '`') {
        if (at(i + 1) != '`') break;
        i += 2;
        continue;
      }
      const std::size_t length = utf8_length(text_.substr(i, 4));
      if (length == 0) return invalid_utf8(i);
      i += length;
    }
    next_ = i + 1;
    if (next_ - begin == 2) return fail(begin, next_, "a name must not be empty");
    emit(TokenKind::kQuotedName, begin);
    return true;
  }

  bool read_number() {
    const std::size_t begin = next_;
    const auto digits = [&] {
      while (is_digit(at(next_))) ++next_;
    };
    digits();
    if (at(next_) == '.') {
      ++next_;
      digits();
    }
    if (at(next_) == 'e' || at(next_) == 'E') {
      const bool sign = at(next_ + 1) == '+' || at(next_ + 1) == '-';
      const std::size_t exponent = next_ + (sign ? 2 : 1);
      if (is_digit(at(exponent))) {
        next_ = exponent;
        digits();
      }
    }
    if (is_letter(at(next_))) {
      std::size_t end = next_;
      while (is_name_part(at(end)) && utf8_length(text_.substr(end, 4)) > 0)
        end += utf8_length(text_.substr(end, 4));
      if (end == next_) return invalid_utf8(end);
      next_ = end;
      emit(TokenKind::kBadName, begin);
      return true;
    }
    emit(TokenKind::kNumber, begin);
    return true;
  }

  bool read_symbol() {
    const std::size_t begin = next_;
    if (at_text("/*+")) {
      next_ += 3;
      hint_begin_ = begin;
      emit(TokenKind::kHintBegin, begin);
      return true;
    }
    if (hint_begin_ != kNoHint && at_text("*/")) {
      next_ += 2;
      hint_begin_ = kNoHint;
      emit(TokenKind::kHintEnd, begin);
      return true;
    }
    constexpr std::string_view kTwo[] = {"<>", "!=", "<=", ">=", "||", "=>"};
    for (std::string_view two : kTwo) {
      if (!at_text(two)) continue;
      next_ += 2;
      emit(TokenKind::kSymbol, begin, static_cast<std::uint16_t>(two[0] * 256 + two[1]));
      return true;
    }
    const char c = text_[next_];
    constexpr std::string_view kOne = "()[]{},.;+-*/%=<>?:|^$&@#~!\\";
    if (kOne.find(c) != std::string_view::npos) {
      ++next_;
      emit(TokenKind::kSymbol, begin, static_cast<std::uint16_t>(c));
      return true;
    }
    if (c == '"') {
      return fail(begin, begin + 1,
                  "double quotes have no meaning here; write 'text' for text and `name` for names");
    }
    return fail(begin, begin + 1,
                fmt::format("the character 0x{:02X} is not part of SQL",
                            static_cast<unsigned>(static_cast<unsigned char>(c))));
  }

  std::string_view text_;
  std::size_t next_ = 0;
  std::size_t hint_begin_ = kNoHint;
  TokenList list_;
};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Without what stands around it, with doubled quotes undone.
std::string unquote(std::string_view text, char quote) {
  text.remove_prefix(text.find(quote) + 1);
  text.remove_suffix(1);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] == quote) ++i;
  }
  return out;
}

/// What means nothing behind a backslash stays, as does the backslash.
std::string undo_c_escapes(std::string_view text) {
  text = text.substr(2, text.size() - 3);
  constexpr std::string_view kLetters = "bfnrt\\'";
  constexpr std::string_view kMeant = "\b\f\n\r\t\\'";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] != '\\') {
      out += text[i];
      if (text[i] == '\'') ++i;  // doubled
      continue;
    }
    if (const std::size_t letter = kLetters.find(next); letter != std::string_view::npos) {
      out += kMeant[letter];
      ++i;
      continue;
    }
    const std::size_t wanted = next == 'x' ? 2 : next == 'u' ? 4 : next == 'U' ? 8 : 0;
    std::size_t digits = 0;
    char32_t code = 0;
    while (digits < wanted && i + 2 + digits < text.size() &&
           hex_digit(text[i + 2 + digits]) >= 0) {
      code = code * 16 + static_cast<char32_t>(hex_digit(text[i + 2 + digits++]));
    }
    const bool is_half = code >= 0xD800 && code <= 0xDFFF;
    if (digits == 0 || (wanted > 2 && digits != wanted) || code > 0x10FFFF || is_half) {
      out += '\\';
      continue;
    }
    append_utf8(code, out);
    i += 1 + digits;
  }
  return out;
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return follows(1) ? 2 : 0;
  if (lead >= 0xE0 && lead < 0xF0) {
    if (!follows(1) || !follows(2)) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;
    return lead == 0xED && byte(1) >= 0xA0 ? 0 : 3;
  }
  if (lead < 0xF0 || lead >= 0xF5 || !follows(1) || !follows(2) || !follows(3)) return 0;
  if ((lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) >= 0x90)) return 0;
  return 4;
}

std::string_view word_text(Word word) { return kByWord[static_cast<std::size_t>(word)].text; }

bool is_reserved(Word word) { return kByWord[static_cast<std::size_t>(word)].reserved; }

Word find_word(std::string_view text) {
  if (text.empty() || text.size() > kMaxWordLength) return Word::kNone;
  char upper[kMaxWordLength];
  for (std::size_t i = 0; i < text.size(); ++i)
    upper[i] = text[i] >= 'a' && text[i] <= 'z' ? static_cast<char>(text[i] - 'a' + 'A') : text[i];
  const std::string_view wanted(upper, text.size());
  const auto* found = std::lower_bound(
      kByText.begin(), kByText.end(), wanted,
      [](const Keyword& keyword, std::string_view value) { return keyword.text < value; });
  return found != kByText.end() && found->text == wanted ? found->word : Word::kNone;
}

TokenList tokenize(std::string_view text) { return Lexer(text).run(); }

std::string name_of(std::string_view token_text) {
  return token_text.starts_with('`') ? unquote(token_text, '`') : std::string(token_text);
}

std::string string_of(std::string_view token_text) {
  return has_c_escapes(token_text) ? undo_c_escapes(token_text) : unquote(token_text, '\'');
}

Result<std::string> unicode_string_of(std::string_view token_text, char escape) {
  const std::string text = unquote(token_text, '\'');
  std::string out;
  char32_t high = 0;  // the first half of a pair of UTF-16 code units
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != escape || (i + 1 < text.size() && text[i + 1] == escape)) {
      if (high != 0) break;
      out += text[i];
      if (text[i] == escape) ++i;
      continue;
    }
    char32_t code = 0;
    for (std::size_t k = 1; k <= 4; ++k) {
      const int digit = i + k < text.size() ? hex_digit(text[i + k]) : -1;
      if (digit < 0) {
        return error(ErrorCode::kInvalidSyntax, "{} in U&'...' needs four hexadecimal digits",
                     escape);
      }
      code = code * 16 + static_cast<char32_t>(digit);
    }
    i += 4;
    if (high != 0) {
      if (code < 0xDC00 || code > 0xDFFF) break;
      append_utf8(0x10000 + ((high - 0xD800) << 10U) + (code - 0xDC00), out);
      high = 0;
    } else if (code >= 0xD800 && code <= 0xDBFF) {
      high = code;
    } else if (code >= 0xDC00 && code <= 0xDFFF) {
      high = code;
      break;
    } else {
      append_utf8(code, out);
    }
  }
  if (high != 0) return error(ErrorCode::kInvalidSyntax, "U&'...' has half of a surrogate pair");
  return out;
}

}  // namespace tidegate::sql
