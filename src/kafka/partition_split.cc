// SPDX-License-Identifier: Apache-2.0
#include "kafka/partition_split.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"

namespace tidegate::kafka {
namespace {

Status corrupt(std::string_view what, std::string_view text) {
  return error(ErrorCode::kStateCorrupt, "'{}' is not the {} of a Kafka partition", text, what);
}

}  // namespace

Split PartitionSplit::to_split() const {
  return Split{fmt::format("{}-{}", topic, partition),
               fmt::format("{} {} {} {}", topic, partition, offset_text(start),
                           stop ? offset_text(*stop) : "none")};
}

Result<PartitionSplit> PartitionSplit::from_split(const Split& split) {
  std::string_view rest = split.payload;
  const auto next = [&rest] {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return word;
  };
  PartitionSplit partition;
  partition.topic = next();
  TG_ASSIGN_OR_RETURN(const std::int64_t number, parse_offset(next()));
  if (partition.topic.empty() || number < 0 || number > INT32_MAX)
    return corrupt("split", split.payload);
  partition.partition = static_cast<std::int32_t>(number);
  TG_ASSIGN_OR_RETURN(partition.start, parse_offset(next()));
  const std::string_view stop = next();
  if (stop != "none") {
    TG_ASSIGN_OR_RETURN(partition.stop, parse_offset(stop));
  }
  if (!rest.empty()) return corrupt("split", split.payload);
  return partition;
}

std::string offset_text(std::int64_t offset) {
  return offset == kEarliest ? "earliest" : std::to_string(offset);
}

Result<std::int64_t> parse_offset(std::string_view text) {
  if (text == "earliest") return kEarliest;
  std::int64_t offset = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (failed != std::errc() || end != text.data() + text.size() || offset < 0)
    return corrupt("position", text);
  return offset;
}

Result<std::int64_t> offset_of_position(std::string_view position) {
  return parse_offset(position.substr(0, position.find(' ')));
}

}  // namespace tidegate::kafka
