// SPDX-License-Identifier: Apache-2.0
#include "connectors/kafka/partitions.h"

#include <algorithm>
#include <regex>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/check.h"

namespace tidegate::kafka {

namespace {

using std::chrono::milliseconds;

// ListOffsets takes these as times.
constexpr std::int64_t kTimeOfEnd = RD_KAFKA_OFFSET_END;

std::string name_of(const PartitionSplit& partition) {
  return fmt::format("topic '{}' partition {}", partition.topic, partition.partition);
}

PartitionsPtr make_list(const std::vector<PartitionSplit>& partitions) {
  PartitionsPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const PartitionSplit& p : partitions)
    rd_kafka_topic_partition_list_add(list.get(), p.topic.c_str(), p.partition);
  return list;
}

/// An error of one of the partitions for which it is worth asking again.
rd_kafka_resp_err_t passing_error(const rd_kafka_topic_partition_list_t& list) {
  for (int i = 0; i < list.cnt; ++i) {
    if (is_passing(list.elems[i].err)) return list.elems[i].err;
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/// The offsets of the first records at or after `time_ms` (the end when there is none), or of the
/// end. In the order of `partitions`.
Result<std::vector<std::int64_t>> offsets_at(Client& client, std::int64_t time_ms,
                                             milliseconds timeout,
                                             const std::vector<PartitionSplit>& partitions) {
  if (partitions.empty()) return std::vector<std::int64_t>();
  const PartitionsPtr list = make_list(partitions);
  TG_RETURN_IF_ERROR(client.ask("cannot find offsets", timeout, [&](int wait_ms) {
    for (int i = 0; i < list->cnt; ++i) list->elems[i].offset = time_ms;
    const auto error = rd_kafka_offsets_for_times(client.handle(), list.get(), wait_ms);
    return error != RD_KAFKA_RESP_ERR_NO_ERROR ? error : passing_error(*list);
  }));
  std::vector<std::int64_t> offsets;
  std::vector<PartitionSplit> at_end;
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    const rd_kafka_topic_partition_t* found = rd_kafka_topic_partition_list_find(
        list.get(), partitions[i].topic.c_str(), partitions[i].partition);
    TG_CHECK(found != nullptr, "{} was not answered", name_of(partitions[i]));
    if (found->err != RD_KAFKA_RESP_ERR_NO_ERROR)
      return kafka_status(found->err, "cannot find the offset of " + name_of(partitions[i]));
    offsets.push_back(found->offset);
    if (found->offset < 0) at_end.push_back(partitions[i]);
  }
  if (at_end.empty()) return offsets;
  if (time_ms == kTimeOfEnd)
    return tidegate::error(ErrorCode::kServiceTimeout, "{} has no end yet", name_of(at_end[0]));
  TG_ASSIGN_OR_RETURN(const std::vector<std::int64_t> ends,
                      offsets_at(client, kTimeOfEnd, timeout, at_end));
  auto end = ends.begin();
  for (std::int64_t& offset : offsets) {
    if (offset < 0) offset = *end++;
  }
  return offsets;
}

/// What the group has committed, -1 where it has not. In the order of `partitions`.
Result<std::vector<std::int64_t>> offsets_of_group(Client& client, milliseconds timeout,
                                                   const std::vector<PartitionSplit>& partitions) {
  const PartitionsPtr list = make_list(partitions);
  TG_RETURN_IF_ERROR(client.ask("cannot read the group's offsets", timeout, [&](int wait_ms) {
    const auto error = rd_kafka_committed(client.handle(), list.get(), wait_ms);
    return error != RD_KAFKA_RESP_ERR_NO_ERROR ? error : passing_error(*list);
  }));
  std::vector<std::int64_t> offsets;
  for (const PartitionSplit& p : partitions) {
    const rd_kafka_topic_partition_t* found =
        rd_kafka_topic_partition_list_find(list.get(), p.topic.c_str(), p.partition);
    TG_CHECK(found != nullptr, "{} was not answered", name_of(p));
    if (found->err != RD_KAFKA_RESP_ERR_NO_ERROR)
      return kafka_status(found->err, "cannot read the group's offset of " + name_of(p));
    offsets.push_back(std::max<std::int64_t>(found->offset, -1));
  }
  return offsets;
}

/// Where the group is; where it is nowhere, what properties.auto.offset.reset says.
Status start_at_group(Client& client, const SourceSettings& settings,
                      std::vector<PartitionSplit>& partitions) {
  std::vector<std::int64_t> offsets(partitions.size(), -1);
  if (!settings.client.group.empty()) {
    TG_ASSIGN_OR_RETURN(offsets, offsets_of_group(client, settings.connect_timeout, partitions));
  }
  const std::string& reset = settings.client.offset_reset;
  std::vector<std::int64_t> ends;
  if (reset == "latest") {
    TG_ASSIGN_OR_RETURN(ends, offsets_at(client, kTimeOfEnd, settings.connect_timeout, partitions));
  }
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    if (offsets[i] >= 0) {
      partitions[i].start = offsets[i];
    } else if (reset == "none") {
      return Status(ErrorCode::kOffsetOutOfRange,
                    fmt::format("group '{}' has committed nothing for {}", settings.client.group,
                                name_of(partitions[i])),
                    "Set properties.auto.offset.reset to earliest or latest, or choose another "
                    "scan.startup.mode.");
    } else {
      partitions[i].start = ends.empty() ? kEarliest : ends[i];
    }
  }
  return Status::ok();
}

Status start_at_specific(Client& client, const SourceSettings& settings,
                         std::vector<PartitionSplit>& partitions) {
  std::vector<PartitionSplit> others;
  for (PartitionSplit& p : partitions) {
    const auto named = settings.start.offsets.find(p.partition);
    if (named == settings.start.offsets.end()) {
      others.push_back(p);
    } else {
      p.start = named->second;
    }
  }
  if (others.empty()) return Status::ok();
  TG_RETURN_IF_ERROR(start_at_group(client, settings, others));
  auto other = others.begin();
  for (PartitionSplit& p : partitions) {
    if (settings.start.offsets.count(p.partition) == 0) p.start = (other++)->start;
  }
  return Status::ok();
}

void add_partitions(const rd_kafka_metadata_topic_t& topic, std::vector<PartitionSplit>& all) {
  for (int i = 0; i < topic.partition_cnt; ++i) {
    PartitionSplit split;
    split.topic = topic.topic;
    split.partition = topic.partitions[i].id;
    all.push_back(std::move(split));
  }
}

Result<std::vector<PartitionSplit>> list_by_pattern(Client& client,
                                                    const SourceSettings& settings) {
  std::regex pattern;
  try {
    pattern = std::regex(settings.topic_pattern);
  } catch (const std::regex_error& e) {
    return error(ErrorCode::kInvalidOption, "option 'topic-pattern': '{}' cannot be read: {}",
                 settings.topic_pattern, e.what());
  }
  TG_ASSIGN_OR_RETURN(const MetadataPtr metadata,
                      client.metadata(nullptr, settings.connect_timeout));
  std::vector<PartitionSplit> all;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const rd_kafka_metadata_topic_t& topic = metadata->topics[i];
    if (topic.err == RD_KAFKA_RESP_ERR_NO_ERROR && std::regex_match(topic.topic, pattern))
      add_partitions(topic, all);
  }
  if (all.empty() && settings.discovery_interval == milliseconds(0))
    return error(ErrorCode::kTopicNotFound, "no topic at {} matches '{}'", client.brokers(),
                 settings.topic_pattern);
  return all;
}

}  // namespace

