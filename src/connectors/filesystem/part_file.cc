// SPDX-License-Identifier: Apache-2.0
#include "connectors/filesystem/part_file.h"

#include <span>
#include <utility>

#include "base/check.h"
#include "base/failpoints.h"

namespace tidegate {

/// Counts what an encoder writes.
class PartFile::Counted final : public WritableFile {
 public:
  Counted(std::unique_ptr<WritableFile> file, std::atomic<std::int64_t>& num_bytes)
      : file_(std::move(file)), num_bytes_(num_bytes) {}
  Status append(std::span<const std::byte> bytes) override {
    TG_RETURN_IF_ERROR(file_->append(bytes));
    num_bytes_.fetch_add(static_cast<std::int64_t>(bytes.size()), std::memory_order_relaxed);
    return Status::ok();
  }
  Status sync() override { return file_->sync(); }
  Status close() override { return file_->close(); }

 private:
  std::unique_ptr<WritableFile> file_;
  std::atomic<std::int64_t>& num_bytes_;
};

PartFile::~PartFile() = default;

Status PartFile::create(const MakeEncoder& make_encoder) {
  TG_FAILPOINT("file-sink.create");
  TG_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, files_.create(path_));
  file = std::make_unique<Counted>(std::move(file), num_bytes_);
  if (!make_encoder) {
    file_ = std::move(file);
    return Status::ok();
  }
  TG_ASSIGN_OR_RETURN(encoder_, make_encoder(std::move(file)));
  return Status::ok();
}

Status PartFile::append(const std::string& bytes) {
  return file_->append(std::as_bytes(std::span(bytes)));
}

Status PartFile::write(const Batch& batch) { return encoder_->write(batch); }

Status PartFile::finish() {
  TG_FAILPOINT("file-sink.before-sync");
  if (encoder_ != nullptr) {
    TG_RETURN_IF_ERROR(encoder_->close());
    encoder_ = nullptr;
    return Status::ok();
  }
  if (TG_PROTECTED("fsync")) TG_RETURN_IF_ERROR(file_->sync());
  TG_RETURN_IF_ERROR(file_->close());
  file_ = nullptr;
  return Status::ok();
}

Status PartFile::discard() {
  file_ = nullptr;
  encoder_ = nullptr;
  return files_.remove(path_);
}

}  // namespace tidegate
