// SPDX-License-Identifier: Apache-2.0
#include "state/scratch_file.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/random.h"

namespace tidegate {
class ScratchFile::Piece final : public StoredBytes {
 public:
  Piece(std::shared_ptr<const ScratchFile> file, std::int64_t begin, std::size_t size)
      : file_(std::move(file)), begin_(begin), size_(size) {}

  Result<std::string> read() const override {
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
  TG_RETURN_IF_ERROR(writer_->append(bytes));
  auto piece = std::make_shared<Piece>(shared_from_this(), size_, bytes.size());
  size_ += static_cast<std::int64_t>(bytes.size());
  return std::shared_ptr<const StoredBytes>(std::move(piece));
}

}  // namespace tidegate
