// SPDX-License-Identifier: Apache-2.0
#include "sql/token_cursor.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/options.h"

namespace tidegate::sql {
namespace {

constexpr std::size_t kShownName = 40;

/// Words that may follow a table or a column: what a bare alias may have been meant to be.
constexpr Word kClauses[] = {
    Word::kFrom,      Word::kWhere,   Word::kGroup,      Word::kHaving, Word::kOrder,
    Word::kLimit,     Word::kJoin,    Word::kInner,      Word::kLeft,   Word::kRight,
    Word::kFull,      Word::kCross,   Word::kUnion,      Word::kExcept, Word::kFetch,
    Word::kIntersect, Word::kWindow,  Word::kQualify,    Word::kOn,     Word::kUsing,
    Word::kOffset,    Word::kOver,    Word::kAs,         Word::kAnd,    Word::kBetween,
    Word::kLike,      Word::kOr,      Word::kNot,        Word::kIn,     Word::kNatural,
    Word::kIs,        Word::kLateral, Word::kTablesample};

}  // namespace

TokenCursor::TokenCursor(const SourceText& source)
    : source_(source), list_(tokenize(source.text)) {}

void TokenCursor::advance() {
  if (next_ + 1 < list_.tokens.size()) ++next_;
  tried_count_ = 0;
}

bool TokenCursor::at(Word word) const {
  if (peek().is(word)) return true;
  // An error shows what was meant only where a plain word stands.
  const Token& token = peek();
  if (token.kind == TokenKind::kWord && token.word() == Word::kNone)
    tried_[tried_count_++ % tried_.size()] = word;
  return false;
}

bool TokenCursor::at_words(std::initializer_list<Word> words) const {
  std::size_t i = 0;
  for (Word word : words) {
    if (i == 0 ? !at(word) : !peek(i).is(word)) return false;
    ++i;
  }
  return true;
}

bool TokenCursor::accept(Word word) {
  if (!at(word)) return false;
  advance();
  return true;
}

bool TokenCursor::accept(char symbol) {
  if (!at(symbol)) return false;
  advance();
  return true;
}

bool TokenCursor::accept(Sign sign) {
  if (!at(sign)) return false;
  advance();
  return true;
}

bool TokenCursor::accept_words(std::initializer_list<Word> words) {
  if (!at_words(words)) return false;
  for (std::size_t i = 0; i < words.size(); ++i) advance();
  return true;
}

Status TokenCursor::expect(Word word) {
  return accept(word) ? Status::ok() : expected(word_text(word));
}

Status TokenCursor::expect(char symbol) {
  return accept(symbol) ? Status::ok() : expected(fmt::format("{}", symbol));
}

Status TokenCursor::expect_words(std::initializer_list<Word> words) {
  for (Word word : words) TG_RETURN_IF_ERROR(expect(word));
  return Status::ok();
}

bool TokenCursor::at_name(std::size_t ahead) const {
  const Token& token = peek(ahead);
  return token.kind == TokenKind::kQuotedName ||
         (token.kind == TokenKind::kWord && !is_reserved(token.word()));
}

Result<Identifier> TokenCursor::expect_name(std::string_view what) {
  if (!at_name()) return expected(what);
  const Token& token = peek();
  Identifier name{name_of(text_of(token)), {token.begin, token.end}};
  advance();
  return name;
}

Result<QualifiedName> TokenCursor::expect_qualified_name(std::string_view what) {
  QualifiedName name;
  do {
    TG_ASSIGN_OR_RETURN(Identifier part, expect_name(what));
    name.push_back(std::move(part));
  } while (accept('.'));
  return name;
}

Result<std::vector<Identifier>> TokenCursor::expect_name_list(std::string_view what) {
  TG_RETURN_IF_ERROR(expect('('));
  std::vector<Identifier> names;
  do {
    TG_ASSIGN_OR_RETURN(Identifier name, expect_name(what));
    names.push_back(std::move(name));
  } while (accept(','));
  if (!accept(')')) return expected(", or )");
  return names;
}

Result<std::string> TokenCursor::expect_string(std::string_view what) {
  const Token token = peek();
  if (token.kind == TokenKind::kString) {
    advance();
    return string_of(text_of(token));
  }
  if (token.kind != TokenKind::kUnicodeString) return expected(what);
  advance();
  char escape = '\\';
  if (accept(Word::kUescape)) {
    const std::string character =
        peek().kind == TokenKind::kString ? string_of(text_of(peek())) : std::string();
    if (character.size() != 1) return expected("one character between quotes");
    escape = character[0];
    advance();
  }
  Result<std::string> value = unicode_string_of(text_of(token), escape);
  if (!value.is_ok())
    return error_in({token.begin, token.end}, ErrorCode::kInvalidSyntax, value.status().message());
  return value;
}

Result<std::int64_t> TokenCursor::expect_integer(std::string_view what) {
  if (peek().kind != TokenKind::kNumber) return expected(what);
  const std::string_view digits = text_of(peek());
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(digits.begin(), digits.end(), value);
  if (failure != std::errc() || end != digits.end()) return expected(what);
  advance();
  return value;
}

Place TokenCursor::place_from(std::size_t first) const {
  const std::size_t last = next_ > first ? next_ - 1 : first;
  return {list_.tokens[first].begin, list_.tokens[last].end};
}

void TokenCursor::match_brackets() const {
  closing_.assign(list_.tokens.size(), static_cast<std::uint32_t>(list_.tokens.size() - 1));
  std::vector<std::uint32_t> open;
  for (std::uint32_t i = 0; i < list_.tokens.size(); ++i) {
    if (list_.tokens[i].is('(')) open.push_back(i);
    if (list_.tokens[i].is(';')) open.clear();
    if (!list_.tokens[i].is(')') || open.empty()) continue;
    closing_[open.back()] = i + 1;
    open.pop_back();
  }
}

std::size_t TokenCursor::behind_bracket(std::size_t position) const {
  if (closing_.empty()) match_brackets();
  return closing_[position];
}

std::string TokenCursor::found() const {
  const Token& token = peek();
  const std::string_view text = text_of(token);
  switch (token.kind) {
    case TokenKind::kEnd:
      return "the end of the text";
    case TokenKind::kString:
    case TokenKind::kUnicodeString:
    case TokenKind::kBinaryString:
      return "a text in quotes";  // never the text itself: it may be a secret
    case TokenKind::kHintBegin:
      return "a hint";
    case TokenKind::kHintEnd:
      return "the end of the hint";
    case TokenKind::kWord:
      if (is_reserved(token.word())) return fmt::format("the reserved word {}", text);
      break;
    default:
      break;
  }
  if (is_secret(source_, {token.begin, token.end})) return "a value that is not shown";
  if (text.size() > kShownName) return fmt::format("'{}...'", text.substr(0, kShownName));
  return fmt::format("'{}'", text);
}

std::string TokenCursor::suggestion() const {
  const auto nearest = [&](std::string_view written, const auto& words) {
    std::vector<std::string> candidates;
    for (Word word : words) candidates.emplace_back(word_text(word));
    return nearest_name(written, candidates);
  };
  if (at(':') && peek(1).is(':')) return "; casts are written CAST(value AS type)";
  if (peek().kind == TokenKind::kWord) {
    const std::size_t count = std::min(tried_count_, tried_.size());
    const std::string word = nearest(text_of(peek()), std::span(tried_.data(), count));
    if (!word.empty()) return fmt::format("; did you mean {}?", word);
  }
  if (next_ == 0 || next_ - 1 != alias_at_) return {};
  const std::string_view alias = text_of(list_.tokens[alias_at_]);
  const std::string word = nearest(alias, kClauses);
  if (word.empty()) return {};
  return fmt::format("; '{}' was read as an alias, did you mean {}?", alias, word);
}

/// True if the reserved word here was probably meant as a name: one is wanted, or the text goes on
/// as it would behind one.
bool TokenCursor::stands_for_name(std::string_view wanted) const {
  if (wanted.find("name") != std::string_view::npos) return true;
  if (wanted != "an expression") return false;
  const Token& next = peek(1);
  return next.is(',') || next.is('.') || next.is('=') || next.is(')') || next.is('+') ||
         next.is('-') || next.is('<') || next.is('>') || next.is(Word::kFrom) || next.is(Word::kAs);
}

Status TokenCursor::expected(std::string_view what) const {
  const Token& token = peek();
  if (token.kind == TokenKind::kError) return error_here(list_.error_code, list_.error);
  if (token.kind == TokenKind::kBadName) {
    return error_here(ErrorCode::kInvalidSyntax,
                      "a name must not begin with a digit, and no letters follow a number",
                      "Put names that begin with a digit in back quotes.");
  }
  std::string remedy;
  if (token.kind == TokenKind::kWord && is_reserved(token.word()) && stands_for_name(what))
    remedy = fmt::format("Put reserved words that are names in back quotes: `{}`.", text_of(token));
  return error_here(ErrorCode::kInvalidSyntax,
                    fmt::format("expected {} but found {}{}", what, found(), suggestion()),
                    std::move(remedy));
}

Status TokenCursor::error_here(ErrorCode code, std::string message, std::string remedy) const {
  return error_in({peek().begin, peek().end}, code, std::move(message), std::move(remedy));
}

Status TokenCursor::error_in(Place place, ErrorCode code, std::string message,
                             std::string remedy) const {
  return error_at(source_, place, code, std::move(message), std::move(remedy));
}

Status TokenCursor::not_supported(std::string_view what, std::string remedy) const {
  return error_here(ErrorCode::kNotSupported, fmt::format("{} is not supported", what),
                    std::move(remedy));
}

void TokenCursor::mark_bare_alias() {
  if (list_.tokens[next_ - 1].kind == TokenKind::kWord) alias_at_ = next_ - 1;
}

}  // namespace tidegate::sql
