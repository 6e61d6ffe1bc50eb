// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "sql/lexer.h"
#include "sql/source_text.h"
#include "sql/syntax.h"
#include "tidegate/status.h"

namespace tidegate::sql {

/// The parser's view of the tokens: where it stands, what is next, and errors about it. Remembers
/// which words were asked for at the current token, so that an error can name the one that was
/// probably meant.
class TokenCursor {
 public:
  explicit TokenCursor(const SourceText& source);

  const SourceText& source() const { return source_; }
  std::size_t position() const { return next_; }
  const Token& peek(std::size_t ahead = 0) const {
    const std::size_t last = list_.tokens.size() - 1;
    return list_.tokens[next_ + ahead < last ? next_ + ahead : last];
  }
  const Token& token(std::size_t position) const { return list_.tokens[position]; }
  std::string_view text_of(const Token& token) const {
    return source_.text.substr(token.begin, token.end - token.begin);
  }
  void advance();
  bool at_end() const { return peek().kind == TokenKind::kEnd; }
  /// At ';' or the end.
  bool at_statement_end() const { return at_end() || peek().is(';'); }

  bool at(Word word) const;
  bool at(char symbol) const { return peek().is(symbol); }
  bool at(Sign sign) const { return peek().is(sign); }
  bool at(TokenKind kind) const { return peek().kind == kind; }
  /// These words in a row.
  bool at_words(std::initializer_list<Word> words) const;
  bool at_function(Word name) const { return peek().is(name) && peek(1).is('('); }
  bool at_string() const {
    return peek().kind == TokenKind::kString || peek().kind == TokenKind::kUnicodeString;
  }

  bool accept(Word word);
  bool accept(char symbol);
  bool accept(Sign sign);
  bool accept_words(std::initializer_list<Word> words);
  Status expect(Word word);
  Status expect(char symbol);
  Status expect_words(std::initializer_list<Word> words);

  /// True for what can be a name here: quoted ones and words that are not reserved.
  bool at_name(std::size_t ahead = 0) const;
  /// `what` is wanted: "a column name".
  Result<Identifier> expect_name(std::string_view what);
  /// One name after the other, with dots between.
  Result<QualifiedName> expect_qualified_name(std::string_view what);
  /// (a, b, c).
  Result<std::vector<Identifier>> expect_name_list(std::string_view what);
  Result<std::string> expect_string(std::string_view what);
  Result<std::int64_t> expect_integer(std::string_view what);

  /// The text from a token up to the current one.
  Place place_from(std::size_t first) const;
  /// The position behind the bracket that closes the one at `position`.
  std::size_t behind_bracket(std::size_t position) const;

  /// "expected {what} but found ...", about the current token.
  Status expected(std::string_view what) const;
  Status error_here(ErrorCode code, std::string message, std::string remedy = {}) const;
  Status not_supported(std::string_view what, std::string remedy = {}) const;
  Status error_in(Place place, ErrorCode code, std::string message, std::string remedy = {}) const;

  /// The name just read is an alias without AS: perhaps a misspelt keyword.
  void mark_bare_alias();

 private:
  std::string found() const;
  std::string suggestion() const;
  bool stands_for_name(std::string_view wanted) const;
  void match_brackets() const;

  SourceText source_;
  TokenList list_;
  std::size_t next_ = 0;
  mutable std::array<Word, 128> tried_;
  mutable std::size_t tried_count_ = 0;
  std::size_t alias_at_ = static_cast<std::size_t>(-1);
  mutable std::vector<std::uint32_t> closing_;  ///< by token; made when first asked for
};

}  // namespace tidegate::sql
