// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "runtime/epoch_record.h"
#include "tidegate/status.h"

namespace tidegate {

/// An epoch record as bytes: a frame "TGER" (epoch/frame.h) with the fields in the order of
/// runtime/epoch_record.h; strings and lists have a varint length in front; state deltas hold
/// checksums of their own.
std::string encode_record(const EpochRecord& record);

/// Trusts nothing: kStateCorrupt, or kStateVersion for another version.
Result<EpochRecord> decode_record(std::string_view bytes);

}  // namespace tidegate
