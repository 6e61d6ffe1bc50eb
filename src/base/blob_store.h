// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/options.h"
#include "tidegate/status.h"

namespace tidegate {

class FileSystem;  // base/file_system.h

struct BlobInfo {
  std::string name;
  std::int64_t size_bytes = 0;
  std::int64_t modified_ms = 0;  ///< since 1970, by the store's clock
};

/// Whole pieces of bytes under names ("a", "folder/b"), below one folder of a disk or an object
/// store. A blob is there whole or not at all, and durable once the call that puts it has returned.
/// Thread-safe. All calls block.
class BlobStore {
 public:
  virtual ~BlobStore() = default;

  /// Replaces what has the name.
  virtual Status put(const std::string& name, std::string_view content) = 0;
  /// False, with nothing changed, when the name is taken. Only where is_fenced() this holds against
  /// another process that puts the same name at the same time.
  virtual Result<bool> put_if_absent(const std::string& name, std::string_view content) = 0;
  /// kFileNotFound; kLimitExceeded when it is larger than `limit_bytes`.
  virtual Result<std::string> get(const std::string& name, std::int64_t limit_bytes) = 0;
  /// All blobs whose name begins with the folder `folder` ("": all), sorted by name. Unfinished
  /// ones are not among them.
  virtual Result<std::vector<BlobInfo>> list(const std::string& folder) = 0;
  /// Ok when there is none.
  virtual Status remove(const std::string& name) = 0;
  /// Removes all that is below.
  virtual Status clear() = 0;

  /// Whether put_if_absent() is one step for everybody. An unfenced store cannot keep two processes
  /// apart that work on the same folder.
  virtual bool is_fenced() const = 0;
  /// Where a blob is, for messages: without passwords. "": the folder itself.
  virtual std::string place_of(const std::string& name) const = 0;
};

/// Opens the folder that a URI names: "dir", "/dir" or "file:///dir" on this machine, or
/// "s3://bucket/dir" (s3a, too), "gs://bucket/dir", "hdfs://host:port/dir". Nothing is asked of a
/// remote store yet but what connecting needs; its calls are tried again for a while when the
/// store cannot be reached. Options, as Flink spells them:
///
///   s3.access-key  s3.secret-key  s3.session-token      default: the AWS environment and profile
///   s3.endpoint          "http://host:port", for stores that are not Amazon's
///   s3.path.style.access false: the bucket is part of the host's name also with s3.endpoint
///   s3.endpoint.region   gs.endpoint
///
/// The URI's own query (endpoint_override, scheme, region) works as Arrow documents it.
/// kNotSupported for another scheme.
Result<std::unique_ptr<BlobStore>> open_blob_store(const std::string& uri,
                                                   const Options& options = {});

/// Blobs as files below `folder`; fsync of file and folder. Must not outlive `files`.
std::unique_ptr<BlobStore> make_local_blob_store(FileSystem& files, std::string folder);

/// How often and after which waiting a call is tried again that failed as "unavailable".
struct BlobRetries {
  int attempts = 8;
  std::chrono::milliseconds first_wait{100};
  std::chrono::milliseconds longest_wait{5'000};
  /// Empty: sleeps.
  std::function<void(std::chrono::milliseconds)> wait;
};
std::unique_ptr<BlobStore> make_retrying_blob_store(std::shared_ptr<BlobStore> blobs,
                                                    BlobRetries retries);

/// At the end of a program, when no store is in use any more: gives back what the libraries behind
/// remote ones hold. None can be opened afterwards. Without it that happens at exit().
void close_remote_stores();

/// The path, if the URI names a folder of this machine.
std::optional<std::string> local_path_of(const std::string& uri);
/// The URI of a folder in the one that `uri` names.
std::string folder_in(const std::string& uri, std::string_view folder);
/// The URI without user and password and without its query, for messages.
std::string shown_uri(const std::string& uri);

}  // namespace tidegate
