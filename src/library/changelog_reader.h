// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "library/base_position.h"
#include "library/changelog_format.h"
#include "runtime/epoch_record.h"
#include "tidegate/status.h"

namespace tidegate::library {

/// Which epochs stand where in the changelog of a task, and which of them are still needed.
class ChangelogIndex {
 public:
  /// What is in front of a place is as one entry, in need of a new base before it can go.
  void begin_at(const BasePosition& position, int key_groups);
  /// `offset`: of its first message. In order.
  void add(EpochId epoch, EpochId previous, std::int64_t offset, std::int64_t bytes);
  /// A base that stands in the last epoch.
  void add(const BaseSlice& base);

  EpochId last() const { return entries_.empty() ? 0 : entries_.back().epoch; }
  /// Of the first message of the last epoch.
  std::int64_t last_offset() const { return entries_.empty() ? 0 : entries_.back().offset; }
  bool is_empty() const { return entries_.empty(); }
  /// Of all epochs, but of those that purge() has taken.
  std::int64_t bytes() const { return bytes_; }
  /// Of the newest bases; 0 while there is none.
  std::int64_t base_bytes() const;
  /// The epoch in front of the first one; what it had changed is not in the log.
  EpochId begins_after() const { return entries_.empty() ? 0 : entries_.front().previous; }
  /// True when no state is missing in front of the log.
  bool is_complete() const;

  /// The offset in front of which nothing is needed any more, when there is something to delete
  /// there. The index forgets it.
  std::optional<std::int64_t> purge();

 private:
  struct Entry {
    EpochId epoch = 0;
    EpochId previous = 0;
    std::int64_t offset = 0;
    std::int64_t bytes = 0;
  };
  struct Base {
    EpochId as_of = 0;
    std::int64_t bytes = 0;  // share of the slice
  };
  EpochId oldest_base() const;

  std::deque<Entry> entries_;
  std::int64_t bytes_ = 0;
  std::vector<Base> bases_;  // by key group
};

/// Reads the messages of a changelog. Trusts nothing: what is damaged, missing or not ours is
/// kStateCorrupt (kStateVersion: of another version), and nothing is restored.
class ChangelogReader {
 public:
  ChangelogReader() = default;
  /// Reads what comes after `base`, whose rows are there already: the first message must be that of
  /// the base's epoch, or it is kStateMismatch.
  explicit ChangelogReader(BasePosition base) : base_(std::move(base)) {}

  /// The next message, in the order of offsets. Messages of transactions that were aborted must not
  /// come here.
  Status add(std::int64_t offset, std::string_view message);
  /// The last epoch that is whole; 0: none.
  EpochId last() const { return index_.last(); }
  /// Who wrote it.
  std::uint64_t last_run() const { return last_run_; }

  struct Restored {
    /// What to go on from, with all of the state; none: nothing was ever committed.
    std::optional<EpochRecord> record;
    ChangelogIndex index;
    std::uint64_t run = 0;       ///< who wrote the last epoch
    std::set<TableName> tables;  ///< all that have ever had rows
  };
  /// All messages are here; the reader is done.
  Result<Restored> finish();

 private:
  // An epoch of which parts are missing.
  struct Open {
    std::string head;
    std::int64_t offset = 0;
    std::uint64_t num_parts = 0;
    std::uint64_t next_part = 0;
    std::int64_t bytes = 0;
    std::string parts;
  };
  Status add_part(const ChangelogMessage& part, std::size_t bytes);
  Status close(std::uint64_t run);
  void take(ChangelogEpoch epoch, std::int64_t offset, std::int64_t bytes);
  Result<std::vector<BaseSlice>> newest_bases() const;

  std::optional<BasePosition> base_;  // whose rows are left out
  bool has_begun_ = false;
  std::map<std::uint64_t, Open> open_;  // by run
  ChangelogIndex index_;
  std::optional<EpochRecord> record_;  // of the last epoch
  std::uint64_t last_run_ = 0;
  std::vector<BaseSlice::Table> changes_;  // of all epochs
  std::vector<BaseSlice> bases_;           // oldest first
  std::set<TableName> tables_;
};

}  // namespace tidegate::library
