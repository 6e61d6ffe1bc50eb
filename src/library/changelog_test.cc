// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "epoch/fold_deltas.h"
#include "epoch/test_records.h"
#include "library/changelog_format.h"
#include "library/changelog_reader.h"

namespace tidegate::library {
namespace {

using testing::HasSubstr;
using Rows = std::map<std::string, std::string>;

constexpr std::uint64_t kRun = 7;

/// A changelog as tests write it: messages with their offsets.
struct Log {
  std::vector<std::pair<std::int64_t, std::string>> messages;
  EpochId last = 0;
  std::int64_t end = 0;

  std::int64_t write(const EpochRecord& record, const std::vector<BaseSlice>& bases = {},
                     std::uint64_t run = kRun) {
    const std::int64_t begin = end;
    for (std::string& message : encode_changelog(run, last, record, bases))
      messages.emplace_back(end++, std::move(message));
    ++end;  // what ends a transaction takes an offset as well
    last = record.epoch;
    return begin;
  }
  void purge(std::int64_t offset) {
    std::erase_if(messages, [&](const auto& message) { return message.first < offset; });
  }
  Result<ChangelogReader::Restored> read() const { return read(ChangelogReader(), 0); }
  /// What comes after a local base.
  Result<ChangelogReader::Restored> read_behind(const BasePosition& base) const {
    return read(ChangelogReader(base), base.offset);
  }
  Result<ChangelogReader::Restored> read(ChangelogReader reader, std::int64_t from) const {
    for (const auto& [offset, message] : messages) {
      if (offset < from) continue;
      Status added = reader.add(offset, message);
      if (!added.is_ok()) return added;
    }
    return reader.finish();
  }
};

EpochRecord changes(EpochId epoch, const std::function<void(DeltaWriter&)>& write) {
  EpochRecord record = record_of(epoch, "", "");
  record.operators[0].deltas[0].bytes = delta({0, 128, 128}, write);
  return record;
}

BaseSlice base_of(EpochId as_of, KeyGroupRange groups,
                  const std::function<void(DeltaWriter&)>& write) {
  return {as_of, groups, {{"count", {as_of, "rows", delta(groups, write)}}}};
}

Rows rows_of(const Result<ChangelogReader::Restored>& restored) {
  EXPECT_TRUE(restored.is_ok()) << restored.status().to_string();
  if (!restored.is_ok() || !restored->record) return {};
  EpochRecord record = *restored->record;
  const Status folded = fold_state(record);
  EXPECT_TRUE(folded.is_ok()) << folded.to_string();
  if (record.operators[0].deltas.empty()) return {};
  return tidegate::rows_of(record.operators[0].deltas[0].bytes);
}

void expect_corrupt(const Result<ChangelogReader::Restored>& read, const std::string& what) {
  ASSERT_FALSE(read.is_ok());
  EXPECT_EQ(read.status().code(), ErrorCode::kStateCorrupt);
  EXPECT_THAT(read.status().message(), HasSubstr(what));
}

TEST(ChangelogTest, NothingWasEverCommitted) {
  const auto restored = Log().read();
  ASSERT_TRUE(restored.is_ok());
  EXPECT_FALSE(restored->record);
}

TEST(ChangelogTest, GivesBackTheLastEpochWithAllOfTheState) {
  Log log;
  log.write(record_of(1, "a", "1"));
  log.write(record_of(4, "b", "2"));
  EpochRecord quiet = record_of(5, "", "");
  quiet.operators[0].deltas.clear();
  quiet.sources[0].open[0].position = "18";
  quiet.mode_state = "mode";
  log.write(quiet);
  const auto restored = log.read();
  EXPECT_EQ(rows_of(restored), (Rows{{"0:a", "1"}, {"0:b", "2"}}));
  EXPECT_EQ(restored->record->epoch, 5u);
  EXPECT_EQ(restored->record->sources[0].open[0].position, "18");
  EXPECT_EQ(restored->record->operators[0].subtasks[0].watermark, 5);
  EXPECT_EQ(restored->record->mode_state, "mode");
  EXPECT_TRUE(restored->record->committables.empty());
  EXPECT_EQ(restored->index.last(), 5u);
}

TEST(ChangelogTest, ALargeEpochComesInParts) {
  Log log;
  const std::string large(1'500'000, 'x');
  log.write(record_of(1, "a", large));
  EXPECT_EQ(log.messages.size(), 4u);
  for (const auto& message : log.messages) EXPECT_LT(message.second.size(), 600'000u);
  EXPECT_EQ(rows_of(log.read()), (Rows{{"0:a", large}}));

  for (std::size_t lost = 0; lost < 4; ++lost) {
    Log holed = log;
    holed.messages.erase(holed.messages.begin() + static_cast<std::ptrdiff_t>(lost));
    expect_corrupt(holed.read(), lost == 3 ? "not whole" : "does not follow");
  }
}

TEST(ChangelogTest, ABaseMakesWhatIsInFrontSuperfluous) {
  Log log;
  log.write(changes(1, [](DeltaWriter& out) {
    out.put(0, kLow, "gone", "1");
    out.put(0, kLow, "low", "1");
    out.put(0, kHigh, "high", "1");
  }));
  log.write(changes(2, [](DeltaWriter& out) { out.erase(0, kLow, "gone"); }));
  const std::int64_t third =
      log.write(changes(3, [](DeltaWriter& out) { out.put(0, kLow, "low", "3"); }),
                {base_of(2, {0, 64, 128}, [](DeltaWriter& out) { out.put(0, kLow, "low", "1"); })});
  EXPECT_FALSE(log.read()->index.purge());  // the upper half has no base
  log.write(changes(4, [](DeltaWriter& out) { out.put(0, kHigh, "new", "4"); }),
            {base_of(2, {64, 128, 128}, [](DeltaWriter& out) { out.put(0, kHigh, "high", "1"); })});
  const Rows all{{"0:low", "3"}, {"0:high", "1"}, {"0:new", "4"}};
  auto restored = log.read();
  EXPECT_EQ(rows_of(restored), all);
  const std::int64_t bytes = restored->index.bytes();
  EXPECT_EQ(restored->index.purge(), third);
  EXPECT_LT(restored->index.bytes(), bytes);
  EXPECT_FALSE(restored->index.purge());
  log.purge(third);
  EXPECT_EQ(rows_of(log.read()), all);

  log.purge(third + 1);
  expect_corrupt(log.read(), "does not follow");
}

TEST(ChangelogTest, OnlyWhatComesAfterALocalBaseIsRead) {
  Log log;
  log.write(record_of(1, "a", "1"));
  BasePosition base{2, kRun, log.end, 0, 1000, 100, {{"count", "rows"}}};
  log.write(record_of(2, "b", "2"));
  const auto nothing_new = log.read_behind(base);
  EXPECT_EQ(rows_of(nothing_new), Rows());
  EXPECT_EQ(nothing_new->record->epoch, 2u);
  EXPECT_EQ(nothing_new->run, kRun);
  // A slice of a base says what the rows say that are there.
  const std::int64_t fourth = log.write(
      record_of(4, "c", "4"),
      {base_of(1, {0, 64, 128}, [](DeltaWriter& out) { out.put(0, kLow, "a", "1"); })}, 8);
  const auto restored = log.read_behind(base);
  EXPECT_EQ(rows_of(restored), (Rows{{"0:c", "4"}}));
  EXPECT_EQ(restored->record->epoch, 4u);
  EXPECT_EQ(restored->run, 8u);
  EXPECT_EQ(restored->tables, base.tables);
  EXPECT_EQ(restored->index.last(), 4u);
  EXPECT_EQ(restored->index.last_offset(), fourth);
  EXPECT_GT(restored->index.bytes(), 1000);
  // What is in front goes when there is a base for all of it, and no sooner.
  ChangelogIndex index = restored->index;
  EXPECT_FALSE(index.purge());
  index.add(5, 4, log.end, 10);
  index.add(base_of(4, {64, 128, 128}, [](DeltaWriter&) {}));
  EXPECT_FALSE(index.purge());
  index.add(base_of(4, {0, 64, 128}, [](DeltaWriter&) {}));
  EXPECT_EQ(index.purge(), log.end);

  const auto refused = [&](const BasePosition& elsewhere) {
    return log.read_behind(elsewhere).status().code() == ErrorCode::kStateMismatch;
  };
  BasePosition other = base;
  other.run = 9;
  EXPECT_TRUE(refused(other)) << "somebody else's epoch 2";
  other = base;
  other.epoch = 3;
  EXPECT_TRUE(refused(other));
  other = base;
  ++other.offset;
  EXPECT_TRUE(refused(other)) << "in the middle of an epoch";
}

TEST(ChangelogTest, AnOlderBaseOfTheSameKeyGroupsDoesNotCount) {
  Log log;
  log.write(record_of(1, "low", "1"));
  const std::int64_t second =
      log.write(changes(2, [](DeltaWriter&) {}), {base_of(1, {0, 128, 128}, [](DeltaWriter& out) {
                  out.put(0, kLow, "low", "1");
                  out.put(0, kHigh, "high", "1");
                })});
  log.write(changes(3, [](DeltaWriter& out) { out.erase(0, kLow, "low"); }));
  const std::int64_t fourth =
      log.write(changes(4, [](DeltaWriter&) {}), {base_of(3, {0, 64, 128}, [](DeltaWriter&) {})});
  EXPECT_EQ(rows_of(log.read()), (Rows{{"0:high", "1"}}));
  EXPECT_EQ(log.read()->index.purge(), second);
  log.purge(fourth);  // too much: the base of the upper half is gone
  expect_corrupt(log.read(), "there is no base");
}

TEST(ChangelogTest, AnEpochThatIsMissingIsNoticed) {
  Log log;
  log.write(record_of(1, "a", "1"));
  log.write(record_of(2, "b", "2"));
  log.write(record_of(3, "c", "3"));
  Log holed = log;
  holed.messages.erase(holed.messages.begin() + 2, holed.messages.begin() + 4);
  expect_corrupt(holed.read(), "epoch 3 follows on epoch 1, but says that it follows on 2");
  log.messages.erase(log.messages.begin(), log.messages.begin() + 2);
  expect_corrupt(log.read(), "begins behind epoch 1");
}

TEST(ChangelogTest, TheMessagesOfTwoRunsMayStandMixed) {
  Log first, second;
  first.write(record_of(1, "a", std::string(600'000, 'a')), {}, 1);
  second.last = 1;
  second.write(record_of(2, "b", std::string(600'000, 'b')), {}, 2);
  Log both;
  for (std::size_t i = 0; i < 3; ++i) {
    both.messages.push_back(first.messages[i]);
    both.messages.push_back(second.messages[i]);
  }
  EXPECT_EQ(rows_of(both.read()).size(), 2u);
  // But both cannot have written the same epoch.
  Log twice;
  twice.write(record_of(1, "a", "1"), {}, 1);
  twice.last = 0;
  twice.write(record_of(1, "a", "1"), {}, 2);
  expect_corrupt(twice.read(), "epoch 1 follows on epoch 1");
}

TEST(ChangelogTest, WhatIsDamagedOrForeignIsRefused) {
  Log log;
  log.write(record_of(1, "a", "1"),
            {base_of(0, {0, 64, 128}, [](DeltaWriter& out) { out.put(0, kLow, "x", "y"); })});
  for (std::size_t at = 0; at < log.messages.size(); ++at) {
    const std::string whole = log.messages[at].second;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      Log broken = log;
      broken.messages[at].second[i] ^= 4;
      expect_corrupt(broken.read(), "damaged");
      broken.messages[at].second = whole.substr(0, i);
      expect_corrupt(broken.read(), "damaged");
    }
  }
  log.messages.emplace_back(9, R"({"somebody": "else's"})");
  expect_corrupt(log.read(), "damaged");
}

}  // namespace
}  // namespace tidegate::library
