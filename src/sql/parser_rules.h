// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "sql/syntax.h"
#include "sql/token_cursor.h"

namespace tidegate::sql {

/// Recursive descent over one script; a rule per function, by kind in the files parser_*.cc. Rules
/// are entered with the cursor at their first token and leave it behind their last one.
class Parser : public TokenCursor {
 public:
  explicit Parser(const SourceText& source) : TokenCursor(source) {}

  Result<std::vector<Statement>> parse_statements();
  Result<ExpressionPtr> parse_whole_expression();

 private:
  // Trees are walked by recursion, here and by all who read them, so their height has a limit. A
  // Level stands for one level of recursion: it checks the depth and keeps `tallest_`, a bound on
  // the height of what was parsed in it.
  class Level {
   public:
    explicit Level(Parser* parser) : parser_(parser), outer_(parser->tallest_) {
      ++parser_->depth_;
      parser_->tallest_ = 0;
    }
    ~Level() {
      --parser_->depth_;
      parser_->tallest_ = std::max(outer_, parser_->tallest_ + 1);
    }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    Status check() const { return parser_->depth_ > kMaxDepth ? parser_->too_deep() : Status(); }

   private:
    Parser* parser_;
    int outer_;
  };
  static constexpr int kMaxDepth = 300;
  static constexpr int kMaxHeight = 1500;

  Status too_deep() const;
  /// One more node on top of what the current Level holds.
  Status grow();

  // --- statements: parser_statements.cc, parser_create.cc, parser_alter.cc, parser_show.cc
  Result<Statement> parse_statement();
  Result<Statement> parse_other_statement();
  Status refuse_statement() const;
  Result<Statement> parse_insert_statement();
  Result<Insert> parse_insert();
  Status parse_insert_target(Insert* insert);
  Result<StatementSet> parse_inserts_until_end();
  Result<Statement> parse_execute();
  Result<Statement> parse_begin();
  Result<Statement> parse_explain();
  Result<Statement> parse_set();
  Result<Statement> parse_reset();
  /// The text up to one of these, as written; for keys and values without quotes.
  Result<std::string> raw_text(bool stop_at_equal);
  Result<Statement> parse_use();
  Result<Statement> parse_show();
  Result<Statement> parse_show_create();
  Status parse_show_source(Show* show);
  Status parse_show_like(Show* show);
  Result<Statement> parse_describe();
  Result<Statement> parse_create();
  Result<CreateTable> parse_create_table();
  Status parse_table_elements(CreateTable* table);
  Status parse_table_element(CreateTable* table);
  Status parse_primary_key_tail();
  Status parse_table_clauses(CreateTable* table);
  Status parse_distribution();
  Result<ColumnDefinition> parse_column();
  Status parse_metadata(ColumnDefinition* column);
  Result<WatermarkDefinition> parse_watermark();
  Result<LikeClause> parse_like();
  Result<CreateView> parse_create_view();
  Result<CreateOther> parse_create_function();
  Result<CreateOther> parse_create_model();
  Result<CreateOther> parse_create_space(Word kind);
  Result<OptionList> parse_options();
  Result<std::pair<std::string, std::string>> parse_option();
  Result<bool> parse_if_not_exists();
  Result<bool> parse_if_exists();
  Result<Statement> parse_drop();
  Result<Statement> parse_alter();
  Result<Statement> parse_alter_view();
  Result<Statement> parse_alter_table();
  Result<Statement> parse_alter_model();
  Status parse_alter_set(AlterTable* alter);
  Status parse_alter_add(AlterTable* alter);
  Status parse_alter_element(AlterTable::AddColumns* add);
  Status parse_alter_drop(AlterTable* alter);
  Status parse_alter_rename(AlterTable* alter);
  Status parse_alter_reset(AlterTable* alter);
  Status refuse_field() const;

  // --- queries: parser_queries.cc, parser_group_by.cc
  /// At the beginning of a query, maybe in brackets.
  bool at_query() const { return is_query(position()); }
  bool is_query(std::size_t position) const;
  Result<QueryPtr> parse_query();
  Result<QueryPtr> parse_bracketed_query();
  Status parse_with(Query* query);
  Result<QueryPtr> parse_set_operation(bool intersect_only);
  Result<QueryPtr> parse_query_term();
  Status parse_query_tail(Query* query);
  Status parse_row_limit(Query* query);
  Result<Select> parse_select();
  Status parse_select_clauses(Select* select);
  Result<std::vector<SelectItem>> parse_select_items();
  Result<SelectItem> parse_select_item();
  Result<Values> parse_values();
  Result<std::vector<Select::Hint>> parse_hints();
  Result<Select::Hint> parse_hint();
  Result<GroupBy> parse_group_by();
  Result<GroupBy::Element> parse_group_element();
  Result<std::vector<ExpressionPtr>> parse_grouping_set();
  Result<std::vector<SortItem>> parse_order_by();
  Result<SortItem> parse_sort_item();
  Result<std::shared_ptr<const WindowSpec>> parse_window_spec();
  Result<WindowSpec::Frame> parse_frame();
  Result<FrameBound> parse_frame_bound(bool is_start);
  Result<std::vector<ExpressionPtr>> parse_expression_list();

