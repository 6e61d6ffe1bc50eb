// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "sql/parser_rules.h"

namespace tidegate::sql {

using enum Word;

namespace {

struct Unit {
  std::string_view name;
  std::int64_t amount;  ///< months or milliseconds; 0: not of intervals
  bool months = false;
};

constexpr std::int64_t kDayMs = 86400000;

/// Units of intervals, EXTRACT, CEIL, FLOOR and TIMESTAMPADD. The first eight are of intervals.
constexpr auto kUnits = std::to_array<Unit>({
    {"YEAR", 12, true}, {"QUARTER", 3, true}, {"MONTH", 1, true}, {"WEEK", 7 * kDayMs},
    {"DAY", kDayMs},    {"HOUR", 3600000},    {"MINUTE", 60000},  {"SECOND", 1000},
    {"MILLENNIUM", 0},  {"CENTURY", 0},       {"DECADE", 0},      {"DOW", 0},
    {"DOY", 0},         {"ISODOW", 0},        {"ISOYEAR", 0},     {"EPOCH", 0},
    {"MILLISECOND", 0}, {"MICROSECOND", 0},   {"NANOSECOND", 0},
});

const Unit* find_unit(std::string_view text) {
  std::string name;
  for (char c : text) name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (name.starts_with("SQL_TSI_")) name.erase(0, 8);
  if (name == "FRAC_SECOND") name = "MICROSECOND";
  for (const Unit& unit : kUnits) {
    if (name == unit.name) return &unit;
    if (unit.amount != 0 && name.size() == unit.name.size() + 1 && name.back() == 'S' &&
        name.starts_with(unit.name)) {
      return &unit;
    }
  }
  return nullptr;
}

/// Reads '1', '1-2', '1 2:03:04.5' for the units `from` .. `to`.
class IntervalReader {
 public:
  IntervalReader(std::string_view text, std::string_view from, std::string_view to)
      : text_(text), from_(index_of(from)), to_(index_of(to)) {}

  /// Months or milliseconds; false when the text does not fit the units.
  bool read(bool negative, std::int64_t* out) {
    skip_blanks();
    while (at('-') || at('+')) {
      if (at('-')) negative = !negative;
      ++next_;
    }
    std::int64_t total = 0;
    for (std::size_t i = from_; i <= to_; ++i) {
      if (kUnits[i].name == "WEEK" || kUnits[i].name == "QUARTER") {
        if (from_ != to_) continue;
      }
      if (i != from_ && !read_separator(i)) return false;
      if (!read_field(kUnits[i], i != from_, &total)) return false;
    }
    skip_blanks();
    *out = negative ? -total : total;
    return next_ == text_.size();
  }

 private:
  static std::size_t index_of(std::string_view name) {
    std::size_t i = 0;
    while (kUnits[i].name != name) ++i;
    return i;
  }
  bool at(char c) const { return next_ < text_.size() && text_[next_] == c; }
  bool at_digit() const {
    return next_ < text_.size() && text_[next_] >= '0' && text_[next_] <= '9';
  }
  void skip_blanks() {
    while (at(' ') || at('\t') || at('\n')) ++next_;
  }

  bool read_separator(std::size_t i) {
    if (kUnits[i].name == "HOUR") {
      const bool there = at(' ');
      skip_blanks();
      return there;
    }
    if (!at(kUnits[i].months ? '-' : ':')) return false;
    ++next_;
    return true;
  }

  /// A field behind the first one stays below the unit before it: 1:75 is no HOUR TO MINUTE.
  bool read_field(const Unit& unit, bool inner, std::int64_t* total) {
    const std::size_t begin = next_;
    while (at_digit()) ++next_;
    std::int64_t value = 0;
    const char* end = text_.data() + next_;
    if (std::from_chars(text_.data() + begin, end, value).ec != std::errc() || begin == next_)
      return false;
    const std::int64_t limit = unit.name == "MONTH" ? 12 : unit.name == "HOUR" ? 24 : 60;
    if (inner && value >= limit) return false;
    if (__builtin_mul_overflow(value, unit.amount, &value) ||
        __builtin_add_overflow(*total, value, total)) {
      return false;
    }
    return unit.name != "SECOND" || !at('.') || read_fraction(total);
  }

  bool read_fraction(std::int64_t* total) {
    ++next_;
    std::int64_t scale = 100;
    for (; at_digit(); ++next_, scale /= 10) {
      // Intervals count milliseconds; what is finer is cut off, as Flink does.
      if (__builtin_add_overflow(*total, (text_[next_] - '0') * scale, total)) return false;
    }
    return true;
  }

