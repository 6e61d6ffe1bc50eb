// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/avro_input.h"
#include "formats/avro_schema.h"
#include "formats/column_builder.h"
#include "tidegate/status.h"
#include "types/logical_type.h"

namespace tidegate {

/// Reads values that were written with one schema into column builders of other types, as far as
/// Avro's rules of schema resolution (and unions, enums and logical types) allow: fields are found
/// by name, numbers may become wider, and what nobody wants is skipped.
class AvroReader {
 public:
  /// `writer`, a record, must outlive this; `row`: the wanted fields. kTypeMismatch when a field
  /// cannot be read as its column, kMissingField when a NOT NULL column has none.
  static Result<AvroReader> make(const AvroType& writer, const LogicalType& row);

  /// Reads one record and appends a value to `row` and each of its children. After an error `row`
  /// must be truncated to what it was.
  Status read(AvroInput& input, ColumnBuilder& row);

 private:
  enum class Action : std::uint8_t {
    kUnfit,  // a branch of a union that its column cannot hold
    kNull,
    kBoolean,
    kInteger,
    kFloating,
    kText,
    kSymbol,
    kBytes,
    kDecimal,
    kTime,
    kArray,
    kMap,
    kRow,
    kUnion,
  };
  static constexpr int kSkip = -1;
  struct Node {
    const AvroType* writer = nullptr;
    LogicalType type;
    Action action = Action::kUnfit;
    std::vector<Node> children;  // branches, elements, or the writer's fields
    std::vector<int> targets;    // kRow: per field of the writer, the column's field or kSkip
    std::vector<int> missing;    // kRow: fields of the column that the writer does not have
    std::string name;            // of a field, for messages
    // kTime: units of the column = value * factor / divisor.
    std::int64_t factor = 1;
    std::int64_t divisor = 1;
  };

  static Result<Node> resolve(const AvroType& writer, const LogicalType& type);
  static Result<Node> resolve_row(const AvroType& writer, const LogicalType& type);
  static Action scalar_action(const AvroType& writer, const LogicalType& type);
  static void set_units(Node& node);

  Status read_value(AvroInput& input, const Node& node, ColumnBuilder& column);
  Status read_integer(AvroInput& input, const Node& node, ColumnBuilder& column);
  Status read_floating(AvroInput& input, const Node& node, ColumnBuilder& column);
  Status read_text(AvroInput& input, const Node& node, ColumnBuilder& column);
  Status read_decimal(AvroInput& input, const Node& node, ColumnBuilder& column);
  Status read_time(AvroInput& input, const Node& node, ColumnBuilder& column);
  Status read_list(AvroInput& input, const Node& node, ColumnBuilder& column);
  Status read_row(AvroInput& input, const Node& node, ColumnBuilder& column);
  Status skip(AvroInput& input, const AvroType& writer, int depth);
  /// The number of elements in the next block of a list; 0 at its end.
  Status next_block(AvroInput& input, std::int64_t& count);

  Status check_elements() const;

  Node root_;
  std::int64_t elements_ = 0;  // of lists, of the record being read
};

}  // namespace tidegate
