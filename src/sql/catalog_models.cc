// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "base/check.h"
#include "sql/catalog.h"
#include "sql/print_syntax.h"

namespace tidegate::sql {
namespace {

Result<std::vector<Field>> fields_of(const std::vector<ColumnDefinition>& columns,
                                     const std::string& model) {
  std::vector<Field> fields;
  for (const ColumnDefinition& column : columns) {
    if (!column.type || column.computed != nullptr || column.metadata) {
      return error(ErrorCode::kInvalidArgument,
                   "column '{}' of model '{}' must be a name and a type", column.name.text, model);
    }
    for (const Field& other : fields) {
      if (other.name != column.name.text) continue;
      return error(ErrorCode::kInvalidArgument, "model '{}' has two columns '{}'", model,
                   other.name);
    }
    fields.push_back({column.name.text, *column.type});
  }
  return fields;
}

std::string columns_text(const std::vector<Field>& fields) {
  std::string text;
  for (const Field& field : fields) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", print_name(field.name),
                        field.type.to_string());
  }
  return text;
}

}  // namespace

Status Catalog::create_model(const CreateOther& statement) {
  const std::string full = full_name(statement.name);
  ModelDefinition model;
  model.name = statement.name.back().text;
  if (models_.contains(full)) {
    if (statement.if_not_exists) return Status::ok();
    return Status(ErrorCode::kInvalidArgument,
                  fmt::format("model '{}' exists already", to_string(statement.name)),
                  "Drop it first, or write CREATE MODEL IF NOT EXISTS.");
  }
  TG_ASSIGN_OR_RETURN(model.inputs, fields_of(statement.inputs, model.name));
  TG_ASSIGN_OR_RETURN(model.outputs, fields_of(statement.outputs, model.name));
  for (const auto& [key, value] : statement.options) model.options.set(key, value);
  model.comment = statement.comment;
  models_[full] = std::move(model);
  return Status::ok();
}

Status Catalog::alter_model(const AlterTable& statement) {
  const std::string full = full_name(statement.name);
  const auto found = models_.find(full);
  if (found == models_.end()) {
    return statement.if_exists ? Status::ok() : unknown_model(statement.name);
  }
  if (const auto* rename = std::get_if<AlterTable::Rename>(&statement.action)) {
    const std::string to = full_name(rename->to);
    if (models_.contains(to)) {
      return error(ErrorCode::kInvalidArgument, "model '{}' exists already", to_string(rename->to));
    }
    auto node = models_.extract(found);
    node.mapped().name = rename->to.back().text;
    node.key() = to;
    models_.insert(std::move(node));
  } else if (const auto* set = std::get_if<AlterTable::SetOptions>(&statement.action)) {
    for (const auto& [key, value] : set->options) found->second.options.set(key, value);
  } else if (const auto* reset = std::get_if<AlterTable::ResetOptions>(&statement.action)) {
    auto values = found->second.options.values();
    for (const std::string& key : reset->keys) values.erase(key);
    found->second.options = Options(std::move(values));
  }
  return Status::ok();
}

Status Catalog::drop_model(const Drop& statement) {
  const bool was_there = models_.erase(full_name(statement.name)) > 0;
  return was_there || statement.if_exists ? Status::ok() : unknown_model(statement.name);
}

const ModelDefinition* Catalog::find_model(const QualifiedName& name) const {
  const auto found = models_.find(full_name(name));
  return found == models_.end() ? nullptr : &found->second;
}

Status Catalog::unknown_model(const QualifiedName& name) const {
  const std::string near = nearest_name(name.back().text, models());
  return Status(
      ErrorCode::kUnknownName, fmt::format("there is no model '{}'", to_string(name)),
      near.empty() ? "Create it with CREATE MODEL." : fmt::format("Did you mean '{}'?", near));
}

std::vector<std::string> Catalog::models() const {
  const std::string prefix = fmt::format("{}.{}.", catalog_, database_);
  std::vector<std::string> names;
  for (const auto& [full, model] : models_) {
    if (full.starts_with(prefix)) names.push_back(full.substr(prefix.size()));
  }
  return names;
}

std::string to_sql(const ModelDefinition& model) {
  std::string text = fmt::format("CREATE MODEL {}\nINPUT ({})\nOUTPUT ({})", print_name(model.name),
                                 columns_text(model.inputs), columns_text(model.outputs));
  if (!model.comment.empty()) text += "\nCOMMENT " + print_string(model.comment);
  std::vector<std::string> options;
  for (const auto& [key, value] : model.options.values()) {
    options.push_back(fmt::format("{} = {}", print_string(key),
                                  print_string(is_secret_name(key) ? "***" : value)));
  }
  if (!options.empty()) text += fmt::format("\nWITH (\n  {}\n)", fmt::join(options, ",\n  "));
  return text;
}

}  // namespace tidegate::sql
