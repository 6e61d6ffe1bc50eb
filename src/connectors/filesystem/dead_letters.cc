// SPDX-License-Identifier: Apache-2.0
#include "connectors/filesystem/dead_letters.h"

#include <atomic>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "formats/base64.h"
#include "formats/json_writer.h"
#include "formats/utf8.h"

namespace tidegate {

namespace {

// Letters are written when there are so many, or when so much of the file has passed since the
// first: more would have to be read again after a failure.
constexpr std::size_t kMaxLetterBytes = std::size_t{4} << 20;
constexpr std::int64_t kMaxSpan = std::int64_t{64} << 20;

// FNV-1a: must be the same everywhere and for ever, since names are made of it.
std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3;
  return hash;
}

}  // namespace

struct DeadLetters::Writing {
  std::atomic<bool> done{false};
  Status status;  // once it is done
};

DeadLetters::DeadLetters(std::string folder, std::string file, FileSystem& files,
                         Executor& executor, Waker waker)
    : folder_(std::move(folder)),
      file_(std::move(file)),
      files_(files),
      executor_(executor),
      waker_(std::move(waker)) {}

DeadLetters::~DeadLetters() = default;

void DeadLetters::add(const RecordPosition& block, std::span<const KeptRecord> records) {
  if (!pending()) begin_ = block;
  for (const KeptRecord& record : records) {
    const bool text = is_valid_utf8(record.bytes);
    lines_ += "{\"file\":";
    append_json_string(file_, lines_);
    fmt::format_to(std::back_inserter(lines_),
                   ",\"line\":{},\"offset\":{},\"code\":\"TG{}\",\"label\":\"{}\",\"reason\":",
                   block.line + record.line + 1, record.offset,
                   static_cast<int>(record.reason.code()), error_info(record.reason.code()).label);
    append_json_string(record.reason.message(), lines_);
    lines_ += text ? ",\"encoding\":\"utf-8\",\"bytes\":" : ",\"encoding\":\"base64\",\"bytes\":\"";
    if (text) {
      append_json_string(record.bytes, lines_);
    } else {
      append_base64(record.bytes, lines_);
      lines_ += '"';
    }
    lines_ += "}\n";
  }
}

bool DeadLetters::is_due(std::int64_t offset) const {
  return pending() && (lines_.size() >= kMaxLetterBytes || offset - begin_.offset >= kMaxSpan);
}

Result<bool> DeadLetters::write() {
  if (!pending()) return true;
  if (writing_ == nullptr) {
    writing_ = std::make_shared<Writing>();
    const std::string_view name = std::string_view(file_).substr(file_.rfind('/') + 1);
    std::string path =
        fmt::format("{}/{}-{:016x}-{:016}.json", folder_, name, stable_hash(file_), begin_.offset);
    executor_.submit_blocking([writing = writing_, &files = files_, path = std::move(path),
                               lines = lines_, waker = waker_] {
      writing->status = write_file_atomically(files, path, lines);
      writing->done = true;
      waker.wake();
    });
  }
  if (!writing_->done) return false;
  Status status = std::move(writing_->status);
  writing_ = nullptr;
  if (!status.is_ok()) return status;
  lines_.clear();
  return true;
}

Status at_record(Status reason, std::string_view file, std::int64_t line, std::int64_t offset) {
  return std::move(reason).with_context(
      fmt::format("file '{}', line {} (byte {})", file, line, offset));
}

}  // namespace tidegate
