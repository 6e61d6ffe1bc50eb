// SPDX-License-Identifier: Apache-2.0
#include "epoch/fold_deltas.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/memory_blob_store.h"
#include "epoch/data_files.h"
#include "epoch/record_codec.h"
#include "epoch/test_records.h"
#include "types/key_hash.h"

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

/// The rows of deltas that come in order, by namespace and key; checks that they stay small.
std::map<std::string, std::string> all_rows_of(const std::vector<std::string>& deltas) {
  std::map<std::string, std::string> rows;
  for (const std::string& bytes : deltas) {
    EXPECT_LT(bytes.size(), std::size_t{3} << 20);
    rows.merge(rows_of(bytes));
  }
  return rows;
}

TEST(FoldTableTest, ALargeTableIsFoldedInPiecesAndMergedWithWhatGoes) {
  const auto blobs = std::make_shared<MemoryBlobStore>();
  DataFileWriter writer([&](const DataFile& file, std::string_view content) {
    return blobs->put(data_file_name(file), content);
  });
  std::map<std::string, std::string> model;
  for (EpochId epoch = 1; epoch <= 3; ++epoch) {
    for (const KeyGroupRange range : {KeyGroupRange{0, 64, 128}, KeyGroupRange{64, 128, 128}}) {
      DeltaWriter out("layout", range);
      if (epoch == 3 && range.begin == 0) {
        out.drop(1);
        std::erase_if(model, [](const auto& row) {
          const std::string key = row.first.substr(2);
          return row.first.starts_with("1:") && key_group_of(hash_key(key), 128) < 64;
        });
      }
      for (int i = 0; i < 60'000; ++i) {
        const std::string key = fmt::format("{}", i * static_cast<int>(epoch));
        const std::uint64_t hash = hash_key(key);
        if (!range.contains(key_group_of(hash, 128))) continue;
        const std::string value(100, static_cast<char>('a' + epoch));
        if (epoch == 2 && i % 7 == 0) {
          out.erase(i % 2, hash, key);
          model.erase(fmt::format("{}:{}", i % 2, key));
        } else {
          out.put(i % 2, hash, key, value);
          model[fmt::format("{}:{}", i % 2, key)] = value;
        }
      }
      ASSERT_TRUE(writer.add(epoch, false, out.finish()).is_ok());
    }
  }
  TableState table{"uid", "t", "layout", *writer.finish()};
  const auto always = [] { return true; };
  std::vector<std::string> folded;
  ASSERT_TRUE(fold_table(*blobs, table, 128, always, [&](const std::string& delta) {
                folded.push_back(delta);
                return Status::ok();
              }).is_ok());
  EXPECT_GT(folded.size(), 2u);
  EXPECT_EQ(all_rows_of(folded), model);

  // The last two epochs as one: what it erases and drops still goes from the first one.
  std::vector<StateSection> sections(table.sections.begin(), table.sections.begin() + 2);
  DataFileWriter merged([&](const DataFile& file, std::string_view content) {
    return blobs->put(data_file_name(file), content);
  });
  ASSERT_TRUE(merge_sections(*blobs, std::span(table.sections).subspan(2), always,
                             [&](const std::string& delta) { return merged.add(3, false, delta); })
                  .is_ok());
  const std::vector<StateSection> added = *merged.finish();
  sections.insert(sections.end(), added.begin(), added.end());
  table.sections = sections;
  folded.clear();
  ASSERT_TRUE(fold_table(*blobs, table, 128, always, [&](const std::string& delta) {
                folded.push_back(delta);
                return Status::ok();
              }).is_ok());
  EXPECT_EQ(all_rows_of(folded), model);
}

TEST(FoldTableTest, IsStoppedBetweenPieces) {
  const auto blobs = std::make_shared<MemoryBlobStore>();
  DataFileWriter writer([&](const DataFile& file, std::string_view content) {
    return blobs->put(data_file_name(file), content);
  });
  ASSERT_TRUE(
      writer
          .add(1, true, delta({0, 128, 128}, [](DeltaWriter& out) { out.put(1, kLow, "a", "1"); }))
          .is_ok());
  const TableState table{"uid", "t", "layout", *writer.finish()};
  int asked = 0;
  const Status stopped = fold_table(
      *blobs, table, 128, [&] { return ++asked < 2; },
      [](const std::string&) { return Status::ok(); });
  EXPECT_EQ(stopped.code(), ErrorCode::kCancelled);
}

}  // namespace
}  // namespace tidegate
