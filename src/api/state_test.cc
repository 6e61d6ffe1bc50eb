// SPDX-License-Identifier: Apache-2.0
//
// States of process functions and how they age, through the test driver.

#include "tidegate/state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tidegate/test_driver.h"
#include "tidegate/tidegate.h"

namespace tidegate {

struct Sample {
  std::string sensor;
  double value;
  Timestamp ts;
};
BOOST_DESCRIBE_STRUCT(Sample, (), (sensor, value, ts))

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr Timestamp at(std::int64_t seconds) { return Timestamp(seconds * 1000); }

struct Mean {
  struct Accumulator {
    double sum = 0;
    std::int64_t n = 0;
    BOOST_DESCRIBE_CLASS(Accumulator, (), (sum, n), (), ())
  };
  Accumulator create() const { return {}; }
  void add(Accumulator& mean, const Sample& sample) const {
    mean.sum += sample.value;
    ++mean.n;
  }
  double result(const Accumulator& mean) const { return mean.sum / static_cast<double>(mean.n); }
};

/// Emits the largest value and the mean of a sensor so far; a negative value clears both.
struct Statistics {
  Ttl age;
  ReducingState<double> largest;
  AggregatingState<Sample, Mean> mean;
  void open(StateOpener& state) {
    largest = state.reducing<double>(
        "largest", [](double a, double b) { return std::max(a, b); }, age);
    mean = state.aggregating<Sample>("mean", Mean(), age);
  }
  void process(const Sample& sample, Context<std::string, std::pair<double, double>>& context) {
    if (sample.value < 0) {
      largest.clear();
      mean.clear();
    } else {
      largest.add(sample.value);
      mean.add(sample);
    }
    context.emit({largest.get().value_or(-1), mean.get().value_or(-1)});
  }
};

/// Emits how many samples its list and map hold.
struct Kept {
  Ttl age;
  static constexpr bool kUsesEventTime = true;
  ListState<double> list;
  MapState<double, bool> map;
  ValueState<bool> value;
  void open(StateOpener& state) {
    list = state.list<double>("list", age);
    map = state.map<double, bool>("map", age);
    value = state.value<bool>("value", age);
  }
  void process(const Sample& sample, Context<std::string, std::string>& context) {
    if (sample.value > 0) {
      list.add(sample.value);
      map.put(sample.value, true);
      value.set(true);
    }
    context.emit(std::to_string(list.get().size()) + " " + std::to_string(map.entries().size()) +
                 (value.get() ? " set" : " unset"));
  }
};

class StateTest : public testing::Test {
 protected:
  KeyedStream<std::string, Sample> samples() {
    return app_.source<Sample>(connector("test").named("samples"))
        .event_time(&Sample::ts, bounded_disorder(0s))
        .key_by(&Sample::sensor);
  }
  /// What Kept answers to a sample of these seconds; at a negative one it only reads.
  std::vector<std::string> kept(const Ttl& age, const std::vector<std::int64_t>& seconds) {
    app_ = App("test");
    samples().process<std::string>(Kept{age, {}, {}, {}}).sink(connector("test").named("out"));
    TestDriver driver(app_);
    std::int64_t now = 0;
    for (const std::int64_t second : seconds) {
      driver.advance_processing_time(std::chrono::seconds(std::abs(second) - now));
      now = std::abs(second);
      driver.push("samples", Sample{"a", second < 0 ? 0.0 : double(second), at(now)});
      driver.end_epoch();
      driver.restart();
    }
    EXPECT_TRUE(driver.status().is_ok()) << driver.status().to_string();
    return driver.read<std::string>("out");
  }

