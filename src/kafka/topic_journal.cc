// SPDX-License-Identifier: Apache-2.0
#include "kafka/topic_journal.h"

#include <cstdint>

#include "base/check.h"
#include "kafka/message_journal.h"

namespace tidegate::kafka {

namespace {
constexpr std::uint64_t kVersion = 1;
}

std::string TopicJournal::to_string() const {
  std::string text;
  text.reserve(topic.size() + journal.size() + 8);
  append_varint(text, kVersion);
  append_varint(text, topic.size());
  text += topic;
  text += journal;
  return text;
}

Result<TopicJournal> TopicJournal::parse(std::string_view committable) {
  TopicJournal parsed;
  std::uint64_t version = 0, size = 0;
  if (!take_varint(committable, version) || version != kVersion ||
      !take_varint(committable, size) || !take_bytes(committable, size, parsed.topic) ||
      parsed.topic.empty())
    return error(ErrorCode::kStateCorrupt,
                 "the messages of a sink cannot be read (version {}, {} bytes left)", version,
                 committable.size());
  parsed.journal = committable;
  return parsed;
}

}  // namespace tidegate::kafka
