// SPDX-License-Identifier: Apache-2.0
//
// Triggers, evictors and functions over whole windows, through the test driver.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "tidegate/test_driver.h"
#include "tidegate/tidegate.h"

namespace tidegate {

struct Visit {
  std::string url;
  std::int64_t size;
  Timestamp ts;
  friend bool operator==(const Visit&, const Visit&) = default;
};
BOOST_DESCRIBE_STRUCT(Visit, (), (url, size, ts))

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr Timestamp at(std::int64_t seconds) { return Timestamp(seconds * 1000); }

/// "url start-end: sizes", in seconds.
struct ListSizes {
  void process(const std::vector<Visit>& rows, WindowContext<std::string, std::string>& context) {
    std::string sizes;
    for (const Visit& hit : rows) sizes += " " + std::to_string(hit.size);
    context.emit(context.key() + " " + std::to_string(context.window().start.ms / 1000) + "-" +
                 std::to_string(context.window().end.ms / 1000) + ":" + sizes);
  }
};
/// The same without the window, for windows of rows.
struct ListRows {
  void process(const std::vector<Visit>& rows, WindowContext<std::string, std::string>& context) {
    std::string sizes = context.key() + ":";
    for (const Visit& hit : rows) sizes += " " + std::to_string(hit.size);
    context.emit(sizes);
  }
};

class WindowTest : public testing::Test {
 protected:
  KeyedStream<std::string, Visit> visits() {
    return app_.source<Visit>(connector("test").named("visits"))
        .event_time(&Visit::ts, bounded_disorder(0s))
        .key_by(&Visit::url);
  }
  static ConnectorSpec out(const std::string& name = "out") {
    return connector("test").named(name);
  }
  /// What comes out for these rows, however they are cut into batches and with a restart between
  /// any two of them.
  std::vector<std::string> answer(const std::vector<Visit>& rows) {
    std::vector<std::string> first;
    for (const bool whole : {true, false}) {
      TestDriver driver(app_);
      if (whole) driver.push("visits", rows);
      for (const Visit& row : whole ? std::vector<Visit>() : rows) {
        driver.push("visits", row);
        driver.end_epoch();
        driver.restart();
      }
      driver.end_input();
      EXPECT_TRUE(driver.status().is_ok()) << driver.status().to_string();
      const std::vector<std::string> rows_out = driver.read<std::string>("out");
      if (whole) {
        first = rows_out;
      } else {
        EXPECT_EQ(rows_out, first);
      }
    }
    return first;
  }

