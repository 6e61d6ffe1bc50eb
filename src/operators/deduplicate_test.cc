// SPDX-License-Identifier: Apache-2.0
#include "operators/deduplicate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/check.h"
#include "base/random.h"
#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const SchemaPtr& schema() {
  static const SchemaPtr kSchema = schema_of("k STRING, v BIGINT, t BIGINT");
  return kSchema;
}

Batch rows(std::string_view json) { return batch_of(schema(), json); }

DeduplicateOptions options(bool keep_last, bool by_event_time, Changelog changelog) {
  DeduplicateOptions all;
  for (const Field& field : schema()->fields()) all.types.push_back(field.type);
  all.keys = {0};
  all.keep_last = keep_last;
  all.by_event_time = by_event_time;
  all.time_column = by_event_time ? 2 : -1;
  all.changelog = changelog;
  return all;
}

OperatorFactory factory(DeduplicateOptions options) {
  return [options = std::move(options)] { return make_deduplicate(options); };
}

TEST(Deduplicate, FirstByArrival) {
  OperatorHarness harness(factory(options(false, false, Changelog::kAppend)));
  harness.push(rows(R"([["a", 1, 5], ["a", 2, 4], [null, 3, 1]])"));
  harness.restart();
  harness.push(rows(R"([["b", 4, 5], ["a", 5, 4], [null, 6, 1]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 1, 5]", "+I[null, 3, 1]", "+I[b, 4, 5]"));
}

TEST(Deduplicate, LastByArrivalAsAChangelog) {
  OperatorHarness harness(factory(options(true, false, Changelog::kRetract)));
  harness.push(with_event_times(rows(R"([["a", 1, 5], ["a", 2, 4], ["a", 2, 4]])"), {7, 8, 8}));
  harness.restart();
  harness.push(with_event_times(rows(R"([["a", 3, 1]])"), {2}));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 1, 5] @7", "-U[a, 1, 5] @7", "+U[a, 2, 4] @8",
                                               "-U[a, 2, 4] @8", "+U[a, 3, 1] @2"));
}

TEST(Deduplicate, LastByArrivalAsUpserts) {
  OperatorHarness harness(factory(options(true, false, Changelog::kUpsert)));
  harness.push(rows(R"([["a", 1, 5], ["b", 2, 4], ["a", 3, 4]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 1, 5]", "+I[b, 2, 4]", "+U[a, 3, 4]"));
}

TEST(Deduplicate, FirstByEventTimeMayChange) {
  OperatorHarness harness(factory(options(false, true, Changelog::kRetract)));
  harness.push(rows(R"([["a", 1, 5], ["a", 2, 6], ["a", 3, 5], ["a", 4, 2], ["a", 5, null]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 1, 5]", "-U[a, 1, 5]", "+U[a, 4, 2]"));
  EXPECT_EQ(harness.counter("rows_null_time"), 1);
}

TEST(Deduplicate, LastByEventTimeTakesTheLaterArrivalOfATie) {
  OperatorHarness harness(factory(options(true, true, Changelog::kUpsert)));
  harness.push(rows(R"([["a", 1, 5], ["a", 2, 4], ["a", 3, 5]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 1, 5]", "+U[a, 3, 5]"));
}

TEST(Deduplicate, FirstByEventTimeOnceItIsCertain) {
  OperatorHarness harness(factory(options(false, true, Changelog::kAppend)));
  harness.push(rows(R"([["a", 1, 15], ["b", 2, 12], ["a", 3, 12], ["a", 4, 12]])"));
  harness.advance(12);
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  harness.restart();
  harness.push(rows(R"([["b", 5, 10], ["d", 8, 11]])"));
  EXPECT_EQ(harness.counter("rows_late"), 1);
  harness.advance(13);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[d, 8, 11]", "+I[a, 3, 12]", "+I[b, 2, 12]"));
  harness.push(rows(R"([["a", 6, 14], ["c", 7, 99]])"));
  harness.finish();
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[c, 7, 99]"));
}

