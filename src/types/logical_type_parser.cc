// SPDX-License-Identifier: Apache-2.0
//
// Reads types in Flink's notation. A type is a name of one or more words, parameters in round
// brackets, component types in angle brackets (ROW also takes round ones), then any number of
// "ARRAY" and "MULTISET" as suffixes, each with an optional [NOT] NULL.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/options.h"
#include "types/logical_type.h"

namespace tidegate {

namespace {

/// Types from outside may nest at most this deep: the parser and all that walks types recurse.
constexpr int kMaxDepth = 64;

bool is_word_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

enum class TokenKind : std::uint8_t { kEnd, kWord, kQuotedName, kText, kNumber, kSymbol };

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;  // words as written; quoted names and texts without their quotes
  std::size_t position = 0;
};

class TypeParser {
 public:
  explicit TypeParser(std::string_view text) : text_(text) {}

  Result<LogicalType> parse() {
    TG_RETURN_IF_ERROR(advance());
    TG_ASSIGN_OR_RETURN(LogicalType type, parse_type(0));
    if (token_.kind != TokenKind::kEnd)
      return syntax_error(fmt::format("unexpected '{}' behind the type", token_.text));
    return type;
  }

 private:
  Status syntax_error(std::string_view what) const {
    return error(ErrorCode::kInvalidSyntax, "type '{}', column {}: {}", text_, token_.position + 1,
                 what);
  }

  Status range_error(std::string_view what, int value, int low, int high) const {
    return error(ErrorCode::kInvalidArgument, "type '{}': {} is {}, not from {} to {}", text_, what,
                 value, low, high);
  }

  Status advance() {
    while (next_ < text_.size() && is_space(text_[next_])) ++next_;
    token_ = Token{TokenKind::kEnd, "", next_};
    if (next_ == text_.size()) return Status::ok();
    const char c = text_[next_];
    if (c == '`' || c == '\'') return read_quoted(c);
    const std::size_t start = next_++;
    if (is_word_start(c)) {
      while (next_ < text_.size() && (is_word_start(text_[next_]) || is_digit(text_[next_])))
        ++next_;
      token_.kind = TokenKind::kWord;
    } else if (is_digit(c)) {
      while (next_ < text_.size() && is_digit(text_[next_])) ++next_;
      token_.kind = TokenKind::kNumber;
    } else {
      token_.kind = TokenKind::kSymbol;
    }
    token_.text = text_.substr(start, next_ - start);
    return Status::ok();
  }

  Status read_quoted(char quote) {
    token_.kind = quote == '`' ? TokenKind::kQuotedName : TokenKind::kText;
    for (++next_; next_ < text_.size(); ++next_) {
      if (text_[next_] == quote) {
        const bool doubled = next_ + 1 < text_.size() && text_[next_ + 1] == quote;
        ++next_;
        if (!doubled) return Status::ok();
      }
      token_.text += text_[next_];
    }
    return syntax_error(fmt::format("no closing {}", quote));
  }

  bool at_symbol(char c) const { return token_.kind == TokenKind::kSymbol && token_.text[0] == c; }
  bool at_word(std::string_view word) const {
    return token_.kind == TokenKind::kWord && upper(token_.text) == word;
  }

  Result<bool> accept_symbol(char c) {
    if (!at_symbol(c)) return false;
    TG_RETURN_IF_ERROR(advance());
    return true;
  }
  Result<bool> accept_word(std::string_view word) {
    if (!at_word(word)) return false;
    TG_RETURN_IF_ERROR(advance());
    return true;
  }
  Status expect_symbol(char c) {
    TG_ASSIGN_OR_RETURN(bool there, accept_symbol(c));
    if (!there) return syntax_error(fmt::format("'{}' expected", c));
    return Status::ok();
  }
  Status expect_word(std::string_view word) {
    TG_ASSIGN_OR_RETURN(bool there, accept_word(word));
    if (!there) return syntax_error(fmt::format("{} expected", word));
    return Status::ok();
  }

  Result<int> expect_number() {
    if (token_.kind != TokenKind::kNumber) return syntax_error("a number expected");
    int value = 0;
    const char* end = token_.text.data() + token_.text.size();
    if (std::from_chars(token_.text.data(), end, value).ec != std::errc())
      return syntax_error(fmt::format("number {} is too large", token_.text));
    TG_RETURN_IF_ERROR(advance());
    return value;
  }

