// SPDX-License-Identifier: Apache-2.0
#include "base/memory_file_system.h"

#include <errno.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/errno_status.h"
#include "base/random.h"

namespace tidegate {

// A file or a folder, once as programs see it and once as the disk has it.
struct MemoryFileSystem::Node {
  using Entries = std::map<std::string, std::shared_ptr<Node>, std::less<>>;

  explicit Node(bool directory) : is_directory(directory) {}

  void sync_content() {
    // Files mostly grow: copying what is new keeps many small syncs cheap.
    if (truncated) durable_content.clear();
    durable_content.append(content, durable_content.size());
    truncated = false;
  }
  void sync_entries() { durable_entries = entries; }

  void crash() {
    content = durable_content;
    truncated = false;
    entries = durable_entries;
    for (const auto& [name, node] : entries) node->crash();
  }

  std::int64_t bytes() const {
    std::int64_t total = static_cast<std::int64_t>(content.size());
    for (const auto& [name, node] : entries) total += node->bytes();
    return total;
  }

  const bool is_directory;
  std::int64_t modified_ms = 0;
  std::string content;
  std::string durable_content;
  bool truncated = false;  // since the last sync: durable_content is not a prefix of content
  Entries entries;
  Entries durable_entries;
};

namespace {

// "./a//b/../c" -> "a", "c".
std::vector<std::string> parts_of(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.emplace_back(part);
    }
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parts;
}

}  // namespace

// Everything behind one lock.
struct MemoryFileSystem::Disk {
  using NodePtr = std::shared_ptr<Node>;

  // Where a path leads: the folder that holds it (null: not there), its name there, and what is
  // there now (null: nothing). The root has no folder.
  struct Place {
    NodePtr folder;
    std::string name;
    NodePtr node;
  };

  explicit Disk(const Clock& machine_clock) : clock(machine_clock) {}

  // Counts the operation and asks for faults.
  Status begin(FileOperation operation, std::string_view path) {
    ++operations;
    return fault ? fault(operation, path) : Status::ok();
  }

  Place find(std::string_view path) const {
    Place place{nullptr, "", root};
    for (std::string& part : parts_of(path)) {
      if (place.node == nullptr || !place.node->is_directory) return {};
      place.folder = std::move(place.node);
      place.name = std::move(part);
      const auto entry = place.folder->entries.find(place.name);
      place.node = entry == place.folder->entries.end() ? nullptr : entry->second;
    }
    return place;
  }

  Status make_directories(std::string_view path) {
    NodePtr folder = root;
    for (const std::string& part : parts_of(path)) {
      NodePtr& entry = folder->entries[part];
      if (entry == nullptr) {
        entry = make_node(true);
        folder->sync_entries();
      }
      if (!entry->is_directory) return errno_status(EEXIST, "create folder", path);
      folder = entry;
    }
    return Status::ok();
  }

  NodePtr make_node(bool is_directory) const {
    auto node = std::make_shared<Node>(is_directory);
    node->modified_ms = clock.wall_ms();
    return node;
  }

  FileInfo info_of(std::string path, const Node& node) const {
    const auto size = static_cast<std::int64_t>(node.content.size());
    return {std::move(path), size, node.modified_ms, node.is_directory, false};
  }

  const Clock& clock;
  mutable std::mutex mutex;
  NodePtr root = std::make_shared<Node>(true);
  std::int64_t capacity = std::numeric_limits<std::int64_t>::max();
  std::int64_t operations = 0;
  std::int64_t crashes = 0;
  Fault fault;
};

class MemoryFileSystem::Reader final : public RandomAccessFile {
 public:
  Reader(std::shared_ptr<Disk> disk, std::shared_ptr<Node> node, std::string path)
      : disk_(std::move(disk)),
        node_(std::move(node)),
        path_(std::move(path)),
        crashes_(disk_->crashes) {}

  Result<std::size_t> read_at(std::int64_t offset, std::span<std::byte> buffer) override {
    const std::lock_guard lock(disk_->mutex);
    TG_RETURN_IF_ERROR(disk_->begin(FileOperation::kRead, path_));
    if (crashes_ != disk_->crashes) return errno_status(EIO, "read", path_);
    if (offset < 0) return errno_status(EINVAL, "read", path_);
    const std::string_view content = node_->content;
    const std::size_t begin = std::min(static_cast<std::size_t>(offset), content.size());
    const std::size_t size = std::min(buffer.size(), content.size() - begin);
    if (size > 0) std::memcpy(buffer.data(), content.data() + begin, size);
    return size;
  }

  Result<std::int64_t> size() override {
    const std::lock_guard lock(disk_->mutex);
    TG_RETURN_IF_ERROR(disk_->begin(FileOperation::kStat, path_));
    if (crashes_ != disk_->crashes) return errno_status(EIO, "look at", path_);
    return static_cast<std::int64_t>(node_->content.size());
  }

