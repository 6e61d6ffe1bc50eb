// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "runtime/commit_policy.h"
#include "tidegate/status.h"

namespace tidegate {

/// The last epoch in memory, for a job that restarts within its process and keeps nothing
/// elsewhere. Costs the size of the state once more, at most twice while deltas gather.
class RecentEpochs final : public CommitPolicy {
 public:
  /// The job goes on from an epoch that is kept elsewhere.
  void begin_from(std::shared_ptr<const EpochRecord> record);
  /// What to go on from; null when there was no epoch yet.
  Result<std::shared_ptr<const EpochRecord>> latest() const;

  Status commit(const EpochRecord& record) override;

 private:
  mutable std::mutex mutex_;
  std::optional<EpochRecord> last_;
  std::size_t base_bytes_ = 0;  // of state, after the last fold
};

}  // namespace tidegate