  /// "(n)", or `fallback` when there is none.
  Result<int> optional_parameter(std::string_view what, int low, int high, int fallback) {
    TG_ASSIGN_OR_RETURN(bool there, accept_symbol('('));
    if (!there) return fallback;
    TG_ASSIGN_OR_RETURN(int value, expect_number());
    if (value < low || value > high) return range_error(what, value, low, high);
    TG_RETURN_IF_ERROR(expect_symbol(')'));
    return value;
  }

  Result<bool> parse_nullable() {
    TG_ASSIGN_OR_RETURN(bool is_not, accept_word("NOT"));
    if (is_not) {
      TG_RETURN_IF_ERROR(expect_word("NULL"));
      return false;
    }
    TG_ASSIGN_OR_RETURN(bool explicit_null, accept_word("NULL"));
    (void)explicit_null;
    return true;
  }

  Result<LogicalType> parse_type(int depth) {
    if (depth >= kMaxDepth)
      return error(ErrorCode::kLimitExceeded, "type nests more than {} deep", kMaxDepth);
    TG_ASSIGN_OR_RETURN(LogicalType type, parse_name(depth));
    TG_ASSIGN_OR_RETURN(bool nullable, parse_nullable());
    type = type.with_nullable(nullable);
    for (int suffixes = 1; at_word("ARRAY") || at_word("MULTISET"); ++suffixes) {
      if (depth + suffixes >= kMaxDepth)
        return error(ErrorCode::kLimitExceeded, "type nests more than {} deep", kMaxDepth);
      const bool array = at_word("ARRAY");
      TG_RETURN_IF_ERROR(advance());
      TG_ASSIGN_OR_RETURN(nullable, parse_nullable());
      type = array ? LogicalType::array(std::move(type), nullable)
                   : LogicalType::multiset(std::move(type), nullable);
    }
    return type;
  }

  Result<LogicalType> parse_name(int depth) {
    if (token_.kind != TokenKind::kWord) {
      return syntax_error(token_.kind == TokenKind::kEnd
                              ? std::string("a type name expected")
                              : fmt::format("'{}' is not a type name", token_.text));
    }
    const std::string name = upper(token_.text);
    for (const auto& [word, kind] : kPlainNames) {
      if (name != word) continue;
      TG_RETURN_IF_ERROR(advance());
      if (name == "DOUBLE") TG_RETURN_IF_ERROR(accept_word("PRECISION").status());
      return LogicalType(kind);
    }
    if (name == "DECIMAL" || name == "DEC" || name == "NUMERIC") return parse_decimal();
    if (name == "CHAR" || name == "CHARACTER") return parse_text(TypeKind::kChar);
    if (name == "VARCHAR") return parse_text(TypeKind::kVarchar);
    if (name == "BINARY") return parse_text(TypeKind::kBinary);
    if (name == "VARBINARY") return parse_text(TypeKind::kVarbinary);
    if (name == "TIME") return parse_time();
    if (name == "TIMESTAMP") return parse_timestamp();
    if (name == "TIMESTAMP_LTZ") return parse_timestamp_ltz();
    if (name == "INTERVAL") return parse_interval();
    if (name == "ARRAY" || name == "MULTISET") return parse_collection(name == "ARRAY", depth);
    if (name == "MAP") return parse_map(depth);
    if (name == "ROW") return parse_row(depth);
    return unknown_type(name);
  }

  Status unknown_type(const std::string& name) const {
    static constexpr const char* kOtherNames[] = {
        "DECIMAL",   "CHAR",          "VARCHAR",  "BINARY",   "VARBINARY", "TIME", "ARRAY",
        "TIMESTAMP", "TIMESTAMP_LTZ", "INTERVAL", "MULTISET", "MAP",       "ROW"};
    std::vector<std::string> names(std::begin(kOtherNames), std::end(kOtherNames));
    for (const auto& [word, kind] : kPlainNames) names.emplace_back(word);
    const std::string nearest = nearest_name(name, names);
    return Status(ErrorCode::kUnknownName,
                  fmt::format("type '{}', column {}: there is no type {}", text_,
                              token_.position + 1, token_.text),
                  nearest.empty() ? std::string() : fmt::format("Did you mean {}?", nearest));
  }

