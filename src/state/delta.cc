// SPDX-License-Identifier: Apache-2.0
#include "state/delta.h"

#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/crc32c.h"
#include "state/binary_codec.h"
#include "state/state_backend.h"

namespace tidegate {
namespace {

constexpr std::string_view kMagic = "TGSD";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kBlockBytes = std::size_t{64} << 10;
constexpr std::size_t kBlockHeaderBytes = 12;

constexpr std::uint8_t kDrop = 1;
constexpr std::uint8_t kNamespace = 2;
constexpr std::uint8_t kPut = 3;
constexpr std::uint8_t kErase = 4;

}  // namespace

Result<std::string_view> StateDelta::view(std::string& buffer) const {
  if (stored == nullptr) return std::string_view(bytes);
  TG_ASSIGN_OR_RETURN(buffer, stored->read());
  return std::string_view(buffer);
}

bool StateDelta::may_concern(KeyGroupRange range) const {
  const auto own = stored == nullptr ? std::nullopt : stored->key_groups();
  return !own || own->total != range.total || (own->begin < range.end && range.begin < own->end);
}

DeltaWriter::DeltaWriter(std::string_view fingerprint, KeyGroupRange key_groups)
    : fingerprint_(fingerprint), key_groups_(key_groups) {
  begin();
}

void DeltaWriter::begin() {
  bytes_ = kMagic;
  write_fixed(bytes_, kVersion);
  write_fixed(bytes_, static_cast<std::uint32_t>(key_groups_.begin));
  write_fixed(bytes_, static_cast<std::uint32_t>(key_groups_.end));
  write_fixed(bytes_, static_cast<std::uint32_t>(key_groups_.total));
  write_fixed(bytes_, static_cast<std::uint32_t>(fingerprint_.size()));
  bytes_ += fingerprint_;
  write_fixed(bytes_, crc32c(bytes_));
}

void DeltaWriter::split_at(std::size_t bytes, std::function<void(std::string)> give_away) {
  split_at_ = bytes;
  give_away_ = std::move(give_away);
}

void DeltaWriter::begin_record(std::uint8_t kind) {
  if (block_begin_ == 0) {
    block_begin_ = bytes_.size();
    bytes_.append(kBlockHeaderBytes, '\0');
  }
  bytes_.push_back(static_cast<char>(kind));
}

void DeltaWriter::end_block() {
  const std::string_view content =
      std::string_view(bytes_).substr(block_begin_ + kBlockHeaderBytes);
  const std::uint64_t length = content.size();
  const std::uint32_t checksum = crc32c(content);
  std::memcpy(bytes_.data() + block_begin_, &length, sizeof(length));
  std::memcpy(bytes_.data() + block_begin_ + sizeof(length), &checksum, sizeof(checksum));
  block_begin_ = 0;
}

void DeltaWriter::drop(std::int64_t name_space) {
  begin_record(kDrop);
  write_fixed(bytes_, name_space);
  ++records_;
}

void DeltaWriter::begin_row(std::uint8_t kind, std::int64_t name_space, std::uint64_t hash,
                            std::string_view key) {
  if (bytes_.size() >= split_at_) {
    give_away_(finish());
    records_ = 0;
    name_space_.reset();
    begin();
  }
  if (block_begin_ != 0 && bytes_.size() - block_begin_ >= kBlockBytes) end_block();
  if (name_space_ != name_space) {
    begin_record(kNamespace);
    write_fixed(bytes_, name_space);
    name_space_ = name_space;
  }
  begin_record(kind);
  write_fixed(bytes_, hash);
  write_bytes(bytes_, key);
  ++records_;
}

void DeltaWriter::put(std::int64_t name_space, std::uint64_t hash, std::string_view key,
                      std::string_view value) {
  begin_row(kPut, name_space, hash, key);
  write_bytes(bytes_, value);
}

void DeltaWriter::erase(std::int64_t name_space, std::uint64_t hash, std::string_view key) {
  begin_row(kErase, name_space, hash, key);
}

std::string DeltaWriter::finish() {
  if (block_begin_ != 0) end_block();
  write_fixed(bytes_, std::uint64_t{0});
  write_fixed(bytes_, records_);
  write_fixed(bytes_, crc32c(std::string_view(bytes_).substr(bytes_.size() - sizeof(records_))));
  return std::move(bytes_);
}

Result<DeltaReader> DeltaReader::open(std::string_view bytes) {
  DeltaReader reader;
  std::string_view in = bytes;
  std::uint8_t version = 0;
  if (!in.starts_with(kMagic)) return reader.corrupt("it does not start with TGSD");
  in.remove_prefix(kMagic.size());
  if (!read_fixed(in, version)) return reader.corrupt("its header ends too early");
  if (version != kVersion) {
    return error(ErrorCode::kStateVersion, "a state delta has version {}, this program reads {}",
                 version, kVersion);
  }
  if (!reader.read_header(in)) return reader.corrupt("its header ends too early");
  const std::string_view header = bytes.substr(0, bytes.size() - in.size());
  std::uint32_t checksum = 0;
  if (!read_fixed(in, checksum)) return reader.corrupt("its header ends too early");
  if (!has_crc32c(header, checksum))
    return reader.corrupt("the checksum of its header does not fit");
  reader.rest_ = in;
  return reader;
}

bool DeltaReader::read_header(std::string_view& in) {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint32_t total = 0;
  std::uint32_t length = 0;
  if (!read_fixed(in, begin) || !read_fixed(in, end) || !read_fixed(in, total) ||
      !read_fixed(in, length) || in.size() < length) {
    return false;
  }
  key_groups_ = {static_cast<int>(begin), static_cast<int>(end), static_cast<int>(total)};
  fingerprint_ = in.substr(0, length);
  in.remove_prefix(length);
  return true;
}

Status DeltaReader::corrupt(std::string_view what) const {
  return error(ErrorCode::kStateCorrupt, "a state delta is damaged near record {}: {}", records_,
               what);
}

Status DeltaReader::open_block() {
  std::uint64_t length = 0;
  std::uint32_t checksum = 0;
  if (!read_fixed(rest_, length)) return corrupt("it ends too early");
  if (length == 0) return read_end();
  if (!read_fixed(rest_, checksum) || rest_.size() < length) return corrupt("it ends too early");
  block_ = rest_.substr(0, length);
  rest_.remove_prefix(length);
  if (!has_crc32c(block_, checksum)) return corrupt("the checksum of a block does not fit");
  return Status::ok();
}

Status DeltaReader::read_end() {
  const std::string_view number = rest_.substr(0, sizeof(std::uint64_t));
  std::uint64_t records = 0;
  std::uint32_t checksum = 0;
  if (!read_fixed(rest_, records) || !read_fixed(rest_, checksum) || !rest_.empty()) {
    return corrupt("its end is not where it should be");
  }
  if (!has_crc32c(number, checksum)) return corrupt("the checksum of its end does not fit");
  if (records != records_) return corrupt("it has another number of records than it says");
  ended_ = true;
  return Status::ok();
}

bool DeltaReader::read_record(std::uint8_t kind, DeltaRecord& record) {
  record.kind = static_cast<DeltaRecord::Kind>(kind);
  record.name_space = name_space_;
  switch (kind) {
    case kDrop:
      return read_fixed(block_, record.name_space);
    case kPut:
      return read_fixed(block_, record.hash) && read_bytes(block_, record.key) &&
             read_bytes(block_, record.value);
    case kErase:
      return read_fixed(block_, record.hash) && read_bytes(block_, record.key);
    default:
      return false;
  }
}

Result<bool> DeltaReader::next(DeltaRecord& record) {
  while (true) {
    while (block_.empty()) {
      if (ended_) return false;
      TG_RETURN_IF_ERROR(open_block());
    }
    std::uint8_t kind = 0;
    read_fixed(block_, kind);
    if (kind == kNamespace) {
      if (!read_fixed(block_, name_space_)) return corrupt("a record ends too early");
      continue;
    }
    if (!read_record(kind, record)) return corrupt("a record is of no known form");
    ++records_;
    return true;
  }
}

Status verify_delta(std::string_view bytes) {
  TG_ASSIGN_OR_RETURN(DeltaReader reader, DeltaReader::open(bytes));
  DeltaRecord record;
  while (true) {
    TG_ASSIGN_OR_RETURN(const bool more, reader.next(record));
    if (!more) return Status::ok();
  }
}

}  // namespace tidegate
