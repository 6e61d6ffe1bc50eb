// SPDX-License-Identifier: Apache-2.0
#include "epoch/recent_epochs.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "epoch/fold_deltas.h"

namespace tidegate {
namespace {

std::size_t delta_bytes(const EpochRecord& record) {
  std::size_t bytes = 0;
  for (const OperatorState& state : record.operators)
    for (const StateDelta& delta : state.deltas) bytes += delta.bytes.size();
  return bytes;
}

/// Folding less than this is not worth its while.
constexpr std::size_t kLeastFoldBytes = std::size_t{4} << 20;

}  // namespace

void RecentEpochs::begin_from(std::shared_ptr<const EpochRecord> record) {
  const std::lock_guard lock(mutex_);
  last_ = *record;
}

Result<std::shared_ptr<const EpochRecord>> RecentEpochs::latest() const {
  const std::lock_guard lock(mutex_);
  if (!last_) return std::shared_ptr<const EpochRecord>();
  return std::make_shared<const EpochRecord>(*last_);
}

Status RecentEpochs::commit(const EpochRecord& record) {
  const std::lock_guard lock(mutex_);
  last_ = last_ ? merge(*std::move(last_), record) : record;
  if (delta_bytes(*last_) < 2 * std::max(base_bytes_, kLeastFoldBytes)) return Status::ok();
  TG_RETURN_IF_ERROR(fold_state(*last_));
  base_bytes_ = delta_bytes(*last_);
  return Status::ok();
}

}  // namespace tidegate
