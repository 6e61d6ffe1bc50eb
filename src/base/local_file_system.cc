// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/errno_status.h"
#include "base/file_system.h"

namespace tidegate {
namespace {

// An open file; closed when destroyed.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (is_open()) ::close(number_);
  }

  bool is_open() const { return number_ >= 0; }
  int number() const { return number_; }
  /// Zero, or the error number. Not repeated when interrupted: Linux has closed the file then.
  int close() { return ::close(std::exchange(number_, -1)) == 0 || errno == EINTR ? 0 : errno; }

 private:
  int number_;
};

// Repeats a system call that a signal has interrupted.
template <typename Call>
auto retry(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

std::string parent_of(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

FileInfo to_info(const std::string& path, const struct ::stat& entry) {
  FileInfo info;
  info.path = path;
  info.is_directory = S_ISDIR(entry.st_mode);
  info.size_bytes = info.is_directory ? 0 : entry.st_size;
  info.modified_ms = entry.st_mtim.tv_sec * 1'000 + entry.st_mtim.tv_nsec / 1'000'000;
  return info;
}

Status sync_folder(const std::string& path) {
  const Descriptor folder(
      retry([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!folder.is_open()) return errno_status(errno, "open folder", path);
  // EINVAL: the file system does not do this (some network ones), and then needs no call.
  if (retry([&] { return ::fsync(folder.number()); }) != 0 && errno != EINVAL) {
    return errno_status(errno, "sync folder", path);
  }
  return Status::ok();
}

class LocalReader final : public RandomAccessFile {
 public:
  LocalReader(Descriptor file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::int64_t offset, std::span<std::byte> buffer) override {
    std::size_t done = 0;
    while (done < buffer.size()) {
      const ssize_t got = retry([&] {
        return ::pread(file_.number(), buffer.data() + done, buffer.size() - done,
                       offset + static_cast<off_t>(done));
      });
      if (got < 0) return errno_status(errno, "read", path_);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  Result<std::int64_t> size() override {
    struct ::stat entry {};
    if (::fstat(file_.number(), &entry) != 0) return errno_status(errno, "look at", path_);
    return static_cast<std::int64_t>(entry.st_size);
  }

 private:
  Descriptor file_;
  const std::string path_;
};

// Collects small appends; the first error sticks, since after it nobody knows what the disk holds
// (a second fsync may well succeed although the first has lost the data).
class LocalWriter final : public WritableFile {
 public:
  LocalWriter(Descriptor file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  using WritableFile::append;
  Status append(std::span<const std::byte> bytes) override {
    constexpr std::size_t kBufferBytes = std::size_t{64} << 10;
    TG_RETURN_IF_ERROR(status_);
    if (buffer_.size() + bytes.size() < kBufferBytes) {
      buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
      return Status::ok();
    }
    TG_RETURN_IF_ERROR(flush());
    return write(bytes);
  }

  Status sync() override {
    TG_RETURN_IF_ERROR(flush());
    if (retry([&] { return ::fsync(file_.number()); }) != 0) return fail(errno, "sync");
    if (!name_is_durable_) {
      status_ = sync_folder(parent_of(path_));
      name_is_durable_ = status_.is_ok();
    }
    return status_;
  }

  Status close() override {
    Status status = flush();
    const int problem = file_.close();
    if (status.is_ok() && problem != 0) status = errno_status(problem, "close", path_);
    status_ = error(ErrorCode::kInternal, "'{}' is closed", path_);
    return status;
  }

 private:
  Status flush() {
    TG_RETURN_IF_ERROR(status_);
    TG_RETURN_IF_ERROR(write(buffer_));
    buffer_.clear();
    return Status::ok();
  }

  Status write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t written =
          retry([&] { return ::write(file_.number(), bytes.data(), bytes.size()); });
      if (written < 0) return fail(errno, "write");
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return Status::ok();
  }

  Status fail(int error_number, std::string_view what) {
    status_ = errno_status(error_number, what, path_);
    return status_;
  }

  Descriptor file_;
  const std::string path_;
  std::vector<std::byte> buffer_;
  bool name_is_durable_ = false;
  Status status_;
};

class LocalFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<RandomAccessFile>> open(const std::string& path) override {
    // Without O_NONBLOCK opening a pipe would wait for someone to write into it.
    Descriptor file(retry([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
    if (!file.is_open()) return errno_status(errno, "open", path);
    struct ::stat entry {};
    if (::fstat(file.number(), &entry) != 0) return errno_status(errno, "look at", path);
    if (!S_ISREG(entry.st_mode)) {
      return error(ErrorCode::kInvalidArgument, "cannot open '{}': {}", path,
                   S_ISDIR(entry.st_mode) ? "it is a folder" : "it is not a regular file");
    }
    return std::make_unique<LocalReader>(std::move(file), path);
  }

  Result<std::unique_ptr<WritableFile>> create(const std::string& path) override {
    const auto try_open = [&] {
      return retry(
          [&] { return ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666); });
    };
    int number = try_open();
    if (number < 0 && errno == ENOENT) {
      TG_RETURN_IF_ERROR(create_directories(parent_of(path)));
      number = try_open();
    }
    if (number < 0) return errno_status(errno, "create", path);
    return std::make_unique<LocalWriter>(Descriptor(number), path);
  }

  Result<FileInfo> stat(const std::string& path) override {
    struct ::stat entry {};
    if (::stat(path.c_str(), &entry) != 0) return errno_status(errno, "look at", path);
    FileInfo info = to_info(path, entry);
    info.is_link = ::lstat(path.c_str(), &entry) == 0 && S_ISLNK(entry.st_mode);
    return info;
  }

  Result<std::vector<FileInfo>> list(const std::string& path) override {
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), &::closedir);
    if (!folder) return errno_status(errno, "list", path);
    const std::string prefix = path.ends_with('/') ? path : path + "/";
    std::vector<FileInfo> infos;
    for (errno = 0; const dirent* entry = ::readdir(folder.get()); errno = 0) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      std::optional<FileInfo> info = entry_info(::dirfd(folder.get()), entry->d_name, prefix);
      if (info) infos.push_back(*std::move(info));
    }
    if (errno != 0) return errno_status(errno, "list", path);
    std::sort(infos.begin(), infos.end(),
              [](const FileInfo& a, const FileInfo& b) { return a.path < b.path; });
    return infos;
  }

  Status create_directories(const std::string& path) override {
    if (::mkdir(path.c_str(), 0777) == 0) return sync_folder(parent_of(path));
    if (errno == EEXIST) {
      struct ::stat entry {};
      const bool is_folder = ::stat(path.c_str(), &entry) == 0 && S_ISDIR(entry.st_mode);
      return is_folder ? Status::ok() : errno_status(EEXIST, "create folder", path);
    }
    const std::string parent = parent_of(path);
    if (errno != ENOENT || parent == path) return errno_status(errno, "create folder", path);
    TG_RETURN_IF_ERROR(create_directories(parent));
    if (::mkdir(path.c_str(), 0777) == 0 || errno == EEXIST) return sync_folder(parent);
    return errno_status(errno, "create folder", path);
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) {
      return errno_status(errno, "rename", fmt::format("{}' to '{}", from, to));
    }
    const std::string from_folder = parent_of(from);
    const std::string to_folder = parent_of(to);
    TG_RETURN_IF_ERROR(sync_folder(to_folder));
    return from_folder == to_folder ? Status::ok() : sync_folder(from_folder);
  }

  Result<bool> rename_new(const std::string& from, const std::string& to) override {
    // A second name and then one less: unlike renameat2 every file system that has links does it.
    if (::link(from.c_str(), to.c_str()) != 0) {
      if (errno == EEXIST) return false;
      return errno_status(errno, "rename", fmt::format("{}' to '{}", from, to));
    }
    TG_RETURN_IF_ERROR(sync_folder(parent_of(to)));
    TG_RETURN_IF_ERROR(remove(from));
    return true;
  }

  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) == 0 || errno == ENOENT || errno == ENOTDIR) return Status::ok();
    return errno_status(errno, "remove", path);
  }

  Status remove_all(const std::string& path) override {
    std::error_code problem;
    std::filesystem::remove_all(path, problem);
    return problem ? errno_status(problem.value(), "remove", path) : Status::ok();
  }

 private:
  // Nothing for what has vanished in the meantime and what is neither file nor folder.
  static std::optional<FileInfo> entry_info(int folder, const char* name,
                                            const std::string& prefix) {
    struct ::stat entry {};
    if (::fstatat(folder, name, &entry, AT_SYMLINK_NOFOLLOW) != 0) return {};
    const bool is_link = S_ISLNK(entry.st_mode);
    if (is_link && ::fstatat(folder, name, &entry, 0) != 0) return {};
    if (!S_ISREG(entry.st_mode) && !S_ISDIR(entry.st_mode)) return {};
    FileInfo info = to_info(prefix + name, entry);
    info.is_link = is_link;
    return info;
  }
};

}  // namespace

FileSystem& local_file_system() {
  static LocalFileSystem files;
  return files;
}

}  // namespace tidegate
