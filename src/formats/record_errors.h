// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/options.h"
#include "formats/format.h"
#include "tidegate/status.h"

namespace tidegate {

/// The options about bad records that every source with a format takes: "error-policy" and
/// "max-record-size".
std::vector<OptionSpec> record_error_options();

/// "error-policy"; without it kSkip when "<format>.ignore-parse-errors" is set, else kFail.
Result<RecordErrorPolicy> record_error_policy(const Options& options, std::string_view format);

/// "max-record-size", 64 MiB by default: longer records are bad, and never held in memory.
Result<std::int64_t> max_record_bytes(const Options& options);

}  // namespace tidegate
