// SPDX-License-Identifier: Apache-2.0
#include "runtime/commit_policy.h"

#include <utility>

#include "base/check.h"

namespace tidegate {
namespace {

class VolatileCommitPolicy final : public CommitPolicy {
 public:
  Status commit(const EpochRecord&) override { return Status::ok(); }
  bool takes_stored_state() const override { return true; }
  bool keeps_state() const override { return false; }
};

}  // namespace

void CommitPolicy::complete(EpochRecord&) {}
void CommitPolicy::published(EpochId) {}

std::unique_ptr<CommitPolicy> make_volatile_commit_policy() {
  return std::make_unique<VolatileCommitPolicy>();
}

Status MemoryCommitPolicy::commit(const EpochRecord& record) {
  const std::lock_guard lock(mutex_);
  records_.push_back(record);
  return Status::ok();
}

std::vector<EpochId> MemoryCommitPolicy::epochs() const {
  const std::lock_guard lock(mutex_);
  std::vector<EpochId> epochs;
  for (const EpochRecord& record : records_) epochs.push_back(record.epoch);
  return epochs;
}

EpochRecord MemoryCommitPolicy::restore_point(EpochId epoch) const {
  const std::lock_guard lock(mutex_);
  EpochRecord merged;
  for (const EpochRecord& record : records_) {
    if (record.epoch <= epoch) merged = merge(merged, record);
  }
  TG_CHECK(merged.epoch == epoch, "epoch={} last={}", epoch, merged.epoch);
  return merged;
}

}  // namespace tidegate
