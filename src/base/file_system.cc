// SPDX-License-Identifier: Apache-2.0
#include "base/file_system.h"

#include <utility>

#include "base/check.h"
#include "base/failpoints.h"

namespace tidegate {
namespace {

// "folder/name" -> "folder/.name.tmp". Always the same name, so that what a crash leaves behind is
// overwritten by the next try instead of piling up.
std::string unfinished_name(const std::string& path) {
  const std::size_t name = path.rfind('/') + 1;  // npos + 1 is 0
  return fmt::format("{}.{}.tmp", path.substr(0, name), path.substr(name));
}

Status write_and_sync(FileSystem& files, const std::string& path, std::string_view content) {
  TG_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, files.create(path));
  TG_RETURN_IF_ERROR(file->append(content));
  TG_FAILPOINT("file.before-sync");
  if (TG_PROTECTED("fsync")) TG_RETURN_IF_ERROR(file->sync());
  return file->close();
}

Status publish(FileSystem& files, const std::string& unfinished, const std::string& path) {
  TG_FAILPOINT("file.before-rename");
  TG_RETURN_IF_ERROR(files.rename(unfinished, path));
  TG_FAILPOINT("file.after-rename");
  return Status::ok();
}

}  // namespace

Status write_file_atomically(FileSystem& files, const std::string& path, std::string_view content) {
  const std::string unfinished = unfinished_name(path);
  Status status = write_and_sync(files, unfinished, content);
  if (status.is_ok()) status = publish(files, unfinished, path);
  // The first error is the one to tell; what cannot be removed is hidden by its name.
  if (!status.is_ok()) static_cast<void>(files.remove(unfinished).is_ok());
  return status;
}

Result<bool> write_new_file(FileSystem& files, const std::string& path, std::string_view content) {
  const std::string unfinished = unfinished_name(path);
  const Status written = write_and_sync(files, unfinished, content);
  Result<bool> renamed = written.is_ok() ? files.rename_new(unfinished, path) : written;
  if (!renamed.is_ok() || !*renamed) static_cast<void>(files.remove(unfinished).is_ok());
  return renamed;
}

Result<std::string> read_file(FileSystem& files, const std::string& path,
                              std::int64_t limit_bytes) {
  TG_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> file, files.open(path));
  TG_ASSIGN_OR_RETURN(const std::int64_t size, file->size());
  if (size > limit_bytes) {
    return error(ErrorCode::kLimitExceeded, "'{}' has {} bytes, more than the limit of {}", path,
                 size, limit_bytes);
  }
  std::string content(static_cast<std::size_t>(size), '\0');
  TG_ASSIGN_OR_RETURN(const std::size_t got,
                      file->read_at(0, std::as_writable_bytes(std::span(content))));
  content.resize(got);
  return content;
}

}  // namespace tidegate
