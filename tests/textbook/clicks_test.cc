// SPDX-License-Identifier: Apache-2.0
//
// The running example of a textbook chapter on stream processing: clicks per URL in 5-minute
// windows, up to 1 minute late; and its three programs as they are literally set.
// docs/explanation/three-programs.md explains the difference.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/random.h"
#include "tidegate/test_driver.h"
#include "tidegate/tidegate.h"

namespace tidegate {

struct Click {
  std::string url;
  std::int64_t user_id;
  Timestamp ts;
};
BOOST_DESCRIBE_STRUCT(Click, (), (url, user_id, ts))

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using Count = Windowed<std::string, std::int64_t>;

constexpr Timestamp at(int hour, int minute, int second = 0) {
  return Timestamp(((hour * 60 + minute) * 60 + second) * 1000);
}

/// "/home [36000, 36300) 156", times in seconds of the day.
std::vector<std::string> texts(const std::vector<Count>& counts) {
  std::vector<std::string> lines;
  for (const Count& count : counts) {
    lines.push_back(count.key + " [" + std::to_string(count.window_start.ms / 1000) + ", " +
                    std::to_string(count.window_end.ms / 1000) + ") " +
                    std::to_string(count.value));
  }
  return lines;
}

/// 156 clicks of /home from 10:00:00 to 10:04:59.5, out of order by up to a minute, split i to
/// split i % 3.
std::vector<Click> clicks_of_home() {
  std::vector<Click> clicks;
  for (int i = 0; i < 156; ++i) {
    clicks.push_back({"/home", i, Timestamp(at(10, 0).ms + i * 299'500 / 155)});
  }
  // A click changes places only with one less than 50 s away, so none is a minute late.
  Random random(5);
  for (int pass = 0; pass < 3; ++pass) {
    for (std::size_t i = 0; i + 8 < clicks.size(); i += 8) {
      std::swap(clicks[i + random.below(8)], clicks[i + random.below(8)]);
    }
  }
  return clicks;
}

void push_clicks(TestDriver& driver) {
  int i = 0;
  for (const Click& click : clicks_of_home()) driver.push("clicks", click, i++ % 3);
}

TEST(TextbookClicks, OneRowWhenTheWindowCloses) {
  App app("click-analytics");
  const SideOutput<Click> late{"late"};
  const Stream<Count> counts = app.source<Click>(kafka("clicks").format(json()))
                                   .event_time(&Click::ts, bounded_disorder(1min))
                                   .key_by(&Click::url)
                                   .window(tumbling(5min))
                                   .late_to(late)
                                   .count();
  counts.sink(kafka("click-counts").format(json()));
  counts.side_output(late).sink(kafka("late-clicks").format(json()));
  TestDriver driver(app, {.splits = 3, .parallelism = 2});
  push_clicks(driver);

  // 10:06 is not reached before every split has reached it.
  driver.push("clicks", Click{"/other", 1, at(10, 6)}, 0);
  driver.push("clicks", Click{"/other", 2, at(10, 6)}, 1);
  EXPECT_THAT(driver.read<Count>("click-counts"), IsEmpty());
  driver.push("clicks", Click{"/other", 3, at(10, 6)}, 2);
  EXPECT_THAT(texts(driver.read<Count>("click-counts")), ElementsAre("/home [36000, 36300) 156"));

  // Later than a minute: not counted, put aside.
  driver.push("clicks", Click{"/home", 999, at(10, 4, 30)}, 0);
  EXPECT_THAT(driver.read<Count>("click-counts"), IsEmpty());
  const std::vector<Click> late_clicks = driver.read<Click>("late-clicks");
  ASSERT_EQ(late_clicks.size(), 1u);
  EXPECT_EQ(late_clicks[0].user_id, 999);
  EXPECT_EQ(late_clicks[0].url, "/home");
  EXPECT_EQ(driver.rows_late(), 1);
  EXPECT_TRUE(driver.status().is_ok()) << driver.status().to_string();
}

TEST(TextbookClicks, TheSameWithRestartsInBetween) {
  App app("click-analytics");
  app.source<Click>(kafka("clicks").format(json()))
      .event_time(&Click::ts, bounded_disorder(1min))
      .key_by(&Click::url)
      .window(tumbling(5min))
      .count()
      .sink(kafka("click-counts").format(json()));
  TestDriver driver(app, {.splits = 3, .parallelism = 3, .seed = 17});
  int i = 0;
  for (const Click& click : clicks_of_home()) {
    driver.push("clicks", click, i % 3);
    if (++i % 40 == 0) driver.end_epoch();
    if (i % 60 == 0) driver.restart();
  }
  EXPECT_THAT(driver.read<Count>("click-counts"), IsEmpty());
  for (int split = 0; split < 3; ++split) {
    driver.push("clicks", Click{"/other", 1, at(10, 6)}, split);
  }
  EXPECT_THAT(texts(driver.read<Count>("click-counts")), ElementsAre("/home [36000, 36300) 156"));
}

// Kafka Streams: TimeWindows.ofSizeAndGrace(5 min, 1 min), count(), no suppress. Stream time is the
// largest time seen; every click within the grace prints an update.
TEST(TextbookPrograms, KafkaStreamsPrintsEveryUpdate) {
  App app("kafka-streams");
  app.source<Click>(kafka("clicks").format(json()))
      .event_time(&Click::ts, bounded_disorder(0s))
      .key_by(&Click::url)
      .window(tumbling(5min), grace(1min))
      .emit(Emit::kOnEveryUpdate)
      .count()
      .sink(kafka("click-counts").format(json()));
  TestDriver driver(app);
  driver.push("clicks", Click{"/home", 1, at(10, 0, 10)});
  EXPECT_THAT(texts(driver.read<Count>("click-counts")), ElementsAre("/home [36000, 36300) 1"));
  driver.push("clicks", Click{"/home", 2, at(10, 3)});
  driver.push("clicks", Click{"/home", 3, at(10, 1)});  // out of order, still an update
  EXPECT_THAT(texts(driver.read<Count>("click-counts")),
              ElementsAre("/home [36000, 36300) 2", "/home [36000, 36300) 3"));
  driver.push("clicks", Click{"/other", 4, at(10, 5, 59)});
  driver.push("clicks", Click{"/home", 5, at(10, 4)});  // after the end, within the grace
  EXPECT_THAT(texts(driver.read<Count>("click-counts")),
              ElementsAre("/other [36300, 36600) 1", "/home [36000, 36300) 4"));
  driver.push("clicks", Click{"/other", 6, at(10, 6)});
  driver.push("clicks", Click{"/home", 7, at(10, 4)});  // the grace is over
  EXPECT_THAT(texts(driver.read<Count>("click-counts")), ElementsAre("/other [36300, 36600) 2"));
  EXPECT_EQ(driver.rows_late(), 1);
  driver.end_input();  // nothing more: there is no suppress that would hold anything
  EXPECT_THAT(driver.read<Count>("click-counts"), IsEmpty());
}

// Flink: forBoundedOutOfOrderness(1 min) and allowedLateness(1 min) add up: a window fires when a
// click of 10:06 is seen, again for each late click, and closes at 10:07.
TEST(TextbookPrograms, FlinkFiresAtTheEndAndAgainForLateClicks) {
  App app("flink");
  app.source<Click>(kafka("clicks").format(json()))
      .event_time(&Click::ts, bounded_disorder(1min))
      .key_by(&Click::url)
      .window(tumbling(5min))
      .allowed_lateness(1min)
      .count()
      .sink(kafka("click-counts").format(json()));
  TestDriver driver(app);
  driver.push("clicks", Click{"/home", 1, at(10, 0, 10)});
  driver.push("clicks", Click{"/home", 2, at(10, 3)});
  driver.push("clicks", Click{"/other", 3, at(10, 5, 59)});
  EXPECT_THAT(driver.read<Count>("click-counts"), IsEmpty());
  driver.push("clicks", Click{"/other", 4, at(10, 6)});
  EXPECT_THAT(texts(driver.read<Count>("click-counts")), ElementsAre("/home [36000, 36300) 2"));
  driver.push("clicks", Click{"/home", 5, at(10, 4)});
  EXPECT_THAT(texts(driver.read<Count>("click-counts")), ElementsAre("/home [36000, 36300) 3"));
  driver.push("clicks", Click{"/other", 6, at(10, 7)});
  driver.push("clicks", Click{"/home", 7, at(10, 4)});
  EXPECT_THAT(driver.read<Count>("click-counts"), IsEmpty());
  EXPECT_EQ(driver.rows_late(), 1);
}

// Spark: withWatermark(1 minute) in update mode: every trigger prints the groups that changed in
// it, once; a window takes clicks until the watermark has passed its end.
TEST(TextbookPrograms, SparkPrintsChangedGroupsPerTrigger) {
  App app("spark");
  app.source<Click>(kafka("clicks").format(json()))
      .event_time(&Click::ts, bounded_disorder(1min))
      .key_by(&Click::url)
      .window(tumbling(5min))
      .emit(Emit::kOnEpoch)
      .count()
      .sink(kafka("click-counts").format(json()));
  TestDriver driver(app);
  driver.push("clicks", std::vector<Click>{{"/home", 1, at(10, 0, 10)}, {"/home", 2, at(10, 3)}});
  driver.push("clicks", Click{"/other", 3, at(10, 3, 30)});
  EXPECT_THAT(driver.read<Count>("click-counts"), IsEmpty());
  driver.end_epoch();
  EXPECT_THAT(texts(driver.read<Count>("click-counts")),
              ElementsAre("/home [36000, 36300) 2", "/other [36000, 36300) 1"));
  driver.push("clicks", Click{"/home", 4, at(10, 5, 30)});
  driver.push("clicks", Click{"/home", 5, at(10, 4)});
  driver.end_epoch();
  EXPECT_THAT(texts(driver.read<Count>("click-counts")),
              ElementsAre("/home [36000, 36300) 3", "/home [36300, 36600) 1"));
  driver.push("clicks", Click{"/home", 6, at(10, 6)});  // the watermark is 10:05 now
  driver.push("clicks", Click{"/home", 7, at(10, 4)});
  driver.end_epoch();
  EXPECT_THAT(texts(driver.read<Count>("click-counts")), ElementsAre("/home [36300, 36600) 2"));
  EXPECT_EQ(driver.rows_late(), 1);
}

}  // namespace
}  // namespace tidegate
