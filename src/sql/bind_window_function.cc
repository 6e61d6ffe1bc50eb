// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include "base/check.h"
#include "plan/top_n.h"
#include "plan/window.h"
#include "sql/binder.h"
#include "sql/words.h"

namespace tidegate::sql {
namespace {

struct WindowFunction {
  std::string_view name;
  Window::Kind kind;
  /// Of the arguments behind DATA and TIMECOL; the last one of windows with bounds is optional.
  std::vector<std::string_view> parameters;
};

const std::vector<WindowFunction>& window_functions() {
  static const std::vector<WindowFunction> functions = {
      {"TUMBLE", Window::Kind::kTumbling, {"SIZE", "OFFSET"}},
      {"HOP", Window::Kind::kHopping, {"SLIDE", "SIZE", "OFFSET"}},
      {"CUMULATE", Window::Kind::kCumulating, {"STEP", "SIZE", "OFFSET"}},
      {"SESSION", Window::Kind::kSession, {"GAP"}},
  };
  return functions;
}

constexpr std::string_view kDropDuplicates = "DROP_DUPLICATES";
constexpr std::string_view kDropDuplicatesWithin = "DROP_DUPLICATES_WITHIN_WATERMARK";

/// Arguments by their names, in whatever order they were given.
struct WindowArguments {
  const TableFunction::Argument* data = nullptr;
  const TableFunction::Argument* time = nullptr;
  std::vector<const TableFunction::Argument*> others;
};

std::optional<WindowArguments> match_arguments(const WindowFunction& window,
                                               const std::vector<TableFunction::Argument>& given) {
  std::vector<std::string_view> names = {"DATA", "TIMECOL"};
  names.insert(names.end(), window.parameters.begin(), window.parameters.end());
  std::vector<const TableFunction::Argument*> found(names.size(), nullptr);
  for (std::size_t i = 0; i < given.size(); ++i) {
    std::size_t position = i;
    if (given[i].name) {
      position = static_cast<std::size_t>(
          std::find_if(names.begin(), names.end(),
                       [&](std::string_view n) { return n == upper(given[i].name->text); }) -
          names.begin());
    }
    if (position >= found.size() || found[position] != nullptr) return std::nullopt;
    found[position] = &given[i];
  }
  const bool has_offset = window.parameters.back() == "OFFSET";
  for (std::size_t i = 0; i + (has_offset ? 1 : 0) < found.size(); ++i) {
    if (found[i] == nullptr) return std::nullopt;
  }
  return WindowArguments{found[0], found[1], {found.begin() + 2, found.end()}};
}

}  // namespace

Result<std::int64_t> Binder::interval_ms(const ExpressionPtr& expression, std::string_view what) {
  const auto* literal = std::get_if<Literal>(&expression->node);
  if (literal == nullptr || literal->kind != Literal::Kind::kInterval ||
      literal->interval_in_months) {
    return error_here(expression->place, ErrorCode::kInvalidPlan,
                      "{} must be a constant interval of days to seconds, such as INTERVAL '5' "
                      "MINUTE",
                      what);
  }
  return literal->interval;
}

/// SESSION's gap as DESCRIPTOR(column): milliseconds, row by row.
Result<int> Binder::bind_gap(const TableFunction::Argument& gap, const Scope& scope,
                             const Schema& schema) {
  const Identifier& name = gap.descriptor.at(0);
  auto found = resolve(scope, {name});
  if (!found.is_ok()) return at(name.place, std::move(found).status());
  const bool is_column = (*found)->kind() == Expr::Kind::kColumn;
  if (!is_column || gap.descriptor.size() != 1 ||
      schema.field((*found)->column()).type.kind() != TypeKind::kBigInt) {
    return error_here(name.place, ErrorCode::kInvalidPlan,
                      "the gap of SESSION is an interval, or a BIGINT column of milliseconds as "
                      "DESCRIPTOR(gap)");
  }
  return (*found)->column();
}

/// The first row of each key by arrival, TABLE t and the key's columns.
Result<BoundRelation> Binder::bind_drop_duplicates(const TableFunction& function, Place place,
                                                   const Scope* outer) {
  const std::vector<TableFunction::Argument>& given = function.arguments;
  const std::string name = upper(function.function.back().text);
  if (given.size() != 2 || given[0].table == nullptr || !given[1].is_descriptor) {
    return error_here(place, ErrorCode::kInvalidSyntax,
                      "{0} is called as TABLE({0}(TABLE t, DESCRIPTOR(column, ...)))", name);
  }
  TG_ASSIGN_OR_RETURN(BoundRelation data, bind_relation(*given[0].table, outer));
  std::vector<int> keys;
  for (const Identifier& column : given[1].descriptor) {
    auto found = resolve(data.scope, {column});
    if (!found.is_ok()) return at(column.place, std::move(found).status());
    if ((*found)->kind() != Expr::Kind::kColumn) {
      return error_here(column.place, ErrorCode::kNotSupported, "{} takes columns", name);
    }
    keys.push_back((*found)->column());
  }
  auto node = std::make_shared<plan::DeduplicateNode>(data.input, std::move(keys),
                                                      /*keep_last=*/false, /*time_column=*/-1);
  node->within_watermark = name == kDropDuplicatesWithin;
  return BoundRelation{{std::move(node)}, std::move(data.scope)};
}

Result<BoundRelation> Binder::bind_table_function(const TableFunction& function, Place place,
                                                  const Scope* outer) {
  const std::string& name = function.function.back().text;
  const auto& known = window_functions();
  const auto window = std::find_if(known.begin(), known.end(), [&](const WindowFunction& each) {
    return each.name == upper(name);
  });
  if (window == known.end()) {
    if (upper(name) == "TO_CHANGELOG" || upper(name) == "FROM_CHANGELOG") {
      return bind_changelog_function(function, place, outer);
    }
    if (upper(name) == "ML_PREDICT") return bind_predict(function, place, outer);
    if (upper(name) == kDropDuplicates || upper(name) == kDropDuplicatesWithin) {
      return bind_drop_duplicates(function, place, outer);
    }
    return error_here(place, ErrorCode::kNotSupported,
                      "the table function {} is not supported; TUMBLE, HOP, CUMULATE, SESSION, "
                      "TO_CHANGELOG, FROM_CHANGELOG, ML_PREDICT, {} and {} are",
                      name, kDropDuplicates, kDropDuplicatesWithin);
  }
  const auto arguments = match_arguments(*window, function.arguments);
  if (!arguments || arguments->data->table == nullptr || !arguments->time->is_descriptor ||
      arguments->time->descriptor.size() != 1) {
    std::string signature = "TABLE t, DESCRIPTOR(time_column)";
    for (std::string_view parameter : window->parameters) {
      const bool optional = parameter == "OFFSET";
      signature += fmt::format("{}{}{}", optional ? "[, " : ", ", parameter, optional ? "]" : "");
    }
    return error_here(place, ErrorCode::kInvalidSyntax, "{0} is called as TABLE({0}({1}))",
                      window->name, signature);
  }
  TG_ASSIGN_OR_RETURN(BoundRelation data, bind_relation(*arguments->data->table, outer));
  const Identifier& time_name = arguments->time->descriptor[0];
  auto time = resolve(data.scope, {time_name});
  if (!time.is_ok()) return at(time_name.place, std::move(time).status());
  const TimeAttribute attribute = time_attribute_of(*time, data.schema());
  if (attribute == TimeAttribute::kNone) {
    return at(time_name.place,
              Status(ErrorCode::kInvalidPlan,
                     fmt::format("'{}' is not a time attribute, so it cannot make windows",
                                 time_name.text),
                     "Declare WATERMARK FOR it in its table, and keep it as it is on the way."));
  }
  std::vector<std::int64_t> values;
  int gap_column = -1;
  for (const TableFunction::Argument* each : arguments->others) {
    if (each != nullptr && each->is_descriptor && window->kind == Window::Kind::kSession) {
      TG_ASSIGN_OR_RETURN(gap_column, bind_gap(*each, data.scope, data.schema()));
      values.push_back(1);
      continue;
    }
    if (each == nullptr) {
      values.push_back(0);
      continue;
    }
    if (each->value == nullptr) {
      return error_here(place, ErrorCode::kInvalidPlan, "the size of a window is an interval");
    }
    TG_ASSIGN_OR_RETURN(std::int64_t value, interval_ms(each->value, "the size of a window"));
    values.push_back(value);
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] > 0 || window->parameters[i] == "OFFSET") continue;
    return error_here(place, ErrorCode::kInvalidArgument, "the {} of {} must be more than zero",
                      window->parameters[i], window->name);
  }
  using std::chrono::milliseconds;
  Window value;
  switch (window->kind) {
    case Window::Kind::kTumbling:
      value = tumbling(milliseconds(values[0]), milliseconds(values[1]));
      break;
    case Window::Kind::kHopping:
      value = hopping(milliseconds(values[1]), milliseconds(values[0]), milliseconds(values[2]));
      break;
    case Window::Kind::kCumulating:
      if (values[1] % values[0] != 0) {
        return error_here(place, ErrorCode::kInvalidArgument,
                          "CUMULATE needs a SIZE that is a multiple of its STEP");
      }
      value = cumulating(milliseconds(values[1]), milliseconds(values[0]), milliseconds(values[2]));
      break;
    default:
      value = session(milliseconds(values[0]));
  }
  std::vector<int> partition;
  ExpressionContext context{.scope = &data.scope, .clause = "PARTITION BY"};
  for (const ExpressionPtr& each : arguments->data->partition_by) {
    TG_ASSIGN_OR_RETURN(ExprPtr column, bind(each, context));
    if (column->kind() != Expr::Kind::kColumn) {
      return error_here(each->place, ErrorCode::kNotSupported,
                        "PARTITION BY of a window takes columns");
    }
    partition.push_back(column->column());
  }
  auto node = std::make_shared<plan::WindowFunctionNode>(data.input, value, (*time)->column(),
                                                         std::move(partition));
  node->gap_column = gap_column;
  BoundRelation relation{{node}, std::move(data.scope)};
  const int width = relation.width();
  for (int i = width - 3; i < width; ++i) {
    relation.scope.columns.push_back({"", node->schema->field(i).name, col(i)});
  }
  return relation;
}

}  // namespace tidegate::sql
