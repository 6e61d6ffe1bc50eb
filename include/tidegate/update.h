// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tidegate/codec.h"
#include "tidegate/join.h"
#include "tidegate/maybe.h"
#include "tidegate/record.h"

namespace tidegate {

/// What happens to a key of a table: its value before and after. At least one of the two is there.
template <typename K, typename V>
struct Update {
  K key{};
  std::optional<V> before;
  std::optional<V> after;
};

/// The key of a table of windows: a window of a key.
template <typename K>
struct WindowKey {
  K key{};
  Timestamp start;
  Timestamp end;
  friend bool operator==(const WindowKey&, const WindowKey&) = default;
};

template <typename K, typename V>
struct Record<Update<K, V>> {
  using Value = Record<untyped::Maybe<V>>;
  static constexpr std::size_t kKeys = Record<K>::kColumns;
  static constexpr std::size_t kColumns = kKeys + 2 * Value::kColumns;
  static void columns(std::vector<ColumnSpec>& out) {
    Record<K>::columns(out);
    if constexpr (ScalarType<K>) out.back().name = "key";
    Value::columns(out, "before");
    Value::columns(out, "after");
  }
  static Update<K, V> read(const BatchView& batch, std::size_t first, std::int64_t row) {
    return {Record<K>::read(batch, first, row), Value::read(batch, first + kKeys, row).value,
            Value::read(batch, first + kKeys + Value::kColumns, row).value};
  }
  static void write(BatchWriter& out, std::size_t first, const Update<K, V>& update) {
    Record<K>::write(out, first, update.key);
    Value::write_value(out, first + kKeys, update.before);
    Value::write_value(out, first + kKeys + Value::kColumns, update.after);
  }
};

template <typename K>
struct Record<WindowKey<K>> {
  static constexpr std::size_t kColumns = Record<K>::kColumns + 2;
  static void columns(std::vector<ColumnSpec>& out) {
    Record<K>::columns(out);
    if constexpr (ScalarType<K>) out.back().name = "key";
    out.push_back({"window_start", ColumnType::kTimestamp, false});
    out.push_back({"window_end", ColumnType::kTimestamp, false});
  }
  static WindowKey<K> read(const BatchView& batch, std::size_t first, std::int64_t row) {
    const std::size_t time = first + Record<K>::kColumns;
    return {Record<K>::read(batch, first, row), Scalar<Timestamp>::read(batch.columns[time], row),
            Scalar<Timestamp>::read(batch.columns[time + 1], row)};
  }
  static void write(BatchWriter& out, std::size_t first, const WindowKey<K>& key) {
    const std::size_t time = first + Record<K>::kColumns;
    Record<K>::write(out, first, key.key);
    Scalar<Timestamp>::write(out.column(time), key.start);
    Scalar<Timestamp>::write(out.column(time + 1), key.end);
  }
};

template <typename K>
struct Codec<WindowKey<K>> {
  static void write(std::string& out, const WindowKey<K>& key) {
    Codec<K>::write(out, key.key);
    Codec<Timestamp>::write(out, key.start);
    Codec<Timestamp>::write(out, key.end);
  }
  static bool read(std::string_view& in, WindowKey<K>& key) {
    return Codec<K>::read(in, key.key) && Codec<Timestamp>::read(in, key.start) &&
           Codec<Timestamp>::read(in, key.end);
  }
};

}  // namespace tidegate
