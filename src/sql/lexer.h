// SPDX-License-Identifier: Apache-2.0
//
// Flink's lexical rules. Tokens are places in the script and hold no text of their own, so that a
// script of many megabytes costs a small multiple of its size.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sql/syntax.h"
#include "tidegate/error_code.h"
#include "tidegate/status.h"

namespace tidegate::sql {

enum class TokenKind : std::uint8_t {
  kEnd,            ///< behind the last one
  kWord,           ///< a keyword or a name
  kQuotedName,     ///< `name`
  kString,         ///< 'text', N'text', _UTF8'text'
  kUnicodeString,  ///< U&'text'
  kBinaryString,   ///< X'0a'
  kNumber,
  kSymbol,
  kHintBegin,  ///< /*+
  kHintEnd,    ///< the end of a hint
  kBadName,    ///< 10s: neither a number nor a name; values of SET may look so
  kError,      ///< no token; the last one of a list
};

/// The keywords, see keywords.inc.
enum class Word : std::uint16_t {
  kNone,
#define TIDEGATE_RESERVED(name, text) name,
#define TIDEGATE_WORD(name, text) name,
#include "sql/keywords.inc"
#undef TIDEGATE_RESERVED
#undef TIDEGATE_WORD
};

/// "SELECT".
std::string_view word_text(Word word);
/// Never a name without back quotes.
bool is_reserved(Word word);
/// The keyword that this text is, in any case; kNone for other text.
Word find_word(std::string_view text);

/// Symbols of two characters; those of one are their character.
enum class Sign : std::uint16_t {
  kLessGreater = '<' * 256 + '>',
  kExclamationEqual = '!' * 256 + '=',
  kLessEqual = '<' * 256 + '=',
  kGreaterEqual = '>' * 256 + '=',
  kConcat = '|' * 256 + '|',
  kArrow = '=' * 256 + '>',
};

struct Token {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  TokenKind kind = TokenKind::kEnd;
  std::uint16_t code = 0;  ///< kWord: its Word; kSymbol: the character or Sign

  Word word() const { return kind == TokenKind::kWord ? static_cast<Word>(code) : Word::kNone; }
  bool is(Word word) const {
    return kind == TokenKind::kWord && code == static_cast<std::uint16_t>(word);
  }
  bool is(char symbol) const {
    return kind == TokenKind::kSymbol && code == static_cast<std::uint16_t>(symbol);
  }
  bool is(Sign sign) const {
    return kind == TokenKind::kSymbol && code == static_cast<std::uint16_t>(sign);
  }
};

/// The tokens of a script. The last one is kEnd, or kError with what is wrong there.
struct TokenList {
  std::vector<Token> tokens;
  std::string error;
  ErrorCode error_code = ErrorCode::kInvalidSyntax;
};

TokenList tokenize(std::string_view text);

/// Bytes of the UTF-8 sequence at the beginning of `text`; 0 when it is none.
std::size_t utf8_length(std::string_view text);

/// The name of a kWord or kQuotedName token.
std::string name_of(std::string_view token_text);
/// The characters of a kString or kBinaryString token.
std::string string_of(std::string_view token_text);
/// Those of a kUnicodeString token; `escape` is the character that UESCAPE names.
Result<std::string> unicode_string_of(std::string_view token_text, char escape);

}  // namespace tidegate::sql
