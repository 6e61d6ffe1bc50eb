// SPDX-License-Identifier: Apache-2.0
//
// Calls, and the functions whose arguments SQL gives words instead of commas. These become plain
// calls with constants of kind kSymbol (in quotes below):
//
//   EXTRACT(unit FROM x)                            EXTRACT('YEAR', x)
//   CEIL(x TO unit), FLOOR(x TO unit)               CEIL(x, 'HOUR'), FLOOR(x, 'HOUR')
//   TRIM([BOTH | LEADING | TRAILING] [c] [FROM] x)  TRIM('BOTH', c, x); c is ' ' when absent
//   POSITION(a IN b [FROM n])                       POSITION(a, b[, n])
//   SUBSTRING(x FROM a [FOR n])                     SUBSTRING(x, a[, n])
//   OVERLAY(x PLACING y FROM a [FOR n])             OVERLAY(x, y, a[, n])
//   TIMESTAMPADD(unit, n, t)                        TIMESTAMPADD('DAY', n, t)
//   TIMESTAMPDIFF(unit, a, b)                       TIMESTAMPDIFF('DAY', a, b)
//   x [NOT] LIKE p [ESCAPE e], SIMILAR TO           LIKE(x, p[, e]), SIMILAR TO(x, p[, e])
//   x [NOT] BETWEEN [SYMMETRIC] a AND b             BETWEEN(x, a, b), BETWEEN SYMMETRIC(x, a, b)
//   x [NOT] IN (a, b)                               IN(x, a, b)
//   x IS [NOT] JSON [OBJECT | ARRAY | ...]          IS JSON(x[, 'OBJECT'])
//   (a, b) OVERLAPS (c, d)                          OVERLAPS(a, b, c, d)
//   x IS NULL, IS NOT TRUE, IS DISTINCT FROM y      IS NULL(x), IS NOT TRUE(x), ...
//   a <> b, a != b                                  <>(a, b)
//   -x, +x                                          -(x), +(x)
//   ROW(a, b), (a, b)                               ROW(a, b)
//   ARRAY[a, b], MAP[k, v]                          ARRAY(a, b), MAP(k, v)
//   CURRENT_DATE, LOCALTIMESTAMP and the like       CURRENT_DATE()
//
// Those of JSON are listed in parser_json.cc.
#include <utility>

#include "sql/parser_rules.h"