TEST(Deduplicate, SaysWhatItCannotDo) {
  EXPECT_EQ(make_deduplicate(options(true, false, Changelog::kAppend)).status().code(),
            ErrorCode::kInvalidArgument);
  OperatorHarness harness(factory(options(false, false, Changelog::kAppend)));
  EXPECT_EQ(harness.try_push(with_row_kinds(rows(R"([["a", 1, 5]])"), {RowKind::kDelete})).code(),
            ErrorCode::kInvalidPlan);
}

TEST(Deduplicate, KeysAreForgotten) {
  for (const bool by_time : {false, true}) {
    DeduplicateOptions forgetful = options(false, by_time, Changelog::kAppend);
    forgetful.ttl_ms = 100;
    OperatorHarness harness(factory(forgetful));
    harness.push(rows(R"([["a", 1, 5], ["b", 2, 5]])"));
    harness.advance(6);
    EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 1, 5]", "+I[b, 2, 5]"));
    harness.advance_clock_to(60);
    harness.push(rows(R"([["a", 3, 6]])"));  // keeps nothing, so prolongs nothing
    harness.restart();
    harness.advance_clock_to(99);
    harness.push(rows(R"([["a", 4, 6]])"));
    harness.advance(7);
    EXPECT_THAT(harness.take_rows(), IsEmpty());
    harness.advance_clock_to(100);
    harness.push(rows(R"([["a", 5, 7], ["a", 6, 7]])"));
    harness.advance(8);
    EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 5, 7]"));
  }
  DeduplicateOptions last = options(true, false, Changelog::kRetract);
  last.ttl_ms = 100;
  OperatorHarness harness(factory(last));
  harness.push(rows(R"([["a", 1, 5]])"));
  harness.advance_clock_to(60);
  harness.push(rows(R"([["a", 2, 5]])"));
  harness.advance_clock_to(159);
  harness.push(rows(R"([["a", 3, 5]])"));
  harness.advance_clock_to(259);
  harness.push(rows(R"([["a", 4, 5]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 1, 5]", "-U[a, 1, 5]", "+U[a, 2, 5]",
                                               "-U[a, 2, 5]", "+U[a, 3, 5]", "+I[a, 4, 5]"));
}

TEST(Deduplicate, WhatIsWaitingIsNotForgotten) {
  DeduplicateOptions forgetful = options(false, true, Changelog::kAppend);
  forgetful.ttl_ms = 100;
  OperatorHarness harness(factory(forgetful));
  harness.push(rows(R"([["a", 1, 5]])"));
  harness.advance_clock_to(500);
  harness.restart();
  harness.advance(6);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 1, 5]"));
  harness.advance_clock_to(599);
  harness.push(rows(R"([["a", 2, 9]])"));
  harness.finish();
  EXPECT_THAT(harness.take_rows(), IsEmpty());
}

TEST(Deduplicate, RowsThatChangeNothingAreNotStoredAgain) {
  for (const bool keep_last : {false, true}) {
    OperatorHarness harness(factory(options(keep_last, false, Changelog::kRetract)));
    harness.push(rows(R"([["a", 1, 5], ["b", 1, 5]])"));
    harness.seal();
    harness.push(rows(R"([["a", 1, 5], ["b", 1, 5]])"));
    EXPECT_EQ(harness.state().dirty_bytes(), 0);
  }
}

TEST(Deduplicate, TimeGrain) {
  EXPECT_EQ(deduplicate_time_grain(options(false, true, Changelog::kAppend)).step_ms, 1);
  EXPECT_EQ(deduplicate_time_grain(options(false, true, Changelog::kRetract)).step_ms, 0);
}

/// The changes of one key's kept row, computed row by row.
std::vector<std::string> model(const std::vector<std::tuple<std::string, int, EventTime>>& all,
                               const DeduplicateOptions& options) {
  std::map<std::string, std::tuple<std::string, int, EventTime>> kept;
  std::vector<std::string> out;
  const auto change = [&](std::string_view kind, const auto& row) {
    out.push_back(
        fmt::format("{}[{}, {}, {}]", kind, std::get<0>(row), std::get<1>(row), std::get<2>(row)));
  };
  for (const auto& row : all) {
    const auto [found, is_new] = kept.try_emplace(std::get<0>(row), row);
    if (is_new) {
      change("+I", row);
      continue;
    }
    const EventTime before = options.by_event_time ? std::get<2>(found->second) : 0;
    const EventTime now = options.by_event_time ? std::get<2>(row) : 0;
    if (row == found->second && !options.by_event_time) continue;
    if (options.keep_last ? now < before : now >= before) continue;
    if (options.changelog == Changelog::kRetract) change("-U", found->second);
    change("+U", row);
    found->second = row;
  }
  return out;
}

