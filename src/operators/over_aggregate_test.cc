// SPDX-License-Identifier: Apache-2.0
#include "operators/over_aggregate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include "base/check.h"
#include "base/random.h"
#include "operators/over_test_model.h"

namespace tidegate::over_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kRows[] = R"([["a", 5, 1, 1], ["a", 3, 2, 2], ["b", 5, 4, 3], ["a", 5, 8, 4],
                             ["a", 9, null, 5]])";

TEST(OverAggregate, PeersOfARangeHaveEqualResults) {
  OperatorHarness harness(factory(options(OverOrder::kEventTime, {},
                                          {aggregate("SUM"),
                                           {.kind = Kind::kRank},
                                           {.kind = Kind::kDenseRank},
                                           {.kind = Kind::kRowNumber}})));
  harness.push(rows(kRows));
  harness.advance(5);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 3, 2, 2, 2, 1, 1, 1]"));
  harness.restart();
  harness.push(rows(R"([["a", 4, 100, 6], ["a", null, 100, 7]])"));
  harness.advance(6);
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[a, 5, 1, 1, 11, 2, 2, 2]", "+I[a, 5, 8, 4, 11, 2, 2, 3]",
                          "+I[b, 5, 4, 3, 4, 1, 1, 1]"));
  harness.finish();
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 9, null, 5, 11, 4, 3, 4]"));
  EXPECT_EQ(harness.counter("rows_late"), 1);
  EXPECT_EQ(harness.counter("rows_null_time"), 1);
}

TEST(OverAggregate, LagLooksAtTheRowBefore) {
  OperatorHarness harness(factory(options(OverOrder::kEventTime, {.unit = Unit::kRows},
                                          {lag(1), aggregate("COUNT"), lag(2, 3), lag(0)})));
  harness.push(rows(kRows));
  harness.advance(5);
  harness.restart();
  harness.finish();
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[a, 3, 2, 2, null, 1, 2, 2]", "+I[a, 5, 1, 1, 2, 2, 1, 1]",
                          "+I[a, 5, 8, 4, 1, 3, 2, 8]", "+I[b, 5, 4, 3, null, 1, 3, 4]",
                          "+I[a, 9, null, 5, 8, 3, 1, null]"));
}

TEST(OverAggregate, InTheOrderOfArrivalRowsComeOutAtOnce) {
  OperatorHarness harness(
      factory(options(OverOrder::kArrival, {.unit = Unit::kRows, .preceding = 1},
                      {aggregate("SUM"), {.kind = Kind::kRank}})));
  harness.push(with_event_times(rows(kRows), {1, 2, 3, 4, 5}));
  EXPECT_THAT(
      harness.take_rows(),
      ElementsAre("+I[a, 5, 1, 1, 1, 1] @1", "+I[a, 3, 2, 2, 3, 2] @2", "+I[b, 5, 4, 3, 4, 1] @3",
                  "+I[a, 5, 8, 4, 10, 3] @4", "+I[a, 9, null, 5, 8, 4] @5"));
}

TEST(OverAggregate, AnIntervalOfProcessingTime) {
  OverAggregateOptions over = options(OverOrder::kArrival, {.preceding = 10}, {aggregate("SUM")});
  OperatorHarness harness(factory(over));
  harness.push(rows(R"([["a", 0, 1, 1], ["b", 0, 2, 2]])"));
  harness.push(rows(R"([["a", 0, 3, 3]])"));
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  harness.advance_clock_to(1);
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[a, 0, 1, 1, 4]", "+I[a, 0, 3, 3, 4]", "+I[b, 0, 2, 2, 2]"));
  harness.advance_clock_to(10);
  harness.push(rows(R"([["a", 0, 5, 4]])"));
  harness.restart();
  harness.advance_clock_to(11);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 0, 5, 4, 9]"));
  harness.push(rows(R"([["a", 0, 7, 5], ["b", 0, 7, 6]])"));
  harness.finish();
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 0, 7, 5, 12]", "+I[b, 0, 7, 6, 7]"));
}

