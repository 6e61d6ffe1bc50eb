// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/options.h"
#include "expr/function_registry.h"
#include "plan/join.h"
#include "plan/node.h"
#include "plan/window.h"
#include "sql/catalog.h"
#include "sql/scope.h"
#include "sql/source_text.h"
#include "sql/syntax.h"
#include "tidegate/status.h"

namespace tidegate::sql {

/// A query as a plan.
struct BoundQuery {
  plan::Input input;
  /// Names of the visible columns, which are the first ones of `input`.
  std::vector<std::string> names;
  /// Of a subquery that uses columns of the query around it: what must hold between those
  /// (kOuterColumns) and the columns of `input`, of which some are hidden ones behind the names.
  std::vector<ExprPtr> correlated = {};
  /// There is exactly one row (an aggregate without GROUP BY), but per value of hidden columns.
  bool one_row = false;
  /// Of one_row: the value of each column when no row answers to a correlated query; null: NULL.
  std::vector<ExprPtr> on_empty = {};
};

/// Columns of the query that its correlated conditions read.
std::vector<int> hidden_columns(const BoundQuery& query);

/// An aggregate call found in an expression, where it stands for kAggregateColumns + its index.
struct AggregateUse {
  std::string function;  ///< upper case; GROUPING and TUMBLE_START and their like as well
  bool distinct = false;
  std::vector<ExprPtr> arguments = {};
  ExprPtr filter = nullptr;
  std::string text = {};
  Place place = {};
};

/// A call with OVER: kOverColumns + its index.
struct OverUse {
  AggregateUse call;
  std::vector<ExprPtr> partition = {};
  struct Order {
    ExprPtr value;
    bool descending = false;
    bool nulls_first = true;
  };
  std::vector<Order> order = {};
  plan::OverFrame frame = {};
  std::int64_t parameter = 1;
};

/// A subquery in an expression: kSubqueryColumns + its index.
struct SubqueryUse {
  Subquery::Kind kind = Subquery::Kind::kScalar;
  BoundQuery query;
  std::vector<ExprPtr> values = {};  ///< kIn, kQuantified: what stands in front
  std::string comparison = {};       ///< kQuantified
  bool all = false;                  ///< kQuantified: ALL, else ANY
  Place place = {};
};

/// What the expressions of a clause may use, and what was found in them.
struct ExpressionContext {
  const Scope* scope = nullptr;
  std::string_view clause = "an expression";
  /// Null where such calls must not stand.
  std::vector<AggregateUse>* aggregates = nullptr;
  std::vector<OverUse>* overs = nullptr;
  std::vector<SubqueryUse>* subqueries = nullptr;
  const Select* select = nullptr;  ///< for its WINDOW clause
  bool inside_aggregate = false;
};

/// Columns computed from those of a plan: each expression once.
class Projection {
 public:
  /// `keep_all`: the input's columns come first.
  Projection(plan::Input input, const FunctionRegistry& functions, bool keep_all);
  /// The index of the column that holds `value`.
  Result<int> add(const ExprPtr& value, std::string_view name = {});
  /// Always a column of its own, in the order of the calls.
  Status append(const ExprPtr& value, std::string name);
  const LogicalType& type(int column) const;
  int width() const { return static_cast<int>(values_.size()); }
  /// The plan with these columns; the input itself when nothing was added to it.
  plan::Input build();

 private:
  plan::Input input_;
  const FunctionRegistry& functions_;
  std::vector<ExprPtr> values_;
  std::vector<Field> fields_;
  bool changed_;
};

/// Turns queries into plans over the tables of a catalog. Made for one script; not thread-safe.
class Binder {
 public:
  Binder(const Catalog& catalog, const FunctionRegistry& functions, SourceText source)
      : catalog_(catalog), functions_(functions), source_(std::move(source)) {}

  /// Errors show the place in the script.
  Result<BoundQuery> bind_query(const Query& query, const Scope* outer = nullptr);
  /// A query that writes into a table: answers its sink.
  Result<plan::NodePtr> bind_insert(const Insert& insert);
  /// All columns of a table, for DESCRIBE: in the order of declaration, with their types.
  Result<SchemaPtr> table_schema(const TableDefinition& table);

