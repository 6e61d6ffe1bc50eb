// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate {

/// What is left of a changelog: a multiset of rows, which are byte strings, in the order in which
/// they came. A row that is taken back removes the youngest equal one. Memory follows the rows that
/// are left and not the length of the changelog. Single-threaded.
class FinalRows {
 public:
  /// `order` is kept beside the row, for whoever wants to sort; rows that are equal have equal
  /// ones.
  void add(std::string_view row, std::string_view order = {});
  /// Before the row has come, its next add() makes up for it.
  void remove(std::string_view row);
  /// The same as remove() of `old` and add(), but the new row takes the place of the old one.
  void replace(std::string_view old, std::string_view row, std::string_view order = {});

  std::int64_t size() const { return static_cast<std::int64_t>(entries_.size()) - num_dead_; }
  /// Rows that were taken back and never came.
  std::int64_t num_missing() const { return num_missing_; }
  /// Bytes held for rows, those not counted that have not been cleared away yet.
  std::int64_t byte_size() const { return live_bytes_; }

  /// In order; by `less` of two `order` values when it is given, equal ones staying as they came.
  using Less = std::function<bool(std::string_view, std::string_view)>;
  void for_each(const std::function<void(std::string_view row)>& visit,
                const Less& less = {}) const;

 private:
  struct Entry {
    const char* bytes;  // the row, then its order; null when it is gone
    std::uint32_t row_size;
    std::uint32_t order_size;
    std::int64_t older;  // the next older equal row, or -1

    std::string_view row() const { return {bytes, row_size}; }
    std::string_view order() const { return {bytes + row_size, order_size}; }
  };

  const char* keep(std::string_view row, std::string_view order);
  void append(std::string_view row, std::string_view order);
  void set(std::int64_t index, std::string_view row, std::string_view order);
  /// The index of a row like this, which is no longer found by it; -1: there is none.
  std::int64_t take_out(std::string_view row);
  void clear_away();
  void clear_away_if_due();

  std::vector<Entry> entries_;
  boost::unordered_flat_map<std::string_view, std::int64_t> youngest_;  // by row
  boost::unordered_flat_map<std::string, std::int64_t> missing_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t block_left_ = 0;
  char* block_end_ = nullptr;
  std::int64_t num_dead_ = 0;
  std::int64_t num_missing_ = 0;
  std::int64_t live_bytes_ = 0;
  std::int64_t dead_bytes_ = 0;
};

}  // namespace tidegate
