// SPDX-License-Identifier: Apache-2.0
#include "epoch/data_files.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/content_hash.h"
#include "base/failpoints.h"
#include "state/delta.h"
#include "state/delta_sorter.h"

namespace tidegate {
namespace {

constexpr std::string_view kHeader("TGDF\1\0\0\0", 8);
/// A file is put when it has as much; one delta may be larger.
constexpr std::size_t kFileBytes = std::size_t{4} << 20;
/// Folded and merged rows come in deltas of this size.
constexpr std::int64_t kPieceBytes = std::int64_t{2} << 20;
constexpr std::int64_t kMostParts = 64;
/// How much of a table is in memory while it is folded or merged.
constexpr std::size_t kSortBytes = std::size_t{4} << 20;
constexpr std::size_t kLeastSortBytes = std::size_t{256} << 10;

bool is_apart(const KeyGroupRange& a, const KeyGroupRange& b) {
  return a.total == b.total && (a.begin >= b.end || a.end <= b.begin);
}

/// Rows that come in order as deltas of bounded size.
class PieceWriter {
 public:
  PieceWriter(std::string fingerprint, const std::function<bool()>& keeps_on,
              const std::function<Status(const std::string& delta)>& emit)
      : fingerprint_(std::move(fingerprint)), keeps_on_(keeps_on), emit_(emit) {}

  /// What follows is of these key groups.
  Status begin(KeyGroupRange key_groups) {
    TG_RETURN_IF_ERROR(finish());
    writer_ = std::make_unique<DeltaWriter>(fingerprint_, key_groups);
    writer_->split_at(kPieceBytes, [this](const std::string& piece) { give(piece); });
    return Status::ok();
  }
  void drop(std::int64_t name_space) { writer_->drop(name_space); }
  Status add(const DeltaRecord& row) {
    if (row.kind == DeltaRecord::Kind::kPut) {
      writer_->put(row.name_space, row.hash, row.key, row.value);
    } else {
      writer_->erase(row.name_space, row.hash, row.key);
    }
    return status_;
  }
  Status finish() {
    if (writer_ != nullptr) give(writer_->finish());
    writer_.reset();
    return status_;
  }

 private:
  void give(const std::string& piece) {
    if (!status_.is_ok()) return;
    status_ = keeps_on_() ? emit_(piece) : error(ErrorCode::kCancelled, "folding was stopped");
  }

  const std::string fingerprint_;
  const std::function<bool()>& keeps_on_;
  const std::function<Status(const std::string& delta)>& emit_;
  std::unique_ptr<DeltaWriter> writer_;
  Status status_;
};

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
  // A task that restores reads only what may concern it.
  const auto parts =
      static_cast<int>(std::min<std::int64_t>({bytes / kPieceBytes + 1, key_groups, kMostParts}));
  DeltaSorter sorter({{0, key_groups, key_groups}, parts, "", kSortBytes});
  DataFileReader reader(blobs);
  for (const StateSection& section : table.sections) {
    if (!keeps_on()) return error(ErrorCode::kCancelled, "folding was stopped");
    TG_ASSIGN_OR_RETURN(const std::string_view delta, reader.read(section));
    TG_RETURN_IF_ERROR(sorter.add(delta).with_context(
        fmt::format("state '{}' of operator '{}'", table.table, table.uid)));
  }
  if (sorter.is_empty()) return Status::ok();
  TG_RETURN_IF_ERROR(sorter.finish());
  PieceWriter pieces(sorter.fingerprint(), keeps_on, emit);
  DeltaSorter::Row row;
  int part = -1;
  while (true) {
    TG_ASSIGN_OR_RETURN(const bool more, sorter.next(row));
    if (!more) break;
    if (row.part != part) {
      part = row.part;
      TG_RETURN_IF_ERROR(pieces.begin(key_groups_of_subtask(part, key_groups, parts)));
    }
    if (row.record.kind == DeltaRecord::Kind::kPut) TG_RETURN_IF_ERROR(pieces.add(row.record));
  }
  // Also no rows at all are of some layout.
  if (part < 0) TG_RETURN_IF_ERROR(pieces.begin({0, key_groups, key_groups}));
  return pieces.finish();
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
  std::vector<KeyGroupRange> writers;
  for (const StateSection& section : sections) {
    if (std::ranges::find(writers, section.key_groups) == writers.end()) {
      writers.push_back(section.key_groups);
    }
  }
  const std::size_t memory = std::max(kSortBytes / writers.size(), kLeastSortBytes);
  std::deque<DeltaSorter> sorters;
  for (const KeyGroupRange& writer : writers) {
    sorters.emplace_back(DeltaSorterOptions{writer, 1, "", memory});
  }
  DataFileReader reader(blobs);
  for (const StateSection& section : sections) {
    if (!keeps_on()) return error(ErrorCode::kCancelled, "merging was stopped");
    const auto writer = std::ranges::find(writers, section.key_groups) - writers.begin();
    TG_ASSIGN_OR_RETURN(const std::string_view delta, reader.read(section));
    TG_RETURN_IF_ERROR(sorters[static_cast<std::size_t>(writer)].add(delta));
  }
  for (std::size_t i = 0; i < writers.size(); ++i) {
    DeltaSorter& sorter = sorters[i];
    TG_RETURN_IF_ERROR(sorter.finish());
    PieceWriter pieces(sorter.fingerprint(), keeps_on, emit);
    TG_RETURN_IF_ERROR(pieces.begin(writers[i]));
    for (const std::int64_t name_space : sorter.drops()) pieces.drop(name_space);
    DeltaSorter::Row row;
    while (true) {
      TG_ASSIGN_OR_RETURN(const bool more, sorter.next(row));
      if (!more) break;
      TG_RETURN_IF_ERROR(pieces.add(row.record));
    }
    TG_RETURN_IF_ERROR(pieces.finish());
  }
  return Status::ok();
}

}  // namespace tidegate
