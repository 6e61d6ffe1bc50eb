// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "state/state_backend.h"
#include "state/state_table.h"

namespace tidegate {

/// kStateMismatch: values of the table are there in another form than is asked for.
Status layout_mismatch(const std::string& name, std::string_view there, std::string_view asked);

/// The tables of one operator in one task.
class TableBackend : public StateBackend {
 public:
  TableBackend(KeyGroupRange range, std::int64_t budget_bytes)
      : range_(range), memory_(budget_bytes) {}

  void set_context(StateContext context) override { context_ = std::move(context); }
  Result<StateTable*> table(const StateTableSpec& spec) override;
  Result<std::vector<StateDelta>> seal(EpochId epoch) override;
  Result<std::vector<StateDelta>> dump(EpochId epoch) override;
  /// Kept until the operator asks for the table: only then is the layout known.
  Status restore(const StateDelta& delta) override;

  /// Rows of all tables, if they are all in memory (else 0); not of tables without values, which
  /// hold timers. And about how many of them the last seal() has told.
  virtual std::int64_t num_rows() const;
  std::int64_t rows_written() const { return rows_written_; }
  std::int64_t memory_bytes() const override { return memory_.used_bytes(); }
  std::int64_t dirty_bytes() const override { return memory_.dirty_bytes(); }

 protected:
  using Tables = std::map<std::string, std::unique_ptr<StateTable>>;

  virtual Result<std::unique_ptr<StateTable>> make_table(const StateTableSpec& spec) {
    return std::make_unique<StateTable>(spec, range_, &memory_);
  }
  /// All that was restored for the table is in it.
  virtual Status restored(const StateTable&) { return Status::ok(); }
  virtual Status apply(std::string_view bytes, StateTable& table);
  /// Before a table is sealed: `deltas` may be given pieces of what is written.
  virtual void before_seal(const StateTable&, DeltaWriter&, EpochId, std::vector<StateDelta>&) {}

  KeyGroupRange key_groups() const { return range_; }
  StateMemory& memory() { return memory_; }
  const StateMemory& memory() const { return memory_; }
  StateMemory& resident() { return resident_; }
  const StateMemory& resident() const { return resident_; }
  const Tables& tables() const { return tables_; }

 private:
  StateSchema schema_of(const StateTableSpec& spec) const;
  Status restore_pending(const std::vector<StateDelta>& pending, StateTable& table);
  bool is_writer(const StateTable& table) const;
  Result<std::string> own_rows(std::string_view bytes) const;

  KeyGroupRange range_;
  StateContext context_;
  std::int64_t rows_written_ = 0;
  // Memories outlive the tables.
  StateMemory memory_;
  StateMemory resident_;  // for tables without a base, where others have one
  Tables tables_;
  std::map<std::string, std::vector<StateDelta>> pending_;  // restored, by table
  // Tables whose schema is new: all of their rows go into the next delta.
  std::set<std::string> migrated_;
};

}  // namespace tidegate
