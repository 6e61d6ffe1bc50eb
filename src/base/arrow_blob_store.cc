// SPDX-License-Identifier: Apache-2.0
#include "base/arrow_blob_store.h"

#include <arrow/buffer.h>
#include <arrow/filesystem/filesystem.h>
#include <arrow/filesystem/gcsfs.h>
#include <arrow/filesystem/hdfs.h>
#include <arrow/filesystem/s3fs.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <arrow/util/io_util.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "base/check.h"

namespace tidegate {
namespace {

bool has_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(
      words, [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

// Arrow tells what went wrong mostly by words.
ErrorCode code_of(const arrow::Status& status) {
  const std::string& message = status.message();
  if (status.IsNotImplemented()) return ErrorCode::kNotSupported;
  if (status.IsInvalid() || status.IsTypeError()) return ErrorCode::kInvalidArgument;
  if (status.IsOutOfMemory()) return ErrorCode::kOutOfMemory;
  if (arrow::internal::ErrnoFromStatus(status) == ENOENT ||
      has_any(message, {"NO_SUCH_BUCKET", "NO_SUCH_KEY", "RESOURCE_NOT_FOUND", "NoSuchBucket",
                        "HTTP status 404", "Path does not exist", "NOT_FOUND"})) {
    return ErrorCode::kFileNotFound;
  }
  if (has_any(message, {"ACCESS_DENIED", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH",
                        "HTTP status 401", "HTTP status 403", "PERMISSION_DENIED",
                        "UNAUTHENTICATED", "Unable to load"})) {
    return ErrorCode::kServiceRefused;
  }
  if (has_any(message, {"REQUEST_TIMEOUT", "Timeout was reached", "timed out"})) {
    return ErrorCode::kServiceTimeout;
  }
  return ErrorCode::kServiceUnreachable;
}

Status to_status(const arrow::Status& status, std::string_view what, const std::string& place) {
  if (status.ok()) return Status::ok();
  return error(code_of(status), "cannot {} '{}': {}", what, place, status.message());
}

#define TG_ARROW_OK(expression, what, place)                         \
  if (const arrow::Status tg_arrow = (expression); !tg_arrow.ok()) { \
    return to_status(tg_arrow, what, place);                         \
  }

class ArrowBlobStore final : public BlobStore {
 public:
  /// `is_visible_early`: others see a file while it is being written, and folders must be made.
  ArrowBlobStore(std::shared_ptr<arrow::fs::FileSystem> files, std::string folder,
                 std::string shown, bool is_visible_early)
      : files_(std::move(files)),
        folder_(std::move(folder)),
        shown_(std::move(shown)),
        is_visible_early_(is_visible_early) {}

  Status put(const std::string& name, std::string_view content) override {
    const std::string path = path_of(name);
    if (!is_visible_early_) return write(path, content, name);
    const std::size_t slash = path.rfind('/');
    const std::string unfinished =
        fmt::format("{}/.{}.tmp", path.substr(0, slash), path.substr(slash + 1));
    TG_ARROW_OK(files_->CreateDir(path.substr(0, slash), true), "make the folder of",
                place_of(name));
    TG_RETURN_IF_ERROR(write(unfinished, content, name));
    TG_RETURN_IF_ERROR(remove(name));
    return to_status(files_->Move(unfinished, path), "put", place_of(name));
  }

  Result<bool> put_if_absent(const std::string& name, std::string_view content) override {
    const auto info = files_->GetFileInfo(path_of(name));
    TG_ARROW_OK(info.status(), "look at", place_of(name));
    if (info->type() != arrow::fs::FileType::NotFound) return false;
    TG_RETURN_IF_ERROR(put(name, content));
    return true;
  }

  Result<std::string> get(const std::string& name, std::int64_t limit_bytes) override {
    const std::string place = place_of(name);
    const auto file = files_->OpenInputFile(path_of(name));
    TG_ARROW_OK(file.status(), "get", place);
    const auto size = (*file)->GetSize();
    TG_ARROW_OK(size.status(), "get", place);
    if (*size > limit_bytes) {
      return error(ErrorCode::kLimitExceeded, "'{}' has {} bytes, more than the limit of {}", place,
                   *size, limit_bytes);
    }
    std::string content(static_cast<std::size_t>(*size), '\0');
    const auto got = (*file)->ReadAt(0, *size, content.data());
    TG_ARROW_OK(got.status(), "get", place);
    if (*got != *size) {
      return error(ErrorCode::kServiceUnreachable, "'{}' broke off after {} of {} bytes", place,
                   *got, *size);
    }
    return content;
  }

  Result<std::vector<BlobInfo>> list(const std::string& folder) override {
    arrow::fs::FileSelector selector;
    selector.base_dir = path_of(folder);
    selector.recursive = true;
    selector.allow_not_found = true;
    const auto infos = files_->GetFileInfo(selector);
    TG_ARROW_OK(infos.status(), "list", place_of(folder));
    std::vector<BlobInfo> found;
    for (const arrow::fs::FileInfo& info : *infos) {
      if (!info.IsFile() || info.base_name().starts_with('.')) continue;
      const auto modified =
          std::chrono::duration_cast<std::chrono::milliseconds>(info.mtime().time_since_epoch());
      found.push_back({name_of(info.path()), info.size(), modified.count()});
    }
    std::ranges::sort(found, {}, &BlobInfo::name);
    return found;
  }

  Status remove(const std::string& name) override {
    const arrow::Status removed = files_->DeleteFile(path_of(name));
    if (!removed.ok() && code_of(removed) == ErrorCode::kFileNotFound) return Status::ok();
    return to_status(removed, "remove", place_of(name));
  }

  Status clear() override {
    const arrow::Status removed = files_->DeleteDirContents(folder_, true);
    if (!removed.ok() && code_of(removed) == ErrorCode::kFileNotFound) return Status::ok();
    return to_status(removed, "clear", place_of(""));
  }

  bool is_fenced() const override { return false; }
  std::string place_of(const std::string& name) const override {
    return name.empty() ? shown_ : shown_ + "/" + name;
  }

 private:
  std::string path_of(const std::string& name) const {
    return name.empty() ? folder_ : folder_ + "/" + name;
  }
  // Listings of some stores begin with their own root, so what counts is where the folder ends.
  std::string name_of(const std::string& path) const {
    const std::size_t at = path.find(folder_);
    return path.substr((at == std::string::npos ? 0 : at + folder_.size()) + 1);
  }

  Status write(const std::string& path, std::string_view content, const std::string& name) {
    const std::string place = place_of(name);
    const auto file = files_->OpenOutputStream(path);
    TG_ARROW_OK(file.status(), "put", place);
    arrow::Status written =
        (*file)->Write(content.data(), static_cast<std::int64_t>(content.size()));
    if (!written.ok()) {
      (void)(*file)->Abort();
      return to_status(written, "put", place);
    }
    return to_status((*file)->Close(), "put", place);
  }

  const std::shared_ptr<arrow::fs::FileSystem> files_;
  const std::string folder_;
  const std::string shown_;
  const bool is_visible_early_;
};

Status start_s3() {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  if (arrow::fs::IsS3Initialized()) return Status::ok();
  arrow::fs::S3GlobalOptions options = arrow::fs::S3GlobalOptions::Defaults();
  options.log_level = arrow::fs::S3LogLevel::Off;  // its errors come back as statuses
  return to_status(arrow::fs::InitializeS3(options), "set up", "s3://");
}

/// For programs that do not call close_remote_stores(). Static objects that are younger than this
/// call are gone by then, so it comes when the library has made its own.
void close_at_exit() {
  static std::once_flag once;
  std::call_once(once, [] { std::atexit(close_remote_stores); });
}

/// The value under one of several spellings, or "".
std::string option(const Options& options, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (options.has(name)) return options.get_string_or(name, "");
  }
  return {};
}

void set_endpoint(std::string endpoint, std::string& address, std::string& scheme) {
  if (endpoint.empty()) return;
  if (const std::size_t end = endpoint.find("://"); end != std::string::npos) {
    scheme = endpoint.substr(0, end);
    endpoint.erase(0, end + 3);
  }
  while (endpoint.ends_with('/')) endpoint.pop_back();
  address = endpoint;
}

struct Opened {
  std::shared_ptr<arrow::fs::FileSystem> files;
  std::string path;
};

/// Adds to the query of a URI what it does not say itself.
void add_to_query(std::string& uri, std::string_view name, const std::string& value) {
  if (value.empty() || uri.find(fmt::format("{}=", name)) != std::string::npos) return;
  uri += fmt::format("{}{}={}", uri.find('?') == std::string::npos ? '?' : '&', name, value);
}

struct S3Keys {
  std::string access;
  std::string secret;
};

Result<S3Keys> s3_keys(const Options& options) {
  S3Keys keys{option(options, {"s3.access-key", "s3.access.key"}),
              option(options, {"s3.secret-key", "s3.secret.key"})};
  if (keys.access.empty() != keys.secret.empty()) {
    return error(ErrorCode::kMissingOption,
                 "'{}' is missing: s3.access-key and s3.secret-key go together",
                 keys.access.empty() ? "s3.access-key" : "s3.secret-key");
  }
  return keys;
}

Result<Opened> open_s3(std::string uri, const Options& options) {
  const std::string shown = shown_uri(uri);
  TG_ASSIGN_OR_RETURN(const S3Keys keys, s3_keys(options));
  TG_RETURN_IF_ERROR(start_s3());
  uri = "s3" + uri.substr(uri.find("://"));  // s3a, s3p: Flink's names for its plugins
  std::string endpoint;
  std::string scheme;
  set_endpoint(option(options, {"s3.endpoint"}), endpoint, scheme);
  add_to_query(uri, "endpoint_override", endpoint);
  add_to_query(uri, "scheme", scheme);
  add_to_query(uri, "region", option(options, {"s3.endpoint.region", "s3.region"}));
  // A store of one's own has no regions; without one Amazon would be asked for the bucket's.
  if (uri.find("endpoint_override=") != std::string::npos) add_to_query(uri, "region", "us-east-1");
  Opened opened;
  auto s3 = arrow::fs::S3Options::FromUri(uri, &opened.path);
  if (!s3.ok()) {
    // The message of another error may quote the URI, which may hold a password.
    if (!s3.status().IsIOError()) {
      return error(ErrorCode::kInvalidArgument, "'{}' is not a valid S3 URI", shown);
    }
    return to_status(s3.status(), "open", shown);
  }
  if (!keys.access.empty()) {
    s3->ConfigureAccessKey(keys.access, keys.secret, option(options, {"s3.session-token"}));
  }
  for (const std::string_view name : {"s3.path.style.access", "s3.path-style-access"}) {
    TG_ASSIGN_OR_RETURN(const bool is_path_style, options.get_bool_or(name, true));
    if (!is_path_style) s3->force_virtual_addressing = true;
  }
  s3->allow_delayed_open = true;  // small blobs are one request
  s3->connect_timeout = 5;
  s3->request_timeout = 30;
  s3->retry_strategy = arrow::fs::S3RetryStrategy::GetAwsStandardRetryStrategy(3);
  auto files = arrow::fs::S3FileSystem::Make(*s3);
  close_at_exit();
  TG_ARROW_OK(files.status(), "open", shown);
  opened.files = *files;
  return opened;
}

Result<Opened> open_gcs(const std::string& uri, const Options& options) {
  const std::string shown = shown_uri(uri);
  Opened opened;
  auto gcs = arrow::fs::GcsOptions::FromUri(uri, &opened.path);
  if (!gcs.ok()) return error(ErrorCode::kInvalidArgument, "'{}' is not a valid GCS URI", shown);
  set_endpoint(option(options, {"gs.endpoint", "gs.storage.root.url"}), gcs->endpoint_override,
               gcs->scheme);
  if (!gcs->retry_limit_seconds) gcs->retry_limit_seconds = 10;
  auto files = arrow::fs::GcsFileSystem::Make(*gcs);
  TG_ARROW_OK(files.status(), "open", shown);
  opened.files = *files;
  return opened;
}

Result<Opened> open_hdfs(const std::string& uri) {
  const std::string shown = shown_uri(uri);
  auto hdfs = arrow::fs::HdfsOptions::FromUri(uri);
  if (!hdfs.ok()) return error(ErrorCode::kInvalidArgument, "'{}' is not a valid HDFS URI", shown);
  auto files = arrow::fs::HadoopFileSystem::Make(*hdfs);
  if (!files.ok()) {
    return Status(code_of(files.status()),
                  fmt::format("cannot open '{}': {}", shown, files.status().message()),
                  "HDFS needs Java and Hadoop's native library: set JAVA_HOME, HADOOP_HOME and "
                  "CLASSPATH (`hadoop classpath --glob`).");
  }
  const std::size_t path = uri.find('/', uri.find("://") + 3);
  Opened opened{*files, path == std::string::npos ? "/" : uri.substr(path, uri.find('?') - path)};
  return opened;
}

}  // namespace

void close_remote_stores() {
  if (arrow::fs::IsS3Initialized()) (void)arrow::fs::EnsureS3Finalized();
}

Result<std::unique_ptr<BlobStore>> open_arrow_blob_store(const std::string& uri,
                                                         const Options& options) {
  const std::string scheme = uri.substr(0, uri.find("://"));
  const bool is_hdfs = scheme == "hdfs" || scheme == "viewfs";
  Result<Opened> opened = error(
      ErrorCode::kNotSupported,
      "'{}://' is not supported for checkpoints and savepoints; file, s3, gs and hdfs are", scheme);
  if (scheme == "s3" || scheme == "s3a" || scheme == "s3p") opened = open_s3(uri, options);
  if (scheme == "gs" || scheme == "gcs") opened = open_gcs(uri, options);
  if (is_hdfs) opened = open_hdfs(uri);
  if (!opened.is_ok()) return std::move(opened).status();
  std::string folder = opened->path;
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  std::string shown = shown_uri(uri);
  while (shown.ends_with('/')) shown.pop_back();
  return std::make_unique<ArrowBlobStore>(std::move(opened->files), std::move(folder),
                                          std::move(shown), is_hdfs);
}

}  // namespace tidegate