TEST(Deduplicate, AgreesWithTheModelUnderChaos) {
  Random random(11);
  std::vector<std::tuple<std::string, int, EventTime>> all;
  Script script;
  for (int step = 0; step < 15; ++step) {
    std::string json;
    for (int i = 0; i < 7; ++i) {
      all.emplace_back(fmt::format("k{}", random.below(4)), random.below(3), random.below(9));
      json += fmt::format(R"({}["{}", {}, {}])", i > 0 ? "," : "", std::get<0>(all.back()),
                          std::get<1>(all.back()), std::get<2>(all.back()));
    }
    script.push_back({0, rows("[" + json + "]"), kMinWatermark});
  }
  for (const bool keep_last : {false, true}) {
    for (const bool by_event_time : {false, true}) {
      for (const Changelog changelog : {Changelog::kRetract, Changelog::kUpsert}) {
        const DeduplicateOptions all_options = options(keep_last, by_event_time, changelog);
        EXPECT_EQ(expect_same_under_chaos(factory(all_options), script, true, 1),
                  model(all, all_options));
      }
    }
  }
}

TEST(Deduplicate, CertainFirstRowsDoNotDependOnCuts) {
  Random random(12);
  Script script;
  std::map<std::string, std::pair<EventTime, int>> first;
  EventTime watermark = 0;
  for (int id = 0; id < 100; ++id) {
    const std::string key = fmt::format("k{}", random.below(12));
    const EventTime time = id + static_cast<EventTime>(random.below(20));
    script.push_back({0, rows(fmt::format(R"([["{}", {}, {}]])", key, id, time)), kMinWatermark});
    if (time >= watermark - 1) {
      const auto [found, is_new] = first.try_emplace(key, time, id);
      const bool emitted = !is_new && found->second.first < watermark;
      if (!emitted && time < found->second.first) found->second = {time, id};
    }
    if (id % 10 == 9) script.push_back({0, {}, watermark = id - 5});
  }
  std::vector<std::string> expected;
  for (const auto& [key, row] : first) {
    expected.push_back(fmt::format("+I[{}, {}, {}]", key, row.second, row.first));
  }
  std::vector<std::string> got =
      expect_same_under_chaos(factory(options(false, true, Changelog::kAppend)), script, true, 2);
  std::ranges::sort(got);
  std::ranges::sort(expected);
  EXPECT_EQ(got, expected);
}

TEST(Deduplicate, KeysGoWithTheWatermark) {
  DeduplicateOptions in_time = options(false, false, Changelog::kAppend);
  in_time.late_column = 2;
  in_time.keep_ms = 10;
  OperatorHarness harness(factory(in_time));
  harness.push(rows(R"([["a", 1, 100], ["a", 2, 105], [null, 3, 100]])"));
  harness.advance(109);
  harness.push(rows(R"([["a", 4, 110], ["b", 5, 109], ["c", 6, 110], ["d", 7, null]])"));
  harness.restart();
  harness.advance(110);
  harness.push(rows(R"([["a", 8, 111], ["c", 9, 112]])"));
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[a, 1, 100]", "+I[null, 3, 100]", "+I[c, 6, 110]", "+I[a, 8, 111]"))
      << "a repetition prolongs nothing, and a row at the watermark is late";
}

TEST(Deduplicate, NothingIsLateWhereKeysStayForEver) {
  DeduplicateOptions in_time = options(false, false, Changelog::kAppend);
  in_time.late_column = 2;
  OperatorHarness harness(factory(in_time));
  harness.push(rows(R"([["a", 1, 100]])"));
  harness.advance(1000);
  harness.push(rows(R"([["a", 2, 1001], ["b", 3, 1000], ["b", 4, 1001]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 1, 100]", "+I[b, 3, 1000]"));
}

}  // namespace
}  // namespace tidegate
