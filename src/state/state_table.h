// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "state/base_store.h"
#include "state/delta.h"
#include "state/hash_segment.h"
#include "state/loose_rows.h"
#include "state/state_backend.h"
#include "types/key_encoding.h"

namespace tidegate {

class DeltaSorter;  // state/delta_sorter.h

/// What an operator asks for: one logical state.
struct StateTableSpec {
  std::string name;  ///< unique in the operator; the identity of the state over restarts
  std::shared_ptr<const ValueLayout> layout;
  /// Rows carry a time stamp, for TTL.
  bool stamped = false;
  /// Derived from other state: never sealed, dumped or restored, but counted.
  bool transient = false;
  /// All rows stay in memory, also above a base: whoever made the table holds pointers to them all.
  bool resident = false;
  /// All tasks hold all rows, the same ones (broadcast state). Rows have hashes of key group 0: its
  /// task writes them, and every task restores them.
  bool replicated = false;
  /// Namespaces are alike in size (windows): a new one makes room for as many rows as the last one
  /// that was dropped had.
  bool presize = false;
  /// Asks for what has changed (next_dirty(), was_sealed()): changed rows stay in memory.
  bool asks_for_changes = false;
  /// What the rows are, as text (state_schema.h); the backend's.
  std::string schema = {};

  bool may_have_base() const { return !transient && !resident && !replicated; }
};

/// A table below a table: where rows are that memory does not hold. Null: all are in memory.
struct BaseTable {
  BaseStore* store = nullptr;
  BaseStore::TableId id = 0;
  bool has_rows = false;  ///< of an earlier run
};

/// A key: its bytes and its hash, whose upper half says the key group.
struct StateKey {
  std::string_view bytes;
  std::uint64_t hash = 0;
};

/// Keys of a batch: all rows of `keys`, or those in `rows`.
struct KeyBatch {
  const EncodedKeys& keys;
  std::span<const std::uint64_t> hashes;  ///< per row of `keys`
  std::span<const std::int32_t> rows = {};
  bool all_rows = true;  ///< false: `rows` says which
};

/// A place in the rows of a namespace, first those in memory, then those below.
struct RowCursor {
  RowPlace rows;
  bool is_below = false;
  std::string position;  // below

  /// Rows in memory have moved: goes on below if it was there, else begins anew.
  void rows_moved() {
    if (!is_below) rows = {};
  }
};

/// Rows of bytes addressed by (namespace, key), with values in place behind the pointers that the
/// calls answer. The namespace is the end of a window or slice, the time of a timer, or 0. One
/// operator's, on its thread.
///
/// A pointer holds until a call that may create rows in the same namespace, or drops it. What
/// find_or_create() answers is taken as changed; what find() or next() answer is for reading,
/// unless touch() follows.
///
/// Rows are tracked as dirty until seal(), which is what an epoch's delta is made of. With a base
/// below, memory is a cache of it: evict() lets rows go whose epochs the base has, and what find(),
/// find_or_create() and erase() miss is looked up there, a batch at a time. What was changed or
/// erased since stays in memory and hides what the base has.
class StateTable {
 public:
  StateTable(StateTableSpec spec, KeyGroupRange key_groups, StateMemory* memory,
             BaseTable base = {});
  StateTable(const StateTable&) = delete;
  StateTable& operator=(const StateTable&) = delete;
  ~StateTable();

  const StateTableSpec& spec() const { return spec_; }
  KeyGroupRange key_groups() const { return key_groups_; }

  /// Batches: values[row] for each row in `keys`. kOutOfMemory past the budget, kLimitExceeded
  /// past 32 GiB in one namespace.
  Status find_or_create(std::int64_t name_space, const KeyBatch& keys,
                        std::span<std::byte*> values);
  /// Null where there is no row.
  void find(std::int64_t name_space, const KeyBatch& keys, std::span<std::byte*> values) const;
  /// The rows with the keys of `from` (values of `other`), in their order.
  Status find_or_create_like(std::int64_t name_space, const StateTable& other,
                             std::span<std::byte* const> from, std::span<std::byte*> values);
  void find_like(std::int64_t name_space, const StateTable& other, std::span<std::byte* const> from,
                 std::span<std::byte*> values) const;