  Result<LogicalType> parse_decimal() {
    TG_RETURN_IF_ERROR(advance());
    TG_ASSIGN_OR_RETURN(bool there, accept_symbol('('));
    if (!there) return LogicalType(TypeKind::kDecimal);
    TG_ASSIGN_OR_RETURN(int precision, expect_number());
    if (precision < 1 || precision > 38) return range_error("DECIMAL precision", precision, 1, 38);
    int scale = 0;
    TG_ASSIGN_OR_RETURN(bool comma, accept_symbol(','));
    if (comma) {
      TG_ASSIGN_OR_RETURN(scale, expect_number());
      if (scale > precision) return range_error("DECIMAL scale", scale, 0, precision);
    }
    TG_RETURN_IF_ERROR(expect_symbol(')'));
    return LogicalType::decimal(precision, scale);
  }

  Result<LogicalType> parse_text(TypeKind kind) {
    TG_RETURN_IF_ERROR(advance());
    TG_ASSIGN_OR_RETURN(bool varying, accept_word("VARYING"));
    if (varying) kind = kind == TypeKind::kChar ? TypeKind::kVarchar : TypeKind::kVarbinary;
    TG_ASSIGN_OR_RETURN(int length, optional_parameter("length", 1, LogicalType::kMaxLength,
                                                       LogicalType(kind).length()));
    switch (kind) {
      case TypeKind::kChar:
        return LogicalType::character(length);
      case TypeKind::kVarchar:
        return LogicalType::varchar(length);
      case TypeKind::kBinary:
        return LogicalType::binary(length);
      default:
        return LogicalType::varbinary(length);
    }
  }

  /// Accepts "WITHOUT TIME ZONE".
  Status accept_without_zone() {
    TG_ASSIGN_OR_RETURN(bool without, accept_word("WITHOUT"));
    if (!without) return Status::ok();
    TG_RETURN_IF_ERROR(expect_word("TIME"));
    return expect_word("ZONE");
  }

  Result<LogicalType> parse_time() {
    TG_RETURN_IF_ERROR(advance());
    TG_ASSIGN_OR_RETURN(int precision, optional_parameter("TIME precision", 0, 9, 0));
    TG_RETURN_IF_ERROR(accept_without_zone());
    return LogicalType::time(precision);
  }

  Result<LogicalType> parse_timestamp() {
    TG_RETURN_IF_ERROR(advance());
    TG_ASSIGN_OR_RETURN(int precision, optional_parameter("TIMESTAMP precision", 0, 9, 6));
    TG_ASSIGN_OR_RETURN(bool with, accept_word("WITH"));
    if (!with) {
      TG_RETURN_IF_ERROR(accept_without_zone());
      return LogicalType::timestamp(precision);
    }
    TG_ASSIGN_OR_RETURN(bool local, accept_word("LOCAL"));
    TG_RETURN_IF_ERROR(expect_word("TIME"));
    TG_RETURN_IF_ERROR(expect_word("ZONE"));
    if (!local) {
      return Status(ErrorCode::kNotSupported,
                    fmt::format("type '{}': TIMESTAMP WITH TIME ZONE is not supported", text_),
                    "Use TIMESTAMP WITH LOCAL TIME ZONE.");
    }
    return LogicalType::timestamp_ltz(precision);
  }

  Result<LogicalType> parse_timestamp_ltz() {
    TG_RETURN_IF_ERROR(advance());
    TG_ASSIGN_OR_RETURN(int precision, optional_parameter("TIMESTAMP_LTZ precision", 0, 9, 6));
    return LogicalType::timestamp_ltz(precision);
  }

  /// One field of an interval, its place from YEAR down.
  Result<int> parse_interval_field() {
    static constexpr const char* kFields[] = {"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"};
    for (int i = 0; i < 6; ++i) {
      TG_ASSIGN_OR_RETURN(bool there, accept_word(kFields[i]));
      if (!there) continue;
      TG_RETURN_IF_ERROR(optional_parameter("interval precision", 0, 9, 0).status());
      return i;
    }
    return syntax_error("YEAR, MONTH, DAY, HOUR, MINUTE or SECOND expected");
  }

