// SPDX-License-Identifier: Apache-2.0
#include <arrow/array/builder_primitive.h>

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "base/options.h"
#include "expr/bind.h"
#include "expr/columns_of.h"
#include "plan/relational.h"
#include "sql/binder.h"
#include "sql/words.h"

namespace tidegate::sql {
namespace {

std::vector<int> shifted_by(int by, int width) {
  std::vector<int> new_index(static_cast<std::size_t>(width));
  std::iota(new_index.begin(), new_index.end(), by);
  return new_index;
}

/// The columns of a relation that stands `by` columns further right.
void append_shifted(const Scope& from, int by, int width, Scope& to) {
  const std::vector<int> new_index = shifted_by(by, width);
  for (ScopeColumn column : from.columns) {
    column.value = remap_columns(column.value, new_index);
    to.columns.push_back(std::move(column));
  }
}

plan::JoinType type_of_join(Join::Kind kind) {
  switch (kind) {
    case Join::Kind::kLeft:
      return plan::JoinType::kLeft;
    case Join::Kind::kRight:
      return plan::JoinType::kRight;
    case Join::Kind::kFull:
      return plan::JoinType::kFull;
    case Join::Kind::kSemi:
      return plan::JoinType::kSemi;
    case Join::Kind::kAnti:
      return plan::JoinType::kAnti;
    case Join::Kind::kInner:
    case Join::Kind::kCross:
      return plan::JoinType::kInner;
  }
  return plan::JoinType::kInner;
}

/// True for relations whose expressions may use the columns in front of them.
bool is_lateral(const Relation& relation) {
  if (std::get_if<Unnest>(&relation.node) != nullptr) return true;
  if (const auto* derived = std::get_if<DerivedTable>(&relation.node)) return derived->lateral;
  if (const auto* function = std::get_if<TableFunction>(&relation.node)) return function->lateral;
  return false;
}

bool is_true(const ExpressionPtr& condition) {
  const auto* literal = std::get_if<Literal>(&condition->node);
  return literal != nullptr && literal->kind == Literal::Kind::kTrue;
}

std::vector<std::size_t> positions_of(const Scope& scope, const std::string& name) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < scope.columns.size(); ++i) {
    if (scope.columns[i].name == name && !scope.columns[i].merged) found.push_back(i);
  }
  return found;
}

}  // namespace

Result<BoundRelation> Binder::one_row() {
  arrow::Int32Builder builder;
  if (!builder.Append(0).ok()) return error(ErrorCode::kOutOfMemory, "no memory for one row");
  auto array = builder.Finish();
  if (!array.ok()) return error(ErrorCode::kOutOfMemory, "no memory for one row");
  auto schema =
      std::make_shared<Schema>(std::vector<Field>{{"ZERO", LogicalType(TypeKind::kInt, false)}});
  return BoundRelation{{std::make_shared<plan::ValuesNode>(schema, Batch(1, {*array}))}, {}};
}

Status Binder::rename(const TableAlias& alias, Place place, BoundRelation& relation) {
  if (alias.name) {
    for (ScopeColumn& column : relation.scope.columns) {
      column.table = alias.name->text;
      column.merged = false;
    }
  }
  if (alias.columns.empty()) return Status::ok();
  if (alias.columns.size() != relation.scope.columns.size()) {
    return error_here(place, ErrorCode::kInvalidArgument,
                      "'{}' has {} columns, but {} names are given",
                      alias.name ? alias.name->text : "the table", relation.scope.columns.size(),
                      alias.columns.size());
  }
  for (std::size_t i = 0; i < alias.columns.size(); ++i) {
    relation.scope.columns[i].name = alias.columns[i].text;
  }
  return Status::ok();
}

Result<BoundRelation> Binder::bind_relation(const Relation& relation, const Scope* outer) {
  BoundRelation bound;
  if (const auto* table = std::get_if<TableName>(&relation.node)) {
    if (table->as_of != nullptr) {
      return error_here(relation.place, ErrorCode::kNotSupported,
                        "FOR SYSTEM_TIME AS OF is supported on the right side of a join");
    }
    TG_ASSIGN_OR_RETURN(bound, bind_table_name(*table, relation.place));
  } else if (const auto* derived = std::get_if<DerivedTable>(&relation.node)) {
    TG_ASSIGN_OR_RETURN(BoundQuery query, bind_query(*derived->query, nullptr));
    bound.input = query.input;
    for (std::size_t i = 0; i < query.names.size(); ++i) {
      bound.scope.columns.push_back({"", query.names[i], col(static_cast<int>(i))});
    }
  } else if (const auto* join = std::get_if<Join>(&relation.node)) {
    TG_ASSIGN_OR_RETURN(bound, bind_join(*join, relation.place, outer));
  } else if (const auto* function = std::get_if<TableFunction>(&relation.node)) {
    TG_ASSIGN_OR_RETURN(bound, bind_table_function(*function, relation.place, outer));
  } else if (const auto* unnest = std::get_if<Unnest>(&relation.node)) {
    TG_ASSIGN_OR_RETURN(BoundRelation row, one_row());
    return bind_unnest(std::move(row), *unnest, relation.alias, false, relation.place);
  } else {
    return error_here(relation.place, ErrorCode::kNotSupported,
                      "MATCH_RECOGNIZE is not supported yet");
  }
  TG_RETURN_IF_ERROR(rename(relation.alias, relation.place, bound));
  mark_place(bound.input, relation.place);
  return bound;
}