  Result<std::byte*> find_or_create(std::int64_t name_space, const StateKey& key);
  std::byte* find(std::int64_t name_space, const StateKey& key) const;
  /// True when there was a row.
  bool erase(std::int64_t name_space, const StateKey& key);
  /// Erases the row of this value.
  void erase(std::int64_t name_space, std::byte* value);
  void touch(std::int64_t name_space, std::byte* value);

  /// Of the row that a value belongs to.
  std::string_view key(const std::byte* value) const { return format_.key(format_.row_of(value)); }
  std::uint64_t hash(const std::byte* value) const {
    return StateRowFormat::header(format_.row_of(value)).hash;
  }
  StateKey state_key(const std::byte* value) const { return {key(value), hash(value)}; }
  std::int64_t& stamp(std::byte* value) const { return format_.stamp(format_.row_of(value)); }

  /// Rows of a namespace in the order of their creation (after a restore: of the delta): fills
  /// `values`, answers how many, 0 at the end. The cursor holds while no row is created there. Rows
  /// below memory come last, in order of their hashes; they hold until the next call for the table,
  /// and can be erased but not touched.
  std::size_t next(std::int64_t name_space, RowCursor& cursor, std::span<std::byte*> values) const;
  /// The same for rows that have changed since the last seal; those that the seal before held are
  /// marked by was_sealed().
  std::size_t next_dirty(std::int64_t name_space, DirtyCursor& cursor,
                         std::span<std::byte*> values) const;
  bool was_sealed(const std::byte* value) const {
    return (StateRowFormat::header(format_.row_of(value)).flags & StateRowHeader::kSealed) != 0;
  }
  /// Brings all rows of a namespace into memory, so that pointers to all of them hold.
  void load(std::int64_t name_space) const;
  /// True when all rows of the namespace are in memory.
  bool is_whole(std::int64_t name_space) const;
  /// Counts what is below one by one.
  std::int64_t num_rows(std::int64_t name_space) const;
  std::int64_t num_rows() const;
  bool has_rows(std::int64_t name_space) const;
  bool empty() const { return segments_.empty() && !first_namespace(); }

  void drop(std::int64_t name_space);
  std::optional<std::int64_t> first_namespace() const;
  /// The smallest namespace > / >= `bound`.
  std::optional<std::int64_t> namespace_above(std::int64_t bound) const;
  std::optional<std::int64_t> namespace_at_or_above(std::int64_t bound) const;
  /// The smallest namespace, if it is <= bound.
  std::optional<std::int64_t> first_namespace_at_or_below(std::int64_t bound) const;

  /// Rows that carry this stamp or an earlier one are not read any more, nor will they be by a run
  /// that goes on from the epoch to come: they may vanish below memory.
  void expire(std::int64_t last_stamp);

  /// Counts the times that rows of a namespace have moved; pointers kept for longer than a call
  /// hold while it stays.
  std::uint32_t generation(std::int64_t name_space) const;
  /// Tells of a change in the memory that a value owns.
  void count_owned(std::int64_t bytes) { memory_->count(bytes); }
  Status check_budget() const { return memory_->check_budget(); }

