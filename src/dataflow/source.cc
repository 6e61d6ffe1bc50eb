// SPDX-License-Identifier: Apache-2.0
#include "dataflow/source.h"

#include "base/check.h"

namespace tidegate {

void SplitReader::committed(const std::string&) {}

Status SplitReader::read_until(const std::string& end) {
  return error(ErrorCode::kNotSupported, "this source cannot stop at '{}'", end);
}

Result<BatchEnd> Source::plan_end(const Split& split, const std::optional<std::string>&,
                                  std::int64_t) {
  if (splits_end()) return BatchEnd{};
  return Status(ErrorCode::kNotSupported,
                fmt::format("split '{}' does not end, and its source cannot say where a "
                            "micro-batch should",
                            split.id),
                "Use --mode embedded.");
}

}  // namespace tidegate
