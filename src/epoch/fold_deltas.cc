// SPDX-License-Identifier: Apache-2.0
#include "epoch/fold_deltas.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "state/delta.h"

namespace tidegate {
namespace {

/// The rows of one table while its deltas are applied; views point into the deltas.
class Rows {
 public:
  void drop(std::int64_t name_space, const KeyGroupRange& writer) {
    const auto found = spaces_.find(name_space);
    if (found == spaces_.end()) return;
    for (Row& row : found->second.rows) {
      if (row.is_live && writer.contains(key_group_of(row.hash, writer.total))) {
        row.is_live = false;
        found->second.index.erase(row.key);
      }
    }
    if (found->second.index.empty()) spaces_.erase(found);
  }
  void put(const DeltaRecord& record) {
    Space& space = spaces_[record.name_space];
    const auto [at, is_new] = space.index.try_emplace(record.key, space.rows.size());
    if (is_new) {
      space.rows.push_back({record.key, record.value, record.hash, true});
    } else {
      space.rows[at->second].value = record.value;
    }
  }
  void erase(const DeltaRecord& record) {
    const auto found = spaces_.find(record.name_space);
    if (found == spaces_.end()) return;
    const auto at = found->second.index.find(record.key);
    if (at == found->second.index.end()) return;
    found->second.rows[at->second].is_live = false;
    found->second.index.erase(at);
    if (found->second.index.empty()) spaces_.erase(found);
  }
  /// In the order in which rows were made.
  std::string encode(std::string_view fingerprint, int key_groups) const {
    DeltaWriter writer(fingerprint, {0, key_groups, key_groups});
    for (const auto& [name_space, space] : spaces_) {
      for (const Row& row : space.rows) {
        if (row.is_live) writer.put(name_space, row.hash, row.key, row.value);
      }
    }
    return writer.finish();
  }

 private:
  struct Row {
    std::string_view key;
    std::string_view value;
    std::uint64_t hash;
    bool is_live;
  };
  struct Space {
    std::vector<Row> rows;
    boost::unordered_flat_map<std::string_view, std::size_t> index;  // of live rows
  };
  std::map<std::int64_t, Space> spaces_;
};

}  // namespace

Result<std::vector<StateDelta>> fold_deltas(const std::vector<StateDelta>& deltas, EpochId epoch,
                                            int key_groups) {
  struct Table {
    std::string fingerprint;
    Rows rows;
  };
  std::map<std::string, Table> tables;
  for (const StateDelta& delta : deltas) {
    TG_ASSIGN_OR_RETURN(DeltaReader reader, DeltaReader::open(delta.bytes));
    Table& table = tables[delta.table];
    if (!table.fingerprint.empty() && table.fingerprint != reader.fingerprint()) {
      return error(ErrorCode::kStateMismatch, "the state '{}' changes its layout between epochs",
                   delta.table);
    }
    table.fingerprint = reader.fingerprint();
    DeltaRecord record;
    while (true) {
      TG_ASSIGN_OR_RETURN(const bool more, reader.next(record));
      if (!more) break;
      switch (record.kind) {
        case DeltaRecord::Kind::kDrop:
          table.rows.drop(record.name_space, reader.key_groups());
          break;
        case DeltaRecord::Kind::kPut:
          table.rows.put(record);
          break;
        case DeltaRecord::Kind::kErase:
          table.rows.erase(record);
          break;
      }
    }
  }
  std::vector<StateDelta> folded;
  for (const auto& [name, table] : tables) {
    folded.push_back({epoch, name, table.rows.encode(table.fingerprint, key_groups)});
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