  App app_{"test"};
};

TEST_F(StateTest, ReducingAndAggregating) {
  samples()
      .process<std::pair<double, double>>(Statistics(), as("statistics"))
      .sink(connector("test").named("out"));
  TestDriver driver(app_);
  driver.push("samples", std::vector<Sample>{{"a", 4, at(1)}, {"b", 9, at(1)}, {"a", 2, at(2)}});
  driver.end_epoch();
  driver.restart();
  driver.push("samples", std::vector<Sample>{{"a", 6, at(3)}, {"b", -1, at(4)}, {"b", 1, at(5)}});
  using Row = std::pair<double, double>;
  EXPECT_THAT(driver.read<Row>("out"),
              ElementsAre(Row{4, 4}, Row{9, 9}, Row{4, 3}, Row{6, 4}, Row{-1, -1}, Row{1, 1}));
  EXPECT_EQ(*driver.value_state<double>("statistics", "largest", std::string("a")), 6);
}

TEST_F(StateTest, ReducingAndAggregatingExpire) {
  samples()
      .process<std::pair<double, double>>(Statistics{ttl(10s), {}, {}})
      .sink(connector("test").named("out"));
  TestDriver driver(app_);
  driver.push("samples", Sample{"a", 4, at(1)});
  driver.advance_processing_time(10s);
  driver.push("samples", Sample{"a", 2, at(2)});
  using Row = std::pair<double, double>;
  EXPECT_THAT(driver.read<Row>("out"), ElementsAre(Row{4, 4}, Row{2, 2}));
}

TEST_F(StateTest, ElementsAndEntriesExpireOneByOne) {
  for (const bool by_event_time : {false, true}) {
    const Ttl age{.duration = 10s, .by_event_time = by_event_time};
    // A value is renewed by being written, not by being read. A row sees the watermark of those
    // before it: that of 9 is stored at 4, and that of 11 at 9.
    const std::vector<std::string> answer =
        by_event_time ? kept(age, {4, 9, 11, -14, -14, -19, -19}) : kept(age, {4, 9, -14, -19});
    if (by_event_time) {
      EXPECT_THAT(answer, ElementsAre("1 1 set", "2 2 set", "3 3 set", "3 3 set", "1 1 set",
                                      "1 1 set", "0 0 unset"));
    } else {
      EXPECT_THAT(answer, ElementsAre("1 1 set", "2 2 set", "1 1 set", "0 0 unset"));
    }
  }
}

TEST_F(StateTest, ReadsRenewWhereThatIsAskedFor) {
  EXPECT_THAT(kept({.duration = 10s, .renewed_by_reads = true}, {4, -13, -22, -31, -41}),
              ElementsAre("1 1 set", "1 1 set", "1 1 set", "1 1 set", "0 0 unset"));
}

TEST_F(StateTest, ExpiredStateIsSeenWhereThatIsAskedFor) {
  EXPECT_THAT(kept({.duration = 10s, .shows_expired = true}, {4, -20}),
              ElementsAre("1 1 set", "1 1 set"));
}

struct AgesByEventTime {
  ValueState<bool> seen;
  void open(StateOpener& state) {
    seen = state.value<bool>("seen", {.duration = 1s, .by_event_time = true});
  }
  void process(const Sample&, Context<std::string, bool>&) {}
};

TEST_F(StateTest, AgeingByEventTimeMustBeDeclared) {
  samples().process<bool>(AgesByEventTime(), as("ages")).sink(connector("test").named("out"));
  TestDriver driver(app_);
  driver.push("samples", Sample{"a", 1, at(1)});
  EXPECT_THAT(driver.status().to_string(), HasSubstr("kUsesEventTime"));
  EXPECT_THAT(driver.status().to_string(), HasSubstr("'seen'"));
}

/// Emits which kind of timer has come.
struct BothTimers {
  void open(StateOpener&) {}
  void process(const Sample& sample, Context<std::string, std::string>& context) {
    context.timer_at(sample.ts + 10s);
    context.processing_timer_at(context.processing_time() + 10s);
    context.timer_at(sample.ts + 20s);
    context.remove_timer(sample.ts + 20s);
  }
  void on_timer(Timestamp t, Context<std::string, std::string>& context) {
    context.emit((context.is_event_timer() ? "event " : "clock ") + std::to_string(t.ms / 1000));
  }
};

TEST_F(StateTest, TimersOfBothTimes) {
  samples().process<std::string>(BothTimers()).sink(connector("test").named("out"));
  TestDriver driver(app_, {.start = at(100)});
  driver.push("samples", Sample{"a", 1, at(1)});
  driver.end_epoch();
  driver.restart();
  driver.advance_processing_time(10s);
  EXPECT_THAT(driver.read<std::string>("out"), ElementsAre("clock 110"));
  driver.advance_event_time("samples", Timestamp(11'001));
  EXPECT_THAT(driver.read<std::string>("out"), ElementsAre("event 11"));
  driver.end_input();
  EXPECT_THAT(driver.read<std::string>("out"), ElementsAre());
}

}  // namespace
}  // namespace tidegate
