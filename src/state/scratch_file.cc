// SPDX-License-Identifier: Apache-2.0
#include "state/scratch_file.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/random.h"

namespace tidegate {
namespace {

/// The file keeps nothing back of so much.
constexpr std::size_t kWriteBytes = std::size_t{64} << 10;

}  // namespace

class ScratchFile::Piece final : public StoredBytes {
 public:
  Piece(std::shared_ptr<const ScratchFile> file, std::int64_t begin, std::size_t size)
      : file_(std::move(file)), begin_(begin), size_(size) {}

  Result<std::string> read() const override {
    {
      const std::lock_guard lock(file_->mutex_);
      if (begin_ >= file_->written_) {
        return file_->tail_.substr(static_cast<std::size_t>(begin_ - file_->written_), size_);
      }
    }
    std::string bytes(size_, '\0');
    const std::span<std::byte> buffer = std::as_writable_bytes(std::span(bytes.data(), size_));
    TG_ASSIGN_OR_RETURN(const std::size_t got, file_->reader_->read_at(begin_, buffer));
    if (got == size_) return bytes;
    return error(ErrorCode::kFileIo, "a scratch file has {} of {} bytes at {}", got, size_, begin_);
  }

 private:
  std::shared_ptr<const ScratchFile> file_;
  std::int64_t begin_;
  std::size_t size_;
};

Result<std::shared_ptr<ScratchFile>> ScratchFile::create(const std::string& folder) {
  FileSystem& files = local_file_system();
  const std::string path = fmt::format("{}/spill-{:016x}", folder, entropy_seed());
  auto file = std::make_shared<ScratchFile>();
  TG_ASSIGN_OR_RETURN(file->writer_, files.create(path));
  TG_ASSIGN_OR_RETURN(file->reader_, files.open(path));
  TG_RETURN_IF_ERROR(files.remove(path));
  return file;
}

Result<std::shared_ptr<const StoredBytes>> ScratchFile::append(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  const std::int64_t begin = written_ + std::ssize(tail_);
  auto piece = std::make_shared<Piece>(shared_from_this(), begin, bytes.size());
  tail_ += bytes;
  if (tail_.size() >= kWriteBytes) {
    TG_RETURN_IF_ERROR(writer_->append(tail_));
    written_ += std::ssize(tail_);
    tail_.clear();
  }
  return std::shared_ptr<const StoredBytes>(std::move(piece));
}

}  // namespace tidegate
