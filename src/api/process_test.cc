// SPDX-License-Identifier: Apache-2.0
//
// Process functions, connected streams, joins and asynchronous calls through the test driver.

#include "tidegate/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tidegate/test_driver.h"
#include "tidegate/tidegate.h"

namespace tidegate {

struct Payment {
  std::string card;
  std::int64_t amount;
  Timestamp ts;
};
BOOST_DESCRIBE_STRUCT(Payment, (), (card, amount, ts))

struct Alert {
  std::string card;
  std::string reason;
  friend bool operator==(const Alert&, const Alert&) = default;
};
BOOST_DESCRIBE_STRUCT(Alert, (), (card, reason))

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr Timestamp at(std::int64_t seconds) { return Timestamp(seconds * 1000); }

/// A card whose payments of a minute pass 100 gives an alert; one that is silent for a minute after
/// a payment says so on a side output.
struct Velocity {
  static inline const SideOutput<std::string> kSilent{"silent"};
  ListState<std::pair<std::int64_t, std::int64_t>> payments;
  ValueState<std::int64_t> last;
  MapState<std::int64_t, std::int64_t> by_amount;

  void open(StateOpener& state) {
    payments = state.list<std::pair<std::int64_t, std::int64_t>>("payments");
    last = state.value<std::int64_t>("last");
    by_amount = state.map<std::int64_t, std::int64_t>("by-amount");
  }
  void process(const Payment& payment, Context<std::string, Alert>& context) {
    payments.add({payment.ts.ms, payment.amount});
    std::int64_t sum = 0;
    for (const auto& [ms, amount] : payments.get()) {
      if (ms > payment.ts.ms - 60'000) sum += amount;
    }
    by_amount.put(payment.amount, by_amount.get(payment.amount).value_or(0) + 1);
    if (sum > 100) {
      context.emit({payment.card, "sum " + std::to_string(sum) + " of " +
                                      std::to_string(by_amount.entries().size()) + " amounts"});
    }
    last.set(payment.ts.ms);
    context.timer_at(payment.ts + 60s);
  }
  void on_timer(Timestamp t, Context<std::string, Alert>& context) {
    if (last.get_or(0) + 60'000 == t.ms) context.emit(kSilent, context.key());
  }
};

class ProcessTest : public testing::Test {
 protected:
  Stream<Payment> payments(const std::string& name = "payments") {
    return app_.source<Payment>(connector("test").named(name))
        .event_time(&Payment::ts, bounded_disorder(0s));
  }
  static ConnectorSpec out(const std::string& name = "out") {
    return connector("test").named(name);
  }

  App app_{"test"};
};

TEST_F(ProcessTest, StateTimersAndSideOutputs) {
  const Stream<Alert> alerts = payments()
                                   .key_by(&Payment::card)
                                   .process<Alert>(Velocity(), as("velocity"), Velocity::kSilent);
  alerts.sink(out());
  alerts.side_output(Velocity::kSilent).sink(out("silent"));
  for (bool with_restart : {false, true}) {
    TestDriver driver(app_, {.parallelism = 2});
    driver.push("payments", std::vector<Payment>{{"a", 60, at(1)}, {"b", 99, at(2)}});
    if (with_restart) {
      driver.end_epoch();
      driver.restart();
    }
    driver.push("payments", Payment{"a", 50, at(30)});
    EXPECT_THAT(driver.read<Alert>("out"), ElementsAre(Alert{"a", "sum 110 of 2 amounts"}));
    EXPECT_THAT(driver.read<std::string>("silent"), IsEmpty());
    driver.push("payments", Payment{"c", 1, at(63)});
    EXPECT_THAT(driver.read<std::string>("silent"), ElementsAre("b"));
    driver.push("payments", Payment{"c", 1, at(1000)});
    // The watermark follows the row: c was not silent, as it paid before its timer came.
    EXPECT_THAT(driver.read<std::string>("silent"), ElementsAre("a"));
    EXPECT_TRUE(driver.status().is_ok()) << driver.status().to_string();
  }
}

TEST_F(ProcessTest, TheAnswerDoesNotDependOnBatches) {
  const Stream<Alert> alerts = payments()
                                   .key_by(&Payment::card)
                                   .process<Alert>(Velocity(), as("velocity"), Velocity::kSilent);
  alerts.side_output(Velocity::kSilent).sink(out("silent"));
  alerts.sink(out());
  std::vector<Payment> rows;
  for (int i = 0; i < 200; ++i) {
    rows.push_back({i % 7 == 0 ? "a" : "b", i, at(i * (i % 5 == 0 ? 13 : 12))});
  }
  std::vector<std::string> first;
  for (std::size_t size : {1UL, 3UL, 200UL}) {
    TestDriver driver(app_);
    for (std::size_t i = 0; i < rows.size(); i += size) {
      driver.push("payments",
                  std::vector<Payment>(
                      rows.begin() + static_cast<std::ptrdiff_t>(i),
                      rows.begin() + static_cast<std::ptrdiff_t>(std::min(i + size, rows.size()))));
    }
    std::vector<std::string> silent = driver.read<std::string>("silent");
    for (const Alert& alert : driver.read<Alert>("out")) silent.push_back(alert.reason);
    if (first.empty()) first = silent;
    EXPECT_EQ(silent, first) << size;
    EXPECT_FALSE(silent.empty());
  }
}

/// Counts by processing time, and forgets.
struct Reminder {
  ValueState<std::int64_t> count;
  void open(StateOpener& state) { count = state.value<std::int64_t>("count", ttl(10s)); }
  void process(const Payment&, Context<std::string, std::int64_t>& context) {
    count.set(count.get_or(0) + 1);
    context.emit(*count.get());
    context.processing_timer_at(context.processing_time() + 5s);
  }
  void on_timer(Timestamp, Context<std::string, std::int64_t>& context) {
    context.emit(-count.get_or(0));
  }
};

TEST_F(ProcessTest, ProcessingTimeAndTtl) {
  payments().key_by(&Payment::card).process<std::int64_t>(Reminder()).sink(out());
  TestDriver driver(app_);
  driver.push("payments", Payment{"a", 1, at(1)});
  driver.push("payments", Payment{"a", 1, at(2)});
  EXPECT_THAT(driver.read<std::int64_t>("out"), ElementsAre(1, 2));
  driver.advance_processing_time(5s);
  EXPECT_THAT(driver.read<std::int64_t>("out"), ElementsAre(-2));
  driver.advance_processing_time(6s);
  driver.push("payments", Payment{"a", 1, at(3)});
  EXPECT_THAT(driver.read<std::int64_t>("out"), ElementsAre(1));
}

struct Limits {
  ValueState<std::int64_t> limit;
  void open(StateOpener& state) { limit = state.value<std::int64_t>("limit"); }
  void process_first(const Payment& payment, Context<std::string, Alert>& context) {
    if (payment.amount > limit.get_or(100)) context.emit({payment.card, "above limit"});
  }
  void process_second(const Payment& change, Context<std::string, Alert>&) {
    limit.set(change.amount);
  }
};

TEST_F(ProcessTest, ConnectedStreamsShareState) {
  payments()
      .key_by(&Payment::card)
      .connect(payments("limits").key_by(&Payment::card))
      .process<Alert>(Limits())
      .sink(out());
  TestDriver driver(app_, {.parallelism = 2});
  driver.push("payments", Payment{"a", 101, at(1)});
  driver.push("limits", Payment{"a", 500, at(1)});
  driver.push("payments", Payment{"a", 400, at(2)});
  driver.push("payments", Payment{"b", 400, at(2)});
  EXPECT_THAT(driver.read<Alert>("out"),
              ElementsAre(Alert{"a", "above limit"}, Alert{"b", "above limit"}));
}

/// Payments above the limit that the control stream has set for everybody.
struct SharedLimit {
  MapState<std::string, std::int64_t> limits;
  void open(StateOpener& state) { limits = state.broadcast<std::string, std::int64_t>("limits"); }
  void process_first(const Payment& payment, Context<std::string, Alert>& context) {
    if (payment.amount > limits.get("all").value_or(100)) {
      context.emit({payment.card, "above limit"});
    }
  }
  void process_second(const std::int64_t& limit, Context<std::string, Alert>&) {
    limits.put("all", limit);
  }
};

TEST_F(ProcessTest, BroadcastRowsReachEveryTask) {
  payments()
      .key_by(&Payment::card)
      .connect_broadcast(app_.source<std::int64_t>(connector("test").named("limit")))
      .process<Alert>(SharedLimit())
      .sink(out());
  TestDriver driver(app_, {.parallelism = 3});
  const std::vector<Payment> rows = {{"a", 150, at(1)}, {"b", 150, at(1)}, {"c", 150, at(1)},
                                     {"d", 150, at(1)}, {"e", 150, at(1)}, {"f", 150, at(1)}};
  driver.push("payments", rows);
  EXPECT_EQ(driver.read<Alert>("out").size(), 6u);
  driver.push("limit", std::int64_t{200});
  driver.end_epoch();
  driver.restart();
  driver.push("payments", rows);
  EXPECT_THAT(driver.read<Alert>("out"), IsEmpty());
  EXPECT_TRUE(driver.status().is_ok()) << driver.status().to_string();
}

std::vector<std::string> joined_texts(
    const std::vector<std::pair<Payment, std::optional<Payment>>>& rows) {
  std::vector<std::string> texts;
  for (const auto& [left, right] : rows) {
    texts.push_back(left.card + std::to_string(left.amount) + "-" +
                    (right ? std::to_string(right->amount) : "none"));
  }
  return texts;
}

TEST_F(ProcessTest, IntervalJoins) {
  payments()
      .key_by(&Payment::card)
      .interval_join<JoinType::kLeft>(payments("refunds").key_by(&Payment::card), between(0s, 10s))
      .sink(out());
  TestDriver driver(app_);
  driver.push("payments", std::vector<Payment>{{"a", 1, at(1)}, {"b", 2, at(2)}});
  driver.push("refunds", std::vector<Payment>{{"a", 7, at(11)}, {"b", 8, at(13)}});
  driver.end_input();
  EXPECT_THAT(joined_texts(driver.read<std::pair<Payment, std::optional<Payment>>>("out")),
              UnorderedElementsAre("a1-7", "b2-none"));
}

TEST_F(ProcessTest, WindowJoinsOfComputedKeys) {
  const auto half = [](const Payment& payment) { return payment.amount / 2; };
  payments()
      .key_by(half)
      .window_join(payments("refunds").key_by(half), tumbling(10s))
      .map([](const std::pair<Payment, Payment>& pair) {
        return pair.first.card + pair.second.card;
      })
      .sink(out());
  TestDriver driver(app_, {.parallelism = 2});
  driver.push("payments", std::vector<Payment>{{"a", 2, at(1)}, {"b", 4, at(2)}});
  driver.push("refunds", std::vector<Payment>{{"x", 3, at(9)}, {"y", 5, at(12)}});
  driver.end_input();
  EXPECT_THAT(driver.read<std::string>("out"), ElementsAre("ax"));
}

TEST_F(ProcessTest, AsynchronousCalls) {
  payments()
      .call_async<std::int64_t>([](const Payment& payment, AsyncResult<std::int64_t> result) {
        result.complete(payment.amount * 10);
      })
      .sink(out());
  payments("others")
      .call_blocking([](const Payment& payment) -> Result<std::string> {
        if (payment.amount < 0) return Status(ErrorCode::kServiceRefused, "no such card");
        return "card " + payment.card;
      })
      .sink(out("answers"));
  TestDriver driver(app_);
  driver.push("payments", std::vector<Payment>{{"a", 1, at(1)}, {"a", 2, at(2)}});
  EXPECT_THAT(driver.read<std::int64_t>("out"), ElementsAre(10, 20));
  driver.push("others", Payment{"a", 1, at(1)});
  EXPECT_THAT(driver.read<std::string>("answers"), ElementsAre("card a"));
  driver.push("others", Payment{"a", -1, at(1)});
  ASSERT_FALSE(driver.status().is_ok());
  EXPECT_THAT(driver.status().to_string(), HasSubstr("no such card"));
}

TEST_F(ProcessTest, RowsByColumnName) {
  row_source(app_, connector("test").named("rows"),
             {{"url", ColumnType::kString, false},
              {"bytes", ColumnType::kBigInt, true},
              {"ts", ColumnType::kTimestamp, false}})
      .event_time("ts", bounded_disorder(0s))
      .filter([](const Row& row) { return row.get<std::optional<std::int64_t>>("bytes") != 0; })
      .key_by({"url"})
      .window(tumbling(10s))
      .aggregate({count(), sum("bytes")})
      .sink(out());
  TestDriver driver(app_);
  using In = std::tuple<std::string, std::optional<std::int64_t>, Timestamp>;
  driver.push("rows",
              std::vector<In>{{"/a", 5, at(1)}, {"/a", 0, at(2)}, {"/a", std::nullopt, at(3)}});
  driver.end_input();
  using Counts =
      std::tuple<std::string, Timestamp, Timestamp, std::int64_t, std::optional<std::int64_t>>;
  EXPECT_THAT(driver.read<Counts>("out"), ElementsAre(Counts{"/a", at(0), at(10), 2, 5}));
}

TEST_F(ProcessTest, UnknownColumnsAndSideOutputsAreNamed) {
  row_source(app_, connector("test").named("rows"), {{"url", ColumnType::kString, false}})
      .key_by({"urll"})
      .aggregate({count()})
      .sink(out());
  TestDriver driver(app_);
  EXPECT_THAT(driver.status().to_string(), HasSubstr("urll"));
  EXPECT_THAT(driver.status().to_string(), HasSubstr("Did you mean 'url'?"));

  App other("other");
  const auto counts = other.source<Payment>(out("in"))
                          .event_time(&Payment::ts, bounded_disorder(0s))
                          .key_by(&Payment::card)
                          .window(tumbling(1s))
                          .late_to(SideOutput<Payment>{"late"})
                          .count();
  counts.side_output(SideOutput<Payment>{"lat"}).sink(out());
  TestDriver second(other);
  EXPECT_THAT(second.status().to_string(), HasSubstr("Did you mean 'late'?"));
}

}  // namespace
}  // namespace tidegate
