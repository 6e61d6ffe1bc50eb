// SPDX-License-Identifier: Apache-2.0
//
// UNNEST and functions in FROM: TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), ...)), the same without
// TABLE(...), and LATERAL TABLE(f(x)).
#include <utility>

#include "sql/parser_rules.h"

namespace tidegate::sql {

using enum Word;

Result<Relation> Parser::parse_unnest() {
  const std::size_t first = position();
  TG_RETURN_IF_ERROR(expect(kUnnest));
  TG_RETURN_IF_ERROR(expect('('));
  Unnest unnest;
  TG_ASSIGN_OR_RETURN(unnest.values, parse_expression_list());
  if (!accept(')')) return expected(", or )");
  unnest.with_ordinality = accept_words({kWith, kOrdinality});
  Relation relation;
  relation.node = std::move(unnest);
  relation.place = place_from(first);
  return relation;
}

Result<Relation> Parser::parse_table_function(bool lateral) {
  const std::size_t first = position();
  const bool wrapped = at(kTable);
  if (wrapped) {
    advance();
    TG_RETURN_IF_ERROR(expect('('));
  }
  TableFunction function;
  function.lateral = lateral;
  TG_ASSIGN_OR_RETURN(function.function, expect_qualified_name("the name of a table function"));
  TG_RETURN_IF_ERROR(parse_function_arguments(&function));
  if (wrapped) TG_RETURN_IF_ERROR(expect(')'));
  Relation relation;
  relation.node = std::move(function);
  relation.place = place_from(first);
  return relation;
}

Status Parser::parse_function_arguments(TableFunction* function) {
  const Level level(this);
  TG_RETURN_IF_ERROR(level.check());
  TG_RETURN_IF_ERROR(expect('('));
  if (accept(')')) return Status::ok();
  do {
    TG_ASSIGN_OR_RETURN(TableFunction::Argument argument, parse_table_argument());
    function->arguments.push_back(std::move(argument));
  } while (accept(','));
  if (!accept(')')) return expected(", or )");
  return Status::ok();
}

Result<TableFunction::Argument> Parser::parse_table_argument() {
  TableFunction::Argument argument;
  if (at_name() && peek(1).is(Sign::kArrow)) {
    TG_ASSIGN_OR_RETURN(argument.name, expect_name("an argument name"));
    advance();
  }
  if (at_function(kDescriptor)) {
    advance();
    argument.is_descriptor = true;
    TG_ASSIGN_OR_RETURN(argument.descriptor, expect_name_list("a column name"));
    return argument;
  }
  if (at(kModel) && at_name(1)) {
    advance();
    TG_ASSIGN_OR_RETURN(argument.model, expect_qualified_name("the name of a model"));
    return argument;
  }
  const std::size_t first = position();
  const bool table = accept(kTable);
  if (at('(') && at_query()) {
    DerivedTable derived;
    TG_ASSIGN_OR_RETURN(derived.query, parse_bracketed_query());
    auto relation = std::make_shared<Relation>();
    relation->node = std::move(derived);
    relation->place = place_from(first);
    argument.table = std::move(relation);
  } else if (table && at('(')) {
    // TABLE(t), TABLE(TUMBLE(...)).
    advance();
    TG_ASSIGN_OR_RETURN(argument.table, parse_table_factor());
    TG_RETURN_IF_ERROR(expect(')'));
  } else if (table) {
    TG_ASSIGN_OR_RETURN(argument.table, parse_table_factor());
  } else {
    TG_ASSIGN_OR_RETURN(argument.value, parse_expression());
    return argument;
  }
  TG_RETURN_IF_ERROR(parse_table_argument_tail(&argument));
  return argument;
}

/// [PARTITION BY ...] [ORDER BY ...], where lists may stand in brackets, as commas would otherwise
/// end the argument.
Status Parser::parse_table_argument_tail(TableFunction::Argument* argument) {
  const auto parts = [](const ExpressionPtr& value) {
    const Call* call = std::get_if<Call>(&value->node);
    const bool list = call != nullptr && call->function == "ROW";
    return list ? call->args : std::vector<ExpressionPtr>{value};
  };
  if (accept_words({kPartition, kBy})) {
    TG_ASSIGN_OR_RETURN(const ExpressionPtr value, parse_expression());
    argument->partition_by = parts(value);
  }
  if (!at_words({kOrder, kBy})) return Status::ok();
  advance();
  advance();
  if (!accept('(')) {
    TG_ASSIGN_OR_RETURN(SortItem item, parse_sort_item());
    argument->order_by.push_back(std::move(item));
    return Status::ok();
  }
  do {
    TG_ASSIGN_OR_RETURN(SortItem item, parse_sort_item());
    argument->order_by.push_back(std::move(item));
  } while (accept(','));
  if (!accept(')')) return expected(", or )");
  return Status::ok();
}

}  // namespace tidegate::sql
