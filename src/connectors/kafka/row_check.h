// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "connectors/kafka/table_options.h"
#include "kafka/produce.h"
#include "tidegate/status.h"

namespace tidegate {
class Counter;      // base/metrics.h
class MetricGroup;  // base/metrics.h
}  // namespace tidegate

namespace tidegate::kafka {

/// What becomes of rows that cannot be messages, as 'sink.error-policy' says. One per writer.
class RowCheck {
 public:
  /// `settings` outlive it.
  RowCheck(const SinkSettings& settings, std::int32_t partition_count, MetricGroup& metrics);

  /// Whether brokers can be expected to take it.
  Status check(const Outgoing& message) const;
  /// What a row has come to; ok also for a bad one that is left out.
  Status pass(Status row) const;

 private:
  const SinkSettings& settings_;
  const std::int32_t partition_count_;
  const std::size_t max_message_bytes_;
  Counter& rows_bad_;
};

}  // namespace tidegate::kafka
