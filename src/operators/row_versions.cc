// SPDX-License-Identifier: Apache-2.0
#include "operators/row_versions.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "base/check.h"
#include "operators/row_layout.h"
#include "state/binary_codec.h"
#include "state/state_bytes.h"

namespace tidegate {
namespace {

constexpr std::size_t kHeaderBytes = sizeof(EventTime);
/// Versions that are kept ready for binary search; beyond that all are read again.
constexpr std::size_t kMostRead = std::size_t{1} << 20;
/// Shorter lists are looked through.
constexpr std::size_t kLongBytes = 1024;

}  // namespace

Status RowVersions::open(StateBackend& state) {
  TG_ASSIGN_OR_RETURN(table_,
                      state.table({"versions", std::make_shared<RowLayout>("8 * 8 1 v:row", 1)}));
  TG_ASSIGN_OR_RETURN(followed_, state.table({"followed", std::make_shared<FixedLayout>(0)}));
  return Status::ok();
}

Status RowVersions::read_one(std::string_view versions, std::string_view& rest, Version& version) {
  version.begin = versions.size() - rest.size();
  if (!read_fixed(rest, version.time) || !read_fixed(rest, version.deletes) ||
      !read_bytes(rest, version.row)) {
    return error(ErrorCode::kStateCorrupt, "the stored versions of a row are cut short");
  }
  version.end = versions.size() - rest.size();
  return Status::ok();
}

Result<std::vector<RowVersions::Version>> RowVersions::read(std::string_view versions) {
  std::vector<Version> all;
  std::string_view rest = versions.substr(std::min(kHeaderBytes, versions.size()));
  while (!rest.empty()) TG_RETURN_IF_ERROR(read_one(versions, rest, all.emplace_back()));
  return all;
}

Status RowVersions::put(const StateKey& key, EventTime time, bool deletes, std::string_view row) {
  read_.clear();
  num_read_ = 0;
  TG_ASSIGN_OR_RETURN(std::byte * value, table_->find_or_create(0, key));
  bytes_.clear();
  write_fixed(bytes_, time);
  write_fixed(bytes_, deletes);
  write_bytes(bytes_, row);
  std::string_view versions = BytesLayout::view(value);
  EventTime last = kMinWatermark;
  if (!versions.empty() && !read_fixed(versions, last)) {
    return error(ErrorCode::kStateCorrupt, "the stored versions of a row have no header");
  }
  const bool first = versions.empty();
  if (!first && time <= last) return insert(value, key, {.time = time});
  if (first) {
    std::string header;
    write_fixed(header, time);
    assign_bytes(*table_, value, header);
  } else {
    std::memcpy(const_cast<char*>(BytesLayout::view(value).data()), &time, sizeof(time));
  }
  append_bytes(*table_, value, bytes_);
  return first && !deletes ? Status::ok() : mark_followed(time, key);
}

/// Puts the version in bytes_ in its place.
Status RowVersions::insert(std::byte* value, const StateKey& key, const Version& version) {
  const std::string_view before = BytesLayout::view(value);
  TG_ASSIGN_OR_RETURN(const std::vector<Version> versions, read(before));
  const auto behind = std::ranges::lower_bound(versions, version.time, {}, &Version::time);
  if (behind == versions.end()) {
    return error(ErrorCode::kStateCorrupt, "the stored versions of a row are not in order");
  }
  const bool replaces = behind->time == version.time;
  std::string after(before.substr(0, behind->begin));
  after += bytes_;
  after += before.substr(replaces ? behind->end : behind->begin);
  assign_bytes(*table_, value, after);
  // The first version is followed now, or this one follows another.
  const bool first = behind == versions.begin();
  return mark_followed(first && !replaces ? behind->time : version.time, key);
}

Status RowVersions::mark_followed(EventTime time, const StateKey& key) {
  return followed_->find_or_create(time, key).status();
}

Result<const std::vector<RowVersions::Version>*> RowVersions::read_once(const std::byte* versions) {
  if (const auto generation = table_->generation(0); generation != generation_) {
    generation_ = generation;
    read_.clear();
    num_read_ = 0;
  }
  if (const auto found = read_.find(versions); found != read_.end()) return &found->second;
  TG_ASSIGN_OR_RETURN(std::vector<Version> all, read(BytesLayout::view(versions)));
  if (num_read_ + all.size() > kMostRead) {
    read_.clear();
    num_read_ = 0;
  }
  num_read_ += all.size();
  return &read_.emplace(versions, std::move(all)).first->second;
}

Result<std::optional<std::string_view>> RowVersions::valid_at(const std::byte* versions,
                                                              EventTime time, EventTime forgotten) {
  const std::string_view bytes = BytesLayout::view(versions);
  std::optional<Version> valid;
  std::optional<EventTime> next_time;
  if (bytes.size() < kLongBytes) {
    Version version;
    std::string_view rest = bytes.substr(std::min(kHeaderBytes, bytes.size()));
    while (!rest.empty() && !next_time) {
      TG_RETURN_IF_ERROR(read_one(bytes, rest, version));
      if (version.time > time) {
        next_time = version.time;
      } else {
        valid = version;
      }
    }
  } else {
    TG_ASSIGN_OR_RETURN(const std::vector<Version>* all, read_once(versions));
    const auto next = std::ranges::upper_bound(*all, time, {}, &Version::time);
    if (next != all->end()) next_time = next->time;
    if (next != all->begin()) valid = *std::prev(next);
  }
  if (!valid || valid->deletes || (next_time && *next_time < forgotten)) return std::nullopt;
  return std::optional(valid->row);
}

Status RowVersions::forget(EventTime watermark) {
  read_.clear();
  num_read_ = 0;
  std::vector<std::byte*> keys;
  while (true) {
    const std::optional<EventTime> time = followed_->first_namespace();
    if (!time || *time >= watermark) return Status::ok();
    keys = rows_by_key(*followed_, *time);
    for (const std::byte* value : keys) {
      TG_RETURN_IF_ERROR(forget_versions(followed_->state_key(value), watermark));
    }
    followed_->drop(*time);
  }
}

Status RowVersions::forget_versions(const StateKey& key, EventTime watermark) {
  std::byte* value = table_->find(0, key);
  if (value == nullptr) return Status::ok();
  const std::string_view before = BytesLayout::view(value);
  TG_ASSIGN_OR_RETURN(const std::vector<Version> versions, read(before));
  auto behind = std::ranges::lower_bound(versions, watermark, {}, &Version::time);
  if (behind == versions.begin()) return Status::ok();
  // Nothing was valid before the first version, so that a deletion in front says nothing.
  const auto valid = std::prev(behind);
  const auto first = valid->deletes ? behind : valid;
  if (first == versions.end()) {
    table_->erase(0, value);
  } else if (first != versions.begin()) {
    std::string after(before.substr(0, kHeaderBytes));
    after += before.substr(first->begin);
    table_->touch(0, value);
    assign_bytes(*table_, value, after);
  }
  return Status::ok();
}

}  // namespace tidegate
