// SPDX-License-Identifier: Apache-2.0
#include "plan/predict.h"

#include <fmt/format.h>

#include <utility>

namespace tidegate::plan {

PredictNode::PredictNode(Input input, ModelDefinition model, std::vector<int> columns,
                         const std::string& version_name)
    : Node({std::move(input)}),
      model(std::move(model)),
      columns(std::move(columns)),
      with_version(!version_name.empty()) {
  const Schema& from = *inputs[0].schema();
  std::vector<Field> fields = from.fields();
  // A row that is not scored has nulls there.
  for (const Field& output : this->model.outputs) {
    fields.push_back({output.name, output.type.with_nullable(true)});
  }
  if (with_version) fields.push_back({version_name, LogicalType::string(false)});
  auto made = std::make_shared<Schema>(std::move(fields));
  made->rowtime = from.rowtime;
  made->primary_key = from.primary_key;
  schema = std::move(made);
}

std::string PredictNode::details() const {
  return fmt::format("model={}, columns=[{}]", model.name,
                     column_names(*inputs[0].schema(), columns));
}

}  // namespace tidegate::plan
