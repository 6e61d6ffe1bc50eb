// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "state/state_schema.h"
#include "tidegate/status.h"
#include "tidegate/time.h"
#include "types/key_group.h"

namespace tidegate {

class StateTable;       // state/state_table.h
struct StateTableSpec;  // state/state_table.h

/// Bytes that are not in memory.
class StoredBytes {
 public:
  virtual ~StoredBytes() = default;
  virtual Result<std::string> read() const = 0;
  /// Of the rows, where that is known without reading them.
  virtual std::optional<KeyGroupRange> key_groups() const { return std::nullopt; }
};

/// The state rows that one operator changed in one epoch, in one task: the unit of changelogs,
/// incremental checkpoints and batch deltas. `bytes` is the versioned, checksummed encoding that
/// state/delta.h writes and reads; rows carry their key group, so any task can pick its own.
struct StateDelta {
  EpochId epoch = 0;
  std::string table;
  std::string bytes;
  /// In place of `bytes`, when there is too much for memory: a delta may be in many pieces.
  std::shared_ptr<const StoredBytes> stored = nullptr;

  /// What is stored is read into `buffer`.
  Result<std::string_view> view(std::string& buffer) const;
  /// False when none of its rows can be of these key groups.
  bool may_concern(KeyGroupRange range) const;
};

/// The keyed state of one operator in one task: its tables by name. Single-threaded, as the
/// operator is.
class StateBackend {
 public:
  virtual ~StateBackend() = default;
  /// What the program is, for the schemas of tables. Before anything else, or never.
  virtual void set_context(StateContext context) { (void)context; }
  /// The table of this name, made when first asked for (restored rows included). Rows of another
  /// schema are migrated where their layout can do that; else it is kStateMismatch.
  virtual Result<StateTable*> table(const StateTableSpec& spec) = 0;
  /// Ends an epoch: what has changed since the last call, one delta per table that changed.
  virtual Result<std::vector<StateDelta>> seal(EpochId epoch) = 0;
  /// Everything, as deltas of epoch `epoch` that build the state from nothing (a base).
  virtual Result<std::vector<StateDelta>> dump(EpochId epoch) = 0;
  /// Applies a delta or base in epoch order; rows of other key groups are left out. Before open().
  virtual Status restore(const StateDelta& delta) = 0;
  /// Memory of all tables, and the part of it that is dirty (changed since the last seal).
  virtual std::int64_t memory_bytes() const = 0;
  virtual std::int64_t dirty_bytes() const = 0;
  /// Lets rows go when there are too many in memory. Called between the calls of an operator when
  /// it has nothing left to do: pointers do not hold afterwards.
  virtual void make_room() {}
  /// An error of reading, since which rows may be missing: nothing that was computed from them may
  /// be used.
  virtual Status status() const { return Status::ok(); }
};

/// State that lives in memory, for the key groups of `range`. kOutOfMemory with the remedy once
/// `budget_bytes` (0: none) is passed.
std::unique_ptr<StateBackend> make_memory_state_backend(KeyGroupRange range,
                                                        std::int64_t budget_bytes = 0);

}  // namespace tidegate
