// SPDX-License-Identifier: Apache-2.0
#include "sql/scope.h"

#include <array>

#include "base/check.h"
#include "base/options.h"
#include "expr/columns_of.h"

namespace tidegate::sql {
namespace {

/// The columns of one name; `table` empty: of any table.
std::vector<const ScopeColumn*> find(const Scope& scope, const std::string& table,
                                     const std::string& name) {
  std::vector<const ScopeColumn*> found;
  for (const ScopeColumn& column : scope.columns) {
    if (column.name != name) continue;
    if (table.empty() ? !column.merged : column.table == table) found.push_back(&column);
  }
  return found;
}

Status ambiguous(const QualifiedName& name) {
  return Status(ErrorCode::kAmbiguousName, fmt::format("column '{}' is ambiguous", to_string(name)),
                "Put the name or alias of its table in front.");
}

/// None when the scope has no such name.
Result<ExprPtr> resolve_here(const Scope& scope, const QualifiedName& name) {
  // The longest qualification first: table.column before column.field; catalog and database names
  // in front of the table's are left out.
  for (std::size_t at = name.size() - 1; at < name.size(); --at) {
    const std::string table = at == 0 ? "" : name[at - 1].text;
    const std::vector<const ScopeColumn*> found = find(scope, table, name[at].text);
    if (found.size() > 1) return ambiguous(name);
    if (found.empty()) continue;
    ExprPtr value = found[0]->value;
    for (std::size_t i = at + 1; i < name.size(); ++i) value = field_of(value, name[i].text);
    return value;
  }
  return ExprPtr();
}

}  // namespace

ExprPtr field_of(ExprPtr row, const std::string& field) {
  return call("FIELD", {std::move(row), lit(std::string_view(field))});
}

ExprPtr as_outer(const ExprPtr& value) {
  return map_columns(value,
                     [](const ExprPtr& column) { return col(kOuterColumns + column->column()); });
}

ExprPtr shift_correlated(const ExprPtr& condition, int left_width) {
  return map_columns(condition, [&](const ExprPtr& each) {
    const int column = each->column();
    return col(column >= kOuterColumns ? column - kOuterColumns : column + left_width);
  });
}

TimeAttribute time_attribute_of(const ExprPtr& value, const Schema& schema) {
  if (value->kind() != Expr::Kind::kColumn || value->column() >= schema.num_fields()) {
    return TimeAttribute::kNone;
  }
  return schema.field(value->column()).time;
}

Result<ExprPtr> resolve(const Scope& scope, const QualifiedName& name) {
  TG_ASSIGN_OR_RETURN(ExprPtr here, resolve_here(scope, name));
  if (here != nullptr) return here;
  if (scope.outer != nullptr) {
    TG_ASSIGN_OR_RETURN(ExprPtr outer, resolve_here(*scope.outer, name));
    if (outer != nullptr) return as_outer(outer);
    for (const Scope* far = scope.outer->outer; far != nullptr; far = far->outer) {
      TG_ASSIGN_OR_RETURN(ExprPtr found, resolve_here(*far, name));
      if (found == nullptr) continue;
      return error(ErrorCode::kNotSupported,
                   "'{}' belongs to a query two levels up: a subquery can use the columns of the "
                   "query right around it",
                   to_string(name));
    }
  }
  std::vector<std::string> names;
  for (const ScopeColumn& column : scope.columns) {
    names.push_back(name.size() > 1 ? column.table + "." + column.name : column.name);
  }
  const std::string near = nearest_name(to_string(name), names);
  return Status(ErrorCode::kUnknownName, fmt::format("there is no column '{}'", to_string(name)),
                near.empty() ? "" : fmt::format("Did you mean '{}'?", near));
}

}  // namespace tidegate::sql
