// SPDX-License-Identifier: Apache-2.0
#include "kafka/message_journal.h"

#include <arrow/util/compression.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "base/check.h"
#include "types/arrow_status.h"

namespace tidegate::kafka {

namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 18;
/// LZ4 cannot do better, so a block that says more of itself is damaged.
constexpr std::uint64_t kBestRatio = 256;

using CodecPtr = std::unique_ptr<arrow::util::Codec>;

Result<CodecPtr> make_codec() {
  TG_ASSIGN_ARROW_OR_RETURN(CodecPtr codec, arrow::util::Codec::Create(arrow::Compression::LZ4),
                            "compression of messages");
  return codec;
}

void append_bytes(std::string& out, std::string_view bytes) {
  append_varint(out, bytes.size());
  out += bytes;
}

void append_optional(std::string& out, const std::optional<std::string_view>& bytes) {
  append_varint(out, bytes ? bytes->size() + 1 : 0);
  if (bytes) out += *bytes;
}

void append_headers(std::string& out, const rd_kafka_headers_t* headers) {
  const std::size_t count = headers == nullptr ? 0 : rd_kafka_header_cnt(headers);
  append_varint(out, count);
  for (std::size_t i = 0; i < count; ++i) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    rd_kafka_header_get_all(headers, i, &name, &value, &size);
    append_bytes(out, name);
    std::optional<std::string_view> bytes;
    if (value != nullptr) bytes.emplace(static_cast<const char*>(value), size);
    append_optional(out, bytes);
  }
}

Status corrupt() { return error(ErrorCode::kStateCorrupt, "the messages of an epoch are damaged"); }

bool take_optional(std::string_view& text, std::optional<std::string_view>& bytes) {
  std::uint64_t size = 0;
  std::string_view taken;
  if (!take_varint(text, size)) return false;
  bytes.reset();
  if (size == 0) return true;
  if (!take_bytes(text, size - 1, taken)) return false;
  bytes = taken;
  return true;
}

bool take_headers(std::string_view& text, HeadersPtr& headers) {
  std::uint64_t count = 0;
  if (!take_varint(text, count) || count > text.size()) return false;
  headers.reset(count == 0 ? nullptr : rd_kafka_headers_new(count));
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t size = 0;
    std::string_view name;
    std::optional<std::string_view> value;
    if (!take_varint(text, size) || !take_bytes(text, size, name) || !take_optional(text, value))
      return false;
    rd_kafka_header_add(headers.get(), name.data(), static_cast<ssize_t>(name.size()),
                        value ? value->data() : nullptr,
                        static_cast<ssize_t>(value ? value->size() : 0));
  }
  return true;
}

bool take_message(std::string_view& text, Outgoing& message) {
  std::uint64_t partition = 0, time = 0;
  if (!take_varint(text, partition) || partition > INT32_MAX || !take_varint(text, time) ||
      !take_optional(text, message.key) || !take_optional(text, message.value) ||
      !take_headers(text, message.headers))
    return false;
  message.partition = static_cast<std::int32_t>(partition) - 2;
  message.timestamp_ms = static_cast<std::int64_t>(time);
  return true;
}

}  // namespace

void append_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

bool take_varint(std::string_view& text, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !text.empty(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(text.front());
    text.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool take_bytes(std::string_view& text, std::uint64_t size, std::string_view& bytes) {
  if (size > text.size()) return false;
  bytes = text.substr(0, size);
  text.remove_prefix(size);
  return true;
}

Status MessageJournal::add(const Outgoing& message) {
  append_varint(open_, static_cast<std::uint64_t>(message.partition + 2));
  append_varint(open_, static_cast<std::uint64_t>(message.timestamp_ms));
  append_optional(open_, message.key);
  append_optional(open_, message.value);
  append_headers(open_, message.headers.get());
  return open_.size() < kBlockBytes ? Status::ok() : close_block();
}

Status MessageJournal::close_block() {
  if (open_.empty()) return Status::ok();
  TG_ASSIGN_OR_RETURN(const CodecPtr codec, make_codec());
  const auto* raw = reinterpret_cast<const std::uint8_t*>(open_.data());
  const auto raw_size = static_cast<std::int64_t>(open_.size());
  std::string stored(static_cast<std::size_t>(codec->MaxCompressedLen(raw_size, raw)), '\0');
  TG_ASSIGN_ARROW_OR_RETURN(const std::int64_t size,
                            codec->Compress(raw_size, raw, static_cast<std::int64_t>(stored.size()),
                                            reinterpret_cast<std::uint8_t*>(stored.data())),
                            "compression of messages");
  append_varint(blocks_, open_.size());
  append_bytes(blocks_, std::string_view(stored).substr(0, static_cast<std::size_t>(size)));
  open_.clear();
  return Status::ok();
}

Result<std::string> MessageJournal::take() {
  TG_RETURN_IF_ERROR(close_block());
  return std::exchange(blocks_, {});
}

Status read_journal(std::string_view journal, const std::function<Status(Outgoing&)>& each) {
  TG_ASSIGN_OR_RETURN(const CodecPtr codec, make_codec());
  std::string block;
  while (!journal.empty()) {
    std::uint64_t raw_size = 0, size = 0;
    std::string_view stored;
    if (!take_varint(journal, raw_size) || !take_varint(journal, size) ||
        !take_bytes(journal, size, stored) || raw_size > size * kBestRatio)
      return corrupt();
    block.resize(raw_size);
    const auto written = codec->Decompress(
        static_cast<std::int64_t>(size), reinterpret_cast<const std::uint8_t*>(stored.data()),
        static_cast<std::int64_t>(raw_size), reinterpret_cast<std::uint8_t*>(block.data()));
    if (!written.ok() || *written != static_cast<std::int64_t>(raw_size)) return corrupt();
    for (std::string_view rest = block; !rest.empty();) {
      Outgoing message;
      if (!take_message(rest, message)) return corrupt();
      TG_RETURN_IF_ERROR(each(message));
    }
  }
  return Status::ok();
}

}  // namespace tidegate::kafka
