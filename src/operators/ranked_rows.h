// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "dataflow/operator.h"
#include "operators/bound_aggregate.h"
#include "operators/stored_rows.h"

namespace tidegate {

/// Collects what a Top-N emits: stored rows, each with its number behind its columns if that is
/// asked for. Numbers outside of [rank_start, rank_end] are left out.
class RankedRows {
 public:
  RankedRows(const std::vector<LogicalType>& types, std::int64_t rank_start, std::int64_t rank_end,
             bool emit_rank_number, Changelog changelog)
      : rows_(types),
        rank_start_(rank_start),
        rank_end_(rank_end),
        emit_rank_number_(emit_rank_number),
        emit_before_(changelog == Changelog::kRetract) {}

  Status insert(std::string_view row, std::int64_t rank) {
    return add(row, rank, RowKind::kInsert);
  }
  Status remove(std::string_view row, std::int64_t rank) {
    return add(row, rank, RowKind::kDelete);
  }
  Status update(std::string_view before, std::string_view after, std::int64_t rank);
  /// The two halves of an update.
  Status update_before(std::string_view row, std::int64_t rank) {
    return emit_before_ ? add(row, rank, RowKind::kUpdateBefore) : Status::ok();
  }
  Status update_after(std::string_view row, std::int64_t rank) {
    return add(row, rank, RowKind::kUpdateAfter);
  }

  bool full() const { return rows_.full(); }
  /// Emits the rows since the last flush, if there are any.
  Status flush(Output& out);

 private:
  Status add(std::string_view row, std::int64_t rank, RowKind kind);

  StoredRowDecoder rows_;
  std::int64_t rank_start_;
  std::int64_t rank_end_;
  bool emit_rank_number_;
  bool emit_before_;
  std::vector<std::int64_t> ranks_;
};

}  // namespace tidegate
