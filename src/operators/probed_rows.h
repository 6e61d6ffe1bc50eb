// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "operators/row_codec.h"
#include "tidegate/row_kind.h"
#include "tidegate/status.h"
#include "types/batch.h"
#include "types/column.h"
#include "types/logical_type.h"

namespace tidegate {

/// The values at `rows`, as take_column() does; null where the row is -1.
Result<std::vector<ArrayPtr>> take_or_null(std::span<const ArrayPtr> columns,
                                           std::span<const std::int32_t> rows);

/// Collects results of a join, each made of a row of the batch in hand and a row in stored bytes
/// (row_codec.h): columns of the one are gathered, those of the other decoded.
class ProbedRows {
 public:
  struct Shape {
    bool batch_is_left = true;  ///< whose columns come first
    bool batch_columns = true;  ///< false: the results have none of the batch (semi joins)
    bool stored_columns = true;
  };
  ProbedRows(Shape shape, const std::vector<LogicalType>& stored_types);

  /// Rows of this batch are meant from here on. What was collected must have been taken. Only with
  /// `attach_times` do results carry the event times of the batch.
  void begin(Batch batch, bool attach_times = false);

  /// `row` -1, `stored` nullopt: nulls on that side.
  Status add(std::int32_t row, std::optional<std::string_view> stored, RowKind kind);
  std::int64_t num_rows() const { return static_cast<std::int64_t>(rows_.size()); }
  /// Enough for a batch.
  bool full() const { return num_rows() >= kBatchRows || byte_size() >= kBatchBytes; }
  /// The results since the last take, with their kinds.
  Result<Batch> take();

 private:
  static constexpr std::int64_t kBatchRows = 4096;
  static constexpr std::int64_t kBatchBytes = 4 << 20;
  /// In batches up to this size no row can be so long that the rows of a result pass 2 GiB.
  static constexpr std::int64_t kSmallBatchBytes = 256 << 10;

  std::int64_t byte_size() const { return stored_.byte_size() + batch_bytes_; }
  Result<std::vector<ArrayPtr>> gather();

  Shape shape_;
  RowDecoder stored_;
  Batch batch_;
  bool attach_times_ = false;
  std::vector<std::int64_t> row_bytes_;  // of the batch's rows; empty: they are short
  std::int64_t batch_bytes_ = 0;         // of the results, on the side of the batch
  std::vector<std::int32_t> rows_;
  std::vector<RowKind> kinds_;
  bool insert_only_ = true;
  bool has_nulls_ = false;
  bool consecutive_ = true;  // rows_ are a slice of the batch
};

}  // namespace tidegate