 private:
  // bind_query.cc
  Result<BoundQuery> bind_body(const Query& query, const Scope* outer);
  Result<BoundQuery> bind_values(const Values& values, const Scope* outer);
  Result<BoundQuery> bind_set_operation(const SetOperation& operation, const Scope* outer);
  Result<BoundQuery> sort_output(BoundQuery query, const Query& clauses);
  Result<std::int64_t> row_count(const ExpressionPtr& expression, std::string_view clause);
  struct Bounds {
    std::int64_t offset = 0;
    std::int64_t limit = -1;
  };
  Result<Bounds> bounds_of(const Query& query);

  // bind_select.cc
  struct SelectState;
  struct OutputItem {
    ExprPtr value;
    std::string name;
    Place place;
  };
  Result<BoundQuery> bind_select(const Select& select, const Query& clauses, const Scope* outer);
  Status bind_where(const Select& select, SelectState& state);
  Status bind_items(const Select& select, SelectState& state);
  Status bind_order(const Select& select, const Query& clauses, SelectState& state);
  Status add_star(const Star& star, Place place, SelectState& state);
  Result<BoundQuery> finish_select(const Select& select, const Query& clauses, SelectState& state);
  Status tell_outer_rows_apart(SelectState& state);
  Status expose_correlated(SelectState& state, bool grouped);
  Status join_outer_values(SelectState& state, ExprPtr& condition);
  plan::Input limit_per_key(plan::Input input, const SelectState& state, Bounds bounds);

  // bind_aggregate.cc
  Status bind_group_by(const Select& select, SelectState& state);
  Status add_group_window(const Call& call, Place place, SelectState& state);
  Status aggregate(SelectState& state);
  Result<ExprPtr> grouping_part(const AggregateUse& use, const SelectState& state);
  /// A bound expression over what has been planned so far.
  Result<ExprPtr> current(const ExprPtr& value, const SelectState& state, Place place);

  // bind_over.cc
  Result<ExprPtr> bind_over(const Call& call, Place place, ExpressionContext& context);
  Status compute_overs(SelectState& state);

  // bind_subquery.cc
  Result<ExprPtr> bind_subquery(const Subquery& subquery, Place place, ExpressionContext& context);
  Status filter_by_subquery(const Subquery& subquery, Place place, bool negated,
                            const Select& select, SelectState& state);
  Status join_subqueries(SelectState& state);
  Status answer_per_outer_values(SubqueryUse& use, SelectState& state);
  Status join_scalar(SubqueryUse& use, SelectState& state, ExprPtr* value);
  Status join_membership(SubqueryUse& use, SelectState& state, ExprPtr* value);
  Status join_quantified(SubqueryUse& use, SelectState& state, ExprPtr* value);
  Result<plan::Input> single_row(const BoundQuery& query);

  // bind_relation.cc
  Result<BoundRelation> bind_relation(const Relation& relation, const Scope* outer);
  Result<BoundRelation> bind_table_name(const TableName& table, Place place);
  Result<BoundRelation> bind_join(const Join& join, Place place, const Scope* outer);
  Result<BoundRelation> bind_lateral(BoundRelation left, const Relation& right, bool outer_join);
  Result<BoundRelation> bind_unnest(BoundRelation left, const Unnest& unnest,
                                    const TableAlias& alias, bool outer_join, Place place);
  Result<BoundRelation> bind_temporal(BoundRelation left, const Relation& right, const Join& join,
                                      Place place);
  Result<BoundRelation> one_row();
  Status rename(const TableAlias& alias, Place place, BoundRelation& relation);

  // bind_window_function.cc
  Result<BoundRelation> bind_table_function(const TableFunction& function, Place place,
                                            const Scope* outer);
  Result<int> bind_gap(const TableFunction::Argument& gap, const Scope& scope,
                       const Schema& schema);
  Result<BoundRelation> bind_drop_duplicates(const TableFunction& function, Place place,
                                             const Scope* outer);
  // bind_predict.cc
  Result<BoundRelation> bind_predict(const TableFunction& function, Place place,
                                     const Scope* outer);
  // bind_changelog_function.cc
  Result<BoundRelation> bind_changelog_function(const TableFunction& function, Place place,
                                                const Scope* outer);
  Result<std::int64_t> interval_ms(const ExpressionPtr& expression, std::string_view what);

