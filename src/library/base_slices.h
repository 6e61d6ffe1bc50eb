// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>

#include "library/changelog_format.h"
#include "runtime/epoch_record.h"
#include "tidegate/status.h"

namespace tidegate::library {

/// The state of a record as bases that cover all key groups between them, each of about
/// `slice_bytes` and of one key group at least: what the changelog is shortened by.
Result<std::deque<BaseSlice>> slice_state(EpochRecord record, std::int64_t slice_bytes);

}  // namespace tidegate::library