  std::string_view text_;
  std::size_t from_;
  std::size_t to_;
  std::size_t next_ = 0;
};

bool is_hexadecimal(std::string_view text) {
  return text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

}  // namespace

Result<ExpressionPtr> Parser::parse_string_literal() {
  const std::size_t first = position();
  if (peek().kind == TokenKind::kBinaryString) {
    std::string digits = string_of(text_of(peek()));
    if (!is_hexadecimal(digits) || digits.size() % 2 != 0) {
      return error_here(ErrorCode::kInvalidSyntax,
                        "X'...' needs an even number of hexadecimal digits");
    }
    advance();
    return make_literal(first, Literal::Kind::kBinary, std::move(digits));
  }
  TG_ASSIGN_OR_RETURN(std::string text, expect_string("a text in quotes"));
  // Texts on lines of their own are one text.
  while (at_string()) {
    const std::string_view between =
        source().text.substr(token(position() - 1).end, peek().begin - token(position() - 1).end);
    if (between.find('\n') == std::string_view::npos) break;
    TG_ASSIGN_OR_RETURN(const std::string more, expect_string("a text in quotes"));
    text += more;
  }
  return make_literal(first, Literal::Kind::kString, std::move(text));
}

Result<ExpressionPtr> Parser::parse_typed_literal(Literal::Kind kind) {
  const std::size_t first = position();
  advance();
  TG_ASSIGN_OR_RETURN(std::string text, expect_string("a text in quotes"));
  return make_literal(first, kind, std::move(text));
}

std::string Parser::unit_here() const {
  if (peek().kind != TokenKind::kWord) return {};
  const Unit* unit = find_unit(text_of(peek()));
  return unit == nullptr ? std::string() : std::string(unit->name);
}

Result<std::string> Parser::expect_unit() {
  std::string unit = unit_here();
  if (unit.empty())
    return expected("a unit (YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND)");
  advance();
  return unit;
}

Result<std::string> Parser::parse_interval_unit() {
  const Unit* unit = peek().kind == TokenKind::kWord ? find_unit(text_of(peek())) : nullptr;
  if (unit == nullptr || unit->amount == 0)
    return expected("a unit (YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND)");
  advance();
  if (accept('(')) {  // precision: says how much room there is, which is always enough here
    TG_RETURN_IF_ERROR(expect_integer("a precision").status());
    if (accept(',')) TG_RETURN_IF_ERROR(expect_integer("a precision").status());
    TG_RETURN_IF_ERROR(expect(')'));
  }
  return std::string(unit->name);
}

Result<ExpressionPtr> Parser::parse_interval() {
  const std::size_t first = position();
  TG_RETURN_IF_ERROR(expect(kInterval));
  bool negative = false;
  while (at('-') || at('+')) {
    if (at('-')) negative = !negative;
    advance();
  }
  // INTERVAL n DAY: n times one day.
  ExpressionPtr factor;
  std::string text = "1";
  if (at_string()) {
    TG_ASSIGN_OR_RETURN(text, expect_string("a text in quotes"));
  } else if (peek().kind == TokenKind::kNumber) {
    text = text_of(peek());
    advance();
  } else if (at('(') || at_name()) {
    TG_ASSIGN_OR_RETURN(factor, parse_postfix());
  } else {
    return expected("a text in quotes, as in INTERVAL '5' MINUTE");
  }
  TG_ASSIGN_OR_RETURN(const std::string from, parse_interval_unit());
  std::string to = from;
  if (accept(kTo)) {
    TG_ASSIGN_OR_RETURN(to, parse_interval_unit());
  }
  const Unit& coarse = *find_unit(from);
  const Unit& fine = *find_unit(to);
  if (&coarse > &fine || coarse.months != fine.months ||
      (from != to && (from == "WEEK" || from == "QUARTER" || to == "WEEK" || to == "QUARTER"))) {
    return error_in(place_from(first), ErrorCode::kInvalidSyntax,
                    fmt::format("{} TO {} is no interval", from, to));
  }
  Literal literal;
  literal.kind = Literal::Kind::kInterval;
  literal.interval_in_months = coarse.months;
  if (!IntervalReader(text, from, to).read(negative, &literal.interval)) {
    return error_in(
        place_from(first), ErrorCode::kInvalidSyntax,
        fmt::format("'{}' is no interval of {}", text, from == to ? from : from + " TO " + to));
  }
  literal.text = std::move(text);
  ExpressionPtr out = make(first, std::move(literal));
  if (factor != nullptr) out = make_operator(first, "*", {std::move(factor), std::move(out)});
  return out;
}

}  // namespace tidegate::sql
