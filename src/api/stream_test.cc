// SPDX-License-Identifier: Apache-2.0
//
// Pipelines through the test driver: what each verb of the typed API answers.

#include "tidegate/stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "tidegate/test_driver.h"
#include "tidegate/tidegate.h"

namespace tidegate {

struct Order {
  std::string user;
  std::int64_t amount;
  Timestamp ts;
  friend bool operator==(const Order&, const Order&) = default;
};
BOOST_DESCRIBE_STRUCT(Order, (), (user, amount, ts))

struct Span {
  std::int64_t smallest = 0;
  std::int64_t largest = 0;
  friend bool operator==(const Span&, const Span&) = default;
};
BOOST_DESCRIBE_STRUCT(Span, (), (smallest, largest))

/// The smallest and the largest amount.
struct SpanOfAmounts {
  using Accumulator = std::optional<std::pair<std::int64_t, std::int64_t>>;
  Accumulator create() const { return std::nullopt; }
  void add(Accumulator& span, const Order& order) const {
    if (!span) span = {order.amount, order.amount};
    span->first = std::min(span->first, order.amount);
    span->second = std::max(span->second, order.amount);
  }
  void merge(Accumulator& into, const Accumulator& from) const {
    if (!into || !from) {
      if (from) into = from;
      return;
    }
    into->first = std::min(into->first, from->first);
    into->second = std::max(into->second, from->second);
  }
  Span result(const Accumulator& span) const { return {span->first, span->second}; }
};

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr Timestamp at(std::int64_t seconds) { return Timestamp(seconds * 1000); }

/// (key, start in s, end in s, value)
template <typename K, typename V>
auto tuples(const std::vector<Windowed<K, V>>& rows) {
  std::vector<std::tuple<K, std::int64_t, std::int64_t, V>> out;
  for (const auto& row : rows) {
    out.emplace_back(row.key, row.window_start.ms / 1000, row.window_end.ms / 1000, row.value);
  }
  return out;
}

template <typename K, typename V>
auto pairs(const std::vector<Keyed<K, V>>& rows) {
  std::vector<std::pair<K, V>> out;
  for (const auto& row : rows) out.emplace_back(row.key, row.value);
  return out;
}

class StreamTest : public testing::Test {
 protected:
  Stream<Order> orders() {
    return app_.source<Order>(connector("test").named("orders"))
        .event_time(&Order::ts, bounded_disorder(0s));
  }
  static ConnectorSpec out() { return connector("test").named("out"); }

