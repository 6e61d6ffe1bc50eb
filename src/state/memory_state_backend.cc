// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"
#include "state/state_table.h"

namespace tidegate {
namespace {

class MemoryStateBackend final : public StateBackend {
 public:
  MemoryStateBackend(KeyGroupRange range, std::int64_t budget_bytes)
      : range_(range), memory_(budget_bytes) {}

  Result<StateTable*> table(const StateTableSpec& spec) override {
    if (const auto found = tables_.find(spec.name); found != tables_.end()) {
      StateTable& there = *found->second;
      if (there.fingerprint() != StateTable(spec, range_, &memory_).fingerprint()) {
        return mismatch(spec.name, there.fingerprint(), spec.layout->fingerprint());
      }
      return &there;
    }
    auto made = std::make_unique<StateTable>(spec, range_, &memory_);
    if (const auto pending = pending_.find(spec.name); pending != pending_.end()) {
      for (const std::string& bytes : pending->second) {
        TG_RETURN_IF_ERROR(apply(bytes, *made));
      }
      pending_.erase(pending);
    }
    StateTable* table = made.get();
    tables_.emplace(spec.name, std::move(made));
    return table;
  }

  Result<std::vector<StateDelta>> seal(EpochId epoch) override {
    std::vector<StateDelta> deltas;
    for (const auto& [name, table] : tables_) {
      if (table->spec().transient || !table->is_dirty()) continue;
      DeltaWriter writer(table->fingerprint(), range_);
      table->seal(writer);
      if (writer.num_records() > 0 && is_writer(*table)) {
        deltas.push_back({epoch, name, writer.finish()});
      }
    }
    return deltas;
  }

  Result<std::vector<StateDelta>> dump(EpochId epoch) override {
    std::vector<StateDelta> deltas;
    // State that nobody has asked for since the restore stays part of the job.
    for (const auto& [name, pending] : pending_) {
      for (const std::string& bytes : pending) {
        TG_ASSIGN_OR_RETURN(std::string own, own_rows(bytes));
        deltas.push_back({epoch, name, std::move(own)});
      }
    }
    for (const auto& [name, table] : tables_) {
      if (table->spec().transient || !is_writer(*table)) continue;
      DeltaWriter writer(table->fingerprint(), range_);
      table->dump(writer);
      deltas.push_back({epoch, name, writer.finish()});
    }
    return deltas;
  }

  /// Kept until the operator asks for the table: only then is the layout known.
  Status restore(const StateDelta& delta) override {
    TG_CHECK(!tables_.contains(delta.table), "restore() into table '{}' after open()", delta.table);
    TG_RETURN_IF_ERROR(
        verify_delta(delta.bytes).with_context(fmt::format("state '{}'", delta.table)));
    pending_[delta.table].push_back(delta.bytes);
    return Status::ok();
  }

  std::int64_t memory_bytes() const override { return memory_.used_bytes(); }
  std::int64_t dirty_bytes() const override { return memory_.dirty_bytes(); }

 private:
  /// Of what all tasks hold, one task writes.
  bool is_writer(const StateTable& table) const {
    return !table.spec().replicated || range_.contains(0);
  }

  static Status mismatch(const std::string& name, std::string_view there, std::string_view asked) {
    return error(ErrorCode::kStateMismatch, "state '{}' is stored as \"{}\", not as \"{}\"", name,
                 there, asked);
  }

  Status apply(const std::string& bytes, StateTable& table) const {
    const std::string& name = table.spec().name;
    TG_ASSIGN_OR_RETURN(DeltaReader reader, DeltaReader::open(bytes));
    if (reader.fingerprint() != table.fingerprint()) {
      return mismatch(name, reader.fingerprint(), table.fingerprint());
    }
    if (reader.key_groups().total != range_.total) {
      return error(ErrorCode::kStateMismatch,
                   "state '{}' was written with {} key groups, the job has {}", name,
                   reader.key_groups().total, range_.total);
    }
    return table.restore(reader).with_context(fmt::format("state '{}'", name));
  }

  /// A delta without the rows of other tasks.
  Result<std::string> own_rows(const std::string& bytes) const {
    TG_ASSIGN_OR_RETURN(DeltaReader reader, DeltaReader::open(bytes));
    const KeyGroupRange theirs = reader.key_groups();
    const KeyGroupRange both{std::max(theirs.begin, range_.begin), std::min(theirs.end, range_.end),
                             theirs.total};
    DeltaWriter writer(reader.fingerprint(), both);
    DeltaRecord record;
    while (true) {
      TG_ASSIGN_OR_RETURN(const bool more, reader.next(record));
      if (!more) return writer.finish();
      if (record.kind == DeltaRecord::Kind::kDrop) {
        writer.drop(record.name_space);
      } else if (!range_.contains(key_group_of(record.hash, range_.total))) {
        continue;
      } else if (record.kind == DeltaRecord::Kind::kPut) {
        writer.put(record.name_space, record.hash, record.key, record.value);
      } else {
        writer.erase(record.name_space, record.hash, record.key);
      }
    }
  }

  KeyGroupRange range_;
  StateMemory memory_;  // outlives the tables
  std::map<std::string, std::unique_ptr<StateTable>> tables_;
  std::map<std::string, std::vector<std::string>> pending_;  // restored, by table
};

}  // namespace

std::unique_ptr<StateBackend> make_memory_state_backend(KeyGroupRange range,
                                                        std::int64_t budget_bytes) {
  return std::make_unique<MemoryStateBackend>(range, budget_bytes);
}

}  // namespace tidegate
