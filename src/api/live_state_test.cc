// SPDX-License-Identifier: Apache-2.0
#include "tidegate/live_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "server/test_http.h"
#include "tidegate/test_driver.h"
#include "tidegate/tidegate.h"

namespace tidegate {

struct Ride {
  std::string city;
  std::int64_t minutes;
  Timestamp ts;
};
BOOST_DESCRIBE_STRUCT(Ride, (), (city, minutes, ts))

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr Timestamp at(std::int64_t seconds) { return Timestamp(seconds * 1000); }

/// Remembers rides in one state of each kind.
struct Journal {
  ValueState<std::int64_t> last;
  ListState<std::string> notes;
  MapState<std::int64_t, std::string> by_minutes;
  void open(StateOpener& state) {
    last = state.value<std::int64_t>("last");
    notes = state.list<std::string>("notes");
    by_minutes = state.map<std::int64_t, std::string>("by-minutes");
  }
  void process(const Ride& ride, Context<std::string, std::int64_t>&) {
    last.set(ride.minutes);
    notes.add("ride of " + std::to_string(ride.minutes));
    by_minutes.put(ride.minutes, ride.city);
  }
};

class LiveStateTest : public testing::Test {
 protected:
  KeyedStream<std::string, Ride> rides() {
    return app_.source<Ride>(connector("test").named("rides"))
        .event_time(&Ride::ts, bounded_disorder(0s))
        .key_by(&Ride::city);
  }
  static ConnectorSpec out(const std::string& name = "out") {
    return connector("test").named(name);
  }
  template <typename Window>
  void sum_of(Window window, const std::string& name) {
    rides().window(window).sum(&Ride::minutes, as(name)).sink(out(name));
  }

  using WindowSum = Windowed<std::string, std::int64_t>;
  /// (key, start, end, value), of one key or of all.
  static auto windows(const Result<std::vector<WindowSum>>& rows) {
    EXPECT_TRUE(rows.is_ok()) << rows.status().to_string();
    std::vector<std::tuple<std::string, std::int64_t, std::int64_t, std::int64_t>> out;
    for (const WindowSum& row : *rows) {
      out.emplace_back(row.key, row.window_start.ms / 1000, row.window_end.ms / 1000, row.value);
    }
    return out;
  }

