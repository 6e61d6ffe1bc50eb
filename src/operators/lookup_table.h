// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <span>
#include <vector>

#include "operators/join.h"
#include "operators/row_keys.h"
#include "tidegate/status.h"
#include "types/batch.h"

namespace tidegate {

/// A table in memory with an index on its key. Never changes.
class LookupTable {
 public:
  /// Of rows with the columns of `input`. kLimitExceeded when they do not fit into one batch.
  static Result<std::shared_ptr<const LookupTable>> build(const JoinInput& input,
                                                          std::vector<Batch> batches);
  explicit LookupTable(const JoinInput& input);

  /// The rows with this key, in their order. The key holds no null.
  std::span<const std::int32_t> find(const StateKey& key) const;
  /// The row behind the last: all nulls.
  std::int32_t null_row() const { return static_cast<std::int32_t>(rows_.num_rows() - 1); }
  Result<Batch> take(std::span<const std::int32_t> rows) const { return rows_.take(rows); }

 private:
  struct Range {
    std::int32_t begin = 0;
    std::int32_t count = 0;
  };

  Status index(const Batch& rows);

  Batch rows_;
  RowKeys keys_;
  std::vector<std::int32_t> order_;  // rows by key
  // Where keys of this hash stand in order_; keys that share a hash follow each other.
  boost::unordered_flat_map<std::uint64_t, Range> ranges_;
};

}  // namespace tidegate
