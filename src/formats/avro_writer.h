// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/bound_values.h"
#include "tidegate/status.h"
#include "types/batch.h"
#include "types/logical_type.h"

namespace tidegate {

/// Avro's variable-length numbers: the sign in the lowest bit, seven bits a byte, the lowest first.
void append_avro_long(std::int64_t value, std::string& out);

/// Writes the values of one column in Avro's binary form, by the schema of avro_schema_of(). A tree
/// beside the tree of the column's type, bound to arrays once per batch.
class AvroWriter : public BoundValues<AvroWriter> {
 public:
  /// A type that avro_schema_of() takes.
  explicit AvroWriter(const LogicalType& type);

  /// kNullKey for a map with a null key, which Avro cannot say.
  Status write(std::int64_t row, std::string& out) const;

 private:
  Status write_value(std::int64_t row, std::string& out) const;
  void write_decimal(std::int64_t row, std::string& out) const;
  Status write_list(std::int64_t row, std::string& out) const;
};

}  // namespace tidegate
