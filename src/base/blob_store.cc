// SPDX-License-Identifier: Apache-2.0
#include "base/blob_store.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/arrow_blob_store.h"
#include "base/check.h"
#include "base/failpoints.h"
#include "base/file_system.h"
#include "base/log.h"

namespace tidegate {
namespace {

class LocalBlobStore final : public BlobStore {
 public:
  LocalBlobStore(FileSystem& files, std::string folder)
      : files_(files), folder_(std::move(folder)) {}

  Status put(const std::string& name, std::string_view content) override {
    return write_file_atomically(files_, place_of(name), content);
  }
  Result<bool> put_if_absent(const std::string& name, std::string_view content) override {
    return write_new_file(files_, place_of(name), content);
  }
  Result<std::string> get(const std::string& name, std::int64_t limit_bytes) override {
    return read_file(files_, place_of(name), limit_bytes);
  }
  Result<std::vector<BlobInfo>> list(const std::string& folder) override {
    std::vector<BlobInfo> found;
    TG_RETURN_IF_ERROR(list_below(place_of(folder), found));
    std::ranges::sort(found, {}, &BlobInfo::name);
    return found;
  }
  Status remove(const std::string& name) override {
    TG_FAILPOINT("blob.remove");
    return files_.remove(place_of(name));
  }
  Status clear() override { return files_.remove_all(folder_); }
  bool is_fenced() const override { return true; }
  std::string place_of(const std::string& name) const override {
    return name.empty() ? folder_ : folder_ + "/" + name;
  }

 private:
  Status list_below(const std::string& path, std::vector<BlobInfo>& found) {
    auto files = files_.list(path);
    if (!files.is_ok()) {
      if (files.status().code() == ErrorCode::kFileNotFound) return Status::ok();
      return std::move(files).status();
    }
    for (const FileInfo& file : *files) {
      const std::string name = file.path.substr(folder_.size() + 1);
      if (name[name.rfind('/') + 1] == '.') continue;  // unfinished, or a lock
      if (file.is_directory) {
        TG_RETURN_IF_ERROR(list_below(file.path, found));
      } else {
        found.push_back({name, file.size_bytes, file.modified_ms});
      }
    }
    return Status::ok();
  }

  FileSystem& files_;
  const std::string folder_;
};

class RetryingBlobStore final : public BlobStore {
 public:
  RetryingBlobStore(std::shared_ptr<BlobStore> blobs, BlobRetries retries)
      : blobs_(std::move(blobs)), retries_(std::move(retries)) {
    if (!retries_.wait) retries_.wait = [](auto time) { std::this_thread::sleep_for(time); };
  }

  Status put(const std::string& name, std::string_view content) override {
    return retry("put", name, [&] { return blobs_->put(name, content); });
  }
  Result<bool> put_if_absent(const std::string& name, std::string_view content) override {
    bool is_again = false;
    return retry("put", name, [&]() -> Result<bool> {
      Result<bool> put = blobs_->put_if_absent(name, content);
      // The try before may have got through although its answer did not.
      if (put.is_ok() && !*put && is_again) {
        TG_ASSIGN_OR_RETURN(const std::string there, blobs_->get(name, kNoLimit));
        return there == content;
      }
      is_again = true;
      return put;
    });
  }
  Result<std::string> get(const std::string& name, std::int64_t limit_bytes) override {
    return retry("get", name, [&] { return blobs_->get(name, limit_bytes); });
  }
  Result<std::vector<BlobInfo>> list(const std::string& folder) override {
    return retry("list", folder, [&] { return blobs_->list(folder); });
  }
  Status remove(const std::string& name) override {
    return retry("remove", name, [&] { return blobs_->remove(name); });
  }
  Status clear() override {
    return retry("clear", "", [&] { return blobs_->clear(); });
  }
  bool is_fenced() const override { return blobs_->is_fenced(); }
  std::string place_of(const std::string& name) const override { return blobs_->place_of(name); }

 private:
  static constexpr std::int64_t kNoLimit = std::int64_t{1} << 62;

  static Status status_of(const Status& status) { return status; }
  template <typename T>
  static Status status_of(const Result<T>& result) {
    return result.status();
  }

  template <typename Call>
  auto retry(std::string_view what, const std::string& name, Call call) -> decltype(call()) {
    auto wait = retries_.first_wait;
    for (int attempt = 1;; ++attempt, wait = std::min(wait * 2, retries_.longest_wait)) {
      auto outcome = call();
      const Status status = status_of(outcome);
      if (status.is_ok() || status.kind() != ErrorKind::kUnavailable) return outcome;
      if (attempt >= retries_.attempts) {
        return Status(status.code(), fmt::format("tried {} times: {}", attempt, status.message()),
                      std::string(status.remedy()));
      }
      log_warning("blobs.try-again", {{"call", what},
                                      {"blob", place_of(name)},
                                      {"attempt", attempt},
                                      {"error", status.message()}});
      retries_.wait(wait);
    }
  }

  const std::shared_ptr<BlobStore> blobs_;
  BlobRetries retries_;
};

std::string_view scheme_of(std::string_view uri) {
  const std::size_t end = uri.find("://");
  return end == std::string_view::npos ? "" : uri.substr(0, end);
}

}  // namespace

std::unique_ptr<BlobStore> make_local_blob_store(FileSystem& files, std::string folder) {
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  return std::make_unique<LocalBlobStore>(files, std::move(folder));
}

std::unique_ptr<BlobStore> make_retrying_blob_store(std::shared_ptr<BlobStore> blobs,
                                                    BlobRetries retries) {
  return std::make_unique<RetryingBlobStore>(std::move(blobs), std::move(retries));
}

Result<std::unique_ptr<BlobStore>> open_blob_store(const std::string& uri, const Options& options) {
  if (const auto path = local_path_of(uri)) {
    if (path->empty()) {
      return error(ErrorCode::kInvalidArgument, "'{}' names no folder", shown_uri(uri));
    }
    return make_local_blob_store(local_file_system(), *path);
  }
  auto store = open_arrow_blob_store(uri, options);
  if (!store.is_ok()) return store;
  return make_retrying_blob_store(*std::move(store), {});
}

std::optional<std::string> local_path_of(const std::string& uri) {
  const std::string_view scheme = scheme_of(uri);
  if (scheme == "file") return uri.substr(7);
  if (uri.starts_with("file:/")) return uri.substr(5);
  return scheme.empty() ? std::optional(uri) : std::nullopt;
}

std::string folder_in(const std::string& uri, std::string_view folder) {
  const std::size_t query = local_path_of(uri) ? std::string::npos : uri.find('?');
  std::string path = uri.substr(0, query);
  if (!path.ends_with('/')) path += '/';
  path += folder;
  return query == std::string::npos ? path : path + uri.substr(query);
}

std::string shown_uri(const std::string& uri) {
  const std::string_view scheme = scheme_of(uri);
  if (scheme.empty() || scheme == "file") return uri;
  const std::string rest = uri.substr(scheme.size() + 3, uri.find('?') - scheme.size() - 3);
  // A secret key may hold a slash, so what counts is the last @.
  const std::size_t user = rest.rfind('@');
  return fmt::format("{}://{}", scheme, user == std::string::npos ? rest : rest.substr(user + 1));
}

}  // namespace tidegate