Result<BoundRelation> Binder::bind_table_name(const TableName& table, Place place) {
  if (table.name.size() == 1) {
    for (std::size_t i = common_tables_.size(); i-- > 0;) {
      const CommonTable& common = *common_tables_[i];
      if (common.name.text != table.name[0].text) continue;
      // A WITH table sees those in front of it, not itself.
      std::vector<const CommonTable*> inner(common_tables_.begin(),
                                            common_tables_.begin() + static_cast<long>(i));
      inner.swap(common_tables_);
      auto query = bind_query(*common.query, nullptr);
      inner.swap(common_tables_);
      if (!query.is_ok()) return std::move(query).status();
      BoundRelation relation{query->input, {}};
      for (std::size_t c = 0; c < query->names.size(); ++c) {
        relation.scope.columns.push_back(
            {common.name.text, query->names[c], col(static_cast<int>(c))});
      }
      TG_RETURN_IF_ERROR(rename({common.name, common.columns}, common.name.place, relation));
      return relation;
    }
  }
  if (const ViewDefinition* view = catalog_.find_view(table.name)) return bind_view(*view);
  const TableDefinition* definition = catalog_.find_table(table.name);
  if (definition == nullptr) return at(place, catalog_.unknown_table(table.name));
  auto bound = bind_table(*definition, table.options);
  if (!bound.is_ok()) return at(place, std::move(bound).status());
  return bound;
}

Result<BoundRelation> Binder::bind_join(const Join& join, Place place, const Scope* outer) {
  TG_ASSIGN_OR_RETURN(BoundRelation left, bind_relation(*join.left, outer));
  const bool keeps_left = join.kind == Join::Kind::kLeft;
  if (is_lateral(*join.right)) {
    if (!keeps_left && join.kind != Join::Kind::kInner && join.kind != Join::Kind::kCross) {
      return error_here(place, ErrorCode::kNotSupported,
                        "only CROSS, INNER and LEFT JOIN can have a lateral right side");
    }
    TG_ASSIGN_OR_RETURN(BoundRelation joined,
                        bind_lateral(std::move(left), *join.right, keeps_left));
    if (join.on == nullptr || is_true(join.on)) return joined;
    if (keeps_left) {
      return error_here(join.on->place, ErrorCode::kNotSupported,
                        "LEFT JOIN of a lateral table takes ON TRUE only");
    }
    ExpressionContext context{.scope = &joined.scope, .clause = "ON"};
    TG_ASSIGN_OR_RETURN(ExprPtr condition, bind(join.on, context));
    joined.input = {std::make_shared<plan::FilterNode>(joined.input, std::move(condition))};
    return joined;
  }
  if (const auto* table = std::get_if<TableName>(&join.right->node);
      table != nullptr && table->as_of != nullptr) {
    return bind_temporal(std::move(left), *join.right, join, place);
  }
  TG_ASSIGN_OR_RETURN(BoundRelation right, bind_relation(*join.right, outer));

  const int left_width = left.width();
  Scope both = left.scope;
  append_shifted(right.scope, left_width, right.width(), both);

  // USING and NATURAL: equal names, shown once, in front.
  std::vector<std::string> shared;
  for (const Identifier& column : join.columns) shared.push_back(column.text);
  if (join.natural) {
    for (const ScopeColumn& column : left.scope.columns) {
      if (!positions_of(right.scope, column.name).empty()) shared.push_back(column.name);
    }
  }
  std::vector<ExprPtr> conditions;
  std::vector<ScopeColumn> in_front;
  for (const std::string& name : shared) {
    const auto in_left = positions_of(left.scope, name);
    const auto in_right = positions_of(right.scope, name);
    if (in_left.size() != 1 || in_right.size() != 1) {
      return error_here(place, ErrorCode::kUnknownName,
                        "USING names '{}', which must be one column of either side", name);
    }
    ScopeColumn& l = both.columns[in_left[0]];
    ScopeColumn& r = both.columns[left.scope.columns.size() + in_right[0]];
    conditions.push_back(tidegate::call("=", {l.value, r.value}));
    ExprPtr value = l.value;
    if (join.kind == Join::Kind::kRight) value = r.value;
    if (join.kind == Join::Kind::kFull) value = tidegate::call("COALESCE", {l.value, r.value});
    in_front.push_back({"", name, std::move(value)});
    l.merged = true;
    r.merged = true;
  }
  if (join.on != nullptr) {
    ExpressionContext context{.scope = &both, .clause = "ON"};
    TG_ASSIGN_OR_RETURN(ExprPtr condition, bind(join.on, context));
    for (ExprPtr& each : conjuncts_of(condition)) conditions.push_back(std::move(each));
  }
  if (!in_front.empty()) {
    both.columns.insert(both.columns.begin(), in_front.begin(), in_front.end());
  }
  const plan::JoinType type = type_of_join(join.kind);
  auto node = std::make_shared<plan::JoinNode>(left.input, right.input, type,
                                               conjunction_of(std::move(conditions)));
  node->left_ttl_ms = state_ttl_of(left.scope);
  node->right_ttl_ms = state_ttl_of(right.scope);
  if (node->condition != nullptr) {
    std::vector<Field> fields = left.schema().fields();
    fields.insert(fields.end(), right.schema().fields().begin(), right.schema().fields().end());
    auto checked = type_of(node->condition, Schema(std::move(fields)), functions_);
    if (!checked.is_ok()) {
      return at(join.on != nullptr ? join.on->place : place, std::move(checked).status());
    }
  }
  BoundRelation joined{{node}, std::move(both)};
  if (type == plan::JoinType::kSemi || type == plan::JoinType::kAnti) {
    joined.scope = std::move(left.scope);
  }
  return joined;
}

