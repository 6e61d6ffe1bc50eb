// SPDX-License-Identifier: Apache-2.0
#include "epoch/fold_deltas.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "epoch/record_codec.h"
#include "epoch/test_records.h"

namespace tidegate {
namespace {

TEST(RecordCodecTest, ReadsWhatItWrote) {
  const EpochRecord record = record_of(7, "k", "v");
  const EpochRecord read = *decode_record(encode_record(record));
  EXPECT_EQ(read.epoch, 7);
  EXPECT_EQ(read.sources[0].open[0].split.payload, "payload");
  EXPECT_EQ(read.sources[0].open[0].position, "17");
  EXPECT_EQ(read.operators[0].subtasks[0].watermark, 5);
  EXPECT_EQ(read.committables[0].bytes, "file-7");
  EXPECT_EQ(encode_record(read), encode_record(record));
}

TEST(RecordCodecTest, EveryDamagedByteIsFound) {
  const std::string good = encode_record(record_of(1, "k", "v"));
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x20);
    EXPECT_FALSE(decode_record(bad).is_ok()) << i;
    EXPECT_FALSE(decode_record(good.substr(0, i)).is_ok()) << i;
  }
}

TEST(FoldDeltasTest, LaterChangesWin) {
  const KeyGroupRange low{0, 64, 128};
  const KeyGroupRange high{64, 128, 128};
  const std::vector<StateDelta> deltas = {
      {1, "t",
       delta(low,
             [](DeltaWriter& out) {
               out.put(10, kLow, "a", "1");
               out.put(10, kLow, "b", "1");
               out.put(20, kLow, "a", "1");
             })},
      {1, "t", delta(high, [](DeltaWriter& out) { out.put(10, kHigh, "z", "1"); })},
      {2, "t",
       delta(low,
             [](DeltaWriter& out) {
               out.put(10, kLow, "a", "2");
               out.erase(10, kLow, "b");
               out.erase(10, kLow, "never there");
             })},
  };
  const auto folded = *fold_deltas(deltas, 2, 128);
  ASSERT_EQ(folded.size(), 1u);
  EXPECT_EQ(rows_of(folded[0].bytes),
            (std::map<std::string, std::string>{{"10:a", "2"}, {"10:z", "1"}, {"20:a", "1"}}));

  // A dropped namespace takes the rows of its writer only.
  std::vector<StateDelta> more = folded;
  more.push_back({3, "t", delta(low, [](DeltaWriter& out) {
                    out.drop(10);
                    out.put(10, kLow, "c", "3");
                  })});
  EXPECT_EQ(rows_of((*fold_deltas(more, 3, 128))[0].bytes),
            (std::map<std::string, std::string>{{"10:c", "3"}, {"10:z", "1"}, {"20:a", "1"}}));
}

}  // namespace
}  // namespace tidegate
