// SPDX-License-Identifier: Apache-2.0
//
// GROUP BY, ORDER BY and windows.
#include <utility>

#include "sql/parser_rules.h"

namespace tidegate::sql {

using enum Word;

Result<std::vector<ExpressionPtr>> Parser::parse_expression_list() {
  std::vector<ExpressionPtr> out;
  do {
    TG_ASSIGN_OR_RETURN(ExpressionPtr value, parse_expression());
    out.push_back(std::move(value));
  } while (accept(','));
  return out;
}

Result<GroupBy> Parser::parse_group_by() {
  const std::size_t first = position();
  TG_RETURN_IF_ERROR(expect_words({kGroup, kBy}));
  GroupBy out;
  out.distinct = accept(kDistinct);
  if (!out.distinct) (void)accept(kAll);
  do {
    TG_ASSIGN_OR_RETURN(GroupBy::Element element, parse_group_element());
    out.elements.push_back(std::move(element));
  } while (accept(','));
  out.place = place_from(first);
  return out;
}

Result<GroupBy::Element> Parser::parse_group_element() {
  const Level level(this);
  TG_RETURN_IF_ERROR(level.check());
  using Kind = GroupBy::Element::Kind;
  GroupBy::Element element;
  if (at_function(kRollup)) {
    element.kind = Kind::kRollup;
  } else if (at_function(kCube)) {
    element.kind = Kind::kCube;
  } else if (at(kGrouping) && peek(1).is(kSets)) {
    element.kind = Kind::kGroupingSets;
    advance();
  } else {
    TG_ASSIGN_OR_RETURN(auto set, parse_grouping_set());
    element.sets.push_back(std::move(set));
    return element;
  }
  advance();
  TG_RETURN_IF_ERROR(expect('('));
  do {
    const bool nests = at_function(kRollup) || at_function(kCube) || at_words({kGrouping, kSets});
    if (nests && element.kind == Kind::kGroupingSets) {
      TG_ASSIGN_OR_RETURN(GroupBy::Element nested, parse_group_element());
      element.nested.push_back(std::move(nested));
    } else {
      TG_ASSIGN_OR_RETURN(auto set, parse_grouping_set());
      element.sets.push_back(std::move(set));
    }
  } while (accept(','));
  if (!accept(')')) return expected(", or )");
  return element;
}

/// (), (a, b), or an expression.
Result<std::vector<ExpressionPtr>> Parser::parse_grouping_set() {
  std::vector<ExpressionPtr> set;
  if (at('(') && peek(1).is(')')) {
    advance();
    advance();
    return set;
  }
  TG_ASSIGN_OR_RETURN(ExpressionPtr value, parse_expression());
  const Call* call = std::get_if<Call>(&value->node);
  const bool is_list =
      call != nullptr && call->function == "ROW" && source().text[value->place.begin] == '(';
  if (is_list) return call->args;
  set.push_back(std::move(value));
  return set;
}

Result<std::vector<SortItem>> Parser::parse_order_by() {
  TG_RETURN_IF_ERROR(expect_words({kOrder, kBy}));
  std::vector<SortItem> out;
  do {
    TG_ASSIGN_OR_RETURN(SortItem item, parse_sort_item());
    out.push_back(std::move(item));
  } while (accept(','));
  return out;
}

Result<SortItem> Parser::parse_sort_item() {
  SortItem item;
  TG_ASSIGN_OR_RETURN(item.value, parse_expression());
  if (accept(kDesc)) {
    item.descending = true;
  } else {
    (void)accept(kAsc);
  }
  if (accept(kNulls)) {
    item.nulls_first = accept(kFirst);
    if (!*item.nulls_first && !accept(kLast)) return expected("FIRST or LAST");
  }
  return item;
}

Result<std::shared_ptr<const WindowSpec>> Parser::parse_window_spec() {
  const std::size_t first = position();
  TG_RETURN_IF_ERROR(expect('('));
  auto spec = std::make_shared<WindowSpec>();
  const bool clause = at_words({kPartition, kBy}) || at_words({kOrder, kBy});
  const bool frame = (at(kRows) || at(kRange)) && !peek(1).is(')');
  if (!clause && !frame && at_name()) {
    TG_ASSIGN_OR_RETURN(spec->base, expect_name("the name of a window"));
  }
  if (accept(kPartition)) {
    TG_RETURN_IF_ERROR(expect(kBy));
    TG_ASSIGN_OR_RETURN(spec->partition_by, parse_expression_list());
  }
  if (at(kOrder)) {
    TG_ASSIGN_OR_RETURN(spec->order_by, parse_order_by());
  }
  if (at(kRows) || at(kRange)) {
    TG_ASSIGN_OR_RETURN(spec->frame, parse_frame());
  }
  if (!accept(')')) return expected("PARTITION BY, ORDER BY, ROWS, RANGE or )");
  spec->place = place_from(first);
  return std::shared_ptr<const WindowSpec>(std::move(spec));
}

Result<WindowSpec::Frame> Parser::parse_frame() {
  WindowSpec::Frame frame;
  frame.rows = at(kRows);
  advance();
  if (!accept(kBetween)) {
    TG_ASSIGN_OR_RETURN(frame.from, parse_frame_bound(true));
    return frame;
  }
  TG_ASSIGN_OR_RETURN(frame.from, parse_frame_bound(true));
  TG_RETURN_IF_ERROR(expect(kAnd));
  TG_ASSIGN_OR_RETURN(frame.to, parse_frame_bound(false));
  return frame;
}

Result<FrameBound> Parser::parse_frame_bound(bool is_start) {
  FrameBound bound;
  if (accept(kUnbounded)) {
    const bool preceding = accept(kPreceding);
    if (!preceding && !accept(kFollowing)) return expected("PRECEDING or FOLLOWING");
    bound.kind =
        preceding ? FrameBound::Kind::kUnboundedPreceding : FrameBound::Kind::kUnboundedFollowing;
    if (preceding != is_start) {
      return error_here(ErrorCode::kInvalidSyntax,
                        is_start ? "a frame cannot begin with UNBOUNDED FOLLOWING"
                                 : "a frame cannot end with UNBOUNDED PRECEDING");
    }
    return bound;
  }
  if (accept(kCurrent)) {
    TG_RETURN_IF_ERROR(expect(kRow));
    bound.kind = FrameBound::Kind::kCurrentRow;
    return bound;
  }
  // AND belongs to the frame.
  const Level level(this);
  TG_RETURN_IF_ERROR(level.check());
  TG_ASSIGN_OR_RETURN(bound.distance, parse_binary(0));
  const bool preceding = accept(kPreceding);
  if (!preceding && !accept(kFollowing)) return expected("PRECEDING or FOLLOWING");
  bound.kind = preceding ? FrameBound::Kind::kPreceding : FrameBound::Kind::kFollowing;
  return bound;
}

}  // namespace tidegate::sql
