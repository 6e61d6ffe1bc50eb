// SPDX-License-Identifier: Apache-2.0
#include "epoch/fold_deltas.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "state/delta.h"

namespace tidegate {

/// The rows of one table while its deltas are applied.
class DeltaFolder::Rows {
 public:
  void drop(std::int64_t name_space, const KeyGroupRange& writer) {
    const auto found = spaces_.find(name_space);
    if (found == spaces_.end()) return;
    for (Row& row : found->second.rows) {
      if (row.is_live && writer.contains(key_group_of(row.hash, writer.total))) {
        found->second.index.erase(row.key);
        forget(row);
      }
    }
    if (found->second.index.empty()) spaces_.erase(found);
  }
  void put(const DeltaRecord& record) {
    Space& space = spaces_[record.name_space];
    if (const auto at = space.index.find(record.key); at != space.index.end()) {
      space.rows[at->second].value = record.value;
      return;
    }
    const Row& row =
        space.rows.emplace_back(std::string(record.key), std::string(record.value), record.hash);
    space.index.emplace(row.key, space.rows.size() - 1);
    ++live_;
  }
  void erase(const DeltaRecord& record) {
    const auto found = spaces_.find(record.name_space);
    if (found == spaces_.end()) return;
    const auto at = found->second.index.find(record.key);
    if (at == found->second.index.end()) return;
    Row& row = found->second.rows[at->second];
    found->second.index.erase(at);
    forget(row);
    if (found->second.index.empty()) spaces_.erase(found);
  }
  std::int64_t live() const { return live_; }
  std::string encode(std::string_view fingerprint, KeyGroupRange key_groups) const {
    DeltaWriter writer(fingerprint, key_groups);
    for (const auto& [name_space, space] : spaces_) {
      for (const Row& row : space.rows) {
        if (row.is_live) writer.put(name_space, row.hash, row.key, row.value);
      }
    }
    return writer.finish();
  }

 private:
  struct Row {
    Row(std::string key, std::string value, std::uint64_t hash)
        : key(std::move(key)), value(std::move(value)), hash(hash) {}
    std::string key;
    std::string value;
    std::uint64_t hash;
    bool is_live = true;
  };
  struct Space {
    std::deque<Row> rows;                                            // never move
    boost::unordered_flat_map<std::string_view, std::size_t> index;  // of live rows
  };
  void forget(Row& row) {
    row.is_live = false;
    row.value = std::string();
    row.key = std::string();
    --live_;
  }
  std::map<std::int64_t, Space> spaces_;
  std::int64_t live_ = 0;
};

DeltaFolder::DeltaFolder(KeyGroupRange key_groups)
    : key_groups_(key_groups), rows_(std::make_unique<Rows>()) {}
DeltaFolder::DeltaFolder(DeltaFolder&&) noexcept = default;
DeltaFolder::~DeltaFolder() = default;

Status DeltaFolder::add(std::string_view delta) {
  TG_ASSIGN_OR_RETURN(DeltaReader reader, DeltaReader::open(delta));
  // An epoch of another schema holds all rows of its writers anew.
  if (has_any_ && fingerprint_ != reader.fingerprint()) rows_ = std::make_unique<Rows>();
  has_any_ = true;
  fingerprint_ = reader.fingerprint();
  DeltaRecord record;
  while (true) {
    TG_ASSIGN_OR_RETURN(const bool more, reader.next(record));
    if (!more) return Status::ok();
    if (record.kind == DeltaRecord::Kind::kDrop) {
      rows_->drop(record.name_space, reader.key_groups());
    } else if (!key_groups_.contains(key_group_of(record.hash, key_groups_.total))) {
      continue;
    } else if (record.kind == DeltaRecord::Kind::kPut) {
      rows_->put(record);
    } else {
      rows_->erase(record);
    }
  }
}

bool DeltaFolder::is_empty() const { return !has_any_; }
std::int64_t DeltaFolder::num_rows() const { return rows_->live(); }
std::string DeltaFolder::finish() { return rows_->encode(fingerprint_, key_groups_); }

Result<std::vector<StateDelta>> fold_deltas(const std::vector<StateDelta>& deltas, EpochId epoch,
                                            int key_groups) {
  std::map<std::string, DeltaFolder> tables;
  std::string buffer;
  for (const StateDelta& delta : deltas) {
    const auto [table, is_new] =
        tables.try_emplace(delta.table, DeltaFolder({0, key_groups, key_groups}));
    TG_ASSIGN_OR_RETURN(const std::string_view bytes, delta.view(buffer));
    TG_RETURN_IF_ERROR(
        table->second.add(bytes).with_context(fmt::format("state '{}'", delta.table)));
  }
  std::vector<StateDelta> folded;
  for (auto& [name, table] : tables) {
    folded.push_back({epoch, name, table.finish()});
  }
  return folded;
}

Status fold_state(EpochRecord& record) {
  for (OperatorState& state : record.operators) {
    auto folded = fold_deltas(state.deltas, record.epoch, record.key_groups);
    if (!folded.is_ok()) {
      return std::move(folded).status().with_context(fmt::format("operator '{}'", state.uid));
    }
    state.deltas = *std::move(folded);
  }
  return Status::ok();
}

}  // namespace tidegate