  App app_{"test"};
};

TEST_F(LiveStateTest, AggregatesOfAllKeysAndOfOne) {
  rides().sum(&Ride::minutes, as("sum")).sink(out());
  using Sum = Keyed<std::string, std::int64_t>;
  TestDriver driver(app_, {.parallelism = 3});
  EXPECT_THAT(*driver.state<Sum>("sum"), IsEmpty());
  driver.push("rides",
              std::vector<Ride>{{"Bonn", 5, at(1)}, {"Ulm", 7, at(2)}, {"Bonn", 1, at(3)}});
  driver.end_epoch();
  driver.restart();
  std::vector<std::pair<std::string, std::int64_t>> all;
  const Result<std::vector<Sum>> sums = driver.state<Sum>("sum");
  for (const Sum& sum : *sums) all.emplace_back(sum.key, sum.value);
  EXPECT_THAT(all, UnorderedElementsAre(Pair("Bonn", 6), Pair("Ulm", 7)));
  const Result<std::vector<Sum>> bonn = driver.state<Sum>("sum", std::string("Bonn"));
  ASSERT_EQ(bonn->size(), 1U);
  EXPECT_EQ((*bonn)[0].value, 6);
  EXPECT_THAT(*driver.state<Sum>("sum", std::string("Rom")), IsEmpty());
}

TEST_F(LiveStateTest, OpenWindowsOfAllKinds) {
  sum_of(tumbling(10s), "tumbling");
  sum_of(hopping(10s, 5s), "hopping");
  sum_of(session(5s), "session");
  rides()
      .window(tumbling(10s))
      .emit(Emit::kOnEveryUpdate)
      .sum(&Ride::minutes, as("updates"))
      .sink(out("updates"));
  rides().window(count_window(3)).sum(&Ride::minutes, as("three")).sink(out("three"));
  TestDriver driver(app_);
  driver.push("rides",
              std::vector<Ride>{
                  {"Bonn", 1, at(1)}, {"Ulm", 2, at(3)}, {"Bonn", 4, at(7)}, {"Bonn", 8, at(12)}});
  EXPECT_THAT(windows(driver.state<WindowSum>("tumbling")),
              ElementsAre(std::tuple("Bonn", 10, 20, 8)));
  EXPECT_THAT(windows(driver.state<WindowSum>("hopping")),
              ElementsAre(std::tuple("Bonn", 5, 15, 12), std::tuple("Bonn", 10, 20, 8)));
  EXPECT_THAT(windows(driver.state<WindowSum>("hopping", std::string("Ulm"))), IsEmpty());
  EXPECT_THAT(windows(driver.state<WindowSum>("session", std::string("Bonn"))),
              ElementsAre(std::tuple("Bonn", 7, 17, 12)));
  EXPECT_THAT(windows(driver.state<WindowSum>("updates")),
              ElementsAre(std::tuple("Bonn", 10, 20, 8)));
  const auto three = driver.state<Keyed<std::string, std::int64_t>>("three", std::string("Ulm"));
  ASSERT_EQ(three->size(), 1U);
  EXPECT_EQ((*three)[0].value, 2);
}

TEST_F(LiveStateTest, StoresAnswerKeysAndRanges) {
  rides().sum(&Ride::minutes, as("sum")).sink(out());
  sum_of(tumbling(10s), "tumbling");
  TestDriver driver(app_, {.parallelism = 3});
  const auto sums = driver.store<std::string, std::int64_t>("sum");
  EXPECT_EQ(sums.get("Bonn")->value, std::nullopt);
  driver.push("rides", std::vector<Ride>{{"Bonn", 5, at(1)},
                                         {"Ulm", 7, at(2)},
                                         {"Bonn", 1, at(3)},
                                         {"Rom", 2, at(3)},
                                         {"Bonn", 8, at(12)}});
  EXPECT_EQ(sums.get("Bonn")->value, 14);
  EXPECT_EQ(sums.get("Paris")->value, std::nullopt);
  const auto keys = [](const auto& reading) {
    EXPECT_TRUE(reading.is_ok()) << reading.status().to_string();
    std::vector<std::string> keys;
    for (const auto& row : reading->value) keys.push_back(row.key);
    return keys;
  };
  EXPECT_THAT(keys(sums.all()), UnorderedElementsAre("Bonn", "Rom", "Ulm"));
  EXPECT_THAT(keys(sums.range("Bonn", "Ulm")), UnorderedElementsAre("Bonn", "Rom"));
  EXPECT_THAT(keys(sums.range("C", "R")), IsEmpty());
  EXPECT_THAT(keys(sums.range("Z", "A")), IsEmpty());
  const auto days = driver.window_store<std::string, std::int64_t>("tumbling");
  EXPECT_THAT(keys(days.range("A", "C")), ElementsAre("Bonn"));
  const auto bonn = days.get("Bonn");
  ASSERT_EQ(bonn->value.size(), 1U);
  EXPECT_EQ(bonn->value[0].value, 8);
  EXPECT_EQ(sums.get("Bonn")->elsewhere.size(), 0U);
  const auto wrong = driver.store<std::int64_t, std::int64_t>("sum").get(3);
  EXPECT_EQ(wrong.status().code(), ErrorCode::kTypeMismatch);
}

TEST_F(LiveStateTest, CommittedStateIsAsOfAnEpoch) {
  rides().sum(&Ride::minutes, as("sum")).sink(out());
  TestDriver driver(app_, {.parallelism = 2});
  const auto sums = driver.store<std::string, std::int64_t>("sum");
  driver.push("rides", Ride{"Bonn", 5, at(1)});
  const auto now = sums.get("Bonn");
  EXPECT_EQ(now->shows, Shows::kCurrent);
  EXPECT_EQ(now->epoch, 0U);
  const auto first = sums.get("Bonn", Shows::kCommitted);  // the driver ends the epoch
  ASSERT_TRUE(first.is_ok()) << first.status().to_string();
  EXPECT_EQ(first->value, 5);
  EXPECT_EQ(first->shows, Shows::kCommitted);
  EXPECT_EQ(first->epoch, 1U);
  driver.push("rides", Ride{"Bonn", 2, at(2)});
  EXPECT_EQ(sums.get("Bonn")->value, 7);
  EXPECT_EQ(sums.get("Bonn")->epoch, 1U);
  driver.restart();
  driver.push("rides", Ride{"Ulm", 1, at(3)});
  const auto all = sums.all(Shows::kCommitted);
  ASSERT_TRUE(all.is_ok()) << all.status().to_string();
  EXPECT_EQ(all->value.size(), 2U);
  EXPECT_EQ(all->epoch, 2U);
  EXPECT_EQ(sums.get("Bonn")->value, 7);  // which came again
}

TEST_F(LiveStateTest, StatesOfProcessFunctions) {
  rides().process<std::int64_t>(Journal(), as("journal")).sink(out());
  TestDriver driver(app_, {.parallelism = 2});
  driver.push("rides", std::vector<Ride>{{"Bonn", 5, at(1)}, {"Bonn", 7, at(2)}});
  const std::string bonn = "Bonn";
  EXPECT_EQ(*driver.value_state<std::int64_t>("journal", "last", bonn), 7);
  EXPECT_EQ(*driver.value_state<std::int64_t>("journal", "last", std::string("Ulm")), std::nullopt);
  EXPECT_THAT(*driver.list_state<std::string>("journal", "notes", bonn),
              ElementsAre("ride of 5", "ride of 7"));
  EXPECT_THAT((*driver.map_state<std::int64_t, std::string>("journal", "by-minutes", bonn)),
              ElementsAre(Pair(5, "Bonn"), Pair(7, "Bonn")));
  EXPECT_THAT(
      (*driver.map_state<std::int64_t, std::string>("journal", "by-minutes", std::string("Ulm"))),
      IsEmpty());
}

TEST_F(LiveStateTest, WrongQuestions) {
  rides().count(as("count")).sink(out());
  rides().process<std::int64_t>(Journal(), as("journal")).sink(out("other"));
  using Count = Keyed<std::string, std::int64_t>;
  const std::string bonn = "Bonn";
  TestDriver driver(app_);
  driver.push("rides", Ride{"Bonn", 5, at(1)});
  const auto message = [](const auto& result) { return result.status().to_string(); };
  EXPECT_THAT(message(driver.state<Count>("cuont")), HasSubstr("Did you mean 'count'?"));
  EXPECT_THAT(message(driver.state<Count>("count", std::int64_t{1})), HasSubstr("other types"));
  EXPECT_EQ(driver.state<WindowSum>("count").status().code(), ErrorCode::kTypeMismatch);
  EXPECT_THAT(message(driver.value_state<std::int64_t>("journal", "lost", bonn)),
              HasSubstr("no state 'lost'"));
  EXPECT_EQ(driver.value_state<std::string>("journal", "last", bonn).status().code(),
            ErrorCode::kTypeMismatch);
  EXPECT_EQ(driver.state<Count>("journal").status().code(), ErrorCode::kNotSupported);
  driver.end_input();
  EXPECT_TRUE(driver.status().is_ok()) << driver.status().to_string();
  EXPECT_EQ(driver.state<Count>("count").status().code(), ErrorCode::kCancelled);
}

/// Rides without end; counts how many have been asked for.
class EndlessRides final : public CustomSource<Ride> {
 public:
  explicit EndlessRides(std::shared_ptr<std::atomic<std::int64_t>> given)
      : given_(std::move(given)) {}
  Result<std::vector<std::string>> splits() override { return std::vector<std::string>{"all"}; }
  bool is_bounded() const override { return false; }
  Result<std::unique_ptr<CustomReader<Ride>>> open(const std::string&,
                                                   const std::optional<std::string>&,
                                                   std::function<void()>) override {
    return std::unique_ptr<CustomReader<Ride>>(std::make_unique<Reader>(given_));
  }

