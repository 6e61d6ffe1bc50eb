// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "state/held_state.h"
#include "state/state_backend.h"
#include "tidegate/status.h"
#include "types/key_group.h"

namespace tidegate {

/// What an epoch changed in one operator, in all of its tasks.
struct OperatorDeltas {
  const std::string* uid = nullptr;
  const std::vector<StateDelta>* deltas = nullptr;
};

/// Where the operators of a job keep their state. Thread-safe.
class StateStore {
 public:
  virtual ~StateStore() = default;
  /// The state of an operator's task. The store outlives it.
  virtual std::unique_ptr<StateBackend> open(const std::string& operator_uid,
                                             KeyGroupRange range) = 0;
  /// What it still has of an earlier run. Whoever reads what to restore may leave that out:
  /// HeldState::serves(), per table.
  virtual std::optional<HeldState> held() const { return std::nullopt; }
  /// The job goes on after this epoch; before tasks restore. They restore all rows, but of the
  /// tables in `kept`, which held() names, only what came after it. What else is held is removed.
  virtual Status begin_after(const CommittedEpoch&,
                             const std::set<TableName>& kept [[maybe_unused]]) {
    return Status::ok();
  }
  /// The epoch is published: what it changed may leave memory.
  virtual Status apply(const CommittedEpoch&, std::span<const OperatorDeltas>) {
    return Status::ok();
  }
  /// The store as a copy of state that another process has, without operators: takes what an epoch
  /// or several have changed in these key groups. `afresh`: it is all that there is; else it comes
  /// behind held(). In place of all calls but held().
  virtual Status copy(const CommittedEpoch& epoch, KeyGroupRange own,
                      std::span<const OperatorDeltas> changes, bool afresh);
  /// True when what is not published yet takes so much of the memory that an epoch should end now,
  /// and sources should wait for it.
  virtual bool is_short_of_memory() const { return false; }
};

/// All in memory; `budget_bytes` (0: none) as for make_memory_state_backend().
std::shared_ptr<StateStore> make_memory_state_store(std::int64_t budget_bytes = 0);

struct RocksdbStateOptions {
  /// Where the store makes a folder of its own, for the rows that memory does not hold. It goes
  /// with the store; what killed processes have left there is removed.
  std::string parent_folder;
  /// Not empty: the folder has this name in parent_folder, is found there when the job begins
  /// again, and stays.
  std::string kept_name = {};
  /// For rows in memory, block cache and write buffers together.
  std::int64_t memory_bytes = std::int64_t{512} << 20;
  /// The part of the key space whose rows come here; none: all of it. What is kept is of use to
  /// the same part only.
  std::optional<KeyGroupRange> key_groups = {};
};

/// Memory above a RocksDB that holds published epochs.
Result<std::shared_ptr<StateStore>> make_rocksdb_state_store(const RocksdbStateOptions& options);

}  // namespace tidegate