  /// What a STATE_TTL hint of the SELECT at hand says of the state of rows from one side of a join
  /// or into an aggregate, in ms: that of the one table that they come from; 0: nothing.
  std::int64_t state_ttl_of(const Scope& side) const;
  Status read_hints(const Select& select);

  // bind_table.cc
  Result<BoundRelation> bind_table(const TableDefinition& table, const OptionList& hints);
  Result<BoundRelation> bind_definition(const TableDefinition& table, const OptionList& hints);
  Result<BoundRelation> bind_view(const ViewDefinition& view);

  // bind_expression.cc
  Result<ExprPtr> bind(const ExpressionPtr& expression, ExpressionContext& context);
  Result<ExprPtr> bind_literal(const Literal& literal, Place place);
  Result<ExprPtr> bind_call(const Call& call, Place place, ExpressionContext& context);
  Result<ExprPtr> bind_aggregate_call(const Call& call, Place place, ExpressionContext& context);
  Status choose_nulls(const Call& call, AggregateUse& use) const;
  Result<std::vector<ExprPtr>> bind_all(const std::vector<ExpressionPtr>& expressions,
                                        ExpressionContext& context);

  /// The same for the outer columns of a subquery's condition, whose own columns stay.
  Result<ExprPtr> current_outer(const ExprPtr& value, const SelectState& state, Place place);

  /// An error at a place of the script; one that has its place already stays as it is.
  Status at(Place place, Status status) const;
  template <typename... Args>
  Status error_here(Place place, ErrorCode code, fmt::format_string<Args...> format,
                    Args&&... args) const {
    return at(place, Status(code, fmt::format(format, std::forward<Args>(args)...)));
  }
  /// Tells the nodes of a plan that have no place yet that this is theirs.
  void mark_place(const plan::Input& input, Place place) const;
  /// The script's own words at a place, for names of calls.
  std::string text_at(Place place) const;

  const Catalog& catalog_;
  const FunctionRegistry& functions_;
  SourceText source_;
  /// WITH tables in sight, the innermost last.
  std::vector<const CommonTable*> common_tables_;
  std::map<std::string, std::int64_t> state_ttls_;  ///< by table or alias, of the SELECT at hand
  int depth_ = 0;
};

/// A SELECT on its way from FROM to its output.
struct Binder::SelectState {
  plan::Input input;        ///< what has been planned so far
  Scope scope;              ///< of the names in expressions; over the columns behind FROM
  std::int64_t ttl_ms = 0;  ///< of an aggregate, by a hint
  std::vector<AggregateUse> aggregates = {};
  std::vector<OverUse> overs = {};
  std::vector<SubqueryUse> subqueries = {};
  std::size_t joined_subqueries = 0;
  std::vector<ExprPtr> subquery_values = {};

  std::vector<ExprPtr> keys = {};  ///< of GROUP BY, over the columns behind FROM
  std::vector<std::vector<bool>> sets = {};
  bool grouped = false;
  int window_keys = -1;  ///< index of window_start, window_end, window_time among the keys
  std::vector<ExprPtr> aggregate_values = {};  ///< over `input`, once it is aggregated
  std::vector<ExprPtr> grouped_keys = {};      ///< likewise, per key
  bool aggregated = false;
  std::vector<ExprPtr> over_values = {};

  std::vector<OutputItem> items = {};
  ExprPtr having = nullptr;
  ExprPtr qualify = nullptr;
  struct Order {
    int item = -1;  ///< of `items`
    bool descending = false;
    bool nulls_first = true;
  };
  std::vector<Order> order = {};
  std::size_t visible_items = 0;
  /// Conditions with kOuterColumns; hidden items hold their inner sides.
  std::vector<ExprPtr> correlated = {};

  ExpressionContext context(std::string_view clause, const Select* select) {
    return {.scope = &scope, .clause = clause, .subqueries = &subqueries, .select = select};
  }
};

}  // namespace tidegate::sql
