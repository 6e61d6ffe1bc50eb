// SPDX-License-Identifier: Apache-2.0
#include "formats/record_errors.h"

#include <string>

#include "base/check.h"

namespace tidegate {

namespace {

constexpr const char* kErrorPolicy = "error-policy";
constexpr const char* kMaxRecordSize = "max-record-size";
constexpr std::int64_t kDefaultMaxRecordBytes = std::int64_t{64} << 20;
// A record must fit into a column, whose offsets have 31 bits.
constexpr std::int64_t kLargestMaxRecordBytes = std::int64_t{1} << 30;

}  // namespace

std::vector<OptionSpec> record_error_options() {
  return {
      {kErrorPolicy, "fail|skip|dead-letter", "fail",
       "What happens when a record cannot be read: the job fails, or the record is left out and "
       "counted, or also kept for later."},
      {kMaxRecordSize, "size", "64 MiB", "Longer records are bad records."},
  };
}

Result<RecordErrorPolicy> record_error_policy(const Options& options, std::string_view format) {
  const std::string name = options.get_string_or(kErrorPolicy, "");
  if (name == "fail") return RecordErrorPolicy::kFail;
  if (name == "skip") return RecordErrorPolicy::kSkip;
  if (name == "dead-letter") return RecordErrorPolicy::kDeadLetter;
  if (!name.empty())
    return error(ErrorCode::kInvalidOption, "option '{}' is '{}'; it is fail, skip or dead-letter",
                 kErrorPolicy, name);
  TG_ASSIGN_OR_RETURN(const bool ignore,
                      options.get_bool_or(fmt::format("{}.ignore-parse-errors", format), false));
  return ignore ? RecordErrorPolicy::kSkip : RecordErrorPolicy::kFail;
}

Result<std::int64_t> max_record_bytes(const Options& options) {
  TG_ASSIGN_OR_RETURN(const std::int64_t bytes,
                      options.get_size_or(kMaxRecordSize, kDefaultMaxRecordBytes));
  if (bytes < 1 || bytes > kLargestMaxRecordBytes)
    return error(ErrorCode::kInvalidOption, "option '{}' is {} bytes; it must be 1 to {}",
                 kMaxRecordSize, bytes, kLargestMaxRecordBytes);
  return bytes;
}

}  // namespace tidegate
