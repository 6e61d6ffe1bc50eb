// SPDX-License-Identifier: Apache-2.0
//
// What goes on beside the job: the part of CheckpointStore that folds tables and deletes files.
#include <algorithm>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "epoch/checkpoint_files.h"
#include "epoch/checkpoint_store.h"

namespace tidegate {
namespace {

/// Where the sections begin that are to be merged: the latest ones, as far back as each is small
/// beside what comes after it, so that every byte is merged a logarithmic number of times. 0 when
/// the whole table is to be folded.
std::size_t first_to_merge(const std::vector<StateSection>& sections) {
  std::size_t first = sections.size() - 1;
  std::int64_t after = sections[first].size_bytes;
  while (first > 0 && !sections[first - 1].is_base && sections[first - 1].size_bytes <= 2 * after) {
    --first;
    after += sections[first].size_bytes;
  }
  return can_merge(std::span(sections).subspan(first)) ? first : 0;
}

}  // namespace

void CheckpointStore::tidy_beside() {
  {
    const std::lock_guard lock(mutex_);
    if (tidying_ || stops_) return;
    tidying_ = true;
  }
  if (options_.run_beside) {
    options_.run_beside([self = shared_from_this()] { self->tidy(); });
  } else {
    tidy();
  }
}

void CheckpointStore::tidy() {
  collect();
  const Status folded = fold();
  if (!folded.is_ok() && folded.code() != ErrorCode::kCancelled) {
    // The job needs none of it; damage is for the restore to judge.
    log_warning("checkpoint.fold-failed", {{"error", folded.message()}});
  }
  const std::lock_guard lock(mutex_);
  tidying_ = false;
}

/// Deletes manifests that are not retained, then files that nothing names. What cannot be deleted
/// is tried again after the next epoch.
void CheckpointStore::collect() {
  std::vector<EpochId> outdated;
  {
    const std::lock_guard lock(mutex_);
    outdated = std::exchange(outdated_, {});
  }
  for (std::size_t i = 0; i < outdated.size(); ++i) {
    const Status removed = blobs_->remove(manifest_name(outdated[i]));
    if (removed.is_ok()) continue;
    log_warning("checkpoint.collect-failed", {{"error", removed.message()}});
    const std::lock_guard lock(mutex_);
    outdated_.insert(outdated_.begin(), outdated.begin() + static_cast<std::ptrdiff_t>(i),
                     outdated.end());
    return;  // its files are still named
  }
  while (!stops_) {
    const std::lock_guard lock(mutex_);
    const std::set<std::string> live = live_files();
    const auto garbage =
        std::ranges::find_if(known_, [&](const std::string& hash) { return !live.contains(hash); });
    if (garbage == known_.end()) return;
    const Status removed = blobs_->remove(data_file_name({*garbage, 0}));
    if (!removed.is_ok()) {
      log_warning("checkpoint.collect-failed", {{"error", removed.message()}});
      return;
    }
    known_.erase(garbage);
  }
}

std::set<std::string> CheckpointStore::live_files() const {
  std::set<std::string> live = announced_;
  live.insert(folding_.begin(), folding_.end());
  for (const Retained& epoch : retained_) {
    for (const DataFile& file : epoch.files) live.insert(file.hash);
  }
  if (folded_) {
    for (const StateSection& section : folded_->sections) live.insert(section.file.hash);
  }
  return live;
}

std::optional<CheckpointStore::Folded> CheckpointStore::next_to_fold() const {
  const std::lock_guard lock(mutex_);
  if (folded_) return std::nullopt;  // waits for the next epoch
  std::optional<Folded> worst;
  std::int64_t most = 0;
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    const std::vector<StateSection>& sections = tables_[i].sections;
    std::int64_t base = 0;
    std::int64_t changes = 0;
    std::size_t pieces = 0;  // of changes
    for (const StateSection& section : sections) {
      (section.is_base ? base : changes) += section.size_bytes;
      pieces += section.is_base ? 0 : 1;
    }
    const auto limit =
        std::max(static_cast<std::int64_t>(static_cast<double>(base) * options_.fold_ratio),
                 options_.least_fold_bytes);
    if (changes <= most) continue;
    std::size_t first = 0;
    if (changes < limit) {
      if (pieces <= options_.most_sections) continue;
      first = first_to_merge(sections);
      if (sections.size() - first < 2) continue;
    }
    worst = Folded{i, first, sections.size() - first, {}};
    most = changes;
  }
  return worst;
}

Status CheckpointStore::fold() {
  std::optional<Folded> next = next_to_fold();
  if (!next) return Status::ok();
  TableState table;
  int key_groups = 0;
  {
    const std::lock_guard lock(mutex_);
    table = tables_[next->table];
    key_groups = last_.record.key_groups;
  }
  table.sections.resize(next->first + next->count);  // without what has been added since
  DataFileWriter writer([&](const DataFile& file, std::string_view content) -> Status {
    {
      const std::lock_guard lock(mutex_);
      folding_.insert(file.hash);
      known_.insert(file.hash);
    }
    return blobs_->put(data_file_name(file), content);
  });
  const EpochId epoch = table.sections.back().epoch;
  const bool is_base = next->first == 0;
  const auto keeps_on = [this] { return !stops_; };
  const auto emit = [&](const std::string& delta) { return writer.add(epoch, is_base, delta); };
  const auto part = std::span(table.sections).subspan(next->first);
  Status status = is_base ? fold_table(*blobs_, table, key_groups, keeps_on, emit)
                          : merge_sections(*blobs_, part, keeps_on, emit);
  if (status.is_ok()) {
    auto sections = writer.finish();
    status = sections.status();
    if (status.is_ok()) next->sections = *std::move(sections);
  }
  const std::lock_guard lock(mutex_);
  folding_.clear();
  if (status.is_ok()) folded_ = std::move(next);
  return status;
}

}  // namespace tidegate
