// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rocksdb/write_batch.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "state/base_keys.h"
#include "tidegate/status.h"

namespace tidegate {

/// Changes of rows, on their way into a write batch in the order of their keys: RocksDB's memory
/// finds a row's place fast when it is behind that of the row before.
class SortedRows {
 public:
  bool empty() const { return rows_.empty(); }
  std::size_t size_bytes() const { return bytes_.size(); }

  /// No value: the row goes.
  void add(BaseTableId table, std::int64_t name_space, std::uint64_t hash, std::string_view key,
           std::optional<std::string_view> value) {
    const std::size_t begin = bytes_.size();
    const std::uint64_t flipped = static_cast<std::uint64_t>(name_space) ^ kSign;
    append_big_endian(bytes_, table);
    append_big_endian(bytes_, flipped);
    append_big_endian(bytes_, hash);
    bytes_ += key;
    const std::size_t key_end = bytes_.size();
    if (value) bytes_ += *value;
    rows_.push_back({table, flipped, hash, begin, key_end, bytes_.size(), value.has_value()});
  }

  /// Of rows with the same key the last one counts.
  Status move_to(rocksdb::WriteBatch& batch) {
    std::ranges::sort(rows_, [this](const Row& a, const Row& b) { return is_before(a, b); });
    for (const Row& row : rows_) {
      const rocksdb::Slice place(bytes_.data() + row.begin, row.key_end - row.begin);
      const rocksdb::Slice value(bytes_.data() + row.key_end, row.end - row.key_end);
      const auto added = row.has_value ? batch.Put(place, value) : batch.Delete(place);
      if (!added.ok()) return to_status(added);
    }
    rows_.clear();
    bytes_.clear();
    return Status::ok();
  }

 private:
  struct Row {
    BaseTableId table;
    std::uint64_t name_space;  // sign flipped
    std::uint64_t hash;
    std::size_t begin;  // in bytes_
    std::size_t key_end;
    std::size_t end;
    bool has_value;
  };

  bool is_before(const Row& a, const Row& b) const {
    if (a.table != b.table) return a.table < b.table;
    if (a.name_space != b.name_space) return a.name_space < b.name_space;
    if (a.hash != b.hash) return a.hash < b.hash;
    const int way = key(a).compare(key(b));
    return way != 0 ? way < 0 : a.begin < b.begin;
  }
  std::string_view key(const Row& row) const {
    return std::string_view(bytes_).substr(row.begin, row.key_end - row.begin);
  }

  std::vector<Row> rows_;
  std::string bytes_;
};

}  // namespace tidegate
