// SPDX-License-Identifier: Apache-2.0
#include "connectors/projected_schema.h"

#include <memory>
#include <utility>

namespace tidegate {

SchemaPtr projected_schema(const Schema& table, const std::vector<int>& projection) {
  std::vector<Field> fields;
  for (const int column : projection) fields.push_back(table.field(column));
  auto schema = std::make_shared<Schema>(std::move(fields));
  for (std::size_t i = 0; i < projection.size(); ++i)
    if (table.rowtime == projection[i]) schema->rowtime = static_cast<int>(i);
  return schema;
}

}  // namespace tidegate
