// SPDX-License-Identifier: Apache-2.0
#include "connectors/kafka/row_check.h"

#include <cstdlib>
#include <string>

#include "base/check.h"
#include "base/log.h"
#include "base/metrics.h"

namespace tidegate::kafka {
namespace {

constexpr std::size_t kDefaultMaxMessageBytes = 1'000'000;

std::size_t max_message_bytes(const ClientProperties& properties) {
  const std::string text(properties.find("message.max.bytes"));
  return text.empty() ? kDefaultMaxMessageBytes : std::strtoull(text.c_str(), nullptr, 10);
}

}  // namespace

RowCheck::RowCheck(const SinkSettings& settings, std::int32_t partition_count, MetricGroup& metrics)
    : settings_(settings),
      partition_count_(partition_count),
      max_message_bytes_(max_message_bytes(settings.client)),
      rows_bad_(metrics.counter("rows_bad")) {}

Status RowCheck::check(const Outgoing& message) const {
  const std::size_t bytes =
      (message.key ? message.key->size() : 0) + (message.value ? message.value->size() : 0);
  if (bytes > max_message_bytes_) return message_too_large(settings_.topic, bytes);
  if (message.partition >= partition_count_)
    return error(ErrorCode::kMalformedRecord, "topic '{}' has {} partitions, and a row is for {}",
                 settings_.topic, partition_count_, message.partition);
  return Status::ok();
}

Status RowCheck::pass(Status row) const {
  if (row.is_ok() || !settings_.skips_bad_rows || row.kind() != ErrorKind::kBadData) return row;
  if (rows_bad_.value() == 0)  // the others are counted
    log_warning("kafka.row-left-out", {{"topic", settings_.topic}, {"error", row}});
  rows_bad_.add(1);
  return Status::ok();
}

}  // namespace tidegate::kafka
