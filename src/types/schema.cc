// SPDX-License-Identifier: Apache-2.0
#include "types/schema.h"

#include <arrow/type.h>

#include <utility>

namespace tidegate {

int Schema::index_of(std::string_view name) const {
  for (int i = 0; i < num_fields(); ++i)
    if (field(i).name == name) return i;
  return -1;
}

std::shared_ptr<arrow::Schema> Schema::to_arrow() const {
  arrow::FieldVector fields;
  fields.reserve(fields_.size());
  for (const Field& field : fields_)
    fields.push_back(arrow::field(field.name, field.type.arrow_type(), field.type.nullable()));
  return arrow::schema(std::move(fields));
}

std::string Schema::to_string() const {
  std::string out = "(";
  for (int i = 0; i < num_fields(); ++i) {
    if (i > 0) out += ", ";
    out += field(i).name + ' ' + field(i).type.to_string();
    if (rowtime == i) out += " *ROWTIME*";
  }
  if (!primary_key.empty()) {
    out += ", PRIMARY KEY (";
    for (std::size_t i = 0; i < primary_key.size(); ++i)
      out += (i > 0 ? ", " : "") + field(primary_key[i]).name;
    out += ')';
  }
  return out + ')';
}

}  // namespace tidegate