namespace tidegate::sql {

using enum Word;

Result<ExpressionPtr> Parser::parse_special_call() {
  const Word word = peek().word();
  const Token& next = peek(1);
  if (next.is('[') && (word == kArray || word == kMap)) return parse_collection();
  if (next.is('[') && word == kMultiset) return not_supported("MULTISET[...]");
  if ((word == kFinal || word == kRunning) && next.kind == TokenKind::kWord && peek(2).is('(')) {
    advance();
    const std::size_t first = position();
    std::string function(text_of(peek()));
    advance();
    TG_ASSIGN_OR_RETURN(ExpressionPtr call, parse_call(first, std::move(function)));
    Call out = std::get<Call>(call->node);
    out.match_semantics = word_text(word);
    return make(first - 1, std::move(out));
  }
  if (word == kPeriod && next.is('(') &&
      peek(behind_bracket(position() + 1) - position()).is(kOverlaps)) {
    advance();
    return parse_bracketed();
  }
  if (!next.is('(')) return ExpressionPtr();
  switch (word) {
    case kCast:
    case kTryCast:
      return parse_cast();
    case kExtract:
      return parse_extract();
    case kCeil:
    case kCeiling:
    case kFloor:
      return parse_rounding();
    case kTrim:
      return parse_trim();
    case kPosition:
      return parse_position();
    case kSubstring:
      return parse_substring();
    case kOverlay:
      return parse_overlay();
    case kTimestampadd:
    case kTimestampdiff:
      return parse_timestamp_arithmetic();
    case kRow:
    case kArray:
      return parse_collection();
    case kJsonValue:
      return parse_json_value();
    case kJsonQuery:
      return parse_json_query();
    case kJsonExists:
      return parse_json_exists();
    case kJsonObject:
    case kJsonArray:
    case kJsonObjectagg:
    case kJsonArrayagg:
      return parse_json_constructor();
    default:
      return ExpressionPtr();
  }
}

Result<ExpressionPtr> Parser::parse_call(std::size_t first, std::string function) {
  Call call;
  call.function = std::move(function);
  TG_RETURN_IF_ERROR(parse_arguments(&call));
  TG_RETURN_IF_ERROR(parse_call_suffixes(&call));
  return make(first, std::move(call));
}

Status Parser::parse_arguments(Call* call) {
  TG_RETURN_IF_ERROR(expect('('));
  if (accept(')')) return Status::ok();
  if (accept(kDistinct)) {
    call->distinct = true;
  } else {
    (void)accept(kAll);
  }
  do {
    TG_RETURN_IF_ERROR(parse_argument(call));
  } while (accept(','));
  if (accept_words({kIgnore, kNulls})) call->ignore_nulls = true;
  (void)accept_words({kRespect, kNulls});
  if (at_words({kOrder, kBy})) {
    TG_ASSIGN_OR_RETURN(call->within_group, parse_order_by());
  }
  if (!accept(')')) return expected(", or )");
  return Status::ok();
}

Status Parser::parse_argument(Call* call) {
  std::optional<Identifier> name;
  if (at_name() && peek(1).is(Sign::kArrow)) {
    TG_ASSIGN_OR_RETURN(name, expect_name("an argument name"));
    advance();
  }
  if (name || !call->names.empty()) {
    call->names.resize(call->args.size());
    call->names.push_back(std::move(name));
  }
  const std::size_t first = position();
  if (accept('*')) {
    call->args.push_back(make(first, Star{}));
    return Status::ok();
  }
  TG_ASSIGN_OR_RETURN(ExpressionPtr value, parse_expression());
  call->args.push_back(std::move(value));
  return Status::ok();
}

Status Parser::parse_call_suffixes(Call* call) {
  while (true) {
    if (at(kFilter) && peek(1).is('(')) {
      advance();
      advance();
      TG_RETURN_IF_ERROR(expect(kWhere));
      TG_ASSIGN_OR_RETURN(call->filter, parse_expression());
      TG_RETURN_IF_ERROR(expect(')'));
    } else if (at(kWithin) && peek(1).is(kGroup)) {
      advance();
      advance();
      TG_RETURN_IF_ERROR(expect('('));
      TG_ASSIGN_OR_RETURN(call->within_group, parse_order_by());
      TG_RETURN_IF_ERROR(expect(')'));
    } else if (accept_words({kIgnore, kNulls})) {
      call->ignore_nulls = true;
    } else if (accept_words({kRespect, kNulls})) {
      call->ignore_nulls = false;
    } else if (accept(kOver)) {
      if (at('(')) {
        TG_ASSIGN_OR_RETURN(call->over, parse_window_spec());
      } else {
        const std::size_t first = position();
        auto spec = std::make_shared<WindowSpec>();
        TG_ASSIGN_OR_RETURN(spec->base, expect_name("( or the name of a window"));
        spec->place = place_from(first);
        call->over = std::move(spec);
      }
    } else {
      return Status::ok();
    }
  }
}

Result<ExpressionPtr> Parser::parse_extract() {
  const std::size_t first = position();
  advance();
  TG_RETURN_IF_ERROR(expect('('));
  TG_ASSIGN_OR_RETURN(std::string unit, expect_unit());
  ExpressionPtr symbol = make_symbol(std::move(unit));
  TG_RETURN_IF_ERROR(expect(kFrom));
  TG_ASSIGN_OR_RETURN(ExpressionPtr value, parse_expression());
  TG_RETURN_IF_ERROR(expect(')'));
  return make_call(first, "EXTRACT", {std::move(symbol), std::move(value)});
}

Result<ExpressionPtr> Parser::parse_rounding() {
  const std::size_t first = position();
  const std::string function = at(kFloor) ? "FLOOR" : "CEIL";
  advance();
  TG_RETURN_IF_ERROR(expect('('));
  TG_ASSIGN_OR_RETURN(ExpressionPtr value, parse_expression());
  std::vector<ExpressionPtr> args{std::move(value)};
  if (accept(kTo)) {
    TG_ASSIGN_OR_RETURN(std::string unit, expect_unit());
    args.push_back(make_symbol(std::move(unit)));
  }
  if (!accept(')')) return expected("TO or )");
  return make_call(first, function, std::move(args));
}

Result<ExpressionPtr> Parser::parse_trim() {
  const std::size_t first = position();
  advance();
  TG_RETURN_IF_ERROR(expect('('));
  std::string side = "BOTH";
  bool explicit_side = false;
  for (Word word : {kBoth, kLeading, kTrailing}) {
    // TRIM(both) trims a column of that name.
    if (!at(word) || peek(1).is(')') || peek(1).is('.')) continue;
    side = word_text(word);
    explicit_side = true;
    advance();
    break;
  }
  ExpressionPtr symbol = make_symbol(side);
  ExpressionPtr characters;
  if (!(explicit_side && at(kFrom))) {
    TG_ASSIGN_OR_RETURN(characters, parse_expression());
  }
  ExpressionPtr value;
  if (accept(kFrom)) {
    TG_ASSIGN_OR_RETURN(value, parse_expression());
  } else {
    value = std::move(characters);
    characters = nullptr;
  }
  if (characters == nullptr) characters = make_literal(position() - 1, Literal::Kind::kString, " ");
  TG_RETURN_IF_ERROR(expect(')'));
  return make_call(first, "TRIM", {std::move(symbol), std::move(characters), std::move(value)});
}

Result<ExpressionPtr> Parser::parse_position() {
  const std::size_t first = position();
  std::string written(text_of(peek()));
  advance();
  TG_RETURN_IF_ERROR(expect('('));
  // Not a whole expression: IN belongs to POSITION.
  constexpr int kAboveIn = 4;
  const Level level(this);
  TG_RETURN_IF_ERROR(level.check());
  TG_ASSIGN_OR_RETURN(ExpressionPtr part, parse_binary(kAboveIn));
  std::vector<ExpressionPtr> args{std::move(part)};
  if (!accept(kIn)) return expected("IN");
  TG_ASSIGN_OR_RETURN(part, parse_expression());
  args.push_back(std::move(part));
  if (accept(kFrom)) {
    TG_ASSIGN_OR_RETURN(part, parse_expression());
    args.push_back(std::move(part));
  }
  TG_RETURN_IF_ERROR(expect(')'));
  return make_call(first, "POSITION", std::move(args));
}

Result<ExpressionPtr> Parser::parse_substring() {
  const std::size_t first = position();
  std::string function(text_of(peek()));
  advance();
  TG_RETURN_IF_ERROR(expect('('));
  TG_ASSIGN_OR_RETURN(ExpressionPtr part, parse_expression());
  std::vector<ExpressionPtr> args{std::move(part)};
  const bool words = accept(kFrom);
  if (words || accept(',')) {
    TG_ASSIGN_OR_RETURN(part, parse_expression());
    args.push_back(std::move(part));
    if (words ? accept(kFor) : accept(',')) {
      TG_ASSIGN_OR_RETURN(part, parse_expression());
      args.push_back(std::move(part));
    }
  }
  if (!accept(')')) return expected(args.size() == 1 ? "FROM or ," : words ? "FOR or )" : ", or )");
  return make_call(first, words ? "SUBSTRING" : std::move(function), std::move(args));
}

Result<ExpressionPtr> Parser::parse_overlay() {
  const std::size_t first = position();
  advance();
  TG_RETURN_IF_ERROR(expect('('));
  TG_ASSIGN_OR_RETURN(ExpressionPtr part, parse_expression());
  std::vector<ExpressionPtr> args{std::move(part)};
  const bool words = !at(',');
  for (Word word : {kPlacing, kFrom, kFor}) {
    if (word == kFor && at(')')) break;
    TG_RETURN_IF_ERROR(words ? expect(word) : expect(','));
    TG_ASSIGN_OR_RETURN(part, parse_expression());
    args.push_back(std::move(part));
  }
  TG_RETURN_IF_ERROR(expect(')'));
  return make_call(first, "OVERLAY", std::move(args));
}

Result<ExpressionPtr> Parser::parse_timestamp_arithmetic() {
  const std::size_t first = position();
  const std::string function(word_text(peek().word()));
  advance();
  TG_RETURN_IF_ERROR(expect('('));
  TG_ASSIGN_OR_RETURN(std::string unit, expect_unit());
  std::vector<ExpressionPtr> args{make_symbol(std::move(unit))};
  for (int i = 0; i < 2; ++i) {
    TG_RETURN_IF_ERROR(expect(','));
    TG_ASSIGN_OR_RETURN(ExpressionPtr part, parse_expression());
    args.push_back(std::move(part));
  }
  TG_RETURN_IF_ERROR(expect(')'));
  return make_call(first, function, std::move(args));
}

/// ROW(...), ARRAY[...], ARRAY(query), ARRAY(...), MAP[...].
Result<ExpressionPtr> Parser::parse_collection() {
  const std::size_t first = position();
  const std::string function(word_text(peek().word()));
  const bool array = at(kArray);
  advance();
  if (array && at_query()) {
    Subquery subquery;
    subquery.kind = Subquery::Kind::kArray;
    TG_ASSIGN_OR_RETURN(subquery.query, parse_bracketed_query());
    return make(first, std::move(subquery));
  }
  const char close = at('[') ? ']' : ')';
  advance();
  std::vector<ExpressionPtr> args;
  if (!at(close)) {
    do {
      TG_ASSIGN_OR_RETURN(ExpressionPtr part, parse_expression());
      args.push_back(std::move(part));
    } while (accept(','));
  }
  if (!accept(close)) return expected(fmt::format(", or {}", close));
  return make_call(first, function, std::move(args));
}

}  // namespace tidegate::sql