TEST(OverAggregate, InABoundedFrameARowIsLateBehindItsKey) {
  OverAggregateOptions over =
      options(OverOrder::kEventTime, {.unit = Unit::kRows, .preceding = 1}, {aggregate("SUM")});
  over.late_output = 2;
  OperatorHarness harness(factory(over));
  harness.push(rows(R"([["a", 5, 1, 1], ["b", 9, 2, 2]])"));
  harness.advance(10);
  harness.take_rows();
  harness.restart();
  harness.push(rows(R"([["a", 7, 3, 3], ["b", 9, 4, 4], ["b", 8, 5, 5], ["c", 1, 6, 6],
                        ["a", 6, 7, 7], ["b", null, 8, 8]])"));
  harness.advance(11);
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[c, 1, 6, 6, 6]", "+I[a, 6, 7, 7, 8]", "+I[a, 7, 3, 3, 10]"));
  EXPECT_THAT(harness.take_side(2), ElementsAre("+I[b, 9, 4, 4]", "+I[b, 8, 5, 5]"));
  EXPECT_EQ(harness.counter("rows_late"), 2);
  EXPECT_EQ(harness.counter("rows_null_time"), 1);
}

TEST(OverAggregate, KeysAreForgottenWithTheirFrames) {
  OperatorHarness harness(
      factory(options(OverOrder::kEventTime, {.preceding = 10}, {aggregate("SUM")})));
  std::int64_t first = 0;
  for (int round = 0; round < 30; ++round) {
    for (int i = 0; i < 50; ++i) {
      harness.push(rows(fmt::format(R"([["{}", {}, 1, 1]])", round * 100 + i, round * 20)));
    }
    harness.advance(round * 20 + 11);
    if (round == 0) first = harness.state().memory_bytes();
  }
  EXPECT_LT(harness.state().memory_bytes(), 4 * first);
  harness.restart();
  harness.push(rows(R"([["2949", 591, 5, 1], ["2949", 591, 7, 1]])"));
  harness.take_rows();
  harness.finish();
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[2949, 591, 5, 1, 12]", "+I[2949, 591, 7, 1, 12]"))
      << "580 is 11 before";
  harness.seal();
  EXPECT_LT(harness.state().memory_bytes(), 1000);
}

TEST(OverAggregate, KeysAgeOut) {
  for (const OverFrame frame : {OverFrame{}, OverFrame{Unit::kRows, 5}}) {
    OverAggregateOptions forgetful = options(OverOrder::kArrival, frame, {aggregate("SUM")});
    forgetful.ttl_ms = 100;
    OperatorHarness harness(factory(forgetful));
    harness.push(rows(R"([["a", 0, 1, 1], ["b", 0, 1, 1]])"));
    harness.advance_clock_to(60);
    harness.push(rows(R"([["a", 0, 2, 1]])"));
    harness.restart();
    harness.advance_clock_to(120);
    harness.take_rows();
    harness.push(rows(R"([["a", 0, 3, 1], ["b", 0, 3, 1]])"));
    EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 0, 3, 1, 6]", "+I[b, 0, 3, 1, 3]"));
  }
}

TEST(OverAggregate, SaysWhatItCannotDo) {
  const auto code = [](const OverAggregateOptions& all) {
    return make_over_aggregate(all).status().code();
  };
  EXPECT_EQ(code(options(OverOrder::kEventTime, {.following = 5}, {})), ErrorCode::kNotSupported);
  EXPECT_EQ(code(options(OverOrder::kAtEnd, {.preceding = 5}, {})), ErrorCode::kNotSupported)
      << "v is no time";
  EXPECT_EQ(code(options(OverOrder::kColumns, {.preceding = 5}, {})), ErrorCode::kNotSupported);
  EXPECT_EQ(code(options(OverOrder::kColumns, {}, {lag(1)})), ErrorCode::kNotSupported);
  EXPECT_EQ(code(options(OverOrder::kEventTime, {}, {lag(-1)})), ErrorCode::kInvalidArgument);
  const Status lead =
      make_over_aggregate(options(OverOrder::kEventTime, {}, {{.kind = Kind::kLead}})).status();
  EXPECT_EQ(lead.code(), ErrorCode::kNotSupported);
  EXPECT_THAT(lead.to_string(), ::testing::HasSubstr("LEAD"));
  OperatorHarness harness(factory(options(OverOrder::kEventTime, {}, {})));
  EXPECT_EQ(
      harness.try_push(with_row_kinds(rows(R"([["a", 1, 1, 1]])"), {RowKind::kDelete})).code(),
      ErrorCode::kInvalidPlan);
}

