// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tidegate/status.h"

namespace tidegate {

// The first rows of a key in some order, as one value of bytes; empty bytes: none. Part of the
// state format:
//
//   number of rows (4) | offset of the last row from the first one (4) | rows in order, each:
//   length of its sort key (varint) | length of the row (varint) | sort key (sort_order.h) | row
//   (stored_rows.h)

/// A look into such bytes, which must stay as they are.
class TopRows {
 public:
  struct Entry {
    std::string_view key;
    std::string_view row;
    std::size_t offset = 0;  ///< of the entry from the first one
  };

  /// kStateCorrupt when the bytes are too short to be what was written.
  static Result<TopRows> read(std::string_view bytes);

  std::int64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// The last one; not when there is none.
  Result<Entry> last() const { return entry_at(last_); }
  Status entries(std::vector<Entry>& entries) const;
  /// Puts the bytes of the rows with `added` in front of entries[at] to `out`, of them the first
  /// `most`. `entries` are those of these rows; one row is too many at most, and not the added one.
  void write_with(const Entry& added, std::span<const Entry> entries, std::size_t at,
                  std::int64_t most, std::string& out) const;

 private:
  Result<Entry> entry_at(std::size_t offset) const;

  std::string_view rows_;
  std::int64_t size_ = 0;
  std::size_t last_ = 0;
};

/// Puts the bytes of these rows, in this order, to `out`. Their offsets do not matter.
void write_top_rows(std::span<const TopRows::Entry> entries, std::string& out);

}  // namespace tidegate
