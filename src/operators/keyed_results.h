// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "operators/accumulator_layout.h"
#include "tidegate/row_kind.h"
#include "types/batch.h"
#include "types/key_encoding.h"
#include "windows/window_time.h"

namespace tidegate {

/// Result rows of an aggregating operator before they are columns.
struct ResultRows {
  std::vector<std::string_view> keys;  ///< encoded; must stay until the batch is built
  std::vector<const std::byte*> values;
  std::vector<TimeSpan> windows;  ///< one per row, or none
  std::vector<RowKind> kinds;     ///< one per row, or none: all +I
  std::vector<EventTime> times;   ///< attached event times: one per row, or none

  std::size_t size() const { return keys.size(); }
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