  App app_{"test"};
};

TEST_F(WindowTest, AFunctionSeesAllRowsOnce) {
  visits().window(tumbling(10s)).process<std::string>(ListSizes()).sink(out());
  EXPECT_THAT(answer({{"a", 1, at(1)}, {"b", 2, at(2)}, {"a", 3, at(9)}, {"a", 4, at(10)}}),
              ElementsAre("a 0-10: 1 3", "b 0-10: 2", "a 10-20: 4"));
}

TEST_F(WindowTest, AFunctionWaitsForTheGraceAndLateRowsGoAside) {
  const SideOutput<Visit> late{"late"};
  const Stream<std::string> lists = visits()
                                        .window(tumbling(10s), grace(5s))
                                        .late_to(late)
                                        .process<std::string>(ListSizes(), as("lists"));
  lists.sink(out());
  lists.side_output(late).sink(out("late"));
  TestDriver driver(app_);
  driver.push("visits", std::vector<Visit>{{"a", 1, at(1)}, {"a", 2, at(14)}, {"a", 3, at(2)}});
  EXPECT_THAT(driver.read<std::string>("out"), IsEmpty());
  driver.push("visits", Visit{"a", 4, at(15)});
  EXPECT_THAT(driver.read<std::string>("out"), ElementsAre("a 0-10: 1 3"));
  driver.push("visits", Visit{"a", 5, at(9)});
  EXPECT_THAT(driver.read<Visit>("late"), ElementsAre(Visit{"a", 5, at(9)}));
  EXPECT_EQ(driver.rows_late(), 1);
}

TEST_F(WindowTest, AllowedLatenessFiresAgainWithAllRows) {
  visits().window(tumbling(10s)).allowed_lateness(5s).process<std::string>(ListSizes()).sink(out());
  EXPECT_THAT(answer({{"a", 1, at(1)},
                      {"a", 2, at(12)},
                      {"a", 3, at(2)},
                      {"a", 4, at(3)},
                      {"a", 5, at(20)},
                      {"a", 6, at(4)}}),
              ElementsAre("a 0-10: 1", "a 0-10: 1 3", "a 0-10: 1 3 4", "a 10-20: 2", "a 20-30: 5"));
}

/// Counts with the result of an aggregate.
struct ShareOfAll {
  ValueState<std::int64_t> all;
  void open(StateOpener& state) { all = state.value<std::int64_t>("all"); }
  void process(std::int64_t count, WindowContext<std::string, std::string>& context) {
    all.set(all.get_or(0) + count);
    context.emit(context.key() + " " + std::to_string(count) + " of " + std::to_string(*all.get()));
  }
};

TEST_F(WindowTest, AnAggregateWithAFunctionThatHasStatePerKey) {
  visits()
      .window(hopping(10s, 5s))
      .process<std::string>(CountRows<Visit>(), ShareOfAll())
      .sink(out());
  EXPECT_THAT(answer({{"a", 1, at(1)}, {"b", 1, at(2)}, {"a", 1, at(6)}}),
              ElementsAre("a 1 of 1", "b 1 of 1", "a 2 of 3", "b 1 of 2", "a 1 of 4"));
}

TEST_F(WindowTest, CountTriggersFireWithinWindowsAndPurgingOnesForget) {
  const auto windows = visits().window(tumbling(10s));
  windows.trigger(on_count(2)).process<std::string>(ListSizes()).sink(out());
  windows.trigger(purging(on_count(2))).process<std::string>(ListSizes()).sink(out("purged"));
  TestDriver driver(app_);
  for (int i = 1; i <= 5; ++i) driver.push("visits", Visit{"a", i, at(i)});
  driver.push("visits", Visit{"a", 6, at(11)});
  driver.end_input();  // what did not reach the count gives nothing, as in Flink
  EXPECT_THAT(driver.read<std::string>("out"), ElementsAre("a 0-10: 1 2", "a 0-10: 1 2 3 4"));
  EXPECT_THAT(driver.read<std::string>("purged"), ElementsAre("a 0-10: 1 2", "a 0-10: 3 4"));
}

TEST_F(WindowTest, AContinuousTriggerFiresAtMultiplesAndAtTheEnd) {
  visits().window(tumbling(10s)).trigger(every_event_time(4s)).count().sink(out());
  std::vector<std::int64_t> counts;
  TestDriver driver(app_);
  driver.push(
      "visits",
      std::vector<Visit>{
          {"a", 1, at(1)}, {"a", 1, at(3)}, {"a", 1, at(5)}, {"a", 1, at(9)}, {"a", 1, at(12)}});
  for (const auto& row : driver.read<Windowed<std::string, std::int64_t>>("out")) {
    counts.push_back(row.value);
  }
  EXPECT_THAT(
      counts,
      ElementsAre(3, 4, 4));  // with the rows of 5 s, 9 s and 12 s, which pass 4, 8 and 10 s
}

TEST_F(WindowTest, ProcessingTimeTriggersAndWindows) {
  visits()
      .window(tumbling(1h))
      .trigger(every_processing_time(10s))
      .sum(&Visit::size)
      .sink(out("sums"));
  visits().window(tumbling(10s)).by_processing_time().process<std::string>(ListSizes()).sink(out());
  TestDriver driver(app_, {.start = at(3)});
  driver.push("visits", std::vector<Visit>{{"a", 1, at(100)}, {"a", 2, at(50)}});
  driver.advance_processing_time(6999ms);
  EXPECT_THAT(driver.read<std::string>("out"), IsEmpty());
  driver.end_epoch();
  driver.restart();
  driver.advance_processing_time(1ms);
  EXPECT_THAT(driver.read<std::string>("out"), ElementsAre("a 0-10: 1 2"));
  driver.push("visits", Visit{"a", 4, at(60)});
  driver.advance_processing_time(20s);
  EXPECT_THAT(driver.read<std::string>("out"), ElementsAre("a 10-20: 4"));
  std::vector<std::int64_t> sums;
  for (const auto& row : driver.read<Windowed<std::string, std::int64_t>>("sums")) {
    sums.push_back(row.value);
  }
  EXPECT_THAT(sums, ElementsAre(3, 7, 7));
  EXPECT_EQ(driver.rows_late(), 0);
}

TEST_F(WindowTest, CountAndGlobalWindowsWithFunctions) {
  visits().window(count_window(2)).process<std::string>(ListRows()).sink(out());
  visits().window(count_window(3, 2)).process<std::string>(ListRows()).sink(out("sliding"));
  visits().window(count_window(3, 2)).sum(&Visit::size).sink(out("sums"));
  visits().window(global_window()).process<std::string>(ListRows()).sink(out("global"));
  visits()
      .window(global_window())
      .trigger(on_delta<Visit>(
          10, [](const Visit& a, const Visit& b) { return double(b.size - a.size); }))
      .process<std::string>(ListRows())
      .sink(out("delta"));
  TestDriver driver(app_);
  for (const int size : {1, 2, 12, 14, 25}) {
    driver.push("visits", Visit{"a", size, at(1)});
    driver.end_epoch();
    driver.restart();
  }
  EXPECT_THAT(driver.read<std::string>("global"), IsEmpty());
  driver.end_input();
  EXPECT_THAT(driver.read<std::string>("out"), ElementsAre("a: 1 2", "a: 12 14"));
  EXPECT_THAT(driver.read<std::string>("sliding"), ElementsAre("a: 1 2", "a: 2 12 14"));
  std::vector<std::int64_t> sums;
  for (const auto& row : driver.read<Keyed<std::string, std::int64_t>>("sums")) {
    sums.push_back(row.value);
  }
  EXPECT_THAT(sums, ElementsAre(3, 28));
  EXPECT_THAT(driver.read<std::string>("global"), ElementsAre("a: 1 2 12 14 25"));
  EXPECT_THAT(driver.read<std::string>("delta"), ElementsAre("a: 1 2 12", "a: 1 2 12 14 25"));
}

TEST_F(WindowTest, Evictors) {
  const auto windows = visits().window(tumbling(10s));
  const auto near = [](const Visit& row, const Visit& last) {
    return std::abs(double(row.size - last.size));
  };
  windows.evict(keep_last(2)).process<std::string>(ListSizes()).sink(out("last"));
  windows.evict(keep_newest(3s)).process<std::string>(ListSizes()).sink(out("newest"));
  windows.evict(keep_near(3, near)).process<std::string>(ListSizes()).sink(out("near"));
  windows.evict(keep_last(1)).max(&Visit::size).sink(out("max"));
  windows.trigger(on_count(2))
      .evict(keep_last(1, Evict::kAfter))
      .process<std::string>(ListSizes())
      .sink(out("after"));
  TestDriver driver(app_);
  driver.push("visits", std::vector<Visit>{
                            {"a", 9, at(1)}, {"a", 5, at(6)}, {"a", 2, at(3)}, {"a", 4, at(5)}});
  driver.end_input();
  EXPECT_THAT(driver.read<std::string>("last"), ElementsAre("a 0-10: 2 4"));
  EXPECT_THAT(driver.read<std::string>("newest"), ElementsAre("a 0-10: 5 4"));
  EXPECT_THAT(driver.read<std::string>("near"), ElementsAre("a 0-10: 5 2 4"));
  EXPECT_THAT(driver.read<std::string>("after"), ElementsAre("a 0-10: 9 5", "a 0-10: 5 2 4"));
  const auto largest = driver.read<Windowed<std::string, std::int64_t>>("max");
  ASSERT_EQ(largest.size(), 1U);
  EXPECT_EQ(largest[0].value, 4);
}

TEST_F(WindowTest, SessionsMergeTheirRowsAndTriggers) {
  visits().window(session(5s)).process<std::string>(ListSizes()).sink(out());
  EXPECT_THAT(answer({{"a", 1, at(1)}, {"b", 2, at(2)}, {"a", 3, at(4)}, {"a", 4, at(20)}}),
              ElementsAre("b 2-7: 2", "a 1-9: 1 3", "a 20-25: 4"));
}

TEST_F(WindowTest, ARowJoinsTwoSessions) {
  const auto sessions = visits().window(session(5s), grace(20s));
  sessions.process<std::string>(ListSizes()).sink(out());
  sessions.trigger(on_count(3)).process<std::string>(ListSizes()).sink(out("counts"));
  sessions.trigger(on_event_time()).count().sink(out("early"));
  for (const bool restarts : {false, true}) {
    TestDriver driver(app_);
    for (const Visit& hit : {Visit{"a", 1, at(1)}, Visit{"a", 2, at(9)}, Visit{"a", 3, at(5)},
                             Visit{"x", 0, at(30)}, Visit{"a", 4, at(14)}, Visit{"x", 0, at(60)}}) {
      driver.push("visits", hit);
      if (!restarts) continue;
      driver.end_epoch();
      driver.restart();
    }
    EXPECT_THAT(driver.read<std::string>("out"), ElementsAre("a 1-19: 1 2 3 4", "x 30-35: 0"));
    EXPECT_THAT(driver.read<std::string>("counts"), ElementsAre("a 1-14: 1 2 3"));
    std::vector<std::pair<std::int64_t, std::int64_t>> early;
    for (const auto& row : driver.read<Windowed<std::string, std::int64_t>>("early")) {
      early.emplace_back(row.window_end.ms / 1000, row.value);
    }
    // [1, 6) has ended when the row of 9 comes, [1, 14) when that of 30 does.
    EXPECT_THAT(early, ElementsAre(testing::Pair(6, 1), testing::Pair(14, 3), testing::Pair(19, 4),
                                   testing::Pair(35, 1)));
    EXPECT_TRUE(driver.status().is_ok()) << driver.status().to_string();
  }
}

/// Fires with every row of an even size, and a second of event time after the first row.
struct EvenOrSoon {
  using State = bool;
  TriggerResult on_row(bool& waits, const Visit& row, const WindowSpan&,
                       TriggerContext& context) const {
    if (!waits) context.timer_at(row.ts + 1s);
    waits = true;
    return row.size % 2 == 0 ? TriggerResult::kFireAndPurge : TriggerResult::kContinue;
  }
  TriggerResult on_event_time(bool& waits, Timestamp, const WindowSpan&, TriggerContext&) const {
    waits = false;
    return TriggerResult::kFire;
  }
};

TEST_F(WindowTest, TriggersOfOnesOwn) {
  visits().window(tumbling(1h)).trigger(EvenOrSoon()).process<std::string>(ListRows()).sink(out());
  EXPECT_THAT(
      answer({{"a", 1, at(1)}, {"a", 3, at(2)}, {"a", 5, at(3)}, {"a", 6, at(3)}, {"a", 7, at(9)}}),
      ElementsAre("a: 1 3 5", "a: 1 3 5 6", "a: 7"));
}

TEST_F(WindowTest, WholeStreamsHaveOneWindowAndTasksShareKeys) {
  const Stream<Visit> in = app_.source<Visit>(connector("test").named("visits"))
                               .event_time(&Visit::ts, bounded_disorder(0s));
  struct CountAll {
    void process(const std::vector<Visit>& rows,
                 WindowContext<std::monostate, std::int64_t>& context) {
      context.emit(static_cast<std::int64_t>(rows.size()));
    }
  };
  in.all().window(tumbling(10s)).process<std::int64_t>(CountAll()).sink(out("all"));
  in.key_by(&Visit::url).window(tumbling(10s)).process<std::string>(ListSizes()).sink(out());
  TestDriver driver(app_, {.splits = 2, .parallelism = 3});
  driver.push("visits", std::vector<Visit>{{"a", 1, at(1)}, {"b", 2, at(2)}}, 0);
  driver.push("visits", std::vector<Visit>{{"c", 3, at(3)}}, 1);
  driver.end_epoch();
  driver.restart();
  driver.end_input();
  EXPECT_THAT(driver.read<std::int64_t>("all"), ElementsAre(3));
  EXPECT_THAT(driver.read<std::string>("out"),
              UnorderedElementsAre("a 0-10: 1", "b 0-10: 2", "c 0-10: 3"));
}

TEST_F(WindowTest, WhatCannotWorkIsRefused) {
  const std::vector<std::pair<std::function<void()>, std::string>> wrong = {
      {[&] { visits().window(session(5s)).trigger(EvenOrSoon()).count().sink(out()); },
       "cannot merge"},
      {[&] { visits().window(tumbling(0s)).process<std::string>(ListRows()).sink(out()); }, "0"},
      {[&] { visits().window(count_window(0)).process<std::string>(ListRows()).sink(out()); },
       "must be positive"},
      {[&] {
         visits().window(tumbling(5s), grace(-1s)).process<std::string>(ListRows()).sink(out());
       },
       "cannot be negative"},
      {[&] {
         visits()
             .window(tumbling(5s))
             .emit(Emit::kOnEpoch)
             .process<std::string>(ListRows())
             .sink(out());
       },
       "each epoch"},
  };
  for (const auto& [build, message] : wrong) {
    app_ = App("test");
    build();
    TestDriver driver(app_);
    EXPECT_THAT(driver.status().to_string(), HasSubstr(message));
  }
  app_ = App("test");
  app_.source<Visit>(connector("test").named("visits"))
      .key_by(&Visit::url)
      .window(tumbling(5s))
      .process<std::string>(ListRows())
      .sink(out());
  TestDriver driver(app_);
  driver.push("visits", Visit{"a", 1, at(1)});
  EXPECT_THAT(driver.status().to_string(), HasSubstr("need event_time()"));
}

TEST_F(WindowTest, AThrowingFunctionStopsTheJobWithItsKey) {
  struct Throws {
    void process(const std::vector<Visit>&, WindowContext<std::string, std::string>&) {
      throw std::runtime_error("no such page");
    }
  };
  visits().window(tumbling(5s)).process<std::string>(Throws(), as("pages")).sink(out());
  TestDriver driver(app_);
  driver.push("visits", Visit{"/home", 1, at(1)});
  driver.end_input();
  EXPECT_EQ(driver.status().code(), ErrorCode::kUserFunctionFailed);
  EXPECT_THAT(driver.status().to_string(), HasSubstr("no such page"));
  EXPECT_THAT(driver.status().to_string(), HasSubstr("pages"));
  EXPECT_THAT(driver.status().to_string(), HasSubstr("/home"));
}

}  // namespace
}  // namespace tidegate