struct Row {
  std::string key;
  EventTime time = 0;
  std::optional<std::int64_t> value;
  std::int64_t id = 0;
  RowKind kind = RowKind::kInsert;
};

std::string text(const std::optional<std::int64_t>& value) {
  return value ? std::to_string(*value) : "null";
}

Batch batch_of_rows(const std::vector<Row>& all) {
  std::string json;
  std::vector<RowKind> kinds;
  for (const Row& row : all) {
    json += fmt::format(R"({}["{}", {}, {}, {}])", json.empty() ? "" : ",", row.key, row.time,
                        text(row.value), row.id);
    kinds.push_back(row.kind);
  }
  const Batch batch = rows("[" + json + "]");
  const bool inserts =
      std::ranges::all_of(kinds, [](RowKind kind) { return kind == RowKind::kInsert; });
  return inserts ? batch : with_row_kinds(batch, kinds);
}

/// SUM, COUNT and MAX of rows [begin, end).
std::string aggregates(const std::vector<Row>& of, std::size_t begin, std::size_t end) {
  std::optional<std::int64_t> sum;
  std::optional<std::int64_t> max;
  std::int64_t count = 0;
  for (std::size_t i = begin; i < end; ++i) {
    if (!of[i].value) continue;
    ++count;
    sum = sum.value_or(0) + *of[i].value;
    max = std::max(max.value_or(INT64_MIN), *of[i].value);
  }
  return fmt::format("{}, {}, {}", text(sum), count, text(max));
}

/// Results by event time of all rows of one key, which are in order.
std::vector<std::string> by_time(const std::vector<Row>& of, const OverFrame& frame) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < of.size(); ++i) {
    std::size_t end = i + 1;
    while (frame.unit == Unit::kRange && end < of.size() && of[end].time == of[i].time) ++end;
    std::size_t begin = 0;
    if (frame.preceding && frame.unit == Unit::kRows) {
      begin = i - std::min(i, static_cast<std::size_t>(*frame.preceding));
    } else if (frame.preceding) {
      while (of[begin].time < of[i].time - *frame.preceding) ++begin;
    }
    out.push_back(fmt::format("+I[{}, {}, {}, {}, {}, {}, {}]", of[i].key, of[i].time,
                              text(of[i].value), of[i].id, aggregates(of, begin, end), i + 1,
                              i < 3 ? std::to_string(of[i].id) : text(of[i - 3].value)));
  }
  return out;
}

TEST(OverAggregate, ByTimeAgreesWithTheModelUnderChaos) {
  Random random(21);
  Script script;
  std::map<std::string, std::vector<Row>> in_time;
  EventTime watermark = 0;
  for (int id = 0; id < 120; ++id) {
    Row row{std::string(1, static_cast<char>('a' + random.below(3))),
            id / 3 + static_cast<EventTime>(random.below(9)),
            static_cast<std::int64_t>(random.below(50)), id};
    if (*row.value % 7 == 0) row.value.reset();
    row.time = std::max(row.time, watermark);
    script.push_back({0, batch_of_rows({row}), kMinWatermark});
    in_time[row.key].push_back(row);
    if (id % 12 == 11) script.push_back({0, {}, watermark = id / 3 + 3});
  }
  const std::vector<OverFrame> frames = {{Unit::kRange, {}}, {Unit::kRange, 0}, {Unit::kRange, 4},
                                         {Unit::kRows, {}},  {Unit::kRows, 0},  {Unit::kRows, 3}};
  for (const OverFrame& frame : frames) {
    std::vector<std::string> expected;
    for (auto& [key, of] : in_time) {
      std::ranges::stable_sort(of, {}, &Row::time);
      std::ranges::move(by_time(of, frame), std::back_inserter(expected));
    }
    std::ranges::sort(expected);
    for (const bool retracting : {false, true}) {
      SCOPED_TRACE(fmt::format("{} {} {}", static_cast<int>(frame.unit),
                               frame.preceding.value_or(-1), retracting));
      const OverAggregateOptions over = options(OverOrder::kEventTime, frame,
                                                {aggregate("SUM", retracting),
                                                 aggregate("COUNT", retracting),
                                                 aggregate("MAX", retracting),
                                                 {.kind = Kind::kRowNumber},
                                                 lag(3, 3)});
      std::vector<std::string> got = expect_same_under_chaos(factory(over), script, true, 1);
      std::ranges::sort(got);
      EXPECT_EQ(got, expected);
    }
  }
}

