// SPDX-License-Identifier: Apache-2.0
#include "epoch/frame.h"

#include "base/check.h"
#include "base/crc32c.h"
#include "state/binary_codec.h"

namespace tidegate {
namespace {

Status damaged(const FrameKind& kind, std::string_view what) {
  return error(ErrorCode::kStateCorrupt, "the {} is damaged: {}", kind.name, what);
}

}  // namespace

std::string frame(const FrameKind& kind, std::string_view payload) {
  std::string bytes(kind.magic);
  write_fixed(bytes, kind.version);
  write_fixed(bytes, static_cast<std::uint64_t>(payload.size()));
  write_fixed(bytes, crc32c(bytes));
  bytes += payload;
  write_fixed(bytes, crc32c(payload));
  return bytes;
}

Result<std::string_view> unframe(const FrameKind& kind, std::string_view bytes) {
  constexpr std::size_t kHeaderBytes = 13;
  if (bytes.size() < kHeaderBytes + 8) return damaged(kind, "it is too short");
  if (!bytes.starts_with(kind.magic)) {
    return damaged(kind, fmt::format("it does not begin with {}", kind.magic));
  }
  std::string_view in = bytes.substr(kind.magic.size());
  std::uint8_t version = 0;
  std::uint64_t length = 0;
  std::uint32_t checksum = 0;
  read_fixed(in, version);
  read_fixed(in, length);
  read_fixed(in, checksum);
  // The checksum first: what is damaged is not of another version.
  if (!has_crc32c(bytes.substr(0, kHeaderBytes), checksum)) {
    return damaged(kind, "checksum of the header");
  }
  if (version != kind.version) {
    return error(ErrorCode::kStateVersion, "the {} has format {}; this version reads format {}",
                 kind.name, version, kind.version);
  }
  if (in.size() != length + sizeof(checksum)) return damaged(kind, "its length is wrong");
  const std::string_view payload = in.substr(0, length);
  in.remove_prefix(length);
  read_fixed(in, checksum);
  if (!has_crc32c(payload, checksum)) return damaged(kind, "checksum of the content");
  return payload;
}

Status does_not_fit(const FrameKind& kind) {
  return damaged(kind, "its content does not fit its form");
}

}  // namespace tidegate
