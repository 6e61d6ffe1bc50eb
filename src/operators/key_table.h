// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataflow/operator.h"
#include "operators/row_keys.h"
#include "state/state_table.h"
#include "state/ttl.h"
#include "types/batch.h"

namespace tidegate {

/// The types of these columns, in order.
std::vector<LogicalType> types_at(std::span<const int> columns,
                                  const std::vector<LogicalType>& types);

/// One state value per key of an operator's rows, in namespace 0, and when it is forgotten: keys go
/// `ttl_ms` (0: never) after their value has changed.
class KeyTable {
 public:
  /// Key columns, and the types of all columns.
  KeyTable(std::vector<int> keys, const std::vector<LogicalType>& types, std::int64_t ttl_ms)
      : keys_(keys, types_at(keys, types)), ttl_{.ttl_ms = ttl_ms} {}

  Status open(OperatorContext& context, std::string name,
              std::shared_ptr<const ValueLayout> layout);

  /// Finds or makes the values of all rows of a batch. Only new ones count as changed: most rows
  /// change nothing, and should not be part of an epoch's delta.
  Status read(const Batch& batch);

  std::byte* value(std::int64_t row) const { return values_[static_cast<std::size_t>(row)]; }
  StateKey key(std::int64_t row) const { return keys_[row]; }
  StateTable& table() { return *table_; }

  /// Takes the time that changes are stamped with; read() does.
  void look_at_clock() {
    if (ttl_.enabled()) now_ms_ = clock_->wall_ms();
  }
  /// The value has changed.
  void touch(std::byte* value) {
    table_->touch(0, value);
    stamp(value);
  }
  /// The value is not forgotten, however old it is, until the next touch().
  void keep(std::byte* value) {
    if (ttl_.enabled()) table_->stamp(value) = INT64_MAX;
  }

 private:
  void stamp(std::byte* value) {
    if (ttl_.enabled()) table_->stamp(value) = now_ms_;
  }
  void forget(std::int64_t num_rows);

  RowKeys keys_;
  StateTtl ttl_;
  const Clock* clock_ = nullptr;
  StateTable* table_ = nullptr;
  std::optional<TtlSweep> sweep_;
  std::int64_t now_ms_ = 0;
  std::vector<std::byte*> values_;
};

}  // namespace tidegate
