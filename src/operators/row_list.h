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

// The rows that one side of a regular join holds for a key: a list in the order of arrival. It is
// cut into chunks, so that a long one is not stored again as a whole whenever it changes. A chunk
// is a state value of bytes; its namespace is its number. Chunk 0 begins with a header, which says
// what other chunks there are (some may be missing):
//   number of the first of them (4) | of the last (4)
// Behind that, and in the others, come the rows, with the parts that the side needs:
//   when it last changed (8) | how many rows of the other side match it (4)
//   | unique key: length (varint), bytes | compared column: length (varint), bytes
//   | the row (row_codec.h): length (varint), bytes

struct RowListFormat {
  bool stamped = false;   ///< rows expire
  bool counted = false;   ///< matches are counted
  bool keyed = false;     ///< a unique key tells rows apart
  bool compared = false;  ///< a column stands beside the row, to be compared (key_encoding.h)
};

/// What is stored of a row.
struct RowParts {
  std::uint32_t matches = 0;
  std::string_view unique_key = {};
  std::string_view compared = {};
  std::string_view row = {};
};

/// A row of a list, and where it stands. Views point into the list.
struct ListedRow : RowParts {
  std::byte* chunk = nullptr;
  std::int64_t number = 0;  ///< of the chunk
  std::size_t begin = 0;
  std::size_t end = 0;
  std::int64_t stamp = 0;
};

/// The lists of one side. A list is named by the value of its chunk 0. While a batch of one side
/// looks up the other one, only counts of matches change there, so that places hold.
class RowLists {
 public:
  static constexpr std::int64_t kNamespace = 0;  ///< of chunks 0

  /// A place in a list.
  class Cursor {
   public:
    Cursor() = default;
    /// `list` null: no rows.
    explicit Cursor(std::byte* list) : list_(list), chunk_(list) {}

   private:
    friend class RowLists;
    std::byte* list_ = nullptr;
    std::byte* chunk_ = nullptr;
    std::int64_t number_ = 0;
    std::size_t offset_ = 0;
  };

  RowLists(RowListFormat format, std::int64_t ttl_ms) : format_(format), ttl_{.ttl_ms = ttl_ms} {
    format_.stamped = ttl_.enabled();
  }

  /// Of this input of the operator.
  Status open(StateBackend& state, std::string name, int input);
  StateTable& table() { return *table_; }

  /// Before a batch: takes the time, and erases some lists that have not changed for long.
  void begin_batch(std::int64_t now_ms, std::int64_t num_rows);

  /// The next row that has not expired; false at the end of the list, kStateCorrupt when it is not
  /// one.
  Result<bool> next(Cursor& cursor, ListedRow& row) const;
  /// Reads a row again whose count may have changed.
  Status read_again(ListedRow& row) const;

  /// The first row with this unique key (of lists that have them) and these bytes.
  Result<bool> find(std::byte* list, std::string_view unique_key, std::string_view bytes,
                    ListedRow& found) const;

  Status append(std::byte* list, const RowParts& parts);
  void remove(std::byte* list, const ListedRow& row);
  /// Changes the number of matches of the row in place, which prolongs its life.
  void set_matches(std::byte* list, const ListedRow& row, std::uint32_t matches);
  static bool is_empty(const std::byte* list);
  /// Erases the list if it has no rows.
  void erase_if_empty(std::byte* list);

  /// Asks for the bytes of a list that will be read soon.
  static void prefetch(const std::byte* list);

 private:
  struct Header {
    std::uint32_t first = 1;
    std::uint32_t last = 0;
  };

  static Header header(const std::byte* list);
  static void set_header(std::byte* list, Header header);
  bool read(std::string_view chunk, std::size_t offset, ListedRow& row) const;
  static Status corrupt();
  Result<std::byte*> chunk_for(std::byte* list, std::size_t size);
  /// Moves the ends of the header over chunks that are missing.
  void narrow(std::byte* list);
  void erase_list(std::byte* list);
  void forget_chunks(std::byte* list);
  Status remove_expired(std::byte* chunk, std::int64_t number);
  void sweep(std::int64_t rows);
  bool is_expired(std::int64_t stamp) const { return ttl_.is_expired(stamp, now_ms_); }
  void stamp(std::byte* chunk) {
    if (format_.stamped) table_->stamp(chunk) = now_ms_;
  }

  RowListFormat format_;
  StateTtl ttl_;
  StateTable* table_ = nullptr;
  std::int64_t now_ms_ = 0;
  // How far expired lists have been looked for.
  RowCursor swept_;
  std::uint32_t swept_generation_ = 0;
  std::string entry_;
};

}  // namespace tidegate
