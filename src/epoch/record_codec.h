// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "runtime/epoch_record.h"
#include "tidegate/status.h"

namespace tidegate {

/// An epoch record as bytes, all numbers little-endian:
///
///   "TGER" | version u8 = 1 | payload length u64 | crc32c of all before, u32
///   payload: the fields in the order of runtime/epoch_record.h; strings and lists have a varint
///            length in front; state deltas hold checksums of their own
///   crc32c of the payload, u32
std::string encode_record(const EpochRecord& record);

/// Trusts nothing: kStateCorrupt, or kStateVersion for a newer version.
Result<EpochRecord> decode_record(std::string_view bytes);

}  // namespace tidegate
