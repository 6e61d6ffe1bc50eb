// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include "kafka/client_properties.h"
#include "library/assigner.h"
#include "library/changelog_reader.h"
#include "library/epoch_marks.h"
#include "tidegate/status.h"

namespace tidegate::library {

/// What of a changelog is to be read.
struct ChangelogRange {
  TopicPartition changelog;
  std::optional<EpochMark> mark;  ///< reading ends behind this epoch; none: at `end`
  std::int64_t end = 0;           ///< where the partition ends, open transactions included
  /// Only what comes after it; none: all.
  std::optional<BasePosition> base = {};
};

/// Messages and bytes read so far, and how many messages there are, about.
using ChangelogProgress = std::function<void(std::int64_t, std::int64_t, std::int64_t)>;

/// Reads a changelog from its begin, or from a base on: kStateMismatch when it does not (or not any
/// more) have the base's epoch at its place. Waits for transactions that are open in front of the
/// end of the range; gives up with kServiceUnreachable when nothing comes for `timeout`. Blocks.
/// kStateCorrupt also when the changelog ends before the mark.
Result<ChangelogReader::Restored> read_changelog(const kafka::ClientProperties& client,
                                                 const ChangelogRange& range,
                                                 std::chrono::milliseconds timeout,
                                                 const ChangelogProgress& progress);

}  // namespace tidegate::library