 private:
  class Reader final : public CustomReader<Ride> {
   public:
    explicit Reader(std::shared_ptr<std::atomic<std::int64_t>> given) : given_(std::move(given)) {}
    Result<State> poll(Collector<Ride>& out, std::int64_t max_rows) override {
      for (std::int64_t i = 0; i < max_rows; ++i) out.emit({"Bonn", 1, at(given_->fetch_add(1))});
      return State::kRows;
    }
    std::string position() const override { return "0"; }

   private:
    std::shared_ptr<std::atomic<std::int64_t>> given_;
  };
  std::shared_ptr<std::atomic<std::int64_t>> given_;
};

TEST(RunningJobState, IsReadWhileTheJobWorks) {
  const auto given = std::make_shared<std::atomic<std::int64_t>>(0);
  App app("rides");
  app.source<Ride>(std::make_shared<EndlessRides>(given))
      .key_by(&Ride::city)
      .count(as("count"))
      .for_each([](const auto&) {});
  RunOptions options;
  options.parallelism = 2;
  options.epoch_interval = 10ms;
  options.serve = "localhost:0";
  Result<RunningJob> job = app.start(options);
  ASSERT_TRUE(job.is_ok()) << job.status().to_string();
  using Count = Keyed<std::string, std::int64_t>;
  std::int64_t before = 0;
  for (int looks = 0; looks < 3;) {
    const Result<std::vector<Count>> counts = job->state<Count>("count", std::string("Bonn"));
    if (!counts.is_ok()) {  // it has not begun yet
      ASSERT_EQ(counts.status().code(), ErrorCode::kCancelled) << counts.status().to_string();
      continue;
    }
    if (counts->empty() || (*counts)[0].value == before) continue;
    EXPECT_GT((*counts)[0].value, before);
    EXPECT_LE((*counts)[0].value, given->load());
    before = (*counts)[0].value;
    ++looks;
  }
  const auto committed =
      job->store<std::string, std::int64_t>("count").get("Bonn", Shows::kCommitted);
  ASSERT_TRUE(committed.is_ok()) << committed.status().to_string();
  EXPECT_GE(committed->value, before);
  EXPECT_GE(committed->epoch, 1U);
  const HttpAnswer page = http_request(job->serve_address(), "/state/count?key=Bonn");
  EXPECT_EQ(page.status, 200) << page.body;
  EXPECT_THAT(page.body, HasSubstr("\"rows\":[{\"city\":\"Bonn\",\"count\":"));
  EXPECT_THAT(http_request(job->serve_address(), "/state").body,
              HasSubstr("{\"states\":[{\"name\":\"count\""));
  job->stop();
  EXPECT_TRUE(job->await().is_ok());
  EXPECT_EQ(job->state<Count>("count").status().code(), ErrorCode::kCancelled);
}

}  // namespace
}  // namespace tidegate
