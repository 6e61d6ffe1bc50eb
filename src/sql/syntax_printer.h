// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/print_syntax.h"
#include "sql/syntax.h"

namespace tidegate::sql {

/// Writes trees to the end of a text; by kind in the files print_*.cc.
class SyntaxPrinter {
 public:
  void expression(const Expression& value);
  void query(const Query& query);
  void relation(const Relation& relation);
  void statement(const Statement& statement);
  std::string take() { return std::move(out_); }

 private:
  // print_expressions.cc, print_calls.cc
  void operand(const Expression& value);
  void literal(const Literal& literal);
  void interval(const Literal& literal);
  void star(const Star& star);
  void case_of(const Case& value);
  void subquery(const Subquery& value);
  void call(const Call& call);
  void operator_call(const Call& call);
  bool special_call(const Call& call);
  bool json_call(const Call& call);
  void json_null_clause(const Call& call, std::string_view otherwise);
  void arguments(const Call& call);
  void call_suffixes(const Call& call);
  void window(const WindowSpec& spec);
  void window_content(const WindowSpec& spec);
  void bound(const FrameBound& bound);
  void expressions(const std::vector<ExpressionPtr>& values);
  void names(const std::vector<Identifier>& names);
  void order_by(const std::vector<SortItem>& items);
  void sort_item(const SortItem& item);

  // print_queries.cc
  void set_operand(const Query& query);
  void select(const Select& select);
  void select_clauses(const Select& select);
  void select_item(const SelectItem& item);
  void hints(const std::vector<Select::Hint>& hints);
  void group_element(const GroupBy::Element& element);
  void values(const Values& values);
  void join(const Join& join);
  void join_operand(const Relation& relation, bool right);
  void table_function(const TableFunction& function);
  void table_argument(const TableFunction::Argument& argument);
  void match(const MatchRecognize& match);
  void pattern(const RowPattern& pattern);
  void alias(const TableAlias& alias);
  void option_hint(const OptionList& options);

  // print_statements.cc
  void create_table(const CreateTable& table);
  void create_view(const CreateView& view);
  void create_other(const CreateOther& other);
  void column(const ColumnDefinition& column);
  void watermark(const WatermarkDefinition& watermark);
  void options(const OptionList& options);
  void like(const LikeClause& like);
  void alter(const AlterTable& alter);
  void add_columns(const AlterTable::AddColumns& add);
  void drop_columns(const AlterTable::DropColumns& drop);
  void insert(const Insert& insert);
  void statement_set(const StatementSet& set);
  void show(const Show& show);
  void explain(const Explain& explain);
  void set_option(const SetOption& set);

  void text(std::string_view what) { out_ += what; }
  void name(const Identifier& name) { out_ += print_name(name.text); }
  void name(const QualifiedName& name) { out_ += print_name(name); }
  void string(const std::string& value) { out_ += print_string(value); }

  /// Each item with `print`, commas between.
  template <typename Items, typename Print>
  void list(const Items& items, Print print) {
    bool first = true;
    for (const auto& item : items) {
      if (!first) out_ += ", ";
      first = false;
      print(item);
    }
  }

  std::string out_;
};

}  // namespace tidegate::sql
