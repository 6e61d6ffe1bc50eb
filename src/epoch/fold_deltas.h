// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/epoch_record.h"
#include "tidegate/status.h"
#include "types/key_group.h"

namespace tidegate {

/// The deltas of one state table, oldest first, as one that builds the same rows from nothing: a
/// base. Later rows win, erased ones go. Knows delta records only, not what they mean.
class DeltaFolder {
 public:
  /// Takes only rows of these key groups.
  explicit DeltaFolder(KeyGroupRange key_groups);
  DeltaFolder(DeltaFolder&&) noexcept;
  ~DeltaFolder();

  /// Copies what it needs. kStateCorrupt when the delta is damaged.
  Status add(std::string_view delta);
  bool is_empty() const;
  std::int64_t num_rows() const;
  /// Rows in the order in which they were made; the folder is done.
  std::string finish();

 private:
  class Rows;
  const KeyGroupRange key_groups_;
  std::string fingerprint_;
  bool has_any_ = false;
  std::unique_ptr<Rows> rows_;
};

/// The deltas of one operator, oldest first, as one per table.
Result<std::vector<StateDelta>> fold_deltas(const std::vector<StateDelta>& deltas, EpochId epoch,
                                            int key_groups);

/// The same for all operators of a record.
Status fold_state(EpochRecord& record);

}  // namespace tidegate
