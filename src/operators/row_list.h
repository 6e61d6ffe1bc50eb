// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "state/state_table.h"
#include "state/ttl.h"
#include "tidegate/status.h"

namespace tidegate {

// The rows that one side of a regular join holds for a key: a list in the order of arrival, in one
// state value of bytes. Each entry, with the parts that the side needs:
//   when it last changed (8) | how many rows of the other side match it (4)
//   | unique key: length (varint), bytes | the row (row_codec.h): length (varint), bytes

struct RowListFormat {
  bool stamped = false;  ///< rows expire
  bool counted = false;  ///< matches are counted
  bool keyed = false;    ///< a unique key tells rows apart
};

/// One row of a list; views point into it.
struct ListedRow {
  std::size_t offset = 0;
  std::size_t end = 0;
  std::int64_t stamp = 0;
  std::uint32_t matches = 0;
  std::string_view unique_key = {};
  std::string_view row = {};
};

/// What is being done to the lists of one side in a batch: the state, its expiry and the time.
class RowLists {
 public:
  RowLists(RowListFormat format, std::int64_t ttl_ms)
      : format_{ttl_ms > 0, format.counted, format.keyed}, ttl_{.ttl_ms = ttl_ms} {}

  Status open(StateBackend& state, std::string name);
  StateTable& table() { return *table_; }
  const StateTable& table() const { return *table_; }
  const RowListFormat& format() const { return format_; }

  /// Before a batch: takes the time, and erases some lists that nobody has touched for long.
  void begin_batch(std::int64_t now_ms, std::int64_t num_rows);

  /// Reads the row at `offset`, or behind it the first that has not expired, and moves the offset
  /// to the next one. False at the end of the list; kStateCorrupt when it is not one.
  Result<bool> next(std::string_view list, std::size_t& offset, ListedRow& row) const {
    while (offset < list.size()) {
      if (!read(list, offset, row)) return corrupt();
      if (!format_.stamped || !ttl_.is_expired(row.stamp, now_ms_)) return true;
    }
    return false;
  }

  /// The first row with this unique key (keyed lists; in others any row) or these bytes.
  Result<bool> find_key(std::string_view list, std::string_view unique_key, ListedRow& found) const;
  Result<bool> find_row(std::string_view list, std::string_view bytes, ListedRow& found) const;

  Status append(std::byte* list, std::uint32_t matches, std::string_view unique_key,
                std::string_view row);
  void remove(std::byte* list, const ListedRow& row);
  /// Changes the number of matches of the row in place, which prolongs its life.
  void set_matches(std::byte* list, const ListedRow& row, std::uint32_t matches);

  /// Asks for the bytes of a list that will be read soon.
  static void prefetch(const std::byte* list);

 private:
  bool read(std::string_view list, std::size_t& offset, ListedRow& row) const;
  static Status corrupt();
  Status remove_expired(std::byte* list);
  void stamp(std::byte* list) {
    if (format_.stamped) table_->stamp(list) = now_ms_;
  }

  RowListFormat format_;
  StateTtl ttl_;
  StateTable* table_ = nullptr;
  std::optional<TtlSweep> sweep_;
  std::int64_t now_ms_ = 0;
  std::string entry_;
};

}  // namespace tidegate
