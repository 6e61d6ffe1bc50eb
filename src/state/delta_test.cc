// SPDX-License-Identifier: Apache-2.0
#include "state/delta.h"

#include <gtest/gtest.h>

#include <vector>

namespace tidegate {
namespace {

constexpr KeyGroupRange kRange{3, 9, 128};

std::string small_delta() {
  DeltaWriter writer("fixed:8", kRange);
  writer.drop(-5);
  writer.put(10, 0x1122334455667788, "key", "value");
  writer.put(10, 1, "", "");
  writer.erase(11, 2, "gone");
  return writer.finish();
}

std::vector<std::string> records_of(std::string_view bytes) {
  std::vector<std::string> records;
  Result<DeltaReader> reader = DeltaReader::open(bytes);
  if (!reader.is_ok()) return {reader.status().to_string()};
  DeltaRecord record;
  while (true) {
    Result<bool> more = reader->next(record);
    if (!more.is_ok()) return {more.status().to_string()};
    if (!*more) return records;
    std::string text =
        std::to_string(static_cast<int>(record.kind)) + " " + std::to_string(record.name_space);
    if (record.kind != DeltaRecord::Kind::kDrop) {
      text += " " + std::to_string(record.hash) + " " + std::string(record.key);
    }
    if (record.kind == DeltaRecord::Kind::kPut) text += "=" + std::string(record.value);
    records.push_back(text);
  }
}

TEST(DeltaTest, RoundTrip) {
  const std::string bytes = small_delta();
  EXPECT_EQ(records_of(bytes),
            (std::vector<std::string>{"1 -5", "3 10 1234605616436508552 key=value",
                                      "3 10 1 =", "4 11 2 gone"}));
  Result<DeltaReader> reader = DeltaReader::open(bytes);
  ASSERT_TRUE(reader.is_ok());
  EXPECT_EQ(reader->fingerprint(), "fixed:8");
  EXPECT_EQ(reader->key_groups(), kRange);
}

TEST(DeltaTest, EmptyDelta) { EXPECT_TRUE(records_of(DeltaWriter("x", kRange).finish()).empty()); }

TEST(DeltaTest, ManyBlocksAndALargeRecord) {
  DeltaWriter writer("bytes", kRange);
  const std::string large(300000, 'L');
  for (int i = 0; i < 20000; ++i) {
    writer.put(i / 1000, static_cast<std::uint64_t>(i), std::to_string(i), i == 777 ? large : "v");
  }
  const std::string bytes = writer.finish();
  const std::vector<std::string> records = records_of(bytes);
  ASSERT_EQ(records.size(), 20000u);
  EXPECT_EQ(records[19999], "3 19 19999 19999=v");
  EXPECT_EQ(records[777].size(), std::string("3 0 777 777=").size() + large.size());
}

TEST(DeltaTest, EveryFlippedBitIsFound) {
  const std::string bytes = small_delta();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      const Status status = verify_delta(damaged);
      ASSERT_FALSE(status.is_ok()) << "byte " << i << " bit " << bit;
      ASSERT_TRUE(status.code() == ErrorCode::kStateCorrupt ||
                  status.code() == ErrorCode::kStateVersion);
    }
  }
}

TEST(DeltaTest, EveryTruncationIsFound) {
  const std::string bytes = small_delta();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_EQ(verify_delta(bytes.substr(0, size)).code(), ErrorCode::kStateCorrupt) << size;
  }
  EXPECT_EQ(verify_delta(bytes + "x").code(), ErrorCode::kStateCorrupt);
}

}  // namespace
}  // namespace tidegate
