// SPDX-License-Identifier: Apache-2.0
//
// MATCH_RECOGNIZE.
#include <utility>

#include "sql/parser_rules.h"

namespace tidegate::sql {

using enum Word;

Result<MatchRecognize> Parser::parse_match() {
  const Level level(this);
  TG_RETURN_IF_ERROR(level.check());
  TG_RETURN_IF_ERROR(expect(kMatchRecognize));
  TG_RETURN_IF_ERROR(expect('('));
  MatchRecognize match;
  if (accept(kPartition)) {
    TG_RETURN_IF_ERROR(expect(kBy));
    TG_ASSIGN_OR_RETURN(match.partition_by, parse_expression_list());
  }
  if (at(kOrder)) {
    TG_ASSIGN_OR_RETURN(match.order_by, parse_order_by());
  }
  TG_RETURN_IF_ERROR(parse_match_output(&match));
  TG_RETURN_IF_ERROR(parse_match_after(&match));
  TG_RETURN_IF_ERROR(expect(kPattern));
  TG_RETURN_IF_ERROR(expect('('));
  if (at('^') || at('$')) return not_supported("an anchor in PATTERN");
  TG_ASSIGN_OR_RETURN(match.pattern, parse_pattern());
  if (at('^') || at('$')) return not_supported("an anchor in PATTERN");
  if (!accept(')')) return expected("a pattern variable or )");
  TG_RETURN_IF_ERROR(parse_match_rest(&match));
  TG_RETURN_IF_ERROR(expect(')'));
  return match;
}

Status Parser::parse_match_output(MatchRecognize* match) {
  if (accept(kMeasures)) {
    do {
      SelectItem item;
      TG_ASSIGN_OR_RETURN(item.value, parse_expression());
      TG_RETURN_IF_ERROR(expect(kAs));
      TG_ASSIGN_OR_RETURN(item.alias, expect_name("a column name"));
      match->measures.push_back(std::move(item));
    } while (accept(','));
  }
  if (accept(kOne)) return expect_words({kRow, kPer, kMatch});
  if (accept(kAll)) {
    match->all_rows = true;
    return expect_words({kRows, kPer, kMatch});
  }
  return Status::ok();
}

Status Parser::parse_match_after(MatchRecognize* match) {
  if (!accept(kAfter)) return Status::ok();
  TG_RETURN_IF_ERROR(expect_words({kMatch, kSkip}));
  if (accept(kPast)) return expect_words({kLast, kRow});
  TG_RETURN_IF_ERROR(expect(kTo));
  if (accept_words({kNext, kRow})) {
    match->after = MatchRecognize::After::kToNextRow;
    return Status::ok();
  }
  // SKIP TO LAST A and SKIP TO A are the same.
  match->after = MatchRecognize::After::kToLast;
  if (at_name(1)) {
    if (accept(kFirst)) {
      match->after = MatchRecognize::After::kToFirst;
    } else {
      (void)accept(kLast);
    }
  }
  TG_ASSIGN_OR_RETURN(match->after_variable, expect_name("NEXT ROW or the name of a variable"));
  return Status::ok();
}

Status Parser::parse_match_rest(MatchRecognize* match) {
  if (accept(kWithin)) {
    TG_ASSIGN_OR_RETURN(match->within, parse_expression());
  }
  if (accept(kSubset)) {
    do {
      TG_ASSIGN_OR_RETURN(Identifier name, expect_name("the name of a subset"));
      TG_RETURN_IF_ERROR(expect('='));
      TG_ASSIGN_OR_RETURN(auto members, expect_name_list("the name of a variable"));
      match->subsets.emplace_back(std::move(name), std::move(members));
    } while (accept(','));
  }
  TG_RETURN_IF_ERROR(expect(kDefine));
  do {
    TG_ASSIGN_OR_RETURN(Identifier name, expect_name("the name of a variable"));
    TG_RETURN_IF_ERROR(expect(kAs));
    TG_ASSIGN_OR_RETURN(ExpressionPtr condition, parse_expression());
    match->define.emplace_back(std::move(name), std::move(condition));
  } while (accept(','));
  return Status::ok();
}

/// Alternatives.
Result<RowPatternPtr> Parser::parse_pattern() {
  const Level level(this);
  TG_RETURN_IF_ERROR(level.check());
  TG_ASSIGN_OR_RETURN(RowPatternPtr part, parse_pattern_sequence());
  if (!at('|')) return part;
  RowPattern alternation;
  alternation.kind = RowPattern::Kind::kAlternation;
  alternation.parts.push_back(std::move(part));
  while (accept('|')) {
    TG_ASSIGN_OR_RETURN(part, parse_pattern_sequence());
    alternation.parts.push_back(std::move(part));
  }
  return RowPatternPtr(std::make_shared<RowPattern>(std::move(alternation)));
}

Result<RowPatternPtr> Parser::parse_pattern_sequence() {
  RowPattern sequence;
  sequence.kind = RowPattern::Kind::kSequence;
  while (at_name() || at('(') || (at('{') && peek(1).is('-'))) {
    TG_ASSIGN_OR_RETURN(RowPatternPtr part, parse_pattern_factor());
    sequence.parts.push_back(std::move(part));
  }
  if (sequence.parts.empty()) return expected("the name of a pattern variable");
  if (sequence.parts.size() == 1) return sequence.parts[0];
  return RowPatternPtr(std::make_shared<RowPattern>(std::move(sequence)));
}

Result<RowPatternPtr> Parser::parse_pattern_factor() {
  TG_ASSIGN_OR_RETURN(RowPatternPtr part, parse_pattern_primary());
  const bool quantified = at('*') || at('+') || at('?') || (at('{') && !peek(1).is('-'));
  if (!quantified) return part;
  // A group that has a quantifier of its own is kept as a sequence of one.
  RowPattern out = *part;
  if (part->least != 1 || part->most != 1) {
    out = RowPattern();
    out.kind = RowPattern::Kind::kSequence;
    out.parts.push_back(std::move(part));
  }
  TG_RETURN_IF_ERROR(parse_quantifier(&out));
  return RowPatternPtr(std::make_shared<RowPattern>(std::move(out)));
}

Status Parser::parse_quantifier(RowPattern* pattern) {
  if (accept('*')) {
    pattern->least = 0;
    pattern->most = -1;
  } else if (accept('+')) {
    pattern->most = -1;
  } else if (accept('?')) {
    pattern->least = 0;
  } else {
    const std::size_t first = position();
    TG_RETURN_IF_ERROR(expect('{'));
    pattern->least = 0;
    if (!at(',')) {
      TG_ASSIGN_OR_RETURN(pattern->least, expect_integer("a number of rows"));
    }
    pattern->most = pattern->least;
    if (accept(',')) {
      pattern->most = -1;
      if (!at('}')) {
        TG_ASSIGN_OR_RETURN(pattern->most, expect_integer("a number of rows"));
      }
    }
    TG_RETURN_IF_ERROR(expect('}'));
    if (pattern->most >= 0 && pattern->most < std::max<std::int64_t>(pattern->least, 1)) {
      return error_in(place_from(first), ErrorCode::kInvalidSyntax,
                      "this quantifier allows no number of rows");
    }
  }
  pattern->reluctant = accept('?');
  return Status::ok();
}

Result<RowPatternPtr> Parser::parse_pattern_primary() {
  RowPattern out;
  if (accept('{')) {
    TG_RETURN_IF_ERROR(expect('-'));
    out.kind = RowPattern::Kind::kExclusion;
    TG_ASSIGN_OR_RETURN(RowPatternPtr inner, parse_pattern());
    out.parts.push_back(std::move(inner));
    TG_RETURN_IF_ERROR(expect('-'));
    TG_RETURN_IF_ERROR(expect('}'));
  } else if (at_function(kPermute)) {
    advance();
    advance();
    out.kind = RowPattern::Kind::kPermute;
    do {
      TG_ASSIGN_OR_RETURN(RowPatternPtr part, parse_pattern());
      out.parts.push_back(std::move(part));
    } while (accept(','));
    if (!accept(')')) return expected(", or )");
  } else if (accept('(')) {
    if (accept(')')) {
      out.kind = RowPattern::Kind::kEmpty;
    } else {
      TG_ASSIGN_OR_RETURN(RowPatternPtr inner, parse_pattern());
      if (!accept(')')) return expected("a pattern variable or )");
      return inner;
    }
  } else {
    TG_ASSIGN_OR_RETURN(out.variable, expect_name("the name of a pattern variable"));
  }
  return RowPatternPtr(std::make_shared<RowPattern>(std::move(out)));
}

}  // namespace tidegate::sql
