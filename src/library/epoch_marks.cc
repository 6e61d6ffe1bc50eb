// SPDX-License-Identifier: Apache-2.0
#include "library/epoch_marks.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace tidegate::library {

namespace {

constexpr std::string_view kMetadata = "tidegate run ";

Result<std::optional<EpochMark>> parse_mark(const rd_kafka_topic_partition_t& found,
                                            const std::string& group) {
  if (found.offset < 0) return std::optional<EpochMark>();
  EpochMark mark;
  std::string_view text(static_cast<const char*>(found.metadata), found.metadata_size);
  if (text.starts_with(kMetadata)) {
    text.remove_prefix(kMetadata.size());
    const auto [end, failed] =
        std::from_chars(text.data(), text.data() + text.size(), mark.run, 16);
    if (failed == std::errc() && end == text.data() + text.size()) {
      mark.epoch = static_cast<EpochId>(found.offset);
      return std::optional<EpochMark>(mark);
    }
  }
  return Status(ErrorCode::kStateMismatch,
                fmt::format("group '{}' belongs to somebody else: its offset of topic '{}' "
                            "partition {} is no mark of an epoch",
                            group, found.topic, found.partition),
                "Choose another application id.");
}

}  // namespace

void add_mark(rd_kafka_topic_partition_list_t& offsets, const TopicPartition& changelog,
              const EpochMark& mark) {
  rd_kafka_topic_partition_t* added =
      rd_kafka_topic_partition_list_add(&offsets, changelog.topic.c_str(), changelog.partition);
  added->offset = static_cast<std::int64_t>(mark.epoch);
  const std::string text = fmt::format("{}{:x}", kMetadata, mark.run);
  added->metadata = std::malloc(text.size());  // the list frees it
  std::copy(text.begin(), text.end(), static_cast<char*>(added->metadata));
  added->metadata_size = text.size();
}

Result<std::unique_ptr<EpochMarks>> EpochMarks::make(const kafka::ClientProperties& client,
                                                     const std::string& group,
                                                     std::chrono::milliseconds timeout) {
  std::unique_ptr<EpochMarks> marks(new EpochMarks(group, timeout));
  kafka::ClientProperties properties = client;
  std::erase_if(properties.settings, [](const auto& setting) {
    return setting.first.starts_with("group.") || setting.first.starts_with("transaction");
  });
  properties.settings.emplace_back("group.id", group);
  properties.settings.emplace_back("isolation.level", "read_committed");
  TG_ASSIGN_OR_RETURN(marks->client_,
                      kafka::Client::make(kafka::Client::Role::kConsumer, properties, {}));
  properties.settings.back().second = "read_uncommitted";
  TG_ASSIGN_OR_RETURN(marks->uncommitted_,
                      kafka::Client::make(kafka::Client::Role::kConsumer, properties, {}));
  return marks;
}

Result<std::vector<std::optional<EpochMark>>> EpochMarks::read(
    const std::vector<TopicPartition>& changelogs) {
  const kafka::PartitionsPtr list(rd_kafka_topic_partition_list_new(1));
  for (const TopicPartition& each : changelogs)
    rd_kafka_topic_partition_list_add(list.get(), each.topic.c_str(), each.partition);
  const auto ask = [&](int wait_ms) {
    const auto error = rd_kafka_committed(client_->handle(), list.get(), wait_ms);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return error;
    for (int i = 0; i < list->cnt; ++i)
      if (list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR) return list->elems[i].err;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  };
  TG_RETURN_IF_ERROR(client_->ask("cannot read which epochs are committed", timeout_, ask));
  std::vector<std::optional<EpochMark>> marks;
  for (int i = 0; i < list->cnt; ++i) {
    TG_ASSIGN_OR_RETURN(marks.emplace_back(), parse_mark(list->elems[i], group_));
  }
  return marks;
}

Result<std::int64_t> EpochMarks::end_of(const TopicPartition& partition) {
  std::int64_t low = 0, high = 0;
  TG_RETURN_IF_ERROR(uncommitted_->ask(fmt::format("cannot find the end of topic '{}' partition {}",
                                                   partition.topic, partition.partition),
                                       timeout_, [&](int wait_ms) {
                                         return rd_kafka_query_watermark_offsets(
                                             uncommitted_->handle(), partition.topic.c_str(),
                                             partition.partition, &low, &high, wait_ms);
                                       }));
  return high;
}

}  // namespace tidegate::library
