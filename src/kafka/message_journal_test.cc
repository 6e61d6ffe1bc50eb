// SPDX-License-Identifier: Apache-2.0
#include "kafka/message_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/check.h"

namespace tidegate::kafka {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string text_of(const Outgoing& message) {
  std::string text = fmt::format("{}@{} {}={}", message.partition, message.timestamp_ms,
                                 message.key.value_or("-"), message.value.value_or("-"));
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       message.headers != nullptr &&
       rd_kafka_header_get_all(message.headers.get(), i, &name, &value, &size) == 0;
       ++i)
    text += fmt::format(
        " {}:{}", name,
        value == nullptr ? std::string("-") : std::string(static_cast<const char*>(value), size));
  return text;
}

std::vector<std::string> texts_of(std::string_view journal) {
  std::vector<std::string> texts;
  const Status status = read_journal(journal, [&](Outgoing& message) {
    texts.push_back(text_of(message));
    return Status::ok();
  });
  EXPECT_TRUE(status.is_ok()) << status.to_string();
  return texts;
}

TEST(MessageJournal, MessagesComeOutAsTheyWentIn) {
  MessageJournal journal;
  EXPECT_TRUE(journal.empty());
  Outgoing all;
  all.key = "k";
  all.value = "v";
  all.timestamp_ms = 1'700'000'000'123;
  all.partition = 5;
  all.headers.reset(rd_kafka_headers_new(2));
  rd_kafka_header_add(all.headers.get(), "h", 1, "x", 1);
  rd_kafka_header_add(all.headers.get(), "null", 4, nullptr, 0);
  ASSERT_TRUE(journal.add(all).is_ok());
  Outgoing tombstone;
  tombstone.key = "";
  ASSERT_TRUE(journal.add(tombstone).is_ok());
  EXPECT_FALSE(journal.empty());
  const auto bytes = journal.take();
  ASSERT_TRUE(bytes.is_ok());
  EXPECT_THAT(texts_of(*bytes), ElementsAre("5@1700000000123 k=v h:x null:-", "-1@0 =-"));
  EXPECT_TRUE(journal.empty());
  EXPECT_THAT(texts_of(*journal.take()), IsEmpty());
}

TEST(MessageJournal, ManyBlocksAndAMessageLargerThanOne) {
  MessageJournal journal;
  const std::string large(3'000'000, 'x');
  for (int n = 0; n < 50'000; ++n) {
    const std::string value = n == 25'000 ? large : std::to_string(n);
    Outgoing message;
    message.value = value;
    ASSERT_TRUE(journal.add(message).is_ok());
  }
  const auto bytes = journal.take();
  ASSERT_TRUE(bytes.is_ok());
  const auto texts = texts_of(*bytes);
  ASSERT_EQ(texts.size(), 50'000u);
  EXPECT_EQ(texts[49'999], "-1@0 -=49999");
  EXPECT_EQ(texts[25'000].size(), large.size() + 7);
}

TEST(MessageJournal, DamageIsFoundOrHarmless) {
  MessageJournal journal;
  for (int n = 0; n < 20; ++n) {
    const std::string value = fmt::format("value {}", n);
    Outgoing message;
    message.value = value;
    ASSERT_TRUE(journal.add(message).is_ok());
  }
  const auto bytes = journal.take();
  ASSERT_TRUE(bytes.is_ok());
  const auto ignore = [](Outgoing&) { return Status::ok(); };
  // Whole journals are under the checksum of their epoch; what counts here is that nothing outside
  // of the bytes is read, whatever they say.
  for (std::size_t i = 0; i < bytes->size(); ++i) {
    for (const char flip : {'\x01', '\x80', '\xff'}) {
      std::string damaged = *bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      static_cast<void>(read_journal(damaged, ignore));
    }
    if (i == 0) continue;
    EXPECT_FALSE(read_journal(std::string_view(*bytes).substr(0, i), ignore).is_ok()) << i;
  }
  EXPECT_EQ(read_journal("\xff\xff\xff\xff\x7f\x01x", ignore).code(), ErrorCode::kStateCorrupt);
}

}  // namespace
}  // namespace tidegate::kafka
