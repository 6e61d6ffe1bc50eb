// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tidegate {

/// CRC-32C (Castagnoli, as in iSCSI, ext4 and Kafka) of `bytes`. With `before`, the checksum of
/// what came in front: crc32c(ab) == crc32c(b, crc32c(a)). Uses the CPU's instruction where it has
/// one.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0);

inline std::uint32_t crc32c(std::string_view text, std::uint32_t before = 0) {
  return crc32c(std::as_bytes(std::span(text.data(), text.size())), before);
}

/// Whether they have this checksum. Always, when a test takes the protection "checksum" away.
bool has_crc32c(std::string_view bytes, std::uint32_t checksum);

/// The same without the instruction; for tests and for other CPUs.
std::uint32_t crc32c_by_table(std::span<const std::byte> bytes, std::uint32_t before = 0);

}  // namespace tidegate
