// SPDX-License-Identifier: Apache-2.0
//
// Tables through the test driver. What joins and aggregates answer is compared with Kafka Streams
// in tests/kafka_streams.

#include "tidegate/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "tidegate/cogroup.h"
#include "tidegate/test_driver.h"
#include "tidegate/tidegate.h"

namespace tidegate {

struct Purchase {
  std::optional<std::string> id;
  std::string user;
  std::optional<std::int64_t> amount;
  Timestamp ts;
};
BOOST_DESCRIBE_STRUCT(Purchase, (), (id, user, amount, ts))

struct Person {
  std::optional<std::string> name;
  std::optional<std::string> city;
  friend bool operator==(const Person&, const Person&) = default;
};
BOOST_DESCRIBE_STRUCT(Person, (), (name, city))

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

using Row = std::pair<std::string, std::int64_t>;

Stream<Purchase> purchases(App& app, const std::string& topic = "purchases") {
  return app.source<Purchase>(kafka(topic)).event_time(&Purchase::ts, monotonic());
}
auto amounts(App& app) { return purchases(app).to_table(&Purchase::id, &Purchase::amount); }

template <typename T>
std::vector<std::string> changes(TestDriver& driver, const std::string& sink) {
  std::vector<std::string> out;
  for (const Change<T>& change : driver.read_changes<T>(sink)) {
    out.push_back(std::string(row_kind_symbol(change.kind)) + " " + change.row.first + " " +
                  std::to_string(change.row.second));
  }
  return out;
}

TEST(Table, ASinkGetsAChangelog) {
  App app("t");
  amounts(app).sink(kafka("out"));
  TestDriver driver(app);
  driver.push("purchases", std::vector<Purchase>{{"a", "u", 1, Timestamp(1)},
                                                 {"a", "u", 2, Timestamp(2)},
                                                 {std::nullopt, "u", 9, Timestamp(3)},
                                                 {"a", "u", std::nullopt, Timestamp(4)},
                                                 {"a", "u", std::nullopt, Timestamp(4)}});
  EXPECT_THAT(changes<Row>(driver, "out"), ElementsAre("+I a 1", "+U a 2", "-D a 2"));
}

TEST(Table, ATopicWithAKeyIsATable) {
  App app("t");
  app.table<std::string, Person>(connector("upsert-kafka").named("people"))
      .map_values([](const Person& person) { return person.city.value_or("?"); })
      .to_stream()
      .sink(kafka("out"));
  TestDriver driver(app);
  using Entry = Keyed<std::string, Person>;
  driver.push("people", std::vector<Change<Entry>>{
                            {RowKind::kInsert, {"a", {"Ann", "Rome"}}},
                            {RowKind::kUpdateBefore, {"a", {"Ann", "Rome"}}},
                            {RowKind::kUpdateAfter, {"a", {}}},  // all null, and yet a value
                            {RowKind::kDelete, {"a", {}}},
                        });
  std::vector<std::optional<std::string>> cities;
  for (const auto& row : driver.read<Keyed<std::string, std::optional<std::string>>>("out")) {
    cities.push_back(row.value);
  }
  EXPECT_THAT(cities, ElementsAre("Rome", "?", std::nullopt));
}

/// Purchases of people in cities, summed by city: a join by a foreign key, and an aggregate that
/// takes back.
void spent_by_city(App& app) {
  const auto people =
      app.source<std::pair<std::string, std::optional<std::string>>>(kafka("people"))
          .to_table(&std::pair<std::string, std::optional<std::string>>::first,
                    &std::pair<std::string, std::optional<std::string>>::second);
  purchases(app)
      .to_table(
          &Purchase::id,
          [](const Purchase& purchase) -> std::optional<std::pair<std::string, std::int64_t>> {
            if (!purchase.amount) return std::nullopt;
            return std::pair(purchase.user, *purchase.amount);
          })
      .join(people, &Row::first,
            [](const Row& purchase, const std::string& city) { return Row(city, purchase.second); })
      .group_by([](const std::string&, const Row& row) { return row; })
      .reduce(std::plus<>(), std::minus<>())
      .to_stream()
      .sink(kafka("spent"));
}

TEST(Table, AnswersDoNotDependOnTasksCutsAndRestarts) {
  using Entry = std::pair<std::string, std::optional<std::string>>;
  std::vector<Purchase> rows;
  for (int i = 0; i < 60; ++i) {
    rows.push_back({"p" + std::to_string(i % 17), "u" + std::to_string(i * 7 % 5),
                    i % 11 == 10 ? std::nullopt : std::optional<std::int64_t>(i), Timestamp(i)});
  }
  for (const int parallelism : {1, 3}) {
    for (const bool restarts : {false, true}) {
      App app("t");
      spent_by_city(app);
      TestDriver driver(app, {.parallelism = parallelism, .seed = 7});
      for (int i = 0; i < 5; ++i) {
        driver.push("people", Entry{"u" + std::to_string(i), i % 2 == 0 ? "Rome" : "Oslo"});
      }
      driver.push("purchases", std::vector<Purchase>(rows.begin(), rows.begin() + 30));
      driver.end_epoch();
      if (restarts) driver.restart();
      driver.push("people", Entry{"u2", "Oslo"});
      driver.push("purchases", std::vector<Purchase>(rows.begin() + 30, rows.end()));
      driver.push("people", Entry{"u3", std::nullopt});
      if (restarts) driver.restart();  // what came since the epoch comes again
      driver.end_epoch();
      ASSERT_TRUE(driver.status().is_ok()) << driver.status().to_string();
      std::map<std::string, std::int64_t> expected;
      std::map<std::string, Purchase> last;
      for (const Purchase& row : rows) last[*row.id] = row;
      const std::map<std::string, std::string> cities = {
          {"u0", "Rome"}, {"u1", "Oslo"}, {"u2", "Oslo"}, {"u4", "Rome"}};
      for (const auto& [id, row] : last) {
        if (row.amount && cities.contains(row.user)) expected[cities.at(row.user)] += *row.amount;
      }
      std::map<std::string, std::int64_t> spent;
      for (const auto& row :
           driver.read<Keyed<std::string, std::optional<std::int64_t>>>("spent")) {
        spent[row.key] = row.value.value_or(0);
      }
      EXPECT_EQ(spent, expected) << parallelism << restarts;
    }
  }
}

TEST(Table, RowsWaitForVersionsOfTheirTime) {
  App app("t");
  const auto prices =
      purchases(app, "prices").to_versioned_table(&Purchase::id, &Purchase::amount, 1h);
  purchases(app)
      .key_by(&Purchase::id)
      .join(
          prices, [](const Purchase& row, std::int64_t price) { return Row(row.user, price); },
          grace(0ms))
      .sink(kafka("out"));
  TestDriver driver(app);
  driver.push("purchases", Purchase{"a", "early", 0, Timestamp(10)});
  driver.push("purchases", Purchase{"a", "late", 0, Timestamp(20)});
  driver.push("prices", Purchase{"a", "", 1, Timestamp(10)});
  EXPECT_THAT(driver.read<Row>("out"), ElementsAre(Pair("early", 1)));  // ties: the table first
  driver.push("prices", Purchase{"a", "", 2, Timestamp(20)});
  driver.push("prices", Purchase{"a", "", 3, Timestamp(21)});
  EXPECT_THAT(driver.read<Row>("out"), ElementsAre(Pair("late", 2)));
}

TEST(Stream, RowsOfAllPartitionsComeInTimeOrder) {
  App app("t");
  purchases(app).in_time_order().map([](const Purchase& row) { return row.ts; }).sink(kafka("out"));
  TestDriver driver(app, {.splits = 2});
  driver.push("purchases",
              std::vector<Purchase>{{"a", "", 0, Timestamp(1)}, {"a", "", 0, Timestamp(4)}}, 0);
  EXPECT_THAT(driver.read<Timestamp>("out"), IsEmpty());
  driver.push("purchases",
              std::vector<Purchase>{{"a", "", 0, Timestamp(2)}, {"a", "", 0, Timestamp(5)}}, 1);
  EXPECT_THAT(driver.read<Timestamp>("out"), ElementsAre(Timestamp(1), Timestamp(2)));
  driver.end_input();
  EXPECT_THAT(driver.read<Timestamp>("out"), ElementsAre(Timestamp(4), Timestamp(5)));
}

std::int64_t half_of_even(const Purchase& row) {
  if (*row.amount % 2 != 0) throw std::invalid_argument("odd");
  return *row.amount / 2;
}
std::vector<Purchase> three_amounts() {
  return {{"a", "u", 2, Timestamp(1)}, {"a", "u", 3, Timestamp(2)}, {"a", "u", 4, Timestamp(3)}};
}

TEST(Failures, AnAttemptPutsRowsAside) {
  App app("t");
  const auto halves = purchases(app).attempt(half_of_even);
  halves.rows.sink(kafka("halves"));
  halves.failures
      .map([](const Failed<Purchase>& failed) { return Row(failed.reason, *failed.row.amount); })
      .sink(kafka("dead"));
  TestDriver driver(app);
  driver.push("purchases", three_amounts());
  EXPECT_THAT(driver.read<std::int64_t>("halves"), ElementsAre(1, 2));
  EXPECT_THAT(driver.read<Row>("dead"), ElementsAre(Pair("odd", 3)));
}

struct Halves {
  void open(StateOpener&) {}
  void process(const Purchase& row, Context<std::optional<std::string>, std::int64_t>& context) {
    context.emit(half_of_even(row));
  }
};

TEST(Failures, TheHandlerDecides) {
  for (const RowAction action : {RowAction::kLeaveOut, RowAction::kFail}) {
    App app("t");
    std::vector<std::string> heard;
    app.on_row_failure([&](const RowFailure& failure) {
      heard.push_back(failure.step + ": " + failure.reason + " at " + failure.row);
      return action;
    });
    purchases(app)
        .flat_map<std::int64_t>([](const Purchase& row, Collector<std::int64_t>& out) {
          out.emit(100);  // is taken back when the rest of the row fails
          out.emit(half_of_even(row));
        })
        .sink(kafka("mapped"));
    purchases(app, "others")
        .key_by(&Purchase::id)
        .process<std::int64_t>(Halves())
        .sink(kafka("processed"));
    TestDriver driver(app);
    driver.push("purchases", three_amounts());
    driver.push("others", three_amounts());
    if (action == RowAction::kFail) {
      EXPECT_THAT(driver.status().to_string(), HasSubstr("odd"));
      continue;
    }
    ASSERT_TRUE(driver.status().is_ok()) << driver.status().to_string();
    EXPECT_THAT(driver.read<std::int64_t>("mapped"), ElementsAre(100, 1, 100, 2));
    EXPECT_THAT(driver.read<std::int64_t>("processed"), ElementsAre(1, 2));
    EXPECT_THAT(heard, ElementsAre("flat_map: odd at [a, u, 3, 1970-01-01 00:00:00.002]",
                                   "process: odd at [a, u, 3, 1970-01-01 00:00:00.002]"));
  }
}

TEST(Job, APauseHoldsSourcesBackAndNothingElse) {
  App app("t");
  app.source<Purchase>(kafka("purchases"))
      .event_time(&Purchase::ts, monotonic().idle_after(1s))
      .key_by(&Purchase::user)
      .window(tumbling(10ms))
      .count()
      .map([](const Windowed<std::string, std::int64_t>& window) { return window.value; })
      .sink(kafka("out"));
  TestDriver driver(app, {.splits = 2});
  driver.push("purchases", Purchase{"a", "u", 1, Timestamp(1)}, 0);
  driver.pause();
  driver.push("purchases", Purchase{"a", "u", 1, Timestamp(2)}, 1);
  driver.push("purchases", Purchase{"a", "u", 1, Timestamp(20)}, 0);
  driver.advance_processing_time(1h);  // nobody turns idle in a pause: nothing comes late
  driver.end_epoch();
  EXPECT_THAT(driver.read<std::int64_t>("out"), IsEmpty());
  driver.resume();
  driver.push("purchases", Purchase{"a", "u", 1, Timestamp(21)}, 1);
  EXPECT_THAT(driver.read<std::int64_t>("out"), ElementsAre(2));
  EXPECT_EQ(driver.rows_late(), 0);
}

TEST(Window, AKeyThatIsNotTheFirstColumnIsTheKeyOfPartialResultsToo) {
  App app("t");
  purchases(app)
      .key_by(&Purchase::user)
      .window(tumbling(10ms))
      .count()
      .map([](const Windowed<std::string, std::int64_t>& w) { return Row(w.key, w.value); })
      .sink(kafka("out"));
  TestDriver driver(app);
  driver.push("purchases", three_amounts());
  driver.end_input();
  ASSERT_TRUE(driver.status().is_ok()) << driver.status().to_string();
  EXPECT_THAT(driver.read<Row>("out"), ElementsAre(Pair("u", 3)));
}

}  // namespace
}  // namespace tidegate
