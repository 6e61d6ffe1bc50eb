// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tidegate/record.h"

namespace tidegate {

namespace untyped {

/// A record that may be missing, also one whose columns may all be null: whether it is there, and
/// then its columns.
template <typename V>
struct Maybe {
  std::optional<V> value;
};

}  // namespace untyped

template <typename V>
struct Record<untyped::Maybe<V>> {
  static constexpr std::size_t kColumns = 1 + Record<V>::kColumns;
  static void columns(std::vector<ColumnSpec>& out) { columns(out, "is_there"); }
  static void columns(std::vector<ColumnSpec>& out, const std::string& name) {
    out.push_back({name, ColumnType::kBoolean, false});
    const std::size_t first = out.size();
    Record<V>::columns(out);
    for (std::size_t i = first; i < out.size(); ++i) {
      out[i].name = name + "_" + out[i].name;
      out[i].nullable = true;
    }
  }
  static untyped::Maybe<V> read(const BatchView& batch, std::size_t first, std::int64_t row) {
    if (!batch.columns[first].boolean(row)) return {};
    return {Record<V>::read(batch, first + 1, row)};
  }
  static void write(BatchWriter& out, std::size_t first, const untyped::Maybe<V>& maybe) {
    write_value(out, first, maybe.value);
  }
  static void write_value(BatchWriter& out, std::size_t first, const std::optional<V>& value) {
    Scalar<bool>::write(out.column(first), value.has_value());
    if (value) {
      Record<V>::write(out, first + 1, *value);
    } else {
      for (std::size_t i = 1; i < kColumns; ++i) out.column(first + i).append_null();
    }
  }
};

}  // namespace tidegate