/// One program of Flink's tests of OVER by a column: SUM(v) OVER (PARTITION BY k ORDER BY v).
TEST(OverAggregate, ByColumnsChangesAreTold) {
  for (const Unit unit : {Unit::kRows, Unit::kRange}) {
    OverAggregateOptions over = options(OverOrder::kColumns, {unit, {}}, {aggregate("SUM")});
    over.retracts = true;
    OperatorHarness harness(factory(over));
    harness.push(with_row_kinds(
        rows(R"([["a", 100, 1, 0], ["a", 200, 2, 0], ["a", 500, 5, 0], ["a", 600, 6, 0],
                 ["a", 200, 2, 0], ["a", 200, 3, 0], ["b", 100, 1, 0]])"),
        {RowKind::kInsert, RowKind::kInsert, RowKind::kInsert, RowKind::kInsert,
         RowKind::kUpdateBefore, RowKind::kUpdateAfter, RowKind::kInsert}));
    EXPECT_THAT(harness.take_rows(),
                ElementsAre("+I[a, 100, 1, 0, 1]", "+I[a, 200, 2, 0, 3]", "+I[a, 500, 5, 0, 8]",
                            "+I[a, 600, 6, 0, 14]", "-D[a, 200, 2, 0, 3]", "-U[a, 500, 5, 0, 8]",
                            "+U[a, 500, 5, 0, 6]", "-U[a, 600, 6, 0, 14]", "+U[a, 600, 6, 0, 12]",
                            "+U[a, 200, 3, 0, 4]", "-U[a, 500, 5, 0, 6]", "+U[a, 500, 5, 0, 9]",
                            "-U[a, 600, 6, 0, 12]", "+U[a, 600, 6, 0, 15]", "+I[b, 100, 1, 0, 1]"));
    harness.restart();
    harness.push(with_row_kinds(rows(R"([["a", 300, 5, 0], ["c", 1, 1, 0]])"),
                                {RowKind::kInsert, RowKind::kDelete}));
    EXPECT_EQ(harness.counter("rows_not_found"), 1);
    if (unit == Unit::kRows) {
      EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 300, 5, 0, 14]", "-U[a, 600, 6, 0, 15]",
                                                   "+U[a, 600, 6, 0, 20]"));
    } else {
      EXPECT_THAT(harness.take_rows(),
                  ElementsAre("-U[a, 500, 5, 0, 9]", "+U[a, 500, 5, 0, 14]", "+I[a, 300, 5, 0, 14]",
                              "-U[a, 600, 6, 0, 15]", "+U[a, 600, 6, 0, 20]"));
    }
  }
}

/// Results by value of all rows of one key, which are in order: by id.
std::map<std::int64_t, std::string> by_value(const std::vector<Row>& of, Unit unit) {
  std::map<std::int64_t, std::string> results;
  std::size_t first_peer = 0;
  std::int64_t dense = 0;
  for (std::size_t i = 0; i < of.size(); ++i) {
    if (i == 0 || of[i].value != of[i - 1].value) {
      first_peer = i;
      ++dense;
    }
    std::size_t end = i + 1;
    while (unit == Unit::kRange && end < of.size() && of[end].value == of[i].value) ++end;
    results[of[i].id] =
        fmt::format("[{}, {}, {}, {}, {}, {}, {}, {}]", of[i].key, of[i].time, text(of[i].value),
                    of[i].id, aggregates(of, 0, end), i + 1, first_peer + 1, dense);
  }
  return results;
}

