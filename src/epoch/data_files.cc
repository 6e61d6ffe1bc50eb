// SPDX-License-Identifier: Apache-2.0
#include "epoch/data_files.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/content_hash.h"
#include "base/failpoints.h"
#include "epoch/fold_deltas.h"
#include "state/delta.h"

namespace tidegate {
namespace {

constexpr std::string_view kHeader("TGDF\1\0\0\0", 8);
/// A file is put when it has as much; one delta may be larger.
constexpr std::size_t kFileBytes = std::size_t{16} << 20;
/// How much of a table is folded at a time.
constexpr std::int64_t kFoldBytes = std::int64_t{64} << 20;

bool is_apart(const KeyGroupRange& a, const KeyGroupRange& b) {
  return a.total == b.total && (a.begin >= b.end || a.end <= b.begin);
}

}  // namespace

std::string data_file_name(const DataFile& file) { return "data/" + file.hash; }

Status DataFileWriter::add(EpochId epoch, bool is_base, std::string_view delta) {
  TG_ASSIGN_OR_RETURN(const DeltaReader reader, DeltaReader::open(delta));
  if (content_.empty()) content_ = kHeader;
  StateSection& section = sections_.emplace_back();
  section.offset = static_cast<std::int64_t>(content_.size());
  section.size_bytes = static_cast<std::int64_t>(delta.size());
  section.epoch = epoch;
  section.is_base = is_base;
  section.key_groups = reader.key_groups();
  content_ += delta;
  return content_.size() < kFileBytes ? Status::ok() : put_file();
}

Status DataFileWriter::put_file() {
  if (content_.empty()) return Status::ok();
  const DataFile file{content_hash(content_), static_cast<std::int64_t>(content_.size())};
  TG_RETURN_IF_ERROR(put_(file, content_));
  for (; first_open_ < sections_.size(); ++first_open_) sections_[first_open_].file = file;
  content_.clear();
  return Status::ok();
}

Result<std::vector<StateSection>> DataFileWriter::finish() {
  TG_RETURN_IF_ERROR(put_file());
  return std::move(sections_);
}

Result<std::string_view> DataFileReader::read(const StateSection& section) {
  const DataFile& file = section.file;
  if (hash_ != file.hash) {
    hash_.clear();
    const std::string place = blobs_.place_of(data_file_name(file));
    auto content = blobs_.get(data_file_name(file), file.size_bytes);
    if (!content.is_ok()) {
      if (content.status().code() == ErrorCode::kFileNotFound) {
        return error(ErrorCode::kStateCorrupt, "'{}' is missing", place);
      }
      if (content.status().code() == ErrorCode::kLimitExceeded) {
        return error(ErrorCode::kStateCorrupt, "'{}' is larger than it was written", place);
      }
      return std::move(content).status();
    }
    if (static_cast<std::int64_t>(content->size()) != file.size_bytes) {
      return error(ErrorCode::kStateCorrupt, "'{}' has {} bytes instead of {}", place,
                   content->size(), file.size_bytes);
    }
    const bool is_same = content_hash(*content) == file.hash || !TG_PROTECTED("checksum");
    if (!is_same || !content->starts_with(kHeader)) {
      return error(ErrorCode::kStateCorrupt, "'{}' is damaged: its content is not what it was",
                   place);
    }
    content_ = *std::move(content);
    hash_ = file.hash;
  }
  return std::string_view(content_).substr(static_cast<std::size_t>(section.offset),
                                           static_cast<std::size_t>(section.size_bytes));
}

Status fold_table(BlobStore& blobs, const TableState& table, int key_groups,
                  const std::function<bool()>& keeps_on,
                  const std::function<Status(const std::string& delta)>& emit) {
  std::int64_t bytes = 0;
  for (const StateSection& section : table.sections) bytes += section.size_bytes;
  const int parts =
      static_cast<int>(std::clamp<std::int64_t>(bytes / kFoldBytes + 1, 1, key_groups));
  DataFileReader reader(blobs);
  for (int part = 0; part < parts; ++part) {
    const KeyGroupRange range = key_groups_of_subtask(part, key_groups, parts);
    DeltaFolder folder(range);
    for (const StateSection& section : table.sections) {
      if (!keeps_on()) return error(ErrorCode::kCancelled, "folding was stopped");
      const bool is_other =
          section.key_groups.total == key_groups &&
          (section.key_groups.begin >= range.end || section.key_groups.end <= range.begin);
      if (is_other) continue;
      TG_ASSIGN_OR_RETURN(const std::string_view delta, reader.read(section));
      TG_RETURN_IF_ERROR(folder.add(delta).with_context(
          fmt::format("state '{}' of operator '{}'", table.table, table.uid)));
    }
    if (folder.is_empty()) continue;
    TG_RETURN_IF_ERROR(emit(folder.finish()));
  }
  return Status::ok();
}

bool can_merge(std::span<const StateSection> sections) {
  std::vector<KeyGroupRange> writers;
  for (const StateSection& section : sections) {
    const bool is_known = std::ranges::find(writers, section.key_groups) != writers.end();
    if (is_known) continue;
    for (const KeyGroupRange& writer : writers) {
      if (!is_apart(writer, section.key_groups)) return false;
    }
    writers.push_back(section.key_groups);
  }
  return true;
}

Status merge_sections(BlobStore& blobs, std::span<const StateSection> sections,
                      const std::function<bool()>& keeps_on,
                      const std::function<Status(const std::string& delta)>& emit) {
  DataFileReader reader(blobs);
  std::vector<std::pair<KeyGroupRange, DeltaMerger>> mergers;
  for (const StateSection& section : sections) {
    if (!keeps_on()) return error(ErrorCode::kCancelled, "merging was stopped");
    auto merger = std::ranges::find_if(
        mergers, [&](const auto& entry) { return entry.first == section.key_groups; });
    if (merger == mergers.end()) {
      mergers.emplace_back(section.key_groups, DeltaMerger(section.key_groups));
      merger = mergers.end() - 1;
    }
    TG_ASSIGN_OR_RETURN(const std::string_view delta, reader.read(section));
    TG_RETURN_IF_ERROR(merger->second.add(delta));
  }
  for (auto& [writer, merger] : mergers) TG_RETURN_IF_ERROR(emit(merger.finish()));
  return Status::ok();
}

}  // namespace tidegate
