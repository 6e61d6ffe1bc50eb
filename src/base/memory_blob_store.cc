// SPDX-License-Identifier: Apache-2.0
#include "base/memory_blob_store.h"

#include <utility>

#include "base/check.h"

namespace tidegate {

MemoryBlobStore::Outcome MemoryBlobStore::ask(Request request, const std::string& name) {
  Fault fault;
  {
    const std::lock_guard lock(mutex_);
    fault = fault_;
  }
  return fault ? fault(request, name) : Outcome();
}

void MemoryBlobStore::store(const std::string& name, std::string_view content,
                            const Outcome& outcome) {
  blobs_[name] = content.substr(0, outcome.is_torn ? content.size() / 2 : content.size());
  bytes_put_ += static_cast<std::int64_t>(content.size());
}

Status MemoryBlobStore::put(const std::string& name, std::string_view content) {
  const Outcome outcome = ask(Request::kPut, name);
  const std::lock_guard lock(mutex_);
  if (outcome.status.is_ok() || outcome.is_done) store(name, content, outcome);
  return outcome.status;
}

Result<bool> MemoryBlobStore::put_if_absent(const std::string& name, std::string_view content) {
  const Outcome outcome = ask(Request::kPutIfAbsent, name);
  const std::lock_guard lock(mutex_);
  const bool is_absent = !blobs_.contains(name);
  if (is_absent && (outcome.status.is_ok() || outcome.is_done)) store(name, content, outcome);
  if (!outcome.status.is_ok()) return outcome.status;
  return is_absent;
}

Result<std::string> MemoryBlobStore::get(const std::string& name, std::int64_t limit_bytes) {
  const Outcome outcome = ask(Request::kGet, name);
  TG_RETURN_IF_ERROR(outcome.status);
  const std::lock_guard lock(mutex_);
  const auto found = blobs_.find(name);
  if (found == blobs_.end()) {
    return error(ErrorCode::kFileNotFound, "there is no '{}'", place_of(name));
  }
  if (static_cast<std::int64_t>(found->second.size()) > limit_bytes) {
    return error(ErrorCode::kLimitExceeded, "'{}' has {} bytes, more than the limit of {}",
                 place_of(name), found->second.size(), limit_bytes);
  }
  return found->second;
}

Result<std::vector<BlobInfo>> MemoryBlobStore::list(const std::string& folder) {
  const Outcome outcome = ask(Request::kList, folder);
  TG_RETURN_IF_ERROR(outcome.status);
  const std::lock_guard lock(mutex_);
  std::vector<BlobInfo> found;
  for (const auto& [name, content] : blobs_) {
    if (!folder.empty() && !name.starts_with(folder + "/")) continue;
    found.push_back({name, static_cast<std::int64_t>(content.size()), 0});
  }
  return found;
}

Status MemoryBlobStore::remove(const std::string& name) {
  const Outcome outcome = ask(Request::kRemove, name);
  const std::lock_guard lock(mutex_);
  if (outcome.status.is_ok() || outcome.is_done) blobs_.erase(name);
  return outcome.status;
}

Status MemoryBlobStore::clear() {
  const std::lock_guard lock(mutex_);
  blobs_.clear();
  return Status::ok();
}

void MemoryBlobStore::set_fault(Fault fault) {
  const std::lock_guard lock(mutex_);
  fault_ = std::move(fault);
}

std::map<std::string, std::string> MemoryBlobStore::contents() const {
  const std::lock_guard lock(mutex_);
  return blobs_;
}

void MemoryBlobStore::set_contents(std::map<std::string, std::string> contents) {
  const std::lock_guard lock(mutex_);
  blobs_ = std::move(contents);
}

std::int64_t MemoryBlobStore::bytes_put() const {
  const std::lock_guard lock(mutex_);
  return bytes_put_;
}

}  // namespace tidegate
