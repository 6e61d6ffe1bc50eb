// SPDX-License-Identifier: Apache-2.0
#include <arrow/array/array_primitive.h>

#include <optional>

#include "base/check.h"
#include "expr/bind.h"
#include "expr/columns_of.h"
#include "plan/relational.h"
#include "plan/source.h"
#include "sql/binder.h"
#include "types/column.h"

namespace tidegate::sql {
namespace {

/// Milliseconds of a constant day-time interval.
std::optional<std::int64_t> constant_interval(const ExprPtr& expr) {
  if (expr->kind() != Expr::Kind::kLiteral || expr->value()->IsNull(0) ||
      expr->type().kind() != TypeKind::kIntervalDayTime) {
    return std::nullopt;
  }
  return static_cast<const arrow::Int64Array&>(*expr->value()).Value(0);
}

/// `value` as (what, delay): "ts - INTERVAL '5' SECOND" is ts and 5000.
std::pair<ExprPtr, std::int64_t> without_delay(const ExprPtr& value) {
  if (value->kind() == Expr::Kind::kCall && value->args().size() == 2 &&
      (value->function() == "-" || value->function() == "+")) {
    if (const auto delay = constant_interval(value->args()[1])) {
      return {value->args()[0], value->function() == "-" ? *delay : -*delay};
    }
  }
  return {value, 0};
}

/// Formats let nulls into nested values whatever the type says, as Flink's do: what a table
/// promises about them is checked in front of a sink.
LogicalType nullable_inside(const LogicalType& type) {
  const auto child = [&](std::size_t i) {
    return nullable_inside(type.children()[i].type).with_nullable(true);
  };
  switch (type.kind()) {
    case TypeKind::kArray:
      return LogicalType::array(child(0), type.nullable());
    case TypeKind::kMap:
      return LogicalType::map(nullable_inside(type.children()[0].type), child(1), type.nullable());
    case TypeKind::kRow: {
      std::vector<LogicalType::Child> fields = type.children();
      for (std::size_t i = 0; i < fields.size(); ++i) fields[i].type = child(i);
      return LogicalType::row(std::move(fields), type.nullable());
    }
    default:
      return type;
  }
}

std::vector<std::string> names_of(const TableDefinition& table) {
  std::vector<std::string> names;
  for (const TableColumn& column : table.columns) names.push_back(column.name);
  return names;
}

}  // namespace

Result<BoundRelation> Binder::bind_table(const TableDefinition& table, const OptionList& hints) {
  // Its columns and watermark point into the script that made it; errors too.
  const SourceText outside = source_;
  if (table.text != nullptr) source_ = {outside.name, *table.text, table.text};
  auto bound = bind_definition(table, hints);
  source_ = outside;
  return bound;
}

Result<BoundRelation> Binder::bind_definition(const TableDefinition& table,
                                              const OptionList& hints) {
  // What the connector delivers: physical and metadata columns, in the order of declaration.
  std::vector<Field> fields;
  std::vector<MetadataColumn> metadata;
  for (const TableColumn& column : table.columns) {
    if (column.kind == TableColumn::Kind::kComputed) continue;
    if (column.kind == TableColumn::Kind::kMetadata) {
      metadata.push_back({static_cast<int>(fields.size()), column.metadata_key});
    }
    fields.push_back({column.name, nullable_inside(column.type)});
  }
  Options options = table.options;
  for (const auto& [key, value] : hints) options.set(key, value);
  if (!options.has("connector")) {
    return Status(ErrorCode::kMissingOption,
                  fmt::format("table '{}' does not say where its rows are", table.name),
                  "Add 'connector' = '...' to its WITH list.");
  }
  const std::string connector = options.get_string_or("connector", "");
  auto values = options.values();
  values.erase("connector");

  auto schema = std::make_shared<Schema>(fields);
  for (const std::string& key : table.primary_key) {
    schema->primary_key.push_back(schema->index_of(key));
  }
  auto source = std::make_shared<plan::SourceNode>(connector, Options(std::move(values)), schema);
  source->name = table.name;
  source->metadata = std::move(metadata);
  TG_ASSIGN_OR_RETURN(source->partitioned_by, partition_columns(table, *schema));

  // All declared columns over those.
  BoundRelation relation{{source}, {}};
  Scope physical;
  for (int i = 0; i < schema->num_fields(); ++i) {
    physical.columns.push_back({table.name, schema->field(i).name, col(i)});
  }
  ExpressionContext context{.scope = &physical, .clause = "a computed column"};
  std::vector<ExprPtr> declared;
  int place = 0;  // in the schema, where columns keep their order
  bool computes = false;
  for (const TableColumn& column : table.columns) {
    if (column.kind != TableColumn::Kind::kComputed) {
      declared.push_back(col(place++));
      continue;
    }
    computes = true;
    TG_ASSIGN_OR_RETURN(ExprPtr value, bind(column.computed, context));
    declared.push_back(std::move(value));
  }

  std::optional<std::size_t> rowtime;
  if (!table.watermarks.empty()) {
    const WatermarkDefinition& watermark = table.watermarks[0];
    Scope all;
    for (std::size_t i = 0; i < declared.size(); ++i) {
      all.columns.push_back({table.name, table.columns[i].name, declared[i]});
      if (table.columns[i].name == watermark.column.back().text && watermark.column.size() == 1) {
        rowtime = i;
      }
    }
    if (!rowtime) {
      const std::string near = nearest_name(to_string(watermark.column), names_of(table));
      return at(watermark.place,
                Status(ErrorCode::kUnknownName,
                       fmt::format("WATERMARK FOR names '{}', which is not a column of '{}'",
                                   to_string(watermark.column), table.name),
                       near.empty() ? "" : fmt::format("Did you mean '{}'?", near)));
    }
    ExpressionContext watermark_context{.scope = &all, .clause = "a watermark"};
    TG_ASSIGN_OR_RETURN(ExprPtr value, bind(watermark.value, watermark_context));
    auto type = type_of(declared[*rowtime], *schema, functions_);
    if (!type.is_ok()) return at(watermark.place, std::move(type).status());
    if (!type->is_timestamp() || type->precision() > 3) {
      return error_here(watermark.place, ErrorCode::kTypeMismatch,
                        "the row-time column '{}' of table '{}' is {}; it must be TIMESTAMP(p) or "
                        "TIMESTAMP_LTZ(p) with p from 0 to 3",
                        table.columns[*rowtime].name, table.name, type->to_string());
    }
    WatermarkStrategy& strategy = source->watermark;
    strategy.kind = WatermarkStrategy::Kind::kBoundedDisorder;
    strategy.inclusive = true;
    auto [base, delay] = without_delay(value);
    if (!same_expr(base, declared[*rowtime])) {
      base = value;
      delay = 0;
    }
    strategy.delay_ms = delay;
    if (base->kind() == Expr::Kind::kColumn) {
      strategy.column = base->column();
    } else {
      if (auto checked = type_of(base, *schema, functions_); !checked.is_ok()) {
        return at(watermark.place, std::move(checked).status());
      }
      source->event_time = base;
    }
  }

  if (computes) {
    Projection projection({source}, functions_, false);
    for (std::size_t i = 0; i < declared.size(); ++i) {
      const TableColumn& column = table.columns[i];
      if (Status status = projection.append(declared[i], column.name); !status.is_ok()) {
        return at(column.computed ? column.computed->place : Place{}, std::move(status));
      }
    }
    relation.input = projection.build();
  }
  if (rowtime || !table.primary_key.empty()) {
    auto marked = std::make_shared<Schema>(*relation.input.schema());
    if (rowtime) {
      std::vector<Field> marked_fields = marked->fields();
      marked_fields[*rowtime].time = TimeAttribute::kRowtime;
      auto with_time = std::make_shared<Schema>(std::move(marked_fields));
      if (!computes || source->watermark.column >= 0) {
        // The source's own schema says which of its columns event time is.
        auto own = std::make_shared<Schema>(*source->schema);
        if (source->watermark.column >= 0) own->rowtime = source->watermark.column;
        source->schema = own;
      }
      marked = with_time;
    }
    marked->primary_key.clear();
    for (const std::string& key : table.primary_key) {
      marked->primary_key.push_back(marked->index_of(key));
    }
    if (!computes) marked->rowtime = source->schema->rowtime;
    relation.input.node->schema = marked;
  }
  for (int i = 0; i < relation.width(); ++i) {
    relation.scope.columns.push_back({table.name, relation.schema().field(i).name, col(i)});
  }
  return relation;
}

Result<SchemaPtr> Binder::table_schema(const TableDefinition& table) {
  TableDefinition copy = table;
  copy.options.set("connector", copy.options.get_string_or("connector", "unknown"));
  TG_ASSIGN_OR_RETURN(BoundRelation relation, bind_table(copy, {}));
  return relation.input.schema();
}

Result<BoundRelation> Binder::bind_view(const ViewDefinition& view) {
  const SourceText outside = source_;
  if (view.text != nullptr) source_ = {outside.name, *view.text, view.text};
  const std::vector<const CommonTable*> common_tables = std::exchange(common_tables_, {});
  auto query = bind_query(*view.query);
  source_ = outside;
  common_tables_ = common_tables;
  if (!query.is_ok()) {
    return std::move(query).status().with_context(fmt::format("view '{}'", view.name));
  }
  BoundRelation relation{query->input, {}};
  if (!view.columns.empty() && view.columns.size() != query->names.size()) {
    return error(ErrorCode::kInvalidArgument, "view '{}' names {} columns, but its query has {}",
                 view.name, view.columns.size(), query->names.size());
  }
  for (std::size_t i = 0; i < query->names.size(); ++i) {
    relation.scope.columns.push_back({view.name,
                                      view.columns.empty() ? query->names[i] : view.columns[i],
                                      col(static_cast<int>(i))});
  }
  return relation;
}

}  // namespace tidegate::sql