 private:
  const std::shared_ptr<Disk> disk_;
  const std::shared_ptr<Node> node_;
  const std::string path_;
  const std::int64_t crashes_;
};

class MemoryFileSystem::Writer final : public WritableFile {
 public:
  Writer(std::shared_ptr<Disk> disk, std::shared_ptr<Node> node, std::string path)
      : disk_(std::move(disk)),
        node_(std::move(node)),
        path_(std::move(path)),
        crashes_(disk_->crashes) {}

  using WritableFile::append;
  Status append(std::span<const std::byte> bytes) override {
    const std::lock_guard lock(disk_->mutex);
    TG_RETURN_IF_ERROR(begin(FileOperation::kAppend, "write"));
    std::size_t size = bytes.size();
    if (disk_->capacity != std::numeric_limits<std::int64_t>::max()) {
      const std::int64_t space = std::max<std::int64_t>(disk_->capacity - disk_->root->bytes(), 0);
      size = std::min(size, static_cast<std::size_t>(space));
    }
    node_->content.append(reinterpret_cast<const char*>(bytes.data()), size);
    node_->modified_ms = disk_->clock.wall_ms();
    if (size < bytes.size()) status_ = errno_status(ENOSPC, "write", path_);
    return status_;
  }

  Status sync() override {
    const std::lock_guard lock(disk_->mutex);
    TG_RETURN_IF_ERROR(begin(FileOperation::kSync, "sync"));
    node_->sync_content();
    if (!std::exchange(name_is_durable_, true)) {
      const std::shared_ptr<Node> folder = disk_->find(path_).folder;
      if (folder != nullptr) folder->sync_entries();
    }
    return Status::ok();
  }

  Status close() override {
    const std::lock_guard lock(disk_->mutex);
    Status status = begin(FileOperation::kClose, "close");
    status_ = error(ErrorCode::kInternal, "'{}' is closed", path_);
    return status;
  }

 private:
  // The first error sticks, as with files on a disk.
  Status begin(FileOperation operation, std::string_view what) {
    TG_RETURN_IF_ERROR(status_);
    status_ = disk_->begin(operation, path_);
    if (crashes_ != disk_->crashes) status_ = errno_status(EIO, what, path_);
    return status_;
  }

  const std::shared_ptr<Disk> disk_;
  const std::shared_ptr<Node> node_;
  const std::string path_;
  const std::int64_t crashes_;
  bool name_is_durable_ = false;
  Status status_;
};

MemoryFileSystem::MemoryFileSystem(const Clock& clock) : disk_(std::make_shared<Disk>(clock)) {}

MemoryFileSystem::~MemoryFileSystem() = default;

Result<std::unique_ptr<RandomAccessFile>> MemoryFileSystem::open(const std::string& path) {
  const std::lock_guard lock(disk_->mutex);
  TG_RETURN_IF_ERROR(disk_->begin(FileOperation::kOpen, path));
  std::shared_ptr<Node> node = disk_->find(path).node;
  if (node == nullptr) return errno_status(ENOENT, "open", path);
  if (node->is_directory) return errno_status(EISDIR, "open", path);
  return std::make_unique<Reader>(disk_, std::move(node), path);
}

Result<std::unique_ptr<WritableFile>> MemoryFileSystem::create(const std::string& path) {
  const std::lock_guard lock(disk_->mutex);
  TG_RETURN_IF_ERROR(disk_->begin(FileOperation::kCreate, path));
  Disk::Place place = disk_->find(path);
  if (place.folder == nullptr && place.node == nullptr) {
    TG_RETURN_IF_ERROR(disk_->make_directories(path + "/.."));
    place = disk_->find(path);
  }
  if (place.node == nullptr) {
    place.node = disk_->make_node(false);
    place.folder->entries[place.name] = place.node;
  }
  if (place.node->is_directory) return errno_status(EISDIR, "create", path);
  place.node->content.clear();
  place.node->truncated = true;
  place.node->modified_ms = disk_->clock.wall_ms();
  return std::make_unique<Writer>(disk_, std::move(place.node), path);
}

Result<FileInfo> MemoryFileSystem::stat(const std::string& path) {
  const std::lock_guard lock(disk_->mutex);
  TG_RETURN_IF_ERROR(disk_->begin(FileOperation::kStat, path));
  const std::shared_ptr<Node> node = disk_->find(path).node;
  if (node == nullptr) return errno_status(ENOENT, "look at", path);
  return disk_->info_of(path, *node);
}

