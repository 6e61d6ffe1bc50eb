// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tidegate/status.h"

namespace tidegate {

/// What a frame holds.
struct FrameKind {
  std::string_view magic;  ///< 4 bytes
  std::uint8_t version = 1;
  std::string_view name;  ///< for messages: "epoch record"
};

/// Bytes that know whether they are whole, all numbers little-endian:
///
///   magic, 4 bytes | version u8 | payload length u64 | crc32c of all before, u32
///   payload | crc32c of the payload, u32
std::string frame(const FrameKind& kind, std::string_view payload);

/// The payload. kStateCorrupt, or kStateVersion when another version wrote it.
Result<std::string_view> unframe(const FrameKind& kind, std::string_view bytes);

/// kStateCorrupt: the payload is whole and yet not what it should be.
Status does_not_fit(const FrameKind& kind);

}  // namespace tidegate
