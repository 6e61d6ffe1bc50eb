// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "base/blob_store.h"

namespace tidegate {

/// Blobs in memory, for tests: every request can be made to fail, to wait, or to get through and
/// fail all the same (as an answer that is lost does). Thread-safe.
class MemoryBlobStore final : public BlobStore {
 public:
  enum class Request { kPut, kPutIfAbsent, kGet, kList, kRemove };
  struct Outcome {
    Status status;         ///< what the caller is told
    bool is_done = false;  ///< with an error: the request was carried out nonetheless
    bool is_torn = false;  ///< of a put: only half of the content is there
  };
  /// Asked before every request, without a lock; may wait.
  using Fault = std::function<Outcome(Request request, const std::string& name)>;

  explicit MemoryBlobStore(bool is_fenced = true) : is_fenced_(is_fenced) {}

  Status put(const std::string& name, std::string_view content) override;
  Result<bool> put_if_absent(const std::string& name, std::string_view content) override;
  Result<std::string> get(const std::string& name, std::int64_t limit_bytes) override;
  Result<std::vector<BlobInfo>> list(const std::string& folder) override;
  Status remove(const std::string& name) override;
  Status clear() override;
  bool is_fenced() const override { return is_fenced_; }
  std::string place_of(const std::string& name) const override { return "memory:" + name; }

  void set_fault(Fault fault);
  /// All that is there, by name; to look at and to damage.
  std::map<std::string, std::string> contents() const;
  void set_contents(std::map<std::string, std::string> contents);
  /// Bytes put so far.
  std::int64_t bytes_put() const;

 private:
  Outcome ask(Request request, const std::string& name);
  void store(const std::string& name, std::string_view content, const Outcome& outcome);

  const bool is_fenced_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> blobs_;
  Fault fault_;
  std::int64_t bytes_put_ = 0;
};

}  // namespace tidegate
