// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataflow/operator.h"
#include "operators/row_keys.h"
#include "state/state_table.h"
#include "state/ttl.h"

namespace tidegate {

/// The bytes that an operator keeps per key of its input, found for a batch at a time; empty bytes
/// are no row. State `name`, namespace 0.
class LastRows {
 public:
  /// `types` are those of all columns.
  LastRows(std::vector<int> keys, const std::vector<LogicalType>& types, std::int64_t ttl_ms);

  /// `form` of the bytes: row_layout.h.
  Status open(OperatorContext& context, std::string name, std::string_view form);

  /// Finds the keys of a batch; keys that have expired are empty, and all count as used now.
  Status read(const Batch& batch);
  bool has_ttl() const { return ttl_.enabled(); }

  /// Of a row of that batch. Holds until set() of its key.
  std::string_view get(std::int64_t row) const;
  void set(std::int64_t row, std::string_view bytes);
  void append(std::int64_t row, std::string_view bytes);

  /// Behind the last row of the batch: keys without bytes go.
  Status finish();

 private:
  RowKeys keys_;
  StateTtl ttl_;
  const Clock* clock_ = nullptr;
  StateTable* table_ = nullptr;
  std::optional<TtlSweep> sweep_;
  std::vector<std::byte*> values_;
};

/// The columns of a stored row (stored_rows.h) without its kind and event time, for comparisons.
inline std::string_view row_of_stored(std::string_view bytes) {
  const bool has_time = bytes.size() > 1 && bytes[1] != 0;
  return bytes.substr(std::min<std::size_t>(bytes.size(), has_time ? 10 : 2));
}

}  // namespace tidegate