Result<std::vector<PartitionSplit>> list_partitions(Client& client,
                                                    const SourceSettings& settings) {
  std::vector<PartitionSplit> all;
  if (!settings.topic_pattern.empty()) {
    TG_ASSIGN_OR_RETURN(all, list_by_pattern(client, settings));
  }
  for (const std::string& name : settings.topics) {
    const TopicPtr topic = client.topic(name);
    if (topic == nullptr)
      return error(ErrorCode::kInvalidOption, "option 'topic': '{}' is not a topic's name", name);
    TG_ASSIGN_OR_RETURN(const MetadataPtr metadata,
                        client.metadata(topic.get(), settings.connect_timeout));
    add_partitions(metadata->topics[0], all);
  }
  const auto key = [](const PartitionSplit& p) { return std::tie(p.topic, p.partition); };
  std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  all.erase(std::unique(all.begin(), all.end(),
                        [&](const auto& a, const auto& b) { return key(a) == key(b); }),
            all.end());
  return all;
}

Status set_starts(Client& client, const SourceSettings& settings,
                  std::vector<PartitionSplit>& partitions) {
  const OffsetRule& rule = settings.start;
  switch (rule.kind) {
    case OffsetRule::Kind::kGroup:
      return start_at_group(client, settings, partitions);
    case OffsetRule::Kind::kSpecific:
      return start_at_specific(client, settings, partitions);
    case OffsetRule::Kind::kLatest:
    case OffsetRule::Kind::kTimestamp: {
      const std::int64_t time =
          rule.kind == OffsetRule::Kind::kLatest ? kTimeOfEnd : rule.timestamp_ms;
      TG_ASSIGN_OR_RETURN(const std::vector<std::int64_t> offsets,
                          offsets_at(client, time, settings.connect_timeout, partitions));
      for (std::size_t i = 0; i < partitions.size(); ++i) partitions[i].start = offsets[i];
      return Status::ok();
    }
    case OffsetRule::Kind::kEarliest:
    case OffsetRule::Kind::kNone:
      break;
  }
  for (PartitionSplit& p : partitions) p.start = kEarliest;
  return Status::ok();
}

