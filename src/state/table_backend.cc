// SPDX-License-Identifier: Apache-2.0
#include "state/table_backend.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/check.h"
#include "state/migrate_rows.h"

namespace tidegate {

Status layout_mismatch(const std::string& name, std::string_view there, std::string_view asked) {
  return error(ErrorCode::kStateMismatch, "state '{}' is stored as \"{}\", not as \"{}\"", name,
               there, asked);
}

StateSchema TableBackend::schema_of(const StateTableSpec& spec) const {
  StateSchema schema;
  schema.layout = (spec.stamped ? "stamped " : "") + spec.layout->fingerprint();
  schema.keys = context_.keys;
  schema.columns = spec.layout->columns(context_);
  return schema;
}

Result<StateTable*> TableBackend::table(const StateTableSpec& asked) {
  StateTableSpec spec = asked;
  spec.schema = schema_of(asked).to_string();
  if (const auto found = tables_.find(spec.name); found != tables_.end()) {
    StateTable& there = *found->second;
    if (there.fingerprint() != spec.schema) {
      return layout_mismatch(spec.name, there.fingerprint(), spec.schema);
    }
    return &there;
  }
  TG_ASSIGN_OR_RETURN(std::unique_ptr<StateTable> made, make_table(spec));
  if (const auto pending = pending_.find(spec.name); pending != pending_.end()) {
    TG_RETURN_IF_ERROR(restore_pending(pending->second, *made));
    TG_RETURN_IF_ERROR(made->end_restore().with_context(fmt::format("state '{}'", spec.name)));
    pending_.erase(pending);
  }
  TG_RETURN_IF_ERROR(restored(*made));
  StateTable* table = made.get();
  tables_.emplace(spec.name, std::move(made));
  return table;
}

/// The epoch behind a migration holds all rows, so that what is of an older schema than the newest
/// has been replaced.
Status TableBackend::restore_pending(const std::vector<StateDelta>& pending, StateTable& table) {
  const std::string wanted = table.fingerprint();
  std::string newest;
  std::vector<std::string> others;  // of the newest schema, if it is another one
  bool has_rows = false;
  std::string buffer;
  for (const StateDelta& delta : pending) {
    if (!delta.may_concern(table.key_groups())) continue;
    TG_ASSIGN_OR_RETURN(const std::string_view bytes, delta.view(buffer));
    TG_ASSIGN_OR_RETURN(const DeltaReader reader, DeltaReader::open(bytes));
    if (reader.fingerprint() != newest) {
      newest = reader.fingerprint();
      others.clear();
      if (std::exchange(has_rows, false)) table.forget_restored();
    }
    if (newest == wanted) {
      TG_RETURN_IF_ERROR(apply(bytes, table));
      has_rows = true;
    } else {
      others.emplace_back(bytes);
    }
  }
  if (newest.empty() || newest == wanted) return Status::ok();
  TG_ASSIGN_OR_RETURN(const StateSchema old, StateSchema::parse(newest));
  TG_ASSIGN_OR_RETURN(
      const RowMigration migration,
      RowMigration::plan(table.spec(), old, schema_of(table.spec()), context_.may_drop));
  TG_ASSIGN_OR_RETURN(const std::vector<std::string> migrated, migration.migrate(others, range_));
  for (const std::string& bytes : migrated) TG_RETURN_IF_ERROR(apply(bytes, table));
  migrated_.insert(table.spec().name);
  return Status::ok();
}

Result<std::vector<StateDelta>> TableBackend::seal(EpochId epoch) {
  memory_.set_sealing(epoch);
  rows_written_ = 0;
  std::vector<StateDelta> deltas;
  for (const auto& [name, table] : tables_) {
    const bool is_new = migrated_.contains(name);
    if (table->spec().transient || (!is_new && !table->is_dirty())) continue;
    DeltaWriter writer(table->fingerprint(), range_);
    before_seal(*table, writer, epoch, deltas);
    table->seal(writer);
    if (is_new) table->dump(writer);
    if (table->spec().layout->size_bytes() > 0) {
      rows_written_ += static_cast<std::int64_t>(writer.num_records());
    }
    if ((is_new || writer.num_records() > 0) && is_writer(*table)) {
      deltas.push_back({epoch, name, writer.finish()});
    }
  }
  migrated_.clear();
  return deltas;
}

std::int64_t TableBackend::num_rows() const {
  std::int64_t rows = 0;
  for (const auto& [name, table] : tables_) {
    const StateTableSpec& spec = table->spec();
    if (!spec.transient && spec.layout->size_bytes() > 0) rows += table->num_rows();
  }
  return rows;
}

Result<std::vector<StateDelta>> TableBackend::dump(EpochId epoch) {
  std::vector<StateDelta> deltas;
  // State that nobody has asked for since the restore stays part of the job.
  for (const auto& [name, pending] : pending_) {
    std::string buffer;
    for (const StateDelta& delta : pending) {
      TG_ASSIGN_OR_RETURN(const std::string_view bytes, delta.view(buffer));
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
  TG_RETURN_IF_ERROR(status());
  return deltas;
}

Status TableBackend::restore(const StateDelta& delta) {
  TG_CHECK(!tables_.contains(delta.table), "restore() into table '{}' after open()", delta.table);
  // What is stored is verified when it is read.
  if (delta.stored == nullptr) {
    TG_RETURN_IF_ERROR(
        verify_delta(delta.bytes).with_context(fmt::format("state '{}'", delta.table)));
  }
  pending_[delta.table].push_back(delta);
  return Status::ok();
}

/// Of what all tasks hold, one task writes.
bool TableBackend::is_writer(const StateTable& table) const {
  return !table.spec().replicated || range_.contains(0);
}

Status TableBackend::apply(std::string_view bytes, StateTable& table) {
  const std::string& name = table.spec().name;
  TG_ASSIGN_OR_RETURN(DeltaReader reader, DeltaReader::open(bytes));
  if (reader.fingerprint() != table.fingerprint()) {
    return layout_mismatch(name, reader.fingerprint(), table.fingerprint());
  }
  if (reader.key_groups().total != range_.total) {
    return error(ErrorCode::kStateMismatch,
                 "state '{}' was written with {} key groups, the job has {}", name,
                 reader.key_groups().total, range_.total);
  }
  return table.restore(reader, bytes).with_context(fmt::format("state '{}'", name));
}

/// A delta without the rows of other tasks.
Result<std::string> TableBackend::own_rows(std::string_view bytes) const {
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

}  // namespace tidegate