std::int64_t Binder::state_ttl_of(const Scope& side) const {
  if (state_ttls_.empty() || side.columns.empty()) return 0;
  const std::string& table = side.columns[0].table;
  for (const ScopeColumn& column : side.columns) {
    if (column.table != table) return 0;
  }
  const auto found = state_ttls_.find(table);
  return found == state_ttls_.end() ? 0 : found->second;
}

Status Binder::read_hints(const Select& select) {
  for (const Select::Hint& hint : select.hints) {
    if (upper(hint.name) != "STATE_TTL") continue;  // others are about how, not what
    for (const auto& [table, value] : hint.options) {
      const Result<std::chrono::milliseconds> ttl = parse_duration(value);
      if (!ttl.is_ok()) {
        return Status(ttl.status()).with_context(fmt::format("hint STATE_TTL of '{}'", table));
      }
      state_ttls_[table] = ttl->count();
    }
  }
  return Status::ok();
}

Result<BoundRelation> Binder::bind_temporal(BoundRelation left, const Relation& right,
                                            const Join& join, Place place) {
  const auto& table = std::get<TableName>(right.node);
  if (join.kind != Join::Kind::kInner && join.kind != Join::Kind::kLeft) {
    return error_here(place, ErrorCode::kNotSupported,
                      "a temporal join is an INNER or a LEFT JOIN");
  }
  ExpressionContext time_context{.scope = &left.scope, .clause = "FOR SYSTEM_TIME AS OF"};
  TG_ASSIGN_OR_RETURN(ExprPtr as_of, bind(table.as_of, time_context));
  int time_column = -1;
  const TimeAttribute time = time_attribute_of(as_of, left.schema());
  if (time == TimeAttribute::kRowtime) {
    time_column = as_of->column();
  } else if (time != TimeAttribute::kProctime &&
             !(as_of->kind() == Expr::Kind::kCall && as_of->function() == "PROCTIME")) {
    return error_here(
        table.as_of->place, ErrorCode::kInvalidPlan,
        "FOR SYSTEM_TIME AS OF needs a row-time or processing-time column of the left "
        "side, not {}",
        text_at(table.as_of->place));
  }
  TG_ASSIGN_OR_RETURN(BoundRelation version, bind_table_name(table, right.place));
  TG_RETURN_IF_ERROR(rename(right.alias, right.place, version));
  Scope both = left.scope;
  append_shifted(version.scope, left.width(), version.width(), both);
  if (join.on == nullptr) {
    return error_here(place, ErrorCode::kInvalidPlan,
                      "a temporal join needs ON with equalities with the key of '{}'",
                      to_string(table.name));
  }
  ExpressionContext context{.scope = &both, .clause = "ON"};
  TG_ASSIGN_OR_RETURN(ExprPtr condition, bind(join.on, context));
  return BoundRelation{{std::make_shared<plan::TemporalJoinNode>(
                           left.input, version.input, join.kind == Join::Kind::kLeft, time_column,
                           std::move(condition))},
                       std::move(both)};
}

