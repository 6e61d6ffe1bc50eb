// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dataflow/operator.h"
#include "operators/row_codec.h"
#include "tidegate/row_kind.h"
#include "tidegate/status.h"
#include "tidegate/time.h"
#include "types/batch.h"

namespace tidegate {

// Rows in state with what a batch knows beside their columns:
//   row kind (1) | 1 if an event time is attached, else 0 (1) | event time (8, if attached)
//   | the row (row_codec.h)

/// Reads the rows of one batch.
class StoredRowEncoder {
 public:
  explicit StoredRowEncoder(const Batch& batch) : batch_(batch), rows_(batch) {}
  void append(std::int64_t row, std::string& out) const;

 private:
  Batch batch_;
  RowEncoder rows_;
};

/// Collects such rows into batches. Side arrays are there when some row needs them; an event time
/// must be attached to all rows of a batch or to none.
class StoredRowDecoder {
 public:
  explicit StoredRowDecoder(const std::vector<LogicalType>& types) : rows_(types) {}

  Status append(std::string_view bytes);
  /// The same row with another kind.
  Status append(std::string_view bytes, RowKind kind);
  std::int64_t num_rows() const { return rows_.num_rows(); }
  /// Enough for a batch.
  bool full() const;
  /// The rows since the last take, and starts anew.
  Result<Batch> take();
  /// Emits the rows since the last take, if there are any.
  Status flush(Output& out);

 private:
  RowDecoder rows_;
  std::vector<RowKind> kinds_;
  std::vector<EventTime> times_;
  bool insert_only_ = true;
};

}  // namespace tidegate
