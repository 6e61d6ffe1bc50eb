// SPDX-License-Identifier: Apache-2.0
#include "epoch/unprotected_blobs.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/failpoints.h"

namespace tidegate {
namespace {

class Relayed : public BlobStore {
 public:
  explicit Relayed(std::shared_ptr<BlobStore> blobs) : blobs_(std::move(blobs)) {}
  Status put(const std::string& name, std::string_view content) override {
    return blobs_->put(name, content);
  }
  Result<bool> put_if_absent(const std::string& name, std::string_view content) override {
    return blobs_->put_if_absent(name, content);
  }
  Result<std::string> get(const std::string& name, std::int64_t limit_bytes) override {
    return blobs_->get(name, limit_bytes);
  }
  Result<std::vector<BlobInfo>> list(const std::string& folder) override {
    return blobs_->list(folder);
  }
  Status remove(const std::string& name) override { return blobs_->remove(name); }
  Status clear() override { return blobs_->clear(); }
  bool is_fenced() const override { return blobs_->is_fenced(); }
  std::string place_of(const std::string& name) const override { return blobs_->place_of(name); }

 private:
  const std::shared_ptr<BlobStore> blobs_;
};

/// Data waits for the call behind that of the manifest.
class ManifestFirst final : public Relayed {
 public:
  using Relayed::Relayed;
  Status put(const std::string& name, std::string_view content) override {
    if (name.starts_with("data/")) {
      held_[name] = content;
      return Status::ok();
    }
    for (const auto& [held, bytes] : std::exchange(held_, {})) {
      TG_RETURN_IF_ERROR(Relayed::put(held, bytes));
    }
    return Relayed::put(name, content);
  }

 private:
  std::map<std::string, std::string> held_;  // of one commit at a time
};

class Unfenced final : public Relayed {
 public:
  using Relayed::Relayed;
  Result<bool> put_if_absent(const std::string& name, std::string_view content) override {
    TG_RETURN_IF_ERROR(put(name, content));
    return true;
  }
};

}  // namespace

std::shared_ptr<BlobStore> with_planted_bugs(std::shared_ptr<BlobStore> blobs) {
  if (!TG_PROTECTED("manifest-last")) blobs = std::make_shared<ManifestFirst>(std::move(blobs));
  if (!TG_PROTECTED("fencing")) blobs = std::make_shared<Unfenced>(std::move(blobs));
  return blobs;
}

}  // namespace tidegate