Result<BoundRelation> Binder::bind_lateral(BoundRelation left, const Relation& right,
                                           bool outer_join) {
  if (const auto* unnest = std::get_if<Unnest>(&right.node)) {
    return bind_unnest(std::move(left), *unnest, right.alias, outer_join, right.place);
  }
  const auto* derived = std::get_if<DerivedTable>(&right.node);
  if (derived == nullptr) {
    return error_here(right.place, ErrorCode::kNotSupported,
                      "table functions other than windows are not supported yet");
  }
  TG_ASSIGN_OR_RETURN(BoundQuery query, bind_query(*derived->query, &left.scope));
  BoundRelation lateral{query.input, {}};
  for (std::size_t i = 0; i < query.names.size(); ++i) {
    lateral.scope.columns.push_back({"", query.names[i], col(static_cast<int>(i))});
  }
  TG_RETURN_IF_ERROR(rename(right.alias, right.place, lateral));
  // Outer columns are those of the left side; its own stand behind them.
  std::vector<ExprPtr> conditions;
  for (const ExprPtr& condition : query.correlated) {
    conditions.push_back(shift_correlated(condition, left.width()));
  }
  // An aggregate without GROUP BY has a row also where nothing matches.
  const bool keeps_left = outer_join || query.one_row;
  Scope both = left.scope;
  append_shifted(lateral.scope, left.width(), lateral.width(), both);
  for (std::size_t i = 0; i < query.on_empty.size(); ++i) {
    ExprPtr& value = both.columns[left.scope.columns.size() + i].value;
    if (query.on_empty[i] == nullptr || query.correlated.empty()) continue;
    const ExprPtr key = col(left.width() + hidden_columns(query).front());
    value = case_when({{tidegate::call("IS NULL", {key}), query.on_empty[i]}}, value);
  }
  return BoundRelation{
      {std::make_shared<plan::JoinNode>(left.input, lateral.input,
                                        keeps_left ? plan::JoinType::kLeft : plan::JoinType::kInner,
                                        conjunction_of(std::move(conditions)))},
      std::move(both)};
}

Result<BoundRelation> Binder::bind_unnest(BoundRelation left, const Unnest& unnest,
                                          const TableAlias& alias, bool outer_join, Place place) {
  if (unnest.values.size() != 1) {
    return error_here(place, ErrorCode::kNotSupported, "UNNEST takes one collection");
  }
  ExpressionContext context{.scope = &left.scope, .clause = "UNNEST"};
  TG_ASSIGN_OR_RETURN(ExprPtr value, bind(unnest.values[0], context));
  Projection projection(left.input, functions_, true);
  auto column = projection.add(value);
  if (!column.is_ok()) return at(unnest.values[0]->place, std::move(column).status());
  const LogicalType type = projection.type(*column);
  const plan::Input input = projection.build();

  std::vector<Field> fields = input.schema()->fields();
  const std::size_t before = fields.size();
  const auto element = [&](const LogicalType& of, std::string_view name) {
    if (of.kind() == TypeKind::kRow) {
      for (const LogicalType::Child& child : of.children()) {
        fields.push_back({child.name, child.type.with_nullable(true)});
      }
    } else {
      fields.push_back({std::string(name), of.with_nullable(of.nullable() || outer_join)});
    }
  };
  if (type.kind() == TypeKind::kArray || type.kind() == TypeKind::kMultiset) {
    element(type.children()[0].type, "EXPR$0");
  } else if (type.kind() == TypeKind::kMap) {
    fields.push_back({"KEY", type.children()[0].type.with_nullable(outer_join)});
    fields.push_back({"VALUE", type.children()[1].type});
  } else {
    return error_here(unnest.values[0]->place, ErrorCode::kTypeMismatch,
                      "UNNEST takes an array, a map or a multiset, not {}", type.to_string());
  }
  if (unnest.with_ordinality) {
    fields.push_back({"ORDINALITY", LogicalType(TypeKind::kInt, outer_join)});
  }
  BoundRelation elements;
  for (std::size_t i = before; i < fields.size(); ++i) {
    elements.scope.columns.push_back({"", fields[i].name, col(static_cast<int>(i))});
  }
  TG_RETURN_IF_ERROR(rename(alias, place, elements));
  BoundRelation result{
      {std::make_shared<plan::UnnestNode>(input, *column, outer_join, unnest.with_ordinality,
                                          std::make_shared<Schema>(std::move(fields)))},
      std::move(left.scope)};
  for (ScopeColumn& each : elements.scope.columns) {
    result.scope.columns.push_back(std::move(each));
  }
  return result;
}

}  // namespace tidegate::sql