  App app_{"test"};
};

TEST_F(StreamTest, MapFilterFlatMap) {
  orders()
      .filter([](const Order& order) { return order.amount > 1; })
      .map([](const Order& order) { return std::pair(order.user, order.amount * 2); })
      .flat_map<std::string>(
          [](const std::pair<std::string, std::int64_t>& row, Collector<std::string>& rows) {
            for (std::int64_t i = 0; i < row.second; i += 2) rows.emit(row.first);
          })
      .sink(out());
  TestDriver driver(app_);
  driver.push("orders", std::vector<Order>{{"a", 1, at(1)}, {"b", 2, at(2)}, {"c", 3, at(3)}});
  EXPECT_THAT(driver.read<std::string>("out"), ElementsAre("b", "b", "c", "c", "c"));
}

TEST_F(StreamTest, AnExceptionStopsTheJobWithNameAndRow) {
  orders()
      .map([](const Order& order) {
        if (order.amount < 0) throw std::runtime_error("negative amount");
        return order.amount;
      })
      .named(as("double-check"))
      .sink(out());
  TestDriver driver(app_);
  driver.push("orders", std::vector<Order>{{"a", 1, at(1)}, {"bad-user", -7, at(2)}});
  ASSERT_FALSE(driver.status().is_ok());
  EXPECT_EQ(driver.status().code(), ErrorCode::kUserFunctionFailed);
  EXPECT_THAT(driver.status().to_string(), HasSubstr("negative amount"));
  EXPECT_THAT(driver.status().to_string(), HasSubstr("double-check"));
  EXPECT_THAT(driver.status().to_string(), HasSubstr("bad-user"));
}

TEST_F(StreamTest, RunningAggregates) {
  const Stream<Order> in = orders();
  in.key_by(&Order::user).sum(&Order::amount).sink(connector("test").named("sum"));
  in.key_by([](const Order& order) { return order.amount % 2; })
      .count()
      .sink(connector("test").named("count"));
  in.key_by(&Order::user)
      .reduce([](const Order& a, const Order& b) { return a.amount >= b.amount ? a : b; })
      .sink(connector("test").named("largest"));
  TestDriver driver(app_, {.parallelism = 2});
  driver.push("orders", Order{"a", 5, at(1)});
  driver.push("orders", Order{"a", 2, at(2)});
  driver.push("orders", Order{"b", 1, at(3)});
  EXPECT_THAT(pairs(driver.read<Keyed<std::string, std::int64_t>>("sum")),
              ElementsAre(Pair("a", 5), Pair("a", 7), Pair("b", 1)));
  EXPECT_THAT(pairs(driver.read<Keyed<std::int64_t, std::int64_t>>("count")),
              ElementsAre(Pair(1, 1), Pair(0, 1), Pair(1, 2)));
  EXPECT_THAT(pairs(driver.read<Keyed<std::string, Order>>("largest")),
              ElementsAre(Pair("a", Order{"a", 5, at(1)}), Pair("a", Order{"a", 5, at(1)}),
                          Pair("b", Order{"b", 1, at(3)})));
}

TEST_F(StreamTest, AggregatesOfOnesOwnOverWindows) {
  orders().key_by(&Order::user).window(tumbling(10s)).aggregate(SpanOfAmounts()).sink(out());
  for (int parallelism : {1, 2, 3}) {
    TestDriver driver(app_, {.splits = 2, .parallelism = parallelism});
    driver.push("orders", std::vector<Order>{{"a", 5, at(1)}, {"a", 9, at(2)}}, 0);
    driver.push("orders", std::vector<Order>{{"a", 7, at(3)}, {"b", 1, at(4)}}, 1);
    driver.end_epoch();
    driver.restart();
    driver.push("orders", Order{"c", 0, at(10)}, 0);
    EXPECT_THAT(driver.read<Order>("out"), IsEmpty());
    driver.push("orders", Order{"c", 0, at(10)}, 1);
    EXPECT_THAT(tuples(driver.read<Windowed<std::string, Span>>("out")),
                UnorderedElementsAre(std::tuple("a", 0, 10, Span{5, 9}),
                                     std::tuple("b", 0, 10, Span{1, 1})));
    driver.end_input();
    EXPECT_THAT(tuples(driver.read<Windowed<std::string, Span>>("out")),
                ElementsAre(std::tuple("c", 10, 20, Span{0, 0})));
    EXPECT_TRUE(driver.status().is_ok()) << driver.status().to_string();
  }
}

TEST_F(StreamTest, HoppingSessionAndCountWindows) {
  const Stream<Order> in = orders();
  in.key_by(&Order::user)
      .window(hopping(10s, 5s))
      .sum(&Order::amount)
      .sink(connector("test").named("hop"));
  in.key_by(&Order::user).window(session(3s)).count().sink(connector("test").named("session"));
  in.key_by(&Order::user)
      .window(count_window(2))
      .sum(&Order::amount)
      .sink(connector("test").named("pairs"));
  in.all().window(cumulating(10s, 5s)).count().sink(connector("test").named("all"));
  TestDriver driver(app_);
  driver.push("orders", std::vector<Order>{
                            {"a", 1, at(1)}, {"a", 2, at(2)}, {"a", 4, at(7)}, {"b", 8, at(8)}});
  driver.end_input();
  EXPECT_THAT(tuples(driver.read<Windowed<std::string, std::int64_t>>("hop")),
              UnorderedElementsAre(std::tuple("a", -5, 5, 3), std::tuple("a", 0, 10, 7),
                                   std::tuple("a", 5, 15, 4), std::tuple("b", 0, 10, 8),
                                   std::tuple("b", 5, 15, 8)));
  EXPECT_THAT(tuples(driver.read<Windowed<std::string, std::int64_t>>("session")),
              UnorderedElementsAre(std::tuple("a", 1, 5, 2), std::tuple("a", 7, 10, 1),
                                   std::tuple("b", 8, 11, 1)));
  EXPECT_THAT(pairs(driver.read<Keyed<std::string, std::int64_t>>("pairs")),
              ElementsAre(Pair("a", 3)));
  std::vector<std::int64_t> totals;
  for (const auto& row : driver.read<Windowed<std::monostate, std::int64_t>>("all")) {
    totals.push_back(row.value);
  }
  EXPECT_THAT(totals, ElementsAre(2, 4));
}

TEST_F(StreamTest, MergedStreamsWaitForTheSlowest) {
  const Stream<Order> others = app_.source<Order>(connector("test").named("others"))
                                   .event_time(&Order::ts, bounded_disorder(0s));
  orders().merge(others).key_by(&Order::user).window(tumbling(10s)).count().sink(out());
  TestDriver driver(app_);
  driver.push("orders", std::vector<Order>{{"a", 1, at(1)}, {"x", 1, at(100)}});
  EXPECT_THAT(driver.read<Order>("out"), IsEmpty());
  driver.push("others", Order{"a", 1, at(5)});
  driver.advance_event_time("others", at(10));
  EXPECT_THAT(tuples(driver.read<Windowed<std::string, std::int64_t>>("out")),
              ElementsAre(std::tuple("a", 0, 10, 2)));
}

TEST_F(StreamTest, EventTimeByAFunction) {
  app_.source<Order>(connector("test").named("orders"))
      .event_time([](const Order& order) { return at(order.amount); }, bounded_disorder(0s))
      .key_by(&Order::user)
      .window(tumbling(10s))
      .count()
      .sink(out());
  TestDriver driver(app_);
  driver.push("orders", std::vector<Order>{{"a", 3, at(0)}, {"a", 12, at(0)}});
  EXPECT_THAT(tuples(driver.read<Windowed<std::string, std::int64_t>>("out")),
              ElementsAre(std::tuple("a", 0, 10, 1)));
}

TEST_F(StreamTest, APipelineWithoutSinkIsRefused) {
  orders();
  TestDriver driver(app_);
  ASSERT_FALSE(driver.status().is_ok());
  EXPECT_EQ(driver.status().code(), ErrorCode::kInvalidPlan);
}

TEST_F(StreamTest, EventTimeBehindAnotherStepIsRefused) {
  app_.source<Order>(connector("test").named("orders"))
      .filter([](const Order&) { return true; })
      .event_time(&Order::ts, bounded_disorder(0s))
      .sink(out());
  TestDriver driver(app_);
  EXPECT_THAT(driver.status().to_string(), HasSubstr("event_time() must follow source()"));
}

}  // namespace
}  // namespace tidegate
