// SPDX-License-Identifier: Apache-2.0
#include "epoch/checkpoint_folder.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/clock.h"
#include "base/memory_file_system.h"
#include "epoch/fold_deltas.h"
#include "epoch/record_codec.h"
#include "state/delta.h"

namespace tidegate {
namespace {

/// The hash of a key in the lower or upper half of the key groups.
constexpr std::uint64_t kLow = 1;
constexpr std::uint64_t kHigh = std::uint64_t{1} << 63;

std::string delta(KeyGroupRange writer, const std::function<void(DeltaWriter&)>& write) {
  DeltaWriter out("bytes", writer);
  write(out);
  return out.finish();
}

std::map<std::string, std::string> rows_of(const StateDelta& delta) {
  std::map<std::string, std::string> rows;
  DeltaReader reader = *DeltaReader::open(delta.bytes);
  DeltaRecord record;
  while (*reader.next(record)) {
    EXPECT_EQ(record.kind, DeltaRecord::Kind::kPut);
    rows[std::to_string(record.name_space) + ":" + std::string(record.key)] = record.value;
  }
  return rows;
}

EpochRecord record_of(EpochId epoch, std::string key, std::string value) {
  EpochRecord record;
  record.epoch = epoch;
  record.sources.emplace_back().uid = "source";
  SplitState& split = record.sources[0].open.emplace_back();
  split.split = {"a.json", "payload"};
  split.position = "17";
  record.sources[0].known = {"a.json"};
  OperatorState state;
  state.uid = "count";
  state.subtasks.push_back({.watermark = 5});
  state.deltas.push_back({epoch, "rows", delta({0, 128, 128}, [&](DeltaWriter& out) {
                            out.put(0, kLow, key, value);
                          })});
  record.operators.push_back(std::move(state));
  record.committables.push_back({"sink", 1, "file-" + std::to_string(epoch)});
  return record;
}

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
  EXPECT_EQ(rows_of(folded[0]),
            (std::map<std::string, std::string>{{"10:a", "2"}, {"10:z", "1"}, {"20:a", "1"}}));

  // A dropped namespace takes the rows of its writer only.
  std::vector<StateDelta> more = folded;
  more.push_back({3, "t", delta(low, [](DeltaWriter& out) {
                    out.drop(10);
                    out.put(10, kLow, "c", "3");
                  })});
  EXPECT_EQ(rows_of((*fold_deltas(more, 3, 128))[0]),
            (std::map<std::string, std::string>{{"10:c", "3"}, {"10:z", "1"}, {"20:a", "1"}}));
}

class CheckpointFolderTest : public testing::Test {
 protected:
  VirtualClock clock_{1000};
  MemoryFileSystem files_{clock_};
  CheckpointFolder folder_{files_, "job"};
};

TEST_F(CheckpointFolderTest, GoesOnFromTheLastEpoch) {
  EXPECT_FALSE(folder_.load()->has_value());
  ASSERT_TRUE(folder_.commit(record_of(1, "a", "1")).is_ok());
  ASSERT_TRUE(folder_.commit(record_of(2, "a", "2")).is_ok());
  const EpochRecord record = **folder_.load();
  EXPECT_EQ(record.epoch, 2);
  EXPECT_EQ(record.operators[0].deltas.size(), 2u);
  EXPECT_EQ(record.committables[0].bytes, "file-2");
}

TEST_F(CheckpointFolderTest, FoldsWhenChangesOutweighTheBase) {
  const std::string large(3 << 20, 'x');
  for (EpochId epoch = 1; epoch <= 5; ++epoch) {
    ASSERT_TRUE(folder_.commit(record_of(epoch, "key", large)).is_ok());
  }
  const EpochRecord record = **folder_.load();
  EXPECT_EQ(record.epoch, 5);
  EXPECT_LE(record.operators[0].deltas.size(), 2u);
  EXPECT_LE(files_.list("job")->size(), 2u);
}

TEST_F(CheckpointFolderTest, AWriteThatFailsChangesNothing) {
  ASSERT_TRUE(folder_.commit(record_of(1, "a", "1")).is_ok());
  for (const FileOperation fails : {FileOperation::kCreate, FileOperation::kAppend,
                                    FileOperation::kSync, FileOperation::kRename}) {
    files_.set_fault([&](FileOperation operation, std::string_view) {
      return operation == fails ? Status(ErrorCode::kFileIo, "planted") : Status::ok();
    });
    EXPECT_FALSE(folder_.commit(record_of(2, "a", "2")).is_ok());
    files_.set_fault({});
    EXPECT_EQ((*folder_.load())->epoch, 1);
  }
}

TEST_F(CheckpointFolderTest, SaysWhichFileIsDamagedOrMissing) {
  for (EpochId epoch = 1; epoch <= 3; ++epoch) {
    ASSERT_TRUE(folder_.commit(record_of(epoch, "a", "1")).is_ok());
  }
  const std::string second = (*files_.list("job"))[1].path;
  const std::string content = *read_file(files_, second);
  ASSERT_TRUE(write_file_atomically(files_, second, content.substr(0, 40)).is_ok());
  auto damaged = folder_.load();
  EXPECT_EQ(damaged.status().code(), ErrorCode::kStateCorrupt);
  EXPECT_NE(damaged.status().message().find(second), std::string::npos);

  ASSERT_TRUE(files_.remove(second).is_ok());
  auto missing = folder_.load();
  EXPECT_EQ(missing.status().code(), ErrorCode::kStateCorrupt);
  EXPECT_NE(missing.status().message().find("missing"), std::string::npos);

  ASSERT_TRUE(folder_.clear().is_ok());
  EXPECT_FALSE(folder_.load()->has_value());
}

TEST_F(CheckpointFolderTest, SavepointsHoldEverything) {
  ASSERT_TRUE(folder_.commit(record_of(1, "a", "1")).is_ok());
  ASSERT_TRUE(folder_.commit(record_of(2, "b", "2")).is_ok());
  ASSERT_TRUE(write_savepoint(files_, "mine", **folder_.load()).is_ok());
  EpochRecord record = *read_savepoint(files_, "mine");
  ASSERT_EQ(record.operators[0].deltas.size(), 1u);
  EXPECT_EQ(rows_of(record.operators[0].deltas[0]),
            (std::map<std::string, std::string>{{"0:a", "1"}, {"0:b", "2"}}));
  EXPECT_EQ(read_savepoint(files_, "nowhere").status().code(), ErrorCode::kFileNotFound);

  // A job that starts from it keeps it as the base of its own epochs.
  CheckpointFolder other(files_, "other");
  ASSERT_TRUE(other.begin_from(record).is_ok());
  ASSERT_TRUE(other.commit(record_of(3, "c", "3")).is_ok());
  record = **other.load();
  EXPECT_EQ(record.epoch, 3);
  EXPECT_EQ(record.operators[0].deltas.size(), 2u);
}

TEST(LocalFolderTest, TakesPathsAndFileUris) {
  EXPECT_EQ(*local_folder("a/b"), "a/b");
  EXPECT_EQ(*local_folder("file:///a/b"), "/a/b");
  EXPECT_EQ(local_folder("s3://bucket/a").status().code(), ErrorCode::kNotSupported);
}

}  // namespace
}  // namespace tidegate
