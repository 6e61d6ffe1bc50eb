// SPDX-License-Identifier: Apache-2.0
//
// ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(a, b), MAP['key', 'value']): each row with what a model
// answers to some of its columns.
#include <algorithm>
#include <array>
#include <optional>

#include "base/check.h"
#include "plan/predict.h"
#include "sql/binder.h"
#include "sql/words.h"

namespace tidegate::sql {
namespace {

const std::vector<OptionSpec>& config_options() {
  static const std::vector<OptionSpec> options = {
      {"version-column", "string", "", "The name of a column with the version of the model."},
      {"async", "boolean", "false", ""},
      // Of asynchronous calls, as in Flink; nothing is called asynchronously here.
      {"max-concurrent-operations", "integer", "", ""},
      {"output-mode", "ORDERED|ALLOW_UNORDERED", "", ""},
      {"timeout", "duration", "", ""},
  };
  return options;
}

using Argument = TableFunction::Argument;
enum Parameter : std::size_t { kInput, kModel, kArgs, kConfig };
using Arguments = std::array<const Argument*, 4>;

/// By position or by name; none when there are others or too few.
std::optional<Arguments> match_arguments(const std::vector<Argument>& given) {
  static constexpr std::string_view kNames[] = {"INPUT", "MODEL", "ARGS", "CONFIG"};
  Arguments found{};
  for (std::size_t i = 0; i < given.size(); ++i) {
    std::size_t position = i;
    if (given[i].name) {
      position = static_cast<std::size_t>(
          std::find(std::begin(kNames), std::end(kNames), upper(given[i].name->text)) -
          std::begin(kNames));
    }
    if (position >= found.size() || found[position] != nullptr) return std::nullopt;
    found[position] = &given[i];
  }
  const bool fit = found[kInput] != nullptr && found[kInput]->table != nullptr &&
                   found[kModel] != nullptr && !found[kModel]->model.empty() &&
                   found[kArgs] != nullptr && found[kArgs]->is_descriptor &&
                   (found[kConfig] == nullptr || found[kConfig]->value != nullptr);
  return fit ? std::optional(found) : std::nullopt;
}

/// MAP['a', 'b', ...] of constant strings.
std::optional<Options> options_of(const Expression& expression) {
  const auto* call = std::get_if<Call>(&expression.node);
  if (call == nullptr || call->function != "MAP" || call->args.size() % 2 != 0) return std::nullopt;
  std::vector<std::string> texts;
  for (const ExpressionPtr& arg : call->args) {
    const auto* literal = std::get_if<Literal>(&arg->node);
    if (literal == nullptr || literal->kind != Literal::Kind::kString) return std::nullopt;
    texts.push_back(literal->text);
  }
  Options options;
  for (std::size_t i = 0; i < texts.size(); i += 2) options.set(texts[i], texts[i + 1]);
  return options;
}

/// Whether a column goes into a model's input without being asked for by CAST: where nothing but
/// the last digits of a number is lost.
bool goes_into(const LogicalType& from, const LogicalType& to) {
  if (from.same_but_nullability(to)) return true;
  if (from.is_character()) return to.is_character();
  const bool to_floating = to.kind() == TypeKind::kFloat || to.kind() == TypeKind::kDouble;
  if (from.is_numeric() && to_floating) return true;
  if (from.is_integer() && to.is_integer()) return from.kind() <= to.kind();
  return from.kind() == TypeKind::kArray && to.kind() == TypeKind::kArray &&
         goes_into(from.children()[0].type, to.children()[0].type);
}

/// As Flink does: the first of name, name0, name1, ... that no column has.
std::string free_name(const std::string& name, const std::vector<ScopeColumn>& columns) {
  std::string free = name;
  const auto taken = [&] {
    return std::any_of(columns.begin(), columns.end(),
                       [&](const ScopeColumn& column) { return column.name == free; });
  };
  for (int i = 0; taken(); ++i) free = fmt::format("{}{}", name, i);
  return free;
}

}  // namespace

Result<BoundRelation> Binder::bind_predict(const TableFunction& function, Place place,
                                           const Scope* outer) {
  const std::optional<Arguments> arguments = match_arguments(function.arguments);
  if (!arguments) {
    return error_here(place, ErrorCode::kInvalidSyntax,
                      "ML_PREDICT is called as ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(column, "
                      "...) [, MAP['key', 'value']]); its arguments' names are INPUT, MODEL, ARGS "
                      "and CONFIG");
  }
  const QualifiedName& model_name = (*arguments)[kModel]->model;
  const ModelDefinition* model = catalog_.find_model(model_name);
  if (model == nullptr) return at(model_name.front().place, catalog_.unknown_model(model_name));
  if (Status checked = check_model(*model); !checked.is_ok()) {
    return at(model_name.front().place, std::move(checked));
  }
  Options config;
  if (const Argument* given = (*arguments)[kConfig]) {
    auto read = options_of(*given->value);
    if (!read) {
      return error_here(given->value->place, ErrorCode::kInvalidSyntax,
                        "CONFIG must be MAP['...', '...'] of constant strings");
    }
    config = *std::move(read);
    Status valid = config.validate(config_options(), "ML_PREDICT");
    if (!valid.is_ok()) return at(given->value->place, std::move(valid));
    if (config.get_bool_or("async", false).is_ok() && *config.get_bool_or("async", false)) {
      return error_here(given->value->place, ErrorCode::kNotSupported,
                        "the provider onnx scores in the engine's process and not asynchronously");
    }
  }
  TG_ASSIGN_OR_RETURN(BoundRelation data, bind_relation(*(*arguments)[kInput]->table, outer));
  const std::vector<Identifier>& features = (*arguments)[kArgs]->descriptor;
  if (features.size() != model->inputs.size()) {
    return error_here(place, ErrorCode::kInvalidPlan,
                      "model '{}' takes {} columns, but DESCRIPTOR names {}", model->name,
                      model->inputs.size(), features.size());
  }
  Projection projection(data.input, functions_, /*keep_all=*/true);
  std::vector<int> columns;
  for (std::size_t i = 0; i < features.size(); ++i) {
    const Identifier& name = features[i];
    auto value = resolve(data.scope, {name});
    if (!value.is_ok()) return at(name.place, std::move(value).status());
    auto column = projection.add(*value);
    if (!column.is_ok()) return at(name.place, std::move(column).status());
    const LogicalType from = projection.type(*column);
    const LogicalType& to = model->inputs[i].type;
    if (!goes_into(from, to)) {
      return at(
          name.place,
          Status(ErrorCode::kTypeMismatch,
                 fmt::format("'{}' is {}, but the input '{}' of model '{}' is {}", name.text,
                             from.to_string(), model->inputs[i].name, model->name, to.to_string()),
                 "Cast the column in a view or subquery in front of ML_PREDICT."));
    }
    if (!from.same_but_nullability(to)) {
      column = projection.add(cast(*value, to.with_nullable(from.nullable())));
      if (!column.is_ok()) return at(name.place, std::move(column).status());
    }
    columns.push_back(*column);
  }
  const plan::Input input = projection.build();
  const int width = input.schema()->num_fields();
  BoundRelation relation;
  relation.scope = std::move(data.scope);
  std::string version = config.get_string_or("version-column", "");
  for (const Field& output : model->outputs) {
    const int at = width + static_cast<int>(&output - model->outputs.data());
    relation.scope.columns.push_back({"", free_name(output.name, relation.scope.columns), col(at)});
  }
  if (!version.empty()) {
    version = free_name(version, relation.scope.columns);
    relation.scope.columns.push_back(
        {"", version, col(width + static_cast<int>(model->outputs.size()))});
  }
  relation.input = {
      std::make_shared<plan::PredictNode>(input, *model, std::move(columns), version)};
  return relation;
}

}  // namespace tidegate::sql
