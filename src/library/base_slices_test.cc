// SPDX-License-Identifier: Apache-2.0
#include "library/base_slices.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "epoch/test_records.h"

namespace tidegate::library {
namespace {

TEST(BaseSlicesTest, CoverAllKeyGroupsWithEachRowOnce) {
  EpochRecord record = record_of(7, "", "");
  OperatorState& state = record.operators[0];
  state.deltas[0].bytes = delta({0, 128, 128}, [](DeltaWriter& out) {
    for (std::uint64_t group = 0; group < 128; group += 2) {
      for (int i = 0; i < 4; ++i)
        out.put(i, group << 57, std::to_string(group) + "-" + std::to_string(i), "old");
    }
  });
  state.deltas.push_back({7, "rows", delta({0, 128, 128}, [](DeltaWriter& out) {
                            out.erase(0, 0, "0-0");
                            out.put(1, 0, "0-1", std::string(1000, 'x'));
                          })});
  state.deltas.push_back(
      {7, "other", delta({0, 128, 128}, [](DeltaWriter& out) { out.put(0, kHigh, "k", "v"); })});
  const auto slices = slice_state(record, 400);
  ASSERT_TRUE(slices.is_ok()) << slices.status().to_string();
  EXPECT_GT(slices->size(), 10u);
  int next = 0;
  std::size_t rows = 0;
  for (const BaseSlice& slice : *slices) {
    EXPECT_EQ(slice.as_of, 7u);
    EXPECT_EQ(slice.key_groups.begin, next);
    EXPECT_LT(slice.key_groups.begin, slice.key_groups.end);
    next = slice.key_groups.end;
    for (const BaseSlice::Table& table : slice.tables) {
      EXPECT_EQ(table.uid, "count");
      DeltaReader reader = *DeltaReader::open(table.delta.bytes);
      DeltaRecord row;
      while (*reader.next(row)) {
        ++rows;
        EXPECT_TRUE(slice.key_groups.contains(key_group_of(row.hash, 128))) << row.key;
        EXPECT_NE(row.key, "0-0");
      }
    }
  }
  EXPECT_EQ(next, 128);
  EXPECT_EQ(rows, 64u * 4 - 1 + 1);
}

TEST(BaseSlicesTest, NoStateIsOneSlice) {
  EpochRecord record = record_of(3, "", "");
  record.operators[0].deltas.clear();
  const auto slices = slice_state(record, 400);
  ASSERT_TRUE(slices.is_ok());
  ASSERT_EQ(slices->size(), 1u);
  EXPECT_EQ(slices->front().key_groups, (KeyGroupRange{0, 128, 128}));
  EXPECT_TRUE(slices->front().tables.empty());
}

}  // namespace
}  // namespace tidegate::library