  // --- relations: parser_relations.cc, parser_table_functions.cc, parser_match.cc
  Result<RelationPtr> parse_from();
  Result<RelationPtr> parse_joined();
  Result<std::optional<Join>> parse_join_kind();
  Status parse_join_condition(Join* join);
  Result<RelationPtr> parse_table_factor();
  Result<Relation> parse_table_primary();
  Result<Relation> parse_bracketed_relation();
  Result<Relation> parse_named_table();
  Status parse_table_suffixes(Relation* relation, std::size_t first);
  Status parse_alias(TableAlias* alias);
  Result<Relation> parse_unnest();
  Result<Relation> parse_table_function(bool lateral);
  Status parse_function_arguments(TableFunction* function);
  Result<TableFunction::Argument> parse_table_argument();
  Status parse_table_argument_tail(TableFunction::Argument* argument);
  Result<OptionList> parse_table_options();
  Result<MatchRecognize> parse_match();
  Status parse_match_output(MatchRecognize* match);
  Status parse_match_after(MatchRecognize* match);
  Status parse_match_rest(MatchRecognize* match);
  Result<RowPatternPtr> parse_pattern();
  Result<RowPatternPtr> parse_pattern_sequence();
  Result<RowPatternPtr> parse_pattern_factor();
  Result<RowPatternPtr> parse_pattern_primary();
  Status parse_quantifier(RowPattern* pattern);

  // --- expressions: parser_expressions.cc, parser_primary.cc
  Result<ExpressionPtr> parse_expression();
  Result<ExpressionPtr> parse_disjunction();
  Result<ExpressionPtr> parse_conjunction();
  Result<ExpressionPtr> parse_binary(int least);
  Result<ExpressionPtr> parse_prefix();
  Result<ExpressionPtr> parse_postfix();
  Result<ExpressionPtr> parse_right_operand(int least);
  /// What follows `left` if it binds at least as tightly as `least`; null if nothing does.
  Result<ExpressionPtr> parse_operator(std::size_t first, const ExpressionPtr& left, int least);
  Result<ExpressionPtr> parse_is(std::size_t first, const ExpressionPtr& left);
  Result<ExpressionPtr> parse_predicate(std::size_t first, const ExpressionPtr& left);
  Result<ExpressionPtr> parse_in(std::size_t first, const ExpressionPtr& left);
  Result<ExpressionPtr> parse_comparison(std::size_t first, const ExpressionPtr& left,
                                         std::string sign);
  Result<ExpressionPtr> parse_overlaps(std::size_t first, const ExpressionPtr& left);
  Result<ExpressionPtr> parse_primary();
  Result<ExpressionPtr> parse_bracketed();
  Result<ExpressionPtr> parse_word();
  Result<ExpressionPtr> parse_name_or_call();
  Result<ExpressionPtr> parse_case();
  Result<ExpressionPtr> parse_cast();
  Result<LogicalType> parse_type();
  Status skip_type();
  Status skip_type_name();
  Status skip_type_brackets();

  // --- calls: parser_calls.cc, parser_json.cc
  /// A call whose arguments have a syntax of their own; null when there is none here.
  Result<ExpressionPtr> parse_special_call();
  Result<ExpressionPtr> parse_call(std::size_t first, std::string function);
  Status parse_arguments(Call* call);
  Status parse_argument(Call* call);
  Status parse_call_suffixes(Call* call);
  Result<ExpressionPtr> parse_extract();
  Result<ExpressionPtr> parse_rounding();
  Result<ExpressionPtr> parse_trim();
  Result<ExpressionPtr> parse_position();
  Result<ExpressionPtr> parse_substring();
  Result<ExpressionPtr> parse_overlay();
  Result<ExpressionPtr> parse_timestamp_arithmetic();
  Result<ExpressionPtr> parse_collection();
  Result<ExpressionPtr> parse_json_value();
  Result<ExpressionPtr> parse_json_query();
  Result<ExpressionPtr> parse_json_exists();
  Result<ExpressionPtr> parse_json_constructor();
  Status parse_json_entry(Call* call);
  Result<ExpressionPtr> parse_json_returning(std::string_view otherwise);
  Result<std::string> parse_json_behaviour();
  Result<std::string> parse_null_clause(std::string_view otherwise);

  // --- literals: parser_literals.cc
  Result<ExpressionPtr> parse_string_literal();
  Result<ExpressionPtr> parse_typed_literal(Literal::Kind kind);
  Result<ExpressionPtr> parse_interval();
  /// The unit that the current word names, singular and upper case: "MINUTE". Empty: none.
  std::string unit_here() const;
  Result<std::string> expect_unit();
  Result<std::string> parse_interval_unit();

  // --- nodes
  template <typename Node>
  ExpressionPtr make(std::size_t first, Node node) const {
    auto out = std::make_shared<Expression>();
    out->node = std::move(node);
    out->place = place_from(first);
    return out;
  }
  ExpressionPtr make_call(std::size_t first, std::string function,
                          std::vector<ExpressionPtr> args) const;
  ExpressionPtr make_operator(std::size_t first, std::string function,
                              std::vector<ExpressionPtr> args) const;
  ExpressionPtr make_symbol(std::string text) const;
  ExpressionPtr make_literal(std::size_t first, Literal::Kind kind, std::string text = {}) const;
  template <typename Node>
  Result<Statement> finish(std::size_t first, Node node) const {
    Statement out;
    out.node = std::move(node);
    out.place = place_from(first);
    return out;
  }

  int depth_ = 0;
  int tallest_ = 0;
};

}  // namespace tidegate::sql