  Result<LogicalType> parse_interval() {
    TG_RETURN_IF_ERROR(advance());
    constexpr int kMonth = 1;
    TG_ASSIGN_OR_RETURN(const int from, parse_interval_field());
    int to = from;
    TG_ASSIGN_OR_RETURN(bool range, accept_word("TO"));
    if (range) {
      TG_ASSIGN_OR_RETURN(to, parse_interval_field());
      if (to <= from || (from <= kMonth) != (to <= kMonth))
        return syntax_error("these two fields do not make an interval type");
    }
    return LogicalType(from <= kMonth ? TypeKind::kIntervalYearMonth : TypeKind::kIntervalDayTime);
  }

  Result<LogicalType> parse_collection(bool array, int depth) {
    TG_RETURN_IF_ERROR(advance());
    TG_RETURN_IF_ERROR(expect_symbol('<'));
    TG_ASSIGN_OR_RETURN(LogicalType element, parse_type(depth + 1));
    TG_RETURN_IF_ERROR(expect_symbol('>'));
    return array ? LogicalType::array(std::move(element))
                 : LogicalType::multiset(std::move(element));
  }

  Result<LogicalType> parse_map(int depth) {
    TG_RETURN_IF_ERROR(advance());
    TG_RETURN_IF_ERROR(expect_symbol('<'));
    TG_ASSIGN_OR_RETURN(LogicalType key, parse_type(depth + 1));
    TG_RETURN_IF_ERROR(expect_symbol(','));
    TG_ASSIGN_OR_RETURN(LogicalType value, parse_type(depth + 1));
    TG_RETURN_IF_ERROR(expect_symbol('>'));
    return LogicalType::map(std::move(key), std::move(value));
  }

  Result<LogicalType> parse_row(int depth) {
    TG_RETURN_IF_ERROR(advance());
    TG_ASSIGN_OR_RETURN(const bool round, accept_symbol('('));
    if (!round) TG_RETURN_IF_ERROR(expect_symbol('<'));
    const char close = round ? ')' : '>';
    std::vector<LogicalType::Child> fields;
    while (!at_symbol(close)) {
      if (!fields.empty()) TG_RETURN_IF_ERROR(expect_symbol(','));
      TG_ASSIGN_OR_RETURN(LogicalType::Child field, parse_field(depth));
      for (const LogicalType::Child& other : fields) {
        if (other.name == field.name)
          return error(ErrorCode::kInvalidArgument, "type '{}': field '{}' is there twice", text_,
                       field.name);
      }
      fields.push_back(std::move(field));
    }
    TG_RETURN_IF_ERROR(advance());
    return LogicalType::row(std::move(fields));
  }

  Result<LogicalType::Child> parse_field(int depth) {
    if (token_.kind != TokenKind::kWord && token_.kind != TokenKind::kQuotedName)
      return syntax_error("a field name expected");
    std::string name = token_.text;
    TG_RETURN_IF_ERROR(advance());
    TG_ASSIGN_OR_RETURN(LogicalType type, parse_type(depth + 1));
    if (token_.kind == TokenKind::kText) TG_RETURN_IF_ERROR(advance());  // a comment
    return LogicalType::Child{std::move(name), std::move(type)};
  }

  static constexpr std::array<std::pair<std::string_view, TypeKind>, 12> kPlainNames{{
      {"NULL", TypeKind::kNull},
      {"BOOLEAN", TypeKind::kBoolean},
      {"TINYINT", TypeKind::kTinyInt},
      {"SMALLINT", TypeKind::kSmallInt},
      {"INT", TypeKind::kInt},
      {"INTEGER", TypeKind::kInt},
      {"BIGINT", TypeKind::kBigInt},
      {"FLOAT", TypeKind::kFloat},
      {"DOUBLE", TypeKind::kDouble},
      {"STRING", TypeKind::kVarchar},
      {"BYTES", TypeKind::kVarbinary},
      {"DATE", TypeKind::kDate},
  }};

  std::string_view text_;
  std::size_t next_ = 0;
  Token token_;
};

}  // namespace

Result<LogicalType> LogicalType::parse(std::string_view text) { return TypeParser(text).parse(); }

}  // namespace tidegate
