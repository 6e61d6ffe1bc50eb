// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "types/logical_type.h"

namespace tidegate {

/// What a column is to the time of its stream.
enum class TimeAttribute : std::uint8_t {
  kNone,
  kRowtime,   ///< event time: the stream's watermarks are about this column
  kProctime,  ///< processing time: the clock when a row is looked at
};

/// A named, typed column.
struct Field {
  std::string name;
  LogicalType type;
  /// A property of the stream, not of the column's type: equality leaves it out.
  TimeAttribute time = TimeAttribute::kNone;
  friend bool operator==(const Field& a, const Field& b) {
    return a.name == b.name && a.type == b.type;
  }
};

/// The columns of a stream and what is known about them. Immutable once shared.
class Schema {
 public:
  Schema() = default;
  explicit Schema(std::vector<Field> fields) : fields_(std::move(fields)) {}

  int num_fields() const { return static_cast<int>(fields_.size()); }
  const Field& field(int i) const { return fields_[static_cast<std::size_t>(i)]; }
  const std::vector<Field>& fields() const { return fields_; }
  /// Index of the field of this name (case-sensitive), or -1.
  int index_of(std::string_view name) const;

  /// The column that carries event time and watermarks, if any.
  std::optional<int> rowtime;
  /// The columns of the primary key (not enforced), in order; empty when there is none.
  std::vector<int> primary_key;

  std::shared_ptr<arrow::Schema> to_arrow() const;
  /// "(url STRING, ts TIMESTAMP(3) *ROWTIME*)"
  std::string to_string() const;
  friend bool operator==(const Schema&, const Schema&) = default;

 private:
  std::vector<Field> fields_;
};

using SchemaPtr = std::shared_ptr<const Schema>;

}  // namespace tidegate
