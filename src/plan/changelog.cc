// SPDX-License-Identifier: Apache-2.0
#include "plan/changelog.h"

#include <fmt/format.h>

#include <utility>

namespace tidegate::plan {
namespace {

std::string mapping_text(const OpMapping& mapping) {
  std::string text;
  for (const auto& [from, to] : mapping) text += fmt::format(", '{}' is '{}'", from, to);
  return text;
}

}  // namespace

ToChangelogNode::ToChangelogNode(Input input, std::string op_column, OpMapping mapping,
                                 bool full_deletes)
    : Node({std::move(input)}), mapping(std::move(mapping)), full_deletes(full_deletes) {
  std::vector<Field> fields = {{std::move(op_column), LogicalType::string(false)}};
  for (Field field : inputs[0].schema()->fields()) {
    if (!full_deletes) field.type = field.type.with_nullable(true);
    fields.push_back(std::move(field));
  }
  schema = std::make_shared<Schema>(std::move(fields));
}

std::string ToChangelogNode::details() const {
  return fmt::format("op={}{}{}", schema->field(0).name, mapping_text(mapping),
                     full_deletes ? "" : ", deletes by key");
}

FromChangelogNode::FromChangelogNode(Input input, int op_column, OpMapping mapping,
                                     bool skip_unknown)
    : Node({std::move(input)}),
      op_column(op_column),
      mapping(std::move(mapping)),
      skip_unknown(skip_unknown) {
  std::vector<Field> fields = inputs[0].schema()->fields();
  fields.erase(fields.begin() + op_column);
  schema = std::make_shared<Schema>(std::move(fields));
}

std::string FromChangelogNode::details() const {
  return fmt::format("op={}{}{}", inputs[0].schema()->field(op_column).name, mapping_text(mapping),
                     skip_unknown ? ", others are left out" : "");
}

}  // namespace tidegate::plan