Result<std::vector<FileInfo>> MemoryFileSystem::list(const std::string& path) {
  const std::lock_guard lock(disk_->mutex);
  TG_RETURN_IF_ERROR(disk_->begin(FileOperation::kList, path));
  const std::shared_ptr<Node> folder = disk_->find(path).node;
  if (folder == nullptr) return errno_status(ENOENT, "list", path);
  if (!folder->is_directory) return errno_status(ENOTDIR, "list", path);
  const std::string prefix = path.ends_with('/') ? path : path + "/";
  std::vector<FileInfo> infos;
  for (const auto& [name, node] : folder->entries) {
    infos.push_back(disk_->info_of(prefix + name, *node));
  }
  return infos;
}

Status MemoryFileSystem::create_directories(const std::string& path) {
  const std::lock_guard lock(disk_->mutex);
  TG_RETURN_IF_ERROR(disk_->begin(FileOperation::kCreateDirectories, path));
  return disk_->make_directories(path);
}

Status MemoryFileSystem::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(disk_->mutex);
  TG_RETURN_IF_ERROR(disk_->begin(FileOperation::kRename, from));
  const auto fail = [&](int error_number) {
    return errno_status(error_number, "rename", fmt::format("{}' to '{}", from, to));
  };
  const Disk::Place source = disk_->find(from);
  const Disk::Place target = disk_->find(to);
  if (source.node == nullptr || target.folder == nullptr) return fail(ENOENT);
  if (source.node == target.node) return Status::ok();
  if (target.node != nullptr) {
    if (target.node->is_directory && !source.node->is_directory) return fail(EISDIR);
    if (!target.node->is_directory && source.node->is_directory) return fail(ENOTDIR);
    if (!target.node->entries.empty()) return fail(ENOTEMPTY);
  }
  const std::vector<std::string> from_parts = parts_of(from);
  const std::vector<std::string> to_parts = parts_of(to);
  if (std::mismatch(from_parts.begin(), from_parts.end(), to_parts.begin(), to_parts.end()).first ==
      from_parts.end()) {
    return fail(EINVAL);  // a folder into itself
  }
  source.folder->entries.erase(source.name);
  target.folder->entries[target.name] = source.node;
  target.folder->sync_entries();
  source.folder->sync_entries();
  return Status::ok();
}

Result<bool> MemoryFileSystem::rename_new(const std::string& from, const std::string& to) {
  const std::lock_guard lock(disk_->mutex);
  TG_RETURN_IF_ERROR(disk_->begin(FileOperation::kRename, from));
  const Disk::Place source = disk_->find(from);
  const Disk::Place target = disk_->find(to);
  if (source.node == nullptr || target.folder == nullptr) {
    return errno_status(ENOENT, "rename", fmt::format("{}' to '{}", from, to));
  }
  if (target.node != nullptr) return false;
  source.folder->entries.erase(source.name);
  target.folder->entries[target.name] = source.node;
  target.folder->sync_entries();
  source.folder->sync_entries();
  return true;
}

Status MemoryFileSystem::remove(const std::string& path) {
  const std::lock_guard lock(disk_->mutex);
  TG_RETURN_IF_ERROR(disk_->begin(FileOperation::kRemove, path));
  const Disk::Place place = disk_->find(path);
  if (place.node == nullptr) return Status::ok();
  if (place.node->is_directory) return errno_status(EISDIR, "remove", path);
  place.folder->entries.erase(place.name);
  return Status::ok();
}

Status MemoryFileSystem::remove_all(const std::string& path) {
  const std::lock_guard lock(disk_->mutex);
  TG_RETURN_IF_ERROR(disk_->begin(FileOperation::kRemove, path));
  const Disk::Place place = disk_->find(path);
  if (place.node == disk_->root) {
    disk_->root->entries.clear();
  } else if (place.node != nullptr) {
    place.folder->entries.erase(place.name);
  }
  return Status::ok();
}

void MemoryFileSystem::set_fault(Fault fault) {
  const std::lock_guard lock(disk_->mutex);
  disk_->fault = std::move(fault);
}

void MemoryFileSystem::set_capacity(std::int64_t bytes) {
  const std::lock_guard lock(disk_->mutex);
  disk_->capacity = bytes;
}

std::int64_t MemoryFileSystem::operations() const {
  const std::lock_guard lock(disk_->mutex);
  return disk_->operations;
}

void MemoryFileSystem::crash() {
  const std::lock_guard lock(disk_->mutex);
  ++disk_->crashes;
  disk_->root->crash();
}

MemoryFileSystem::Fault fail_nth_operation(std::int64_t n, Status status) {
  TG_CHECK(n > 0, "n={}", n);
  return [n, status = std::move(status)](FileOperation, std::string_view) mutable {
    return --n == 0 ? status : Status::ok();
  };
}

MemoryFileSystem::Fault fail_randomly(std::uint64_t seed, double rate, Status status) {
  return [random = Random(seed), rate, status = std::move(status)](FileOperation,
                                                                   std::string_view) mutable {
    return random.real() < rate ? status : Status::ok();
  };
}

}  // namespace tidegate