/// What a change of a row tells: rows in order, each whose result has changed.
std::vector<std::string> changes_by_value(const std::vector<Row>& all, Unit unit,
                                          Changelog changelog) {
  std::map<std::string, std::vector<Row>> there;
  std::vector<std::string> out;
  const auto before = [](const Row& a, const Row& b) {
    return a.value.value_or(INT64_MIN) < b.value.value_or(INT64_MIN);
  };
  for (const Row& row : all) {
    std::vector<Row>& of = there[row.key];
    auto old_results = by_value(of, unit);
    std::vector<Row> order = of;  // with the row that has gone
    const auto same = [&](const Row& other) { return other.id == row.id; };
    const bool adds = row_kind_adds(row.kind);
    if (adds) {
      of.insert(std::ranges::upper_bound(of, row, before), row);
      order = of;
    } else {
      of.erase(std::ranges::find_if(of, same));
    }
    auto results = by_value(of, unit);
    for (const Row& each : order) {
      if (each.id == row.id) {
        out.push_back(adds ? std::string(row_kind_symbol(row.kind)) + results[each.id]
                           : "-D" + old_results[each.id]);
      } else if (old_results[each.id] != results[each.id]) {
        if (changelog == Changelog::kRetract) out.push_back("-U" + old_results[each.id]);
        out.push_back("+U" + results[each.id]);
      }
    }
  }
  return out;
}

TEST(OverAggregate, ByColumnsAgreesWithTheModelUnderChaos) {
  Random random(22);
  std::vector<Row> all;
  std::vector<Row> there;
  for (int id = 0; id < 150; ++id) {
    if (!there.empty() && random.below(5) < 2) {
      const std::size_t which = random.below(there.size());
      all.push_back(there[which]);
      all.back().kind = random.below(2) == 0 ? RowKind::kDelete : RowKind::kUpdateBefore;
      there.erase(there.begin() + static_cast<std::ptrdiff_t>(which));
      continue;
    }
    Row row{std::string(1, static_cast<char>('a' + random.below(2))), 0,
            static_cast<std::int64_t>(random.below(8)) - 2, id};
    if (*row.value == -2) row.value.reset();
    there.push_back(row);
    all.push_back(row);
    if (random.below(3) == 0) all.back().kind = RowKind::kUpdateAfter;
  }
  Script script;
  for (std::size_t i = 0; i < all.size(); i += 10) {
    const auto from = all.begin() + static_cast<std::ptrdiff_t>(i);
    script.push_back({0, batch_of_rows({from, from + 10}), kMinWatermark});
  }
  for (const Unit unit : {Unit::kRows, Unit::kRange}) {
    for (const Changelog changelog : {Changelog::kRetract, Changelog::kUpsert}) {
      OverAggregateOptions over = options(OverOrder::kColumns, {unit, {}},
                                          {aggregate("SUM"),
                                           aggregate("COUNT"),
                                           aggregate("MAX", false),
                                           {.kind = Kind::kRowNumber},
                                           {.kind = Kind::kRank},
                                           {.kind = Kind::kDenseRank}});
      over.retracts = true;
      over.changelog = changelog;
      EXPECT_EQ(expect_same_under_chaos(factory(over), script, true, 1),
                changes_by_value(all, unit, changelog));
    }
  }
}

TEST(OverAggregate, ManyRowsOfAKeyInAnyOrder) {
  OverAggregateOptions over = options(OverOrder::kColumns, {Unit::kRange, {}}, {aggregate("SUM")});
  OperatorHarness harness(factory(over));
  std::string json;
  for (int i = 0; i < 3000; ++i)
    json += fmt::format(R"({}["a", 0, {}, {}])", i > 0 ? "," : "", 10 + i / 10, i);
  harness.push(rows("[" + json + "]"));
  harness.take_rows();
  harness.restart();
  harness.push(rows(R"([["a", 0, 0, 7], ["a", 0, 400, 8], ["a", 0, 1, 9]])"));
  // Nothing changes by adding zero; everything behind 1 does.
  EXPECT_EQ(harness.take_rows().size(), 1u + 1 + 1 + 2 * 3001);
}

}  // namespace
}  // namespace tidegate::over_test
