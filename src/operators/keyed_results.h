// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "operators/accumulator_layout.h"
#include "state/state_table.h"
#include "tidegate/row_kind.h"
#include "types/batch.h"
#include "types/key_encoding.h"
#include "windows/window_time.h"

namespace tidegate {

/// Result rows of an aggregating operator before they are columns.
struct ResultRows {
  std::vector<std::string_view> keys;  ///< encoded; must stay until the batch is built
  std::vector<const std::byte*> values;
  std::vector<TimeSpan> windows;   ///< one per row, or none
  std::optional<TimeSpan> window;  ///< the window of all rows, in place of `windows`
  std::vector<RowKind> kinds;      ///< one per row, or none: all +I
  std::vector<EventTime> times;    ///< attached event times: one per row, or none
  std::optional<EventTime> time;   ///< that of all rows, in place of `times`

  std::size_t size() const { return keys.size(); }
  /// Adds state rows as they are, without those that have no input rows left.
  void add(const StateTable& table, const AccumulatorLayout& layout,
           std::span<std::byte* const> state_values);
  void clear();
};

/// Builds output batches: keys, window_start and window_end where rows have windows, results.
class KeyedResults {
 public:
  KeyedResults(std::vector<LogicalType> key_types, const AccumulatorLayout* layout,
               bool with_keys = true)
      : codec_(std::move(key_types)), layout_(layout), with_keys_(with_keys) {}

  const KeyCodec& codec() const { return codec_; }
  Result<Batch> build(const ResultRows& rows) const;

 private:
  KeyCodec codec_;
  const AccumulatorLayout* layout_;
  bool with_keys_;
};

}  // namespace tidegate
