// SPDX-License-Identifier: Apache-2.0
#include "epoch/checkpoint_folder.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "base/check.h"
#include "epoch/fold_deltas.h"
#include "epoch/record_codec.h"

namespace tidegate {
namespace {

constexpr std::string_view kBase = "base-";
constexpr std::string_view kEpoch = "epoch-";
constexpr std::string_view kSavepoint = "savepoint";
/// Folding less than this is not worth its while.
constexpr std::int64_t kLeastFoldBytes = std::int64_t{4} << 20;

/// Names sort by epoch.
std::string file_name(std::string_view prefix, EpochId epoch) {
  return fmt::format("{}{:020}", prefix, epoch);
}

std::optional<EpochId> epoch_in(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  EpochId epoch = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), epoch);
  if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) return std::nullopt;
  return epoch;
}

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

}  // namespace

Result<std::vector<CheckpointFolder::Entry>> CheckpointFolder::entries() const {
  std::vector<Entry> found;
  auto listed = files_.list(folder_);
  if (!listed.is_ok()) {
    if (listed.status().code() == ErrorCode::kFileNotFound) return found;
    return std::move(listed).status();
  }
  for (const FileInfo& file : *listed) {
    const std::string_view path = file.path;
    const std::string_view name = path.substr(path.rfind('/') + 1);
    if (const auto base = epoch_in(name, kBase)) {
      found.push_back({*base, true, file.path});
    } else if (const auto epoch = epoch_in(name, kEpoch)) {
      found.push_back({*epoch, false, file.path});
    }
  }
  std::sort(found.begin(), found.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.epoch, a.is_base) < std::pair(b.epoch, b.is_base);
  });
  return found;
}

Result<EpochRecord> CheckpointFolder::read(const Entry& entry) const {
  TG_ASSIGN_OR_RETURN(const std::string bytes, read_file(files_, entry.path, kNoLimit));
  auto record = decode_record(bytes);
  if (!record.is_ok()) {
    return std::move(record).status().with_context(fmt::format("'{}'", entry.path));
  }
  if (record->epoch != entry.epoch) {
    return error(ErrorCode::kStateCorrupt, "'{}' holds epoch {}", entry.path, record->epoch);
  }
  return record;
}

Result<std::optional<EpochRecord>> CheckpointFolder::load() const {
  TG_ASSIGN_OR_RETURN(const std::vector<Entry> all, entries());
  auto from = all.end();
  for (auto at = all.begin(); at != all.end(); ++at) {
    if (at->is_base) from = at;
  }
  if (from == all.end()) from = all.begin();
  std::optional<EpochRecord> record;
  for (auto at = from; at != all.end(); ++at) {
    if (at->is_base && at != from) continue;
    TG_ASSIGN_OR_RETURN(EpochRecord next, read(*at));
    if (record && next.epoch != record->epoch + 1) {
      return Status(ErrorCode::kStateCorrupt,
                    fmt::format("'{}' follows epoch {}, so epochs in between are missing", at->path,
                                record->epoch),
                    "Restore the missing files, or start anew with --fresh.");
    }
    record = record ? merge(*record, std::move(next)) : std::move(next);
  }
  return record;
}

Status CheckpointFolder::clear() {
  TG_ASSIGN_OR_RETURN(const std::vector<Entry> all, entries());
  // The newest first, so that what a crash leaves is an older state, not a broken one.
  for (auto at = all.rbegin(); at != all.rend(); ++at) TG_RETURN_IF_ERROR(files_.remove(at->path));
  base_bytes_ = 0;
  bytes_since_ = 0;
  return Status::ok();
}

Status CheckpointFolder::begin_from(EpochRecord record) {
  TG_RETURN_IF_ERROR(fold_state(record));
  return write(record, true);
}

Status CheckpointFolder::write(const EpochRecord& record, bool is_base) {
  const std::string bytes = encode_record(record);
  TG_RETURN_IF_ERROR(write_file_atomically(
      files_, folder_ + "/" + file_name(is_base ? kBase : kEpoch, record.epoch), bytes));
  const auto size = static_cast<std::int64_t>(bytes.size());
  if (is_base) {
    base_bytes_ = size;
    bytes_since_ = 0;
  } else {
    bytes_since_ += size;
  }
  return Status::ok();
}

Status CheckpointFolder::commit(const EpochRecord& record) {
  TG_RETURN_IF_ERROR(write(record, false));
  if (bytes_since_ < std::max(base_bytes_, kLeastFoldBytes)) return Status::ok();
  return compact();
}

Status CheckpointFolder::compact() {
  TG_ASSIGN_OR_RETURN(std::optional<EpochRecord> record, load());
  TG_CHECK(record.has_value(), "no epoch in {}", folder_);
  TG_RETURN_IF_ERROR(fold_state(*record));
  TG_RETURN_IF_ERROR(write(*record, true));
  TG_ASSIGN_OR_RETURN(const std::vector<Entry> all, entries());
  for (const Entry& entry : all) {
    const bool is_replaced = entry.epoch < record->epoch || !entry.is_base;
    if (is_replaced) TG_RETURN_IF_ERROR(files_.remove(entry.path));
  }
  return Status::ok();
}

Status write_savepoint(FileSystem& files, const std::string& folder, EpochRecord record) {
  TG_RETURN_IF_ERROR(fold_state(record));
  return write_file_atomically(files, fmt::format("{}/{}", folder, kSavepoint),
                               encode_record(record));
}

Result<EpochRecord> read_savepoint(FileSystem& files, const std::string& folder) {
  const std::string path = fmt::format("{}/{}", folder, kSavepoint);
  auto bytes = read_file(files, path, kNoLimit);
  if (!bytes.is_ok()) {
    return std::move(bytes).status().with_context(
        fmt::format("there is no savepoint in '{}'", folder));
  }
  auto record = decode_record(*bytes);
  if (!record.is_ok()) return std::move(record).status().with_context(fmt::format("'{}'", path));
  return record;
}

Result<std::string> local_folder(const std::string& uri) {
  const std::size_t scheme = uri.find("://");
  if (scheme == std::string::npos) return uri;
  if (uri.substr(0, scheme) == "file") return uri.substr(scheme + 3);
  return error(ErrorCode::kNotSupported, "checkpoints in '{}://' are not supported yet",
               uri.substr(0, scheme));
}

}  // namespace tidegate