Result<OffsetRange> offsets_there(Client& client, const SourceSettings& settings,
                                  const PartitionSplit& partition) {
  TG_ASSIGN_OR_RETURN(const std::vector<std::int64_t> first,
                      offsets_at(client, kEarliest, settings.outage_timeout, {partition}));
  TG_ASSIGN_OR_RETURN(const std::vector<std::int64_t> end,
                      offsets_at(client, kTimeOfEnd, settings.outage_timeout, {partition}));
  return OffsetRange{first[0], end[0]};
}

Status set_stops(Client& client, const SourceSettings& settings,
                 std::vector<PartitionSplit>& partitions) {
  const OffsetRule& rule = settings.stop;
  if (rule.kind == OffsetRule::Kind::kNone || rule.kind == OffsetRule::Kind::kEarliest)
    return Status::ok();
  if (rule.kind == OffsetRule::Kind::kSpecific) {
    for (PartitionSplit& p : partitions) {
      const auto named = rule.offsets.find(p.partition);
      p.stop = named != rule.offsets.end() ? named->second : 0;
    }
    return Status::ok();
  }
  std::vector<std::int64_t> offsets;
  if (rule.kind == OffsetRule::Kind::kGroup) {
    TG_ASSIGN_OR_RETURN(offsets, offsets_of_group(client, settings.connect_timeout, partitions));
  } else {
    const std::int64_t time =
        rule.kind == OffsetRule::Kind::kLatest ? kTimeOfEnd : rule.timestamp_ms;
    TG_ASSIGN_OR_RETURN(offsets, offsets_at(client, time, settings.connect_timeout, partitions));
  }
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    if (offsets[i] < 0)
      return error(ErrorCode::kOffsetOutOfRange, "group '{}' has committed nothing for {}",
                   settings.client.group, name_of(partitions[i]));
    partitions[i].stop = offsets[i];
  }
  return Status::ok();
}

}  // namespace tidegate::kafka
