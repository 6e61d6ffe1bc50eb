// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "base/check.h"
#include "plan/changelog.h"
#include "sql/binder.h"
#include "sql/words.h"

namespace tidegate::sql {
namespace {

/// MAP['a', 'b', ...] of constant strings.
std::optional<plan::OpMapping> mapping_of(const Expression& expression) {
  const auto* call = std::get_if<Call>(&expression.node);
  if (call == nullptr || call->function != "MAP" || call->args.size() % 2 != 0) return std::nullopt;
  std::vector<std::string> texts;
  for (const ExpressionPtr& arg : call->args) {
    const auto* literal = std::get_if<Literal>(&arg->node);
    if (literal == nullptr || literal->kind != Literal::Kind::kString) return std::nullopt;
    texts.push_back(literal->text);
  }
  plan::OpMapping mapping;
  for (std::size_t i = 0; i < texts.size(); i += 2) mapping.emplace_back(texts[i], texts[i + 1]);
  return mapping;
}

}  // namespace

Result<BoundRelation> Binder::bind_changelog_function(const TableFunction& function, Place place,
                                                      const Scope* outer) {
  const bool to = upper(function.function.back().text) == "TO_CHANGELOG";
  static constexpr std::string_view kTo[] = {"INPUT", "OP", "OP_MAPPING", "PRODUCES_FULL_DELETES",
                                             "UID"};
  static constexpr std::string_view kFrom[] = {"INPUT", "OP", "OP_MAPPING", "ERROR_HANDLING",
                                               "UID"};
  const auto& names = to ? kTo : kFrom;
  std::map<std::string, const TableFunction::Argument*> arguments;
  for (std::size_t i = 0; i < function.arguments.size(); ++i) {
    const TableFunction::Argument& argument = function.arguments[i];
    const std::string name = argument.name ? upper(argument.name->text)
                                           : std::string(names[std::min<std::size_t>(i, 4)]);
    if (std::find(std::begin(names), std::end(names), name) == std::end(names)) {
      return error_here(argument.name->place, ErrorCode::kUnknownName, "{} has no argument '{}'",
                        function.function.back().text, argument.name->text);
    }
    arguments[name] = &argument;
  }
  const auto given = [&](const char* name) -> const TableFunction::Argument* {
    const auto found = arguments.find(name);
    return found == arguments.end() ? nullptr : found->second;
  };
  const auto* input = given("INPUT");
  const auto* op = given("OP");
  if (input == nullptr || input->table == nullptr ||
      (op != nullptr && (!op->is_descriptor || op->descriptor.size() != 1))) {
    return error_here(place, ErrorCode::kInvalidSyntax,
                      "{0} is called as {0}(input => TABLE t, op => DESCRIPTOR(column), op_mapping "
                      "=> MAP[...])",
                      to ? "TO_CHANGELOG" : "FROM_CHANGELOG");
  }
  plan::OpMapping mapping;
  if (const auto* argument = given("OP_MAPPING")) {
    auto read = argument->value == nullptr ? std::nullopt : mapping_of(*argument->value);
    if (!read) {
      return error_here(place, ErrorCode::kInvalidSyntax,
                        "op_mapping must be MAP['...', '...'] of constant strings");
    }
    mapping = *std::move(read);
  }
  const auto flag = [&](const char* name, bool fallback) {
    const auto* argument = given(name);
    if (argument == nullptr || argument->value == nullptr) return fallback;
    const auto* literal = std::get_if<Literal>(&argument->value->node);
    return literal == nullptr ? fallback : literal->kind == Literal::Kind::kTrue;
  };
  TG_ASSIGN_OR_RETURN(BoundRelation data, bind_relation(*input->table, outer));
  // The function works on all columns of its table, in the order of their names there.
  Projection projection(data.input, functions_, false);
  for (const ScopeColumn& column : data.scope.columns) {
    TG_RETURN_IF_ERROR(projection.append(column.value, column.name));
  }
  data.input = projection.build();
  const std::string op_name = op != nullptr ? op->descriptor[0].text : "op";
  BoundRelation relation;
  if (to) {
    relation.input = {std::make_shared<plan::ToChangelogNode>(
        data.input, op_name, std::move(mapping), flag("PRODUCES_FULL_DELETES", true))};
  } else {
    const int column = data.input.schema()->index_of(op_name);
    if (column < 0) {
      return error_here(op != nullptr ? op->descriptor[0].place : place, ErrorCode::kUnknownName,
                        "the input of FROM_CHANGELOG has no column '{}' that says what a row does",
                        op_name);
    }
    bool skips = false;
    if (const auto* handling = given("ERROR_HANDLING"); handling != nullptr && handling->value) {
      const auto* literal = std::get_if<Literal>(&handling->value->node);
      skips = literal != nullptr && upper(literal->text) == "SKIP";
    }
    relation.input = {
        std::make_shared<plan::FromChangelogNode>(data.input, column, std::move(mapping), skips)};
  }
  for (int i = 0; i < relation.width(); ++i) {
    relation.scope.columns.push_back({"", relation.schema().field(i).name, col(i)});
  }
  return relation;
}

}  // namespace tidegate::sql