  // For backends.
  std::string fingerprint() const;
  bool is_dirty() const;
  /// Writes what has changed since the last call; afterwards nothing is dirty.
  void seal(DeltaWriter& writer);
  /// Writes all rows.
  void dump(DeltaWriter& writer) const;
  /// Applies a delta; rows of other key groups are left out. They are clean afterwards.
  /// `bytes`: what it reads.
  Status restore(DeltaReader& reader, std::string_view bytes);
  /// All that was restored so far is to be of no account.
  void forget_restored();
  /// No more is restored. Until then rows above a base are not there yet.
  Status end_restore();
  bool has_base() const { return base_.store != nullptr; }
  bool may_spill() const { return has_base() && !spec_.asks_for_changes; }
  /// Puts all rows below memory that the base does not have, so that they can go; what has changed
  /// is written as a piece of the epoch to come.
  Status spill(DeltaWriter& writer);
  /// Lets up to `bytes` of rows go that are below, none with more uses than that, and answers how
  /// much there was. Above 1 use rows that stay lose one. Pointers do not hold afterwards.
  std::int64_t evict(std::int64_t bytes, int most_uses);
  /// StateMemory::applied() has moved.
  void base_has_moved();

 private:
  HashSegment* segment(std::int64_t name_space) const;
  HashSegment& segment_for_rows(std::int64_t name_space) const;
  Status read_value(std::string_view bytes, std::byte* row) const;

  // Rows below memory.
  /// False when nothing of the namespace is only below.
  bool may_be_below(std::int64_t name_space) const;
  bool has_more_below(std::int64_t name_space, const HashSegment* there) const;
  template <typename Keys>
  void load_missing(std::int64_t name_space, std::size_t count, const Keys& keys) const;
  void load_missing(std::int64_t name_space, const KeyBatch& keys) const;
  void load_row(std::int64_t name_space, const BaseRow& row) const;
  template <typename Visit>
  bool scan_below(std::int64_t name_space, std::string& position, std::size_t limit,
                  const Visit& visit) const;
  std::size_t next_below(std::int64_t name_space, RowCursor& cursor,
                         std::span<std::byte*> values) const;
  std::optional<std::int64_t> namespace_with_below(std::int64_t bound,
                                                   std::optional<std::int64_t> in_memory) const;
  void drop_below(std::int64_t name_space);
  void erase_loose(std::int64_t name_space, std::byte* value);
  void is_only_below(std::int64_t name_space) const;
  BaseStore::Stack stack(std::int64_t name_space) const;
  BaseStore::TableId layer_of(EpochId epoch);
  void serialize_value(std::byte* row) const;
  Status created(bool fits) const;
  void write_row(DeltaWriter& writer, std::int64_t name_space, std::byte* row) const;
  Status restore_row(const DeltaRecord& record);
  /// Drops what belongs to the key groups of the task that wrote the delta, and no other's rows.
  void drop_rows_of(KeyGroupRange writer, std::int64_t name_space);
  /// Only when nothing is dirty: erased rows may still have to be told.
  void remove_empty();

  StateTableSpec spec_;
  KeyGroupRange key_groups_;
  StateMemory* memory_;
  BaseTable base_;
  StateRowFormat format_;
  mutable std::map<std::int64_t, std::unique_ptr<HashSegment>> segments_;
  // The segment that was asked for last: most calls in a row are for the same.
  mutable std::int64_t last_namespace_ = 0;
  mutable HashSegment* last_segment_ = nullptr;
  std::uint32_t usual_rows_ = 0;       // of a namespace that was dropped, for presizing
  std::vector<std::int64_t> dropped_;  // namespaces with sealed rows, since the last seal
  mutable std::string value_bytes_;    // kept to save allocations

  // No smaller namespace has rows below and none in memory; nothing: none at all has.
  mutable std::optional<std::int64_t> below_from_;
  // Namespaces whose rows below are gone, by the epoch that will tell the base.
  std::map<std::int64_t, EpochId> unapplied_drops_;
  mutable LooseRows loose_;
  std::unique_ptr<DeltaSorter> restored_;  // for the base
  std::int64_t expired_stamp_ = 0;
  EpochId expired_epoch_ = 0;  // that makes it hold for good; 0: none
  // Spilled rows by epoch, the last one first.
  std::vector<EpochId> layer_epochs_;
  std::vector<BaseStore::TableId> layers_;
};

}  // namespace tidegate
